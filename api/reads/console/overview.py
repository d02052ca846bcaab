"""The operator's overview: its facilities, and what has to be done, from ledger and chain."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from api.chain.contracts import Contracts
from api.db import chain_store, rejections
from api.db.reopenings import reopenings_of
from api.db.session import Connection, Engine, reading
from api.db.standing import Progress, progress_of
from api.db.tables.facilities import FacilityRow
from api.domain.facility import FacilityTerms
from api.domain.lifecycle import FacilityState, Reopening
from api.domain.statements.evidence_reader import terms_from_bytes
from api.domain.units import Bytes32, Epoch, FacilityId, OperatorId
from api.errors import NotFound
from api.ledger.rosters import pledged_in_part
from api.reads.console.chain import OnChainView, PinnedChain
from api.reads.console.epochs import voided_epoch
from api.reads.console.rent import RentView, read_rent
from api.reads.console.tasks import DAY_S, FacilityFacts, TaskView, tasks_of
from api.reads.facilities import read_facilities
from api.reads.panels import PanelView, PledgeView
from api.reads.pledged_before import devices_pledged_before
from api.reads.sql import metering
from api.reads.sql.facilities import (
    OperatorRow,
    facilities_of_operator,
    operator_row,
)
from api.reads.sql.market import event_seen
from api.reads.sql.panels import pledge_signers

# How long a rejection or conflict counts as news.
REJECTED_NEWS_S, CONFLICT_NEWS_S = DAY_S, 7 * DAY_S


class BondUnknown(NotFound):
    """The facility has no bond: its terms were never set on-chain."""

    code = "bond_unknown"


@dataclass(frozen=True, slots=True)
class AttestedView:
    """Who attests a facility, and how far its pledge is approved.

    signers: attesters that signed the pledge while it waits for approval; None while it does not.
    """

    panel: PanelView | None
    pledge: PledgeView
    signers: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class ConsoleFacilityView:
    """One facility of the overview."""

    facility: FacilityRow
    chain: OnChainView
    epochs_posted: int  # without the closing statement
    rent: RentView
    attested: AttestedView


@dataclass(frozen=True, slots=True)
class ConsoleView:
    """Operator, tasks and facilities."""

    operator: OperatorRow
    tasks: list[TaskView]
    facilities: list[ConsoleFacilityView]


@dataclass(frozen=True, slots=True)
class _Stored:
    """What the database alone says of a facility."""

    facility: FacilityRow
    rent: RentView
    bonded: bool
    progress: Progress
    epochs_posted: int
    voided: Epoch | None
    reopenings: tuple[Reopening, ...]
    last_event_end_s: int | None
    gaps: tuple[tuple[Bytes32, int], ...]
    conflicts: int
    pledged_twice: tuple[Bytes32, ...]
    attested: AttestedView


def pinned(engine: Engine, contracts: Contracts | None) -> PinnedChain | None:
    """Chain reads at the newest indexed block; None without a deployment or an index."""
    with reading(engine) as connection:
        block = chain_store.last_block(connection)
    if contracts is None or block is None:
        return None
    return PinnedChain(contracts, block.number)


def overview(
    engine: Engine, contracts: Contracts | None, *, operator_id: OperatorId, now_s: int
) -> ConsoleView:
    """What the console's first page shows. Raises ChainUnavailable."""
    chain = pinned(engine, contracts)
    window_s = chain.challenge_window_s() if chain else 0
    with reading(engine) as connection:
        operator = operator_row(connection, operator_id)
        stored = [
            _stored(connection, facility, window_s=window_s, now_s=now_s)
            for facility in facilities_of_operator(connection, operator_id)
        ]
        rejected = rejections.rejected_since(connection, operator_id, now_s - REJECTED_NEWS_S)
    # No transaction stays open across calls of the chain.
    chain_views = [_on_chain(chain, entry) for entry in stored]
    if stored:
        # Events without a readable facility are shown with the first, as they are in every list.
        first = stored[0].facility.facility_id
        rejected[first] = rejected.get(first, 0) + rejected.pop(None, 0)
    owed = _withdrawable(chain, operator.address, [entry.facility for entry in stored])
    facts = [
        _facts(entry, chain_view, rejected=rejected, owed=owed)
        for entry, chain_view in zip(stored, chain_views, strict=True)
    ]
    views = [
        ConsoleFacilityView(
            entry.facility, chain_view, entry.epochs_posted, entry.rent, entry.attested
        )
        for entry, chain_view in zip(stored, chain_views, strict=True)
    ]
    return ConsoleView(operator, tasks_of(facts, now_s), views)


def is_bonded(connection: Connection, facility_id: FacilityId) -> bool:
    """Whether bond terms were set on-chain."""
    return event_seen(connection, facility_id, names=["BondTermsSet"])


def _stored(connection: Connection, facility: FacilityRow, *, window_s: int, now_s: int) -> _Stored:
    facility_id = facility.facility_id
    progress = progress_of(connection, facility_id)
    # Gaps of closed epochs cannot be filled without a late line: they are no task.
    open_from_s = facility.window_start_s + facility.epochs_closed * facility.epoch_length_s
    terms = terms_from_bytes(facility.terms_json)
    in_part = pledged_in_part(connection, terms, facility.terms_json)
    by_device = metering.metering_by_device(
        connection, facility, from_s=open_from_s, now_s=now_s, in_part=in_part
    )
    ends = [m.last_end_s for m in by_device.values() if m.last_end_s is not None]
    gaps = [
        (m.first_gap_start_s, device)
        for device, m in by_device.items()
        if m.first_gap_start_s is not None
    ]
    if not ends:
        ended_s = metering.last_record_end_s(connection, facility_id, came=in_part)
        ends = [] if ended_s is None else [ended_s]
    conflicts = metering.conflicts_by_device(
        connection, facility_id, since_s=now_s - CONFLICT_NEWS_S
    )
    return _Stored(
        facility,
        read_rent(connection, facility_id, window_s=window_s, now_s=now_s),
        is_bonded(connection, facility_id),
        progress,
        _epochs_posted(connection, facility_id, terms, progress),
        voided_epoch(connection, facility_id, progress),
        reopenings_of(connection, facility_id),
        max(ends, default=None),
        tuple((device, start_s) for start_s, device in sorted(gaps)),
        sum(conflicts.values()),
        tuple(devices_pledged_before(connection, facility)),
        _attested(connection, facility_id),
    )


def _epochs_posted(
    connection: Connection, facility_id: FacilityId, terms: FacilityTerms, progress: Progress
) -> int:
    """Epochs whose statement stands: the closing one is of no epoch."""
    ended_at_s = chain_store.ended_at(connection, [facility_id]).get(facility_id)
    epochs = terms.epoch_count if ended_at_s is None else terms.epochs_over(ended_at_s)
    return sum(epoch < epochs for epoch in progress.standing)


def _attested(connection: Connection, facility_id: FacilityId) -> AttestedView:
    (view,) = read_facilities(connection, [facility_id])
    waits = view.state is FacilityState.OFFERED and view.pledge.number is None
    signers = tuple(pledge_signers(connection, facility_id)) if waits else None
    return AttestedView(view.panel, view.pledge, signers)


def _on_chain(chain: PinnedChain | None, stored: _Stored) -> OnChainView:
    if chain is None:
        return OnChainView()
    tranches = len(terms_from_bytes(stored.facility.terms_json).tranches)
    return chain.facility(stored.facility.facility_id, tranches=tranches, bonded=stored.bonded)


def _withdrawable(
    chain: PinnedChain | None, account: str, facilities: Sequence[FacilityRow]
) -> dict[FacilityId, int]:
    """What the operator may withdraw, once a token: with the first facility that uses it."""
    if chain is None:
        return {}
    # The contracts owe by token and account, not by facility: shown once, or sums count it twice.
    first: dict[str, FacilityId] = {}
    for facility in facilities:
        first.setdefault(facility.settlement_token, facility.facility_id)
    owed = chain.owed(account, first)
    return {first[token]: amount for token, amount in owed.items()}


def _facts(
    stored: _Stored,
    on_chain: OnChainView,
    *,
    rejected: Mapping[FacilityId | None, int],
    owed: Mapping[FacilityId, int],
) -> FacilityFacts:
    facility = stored.facility
    terms = terms_from_bytes(facility.terms_json)
    delivering = on_chain.state is FacilityState.DELIVERING
    return FacilityFacts(
        facility.facility_id,
        on_chain.state,
        facility.window_start_s,
        facility.window_end_s,
        facility.epoch_length_s,
        facility.grace_s,
        terms.seal_s,
        stored.progress.posted,
        has_sale=on_chain.has_sale,
        units_issued=on_chain.units_issued,
        bond=on_chain.bond,
        patience_s=terms.patience_s,
        open_epoch=on_chain.open_epoch,
        last_event_end_s=stored.last_event_end_s,
        gaps=stored.gaps if delivering else (),
        rejected=rejected.get(facility.facility_id, 0),
        conflicts=stored.conflicts,
        voided_epoch=stored.voided,
        reopenings=stored.reopenings,
        rent_due_micros=stored.rent.due_micros,
        rent_due_since_s=stored.rent.due_since_s,
        releasable_micros=on_chain.releasable_micros,
        withdrawable_micros=owed.get(facility.facility_id, 0),
        pledged_twice=stored.pledged_twice,
        pledge_approved=stored.attested.signers is None,
    )
