"""Reading a lease's terms from an event: each component, and what no component says."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from api.domain.json_text import as_bytes32
from api.domain.metering.event_types import Envelope, TermsEvent
from api.domain.metering.fields import instant, integer, text
from api.domain.metering.lease_terms import (
    GPUS_OF_PRICES,
    MAX_GPUS,
    MAX_STEPS,
    CommitmentStep,
    FixedItem,
    PriceStep,
    SlaStep,
    TermsVersion,
    TierStep,
)
from api.domain.units import BPS, MAX_PRICE, MAX_U32, PPM, ZERO32, Minor
from api.errors import EventRejected

REQUIRED_TERMS = frozenset({"facility_id", "lease_id", "renter_ref", "version", "from"})
OPTIONAL_TERMS = frozenset(
    {
        *("until", "max_gpus", "prices", "tiers", "hours_before", "commitment", "minimum"),
        *("fixed", "sla", "sla_cap_bps", "previous", "reason"),
    }
)
# What contracts of the field also say and no component does, by the names that people give it.
REFUSED_TERMS: Mapping[str, str] = {
    "billing_increment_s": "time is billed by the second: round it in no record",
    "minimum_charge_s": "time is billed by the second: a minimum is money a month",
    "node_billing": "a device is billed, not its node: give the price of a node's 8 GPUs",
    "tax_bps": "amounts are net: taxes stand on your own invoices",
    "vat_bps": "amounts are net: taxes stand on your own invoices",
    "egress": "only time of devices is metered: other services are fixed items",
    "storage": "only time of devices is metered: other services are fixed items",
    "price_index": "a price is a number: state each one by a version, or by its schedule",
    "currency": "a facility has one settlement token, and amounts are in it",
    "exchange_rate": "a facility has one settlement token, and amounts are in it",
}
_T = TypeVar("_T")


def read_terms(envelope: Envelope, data: Mapping[str, object]) -> TermsEvent:
    """Read a version of a lease's terms. Raises EventRejected naming the field."""
    until = data.get("until")
    complete = {"max_gpus": 0, "hours_before": 0, "minimum": 0, "sla_cap_bps": BPS, **data}
    terms = TermsVersion(
        version=integer(data, "version", low=1, high=MAX_U32),
        previous=ZERO32,
        party=ZERO32,
        from_s=instant(data, "from"),
        until_s=None if until is None else instant(data, "until"),
        max_gpus=integer(complete, "max_gpus", low=0, high=MAX_GPUS),
        prices=_steps(data, "prices", {"from", "price"}, _price, optional=frozenset({"gpus"})),
        tiers=_steps(data, "tiers", {"above_hours", "discount_bps"}, _tier),
        hours_before=integer(complete, "hours_before", low=0, high=MAX_U32),
        commitment=_steps(data, "commitment", {"from", "gpus"}, _committed),
        minimum=Minor(integer(complete, "minimum", low=0, high=MAX_PRICE)),
        fixed=_steps(data, "fixed", {"id", "at", "amount"}, _fixed),
        sla=_steps(data, "sla", {"above_ppm", "credit_bps"}, _sla),
        sla_cap_bps=integer(complete, "sla_cap_bps", low=0, high=BPS),
    )
    previous = None
    if data.get("previous") is not None:
        try:
            previous = as_bytes32(data["previous"])
        except (TypeError, ValueError) as error:
            message = "previous must be 32 bytes in hexadecimal"
            raise EventRejected("malformed_event", message, field="previous") from error
    if "reason" in data:
        text(data, "reason")
    lease_id, renter_ref = text(data, "lease_id", 120), text(data, "renter_ref", 120)
    return TermsEvent(envelope, lease_id, renter_ref, terms, previous)


def _steps(
    data: Mapping[str, object],
    field: str,
    names: set[str],
    read: Callable[[Mapping[str, object]], _T],
    *,
    optional: frozenset[str] = frozenset(),
) -> tuple[_T, ...]:
    rows = data.get(field, [])
    if not isinstance(rows, list) or len(rows) > MAX_STEPS:
        message = f"{field} must be a list of at most {MAX_STEPS}"
        raise EventRejected("malformed_event", message, field=field)
    found = []
    for i, row in enumerate(rows):
        if not isinstance(row, dict) or not names <= row.keys() <= names | optional:
            message = f"{field}[{i}] must have {', '.join(sorted(names))}"
            raise EventRejected("malformed_event", message, field=field)
        try:
            found.append(read(row))
        except EventRejected as error:
            message = f"{field}[{i}].{error.message}"
            raise EventRejected(error.reason, message, field=field) from error
    return tuple(found)


def _price(row: Mapping[str, object]) -> PriceStep:
    gpus = integer({"gpus": 1, **row}, "gpus", low=1, high=GPUS_OF_PRICES)
    price = integer(row, "price", low=0, high=MAX_PRICE * gpus)
    return PriceStep(instant(row, "from"), Minor(price), gpus)


def _tier(row: Mapping[str, object]) -> TierStep:
    hours = integer(row, "above_hours", low=0, high=MAX_U32)
    return TierStep(hours, integer(row, "discount_bps", low=0, high=BPS))


def _committed(row: Mapping[str, object]) -> CommitmentStep:
    return CommitmentStep(instant(row, "from"), integer(row, "gpus", low=0, high=MAX_GPUS))


def _fixed(row: Mapping[str, object]) -> FixedItem:
    amount = integer(row, "amount", low=-MAX_PRICE, high=MAX_PRICE)
    return FixedItem(text(row, "id", 120), instant(row, "at"), Minor(amount))


def _sla(row: Mapping[str, object]) -> SlaStep:
    share = integer(row, "above_ppm", low=0, high=PPM - 1)
    return SlaStep(share, integer(row, "credit_bps", low=0, high=BPS))
