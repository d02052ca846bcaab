"""A repeat says the same about use and money; a conflict does not."""

from typing import Any

import pytest

from api.domain.metering.billed import billed_hash
from api.domain.metering.events import (
    ADJUSTMENT,
    ALLOCATION_CONFIRMED,
    ALLOCATION_ENDED,
    ALLOCATION_OPENED,
    AVAILABILITY,
    CORRECTION,
    DEVICE_REGISTERED,
    LEASE_CLOSED,
    LEASE_OPENED,
    LEASE_TERMS,
    SEEN,
    USAGE,
    parse_event,
)
from tests.factories import device

_HOUR = {"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T01:00:00Z"}
_DATA: dict[str, dict[str, Any]] = {
    USAGE: {"device": device(1), "lease": "l", "gpu_seconds": 3_600, **_HOUR},
    AVAILABILITY: {"device": device(1), **_HOUR},
    CORRECTION: {"corrects": {"source": "s", "id": "1"}, "action": "void"},
    LEASE_OPENED: {
        "lease_id": "l",
        "renter_ref": "r",
        "plan": "spot",
        "opened_at": "2026-01-01T00:00:00Z",
        "price_micros_per_gpu_hour": 5,
    },
    LEASE_CLOSED: {"lease_id": "l", "closed_at": "2026-01-01T02:00:00Z"},
    LEASE_TERMS: {
        "lease_id": "l",
        "renter_ref": "r",
        "version": 1,
        "from": _HOUR["start"],
        "prices": [{"from": _HOUR["start"], "price": 5}],
        "fixed": [{"id": "a", "at": _HOUR["start"], "amount": 5}],
    },
    ADJUSTMENT: {"lease_id": "l", "amount": 5, "reason": "goodwill"},
    SEEN: {"device": device(1), **_HOUR},
    ALLOCATION_OPENED: {"device": device(1), "lease": "l", "start": _HOUR["start"]},
    ALLOCATION_CONFIRMED: {"allocation": {"source": "s", "id": "1"}, "until": _HOUR["end"]},
    ALLOCATION_ENDED: {"allocation": {"source": "s", "id": "1"}, "until": _HOUR["end"]},
    DEVICE_REGISTERED: {"device": device(1)},
}
_USE = {"device": device(1), "lease": "l", "gpu_seconds": 3_600, **_HOUR}
_EAST = {"start": "2026-01-01T08:00:00+08:00", "end": "2026-01-01T09:00:00+08:00"}


def _hash(kind: str, attributes: dict[str, Any], /, **data: Any) -> bytes:
    event = {"specversion": "1.0", "id": "1", "source": "s", "type": kind, **attributes}
    return billed_hash(parse_event({**event, "data": {"facility_id": 1, **_DATA[kind], **data}}))


@pytest.mark.parametrize("kind", _DATA)
def test_billed__other_envelope__is_the_same(kind: str) -> None:
    later = {"time": "2026-01-01T03:00:00Z", "traceparent": "00-1", "sequence": 7, "subject": "x"}

    assert _hash(kind, later) == _hash(kind, {})


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (USAGE, _EAST),
        (USAGE, {"utilization_ppm": 1, "energy_joules": 2}),
        (USAGE, {"kind": "usage"}),
        (AVAILABILITY, {**_EAST, "reason": "fan"}),
        (CORRECTION, {"reason": "twice"}),
        (LEASE_OPENED, {"opened_at": "2025-12-31T19:00:00-05:00", "max_gpus": 0}),
        (LEASE_OPENED, {"committed_gpus": 0}),
        (LEASE_TERMS, {"previous": "0x" + "11" * 32, "reason": "signed late"}),
        (LEASE_TERMS, {"until": None, "max_gpus": 0, "tiers": [], "sla_cap_bps": 10_000}),
        (LEASE_TERMS, {"prices": [{"from": _EAST["start"], "price": 5, "gpus": 1}]}),
        (ADJUSTMENT, {"reason": "a promise"}),
        (AVAILABILITY, {"cause": "fault"}),
        (ALLOCATION_OPENED, {"until": _EAST["start"]}),
        (LEASE_CLOSED, {"closed_at": "2026-01-01T02:00:00+00:00"}),
    ],
)
def test_billed__same_facts_spelt_otherwise__is_the_same(
    kind: str, changes: dict[str, Any]
) -> None:
    assert _hash(kind, {}, **changes) == _hash(kind, {})


_LATER = {"start": "2026-01-01T00:00:01Z", "gpu_seconds": 3_599}


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (USAGE, {"facility_id": 2}),
        (USAGE, {"device": device(2)}),
        (USAGE, {"lease": "m"}),
        (USAGE, _LATER),
        (USAGE, {"end": "2026-01-01T01:00:01Z", "gpu_seconds": 3_601}),
        (USAGE, {"kind": "delivery"}),
        (USAGE, {"gpu_class": "A100"}),
        (AVAILABILITY, {"device": device(2)}),
        (AVAILABILITY, {"lease": "l"}),
        (AVAILABILITY, {"start": "2026-01-01T00:00:01Z"}),
        (CORRECTION, {"corrects": {"source": "s", "id": "2"}}),
        (CORRECTION, {"corrects": {"source": "t", "id": "1"}}),
        (LEASE_OPENED, {"lease_id": "m"}),
        (LEASE_OPENED, {"renter_ref": "m"}),
        (LEASE_OPENED, {"plan": "on_demand"}),
        (LEASE_OPENED, {"committed_gpus": 1, "plan": "take_or_pay"}),
        (LEASE_OPENED, {"max_gpus": 1}),
        (LEASE_OPENED, {"opened_at": "2026-01-01T00:00:01Z"}),
        (LEASE_OPENED, {"price_micros_per_gpu_hour": 6}),
        (LEASE_CLOSED, {"lease_id": "m"}),
        (LEASE_CLOSED, {"closed_at": "2026-01-01T02:00:01Z"}),
        (LEASE_TERMS, {"version": 2}),
        (LEASE_TERMS, {"renter_ref": "m"}),
        (LEASE_TERMS, {"from": "2026-01-01T00:00:01Z"}),
        (LEASE_TERMS, {"until": "2026-01-01T02:00:00Z"}),
        (LEASE_TERMS, {"max_gpus": 1}),
        (LEASE_TERMS, {"prices": [{"from": _HOUR["start"], "price": 6}]}),
        (LEASE_TERMS, {"prices": [{"from": _HOUR["start"], "price": 5, "gpus": 8}]}),
        (LEASE_TERMS, {"tiers": [{"above_hours": 5, "discount_bps": 1}]}),
        (LEASE_TERMS, {"hours_before": 1}),
        (LEASE_TERMS, {"commitment": [{"from": _HOUR["start"], "gpus": 1}]}),
        (LEASE_TERMS, {"minimum": 1}),
        (LEASE_TERMS, {"fixed": [{"id": "b", "at": _HOUR["start"], "amount": 5}]}),
        (LEASE_TERMS, {"sla": [{"above_ppm": 5, "credit_bps": 1}]}),
        (LEASE_TERMS, {"sla_cap_bps": 1}),
        (ADJUSTMENT, {"amount": -5}),
        (ADJUSTMENT, {"lease_id": "m"}),
        (AVAILABILITY, {"cause": "planned"}),
        (SEEN, {"device": device(2)}),
        (SEEN, {"end": "2026-01-01T01:00:01Z"}),
        (ALLOCATION_OPENED, {"lease": "m"}),
        (ALLOCATION_OPENED, {"start": "2026-01-01T00:00:01Z"}),
        (ALLOCATION_OPENED, {"until": _HOUR["end"]}),
        (ALLOCATION_CONFIRMED, {"until": "2026-01-01T01:00:01Z"}),
        (ALLOCATION_ENDED, {"allocation": {"source": "s", "id": "2"}}),
        (CORRECTION, {"action": "replace", "replacement": _USE}),
        (DEVICE_REGISTERED, {"device": device(2)}),
    ],
)
def test_billed__another_fact__is_another(kind: str, changes: dict[str, Any]) -> None:
    assert _hash(kind, {}, **changes) != _hash(kind, {})


def test_billed__replacements__differ_by_what_they_say() -> None:
    def of(**changes: Any) -> bytes:
        return _hash(CORRECTION, {}, action="replace", replacement=_USE | changes)

    assert of() == of(**_EAST) == of(kind="usage", utilization_ppm=1)
    assert len({of(), of(lease="m"), of(device=device(2)), of(kind="delivery")}) == 4


def test_billed__every_kind__has_a_hash_of_its_own() -> None:
    assert len({_hash(kind, {}) for kind in _DATA}) == len(_DATA)
