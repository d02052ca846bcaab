"""One tranche in full: terms, siblings, bond and risk, from events and storage at one block."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine

from api.chain.contracts import Contracts
from api.chain.contracts.bond_vault import BondTerms
from api.chain.contracts.call import Call
from api.db import statements as store
from api.db.session import reading
from api.domain.capital.risk import BookValue, receivable_since, remaining_contracted, straight_line
from api.domain.lifecycle import STATES
from api.domain.statements.evidence import hex32
from api.domain.units import FacilityId, Micros, TrancheId
from api.reads.listing import TrancheRow
from api.reads.market import AsOf, ShortTerms, find_tranche, short_terms
from api.reads.sql import cashflow, market


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms of the facility, and how far its epochs came."""

    promised_availability_ppm: int
    fee_bps: int
    pledge_root: str
    terms_hash: str
    epoch_count: int
    epochs_closed: int
    epochs_posted: int
    settlement_token: str


@dataclass(frozen=True, slots=True)
class Sibling:
    """A tranche of the same facility, itself included; None is unknown."""

    token_id: str
    seniority: int
    unit_cap: int
    units_issued: int | None
    coupon_micros_per_unit: int
    arrears_micros: int | None
    accrued_micros: int | None


@dataclass(frozen=True, slots=True)
class BondFigures:
    """Bond of a facility as stored on-chain."""

    bond_micros: int
    required_bond_micros: int
    rate_micros_per_gpu_hour: int
    shortfall_paid_micros: int
    below_since_s: int | None


@dataclass(frozen=True, slots=True)
class Hardware:
    """The operator's newest disclosure and what straight lines make of it."""

    device_count: int
    cost_micros_per_device: int
    in_service_s: int
    disclosed_at_s: int
    straight_line: tuple[BookValue, ...]


@dataclass(frozen=True, slots=True)
class Risk:
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
    hardware: Hardware | None


@dataclass(frozen=True, slots=True)
class TrancheDetail:
    """A tranche with everything around it."""

    row: TrancheRow
    as_of: AsOf | None
    terms: Terms
    siblings: tuple[Sibling, ...]
    bond: BondFigures | None
    risk: Risk


@dataclass(frozen=True, slots=True)
class _Books:
    """What ledger and events say of one facility."""

    posted: dict[int, Any]
    posts: list[tuple[int, int]]
    sums: dict[tuple[int, str], tuple[int, int]]
    accrued: dict[str, int]
    contracted: int | None
    hardware: Hardware | None
    has_bond: bool


def _books(connection: Connection, row: Any, known: bool, now_s: int) -> _Books:
    facility_id = row.facility_id
    names = ("RentPaid", "RentRefunded", "ReceivableWrittenOff", "ShortfallPaid")
    bonds = market.latest_events(connection, ("BondTermsSet", "BondDeposited"), facility_id)
    by_epoch = cashflow.posted_by_epoch(connection, facility_id) if known else {}
    disclosure = market.newest_disclosure(connection, facility_id)
    return _Books(
        posted=market.posted_statements(connection, facility_id) if known else {},
        posts=[(at_s, gross) for _, (gross, at_s) in sorted(by_epoch.items())],
        sums=dict(market.facility_sums(connection, names, facility_id)),
        accrued={t: a for t, (a, _) in market.accruals(connection, facility_id).items()},
        contracted=remaining_contracted(
            store.leases_of(connection, facility_id).values(),
            start_s=max(now_s, row.window_start_s),
            end_s=row.window_end_s,
        ),
        hardware=_hardware(disclosure, row.device_count, now_s) if disclosure else None,
        has_bond=known and bool(bonds),
    )


def _hardware(disclosure: Any, device_count: int, now_s: int) -> Hardware:
    cost, in_service_s = disclosure.cost_micros_per_device, disclosure.in_service_s
    values = straight_line(
        cost_micros_per_device=cost,
        device_count=device_count,
        in_service_s=in_service_s,
        now_s=now_s,
    )
    return Hardware(device_count, cost, in_service_s, disclosure.disclosed_at_s, values)


def read_tranche(
    engine: Engine, contracts: Contracts | None, token_id: int, now_s: int
) -> TrancheDetail:
    """A tranche as of the newest indexed block; hardware and contracted rent as of `now_s`.

    Raises:  NotFound, ChainUnavailable.
    """
    with reading(engine) as connection:
        found, tranche = find_tranche(connection, token_id)
        row = market.facility_rows(connection, tranche.facility_id)[0]
        terms = short_terms(connection, [row])[tranche.facility_id]
        known = contracts is not None and tranche.state != STATES[0]
        books = _books(connection, row, known, now_s)
    arrears: list[int | None] = [None] * len(found.rows)
    bond = None
    if contracts is not None and found.as_of is not None and known:
        ids = [TrancheId(int(r.token_id)) for r in found.rows]
        owed = contracts.all_of([contracts.rent_lockbox.arrears_micros(i) for i in ids])
        # Only a facility with bond terms is asked for its bond.
        bonded = [FacilityId(tranche.facility_id)] if books.has_bond else []
        stored, bonds = contracts.together(
            owed, contracts.all_of([_stored_bond(contracts, i) for i in bonded])
        ).at(block=found.as_of.block)
        arrears = list(stored)
        bond = next((_bond(one, books, tranche.facility_id) for one in bonds), None)
    return TrancheDetail(
        row=tranche,
        as_of=found.as_of,
        terms=_terms(row, terms, len(books.posted)),
        siblings=tuple(
            Sibling(
                r.token_id,
                r.seniority,
                r.unit_cap,
                r.units_issued,
                r.coupon_micros_per_unit,
                arrears[r.seniority],
                books.accrued.get(r.token_id, 0) if known else None,
            )
            for r in found.rows
        ),
        bond=bond,
        risk=_risk(tranche, terms, books, bond, found.as_of if known else None),
    )


_StoredBond = tuple[Micros, BondTerms, int]


def _stored_bond(contracts: Contracts, facility_id: FacilityId) -> Call[_StoredBond]:
    """What the vault holds, its terms, and since when that is too little."""
    vault = contracts.bond_vault
    return contracts.together(
        vault.bond_micros(facility_id),
        vault.bond_terms_of(facility_id),
        vault.below_since_s(facility_id),
    )


def _bond(stored: _StoredBond, books: _Books, facility_id: int) -> BondFigures:
    held, terms, since_s = stored
    return BondFigures(
        held,
        terms.required_bond_micros,
        terms.rate_micros_per_gpu_hour,
        books.sums.get((facility_id, "ShortfallPaid"), (0, 0))[0],
        since_s or None,
    )


def _terms(row: Any, terms: ShortTerms, epochs_posted: int) -> Terms:
    return Terms(
        promised_availability_ppm=terms.promised_availability_ppm,
        fee_bps=terms.fee_bps,
        pledge_root=hex32(row.pledge_root),
        terms_hash=hex32(row.terms_hash),
        epoch_count=(row.window_end_s - row.window_start_s) // row.epoch_length_s,
        epochs_closed=row.epochs_closed,
        epochs_posted=epochs_posted,
        settlement_token=row.settlement_token,
    )


def _risk(
    tranche: TrancheRow,
    terms: ShortTerms,
    books: _Books,
    bond: BondFigures | None,
    as_of: AsOf | None,
) -> Risk:
    newest = books.posted[max(books.posted)] if books.posted else None
    receivable: int | None = None
    since_s: int | None = None
    if as_of is not None:
        paid, refunded, written_off, _ = (
            books.sums.get((tranche.facility_id, name), (0, 0))[0]
            for name in ("RentPaid", "RentRefunded", "ReceivableWrittenOff", "ShortfallPaid")
        )
        covered = paid - refunded + written_off
        receivable = max(0, sum(gross for _, gross in books.posts) - covered)
        since_s = receivable_since(books.posts, covered)
    return Risk(
        take_or_pay_bps=newest.committed_bps if newest else None,
        top_renter_bps=newest.top_renter_bps if newest else None,
        availability_ppm=tranche.availability_ppm,
        promised_availability_ppm=terms.promised_availability_ppm,
        bond_micros=bond.bond_micros if bond else None,
        required_bond_micros=bond.required_bond_micros if bond else None,
        receivable_micros=receivable,
        receivable_age_s=as_of.time_s - since_s if as_of and since_s is not None else None,
        remaining_contracted_micros=books.contracted,
        hardware=books.hardware,
    )
