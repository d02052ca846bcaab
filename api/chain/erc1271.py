"""Signatures of contract wallets: does the contract at an address accept one?"""

from api.chain.abi import Function
from api.chain.client import ChainClient
from api.chain.signer import recover
from api.errors import ChainRejected

_IS_VALID = Function("isValidSignature", ("bytes32", "bytes"), ("bytes4",))
# Source: ERC-1271. The answer is the function's own selector, padded.
_MAGIC = _IS_VALID.selector.ljust(32, b"\0")
# The contract is the caller's choice: it must not keep the node busy.
_GAS_LIMIT = 500_000


def accepts_signature(
    client: ChainClient,
    address: str,
    digest: bytes,
    signature: bytes,
    *,
    block: int | None = None,
) -> bool:
    """Whether a contract wallet says that it signed a digest. Raises ChainUnavailable.

    block: as of then. Without it, of now: a wallet may change its keys, and who signs in is judged
    by the keys of today.
    """
    tag = "latest" if block is None else hex(block)
    if not client.code(address):
        return False
    data = "0x" + _IS_VALID.encode(digest, signature).hex()
    call = {"to": address, "data": data, "gas": hex(_GAS_LIMIT)}
    try:
        answer = client.request("eth_call", call, tag)
    except ChainRejected:
        # A wallet may revert instead of answering: for the caller both mean no.
        return False
    return isinstance(answer, str) and answer.lower() == "0x" + _MAGIC.hex()


def signed_by(
    client: ChainClient, account: str, digest: bytes, signature: bytes, *, block: int | None = None
) -> bool:
    """Whether an account signed a digest: by its key first, then as a contract, as contracts judge.

    Source:  `Signatures.isValid`.  block: as of then; without it, of now.
    Raises:  ChainUnavailable.
    """
    return recover(digest, signature) == account or accepts_signature(
        client, account, digest, signature, block=block
    )
