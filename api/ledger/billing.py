"""What can be billed of a facility: what its statements stated by lease and month, and why."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import Lock

from sqlalchemy import Connection

from api.db import bills as store
from api.db.bills import CutRow, OperatorName, StatedSum
from api.db.chain_store import is_closed, last_block
from api.db.leases import lease_rows
from api.db.standing import progress_of
from api.db.tables.bills import BillRow
from api.db.tables.facilities import FacilityRow
from api.db.tables.leases import LeaseRow
from api.domain.bills.account import Account, Cut
from api.domain.bills.documents import (
    Content,
    NamedStatement,
    Parties,
    StatedLine,
    Token,
    is_month_stated,
    open_credit,
)
from api.domain.facility import FacilityTerms, Period
from api.domain.lifecycle import StatementState, statement_state
from api.domain.metering.calendar import Calendar, month_of
from api.domain.metering.facts import Adjusted
from api.domain.statements.evidence_reader import terms_from_bytes
from api.domain.statements.obligation import fixed_subject
from api.domain.units import Bytes32, Epoch, FacilityId
from api.ledger.rosters import roster_of

# So many lines are in memory at once, or those of one lease where it has more.
_LINES_AT_ONCE = 200_000
_FINAL = frozenset({StatementState.FINAL, StatementState.SETTLED})


@dataclass(frozen=True, slots=True)
class ChainTerms:
    """What bills need of the chain: when statements are final, and how the token is written."""

    challenge_window_s: int
    symbol: str | None
    decimals: int | None
    lockbox: str | None


@dataclass(frozen=True, slots=True)
class LeaseMonth:
    """A lease and a month of it."""

    lease: Bytes32
    month: int


@dataclass(frozen=True)
class Billing:
    """A facility as its bills see it.

    standing, final: how many statements stand on-chain, and are final, counted from the first.
    ended: no statement follows those that stand, whatever they have not stated.
    sums: of every statement of the books, by lease and month.  documents: by number.
    """

    facility: FacilityRow
    terms: FacilityTerms
    calendar: Calendar
    operator: OperatorName
    leases: Mapping[Bytes32, LeaseRow]
    cuts: Sequence[CutRow]
    standing: int
    final: int
    ended: bool
    sums: Sequence[StatedSum]
    documents: Sequence[BillRow]

    @cached_property
    def by_month(self) -> Mapping[LeaseMonth, Sequence[BillRow]]:
        """Documents by lease and month: the first one, and its notes."""
        found: dict[LeaseMonth, list[BillRow]] = {}
        for row in self.documents:
            found.setdefault(LeaseMonth(row.lease, row.month), []).append(row)
        return found

    def of_month(self, key: LeaseMonth) -> Sequence[BillRow]:
        """Documents of a lease and month; none before the first is issued."""
        return self.by_month.get(key, ())

    def stated(self, *, statements: int) -> dict[LeaseMonth, list[StatedSum]]:
        """What the first so many statements say, by lease and month."""
        numbers = {cut.epoch for cut in self.cuts[:statements]}
        found: dict[LeaseMonth, list[StatedSum]] = {}
        for each in self.sums:
            if each.epoch in numbers:
                found.setdefault(LeaseMonth(each.lease, each.month), []).append(each)
        return found

    def is_stated(self, month: int, *, statements: int) -> bool:
        """Whether the first so many statements have stated a month whole."""
        if not statements:
            return False
        last = cut_of(self.cuts[statements - 1])
        over = self.ended and statements == self.standing
        return over or is_month_stated(self.calendar, month, last=last)


def cut_of(row: CutRow) -> Cut:
    """Domain value of a stored statement's cut."""
    period = Period(row.epoch, row.epoch_start_s, row.epoch_end_s, closing=row.closing)
    return Cut(period, row.log_size)


class SumsCache:
    """Sums by statement, kept in memory: what a statement says never changes. Threads share it.

    Consoles ask every few seconds, and a facility can have millions of lines.
    """

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._kept: dict[tuple[FacilityId, Bytes32], tuple[StatedSum, ...]] = {}
        self._lock = Lock()

    def of(
        self, connection: Connection, terms: FacilityTerms, cuts: Sequence[CutRow]
    ) -> list[StatedSum]:
        """Sums of all statements of a facility, in their order."""
        facility_id = terms.facility_id
        with self._lock:
            kept = {c.epoch: self._kept.get((facility_id, c.statement_hash)) for c in cuts}
        missing = [epoch for epoch, sums in kept.items() if sums is None]
        if missing:
            # Behind the window an adjustment can be stated, and nothing else.
            months = range(month_of(terms.window_start_s), month_of(terms.window_end_s) + 1)
            read: dict[Epoch, list[StatedSum]] = {}
            first = next(cut for cut in cuts if cut.epoch in missing)
            for each in store.stated_sums(connection, facility_id, months, first=first):
                read.setdefault(each.epoch, []).append(each)
            for cut in cuts:
                if kept[cut.epoch] is None:
                    kept[cut.epoch] = tuple(read.get(cut.epoch, ()))
            self._keep({(facility_id, c.statement_hash): kept[c.epoch] or () for c in cuts})
        return [each for cut in cuts for each in kept[cut.epoch] or ()]

    def _keep(self, sums: Mapping[tuple[FacilityId, Bytes32], tuple[StatedSum, ...]]) -> None:
        with self._lock:
            if len(self._kept) + len(sums) > self._most:
                self._kept.clear()
            self._kept.update(sums)


_SUMS = SumsCache(most=20_000)


def read_billing(connection: Connection, facility: FacilityRow, *, window_s: int) -> Billing:
    """What can be billed of a facility, and what was. `window_s`: the challenge window."""
    facility_id = facility.facility_id
    terms = terms_from_bytes(facility.terms_json)
    cuts = store.cut_rows(connection, facility_id)
    standing, final = _progress(connection, facility_id, cuts, window_s)
    return Billing(
        facility=facility,
        terms=terms,
        calendar=Calendar(terms),
        operator=store.operator_name(connection, facility.operator_id),
        leases={row.lease: row for row in lease_rows(connection, facility_id)},
        cuts=cuts,
        standing=standing,
        final=final,
        ended=is_closed(connection, facility_id),
        sums=_SUMS.of(connection, terms, cuts),
        documents=store.bill_rows(connection, facility_id),
    )


def _progress(
    connection: Connection, facility_id: FacilityId, cuts: Sequence[CutRow], window_s: int
) -> tuple[int, int]:
    """How many statements stand exactly as the books have them, and how many of them are final."""
    progress, block = progress_of(connection, facility_id), last_block(connection)
    # Finality is the contract's: judged by the chain's time.
    now_s = 0 if block is None else block.time_s
    standing = final = 0
    for cut in cuts:
        facts = progress.facts_of(cut.epoch, cut.statement_hash, signed=True)
        if facts.posted_at_s is None:
            break
        state = statement_state(facts, challenge_window_s=window_s, chain_now_s=now_s)
        final += state in _FINAL and final == standing
        standing += 1
    return standing, final


# --- what a document says ----------------------------------------------------------------------


def contents(
    connection: Connection,
    billing: Billing,
    month: int,
    after: Mapping[Bytes32, Epoch | None],
    *,
    statements: int,
    chain: ChainTerms,
) -> Iterator[tuple[LeaseMonth, Content]]:
    """What documents of some leases and one month say, as known by the first so many statements.

    Args:    after: by lease, the last statement that its document before takes; None for a first
             one.  statements: at least one.
    """
    writer = _Writer(connection, billing, month, billing.cuts[:statements], chain)
    for leases in _few_lines(billing, month, [*after]):
        for lease, stated in writer.lines(leases).items():
            before = after[lease]
            own = [line for line in stated if before is None or line.epoch > before]
            yield LeaseMonth(lease, month), writer.content(lease, stated=stated, own=own)


def _few_lines(billing: Billing, month: int, leases: Sequence[Bytes32]) -> Iterator[list[Bytes32]]:
    counts: dict[Bytes32, int] = {}
    for each in billing.sums:
        if each.month == month:
            counts[each.lease] = counts.get(each.lease, 0) + each.lines
    some: list[Bytes32] = []
    for lease in leases:
        if some and sum(counts.get(x, 0) for x in (*some, lease)) > _LINES_AT_ONCE:
            yield some
            some = []
        some.append(lease)
    if some:
        yield some


class _Writer:
    """Writes what documents of one month say."""

    def __init__(
        self,
        connection: Connection,
        billing: Billing,
        month: int,
        cuts: Sequence[CutRow],
        chain: ChainTerms,
    ) -> None:
        self._connection, self._billing, self._chain = connection, billing, chain
        self._month, self._cuts = month, cuts
        self._facility = billing.facility
        told = [
            *store.told_of_month(
                connection,
                self._facility.facility_id,
                month,
                up_to=cuts[-1].log_size,
                longest_s=self._facility.longest_s,
            )
        ]
        self._account = Account(
            billing.terms,
            month,
            told=told,
            cuts=[cut_of(cut) for cut in cuts],
            roster=roster_of(connection, billing.terms, self._facility.terms_json),
        )
        self._adjusted = {t.fact.subject: t for t in told if isinstance(t.fact, Adjusted)}

    def lines(self, leases: Sequence[Bytes32]) -> dict[Bytes32, list[StatedLine]]:
        """All lines of the month, by lease."""
        segments = self._billing.calendar.of_month(self._month)
        # No statement before the month's own says anything of it.
        last = self._cuts[-1]
        first = segments[0].epoch if segments else last.epoch
        return store.lines_of_month(
            self._connection,
            self._facility.facility_id,
            self._month,
            leases,
            first=first,
            through=last.epoch,
            begins_s=(self._billing.calendar.epoch_start_s(first), last.epoch_start_s),
        )

    def content(
        self, lease: Bytes32, *, stated: Sequence[StatedLine], own: Sequence[StatedLine]
    ) -> Content:
        """What a document of `own` lines says, of all that were stated of the month."""
        account, chain = self._account, self._chain
        calendar, month = self._billing.calendar, self._month
        credit = open_credit(stated, account.owed(lease))
        numbers = {line.epoch for line in own}
        start_s, end_s = calendar.month_bounds(month, over_s=self._billing.terms.window_end_s)
        return Content(
            parties=self._parties(lease),
            token=Token(self._facility.settlement_token, chain.symbol, chain.decimals),
            lockbox=chain.lockbox,
            month=month,
            start_s=start_s,
            end_s=max(start_s, end_s),
            through=self._cuts[-1].epoch,
            statements=[
                NamedStatement(c.epoch, c.closing, c.epoch_start_s, c.epoch_end_s, c.statement_hash)
                for c in self._cuts
                if c.epoch in numbers
            ],
            lines=own,
            about=self._about(lease, own),
            movers=account.movers(lease),
            open_credit=credit,
            explained=None if credit is None else account.explained(lease),
            changes_until_s=calendar.sealed_from_s(month),
        )

    def _parties(self, lease: Bytes32) -> Parties:
        facility, operator = self._facility, self._billing.operator
        names = self._billing.leases[lease]
        return Parties(
            operator_name=operator.name,
            operator_address=operator.address,
            facility_id=facility.facility_id,
            facility_name=facility.name,
            gpu_class=facility.gpu_class,
            site=facility.site,
            lease_id=names.lease_id,
            lease=lease,
            renter_ref=names.renter_ref,
        )

    def _about(self, lease: Bytes32, lines: Sequence[StatedLine]) -> dict[Bytes32, str]:
        """Names of fixed items and reasons of adjustments, by the subjects of lines."""
        versions = self._account.lease(lease).versions
        items = {fixed_subject(item): item.name for terms in versions for item in terms.fixed}
        found: dict[Bytes32, str] = {}
        for subject in {line.subject for line in lines}:
            told = self._adjusted.get(subject)
            if told is not None:
                facility_id = self._facility.facility_id
                found[subject] = store.adjustment_reason(self._connection, facility_id, told)
            elif subject in items:
                found[subject] = items[subject]
        return found
