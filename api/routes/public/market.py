"""Public routes of the market: tranches, their series and holders."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from api.db.session import reading
from api.domain.lifecycle import STATES
from api.domain.statements.evidence import hex32
from api.errors import NotFound
from api.ledger.facilities import facility_row, pledged_devices
from api.reads.documents import list_documents as documents_of
from api.reads.holders import list_holders as holders_of
from api.reads.listing import MarketFilter, Order, SortBy, choices_of, select_rows
from api.reads.market import market_now
from api.reads.series import read_series
from api.reads.tranche import read_tranche
from api.reads.waterfall import read_waterfall
from api.routes.http.parameters import (
    CSV_FILE,
    FacilityPath,
    Offset,
    PageLimit,
    TokenPath,
    csv_answer,
)
from api.routes.http.problems import errors
from api.routes.operator.schemas import Address
from api.routes.public import market_schemas as schemas
from api.routes.public import tranche_files_schemas as files
from api.routes.public.market_csv import tranches_csv
from api.routes.public.tranche_schemas import TrancheOut
from api.routes.service import ServiceDep

router = APIRouter(tags=["public"])
_NO_CONTROLS = r"^[^\x00-\x1f\x7f]*$"
_Word = Annotated[str, Query(max_length=80, pattern=_NO_CONTROLS)]


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
) -> schemas.TranchesOut:
    """Every tranche with its terms, sale and figures, as of the newest indexed block."""
    found = market_now(service.engine)
    rows = select_rows(found.rows, wanted, sort, order)
    return schemas.TranchesOut(
        total=len(rows),
        offset=offset,
        limit=limit,
        as_of=schemas.AsOfOut.model_validate(found.as_of) if found.as_of else None,
        choices=schemas.ChoicesOut.model_validate(choices_of(found.rows)),
        tranches=[
            schemas.TrancheRowOut.model_validate(row) for row in rows[offset : offset + limit]
        ],
    )


@router.get("/v1/tranches.csv", responses=CSV_FILE | errors(422), response_class=Response)
def export_tranches(
    service: ServiceDep,
    wanted: _Filter,
    sort: _Sort = SortBy.WINDOW_START,
    order: _Order = Order.ASC,
) -> Response:
    """The same rows as CSV, all of them. Text that a spreadsheet would run gets an apostrophe."""
    rows = select_rows(market_now(service.engine).rows, wanted, sort, order)
    return csv_answer(tranches_csv(rows), "tranches.csv")


@router.get("/v1/tranches/{token_id}", responses=errors(404, 422))
def get_tranche(service: ServiceDep, token_id: TokenPath) -> TrancheOut:
    """One tranche with terms, siblings, bond and risk."""
    found = read_tranche(
        service.engine, service.client, service.deployment, int(token_id), service.clock()
    )
    rest = {name: getattr(found, name) for name in ("as_of", "terms", "siblings", "bond", "risk")}
    return TrancheOut.model_validate(asdict(found.row) | rest, from_attributes=True)


@router.get("/v1/tranches/{token_id}/series", responses=errors(404, 422))
def get_series(service: ServiceDep, token_id: TokenPath) -> schemas.SeriesOut:
    """Statements, settlements and accruals over time in at most 400 points.

    A settlement and what it accrued stand at the last epoch that it counts. Sums over all points
    are the totals: nothing is averaged.
    """
    found = read_series(service.engine, int(token_id))
    return schemas.SeriesOut.model_validate(found)


@router.get("/v1/tranches/{token_id}/holders", responses=errors(404, 422))
def list_holders(
    service: ServiceDep, token_id: TokenPath, offset: Offset = 0, limit: PageLimit = 100
) -> schemas.HoldersOut:
    """Holders by units, from indexed transfers; together they hold what circulates."""
    found = holders_of(service.engine, int(token_id), offset=offset, limit=limit)
    return schemas.HoldersOut.model_validate(found)


@router.get("/v1/tranches/{token_id}/waterfall", responses=errors(404, 422))
def get_waterfall(service: ServiceDep, token_id: TokenPath) -> files.WaterfallOut:
    """From attested rent to what each tranche of the facility got."""
    found = read_waterfall(service.engine, service.client, service.deployment, int(token_id))
    return files.WaterfallOut.model_validate(found)


@router.get("/v1/tranches/{token_id}/documents", responses=errors(404, 422))
def list_documents(
    service: ServiceDep, token_id: TokenPath, offset: Offset = 0, limit: PageLimit = 100
) -> files.DocumentsOut:
    """Published files with their hashes: the terms, then epochs, newest first.

    `total`, `offset` and `limit` count files that can be published; a page leaves out those that
    are not yet.
    """
    page = {"offset": offset, "limit": limit}
    total, found = documents_of(service.engine, service.evidence, int(token_id), **page)
    documents = [files.DocumentOut.model_validate(document) for document in found]
    return files.DocumentsOut(total=total, documents=documents)


@router.get("/v1/facilities/{facility_id}/devices", responses=errors(404, 422))
def list_devices(service: ServiceDep, facility_id: FacilityPath) -> files.DevicesOut:
    """All pledged devices as hashes, ascending: what the pledge's tree is built from."""
    with reading(service.engine) as connection:
        row = facility_row(connection, facility_id)
        if row is None:
            raise NotFound(f"no facility {facility_id}", facility_id=facility_id)
        hashes = pledged_devices(connection, facility_id)
    return files.DevicesOut(
        pledge_root=hex32(row.pledge_root),
        devices=[files.DeviceOut(index=i, device=hex32(d)) for i, d in enumerate(hashes)],
    )
