"""Refusals: the digest is that of everybody's EIP-712, and a place fits a word."""

import pytest
from eth_account.messages import encode_typed_data
from hypothesis import given
from hypothesis import strategies as st

from api.domain.hashing import keccak
from api.domain.statements.refusals import (
    DOMAIN_NAME,
    DOMAIN_VERSION,
    REFUSAL_TYPE,
    Refusal,
    RefusalCode,
    check_place,
    refusal_digest,
)
from api.domain.units import Bytes32
from api.errors import InvalidInput

DESK = "0x" + "5d" * 20
HASHES = st.binary(min_size=32, max_size=32).map(Bytes32)
U32, U64 = st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)
PLACES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=32)
REFUSALS = st.builds(
    Refusal, U64, U32, HASHES, HASHES, HASHES, U32, U64, st.sampled_from(RefusalCode), PLACES
)


@given(REFUSALS, st.integers(1, 2**63))
def test_digest__any_refusal__is_that_of_eth_account(refusal: Refusal, chain_id: int) -> None:
    inner = REFUSAL_TYPE.split("(")[1].rstrip(")").split(",")
    types = [{"type": kind, "name": name} for kind, name in (part.split(" ") for part in inner)]
    values = (
        refusal.facility_id,
        refusal.epoch,
        refusal.statement_hash,
        refusal.evidence_hash,
        refusal.previous_statement_hash,
        refusal.rejections,
        refusal.until_s,
        int(refusal.code),
        refusal.place.encode().ljust(32, b"\0"),
    )
    domain = {
        "name": DOMAIN_NAME,
        "version": DOMAIN_VERSION,
        "chainId": chain_id,
        "verifyingContract": DESK,
    }
    message = dict(zip((t["name"] for t in types), values, strict=True))

    theirs = encode_typed_data(domain, {"Refusal": types}, message)

    ours = refusal_digest(refusal, chain_id=chain_id, desk=DESK)
    assert ours == keccak(b"\x19" + theirs.version + theirs.header + theirs.body)


@pytest.mark.parametrize("place", ["", "lines.csv:17", "x" * 32])
def test_check_place__fits_a_word__is_the_place(place: str) -> None:
    assert check_place(place) == place


@pytest.mark.parametrize("place", ["x" * 33, "zeilé", "a\nb", "\0"])
def test_check_place__fits_no_word__is_refused(place: str) -> None:
    with pytest.raises(InvalidInput, match="32 printable ASCII"):
        check_place(place)
