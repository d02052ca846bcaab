"""The market: every tranche from ledger and indexed events alone, without a call to the chain."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine

from api.db import chain_store
from api.db.session import reading
from api.domain.capital.shares import (
    Accrual,
    Change,
    SupplyChange,
    Vesting,
    paid_per_unit,
    ratio_ppm,
    replay_stream,
)
from api.domain.facility import TrancheTerms
from api.domain.lifecycle import FacilityState, facility_state
from api.domain.units import MAX_I64, FacilityId, split_tranche_id, tranche_id
from api.errors import NotFound
from api.ledger.judge import terms_from_bytes
from api.reads.listing import OperatorName, Sale, TrancheRow
from api.reads.sql import market

_SALE_SUMS = ("UnitsSold", "UnitsRefunded", "ProceedsReleased")
_SMALL = (
    "FacilityOffered",
    "FacilityStateChanged",
    "SaleOpened",
    "SaleSucceeded",
    "SaleFailed",
)


@dataclass(frozen=True, slots=True)
class AsOf:
    """Newest indexed block."""

    block: int
    time_s: int


@dataclass(frozen=True, slots=True)
class ShortTerms:
    """What the market needs of `facility.json`, without its devices."""

    tranches: tuple[TrancheTerms, ...]
    promised_availability_ppm: int
    fee_bps: int


# By terms hash, which names the facility and every term: documents list all devices, and reading
# those of hundreds of facilities for every answer would take most of its time.
_terms: dict[bytes, ShortTerms] = {}
_TERMS_KEPT = 20_000


def short_terms(connection: Connection, rows: list[Any]) -> dict[int, ShortTerms]:
    """Terms by facility."""
    missing = [r.facility_id for r in rows if r.terms_hash not in _terms]
    if len(_terms) + len(missing) > _TERMS_KEPT:
        _terms.clear()
        missing = [r.facility_id for r in rows]
    hashes = {r.facility_id: r.terms_hash for r in rows}
    for first in range(0, len(missing), 100):
        documents = market.terms_documents(connection, missing[first : first + 100])
        for facility_id, document in documents.items():
            terms = terms_from_bytes(document)
            _terms[hashes[facility_id]] = ShortTerms(
                terms.tranches, terms.promised_availability_ppm, terms.fee_bps
            )
    return {r.facility_id: _terms[r.terms_hash] for r in rows}


class _Events:
    """What indexed events say, by facility and by token id."""

    def __init__(self, connection: Connection, facility_id: int | None) -> None:
        self.offered: dict[int, str] = {}
        self.states: dict[int, int] = {}
        self.sale_terms: dict[int, list[Any]] = {}
        self.sale_ends: dict[int, str] = {}
        for row in market.latest_events(connection, _SMALL, facility_id):
            if row.event == "FacilityOffered":
                self.offered[row.facility_id] = json.loads(row.payload)["terms"][11]
            elif row.event == "FacilityStateChanged":
                self.states[row.facility_id] = row.extra
            elif row.event == "SaleOpened":
                self.sale_terms[row.facility_id] = json.loads(row.payload)["terms"]
            else:
                self.sale_ends[row.facility_id] = row.event
        self.sums = market.facility_sums(connection, _SALE_SUMS, facility_id)
        self.accruals = market.accruals(connection, facility_id)
        self.supplies = market.supplies(connection, facility_id)
        self.delivered = market.delivered(connection, facility_id)

    def state(self, row: Any, now_s: int) -> FacilityState:
        """State at a time; an offer of other terms than ours is not of this facility."""
        return facility_state(
            offered=self.offered.get(row.facility_id) == "0x" + row.terms_hash.hex(),
            announced=self.states.get(row.facility_id),
            window_start_s=row.window_start_s,
            now_s=now_s,
        )

    def sale(self, facility_id: int, now_s: int) -> Sale | None:
        """Sale of a facility at a time."""
        terms = self.sale_terms.get(facility_id)
        if terms is None:
            return None
        opens_at_s, closes_at_s, floor_units, up_front_bps, _ = terms
        hours = "open" if now_s < closes_at_s else "closed"
        state = {"SaleSucceeded": "successful", "SaleFailed": "refunding"}.get(
            self.sale_ends.get(facility_id, ""), hours if now_s >= opens_at_s else "scheduled"
        )
        sold, refunded, released = (self.sums.get((facility_id, n), (0, 0)) for n in _SALE_SUMS)
        return Sale(
            state=state,
            opens_at_s=opens_at_s,
            closes_at_s=closes_at_s,
            floor_units=floor_units,
            sold_units=sold[1] - refunded[1],
            up_front_bps=up_front_bps,
            proceeds_micros=sold[0] - refunded[0],
            released_micros=released[0],
        )


def _changes(rows: list[Any]) -> list[Change]:
    found: list[Change] = []
    for row in rows:
        if row.event == "RevenueAccrued":
            end_s = int(json.loads(row.payload)["streamEnd"])
            found.append(Accrual(row.block_time_s, row.amount, end_s))
        elif row.event == "StreamVested":
            found.append(Vesting(row.block_time_s))
        else:
            units = market.supply_sign(row) * row.amount
            found.append(SupplyChange(row.block_time_s, units))
    return found


def _paid_per_unit(connection: Connection, events: _Events, token_id: str) -> int | None:
    units, changed = events.supplies.get(token_id, (0, 0))
    if not units:
        return None
    accrued, first = events.accruals.get(token_id, (0, 0))
    if not accrued or changed < first:
        # The same units shared everything: no need to replay.
        return accrued // units
    return paid_per_unit(replay_stream(_changes(market.stream_events(connection, token_id))))


def _rows(
    connection: Connection, row: Any, terms: ShortTerms, events: _Events, now_s: int
) -> list[TrancheRow]:
    facility_id = row.facility_id
    state = events.state(row, now_s)
    known = state is not FacilityState.REGISTERED
    sale = events.sale(facility_id, now_s) if known else None
    epochs, billed, available = events.delivered.get(facility_id, (0, 0, 0)) if known else (0, 0, 0)
    capacity = row.device_count * row.epoch_length_s * epochs
    found = []
    for seniority, tranche in enumerate(terms.tranches):
        token_id = str(tranche_id(FacilityId(facility_id), seniority))
        units = events.supplies.get(token_id, (0, 0))[0] if known else None
        on_sale = sale is not None and sale.state == "open"
        found.append(
            TrancheRow(
                token_id=token_id,
                facility_id=facility_id,
                seniority=seniority,
                facility_name=row.name,
                operator=OperatorName(row.address, row.operator_name),
                gpu_class=row.gpu_class,
                site=row.site,
                window_start_s=row.window_start_s,
                window_end_s=row.window_end_s,
                epoch_length_s=row.epoch_length_s,
                device_count=row.device_count,
                state=state.word,
                unit_cap=tranche.unit_cap,
                units_issued=units,
                units_left=tranche.unit_cap - units if on_sale and units is not None else None,
                price_micros=events.sale_terms[facility_id][4][seniority] if sale else None,
                coupon_micros_per_unit=tranche.coupon_micros_per_unit,
                sale=sale,
                utilisation_ppm=ratio_ppm(billed, available),
                availability_ppm=ratio_ppm(available, capacity),
                paid_per_unit_micros=_paid_per_unit(connection, events, token_id)
                if known
                else None,
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class Market:
    """Every tranche, or those of one facility, as of one block."""

    as_of: AsOf | None
    rows: tuple[TrancheRow, ...]


def read_market(connection: Connection, facility_id: int | None = None) -> Market:
    """Tranches by facility and seniority, as of the newest indexed block."""
    block = chain_store.last_block(connection)
    rows = market.facility_rows(connection, facility_id)
    terms = short_terms(connection, rows)
    events, now_s = _Events(connection, facility_id), block.time_s if block else 0
    found = (t for r in rows for t in _rows(connection, r, terms[r.facility_id], events, now_s))
    return Market(AsOf(block.number, block.time_s) if block else None, tuple(found))


def market_now(engine: Engine) -> Market:
    """The whole market."""
    with reading(engine) as connection:
        return read_market(connection)


def find_tranche(connection: Connection, token_id: int) -> tuple[Market, TrancheRow]:
    """A tranche with those of its facility. Raises NotFound."""
    facility_id, seniority = split_tranche_id(token_id)
    if facility_id <= MAX_I64:
        found = read_market(connection, facility_id)
        if seniority < len(found.rows):
            return found, found.rows[seniority]
    raise NotFound(f"no tranche {token_id}", token_id=str(token_id))


def rows_by_token(found: Market) -> Mapping[str, TrancheRow]:
    """Tranches by token id."""
    return {row.token_id: row for row in found.rows}
