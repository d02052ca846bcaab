"""Recompute: statements from a facility's log and published terms alone, as every attester does."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from api.domain.facility import FacilityTerms, Period
from api.domain.json_text import (
    as_bytes32,
    as_integer,
    as_list,
    as_object,
    as_text,
    read_json,
)
from api.domain.lifecycle import Reopening, closing_cut_off_s, cut_off_s
from api.domain.log.authors import NamedKey
from api.domain.log.entry import NO_LOG, EntryKind, LogEnd, end_of, require_follows
from api.domain.log.logged import LoggedEntry, logged_from
from api.domain.log.signers import LogSigners
from api.domain.metering.judge import Recorded
from api.domain.metering.names import ToldLease, ToldNames
from api.domain.pledges import Pledge
from api.domain.roster import Roster
from api.domain.statements.closing import ClosedEpoch, OpenBooks
from api.domain.statements.entry_judge import EntryJudge
from api.domain.statements.told import Told
from api.domain.units import Epoch
from api.errors import EvidenceInvalid, SignatureRefused


@dataclass
class RawInput:
    """What an attester is given of a facility: grace, reopenings, its log's entries, and of the
    leases that they open the secrets.

    ended_at_s, replacements, named: what the chain says, which the attester asks itself; named are
    the ledger keys of the facility's operator.
    seen: how far the attester saw this log before; no other log is read.
    """

    grace_s: int = 0
    ended_at_s: int | None = None
    reopenings: tuple[Reopening, ...] = ()
    replacements: tuple[Pledge, ...] = ()
    named: tuple[NamedKey, ...] = ()
    entries: list[LoggedEntry] = field(default_factory=list)
    leases: list[ToldLease] = field(default_factory=list)
    seen: LogEnd = NO_LOG


def read_input(lines: Iterable[str | bytes]) -> RawInput:
    """Read the NDJSON of the attester route. Raises EvidenceInvalid."""
    raw = RawInput()
    try:
        for line in lines:
            document = as_object(read_json(line))
            if document["type"] == "facility":
                raw.grace_s = as_integer(document["grace_s"])
                raw.reopenings = tuple(map(_reopening, as_list(document.get("reopenings", []))))
            elif document["type"] == "lease":
                raw.leases.append(_told_lease(document))
            else:
                raw.entries.append(logged_from(document))
    except (ValueError, KeyError, TypeError, SignatureRefused) as error:
        raise EvidenceInvalid("the attester's input is not readable") from error
    return raw


def told_document(told: ToldLease) -> dict[str, object]:
    """What an attester is told of a lease, as a line of its input."""
    return {
        "type": "lease",
        "lease_id": told.lease_id,
        "secret": "0x" + told.secret.hex(),
        "party": "0x" + told.party.hex(),
    }


def _told_lease(document: Mapping[str, object]) -> ToldLease:
    lease_id = as_text(document["lease_id"])
    lease_id.encode("utf-8")  # else it is no name
    return ToldLease(lease_id, as_bytes32(document["secret"]), as_bytes32(document["party"]))


def _reopening(value: object) -> Reopening:
    epoch, at_s = map(as_integer, as_list(value))
    return Reopening(first_epoch=Epoch(epoch), at_s=at_s)


class Recomputation:
    """A facility's books, rebuilt from its log, statement by statement."""

    def __init__(self, terms: FacilityTerms, raw: RawInput) -> None:
        self._terms, self._reopenings = terms, raw.reopenings
        self._names = ToldNames(terms.facility_id)
        self._names.learn(raw.leases)
        self._recorded = Recorded(
            Roster(terms, raw.replacements),
            self._names,
            reopenings=raw.reopenings,
            ended_at_s=raw.ended_at_s,
            heard_late=True,
        )
        self._judge = EntryJudge(
            terms,
            self._recorded,
            self._names,
            named=raw.named,
            replacements=raw.replacements,
            ended_at_s=raw.ended_at_s,
        )
        self.books = OpenBooks(terms)
        self.books.repledge(raw.replacements)
        self._closing_cut_s = closing_cut_off_s(
            terms,
            ended_at_s=raw.ended_at_s,
            grace_s=terms.grace_s,
            reopenings=raw.reopenings,
        )
        self._end, self._seen = NO_LOG, raw.seen
        self._told: deque[Told] = deque()
        self._entries: deque[LoggedEntry] = deque()

    def hear(self, named: Sequence[NamedKey]) -> None:
        """Learn which ledger keys the operator named on-chain: all of them, in order."""
        self._judge.named = named

    def learn(self, leases: Iterable[ToldLease]) -> None:
        """Hear what the service tells of leases, before entries are read that open them.

        Raises:  EvidenceInvalid where that is another than before.
        """
        self._names.learn(leases)

    @property
    def end(self) -> LogEnd:
        """Where the log ends, as far as it was read."""
        return self._end

    @property
    def signers(self) -> LogSigners:
        """Keys that sign receipts of the log, as far as it was read."""
        return self._judge.signers

    def read(self, entries: Sequence[LoggedEntry]) -> None:
        """Read on in the log; who signed, and every answer, is judged anew.

        Raises:  EvidenceInvalid for an entry that does not follow, or says what it could not.
        """
        self._judge.foresee(entries)
        for logged in entries:
            entry, recorded = logged.entry, self._recorded
            at_s = recorded.recorded_at_s
            require_follows(entry, log=self._terms.log, end=self._end, at_s=at_s)
            logged.require_whole()
            self._end, recorded.recorded_at_s = end_of([entry], self._end), entry.recorded_at_s
            if self._end.size == self._seen.size and self._end != self._seen:
                message = f"entry {entry.number} of the log is another than the one seen before"
                raise EvidenceInvalid(message, entry=entry.number)
            self._entries.append(logged)
            # The service may have heard late that the facility had ended, and recorded more.
            closed = self._closing_cut_s is not None and entry.recorded_at_s >= self._closing_cut_s
            self._told += self._judge.take(logged, closed=closed)

    def close(self, period: Period) -> ClosedEpoch:
        """Close the next period from what was read up to its cut."""
        cut_s = cut_off_s(
            period.epoch,
            epoch_end_s=period.over_s,
            grace_s=self._terms.grace_s,
            reopenings=self._reopenings,
        )
        told, logged = [], []
        while self._entries and self._entries[0].entry.recorded_at_s < cut_s:
            logged.append(self._entries.popleft())
        while self._told and self._told[0].recorded_at_s < cut_s:
            told.append(self._told.popleft())
        entries = [each.entry for each in logged]
        about = [each for each in logged if each.entry.kind is not EntryKind.BATCH]
        return self.books.close(period, told, entries=entries, about_keys=about)


def recompute(terms: FacilityTerms, period: Period, raw: RawInput) -> ClosedEpoch:
    """Close a period from the log alone, and all before it.

    Raises:  AppError when the log breaks a rule.
    """
    rebuilt = Recomputation(terms, raw)
    rebuilt.read(raw.entries)
    for number in map(Epoch, range(period.epoch)):
        rebuilt.close(terms.period(number))
    return rebuilt.close(period)
