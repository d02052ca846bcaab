"""The market: every tranche, filtered and sorted, as JSON and as CSV."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field

from api.domain.lifecycle import STATES
from api.reads.listing import (
    ChoicesView,
    MarketFilter,
    OperatorView,
    Order,
    SaleView,
    SortBy,
    TrancheView,
    choices_of,
    select_tranches,
)
from api.reads.market import AsOfView, market_now
from api.routes.http.parameters import CSV_FILE, Offset, PageLimit, csv_answer
from api.routes.http.problems import errors
from api.routes.http.schemas import MICROS, STATE, Address
from api.routes.public.facilities import OperatorNameOut
from api.routes.public.tranches_csv import tranches_csv
from api.routes.service import ServiceDep

router = APIRouter(tags=["public"])


class AsOfOut(BaseModel):
    """The newest indexed block: what the answer is as of."""

    block: int = Field(description="Block number.")
    time_s: int = Field(description="Time of the block, UTC seconds.")


class SaleOut(BaseModel):
    """Primary sale of a facility, all its tranches together."""

    state: str = Field(
        description="scheduled, open, closed (over, waiting for its end on-chain), successful or"
        " refunding, as of the indexed block."
    )
    opens_at_s: int = Field(description="First second in which units are sold, UTC seconds.")
    closes_at_s: int = Field(description="Second from which none are sold, UTC seconds.")
    floor_micros: int = Field(
        description=f"Proceeds that must count, or all buyers are refunded; {MICROS}."
    )
    counted_micros: int = Field(
        description="Proceeds that count towards the floor: of everybody but the operator itself;"
        f" {MICROS}."
    )
    sold_units: int = Field(description="Units sold and not refunded, GPU-hours.")
    up_front_bps: int = Field(
        description="Share of proceeds released when the window begins, basis points."
    )
    proceeds_micros: int = Field(description=f"Price of the units sold; {MICROS}.")
    released_micros: int = Field(description=f"Released to the operator so far; {MICROS}.")


class TrancheRowOut(BaseModel):
    """A tranche in the market. Null is unknown, never zero."""

    token_id: str = Field(description="ERC-1155 id as decimal text, 72 bits.")
    facility_id: int = Field(description="Facility.")
    seniority: int = Field(description="Rank in the waterfall; 0 is paid first.")
    tranche_count: int = Field(description="Tranches of the facility; 1 to 4.")
    facility_name: str = Field(description="Name of the facility.")
    operator: OperatorNameOut = Field(description="Who runs the GPUs.")
    gpu_class: str = Field(description="SKU.")
    site: str = Field(description="Data centre.")
    window_start_s: int = Field(description="First second of the delivery window, UTC seconds.")
    window_end_s: int = Field(description="Second after the window, UTC seconds.")
    epoch_length_s: int = Field(description="Seconds of one epoch.")
    device_count: int = Field(description="Pledged devices.")
    state: str = Field(description=f"{STATE}.")
    unit_cap: int = Field(description="Most units, GPU-hours.")
    units_issued: int | None = Field(
        description="Units in circulation, GPU-hours; null while not on-chain."
    )
    units_left: int | None = Field(
        description="Units that the sale still has, GPU-hours; null unless a sale is open."
    )
    price_micros: int | None = Field(
        description=f"Sale price of one unit; null without a sale; {MICROS}."
    )
    coupon_micros_per_unit: int = Field(
        description=f"What a unit earns over the window before juniors; {MICROS}."
    )
    sale: SaleOut | None = Field(description="Primary sale; null if there is none.")
    utilisation_ppm: int | None = Field(
        description="Billed over available GPU-seconds of posted statements that stand, parts per"
        " million; null before the first."
    )
    availability_ppm: int | None = Field(
        description="Available GPU-seconds over the capacity of the same epochs, parts per million;"
        " null before the first statement."
    )
    paid_per_unit_micros: int | None = Field(
        description="Revenue that reached one unit from the beginning, with what still streams to"
        f" it, rounded down; null while there are no units; {MICROS}."
    )


class ChoicesOut(BaseModel):
    """What filters can choose from, over all tranches."""

    gpu_classes: list[str] = Field(description="SKUs, sorted.")
    sites: list[str] = Field(description="Data centres, sorted.")
    operators: list[OperatorNameOut] = Field(description="Operators, by name.")
    states: list[str] = Field(description="States that occur, in the order of a facility's life.")


class TranchesOut(BaseModel):
    """A page of the market."""

    total: int = Field(description="Tranches that the filter admits.")
    offset: int = Field(description="Rows skipped.")
    limit: int = Field(description="Most rows in this answer.")
    as_of: AsOfOut | None = Field(description="Newest indexed block; null if none is.")
    choices: ChoicesOut = Field(description="Values to filter by.")
    tranches: list[TrancheRowOut] = Field(description="Tranches in the order asked for.")


def to_api_as_of(as_of: AsOfView | None) -> AsOfOut | None:
    """The newest indexed block; None if none is."""
    return None if as_of is None else AsOfOut(block=as_of.block, time_s=as_of.time_s)


def to_api_operator(operator: OperatorView) -> OperatorNameOut:
    """An operator as everybody may see it."""
    return OperatorNameOut(address=operator.address, name=operator.name)


def to_api_sale(sale: SaleView) -> SaleOut:
    """Primary sale of a facility."""
    return SaleOut(
        state=sale.state,
        opens_at_s=sale.opens_at_s,
        closes_at_s=sale.closes_at_s,
        floor_micros=sale.floor_micros,
        counted_micros=sale.counted_micros,
        sold_units=sale.sold_units,
        up_front_bps=sale.up_front_bps,
        proceeds_micros=sale.proceeds_micros,
        released_micros=sale.released_micros,
    )


def to_api_tranche_row(row: TrancheView) -> TrancheRowOut:
    """A tranche in the market."""
    return TrancheRowOut(
        token_id=row.token_id,
        facility_id=row.facility_id,
        seniority=row.seniority,
        tranche_count=row.tranche_count,
        facility_name=row.facility_name,
        operator=to_api_operator(row.operator),
        gpu_class=row.gpu_class,
        site=row.site,
        window_start_s=row.window_start_s,
        window_end_s=row.window_end_s,
        epoch_length_s=row.epoch_length_s,
        device_count=row.device_count,
        state=row.state,
        unit_cap=row.unit_cap,
        units_issued=row.units_issued,
        units_left=row.units_left,
        price_micros=row.price_micros,
        coupon_micros_per_unit=row.coupon_micros_per_unit,
        sale=None if row.sale is None else to_api_sale(row.sale),
        utilisation_ppm=row.utilisation_ppm,
        availability_ppm=row.availability_ppm,
        paid_per_unit_micros=row.paid_per_unit_micros,
    )


def to_api_choices(choices: ChoicesView) -> ChoicesOut:
    """What filters can choose from."""
    return ChoicesOut(
        gpu_classes=list(choices.gpu_classes),
        sites=list(choices.sites),
        operators=[to_api_operator(operator) for operator in choices.operators],
        states=list(choices.states),
    )


_Word = Annotated[str, Query(max_length=80, pattern=r"^[^\x00-\x1f\x7f]*$")]


def _filter(
    gpu_class: Annotated[_Word | None, Query(description="Only this SKU.")] = None,
    site: Annotated[_Word | None, Query(description="Only this data centre.")] = None,
    operator: Annotated[Address | None, Query(description="Only this operator's wallet.")] = None,
    state: Annotated[
        str | None,
        Query(
            max_length=16,
            pattern=rf"^({'|'.join(STATES)})$",
            description="Only facilities in this state.",
        ),
    ] = None,
    q: Annotated[
        _Word | None,
        Query(description="Only rows with this text in name, operator, SKU, site or token id."),
    ] = None,
) -> MarketFilter:
    # Forms send the fields that are left empty, too: an empty text filters nothing.
    return MarketFilter(gpu_class or None, site or None, operator, state, q or None)


_Filter = Annotated[MarketFilter, Depends(_filter)]
_Sort = Annotated[SortBy, Query(description="Sort by this; unknown values come last.")]
_Order = Annotated[Order, Query(description="asc or desc.")]


@router.get("/v1/tranches", responses=errors(422))
def list_tranches(
    service: ServiceDep,
    wanted: _Filter,
    sort: _Sort = SortBy.WINDOW_START,
    order: _Order = Order.ASC,
    offset: Offset = 0,
    limit: PageLimit = 100,
) -> TranchesOut:
    """Every tranche with its terms, sale and figures, as of the newest indexed block."""
    market = market_now(service.engine)
    selected = select_tranches(market.tranches, wanted, sort=sort, order=order)
    return TranchesOut(
        total=len(selected),
        offset=offset,
        limit=limit,
        as_of=to_api_as_of(market.as_of),
        choices=to_api_choices(choices_of(market.tranches)),
        tranches=[to_api_tranche_row(tranche) for tranche in selected[offset : offset + limit]],
    )


@router.get("/v1/tranches.csv", responses=CSV_FILE | errors(422), response_class=Response)
def export_tranches(
    service: ServiceDep,
    wanted: _Filter,
    sort: _Sort = SortBy.WINDOW_START,
    order: _Order = Order.ASC,
) -> Response:
    """The same rows as CSV, all of them. Text that a spreadsheet would run gets an apostrophe."""
    tranches = market_now(service.engine).tranches
    selected = select_tranches(tranches, wanted, sort=sort, order=order)
    return csv_answer(tranches_csv(selected), "tranches.csv")
