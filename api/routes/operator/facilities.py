"""Routes of operators: registering, leases, prices, metering."""

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from api.chain import calldata
from api.db.session import reading, transaction
from api.domain.facility import FacilityTerms, TrancheTerms
from api.domain.statements.evidence import FACILITY_FILE, facility_folder, hex32
from api.errors import InvalidInput, NotFound
from api.ledger import facilities as register
from api.ledger import leases as lease_steps
from api.ledger.ingest import ingest
from api.reads.sql import market
from api.routes.http.body import read_events
from api.routes.http.credentials import Admin, OperatorId
from api.routes.http.event_docs import EVENT_BODY, EVENTS_ABOUT
from api.routes.http.parameters import FacilityPath, LeasePath, Limit, Offset
from api.routes.http.problems import already, errors
from api.routes.http.strict import StrictRoute
from api.routes.operator import schemas
from api.routes.service import Service, ServiceDep

router = APIRouter(route_class=StrictRoute)


@router.post(
    "/v1/operators", status_code=201, responses=errors(400, 401, 403, 409, 413, 422), tags=["admin"]
)
def create_operator(
    service: ServiceDep, _admin: Admin, body: schemas.OperatorIn
) -> schemas.OperatorOut:
    """Register an operator. The API key in the answer is shown this once."""
    address = calldata.checksum(body.address)
    now_s = service.clock()
    with transaction(service.engine) as connection:
        operator_id, key = register.add_operator(
            connection, name=body.name, address=address, now_s=now_s
        )
    return schemas.OperatorOut(
        operator_id=operator_id, name=body.name, address=address, api_key=key
    )


@router.post(
    "/v1/attester-keys", status_code=201, responses=errors(400, 401, 403, 413, 422), tags=["admin"]
)
def create_attester_key(
    service: ServiceDep, _admin: Admin, body: schemas.AttesterKeyIn
) -> schemas.AttesterKeyOut:
    """Make a key with which an attester process reads raw events and submits signatures."""
    now_s = service.clock()
    with transaction(service.engine) as connection:
        key = register.add_attester_key(connection, label=body.label, now_s=now_s)
    return schemas.AttesterKeyOut(label=body.label, api_key=key)


def facility_out(row: object, offer: schemas.Offer | None = None) -> schemas.FacilityOut:
    """Public view of a row of `market.facility_rows`."""
    values = dict(row._mapping)  # type: ignore[attr-defined]
    window_s = values["window_end_s"] - values["window_start_s"]
    shown = {k: v for k, v in values.items() if k in schemas.FacilityOut.model_fields}
    shown["pledge_root"] = hex32(values["pledge_root"])
    shown["terms_hash"] = hex32(values["terms_hash"])
    return schemas.FacilityOut(
        **shown,
        operator=schemas.OperatorNameOut(address=values["address"], name=values["operator_name"]),
        epoch_count=window_s // values["epoch_length_s"],
        offer=offer,
    )


def _offer(service: Service, terms: FacilityTerms) -> schemas.Offer | None:
    deployment = service.deployment
    if deployment is None:
        return None
    data = calldata.offer(terms)
    return schemas.Offer(to=deployment.facility_registry, data=data)


@router.post(
    "/v1/facilities",
    status_code=201,
    responses=errors(400, 401, 403, 409, 413, 422),
    tags=["operator"],
)
def create_facility(
    service: ServiceDep, operator_id: OperatorId, body: schemas.FacilityIn
) -> schemas.FacilityOut:
    """Register a facility and pledge its devices.

    The answer holds the transaction (`offer`) that the operator's wallet sends next.
    """
    deployment = service.deployment
    token = body.settlement_token or (deployment and deployment.settlement_token)
    if not token:
        raise InvalidInput("name a settlement token", field="settlement_token")
    tranches = tuple(TrancheTerms(t.unit_cap, t.coupon_micros_per_unit) for t in body.tranches)
    new = register.NewFacility(
        body.facility_id,
        body.name,
        body.gpu_class,
        body.site,
        body.window_start,
        body.window_end,
        body.epoch_length_s,
        calldata.checksum(token),
        body.promised_availability_ppm,
        body.fee_bps,
        tranches,
        body.devices,
    )
    settings = service.settings
    with transaction(service.engine) as connection:
        row, terms = register.register_facility(
            connection,
            operator_id=operator_id,
            new=new,
            grace_s=settings.grace_s,
            now_s=service.clock(),
        )
        # At once, and not with the first statement: attesters compare pledges across facilities.
        # The same body again gives the same bytes, should the commit fail.
        path = f"{facility_folder(row.facility_id)}/{FACILITY_FILE}"
        service.evidence.write(path, row.terms_json)
        (shown,) = market.facility_rows(connection, row.facility_id)
    return facility_out(shown, _offer(service, terms))


@router.get("/v1/facilities", responses=errors(422), tags=["public"])
def list_facilities(
    service: ServiceDep, offset: Offset = 0, limit: Limit = 1_000
) -> list[schemas.FacilityOut]:
    """Facilities, by id."""
    with reading(service.engine) as connection:
        rows = market.facility_rows(connection, offset=offset, limit=limit)
    return [facility_out(row) for row in rows]


@router.get("/v1/facilities/{facility_id}", responses=errors(404, 422), tags=["public"])
def get_facility(service: ServiceDep, facility_id: FacilityPath) -> schemas.FacilityOut:
    """One facility."""
    with reading(service.engine) as connection:
        rows = market.facility_rows(connection, facility_id)
    if not rows:
        raise NotFound(f"no facility {facility_id}", facility_id=facility_id)
    return facility_out(rows[0])


def _own(service: Service, operator_id: int, facility_id: int) -> None:
    """Refuse facilities of others as if they did not exist."""
    with reading(service.engine) as connection:
        register.own_facility_row(connection, operator_id, facility_id)


_LEASES = "/v1/facilities/{facility_id}/leases"


@router.post(
    _LEASES,
    status_code=201,
    responses=already(schemas.LeaseOut) | errors(400, 401, 403, 404, 409, 413, 422),
    tags=["operator"],
)
def create_lease(
    service: ServiceDep,
    response: Response,
    operator_id: OperatorId,
    facility_id: FacilityPath,
    body: schemas.LeaseIn,
) -> schemas.LeaseOut:
    """Open a lease with its first price. The same body again answers 200 and changes nothing."""
    _own(service, operator_id, facility_id)
    new = lease_steps.NewLease(
        body.lease_id,
        body.renter_ref,
        body.plan,
        body.committed_gpus,
        body.max_gpus,
        body.opened_at,
        body.price_micros_per_gpu_hour,
        body.sla_credit_bps,
    )
    with transaction(service.engine) as connection:
        row, created = lease_steps.open_lease(connection, facility_id, new)
    response.status_code = 201 if created else 200
    return schemas.LeaseOut(lease_id=row.lease_id, lease=hex32(row.lease), created=created)


@router.post(
    _LEASES + "/{lease_id:path}/prices",
    responses=errors(400, 401, 403, 404, 409, 413, 422),
    tags=["operator"],
)
def create_price(
    service: ServiceDep,
    operator_id: OperatorId,
    facility_id: FacilityPath,
    lease_id: LeasePath,
    body: schemas.PriceIn,
) -> schemas.Changed:
    """Add a price version. Prices never change backwards."""
    _own(service, operator_id, facility_id)
    price = (body.effective_from, body.price_micros_per_gpu_hour, body.sla_credit_bps)
    with transaction(service.engine) as connection:
        created = lease_steps.add_price(connection, facility_id, lease_id, price)
    return schemas.Changed(created=created)


@router.post(
    _LEASES + "/{lease_id:path}/close",
    responses=errors(400, 401, 403, 404, 409, 413, 422),
    tags=["operator"],
)
def close_lease(
    service: ServiceDep,
    operator_id: OperatorId,
    facility_id: FacilityPath,
    lease_id: LeasePath,
    body: schemas.CloseIn,
) -> schemas.Changed:
    """End a lease."""
    _own(service, operator_id, facility_id)
    with transaction(service.engine) as connection:
        created = lease_steps.close_lease(connection, facility_id, lease_id, body.closed_at)
    return schemas.Changed(created=created)


@router.post(
    "/v1/events",
    responses=errors(400, 401, 403, 413, 415, 422),
    openapi_extra=EVENT_BODY,
    description=EVENTS_ABOUT,
    response_model=schemas.BatchOut,
    tags=["operator"],
)
async def post_events(request: Request, service: ServiceDep, operator_id: OperatorId) -> Response:
    """Push metering. Every event is answered on its own; sending a body again is always safe."""
    body = await request.body()

    def work() -> JSONResponse:
        batch = read_events(
            body,
            content_type=request.headers.get("content-type"),
            encoding=request.headers.get("content-encoding"),
        )
        results = ingest(
            service.engine,
            operator_id,
            batch.events,
            broken=batch.broken,
            clock=service.clock,
        )
        counts = dict.fromkeys(("accepted", "duplicate", "rejected"), 0)
        rows = []
        for r in results:
            counts[r.status] += 1
            row = {"index": r.index, "source": r.source, "id": r.id, "status": r.status}
            rows.append(row if r.code is None else {**row, "code": r.code, "detail": r.detail})
        return JSONResponse(
            {
                "accepted": counts["accepted"],
                "duplicates": counts["duplicate"],
                "rejected": counts["rejected"],
                "results": rows,
            }
        )

    return await run_in_threadpool(work)
