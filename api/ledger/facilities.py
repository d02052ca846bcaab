"""Registering facilities."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Select, func, or_, select, text

from api.db.bulk import chunks
from api.db.chain_store import cancelled_facilities
from api.db.facilities import facility_row, known_facility_row
from api.db.replacements import replacements_by
from api.db.rows import insert_record, insert_records, row_as
from api.db.session import is_sqlite
from api.db.tables.facilities import (
    DeviceRow,
    FacilityRow,
    OperatorRow,
    devices,
    facilities,
    operators,
)
from api.domain.devices import DeviceName, check_devices, twin
from api.domain.facility import (
    DAY_S,
    DEFAULT_ATTESTER_FEE_BPS,
    DEFAULT_LONG_STOP_S,
    DEFAULT_PATIENCE_S,
    DEFAULT_SEAL_S,
    FacilityTerms,
    TrancheTerms,
    check_terms,
)
from api.domain.hashing import device_hash, sha256
from api.domain.lifecycle import ReplacementState
from api.domain.statements.evidence import encode_facility
from api.domain.statements.evidence_reader import terms_from_bytes
from api.domain.units import MAX_I64, ZERO32, ZERO_ADDRESS, Address, Bytes32, FacilityId, OperatorId
from api.errors import Conflict, InvalidInput
from api.ledger.rosters import replacements_in

# No facility has this number.
NO_FACILITY = FacilityId(0)


@dataclass(frozen=True, slots=True)
class NewFacility:
    """A facility as an operator registers it. `facility_id` None takes the smallest free one.

    device_uuids: a whole card by its name alone, a slice with its card and profile.
    patience_s: None takes the usual one, or the least that is allowed where that is longer.
    """

    facility_id: FacilityId | None
    name: str
    gpu_class: str
    site: str
    window_start_s: int
    window_end_s: int
    expires_at_s: int
    epoch_length_s: int
    settlement_token: str
    promised_availability_ppm: int
    fee_bps: int
    tranches: tuple[TrancheTerms, ...]
    device_uuids: Sequence[str | DeviceName]
    patience_s: int | None = None
    seal_s: int = DEFAULT_SEAL_S
    long_stop_s: int = DEFAULT_LONG_STOP_S
    attester_fee_bps: int = DEFAULT_ATTESTER_FEE_BPS
    silence_available: bool = False
    unsigned_taken: bool = True

    @property
    def devices(self) -> tuple[DeviceName, ...]:
        """Devices with their cards, in the order given."""
        return tuple(DeviceName(d, card=d) if isinstance(d, str) else d for d in self.device_uuids)

    def least_patience_s(self, grace_s: int) -> int:
        """A statement needs its epoch's grace and a day of work before it can be overdue."""
        return max(self.epoch_length_s, grace_s) + DAY_S


@dataclass(frozen=True, slots=True)
class LogHome:
    """What every log of a service has in common: chain, registry, and the key of its receipts.

    key: Ed25519 public key; 32 zero bytes where nobody gets receipts.
    """

    chain_id: int = 0
    registry: Address = ZERO_ADDRESS
    key: Bytes32 = ZERO32


def register_facility(
    connection: Connection,
    *,
    operator_id: OperatorId,
    new: NewFacility,
    home: LogHome,
    grace_s: int,
    now_s: int,
) -> tuple[FacilityRow, FacilityTerms]:
    """Register a facility and its pledge.

    Returns: the stored row and the terms, ready for `FacilityRegistry.offer`.
    Raises:  InvalidInput naming the field, Conflict (`facility_exists`, `device_pledged`,
             `slice_of_another_card`).
    """
    check_devices(new.devices, gpu_class=new.gpu_class)
    # In the order of hashes, as the pledge numbers them.
    by_hash = sorted((device_hash(named.device), named) for named in new.devices)
    query = select(operators).where(operators.c.operator_id == operator_id).with_for_update()
    operator = row_as(OperatorRow, connection.execute(query).one())
    if not is_sqlite(connection):
        # Two operators must not pledge one device at the same moment.
        connection.execute(text("LOCK TABLE devices IN SHARE ROW EXCLUSIVE MODE"))
    facility_id = _choose_id(connection, new.facility_id)
    least_s = new.least_patience_s(grace_s)
    terms = _terms(new, operator.address, facility_id, by_hash, home=home, grace_s=grace_s)
    check_terms(terms)
    if terms.patience_s < least_s:
        raise InvalidInput(f"patience_s: grace and a day at least: {least_s}", field="patience_s")
    _require_unpledged(connection, new)
    document = encode_facility(terms)
    row = FacilityRow(
        facility_id=facility_id,
        operator_id=operator_id,
        name=new.name,
        name_secret=Bytes32(secrets.token_bytes(32)),
        gpu_class=new.gpu_class,
        site=new.site,
        settlement_token=new.settlement_token,
        window_start_s=new.window_start_s,
        window_end_s=new.window_end_s,
        expires_at_s=new.expires_at_s,
        epoch_length_s=new.epoch_length_s,
        device_count=terms.device_count,
        pledge_root=terms.pledge_tree.root,
        terms_json=document,
        terms_hash=sha256(document),
        grace_s=grace_s,
        last_recorded_at_s=0,
        epochs_closed=0,
        log_size=0,
        log_head=ZERO32,
        longest_s=0,
        created_at_s=now_s,
    )
    insert_record(connection, row)
    pledge = [
        DeviceRow(
            facility_id=facility_id,
            device=device,
            uuid=named.device,
            card=device_hash(named.card),
            card_uuid=named.card,
        )
        for device, named in by_hash
    ]
    insert_records(connection, pledge)
    return row, terms


def _terms(
    new: NewFacility,
    gpu_operator: str,
    facility_id: FacilityId,
    by_hash: Sequence[tuple[Bytes32, DeviceName]],
    *,
    home: LogHome,
    grace_s: int,
) -> FacilityTerms:
    """Terms of a new facility, with what it left to defaults. by_hash: its devices, ascending."""
    least_s = new.least_patience_s(grace_s)
    profile = next((named.profile for _, named in by_hash), None)
    cards = tuple(device_hash(named.card) for _, named in by_hash)
    return FacilityTerms(
        facility_id=facility_id,
        gpu_operator=gpu_operator,
        settlement_token=new.settlement_token,
        gpu_class=new.gpu_class,
        site=new.site,
        window_start_s=new.window_start_s,
        window_end_s=new.window_end_s,
        expires_at_s=new.expires_at_s,
        epoch_length_s=new.epoch_length_s,
        devices=tuple(device for device, _ in by_hash),
        cards=() if profile is None else cards,
        profile=profile,
        promised_availability_ppm=new.promised_availability_ppm,
        fee_bps=new.fee_bps,
        tranches=new.tranches,
        patience_s=max(DEFAULT_PATIENCE_S, least_s) if new.patience_s is None else new.patience_s,
        grace_s=grace_s,
        seal_s=new.seal_s,
        long_stop_s=new.long_stop_s,
        attester_fee_bps=new.attester_fee_bps,
        silence_available=new.silence_available,
        chain_id=home.chain_id,
        registry=home.registry,
        log_key=home.key,
        unsigned_taken=new.unsigned_taken,
    )


def _choose_id(connection: Connection, wanted: FacilityId | None) -> FacilityId:
    if wanted is None:
        query = select(func.coalesce(func.max(facilities.c.facility_id), 0))
        return FacilityId(int(connection.execute(query).scalar_one()) + 1)
    if facility_row(connection, wanted) is not None:
        raise Conflict(f"facility {wanted} exists", field="facility_id", reason="facility_exists")
    return wanted


def _require_unpledged(connection: Connection, new: NewFacility) -> None:
    """No part of a card is pledged to two facilities at once; one that is cancelled lets it go.

    A slice has one card for ever, so that another card for it is refused at any time.
    """
    window = new.window_start_s, new.window_end_s
    for named in chunks(new.devices):
        _require_free(connection, named, window)
        _require_same_cards(connection, named)


def require_free_elsewhere(connection: Connection, named: DeviceName, terms: FacilityTerms) -> None:
    """The same of a device that shall come to a facility which has its others already.

    A device that another facility has lost to a replacement counts as its own all the same, until
    its window ends: whether it went is for the chain to say.

    Raises:  Conflict (`device_pledged`, `slice_of_another_card`).
    """
    window = terms.window_start_s, terms.window_end_s
    _require_free(connection, [named], window, but=terms.facility_id)
    _require_same_cards(connection, [named])


def _require_same_cards(connection: Connection, named: Sequence[DeviceName]) -> None:
    slices = {x.device: x.card for x in named if x.profile is not None}
    query = _pledged().where(devices.c.uuid.in_(slices))
    came = replacements_by(connection, [*slices], window_start_s=0, window_end_s=MAX_I64)
    taken_before = [_Taken(*row) for row in connection.execute(query)]
    taken_before += [_Taken(r.uuid, r.card_uuid, r.facility_id) for r in came if r.uuid in slices]
    for taken in taken_before:
        if slices[taken.uuid] != taken.card_uuid:
            message = (
                f"slice {taken.uuid} is of another card than {slices[taken.uuid]} in facility"
                f" {taken.facility_id}"
            )
            raise Conflict(message, field="devices", reason="slice_of_another_card")


def _require_free(
    connection: Connection,
    named: Sequence[DeviceName],
    window: tuple[int, int],
    *,
    but: FacilityId = NO_FACILITY,
) -> None:
    names = {name for x in named for name in (x.device, x.card)}
    # One UUID under both kinds is one thing that somebody named wrongly.
    any_name = sorted(names | {twin(name) for name in names})
    query = _pledged().where(
        or_(devices.c.uuid.in_(any_name), devices.c.card_uuid.in_(any_name)),
        facilities.c.window_start_s < window[1],
        facilities.c.window_end_s > window[0],
        facilities.c.facility_id != but,
    )
    first = connection.execute(query.limit(1)).first()
    taken: _Taken | None = None if first is None else _Taken(*first)
    if taken is None:
        taken = _coming(connection, any_name, window, but=but)
    if taken is None:
        return
    # Of somebody else's pledge only what the caller named is told.
    if taken.uuid in names:
        message = f"device {taken.uuid} is pledged to facility {taken.facility_id}"
    elif taken.card_uuid in names:
        message = f"slices of card {taken.card_uuid} are pledged to facility {taken.facility_id}"
    else:
        name = next(n for n in any_name if n in (twin(taken.uuid), twin(taken.card_uuid)))
        message = f"{name} has the UUID of a device that is pledged to facility {taken.facility_id}"
    raise Conflict(message, field="devices", reason="device_pledged")


def _coming(
    connection: Connection,
    names: Sequence[str],
    window: tuple[int, int],
    *,
    but: FacilityId,
) -> "_Taken | None":
    """One of some devices that took another's place, or may do so."""
    rows = replacements_by(connection, names, window_start_s=window[0], window_end_s=window[1])
    for row in rows:
        if row.facility_id == but:
            continue
        facility = known_facility_row(connection, row.facility_id)
        terms = terms_from_bytes(facility.terms_json)
        coming = {
            found.row.replacement_pk
            for found in replacements_in(connection, terms)
            if found.undecided or found.state is ReplacementState.APPROVED
        }
        if row.replacement_pk in coming:
            return _Taken(row.uuid, row.card_uuid, row.facility_id)
    return None


@dataclass(frozen=True, slots=True)
class _Taken:
    """A device that a facility pledged, and its card."""

    uuid: str
    card_uuid: str
    facility_id: FacilityId


def device_names(connection: Connection, facility_id: FacilityId) -> list[tuple[str, str]]:
    """Names of the devices of a facility's first pledge, each with its card's."""
    query = select(devices.c.uuid, devices.c.card_uuid).where(devices.c.facility_id == facility_id)
    return [(row.uuid, row.card_uuid) for row in connection.execute(query)]


def _pledged() -> Select[str, str, FacilityId]:
    """Devices of all facilities that are not cancelled, with their cards."""
    return (
        select(devices.c.uuid, devices.c.card_uuid, devices.c.facility_id)
        .join(facilities, facilities.c.facility_id == devices.c.facility_id)
        .where(facilities.c.facility_id.not_in(cancelled_facilities()))
    )
