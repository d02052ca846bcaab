"""One tranche in full: terms, siblings, bond and risk, from events and storage at one block."""

from dataclasses import dataclass

from api.chain.contracts import Contracts
from api.chain.contracts.bond_vault import BondTerms
from api.chain.contracts.call import Call
from api.db.chain_store import ended_at
from api.db.facts import leases_of
from api.db.session import Connection, Engine, reading
from api.db.standing import PostingRow, attested_micros, standing_posts
from api.domain.capital.risk import BookValue, receivable_since, remaining_contracted, straight_line
from api.domain.facility import closing_number
from api.domain.statements.evidence import hex32
from api.domain.statements.statement import Statement
from api.domain.units import Epoch, FacilityId, Micros, TrancheId
from api.reads.ending import EndingView, read_endings
from api.reads.listing import TrancheView
from api.reads.market import AsOfView, TrancheInFacility, find_tranche
from api.reads.sql import cashflow, market
from api.reads.sql.facilities import DisclosureRow, newest_disclosure


@dataclass(frozen=True, slots=True)
class TermsView:
    """Terms of the facility, and how far its epochs came."""

    promised_availability_ppm: int
    fee_bps: int
    attester_fee_bps: int
    patience_s: int
    seal_s: int
    long_stop_s: int
    silence: str
    pledge_root: str
    terms_hash: str
    epoch_count: int
    epochs_closed: int
    epochs_posted: int
    settlement_token: str


@dataclass(frozen=True, slots=True)
class SiblingView:
    """A tranche of the same facility, itself included; None is unknown."""

    token_id: str
    seniority: int
    unit_cap: int
    units_issued: int | None
    coupon_micros_per_unit: int
    arrears_micros: int | None
    accrued_micros: int | None


@dataclass(frozen=True, slots=True)
class BondView:
    """Bond of a facility as stored on-chain."""

    bond_micros: int
    required_bond_micros: int
    rate_micros_per_gpu_hour: int


@dataclass(frozen=True, slots=True)
class HardwareView:
    """The operator's newest disclosure, and book values by straight-line depreciation."""

    device_count: int
    cost_micros_per_device: int
    in_service_s: int
    disclosed_at_s: int
    straight_line: tuple[BookValue, ...]


@dataclass(frozen=True, slots=True)
class RiskView:
    """What an investor weighs; None is unknown."""

    take_or_pay_bps: int | None
    top_renter_bps: int | None
    availability_ppm: int | None
    promised_availability_ppm: int
    bond_micros: int | None
    required_bond_micros: int | None
    receivable_micros: int | None
    receivable_age_s: int | None
    remaining_contracted_micros: int | None
    hardware: HardwareView | None


@dataclass(frozen=True, slots=True)
class TrancheDetailView:
    """A tranche with everything around it."""

    row: TrancheView
    as_of: AsOfView | None
    terms: TermsView
    siblings: tuple[SiblingView, ...]
    bond: BondView | None
    ending: EndingView | None
    risk: RiskView


@dataclass(frozen=True, slots=True)
class _Books:
    """What ledger and events say of one facility."""

    statements: dict[Epoch, Statement]
    posts: list[PostingRow]
    epochs_posted: int
    sums: cashflow.MoneySumsRow
    accrued: dict[TrancheId, market.AccruedRow]
    contracted: int | None
    hardware: HardwareView | None
    has_bond: bool
    ending: EndingView | None


def _books(
    connection: Connection, listing: TrancheInFacility, *, known: bool, now_s: int
) -> _Books:
    facility = listing.facility
    facility_id = facility.facility_id
    disclosure = newest_disclosure(connection, facility_id)
    bond_events = ("BondTermsSet", "BondDeposited")
    posts = standing_posts(connection, facility_id) if known else {}
    closing = closing_number(
        ended_at(connection, [facility_id]).get(facility_id),
        window_start_s=facility.window_start_s,
        epoch_length_s=facility.epoch_length_s,
        epoch_count=facility.epoch_count,
    )
    return _Books(
        statements=market.posted_statements(connection, facility_id) if known else {},
        posts=list(posts.values()),
        epochs_posted=sum(epoch < closing for epoch in posts),
        sums=cashflow.money_sums(connection, facility_id),
        accrued=market.accruals(connection, [facility_id]),
        contracted=remaining_contracted(
            leases_of(connection, facility_id).values(),
            # Only rent that is still to be earned, and only inside the window.
            start_s=max(now_s, facility.window_start_s),
            end_s=facility.window_end_s,
        ),
        hardware=None
        if disclosure is None
        else _hardware(disclosure, facility.device_count, now_s=now_s),
        has_bond=known and market.event_seen(connection, facility_id, names=bond_events),
        ending=read_endings(connection, [facility_id]).get(facility_id) if known else None,
    )


def _hardware(disclosure: DisclosureRow, device_count: int, *, now_s: int) -> HardwareView:
    cost, in_service_s = disclosure.cost_micros_per_device, disclosure.in_service_s
    values = straight_line(
        cost_micros_per_device=cost,
        device_count=device_count,
        in_service_s=in_service_s,
        now_s=now_s,
    )
    return HardwareView(device_count, cost, in_service_s, disclosure.disclosed_at_s, values)


def read_tranche(
    engine: Engine, contracts: Contracts | None, token_id: int, *, now_s: int
) -> TrancheDetailView:
    """A tranche as of the newest indexed block; hardware and contracted rent as of `now_s`.

    Raises:  NotFound, ChainUnavailable.
    """
    with reading(engine) as connection:
        listing = find_tranche(connection, token_id)
        known = contracts is not None and listing.tranche.on_chain
        books = _books(connection, listing, known=known, now_s=now_s)
    arrears: list[Micros] | list[None] = [None] * len(listing.siblings)
    bond = None
    if contracts is not None and listing.as_of is not None and known:
        calls = [
            contracts.rent_lockbox.arrears_micros(TrancheId(int(t.token_id)))
            for t in listing.siblings
        ]
        # The vault answers zero also where no bond was agreed: only events tell the two apart.
        bonded = [listing.facility.facility_id] if books.has_bond else []
        arrears, bonds = contracts.together(
            contracts.all_of(calls),
            contracts.all_of([_stored_bond(contracts, facility_id) for facility_id in bonded]),
        ).at(block=listing.as_of.block)
        bond = next((_bond(*stored) for stored in bonds), None)
    return TrancheDetailView(
        row=listing.tranche,
        as_of=listing.as_of,
        terms=_terms(listing, epochs_posted=books.epochs_posted),
        siblings=tuple(
            _sibling(tranche, arrears_micros, books if known else None)
            for tranche, arrears_micros in zip(listing.siblings, arrears, strict=True)
        ),
        bond=bond,
        ending=books.ending,
        risk=_risk(listing, books, bond, as_of=listing.as_of if known else None),
    )


def _sibling(tranche: TrancheView, arrears_micros: int | None, books: _Books | None) -> SiblingView:
    accrued = None
    if books is not None:
        accrued_row = books.accrued.get(TrancheId(int(tranche.token_id)))
        accrued = 0 if accrued_row is None else accrued_row.accrued_micros
    return SiblingView(
        tranche.token_id,
        tranche.seniority,
        tranche.unit_cap,
        tranche.units_issued,
        tranche.coupon_micros_per_unit,
        arrears_micros,
        accrued,
    )


def _stored_bond(contracts: Contracts, facility_id: FacilityId) -> Call[tuple[Micros, BondTerms]]:
    """What the vault holds, and its terms."""
    vault = contracts.bond_vault
    return contracts.together(vault.bond_micros(facility_id), vault.bond_terms_of(facility_id))


def _bond(held: Micros, terms: BondTerms) -> BondView:
    return BondView(
        bond_micros=held,
        required_bond_micros=terms.required_bond_micros,
        rate_micros_per_gpu_hour=terms.rate_micros_per_gpu_hour,
    )


def _terms(listing: TrancheInFacility, *, epochs_posted: int) -> TermsView:
    facility = listing.facility
    return TermsView(
        promised_availability_ppm=listing.terms.promised_availability_ppm,
        fee_bps=listing.terms.fee_bps,
        attester_fee_bps=listing.terms.attester_fee_bps,
        patience_s=listing.terms.patience_s,
        seal_s=listing.terms.seal_s,
        long_stop_s=listing.terms.long_stop_s,
        silence=listing.terms.silence,
        pledge_root=hex32(facility.pledge_root),
        terms_hash=hex32(facility.terms_hash),
        epoch_count=facility.epoch_count,
        epochs_closed=facility.epochs_closed,
        epochs_posted=epochs_posted,
        settlement_token=facility.settlement_token,
    )


def _risk(
    listing: TrancheInFacility, books: _Books, bond: BondView | None, *, as_of: AsOfView | None
) -> RiskView:
    newest = books.statements[max(books.statements)] if books.statements else None
    receivable: int | None = None
    age_s: int | None = None
    if as_of is not None:
        # Rent may be paid ahead: a receivable is never below zero.
        covered = books.sums.covered_micros
        receivable = max(0, attested_micros(books.posts) - covered)
        since_s = receivable_since(((p.posted_at_s, p.gross_micros) for p in books.posts), covered)
        age_s = None if since_s is None else as_of.time_s - since_s
    return RiskView(
        take_or_pay_bps=newest.committed_bps if newest else None,
        top_renter_bps=newest.top_renter_bps if newest else None,
        availability_ppm=listing.tranche.availability_ppm,
        promised_availability_ppm=listing.terms.promised_availability_ppm,
        bond_micros=bond.bond_micros if bond else None,
        required_bond_micros=bond.required_bond_micros if bond else None,
        receivable_micros=receivable,
        receivable_age_s=age_s,
        remaining_contracted_micros=books.contracted,
        hardware=books.hardware,
    )
