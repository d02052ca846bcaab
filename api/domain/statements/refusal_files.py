"""Signed refusals as files: what an attester serves, hands to the service, and anybody sends on."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from api.domain.json_text import as_bytes32, as_integer, as_list, as_object, as_text
from api.domain.log.receipts import SignedEntry, signed_entry_document, signed_entry_from
from api.domain.log.signers import LogSigners
from api.domain.statements.evidence import hex32
from api.domain.statements.refusals import (
    Refusal,
    RefusalCode,
    check_place,
    refusal_digest,
)
from api.domain.units import MAX_I64, MAX_U32, Bytes32, Epoch, FacilityId
from api.errors import EvidenceInvalid, InvalidInput

FORMAT = 1
# Characters of what was found in words, and bytes of what a contract takes for a signature.
MOST_MESSAGE, MOST_SIGNATURE = 500, 2_048
_ADDRESS = re.compile("0x[0-9a-fA-F]{40}")


@dataclass(frozen=True, slots=True)
class SignedRefusal:
    """A refusal with its signature. signed_at_s, message: when, and in words; nobody signs these.

    chain_id, desk: the AttesterDesk that it is signed for.
    fork: two entries of one number that the log's key signed, where that is what is refused.
    """

    refusal: Refusal
    attester: str
    signature: bytes
    chain_id: int
    desk: str
    signed_at_s: int = 0
    message: str = ""
    fork: tuple[SignedEntry, ...] = ()

    @property
    def digest(self) -> Bytes32:
        """What the attester signed."""
        return refusal_digest(self.refusal, chain_id=self.chain_id, desk=self.desk)

    def require_for(self, *, chain_id: int, desk: str) -> None:
        """Refuse one that is signed for another desk. Raises InvalidInput."""
        if (self.chain_id, self.desk.lower()) != (chain_id, desk.lower()):
            message = (
                f"it is signed for desk {self.desk} on chain {self.chain_id}, not for {desk} on"
                f" chain {chain_id}"
            )
            raise InvalidInput(message, field="desk")

    def require_fork(self, signers: LogSigners) -> None:
        """Refuse one that says a log was forked and does not prove it, or proves it of another
        facility. A key of the log proves it also behind its end. Raises InvalidInput."""
        if self.refusal.code is not RefusalCode.LOG_FORKED:
            return
        try:
            first, second = self.fork
            for each in (first, second):
                signers.require_signer(each.entry, each.signature, where=each.where)
        except (ValueError, EvidenceInvalid) as error:
            message = f"a fork is two entries that the log's key signed: {error}"
            raise InvalidInput(message, field="fork") from error
        if first.entry.log.facility_id != self.refusal.facility_id or not first.forks(second):
            message = "these two entries are no fork of the facility's log"
            raise InvalidInput(message, field="fork")


def plain_message(text: str) -> str:
    """A message as it may be shown: one line of visible characters, cut where it is too long."""
    return "".join(mark if mark.isprintable() else " " for mark in text[:MOST_MESSAGE])


def refusal_document(signed: SignedRefusal) -> dict[str, object]:
    """A signed refusal as JSON."""
    said = signed.refusal
    document: dict[str, object] = {
        "format": FORMAT,
        "chain_id": signed.chain_id,
        "desk": signed.desk,
        "facility_id": said.facility_id,
        "epoch": said.epoch,
        "statement_hash": hex32(said.statement_hash),
        "evidence_hash": hex32(said.evidence_hash),
        "previous_statement_hash": hex32(said.previous_statement_hash),
        "rejections": said.rejections,
        "until_s": said.until_s,
        "code": said.code.name.lower(),
        "place": said.place,
        "attester": signed.attester,
        "signature": "0x" + signed.signature.hex(),
        "signed_at_s": signed.signed_at_s,
        "message": signed.message,
    }
    if signed.fork:
        document["fork"] = [signed_entry_document(each) for each in signed.fork]
    return document


def refusal_from(document: Mapping[str, object]) -> SignedRefusal:
    """Read what `refusal_document` wrote; every value within its bounds.

    Raises:  InvalidInput.
    """
    try:
        return _read(document)
    except (ValueError, LookupError, TypeError, EvidenceInvalid, InvalidInput) as error:
        said = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise InvalidInput(f"this is no signed refusal: {said}", field="refusal") from error


def _read(document: Mapping[str, object]) -> SignedRefusal:
    if document["format"] != FORMAT:
        raise ValueError("it has another format")
    refusal = Refusal(
        FacilityId(_number(document, "facility_id")),
        Epoch(_number(document, "epoch", most=MAX_U32)),
        as_bytes32(document["statement_hash"]),
        as_bytes32(document["evidence_hash"]),
        as_bytes32(document["previous_statement_hash"]),
        _number(document, "rejections", most=MAX_U32),
        _number(document, "until_s"),
        RefusalCode[as_text(document["code"]).upper()],
        check_place(as_text(document["place"])),
    )
    fork = [signed_entry_from(as_object(each)) for each in as_list(document.get("fork", []))]
    if len(fork) not in (0, 2):
        raise ValueError("fork names two entries")
    return SignedRefusal(
        refusal=refusal,
        attester=_address(document, "attester"),
        signature=_signature(as_text(document["signature"])),
        chain_id=_number(document, "chain_id"),
        desk=_address(document, "desk"),
        signed_at_s=_number(document, "signed_at_s"),
        message=plain_message(as_text(document["message"])),
        fork=tuple(fork),
    )


def _number(document: Mapping[str, object], name: str, *, most: int = MAX_I64) -> int:
    value = as_integer(document[name])
    if not 0 <= value <= most:
        raise ValueError(f"{name} is out of range")
    return value


def _address(document: Mapping[str, object], name: str) -> str:
    text = as_text(document[name])
    if not _ADDRESS.fullmatch(text):
        raise ValueError(f"{name} is no address")
    return text


def _signature(text: str) -> bytes:
    signature = bytes.fromhex(text.removeprefix("0x"))
    if not 1 <= len(signature) <= MOST_SIGNATURE:
        raise ValueError(f"a signature has 1 to {MOST_SIGNATURE} bytes")
    return signature
