"""Devices of an offer from a CSV file: all of them together, or none."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from api.domain.devices import DeviceName, check_device_name, check_devices, twin
from api.domain.hashing import device_hash
from api.domain.json_text import as_integer, as_list, as_object, read_json
from api.domain.lifecycle import FacilityState
from api.domain.metering.instants import parse_instant
from api.domain.units import FacilityId
from api.errors import InvalidInput, RowRefused
from api.ledger.importers.rows import Refused
from api.ledger.importers.service import ServiceApi, registered_facilities
from api.ledger.importers.tables import Cells, Source, Table

MOST = 100_000
_KNOWN = ("device", "card", "profile")


@dataclass(frozen=True, slots=True)
class Registered:
    """What became of an offer. facility_id: None in a dry run. created: False if it was there."""

    devices: int
    facility_id: FacilityId | None
    created: bool


def read_devices(source: Source) -> Iterator[DeviceName | Refused]:
    """Devices of a file: `device`, and of slices `card` and `profile`.

    Raises:  InvalidInput naming a column that is missing or unknown, or if there are too many.
    """
    table = Table(source, ["device"])
    unknown = [name for name in table.header if name and name not in _KNOWN]
    if unknown:
        message = f"{source.name} has column {unknown[0][:40]!r}; known are {', '.join(_KNOWN)}"
        raise InvalidInput(message, field="columns")
    lines: dict[str, int] = {}
    for cells in table.rows():
        if isinstance(cells, Refused):
            yield cells
            continue
        try:
            named = _device(cells)
            for name in (named.device, twin(named.device)):
                if name in lines:
                    message = f"{name} stands on line {lines[name]} already"
                    raise RowRefused("device_refused", message)
        except RowRefused as error:
            yield Refused(cells.line, error.reason, error.message, cells.get("device"))
            continue
        lines[named.device] = cells.line
        if len(lines) > MOST:
            raise InvalidInput(f"{source.name} has more than {MOST} devices", field="devices")
        yield named


def _device(cells: Cells) -> DeviceName:
    device, profile = cells.need("device"), cells.get("profile") or None
    named = DeviceName(device, card=cells.get("card") or device, profile=profile)
    try:
        return check_device_name(named)
    except InvalidInput as error:
        raise RowRefused("device_refused", error.message) from error


def read_offer(path: Path) -> dict[str, object]:
    """The body of `POST /v1/facilities` without its devices. Raises InvalidInput."""
    try:
        offer = as_object(read_json(path.read_bytes()))
    except (OSError, ValueError, TypeError) as error:
        raise InvalidInput(f"{path.name} is no JSON object: {error}", field="offer") from error
    if "devices" in offer:
        raise InvalidInput(f"{path.name}: devices come from the other file", field="devices")
    for name in ("name", "gpu_class", "window_start", "window_end"):
        if not isinstance(offer.get(name), str):
            raise InvalidInput(f"{path.name}: {name} must be text", field=name)
    return offer


def register(
    api: ServiceApi, offer: Mapping[str, object], devices: list[DeviceName], *, dry_run: bool
) -> Registered:
    """Register an offer with its devices, or find it as it was registered before.

    A dry run judges names, profile and class, and finds it; the service judges the rest.
    Raises:  InvalidInput, AppError with what the service answers.
    """
    if not devices:
        raise InvalidInput("the file names no device below its header", field="devices")
    check_devices(devices, gpu_class=str(offer["gpu_class"]))
    found = _find(api, offer, devices)
    if found is not None or dry_run:
        return Registered(len(devices), found, created=False)
    body = {**offer, "devices": [_body(device) for device in devices]}
    answer = api.post("/v1/facilities", body)
    return Registered(len(devices), FacilityId(as_integer(answer["facility_id"])), created=True)


def _body(named: DeviceName) -> object:
    if named.profile is None:
        return named.device
    return {"device": named.device, "card": named.card, "profile": named.profile}


def _find(
    api: ServiceApi, offer: Mapping[str, object], devices: list[DeviceName]
) -> FacilityId | None:
    """A facility of the offer's name and window that pledges just these devices.

    A device has one pledge at a time, so that such a facility is what an earlier run registered.
    """
    start_s, end_s = (parse_instant(str(offer[at]), field=at) for at in _WINDOW)
    wanted = sorted("0x" + device_hash(named.device).hex() for named in devices)
    for facility in registered_facilities(api):
        if facility["state"] == FacilityState.CANCELLED.word:
            continue
        window = facility["window_start_s"], facility["window_end_s"]
        if (facility["name"], *window) != (offer["name"], start_s, end_s):
            continue
        facility_id = FacilityId(as_integer(facility["facility_id"]))
        pledge = as_object(api.get(f"/v1/facilities/{facility_id}/devices"))
        if [as_object(x)["device"] for x in as_list(pledge["devices"])] == wanted:
            return facility_id
    return None


_WINDOW = ("window_start", "window_end")
