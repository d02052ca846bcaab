"""What must hold before an attester looks at a statement's figures, and what it keeps of them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from api.attester.failures import MemoryContradicted, NotYet
from api.chain.terms import OfferedTerms, offered_terms
from api.domain.facility import FacilityTerms, Period
from api.domain.lifecycle import cut_off_s
from api.domain.log.entry import LogEnd, entry_hash
from api.domain.statements.closing import ClosedEpoch
from api.domain.statements.evidence import FACILITY_FILE
from api.domain.statements.recompute import RawInput, Recomputation
from api.domain.units import Epoch
from api.errors import EvidenceInvalid


def require_offered(terms: FacilityTerms, offered: OfferedTerms) -> None:
    """Refuse terms or a pledge that are not those that investors see on-chain.

    A statement over other devices would be provably faulty, and its signers lose their bonds.
    Raises:  EvidenceInvalid.
    """
    if offered_terms(terms) != offered:
        message = "the facility's terms or pledge are not those offered on-chain"
        raise EvidenceInvalid(message, file=FACILITY_FILE)


def require_voided(raw: RawInput, voided: Sequence[Epoch]) -> None:
    """Refuse an epoch that was reopened although nothing of it was proven wrong on-chain.

    Args:    voided: epochs with a proven fault, one entry a fault.
    Raises:  NotYet.
    """
    claimed = Counter(reopening.first_epoch for reopening in raw.reopenings)
    if claimed - Counter(voided):
        # The node may lag behind the service: this is no refusal yet.
        raise NotYet("an epoch was reopened without a proven fault on-chain")


def require_over(terms: FacilityTerms, period: Period, raw: RawInput, *, past_s: int) -> None:
    """Refuse what still takes records: what is signed too early leaves out what comes in time.

    Args:    past_s: last second that is past by final blocks and by this machine's clock.
    Raises:  NotYet; EvidenceInvalid where the service names another grace than the terms.
    """
    if raw.grace_s != terms.grace_s:
        message = (
            f"the service names a grace of {raw.grace_s} s, the terms one of {terms.grace_s} s"
        )
        raise EvidenceInvalid(message, file=FACILITY_FILE)
    cut_s = cut_off_s(
        period.epoch, epoch_end_s=period.over_s, grace_s=raw.grace_s, reopenings=raw.reopenings
    )
    if past_s < cut_s:
        raise NotYet(f"it takes records until {cut_s}, by final blocks and this machine's clock")


def require_seen(raw: RawInput, seen: LogEnd) -> None:
    """Refuse a log that holds another entry where the one stood over which was signed before.

    Raises:  MemoryContradicted.
    """
    for logged in raw.entries:
        entry = logged.entry
        if entry.number == seen.size and entry_hash(entry) != seen.head:
            message = f"entry {entry.number} of the log is another than the one seen before"
            raise MemoryContradicted(message, entry=entry.number)


def difference(path: str, *, name: str, read: bytes, made: bytes) -> EvidenceInvalid:
    """The error of a file that is not what the events give: from which line on, from 1."""
    theirs, ours = read.split(b"\n"), made.split(b"\n")
    pairs = zip(theirs, ours, strict=False)
    shorter = min(len(theirs), len(ours))
    line = next((i for i, (a, b) in enumerate(pairs) if a != b), shorter) + 1
    message = f"{path} is not what the events give, from line {line} on"
    return EvidenceInvalid(message, file=name, line=line)


@dataclass
class Reproduced:
    """Books that an attester rebuilt from a log, and the last statement that they gave."""

    raw: RawInput
    rebuilt: Recomputation
    closed: ClosedEpoch | None = None

    def leads_to(self, period: Period, raw: RawInput) -> bool:
        """Whether a period is the last that was closed or follows, and neither was anything
        reopened nor a device replaced."""
        last = self.closed is not None and self.closed.statement.epoch == period.epoch
        follows = self.rebuilt.books.next_number <= period.epoch
        same = (raw.reopenings, raw.ended_at_s, raw.replacements) == (
            self.raw.reopenings,
            self.raw.ended_at_s,
            self.raw.replacements,
        )
        return (last or follows) and same
