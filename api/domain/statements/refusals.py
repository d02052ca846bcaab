"""Refusals: what an attester signs instead of a statement, and why.

The same type as `AttesterDesk.sol`. "Not yet" is no reason and is never signed.
"""

from dataclasses import dataclass
from enum import IntEnum

from api.domain.eip712 import domain_separator, typed_preimage
from api.domain.hashing import keccak, word
from api.domain.units import Bytes32, Epoch, FacilityId
from api.errors import InvalidInput

DOMAIN_NAME = "Rentroll Attesters"
DOMAIN_VERSION = "1"
# Same order and types as in `AttesterDesk`.
REFUSAL_TYPE = (
    "Refusal(uint64 facilityId,uint32 epoch,bytes32 statementHash,bytes32 evidenceHash,"
    "bytes32 previousStatementHash,uint32 rejections,uint64 until,uint8 code,bytes32 place)"
)
_REFUSAL_TYPEHASH = keccak(REFUSAL_TYPE.encode())
# Characters: a place is one word of the chain.
PLACE_LENGTH = 32
NO_HASH = Bytes32(bytes(32))


class RefusalCode(IntEnum):
    """`IAttesterDesk.RefusalCode`, without None, which is never valid."""

    NOT_RECOMPUTED = 1
    MEMORY_CONTRADICTED = 2
    EVIDENCE_MISSING = 3
    LOG_FORKED = 4


@dataclass(frozen=True, slots=True)
class Refusal:
    """What an attester refuses, and why.

    statement_hash: of the statement that is refused; zero if none was shown.
    evidence_hash: of its manifest; zero for an epoch that only a void left published.
    previous_statement_hash: of the statement before it.
    rejections: how often evidence of the facility was rejected before: so a refusal takes back
        nothing that was published later.
    until_s: last second in which it can take back what is published, UTC: a file that was missing
        may come later.
    place: file and line of the evidence, at most 32 ASCII characters; empty if there is no place.
    """

    facility_id: FacilityId
    epoch: Epoch
    statement_hash: Bytes32
    evidence_hash: Bytes32
    previous_statement_hash: Bytes32
    rejections: int
    until_s: int
    code: RefusalCode
    place: str = ""

    @property
    def about(self) -> Bytes32:
        """What is refused: the statement, or the evidence where no statement is."""
        return self.evidence_hash if self.statement_hash == NO_HASH else self.statement_hash

    @property
    def place_word(self) -> Bytes32:
        """The place as it stands on-chain: left-aligned ASCII, zeros behind."""
        return Bytes32(self.place.encode("ascii").ljust(PLACE_LENGTH, b"\0"))


def check_place(place: str) -> str:
    """The place, if it fits a word of the chain. Raises InvalidInput."""
    if len(place) > PLACE_LENGTH or not place.isascii() or not (place == "" or place.isprintable()):
        raise InvalidInput(
            f"a place is at most {PLACE_LENGTH} printable ASCII characters", field="place"
        )
    return place


def refusal_preimage(refusal: Refusal, *, chain_id: int, desk: str) -> bytes:
    """66 bytes whose keccak-256 is `refusal_digest`."""
    body = keccak(
        _REFUSAL_TYPEHASH
        + word(refusal.facility_id)
        + word(refusal.epoch)
        + refusal.statement_hash
        + refusal.evidence_hash
        + refusal.previous_statement_hash
        + word(refusal.rejections)
        + word(refusal.until_s)
        + word(refusal.code)
        + refusal.place_word
    )
    separator = domain_separator(
        name=DOMAIN_NAME, version=DOMAIN_VERSION, chain_id=chain_id, contract=desk
    )
    return typed_preimage(body, separator=separator)


def refusal_digest(refusal: Refusal, *, chain_id: int, desk: str) -> Bytes32:
    """Digest that an attester signs; `AttesterDesk.refusalDigest` gives the same."""
    return keccak(refusal_preimage(refusal, chain_id=chain_id, desk=desk))
