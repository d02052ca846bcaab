"""The market: every tranche from ledger and indexed events alone, without a call to the chain."""

from dataclasses import dataclass

from api.chain.emitted.primary_sale import SaleTerms
from api.db import chain_store
from api.db.session import Connection, Engine, reading
from api.domain.capital.shares import paid_per_unit, ratio_ppm, replay_stream
from api.domain.facility import TrancheTerms
from api.domain.lifecycle import FacilityState, facility_state
from api.domain.units import (
    MAX_I64,
    Bytes32,
    FacilityId,
    TrancheId,
    split_tranche_id,
    tranche_id,
)
from api.errors import NotFound
from api.reads.listing import OperatorView, SaleView, TrancheView
from api.reads.sql import market, streams
from api.reads.sql.facilities import ListedFacilityRow, Scope, listed_facilities
from api.reads.terms import ShortTerms, short_terms


@dataclass(frozen=True, slots=True)
class AsOfView:
    """Newest indexed block."""

    block: int
    time_s: int


@dataclass(frozen=True, slots=True)
class MarketView:
    """Every tranche, or those of some facilities, as of one block."""

    as_of: AsOfView | None
    tranches: tuple[TrancheView, ...]


@dataclass(frozen=True, slots=True)
class TrancheInFacility:
    """A tranche among those of its facility, itself included, most senior first."""

    as_of: AsOfView | None
    facility: ListedFacilityRow
    terms: ShortTerms
    tranche: TrancheView
    siblings: tuple[TrancheView, ...]


@dataclass(frozen=True, slots=True)
class _Indexed:
    """What indexed events say, by facility and by tranche."""

    offered: dict[FacilityId, Bytes32]
    announced: dict[FacilityId, FacilityState]
    opened_sales: dict[FacilityId, SaleTerms]
    ended_sales: dict[FacilityId, bool]
    sale_sums: dict[FacilityId, market.SaleSumsRow]
    accruals: dict[TrancheId, market.AccruedRow]
    supplies: dict[TrancheId, market.SupplyRow]
    delivered: dict[FacilityId, market.DeliveredRow]


def _indexed(connection: Connection, scope: Scope) -> _Indexed:
    return _Indexed(
        offered=market.offered_hashes(connection, scope),
        announced=market.announced_states(connection, scope),
        opened_sales=market.opened_sales(connection, scope),
        ended_sales=market.ended_sales(connection, scope),
        sale_sums=market.sale_sums(connection, scope),
        accruals=market.accruals(connection, scope),
        supplies=market.supplies(connection, scope),
        delivered=market.delivered(connection, scope),
    )


def as_of_last_block(connection: Connection) -> AsOfView | None:
    """The newest indexed block; None before the first."""
    block = chain_store.last_block(connection)
    return None if block is None else AsOfView(block.number, block.time_s)


def read_market(connection: Connection, scope: Scope = None) -> MarketView:
    """Tranches by facility and seniority, as of the newest indexed block."""
    as_of = as_of_last_block(connection)
    facilities = listed_facilities(connection, scope)
    terms = short_terms(connection, facilities)
    # States of sales and facilities follow the chain's time, as the contracts see it.
    indexed, now_s = _indexed(connection, scope), as_of.time_s if as_of else 0
    tranches = []
    for listed in facilities:
        facility = _facility(listed, indexed, now_s)
        tranches += [
            _tranche(connection, facility, seniority, terms[listed.facility_id].tranches, indexed)
            for seniority in range(len(terms[listed.facility_id].tranches))
        ]
    return MarketView(as_of, tuple(tranches))


def market_now(engine: Engine) -> MarketView:
    """The whole market."""
    with reading(engine) as connection:
        return read_market(connection)


def find_tranche(connection: Connection, token_id: int) -> TrancheInFacility:
    """A tranche with those of its facility. Raises NotFound."""
    facility_id, seniority = split_tranche_id(token_id)
    # Anybody can ask for an id whose facility would not fit into a column.
    listed = listed_facilities(connection, [facility_id]) if facility_id <= MAX_I64 else []
    for facility in listed:
        terms = short_terms(connection, listed)[facility_id]
        market_view = read_market(connection, [facility_id])
        if seniority < len(market_view.tranches):
            tranche = market_view.tranches[seniority]
            return TrancheInFacility(
                market_view.as_of, facility, terms, tranche, market_view.tranches
            )
    raise NotFound(f"no tranche {token_id}", token_id=str(token_id))


@dataclass(frozen=True, slots=True)
class _FacilityInMarket:
    """What all tranches of a facility share; None is unknown."""

    listed: ListedFacilityRow
    state: FacilityState
    opened_sale: SaleTerms | None
    sale: SaleView | None
    utilisation_ppm: int | None
    availability_ppm: int | None


def _facility(listed: ListedFacilityRow, indexed: _Indexed, now_s: int) -> _FacilityInMarket:
    facility_id = listed.facility_id
    state = facility_state(
        offered=indexed.offered.get(facility_id) == listed.terms_hash,
        announced=indexed.announced.get(facility_id),
        window_start_s=listed.window_start_s,
        expires_at_s=listed.expires_at_s,
        now_s=now_s,
    )
    if state is FacilityState.REGISTERED:
        # An offer with other terms is not this facility's; neither are its sale and statements.
        return _FacilityInMarket(listed, state, None, None, None, None)
    delivered = indexed.delivered.get(facility_id, market.DeliveredRow())
    # Over the epochs with a statement alone: nothing is known of the others yet.
    capacity = listed.device_count * listed.epoch_length_s * delivered.epochs
    return _FacilityInMarket(
        listed,
        state,
        indexed.opened_sales.get(facility_id),
        _sale(indexed, facility_id, now_s),
        utilisation_ppm=ratio_ppm(
            delivered.billed_gpu_seconds, whole=delivered.available_gpu_seconds
        ),
        availability_ppm=ratio_ppm(delivered.available_gpu_seconds, whole=capacity),
    )


def _tranche(
    connection: Connection,
    facility: _FacilityInMarket,
    seniority: int,
    tranches: tuple[TrancheTerms, ...],
    indexed: _Indexed,
) -> TrancheView:
    listed, sale, opened = facility.listed, facility.sale, facility.opened_sale
    terms = tranches[seniority]
    token_id = tranche_id(listed.facility_id, seniority)
    known = facility.state is not FacilityState.REGISTERED
    units = _units(indexed, token_id) if known else None
    # Nobody can buy the units that a closed sale left over.
    on_sale = sale is not None and sale.state == "open"
    return TrancheView(
        token_id=str(token_id),
        facility_id=listed.facility_id,
        seniority=seniority,
        tranche_count=len(tranches),
        facility_name=listed.name,
        operator=OperatorView(listed.operator_address, listed.operator_name),
        gpu_class=listed.gpu_class,
        site=listed.site,
        window_start_s=listed.window_start_s,
        window_end_s=listed.window_end_s,
        epoch_length_s=listed.epoch_length_s,
        device_count=listed.device_count,
        state=facility.state.word,
        unit_cap=terms.unit_cap,
        units_issued=units,
        units_left=terms.unit_cap - units if on_sale and units is not None else None,
        price_micros=None if opened is None else opened.unit_prices_micros[seniority],
        coupon_micros_per_unit=terms.coupon_micros_per_unit,
        sale=sale,
        utilisation_ppm=facility.utilisation_ppm,
        availability_ppm=facility.availability_ppm,
        paid_per_unit_micros=_paid_per_unit(connection, indexed, token_id) if known else None,
    )


def _units(indexed: _Indexed, token_id: TrancheId) -> int:
    supply = indexed.supplies.get(token_id)
    return 0 if supply is None else supply.units


def _sale(indexed: _Indexed, facility_id: FacilityId, now_s: int) -> SaleView | None:
    """Sale of a facility at a time."""
    opened = indexed.opened_sales.get(facility_id)
    if opened is None:
        return None
    reached_floor = indexed.ended_sales.get(facility_id)
    if reached_floor is not None:
        state = "successful" if reached_floor else "refunding"
    elif now_s < opened.opens_at_s:
        state = "scheduled"
    else:
        state = "open" if now_s < opened.closes_at_s else "closed"
    sums = indexed.sale_sums.get(facility_id)
    return SaleView(
        state=state,
        opens_at_s=opened.opens_at_s,
        closes_at_s=opened.closes_at_s,
        floor_micros=opened.floor_proceeds_micros,
        counted_micros=0 if sums is None else sums.counted_micros,
        sold_units=0 if sums is None else sums.sold_units,
        up_front_bps=opened.up_front_bps,
        proceeds_micros=0 if sums is None else sums.proceeds_micros,
        released_micros=0 if sums is None else sums.released_micros,
    )


def _paid_per_unit(connection: Connection, indexed: _Indexed, token_id: TrancheId) -> int | None:
    supply, accrued = indexed.supplies.get(token_id), indexed.accruals.get(token_id)
    if supply is None or supply.units == 0:
        return None
    if accrued is None:
        return 0
    if accrued.accrued_micros == 0 or supply.last_block < accrued.first_block:
        # Supply has not changed since the first accrual, so all units shared alike: no replay.
        return accrued.accrued_micros // supply.units
    return paid_per_unit(replay_stream(streams.stream_changes(connection, token_id)))
