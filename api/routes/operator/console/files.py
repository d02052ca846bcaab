"""Files of leases and devices, read row by row as `rentroll import` does; nothing is recorded.

What the rows say is sent as anything else is: events to `POST /v1/events`, devices with an offer.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from api.db.facilities import own_facility
from api.domain.log.bodies import MAX_EVENTS
from api.errors import InvalidInput
from api.ledger.importers.devices_csv import read_devices
from api.ledger.importers.leases_csv import NEEDED, OPTIONAL, LeasesReader
from api.ledger.importers.rows import Refused
from api.ledger.importers.tables import Source, source_of
from api.routes.http.body import decompress
from api.routes.http.credentials import OperatorReader
from api.routes.http.parameters import FacilityPath
from api.routes.http.problems import errors
from api.routes.http.strict import StrictRoute
from api.routes.operator.console import CONSOLE_FACILITY
from api.routes.operator.events import body_held
from api.routes.service import Service, ServiceDep

router = APIRouter(tags=["console"], route_class=StrictRoute)

_ERRORS = errors(400, 401, 403, 404, 408, 413, 422, 429)
_GZIP = b"\x1f\x8b"


def _body(description: str, example: str) -> dict[str, object]:
    content = {"text/csv": {"schema": {"type": "string"}, "example": example}}
    return {"requestBody": {"required": True, "description": description, "content": content}}


_LEASES_BODY = _body(
    f"CSV, plain or gzip, with a header: {', '.join(NEEDED)}; and, if wanted,"
    f" {', '.join(OPTIONAL)}. Its separator is found.",
    "lease_id,renter_ref,from,price_micros_per_gpu_hour\nlease-7,renter-7,2026-01-01,2490000\n",
)
_DEVICES_BODY = _body(
    "CSV, plain or gzip, with a header: device; of slices also card and profile.",
    "device\nGPU-0b9f1a52-3c1d-4e5f-8a6b-7c8d9e0f1a2b\n",
)


class RefusedRowOut(BaseModel):
    """A row that is not taken."""

    line: int = Field(description="Line of the file on which it begins, from 1.")
    name: str = Field(description="The lease or device that it names, as far as it does.")
    reason: str = Field(description="Why, in one stable word of docs/IMPORT.md.")
    detail: str = Field(description="The same in a sentence.")


class LeaseRowOut(BaseModel):
    """A row that says first terms of a lease."""

    line: int = Field(description="Line of the file on which it begins, from 1.")
    lease_id: str = Field(description="Your id of the lease.")
    event: dict[str, object] = Field(
        description="The event that it makes, for `POST /v1/events/check` and `POST /v1/events`."
        " Its id is made of the lease's: a file that is sent twice makes duplicates."
    )


class LeaseFileOut(BaseModel):
    """What a file of leases says."""

    rows: list[LeaseRowOut] = Field(description="In the order of the file.")
    refused: list[RefusedRowOut] = Field(description="In the order of the file.")


class DeviceRowOut(BaseModel):
    """A device."""

    device: str = Field(description="Its one name.")
    card: str = Field(description="The card that a slice is of; of a whole card its own name.")
    profile: str | None = Field(description="Of a slice; null for a whole card.")


class DeviceFileOut(BaseModel):
    """What a file of devices says."""

    devices: list[DeviceRowOut] = Field(description="In the order of the file.")
    refused: list[RefusedRowOut] = Field(
        description="In the order of the file. An offer has all devices of a file, or none."
    )


def _refused(row: Refused) -> RefusedRowOut:
    return RefusedRowOut(line=row.line, name=row.job, reason=row.reason, detail=row.detail)


@contextmanager
def _opened(body: bytes) -> Iterator[Source]:
    data = decompress(body, "gzip") if body.startswith(_GZIP) else body
    with source_of(data, name="the file") as source:
        yield source


async def _read(
    request: Request,
    service: Service,
    operator_id: OperatorReader,
    read: Callable[[bytes], BaseModel],
) -> Response:
    """Read a body within the bounds of those of events: it is as large, and takes as long."""
    gate = service.gate
    gate.admit_request(operator_id)

    def work(body: bytes) -> Response:
        return Response(read(body).model_dump_json(), media_type="application/json")

    async with body_held(request, gate, operator_id) as body:
        return await gate.work(operator_id, partial(work, body))


@router.post(
    f"{CONSOLE_FACILITY}/leases/read",
    responses=_ERRORS,
    openapi_extra=_LEASES_BODY,
    response_model=LeaseFileOut,
)
async def read_lease_file(
    request: Request,
    service: ServiceDep,
    operator_id: OperatorReader,
    facility_id: FacilityPath,
    timezone: Annotated[
        str | None,
        Query(
            max_length=60,
            description="Zone of times without an offset, such as Europe/Oslo; a day begins there.",
        ),
    ] = None,
) -> Response:
    """Read a file of leases, a lease a row, into events. Nothing is recorded.

    Rows are judged by `POST /v1/events/check`, with others of the same body, and recorded by `POST
    /v1/events`. A file has at most as many leases as a request has events.
    """

    def read(body: bytes) -> LeaseFileOut:
        with own_facility(service.engine, operator_id, facility_id):
            pass
        found = LeaseFileOut(rows=[], refused=[])
        reader = LeasesReader(facility_id, zone=timezone)
        with _opened(body) as source:
            for count, row in enumerate(reader.rows(source)):
                if count == MAX_EVENTS:
                    message = (
                        f"the file has more than {MAX_EVENTS:,} rows: send it in parts, or by"
                        " `rentroll import leases`"
                    )
                    raise InvalidInput(message, field="file")
                if isinstance(row, Refused):
                    found.refused.append(_refused(row))
                else:
                    event = dict(row.event)
                    found.rows.append(LeaseRowOut(line=row.line, lease_id=row.job, event=event))
        return found

    return await _read(request, service, operator_id, read)


@router.post(
    "/v1/console/devices/read",
    responses=_ERRORS,
    openapi_extra=_DEVICES_BODY,
    response_model=DeviceFileOut,
)
async def read_device_file(
    request: Request, service: ServiceDep, operator_id: OperatorReader
) -> Response:
    """Read a file of devices for an offer: each by its one name, none twice.

    Nothing is recorded.
    """

    def read(body: bytes) -> DeviceFileOut:
        found = DeviceFileOut(devices=[], refused=[])
        with _opened(body) as source:
            for row in read_devices(source):
                if isinstance(row, Refused):
                    found.refused.append(_refused(row))
                else:
                    named = DeviceRowOut(device=row.device, card=row.card, profile=row.profile)
                    found.devices.append(named)
        return found

    return await _read(request, service, operator_id, read)
