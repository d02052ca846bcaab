"""Recompute: from raw events an attester comes to the bytes of the close, or refuses."""

import json
import uuid
from dataclasses import replace
from typing import Any

import pytest

from api.domain.hashing import device_hash, salted_hash
from api.domain.lifecycle import Reopening
from api.domain.metering.events import AVAILABILITY, CORRECTION, DEVICE_REGISTERED, USAGE
from api.domain.metering.instants import format_instant
from api.domain.metering.usage import LineKind, Outage
from api.domain.statements.closing import ClosedEpoch, close_epoch
from api.domain.statements.entries import Entry
from api.domain.statements.evidence import EMPTY_CARRY
from api.domain.statements.rating import LeaseTerms, PricePlan, PriceVersion
from api.domain.statements.recompute import RawInput, leases_from, read_input, recompute
from api.domain.units import ZERO32, Epoch
from api.errors import EvidenceInvalid, InvalidInput
from tests.unit.values import DAY_S, START_S, TERMS

HOUR_S = 3_600
SALT = b"salt"
_UUIDS = [f"GPU-{uuid.uuid5(uuid.NAMESPACE_URL, str(i))}" for i in range(3)]
DEVICES = [device_hash(name) for name in _UUIDS]
_TERMS = replace(TERMS, devices=tuple(sorted(DEVICES)))
LEASE = salted_hash(SALT, "l")


def _event(kind: str, name: str, at_s: int, /, **data: Any) -> dict[str, Any]:
    payload = {
        "specversion": "1.0",
        "id": name,
        "source": "s",
        "type": kind,
        "data": {"facility_id": TERMS.facility_id, **data},
    }
    return {"type": "event", "recorded_at_s": START_S + at_s, "payload": payload}


def _span(gpu: int, from_s: int, to_s: int) -> dict[str, Any]:
    return {
        "device": _UUIDS[gpu],
        "start": format_instant(START_S + from_s),
        "end": format_instant(START_S + to_s),
    }


def _usage(name: str, gpu: int, from_s: int, to_s: int, at_s: int, **more: Any) -> dict[str, Any]:
    data = {"lease": "l", "gpu_seconds": to_s - from_s, **_span(gpu, from_s, to_s), **more}
    return _event(USAGE, name, at_s, **data)


def _outage(name: str, gpu: int, from_s: int, to_s: int, at_s: int, **more: Any) -> dict[str, Any]:
    return _event(AVAILABILITY, name, at_s, **_span(gpu, from_s, to_s), **more)


def _void(name: str, of: str, at_s: int) -> dict[str, Any]:
    return _event(CORRECTION, name, at_s, corrects={"source": "s", "id": of}, action="void")


def _raw(*events: dict[str, Any], **changes: Any) -> RawInput:
    lease = {
        "lease_id": "l",
        "renter_ref": "r",
        "plan": "on_demand",
        "committed_gpus": 0,
        "opened_at_s": START_S,
        "closed_at_s": None,
        "prices": [[1, START_S, 1_000_000, 0]],
    }
    return RawInput(**{"salt": SALT, "leases": [lease], "events": list(events), **changes})


def _recomputed(raw: RawInput, epoch: int = 0) -> ClosedEpoch:
    period = _TERMS.period(Epoch(epoch))
    return recompute(_TERMS, period, raw, carry=EMPTY_CARRY, previous_hash=ZERO32)


def _kinds(closed: ClosedEpoch) -> list[LineKind]:
    return [line.kind for line in closed.lines]


def test_recompute__usage_delivery_and_outages__are_the_bytes_of_the_close() -> None:
    raw = _raw(
        _usage("a", 0, 0, HOUR_S, HOUR_S),
        _usage("b", 1, 0, 60, 11, kind="delivery"),
        _outage("c", 2, 0, 60, 12),
        _outage("d", 2, 60, 120, 13, lease="l"),
        _event(DEVICE_REGISTERED, "e", 14, device=_UUIDS[0]),
    )
    hour = (START_S, START_S + HOUR_S)
    lease = LeaseTerms(
        lease=LEASE,
        renter=salted_hash(SALT, "renter:r"),
        plan=PricePlan.ON_DEMAND,
        committed_gpus=0,
        opened_at_s=START_S,
        closed_at_s=None,
        prices=(PriceVersion(1, START_S, 1_000_000),),
    )

    expected = close_epoch(
        _TERMS,
        _TERMS.period(Epoch(0)),
        entries=[
            Entry(LineKind.DELIVERY, DEVICES[1], LEASE, START_S, START_S + 60),
            Entry(LineKind.USAGE, DEVICES[0], LEASE, *hour),
        ],
        outages=[
            Outage(DEVICES[2], ZERO32, START_S, START_S + 60),
            Outage(DEVICES[2], LEASE, START_S + 60, START_S + 120),
        ],
        leases={LEASE: lease},
        carry=EMPTY_CARRY,
        previous_statement_hash=ZERO32,
    )

    assert leases_from(raw) == {LEASE: lease}
    assert _recomputed(raw).files == expected.files
    assert _recomputed(raw).statement == expected.statement


def test_recompute__void__in_its_own_epoch_vanishes_and_later_is_a_line() -> None:
    usage = _usage("a", 0, 0, HOUR_S, HOUR_S)
    late = _usage("b", 1, 0, HOUR_S, DAY_S + 5)
    soon, later = (
        _raw(usage, _void("v", "a", HOUR_S + 20)),
        _raw(usage, late, _void("v", "a", DAY_S + 20)),
    )

    assert _kinds(_recomputed(soon)) == []
    assert _kinds(_recomputed(later, 0)) == [LineKind.USAGE]
    assert _kinds(_recomputed(later, 1)) == [LineKind.LATE, LineKind.VOID]
    assert _kinds(_recomputed(later, 2)) == []


def test_recompute__closing_of_an_ended_facility__takes_what_was_late_in_time() -> None:
    """Ended in epoch 1; its usage and outages are stated nowhere, nor what came after the grace."""
    ended_s = DAY_S + HOUR_S
    raw = _raw(
        _usage("cut short", 0, DAY_S, DAY_S + 60, DAY_S + 70),
        _outage("out", 1, DAY_S, DAY_S + 60, DAY_S + 70),
        _usage("late", 1, 0, HOUR_S, DAY_S + 70),
        _usage("too late", 2, 0, HOUR_S, ended_s + 60),
        grace_s=60,
    )
    period = _TERMS.closing_period(ended_at_s=START_S + ended_s, grace_s=60)
    assert period is not None

    closed = recompute(_TERMS, period, raw, carry=EMPTY_CARRY, previous_hash=ZERO32)

    assert [line.kind for line in closed.lines] == [LineKind.LATE, LineKind.USAGE_DIFFERENCE]
    assert closed.statement.available_gpu_seconds == 0


def test_recompute__void_of_a_sealed_record__is_refused() -> None:
    terms = replace(_TERMS, window_end_s=START_S + 45 * DAY_S, seal_s=DAY_S)
    raw = _raw(_usage("a", 0, 0, HOUR_S, HOUR_S), _void("v", "a", 32 * DAY_S))

    with pytest.raises(EvidenceInvalid, match="sealed"):
        recompute(terms, terms.period(Epoch(32)), raw, carry=EMPTY_CARRY, previous_hash=ZERO32)


def test_recompute__reopened_epoch__takes_records_of_its_own_time_again() -> None:
    late = _usage("a", 0, 0, HOUR_S, DAY_S + 20)
    reopened = _raw(late, reopenings=(Reopening(0, START_S + DAY_S + 10),))

    assert _kinds(_recomputed(_raw(late))) == []
    assert _kinds(_recomputed(reopened)) == [LineKind.USAGE]


@pytest.mark.parametrize(
    ("events", "message"),
    [
        ([_usage("a", 0, 0, 60, 1), _usage("a", 1, 0, 60, 2)], "repeated or of another"),
        ([_usage("a", 0, 0, 60, 1, facility_id=8)], "repeated or of another"),
        ([_outage("o", 0, 0, 60, DAY_S + 1)], "another epoch"),
        ([_outage("o", 0, DAY_S, DAY_S + 60, DAY_S + 1)], "another epoch"),
        ([_outage("o", 0, 0, 60, 1, lease="other")], "lease that was not supplied"),
        ([_void("v", "a", 1)], "was not supplied"),
        (
            [_usage("d", 0, 0, 60, 1, kind="delivery"), _void("v", "d", DAY_S + 20)],
            "delivery that was stated",
        ),
        ([_usage("a", 0, 0, 60, 1), _void("v", "a", 45 * DAY_S)], "was not supplied"),
    ],
)
def test_recompute__input_that_breaks_a_rule__is_refused(
    events: list[dict[str, Any]], message: str
) -> None:
    with pytest.raises(EvidenceInvalid, match=message):
        _recomputed(_raw(*events))


def test_leases__without_a_first_price__are_refused() -> None:
    raw = _raw()
    raw.leases[0]["prices"] = []

    with pytest.raises(InvalidInput, match="must cover the opening"):
        leases_from(raw)


def test_read_input__of_every_kind_of_line__keeps_them_apart() -> None:
    rows: list[dict[str, Any]] = [
        {"type": "facility", "salt": "0x" + SALT.hex(), "grace_s": 5, "reopenings": [[1, 9]]},
        {"type": "lease", "lease_id": "l"},
        _usage("a", 0, 0, 60, 1),
    ]

    raw = read_input(json.dumps(row) for row in rows)

    assert (raw.salt, raw.grace_s, raw.reopenings) == (SALT, 5, (Reopening(1, 9),))
    assert (raw.leases, raw.events) == (rows[1:2], rows[2:])


@pytest.mark.parametrize(
    "line", ["{", "{}", "[]", '{"type": "facility"}', '{"type": "facility", "salt": "0xzz"}']
)
def test_read_input__that_is_none__is_refused(line: str) -> None:
    with pytest.raises(EvidenceInvalid, match="not readable"):
        read_input([line])
