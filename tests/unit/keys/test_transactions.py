"""Raw transactions: the same bytes as eth-account's, and nothing that another key signed."""

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from api.chain.signer import (
    LocalSigner,
    Transaction,
    call_of,
    sign_legacy_transaction,
    sign_transaction,
)
from api.domain.hashing import keccak
from api.errors import SignerFailed

KEY = "0x" + "11" * 32
TO = "0x" + "Ab" * 20

uint = st.integers(0, 2**64 - 1)
transactions = st.builds(
    Transaction,
    chain_id=st.integers(1, 2**53),
    nonce=uint,
    to=st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex()),
    data=st.binary(max_size=200),
    gas=uint,
    max_fee_wei=st.integers(0, 2**128),
    priority_fee_wei=st.integers(0, 2**128),
    value_wei=st.integers(0, 2**128),
)


@given(transactions)
def test_sign_transaction__any_call__is_what_eth_account_signs(transaction: Transaction) -> None:
    raw, tx_hash = sign_transaction(LocalSigner(KEY), transaction)

    signed = Account.from_key(KEY).sign_transaction(
        {
            "type": 2,
            "chainId": transaction.chain_id,
            "nonce": transaction.nonce,
            "to": bytes.fromhex(transaction.to[2:]),
            "data": transaction.data,
            "gas": transaction.gas,
            "value": transaction.value_wei,
            "maxFeePerGas": transaction.max_fee_wei,
            "maxPriorityFeePerGas": transaction.priority_fee_wei,
        }
    )
    assert (raw, tx_hash) == (bytes(signed.raw_transaction), bytes(signed.hash))
    to, data = call_of(raw)
    assert (to.lower(), data) == (transaction.to, transaction.data)


@given(transactions)
def test_sign_legacy__any_call__is_what_eth_account_signs(transaction: Transaction) -> None:
    """EIP-155, for chains that know one gas price."""
    raw, tx_hash = sign_legacy_transaction(LocalSigner(KEY), transaction)

    signed = Account.from_key(KEY).sign_transaction(
        {
            "chainId": transaction.chain_id,
            "nonce": transaction.nonce,
            "to": bytes.fromhex(transaction.to[2:]),
            "data": transaction.data,
            "gas": transaction.gas,
            "value": transaction.value_wei,
            "gasPrice": transaction.max_fee_wei,
        }
    )
    assert (raw, tx_hash) == (bytes(signed.raw_transaction), bytes(signed.hash))


class _Other:
    """A signer that stands for one address and signs with the key of another."""

    def __init__(self, signature: bytes | None = None) -> None:
        self.address = LocalSigner(KEY).address
        self._signature = signature

    def sign(self, preimage: bytes) -> bytes:
        return self._signature or LocalSigner("0x" + "22" * 32).sign_digest(keccak(preimage))


@pytest.mark.parametrize("signature", [None, b"\1", b"\0" * 65, b"\xff" * 65])
def test_sign_transaction__signed_by_another_key__sends_nothing(signature: bytes | None) -> None:
    transaction = Transaction(
        chain_id=1, nonce=0, to=TO, data=b"", gas=21_000, max_fee_wei=1, priority_fee_wei=1
    )

    with pytest.raises(SignerFailed, match="no signature of"):
        sign_transaction(_Other(signature), transaction)
