"""Judging entries of a log: who signed, what had to be answered, and what was told.

Answers follow from the entries before, the second and the body. One thing is not in the log: what
the service had heard of the chain by then. So it may have called a device unknown, or outside of
its pledge, while that could still be so; and what it took of a device that is not pledged, the
books leave out.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from api.domain.facility import DAY_S, FacilityTerms
from api.domain.lifecycle import closing_cut_off_s
from api.domain.log.answers import ACCEPTED, DUPLICATE, KNOWN, REASONS, REJECTED
from api.domain.log.authors import (
    NamedKey,
    require_after,
    require_author,
    require_clock,
    require_named,
    role_of,
)
from api.domain.log.bodies import plain_of, read_plain
from api.domain.log.entry import EntryKind, entry_hash
from api.domain.log.keys import KeyRole, LogKeys
from api.domain.log.logged import LoggedEntry, events_of
from api.domain.log.signers import LogSigners, signers_of
from api.domain.metering.billed import billed_hash
from api.domain.metering.bounds import require_pledged
from api.domain.metering.event_types import (
    AllocationEvent,
    AllocationOpenedEvent,
    CorrectionEvent,
    LeaseOpenedEvent,
    MeterEvent,
    OutageEvent,
    SeenEvent,
    TermsEvent,
    UsageEvent,
)
from api.domain.metering.events import parse_event
from api.domain.metering.facts import Agreed, Fact, Held, Place
from api.domain.metering.intervals import Span
from api.domain.metering.items import Item, read_item
from api.domain.metering.judge import Recorded
from api.domain.metering.names import ToldNames
from api.domain.metering.rejections import REJECTIONS
from api.domain.metering.taken import Identity
from api.domain.metering.tellers import require_may_tell
from api.domain.pledges import Pledge
from api.domain.roster import Roster
from api.domain.statements.told import Told
from api.domain.units import Bytes32
from api.errors import AppError, EventRejected, EvidenceInvalid

# So long after a replacement begins the service may not have heard of it.
_HEARD_S = DAY_S


class EntryJudge:
    """A log's entries one by one: what each had to hold, after those before."""

    def __init__(
        self,
        terms: FacilityTerms,
        recorded: Recorded,
        names: ToldNames,
        *,
        named: Sequence[NamedKey],
        replacements: Sequence[Pledge],
        ended_at_s: int | None,
    ) -> None:
        """Args: recorded: what the log has taken; entries that are judged add to it.
        names: what the service told of leases, by which it is recorded."""
        self._terms, self._recorded, self.named = terms, recorded, named
        self._names = names
        self._replacements = replacements
        self._closed_from_s = closing_cut_off_s(
            terms, ended_at_s=ended_at_s, grace_s=terms.grace_s, reopenings=()
        )
        self._keys = LogKeys(log_key=terms.log_key)
        self._billed: dict[Identity, Bytes32] = {}

    @property
    def signers(self) -> LogSigners:
        """Keys that sign receipts of the log, by the entries so far."""
        return signers_of(self._keys)

    def foresee(self, entries: Iterable[LoggedEntry]) -> None:
        """Learn which events later ones take back: of those no rule counts but the answer.

        Corrections that were rejected take nothing back: else whoever may send an event at all
        could have two leases billed for one device.
        """
        correcting = (each for each in entries if b"corrects" in _plain(each))
        taken_back = frozenset(_taken_back(e for each in correcting for e in _accepted(each)))
        self._recorded.forgiven |= taken_back

    def take(self, logged: LoggedEntry, *, closed: bool) -> list[Told]:
        """Judge the next entry, whose hashes and signature were checked.

        Args:    closed: whether the books are closed by then, and what it told counts no more.
        Returns: the facts that it told.
        Raises:  EvidenceInvalid.
        """
        entry = logged.entry
        try:
            role = self._author(logged)
        except AppError as error:
            raise EvidenceInvalid(f"{logged.where}: {error.message}", entry=entry.number) from error
        if entry.kind is not EntryKind.BATCH:
            if logged.answers != bytes([ACCEPTED]):
                raise EvidenceInvalid(f"{logged.where}: its answer is another")
            return []
        if closed:
            return []
        return list(self._unsigned(logged) if role is None else self._signed(logged, role))

    def _author(self, logged: LoggedEntry) -> KeyRole | None:
        entry, request = logged.entry, logged.request
        if request is None:
            if not self._terms.unsigned_taken:
                raise EvidenceInvalid("nobody signed it, and the facility's terms refuse that")
            return None
        author, said = require_author(self._keys, request, entry.kind, logged.body)
        require_after(author, request)
        require_clock(request, recorded_at_s=entry.recorded_at_s)
        role = role_of(author)
        if role is KeyRole.LEDGER:
            require_named(request.author, self.named, recorded_at_s=entry.recorded_at_s)
        self._keys.take(
            request.author,
            entry.kind,
            said,
            number=entry.number,
            hashed=entry_hash(entry),
            after=request.after,
        )
        return role

    # --- what nobody signed: accepted events alone ----------------------------------------------

    def _unsigned(self, logged: LoggedEntry) -> Iterator[Told]:
        events = _events(logged)
        if logged.answers != bytes([ACCEPTED]) * len(events):
            raise EvidenceInvalid(f"{logged.where}: its answers are not those of its events")
        for index, payload in enumerate(events):
            place = Place(logged.entry.number, index)
            try:
                event = parse_event(payload)
                name = event.envelope.source, event.envelope.id
                foreign = event.envelope.facility_id != self._terms.facility_id
                if foreign or name in self._recorded.known:
                    message = "an event is repeated or of another facility"
                    raise EvidenceInvalid(message, event=name)
                facts = self._accept(event, place)
            except EventRejected as error:
                # Refusals are public: the sentence of the rule, for the error's may name a lease.
                message = f"{logged.where} breaks a rule: {REJECTIONS[error.reason]}"
                raise EvidenceInvalid(message, reason=error.reason) from error
            self._billed[name] = billed_hash(event)
            yield from (Told(place, logged.entry.recorded_at_s, fact) for fact in facts)

    # --- what was signed: every event, with its answer ------------------------------------------

    def _signed(self, logged: LoggedEntry, role: KeyRole) -> Iterator[Told]:
        entry = logged.entry
        try:
            batch = read_plain(plain_of(logged.body))
        except AppError as error:
            raise EvidenceInvalid(f"{logged.where}: {error.message}") from error
        if len(logged.answers) != len(batch.events):
            raise EvidenceInvalid(f"{logged.where}: its answers are not those of its events")
        for index, payload in enumerate(batch.events):
            place, answer = Place(entry.number, index), logged.answers[index]
            read = read_item(index, payload, batch.broken.get(index))
            if not isinstance(read, Item):
                assert read.code is not None  # it was rejected
                _require(answer, place, due=REJECTED[read.code])
                continue
            heard = REASONS.get(answer) in _BY_CHAIN
            if heard and self._explained(answer, read.event, entry_s=entry.recorded_at_s):
                continue
            due, told = self._answer(read, role, place, answer)
            _require(answer, place, due=due)
            yield from told

    def _answer(self, item: Item, role: KeyRole, place: Place, said: int) -> tuple[int, list[Told]]:
        """What was to be answered, and the facts that were told."""
        recorded, event = self._recorded, item.event
        forgiven = recorded.forgiven
        if said != ACCEPTED:
            # By a mistake of everybody's code it may have been taken; here it was not.
            recorded.forgiven = frozenset()
        try:
            if event.envelope.facility_id != self._terms.facility_id:
                return REJECTED["facility_unknown"], []
            require_may_tell(role, event)
            known = self._billed.get(item.identity)
            if known is not None:
                return (DUPLICATE if item.repeats(known) else REJECTED["id_conflict"]), []
            facts = self._accept(event, place)
        except EventRejected as error:
            return REJECTED[error.reason], []
        finally:
            recorded.forgiven = forgiven
        if not facts:
            return KNOWN, []
        self._billed[item.identity] = item.billed
        return ACCEPTED, [Told(place, recorded.recorded_at_s, fact) for fact in facts]

    def _accept(self, event: MeterEvent, place: Place) -> list[Fact]:
        facts = self._recorded.accept(event, place)
        if isinstance(event, TermsEvent | LeaseOpenedEvent):
            for fact in facts:
                if isinstance(fact, Agreed) and fact.terms.version == 1:
                    self._names.require_told(event.lease_id, renter_ref=event.renter_ref)
        return facts

    # --- what the service had heard of the chain ------------------------------------------------

    def _explained(self, answer: int, event: MeterEvent, *, entry_s: int) -> bool:
        """Whether an answer was right by what the service may have heard of the chain then."""
        reason = REASONS[answer]
        if reason == "facility_closed":
            closed = self._closed_from_s is not None and entry_s >= self._closed_from_s
            return closed and not self._reopened(entry_s)
        about = self._device_of(event)
        return about is not None and any(
            _says(roster, reason, *about) for roster in self._rosters(entry_s)
        )

    def _reopened(self, entry_s: int) -> bool:
        """Whether an epoch was open again at a second, after a proven fault."""
        grace_s = self._terms.grace_s
        return any(r.at_s <= entry_s < r.until_s(grace_s) for r in self._recorded.reopenings)

    def _rosters(self, entry_s: int) -> Iterator[Roster]:
        """Devices as the service may have known them: with what began a day before at least."""
        heard = 0
        for count, pledge in enumerate(self._replacements, start=1):
            begins_s = self._terms.epoch_bounds(pledge.from_epoch)[0]
            if begins_s + _HEARD_S <= entry_s:
                heard = count
        for count in range(heard, len(self._replacements) + 1):
            yield Roster(self._terms, tuple(self._replacements[:count]))

    def _device_of(self, event: MeterEvent) -> tuple[Bytes32, Span] | None:
        told = event.replacement if isinstance(event, CorrectionEvent) else event
        if isinstance(told, UsageEvent | SeenEvent | OutageEvent):
            return told.device_hash, (told.start_s, told.end_s)
        if isinstance(told, AllocationOpenedEvent):
            return told.device_hash, (told.start_s, told.until_s)
        if isinstance(told, AllocationEvent):
            known = self._recorded.known.get((told.source, told.id))
            # News that shorten an allocation, or leave it, ask about no pledge.
            if known is not None and isinstance(known.fact, Held):
                span = known.fact.end_s, told.until_s
                return (known.fact.device, span) if span[0] < span[1] else None
        return None


_BY_CHAIN = frozenset({"device_unknown", "outside_pledge", "facility_closed"})


def _says(roster: Roster, reason: str, device: Bytes32, span: Span) -> bool:
    """Whether a roster gives a device of an event that reason to be rejected."""
    if reason == "device_unknown":
        return not roster.knows(device)
    try:
        require_pledged(roster, device, span)
    except EventRejected:
        return True
    return False


def _require(said: int, place: Place, *, due: int) -> None:
    if due != said:
        message = (
            f"event {place.index} of entry {place.entry} of the log: the answer was {_word(said)},"
            f" where {_word(due)} was due"
        )
        raise EvidenceInvalid(message, entry=place.entry, index=place.index)


def _word(answer: int) -> str:
    words: Mapping[int, str] = {ACCEPTED: "accepted", DUPLICATE: "duplicate", KNOWN: "known"}
    return words.get(answer) or REASONS.get(answer, f"{answer}, which is none")


def _plain(logged: LoggedEntry) -> bytes:
    if logged.request is None:
        return logged.body
    try:
        return plain_of(logged.body)
    except AppError as error:
        raise EvidenceInvalid(f"{logged.where}: {error.message}") from error


def _events(logged: LoggedEntry) -> Sequence[object]:
    if logged.entry.kind is not EntryKind.BATCH:
        return ()
    try:
        return events_of(logged.body, logged.entry.author)
    except ValueError as error:
        raise EvidenceInvalid(f"{logged.where}: {error}") from error


def _accepted(logged: LoggedEntry) -> Iterator[object]:
    """Events of an entry that were accepted, by its answers; `take` judges those."""
    for event, answer in zip(_events(logged), logged.answers, strict=False):
        if answer == ACCEPTED:
            yield event


def _taken_back(events: Iterable[object]) -> Iterator[Identity]:
    """Identities of events that later ones take back."""
    for payload in events:
        data = payload.get("data") if isinstance(payload, dict) else None
        named = data.get("corrects") if isinstance(data, dict) else None
        if isinstance(named, dict):
            source, event_id = named.get("source"), named.get("id")
            if isinstance(source, str) and isinstance(event_id, str):
                yield source, event_id
