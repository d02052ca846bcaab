"""The operator's overview: its facilities, and what has to be done, from ledger and chain."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, select

from api.chain.contracts import Contracts
from api.db import chain_store, rejections
from api.db.reopenings import reopenings_of
from api.db.session import reading
from api.db.standing import Progress, progress_of
from api.db.tables.ledger import operators
from api.domain.lifecycle import FacilityState, Reopening
from api.domain.units import Bytes32, FacilityId
from api.errors import NotFound
from api.ledger.judge import terms_from_bytes
from api.reads.console.chain import OnChain, PinnedChain
from api.reads.console.epochs import voided_epoch
from api.reads.console.rent import RentBook, rent_book
from api.reads.console.tasks import DAY_S, Facts, Task, tasks_of
from api.reads.sql import console as store

# How long a rejection or conflict counts as news.
REJECTED_NEWS_S, CONFLICT_NEWS_S = DAY_S, 7 * DAY_S


class BondUnknown(NotFound):
    """The facility has no bond: its terms were never set on-chain."""

    code = "bond_unknown"


@dataclass(frozen=True, slots=True)
class FacilityView:
    """One facility of the overview."""

    row: Any
    chain: OnChain
    epochs_posted: int
    rent: RentBook


@dataclass(frozen=True, slots=True)
class Console:
    """Operator, tasks and facilities."""

    operator: Any
    tasks: list[Task]
    facilities: list[FacilityView]


@dataclass(frozen=True, slots=True)
class _Ledger:
    """What the database alone says of a facility."""

    row: Any
    bonded: bool
    progress: Progress
    voided: int | None
    reopenings: tuple[Reopening, ...]
    last_event_end_s: int | None
    gaps: tuple[tuple[Bytes32, int], ...]
    conflicts: int
    pledged_twice: tuple[Bytes32, ...]


def pinned(engine: Engine, contracts: Contracts | None) -> PinnedChain | None:
    """Chain reads at the newest indexed block; None without a deployment or an index."""
    with reading(engine) as connection:
        block = chain_store.last_block(connection)
    if contracts is None or block is None:
        return None
    return PinnedChain(contracts, block.number)


def overview(
    engine: Engine,
    contracts: Contracts | None,
    operator_id: int,
    now_s: int,
) -> Console:
    """What the console's first page shows. Raises ChainUnavailable."""
    chain = pinned(engine, contracts)
    window_s = chain.challenge_window_s() if chain else 0
    with reading(engine) as connection:
        operator = connection.execute(
            select(operators).where(operators.c.operator_id == operator_id)
        ).one()
        rows = store.facilities_of_operator(connection, operator_id)
        ledgers = [_ledger(connection, row, now_s) for row in rows]
        rents = [
            rent_book(connection, row.facility_id, window_s=window_s, now_s=now_s) for row in rows
        ]
        rejected = rejections.rejected_since(connection, operator_id, now_s - REJECTED_NEWS_S)
    # Chain calls only once the read transaction is over.
    on_chain = [_on_chain(chain, ledger) for ledger in ledgers]
    if ledgers:
        # Events without a readable facility are shown with the first, as they are in every list.
        first = ledgers[0].row.facility_id
        rejected[first] = rejected.get(first, 0) + rejected.pop(None, 0)
    owed = _withdrawable(chain, operator.address, rows)
    facts = [
        _facts(ledger, there, rent, rejected, owed)
        for ledger, there, rent in zip(ledgers, on_chain, rents, strict=True)
    ]
    views = [
        FacilityView(ledger.row, there, ledger.progress.posted, rent)
        for ledger, there, rent in zip(ledgers, on_chain, rents, strict=True)
    ]
    return Console(operator, tasks_of(facts, now_s), views)


def is_bonded(connection: Connection, facility_id: int) -> bool:
    """Whether bond terms were set on-chain."""
    return bool(chain_store.events_named(connection, "BondTermsSet", facility_id=facility_id))


def _ledger(connection: Connection, row: Any, now_s: int) -> _Ledger:
    facility_id = row.facility_id
    progress = progress_of(connection, facility_id)
    # Gaps of closed epochs cannot be filled without a late line: they are no task.
    open_from_s = row.window_start_s + row.epochs_closed * row.epoch_length_s
    metering = store.metering_by_device(connection, facility_id, from_s=open_from_s)
    ends = [m.last_end_s for m in metering.values() if m.last_end_s is not None]
    gaps = [
        (m.first_gap_start_s, d) for d, m in metering.items() if m.first_gap_start_s is not None
    ]
    conflicts = store.conflicts_by_device(connection, facility_id, since_s=now_s - CONFLICT_NEWS_S)
    return _Ledger(
        row,
        is_bonded(connection, facility_id),
        progress,
        voided_epoch(connection, facility_id, progress),
        reopenings_of(connection, facility_id),
        max(ends, default=None) or store.last_record_end_s(connection, facility_id),
        tuple((Bytes32(device), start_s) for start_s, device in sorted(gaps)),
        sum(conflicts.values()),
        tuple(store.pledged_elsewhere(connection, facility_id)),
    )


def _on_chain(chain: PinnedChain | None, ledger: _Ledger) -> OnChain:
    if chain is None:
        return OnChain()
    tranches = len(terms_from_bytes(ledger.row.terms_json).tranches)
    return chain.facility(
        FacilityId(ledger.row.facility_id), tranches=tranches, bonded=ledger.bonded
    )


def _withdrawable(chain: PinnedChain | None, account: str, rows: list[Any]) -> dict[int, int]:
    """What the operator may withdraw, once a token: with the first facility that uses it."""
    if chain is None:
        return {}
    first: dict[str, int] = {}
    for row in rows:
        first.setdefault(row.settlement_token, row.facility_id)
    owed = chain.owed(account, first)
    return {first[token]: amount for token, amount in owed.items()}


def _facts(
    ledger: _Ledger,
    there: OnChain,
    rent: RentBook,
    rejected: dict[int | None, int],
    owed: dict[int, int],
) -> Facts:
    row = ledger.row
    delivering = there.state is FacilityState.DELIVERING
    return Facts(
        row.facility_id,
        there.state,
        row.window_start_s,
        row.window_end_s,
        row.epoch_length_s,
        row.grace_s,
        ledger.progress.posted,
        has_sale=there.has_sale,
        units_issued=there.units_issued,
        bond=there.bond,
        last_event_end_s=ledger.last_event_end_s,
        gaps=ledger.gaps if delivering else (),
        rejected=rejected.get(row.facility_id, 0),
        conflicts=ledger.conflicts,
        voided_epoch=ledger.voided,
        reopenings=ledger.reopenings,
        rent_due_micros=rent.due_micros,
        rent_due_since_s=rent.due_since_s,
        releasable_micros=there.releasable_micros,
        withdrawable_micros=owed.get(row.facility_id, 0),
        pledged_twice=ledger.pledged_twice,
    )
