"""Terms of a lease as an event has them: each component, each bound, what is refused by name."""

from typing import Any

import pytest

from api.domain.metering.event_types import TermsEvent
from api.domain.metering.events import LEASE_TERMS, parse_event
from api.domain.metering.lease_terms import (
    MAX_STEPS,
    CommitmentStep,
    FixedItem,
    PriceStep,
    SlaStep,
    TermsVersion,
    TierStep,
    check_terms_version,
)
from api.domain.metering.terms_events import OPTIONAL_TERMS, REFUSED_TERMS
from api.domain.units import MAX_PRICE, MAX_U32, ZERO32
from api.errors import EventRejected
from tests.unit.payloads import agreed, at
from tests.unit.values import START_S

HOUR_S = 3_600
WHOLE: dict[str, Any] = {
    "until": at(9 * HOUR_S),
    "max_gpus": 16,
    "prices": [
        {"from": at(0), "price": 20_000_000, "gpus": 8},
        {"from": at(HOUR_S), "price": 2_000_000},
    ],
    "tiers": [{"above_hours": 0, "discount_bps": 0}, {"above_hours": 100, "discount_bps": 2_500}],
    "hours_before": 7,
    "commitment": [{"from": at(0), "gpus": 8}, {"from": at(HOUR_S), "gpus": 16}],
    "minimum": 5_000_000,
    "fixed": [{"id": "setup", "at": at(0), "amount": -3}],
    "sla": [{"above_ppm": 1_000, "credit_bps": 1_000}, {"above_ppm": 50_000, "credit_bps": 5_000}],
    "sla_cap_bps": 3_000,
    "previous": "0x" + "11" * 32,
    "reason": "signed late",
}


def _read(**components: Any) -> TermsEvent:
    event = parse_event(agreed("x", **components))
    assert isinstance(event, TermsEvent)
    return event


def test_read__terms_of_all_components__become_one_version() -> None:
    assert WHOLE.keys() == OPTIONAL_TERMS

    event = _read(**WHOLE)

    assert (event.lease_id, event.renter_ref, event.previous) == ("l", "r", b"\x11" * 32)
    assert event.terms == TermsVersion(
        version=1,
        previous=ZERO32,
        party=ZERO32,
        from_s=START_S,
        until_s=START_S + 9 * HOUR_S,
        max_gpus=16,
        prices=(PriceStep(START_S, 20_000_000, 8), PriceStep(START_S + HOUR_S, 2_000_000)),
        tiers=(TierStep(0, 0), TierStep(100, 2_500)),
        hours_before=7,
        commitment=(CommitmentStep(START_S, 8), CommitmentStep(START_S + HOUR_S, 16)),
        minimum=5_000_000,
        fixed=(FixedItem("setup", START_S, -3),),
        sla=(SlaStep(1_000, 1_000), SlaStep(50_000, 5_000)),
        sla_cap_bps=3_000,
    )
    check_terms_version(event.terms)


def test_read__terms_of_no_component__say_nothing_but_when() -> None:
    event = _read(prices=[])

    assert event.previous is None
    assert event.terms == TermsVersion(1, ZERO32, ZERO32, START_S)
    assert _read(prices=[], until=None, previous=None) == event


@pytest.mark.parametrize("name", sorted(REFUSED_TERMS))
def test_read__what_no_component_does__is_refused_by_its_name(name: str) -> None:
    with pytest.raises(EventRejected) as refused:
        _read(**{name: 1})

    assert (refused.value.reason, refused.value.context["field"]) == ("terms_unsupported", name)
    assert refused.value.message == REFUSED_TERMS[name]


_MANY = [{"above_hours": i, "discount_bps": 1} for i in range(MAX_STEPS + 1)]


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("version", 0, "number_out_of_range"),
        ("version", MAX_U32 + 1, "number_out_of_range"),
        ("version", True, "malformed_event"),
        ("from", 0, "invalid_time"),
        ("until", 0, "invalid_time"),
        ("max_gpus", -1, "number_out_of_range"),
        ("max_gpus", None, "malformed_event"),
        ("prices", None, "malformed_event"),
        ("prices", {"from": at(0), "price": 1}, "malformed_event"),
        ("prices", [1], "malformed_event"),
        ("prices", [{"from": at(0)}], "malformed_event"),
        ("prices", [{"from": at(0), "price": 1, "per": "hour"}], "malformed_event"),
        ("prices", [{"from": 0, "price": 1}], "invalid_time"),
        ("prices", [{"from": at(0), "price": -1}], "number_out_of_range"),
        ("prices", [{"from": at(0), "price": 0.5}], "malformed_event"),
        ("prices", [{"from": at(0), "price": MAX_PRICE + 1}], "number_out_of_range"),
        ("prices", [{"from": at(0), "price": 1, "gpus": 0}], "number_out_of_range"),
        ("prices", [{"from": at(0), "price": 1, "gpus": 145}], "number_out_of_range"),
        ("tiers", _MANY, "malformed_event"),
        ("tiers", [{"above_hours": -1, "discount_bps": 1}], "number_out_of_range"),
        ("tiers", [{"above_hours": 1, "discount_bps": 10_001}], "number_out_of_range"),
        ("hours_before", -1, "number_out_of_range"),
        ("commitment", [{"from": at(0), "gpus": 1_000_001}], "number_out_of_range"),
        ("commitment", [{"gpus": 1}], "malformed_event"),
        ("minimum", -1, "number_out_of_range"),
        ("minimum", MAX_PRICE + 1, "number_out_of_range"),
        ("fixed", [{"id": "", "at": at(0), "amount": 1}], "malformed_event"),
        ("fixed", [{"id": "a" * 121, "at": at(0), "amount": 1}], "malformed_event"),
        ("fixed", [{"id": "a", "at": at(0), "amount": MAX_PRICE + 1}], "number_out_of_range"),
        ("fixed", [{"id": "a", "at": at(0), "amount": -MAX_PRICE - 1}], "number_out_of_range"),
        ("sla", [{"above_ppm": 1_000_000, "credit_bps": 1}], "number_out_of_range"),
        ("sla", [{"above_ppm": 1, "credit_bps": 10_001}], "number_out_of_range"),
        ("sla_cap_bps", 10_001, "number_out_of_range"),
        ("previous", "0x11", "malformed_event"),
        ("previous", 17, "malformed_event"),
        ("previous", "0x" + "gg" * 32, "malformed_event"),
        ("reason", "", "malformed_event"),
        ("renter_ref", "", "malformed_event"),
        ("lease_id", "l" * 121, "malformed_event"),
        ("notes", "x", "unknown_field"),
    ],
)
def test_read__component_out_of_its_bounds__has_its_code_and_names_the_field(
    field: str, value: Any, code: str
) -> None:
    with pytest.raises(EventRejected) as refused:
        _read(**{field: value})

    assert (refused.value.reason, refused.value.context["field"]) == (code, field)


def test_read__step_that_is_wrong__is_named_by_its_place() -> None:
    steps = [{"from": at(0), "price": 1}, {"from": at(1), "price": -1}]

    with pytest.raises(EventRejected, match=r"prices\[1\]\.price must be 0 to"):
        _read(prices=steps)


def test_type__of_terms__is_in_the_envelope() -> None:
    assert _read().envelope.type == LEASE_TERMS
