"""Devices over HTTP: one name each, and no part of a card in two pledges at one time."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine

from api.access.accounts import add_operator
from api.db.facilities import facility_row, pledged_devices
from api.db.session import reading, transaction
from api.domain.devices import DeviceName
from api.domain.facility import TrancheTerms
from api.domain.metering.instants import format_instant
from api.domain.pledges import pledge_tree
from api.domain.statements.evidence import hex32
from api.domain.statements.evidence_reader import decode_facility
from api.domain.units import FacilityId
from api.errors import Conflict, InvalidInput
from api.ledger.facilities import LogHome, NewFacility, register_facility
from tests.factories import DAY_S, GRACE_S, HOUR_S, START_S, TOKEN
from tests.integration.service import Service, problem

CARD, OTHER = (f"GPU-{uuid.uuid5(uuid.NAMESPACE_URL, name)}" for name in ("card", "other"))
U = CARD[4:]
SLICES = [f"MIG-{uuid.uuid5(uuid.NAMESPACE_URL, f'slice {i}')}" for i in range(9)]
# As findings had them: each was a device of its own.
SPELLINGS = (
    CARD, f"GPU-{CARD}", f"{CARD}/0", f"{CARD}/00", f"{CARD}/000/0", f"MIG-{CARD}/1/0",
    f"MIG-{CARD}/01/0", f"MIG-{U}",
)  # fmt: skip
CLASS = "H100-SXM5-80GB"


def _slice(index: int, card: str = CARD, profile: str = "1g.10gb") -> dict[str, str]:
    return {"device": SLICES[index], "card": card, "profile": profile}


def _register(
    service: Service, *devices: Any, gpu_class: str | None = None, from_day: int = 0, **changes: Any
) -> httpx.Response:
    """A facility of a day. The class is that of its slices, if it has any."""
    profile = next((d["profile"] for d in devices if isinstance(d, dict)), None)
    start_s = START_S + from_day * DAY_S
    body = {
        "name": "hall", "site": "SE-LULEA-1", "settlement_token": TOKEN, "epoch_length_s": DAY_S,
        "gpu_class": gpu_class or (CLASS if profile is None else f"{CLASS}/{profile}"),
        "window_start": format_instant(start_s), "window_end": format_instant(start_s + DAY_S),
        "tranches": [{"unit_cap": 1}], "devices": devices,
    }  # fmt: skip
    return service.client.post("/v1/facilities", json=body | changes, headers=service.auth())


def _refused(answer: httpx.Response, reason: str) -> dict[str, Any]:
    """The body of a conflict for this reason."""
    body = problem(answer, 409, "conflict")
    assert (body["reason"], body["field"]) == (reason, "devices")
    return body


def _made(answer: httpx.Response) -> int:
    assert answer.status_code == 201, answer.text
    return int(answer.json()["facility_id"])


@pytest.mark.parametrize("spelling", SPELLINGS[1:])
def test_register__another_spelling_of_a_card__is_refused_with_the_form_to_use(
    service: Service, spelling: str
) -> None:
    """ATTACKS 47."""
    for devices in ([spelling], [CARD, spelling]):
        body = problem(_register(service, *devices), 422, "invalid_input")

        assert body["field"] == "devices"
        assert "MIG-" in body["detail"] or CARD in body["detail"]
    _made(_register(service, CARD))


def test_events__seven_spellings_of_one_card_in_one_second__one_is_taken(service: Service) -> None:
    """ATTACKS 47: the card bills a second once."""
    ledger = service.ledger
    ledger.facility_id = _made(_register(service, CARD))
    ledger.add_lease("lease-a")
    events = [ledger.usage(0, 0, HOUR_S, device=name) for name in (*SPELLINGS, CARD.upper())]

    results = service.post(events).json()["results"]

    assert [r["status"] for r in results] == ["accepted"] + ["rejected"] * 8
    # A slice by its own name is a name, but not of this pledge.
    assert [r["code"] for r in results[1:]] == [
        *["malformed_event"] * 6, "device_unknown", "malformed_event",
    ]  # fmt: skip
    assert f"write {CARD}" in results[1]["detail"]


def test_register__index_form_of_a_card_of_another_facility__is_refused(service: Service) -> None:
    _made(_register(service, CARD))

    refused = problem(_register(service, f"{CARD}/1"), 422, "invalid_input")
    again = _refused(_register(service, CARD), "device_pledged")

    assert f"write {CARD}" in refused["detail"]
    assert CARD in again["detail"]


def test_register__card_and_its_slices_in_one_facility__is_refused(service: Service) -> None:
    """ATTACKS 47: one silicon was billed eight times through its seven slices."""
    seven = [_slice(i) for i in range(7)]
    body = problem(_register(service, CARD, *seven), 422, "invalid_input")
    plain = problem(_register(service, CARD, *SLICES[:7]), 422, "invalid_input")

    assert body["detail"] == (
        "a facility pledges whole cards, or slices of one profile, not 1g.10gb, whole cards"
    )
    assert "name it with its card and profile" in plain["detail"]


@pytest.mark.both_databases
def test_register__seven_slices__are_seven_devices_of_one_card_everywhere(
    service: Service,
) -> None:
    seven = [_slice(i) for i in range(7)]
    facility_id = _made(_register(service, *seven, tranches=[{"unit_cap": 7 * 24}]))

    found = service.client.get(f"/v1/facilities/{facility_id}/devices").json()
    path = f"/v1/evidence/facility-{facility_id}/facility.json"
    terms = decode_facility(service.client.get(path).content)
    console = service.client.get(
        f"/v1/console/facilities/{facility_id}/devices", headers=service.auth()
    ).json()

    assert len({d["device"] for d in found["devices"]}) == 7
    assert len({d["card"] for d in found["devices"]}) == 1
    assert (terms.profile, set(terms.cards)) == ("1g.10gb", {terms.cards[0]})
    assert hex32(terms.pledge_tree.root) == found["pledge_root"]
    assert {d["uuid"] for d in console} == set(SLICES[:7])
    with reading(service.ledger.engine) as connection:
        pledge = pledged_devices(connection, FacilityId(facility_id))
        row = facility_row(connection, FacilityId(facility_id))
    assert row is not None
    assert tuple(pledge) == terms.pledge
    assert pledge_tree(FacilityId(facility_id), pledge).root == row.pledge_root
    # One unit more than seven devices have hours.
    more = _register(service, *seven, from_day=1, tranches=[{"unit_cap": 7 * 24 + 1}])
    assert problem(more, 422, "invalid_input")["field"] == "tranches"


@pytest.mark.parametrize(
    ("devices", "gpu_class", "field"),
    [
        ([_slice(i) for i in range(8)], None, "devices"),
        ([_slice(i, profile="3g.40gb") for i in range(3)], None, "devices"),
        ([_slice(0), _slice(1, profile="2g.20gb")], None, "devices"),
        ([_slice(0), _slice(0)], None, "devices"),
        ([_slice(0), _slice(0, OTHER)], None, "devices"),
        ([_slice(0)], CLASS, "gpu_class"),
        ([_slice(0)], f"{CLASS}/2g.20gb", "gpu_class"),
        ([CARD], f"{CLASS}/1g.10gb", "gpu_class"),
        ([_slice(0, SLICES[1])], None, "devices"),
        ([_slice(0, f"{CARD}/1")], None, "devices"),
        ([{"device": CARD, "card": OTHER, "profile": "1g.10gb"}], None, "devices"),
        ([{"device": f"MIG-{U}", "card": CARD, "profile": "1g.10gb"}], None, "devices"),
        ([_slice(0, profile="CPX")], None, "devices"),
        ([_slice(0, profile="1c.3g.40gb")], None, "devices"),
        ([CARD.upper()], None, "devices"),
        (["GPU-00000000-0000-0000-0000-000000000000"], None, "devices"),
        ([7], None, "devices.0"),
        ([{"device": SLICES[0], "card": CARD}], f"{CLASS}/1g.10gb", "devices.0.slice.profile"),
    ],
)  # fmt: skip
def test_register__devices_that_cannot_stand_together__name_the_field(
    service: Service, devices: list[Any], gpu_class: str | None, field: str
) -> None:
    given = [d for d in devices if not isinstance(d, dict) or "profile" in d]
    profile = next((d["profile"] for d in given if isinstance(d, dict)), None)
    named = gpu_class or (CLASS if profile is None else f"{CLASS}/{profile}")

    body = problem(_register(service, gpu_class=named, devices=devices), 422, "invalid_input")

    assert body["field"] == field


@pytest.mark.parametrize(
    ("first", "second", "named"),
    [
        ([CARD], [_slice(0)], CARD),
        ([_slice(0)], [CARD], CARD),
        ([_slice(0)], [_slice(1)], CARD),
        ([_slice(0)], [_slice(0)], SLICES[0]),
        ([_slice(0)], [_slice(0, OTHER)], SLICES[0]),
        ([_slice(0)], [f"GPU-{SLICES[0][4:]}"], f"GPU-{SLICES[0][4:]}"),
        ([CARD], [{"device": f"MIG-{U}", "card": OTHER, "profile": "1g.10gb"}], f"MIG-{U}"),
    ],
)
def test_register__part_of_a_card_of_another_pledge__is_a_conflict_while_windows_overlap(
    service: Service, first: list[Any], second: list[Any], named: str
) -> None:
    """ATTACKS 23."""
    facility_id = _made(_register(service, *first))

    body = _refused(_register(service, *second), "device_pledged")

    assert named in body["detail"]
    assert f"facility {facility_id}" in body["detail"]
    # What another operator pledged, and the caller did not name, is not told.
    told = {x if isinstance(x, str) else name for x in second for name in _names(x)}
    assert all(name in told for name in (CARD, *SLICES) if name in body["detail"])


def _names(device: Any) -> tuple[str, ...]:
    return (device,) if isinstance(device, str) else (device["device"], device["card"])


@pytest.mark.both_databases
def test_register__slice_after_its_card__is_free_and_of_another_card_never(
    service: Service,
) -> None:
    _made(_register(service, CARD))
    _made(_register(service, _slice(0), from_day=1))
    _made(_register(service, _slice(1), _slice(0), from_day=2))

    body = _refused(_register(service, _slice(0, OTHER), from_day=3), "slice_of_another_card")

    assert SLICES[0] in body["detail"]
    assert OTHER in body["detail"]
    assert CARD not in body["detail"]


def test_usage__of_slices__is_billed_by_each_for_itself(service: Service) -> None:
    """A slice is one device; its card is none of the pledge."""
    ledger = service.ledger
    ledger.facility_id = _made(_register(service, _slice(0), _slice(1)))
    ledger.add_lease("lease-a")
    names = [SLICES[0], SLICES[1], SLICES[0], CARD, SLICES[2]]
    events = [ledger.usage(0, 0, HOUR_S, device=name) for name in names]

    results = service.post(events).json()["results"]

    assert [r.get("code", r["status"]) for r in results] == [
        "accepted", "accepted", "overlap", "device_unknown", "device_unknown",
    ]  # fmt: skip


# --- whatever is registered -------------------------------------------------------------------

_CARDS = [f"GPU-{uuid.uuid5(uuid.NAMESPACE_URL, f'silicon {i}')}" for i in range(3)]
_PARTS = [f"MIG-{uuid.uuid5(uuid.NAMESPACE_URL, f'part {i}')}" for i in range(8)]
_PROFILES = {"1g.10gb": 1, "3g.40gb": 3, "4g.40gb": 4}
_WHOLE = st.sampled_from(_CARDS).map(lambda card: DeviceName(card, card))
_SLICE = st.builds(
    DeviceName, st.sampled_from(_PARTS), st.sampled_from(_CARDS), st.sampled_from([*_PROFILES])
)


@dataclass(frozen=True)
class _Drawn:
    devices: list[DeviceName]
    first_day: int
    days: int


_ONE_PROFILE = st.sampled_from([*_PROFILES]).flatmap(
    lambda profile: st.lists(
        st.builds(
            DeviceName, st.sampled_from(_PARTS), st.sampled_from(_CARDS), st.just(profile)
        ),
        min_size=1, max_size=8,
    )
)  # fmt: skip
_DRAWN = st.builds(
    _Drawn,
    st.lists(_WHOLE, min_size=1, max_size=3)
    | _ONE_PROFILE
    | st.lists(_WHOLE | _SLICE, min_size=1, max_size=4),
    st.integers(0, 2),
    st.integers(1, 2),
)


class _Undone(Exception):
    """Nothing of this transaction stays."""


@contextmanager
def _rolled_back(engine: Engine) -> Iterator[Connection]:
    with suppress(_Undone), transaction(engine) as connection:
        yield connection
        raise _Undone


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(_DRAWN, min_size=2, max_size=7))
def test_register__anything__has_no_part_of_a_card_in_two_devices_at_one_time(
    engine: Engine, drawn: list[_Drawn]
) -> None:
    """ATTACKS 23 and 47: a card bills each second at most once."""
    taken: list[_Drawn] = []
    with _rolled_back(engine) as connection:
        operator_id, _ = add_operator(
            connection, name="o", address="0x" + "1" * 40, actor="a test", now_s=START_S
        )
        for each in drawn:
            profile = next((d.profile for d in each.devices if d.profile), None)
            start_s = START_S + each.first_day * DAY_S
            new = NewFacility(
                facility_id=None,
                name="hall",
                gpu_class=CLASS if profile is None else f"{CLASS}/{profile}",
                site="SE",
                window_start_s=start_s,
                window_end_s=start_s + each.days * DAY_S,
                expires_at_s=start_s + DAY_S,
                epoch_length_s=DAY_S,
                settlement_token=TOKEN,
                promised_availability_ppm=990_000,
                fee_bps=100,
                tranches=(TrancheTerms(1),),
                device_uuids=each.devices,
            )
            try:
                register_facility(
                    connection,
                    operator_id=operator_id,
                    new=new,
                    home=LogHome(),
                    grace_s=GRACE_S,
                    now_s=START_S,
                )
            except (Conflict, InvalidInput):
                continue
            taken.append(each)

    for day in range(4):
        live = [x for x in taken if x.first_day <= day < x.first_day + x.days]
        devices = [d for x in live for d in x.devices]
        assert len({d.device for d in devices}) == len(devices)
        for card in _CARDS:
            whole = sum(d.device == card for d in devices)
            parts = [_PROFILES[d.profile] for d in devices if d.profile and d.card == card]
            # Seven compute slices: the card has all of them, each slice has its own.
            assert 7 * whole + sum(parts) <= 7
            assert sum(any(d.card == card for d in x.devices) for x in live) <= 1
    parents = {(d.device, d.card) for x in taken for d in x.devices}
    assert len(parents) == len({device for device, _ in parents})
