"""Registering operators, attester keys and facilities."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, select, text

from api.db.chain_store import cancelled_facilities
from api.db.ledger import chunks, insert_rows
from api.db.session import is_sqlite, reading
from api.db.tables.ledger import api_keys, devices, facilities, operators
from api.domain.facility import FacilityTerms, TrancheTerms, check_terms
from api.domain.hashing import device_hash, sha256
from api.domain.metering.events import check_device_uuid
from api.domain.statements.evidence import encode_facility
from api.domain.units import FacilityId
from api.errors import Conflict, InvalidInput, NotFound


def new_api_key(prefix: str) -> tuple[str, bytes]:
    """A fresh key and what is stored of it. 256 random bits need no salt or slow hash."""
    key = f"{prefix}_{secrets.token_urlsafe(32)}"
    return key, sha256(key.encode())


def _store_key(
    connection: Connection, role: str, label: str, operator_id: int | None, now_s: int
) -> str:
    key, key_hash = new_api_key({"operator": "rr_op", "attester": "rr_at"}[role])
    row = {
        "key_hash": key_hash,
        "role": role,
        "operator_id": operator_id,
        "label": label,
        "created_at_s": now_s,
    }
    insert_rows(connection, api_keys, [row])
    return key


def add_operator(connection: Connection, *, name: str, address: str, now_s: int) -> tuple[int, str]:
    """Register an operator; returns its id and its API key, shown this once.

    Raises:  Conflict if the name or address is taken.
    """
    taken = select(operators.c.operator_id).where(
        (operators.c.name == name) | (operators.c.address == address)
    )
    if connection.execute(taken).first() is not None:
        raise Conflict("an operator of this name or address exists", field="name")
    result = connection.execute(
        insert(operators).values(name=name, address=address, created_at_s=now_s)
    )
    key_values = result.inserted_primary_key
    operator_id = int(key_values[0]) if key_values else 0
    return operator_id, _store_key(connection, "operator", name, operator_id, now_s)


def add_attester_key(connection: Connection, *, label: str, now_s: int) -> str:
    """A key that may read raw events and submit attestations, shown this once."""
    return _store_key(connection, "attester", label, None, now_s)


@dataclass(frozen=True, slots=True)
class NewFacility:
    """A facility as an operator registers it. `facility_id` None takes the smallest free one."""

    facility_id: int | None
    name: str
    gpu_class: str
    site: str
    window_start_s: int
    window_end_s: int
    epoch_length_s: int
    settlement_token: str
    promised_availability_ppm: int
    fee_bps: int
    tranches: tuple[TrancheTerms, ...]
    device_uuids: Sequence[str]


def register_facility(
    connection: Connection, *, operator_id: int, new: NewFacility, grace_s: int, now_s: int
) -> tuple[Any, FacilityTerms]:
    """Register a facility and its pledge; the devices of a pledge never change.

    Returns: the stored row and the terms, ready for `FacilityRegistry.offer`.
    Raises:  InvalidInput naming the field, Conflict (`facility_exists`, `device_pledged`).
    """
    hashes = {device_hash(check_device_uuid(uuid)): uuid for uuid in new.device_uuids}
    if len(hashes) != len(new.device_uuids):
        raise InvalidInput("a device is named twice", field="devices")
    operator = connection.execute(
        select(operators).where(operators.c.operator_id == operator_id).with_for_update()
    ).one()
    if not is_sqlite(connection):
        # Two operators must not pledge one device at the same moment.
        connection.execute(text("LOCK TABLE devices IN SHARE ROW EXCLUSIVE MODE"))
    facility_id = _choose_id(connection, new.facility_id)
    terms = FacilityTerms(
        facility_id=FacilityId(facility_id),
        gpu_operator=operator.address,
        settlement_token=new.settlement_token,
        gpu_class=new.gpu_class,
        site=new.site,
        window_start_s=new.window_start_s,
        window_end_s=new.window_end_s,
        epoch_length_s=new.epoch_length_s,
        devices=tuple(sorted(hashes)),
        promised_availability_ppm=new.promised_availability_ppm,
        fee_bps=new.fee_bps,
        tranches=new.tranches,
    )
    check_terms(terms)
    _require_unpledged(connection, new)
    document = encode_facility(terms)
    row = {
        "facility_id": facility_id,
        "operator_id": operator_id,
        "name": new.name,
        "salt": secrets.token_bytes(32),
        "gpu_class": new.gpu_class,
        "site": new.site,
        "settlement_token": new.settlement_token,
        "window_start_s": new.window_start_s,
        "window_end_s": new.window_end_s,
        "epoch_length_s": new.epoch_length_s,
        "device_count": terms.device_count,
        "pledge_root": terms.pledge_tree.root,
        "terms_json": document,
        "terms_hash": sha256(document),
        "grace_s": grace_s,
        "last_recorded_at_s": 0,
        "epochs_closed": 0,
        "created_at_s": now_s,
    }
    insert_rows(connection, facilities, [row])
    pledge = [
        {"facility_id": facility_id, "device": device, "uuid": uuid}
        for device, uuid in hashes.items()
    ]
    insert_rows(connection, devices, pledge)
    return facility_row(connection, facility_id), terms


def facility_row(connection: Connection, facility_id: int) -> Any:
    """Stored row of a facility, or None."""
    query = select(facilities).where(facilities.c.facility_id == facility_id)
    return connection.execute(query).first()


def known_facility_row(connection: Connection, facility_id: int) -> Any:
    """Stored row of a facility. Raises NotFound."""
    row = facility_row(connection, facility_id)
    if row is None:
        raise NotFound(f"no facility {facility_id}", facility_id=facility_id)
    return row


def own_facility_row(connection: Connection, operator_id: int, facility_id: int) -> Any:
    """Stored row of an operator's facility; those of others are as if they did not exist.

    Raises:  NotFound.
    """
    row = facility_row(connection, facility_id)
    if row is None or row.operator_id != operator_id:
        raise NotFound(f"no facility {facility_id} of yours", facility_id=facility_id)
    return row


@contextmanager
def own_facility(
    engine: Engine, operator_id: int, facility_id: int
) -> Iterator[tuple[Connection, Any]]:
    """A reading transaction and the stored row of an operator's facility. Raises NotFound."""
    with reading(engine) as connection:
        yield connection, own_facility_row(connection, operator_id, facility_id)


def pledged_devices(connection: Connection, facility_id: int) -> list[bytes]:
    """Hashes of a facility's devices in ascending order, as its pledge numbers them."""
    query = select(devices.c.device).where(devices.c.facility_id == facility_id)
    return list(connection.execute(query.order_by(devices.c.device)).scalars())


def _choose_id(connection: Connection, wanted: int | None) -> int:
    if wanted is None:
        query = select(func.coalesce(func.max(facilities.c.facility_id), 0))
        return int(connection.execute(query).scalar_one()) + 1
    if facility_row(connection, wanted) is not None:
        raise Conflict(f"facility {wanted} exists", field="facility_id", reason="facility_exists")
    return wanted


def _require_unpledged(connection: Connection, new: NewFacility) -> None:
    """A device is never pledged to two facilities at once; one that is cancelled lets it go."""
    for part in chunks(list(new.device_uuids)):
        query = (
            select(devices.c.uuid, devices.c.facility_id)
            .join(facilities, facilities.c.facility_id == devices.c.facility_id)
            .where(
                devices.c.uuid.in_(part),
                facilities.c.window_start_s < new.window_end_s,
                facilities.c.window_end_s > new.window_start_s,
                facilities.c.facility_id.not_in(cancelled_facilities()),
            )
        )
        taken = connection.execute(query.limit(1)).first()
        if taken is not None:
            message = f"device {taken.uuid} is pledged to facility {taken.facility_id}"
            raise Conflict(message, field="devices", reason="device_pledged")
