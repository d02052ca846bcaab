"""Usage ledger entries and the rules that place them in epochs."""

from dataclasses import dataclass
from enum import IntEnum

from api.domain.facility import FacilityTerms
from api.domain.metering.instants import format_instant
from api.domain.units import Bytes32, Epoch
from api.errors import EventRejected

MAX_FUTURE_S = 5 * 60
MAX_PAST_S = 35 * 86_400


class LineKind(IntEnum):
    """Kind of a statement line; the order of kinds is the order of lines.

    The first five name an interval of a device. A difference is money alone: what a component of a
    lease's obligation owes for a period, less what was stated of it before.
    """

    USAGE = 0
    DELIVERY = 1
    LATE = 2
    LATE_DELIVERY = 3
    VOID = 4
    USAGE_DIFFERENCE = 5
    TIER_DIFFERENCE = 6
    SHORTFALL_DIFFERENCE = 7
    MINIMUM_DIFFERENCE = 8
    SLA_DIFFERENCE = 9
    FIXED_DIFFERENCE = 10
    ADJUSTMENT_DIFFERENCE = 11


# Kinds whose interval lies in the statement's own epoch and whose GPU-seconds count for it.
COUNTED_KINDS = frozenset({LineKind.USAGE, LineKind.DELIVERY})
# Kinds that the ledger records, of a device each; the others are differences, which are computed.
RECORDED_KINDS = frozenset(kind for kind in LineKind if kind <= LineKind.VOID)
# Kinds that serve vouchers, by the length of their interval.
DELIVERY_KINDS = frozenset({LineKind.DELIVERY, LineKind.LATE_DELIVERY})


def usage_kind(*, delivery: bool, late: bool) -> LineKind:
    """Kind of the line that a usage record makes; `late`: its own epoch was closed already."""
    if late:
        return LineKind.LATE_DELIVERY if delivery else LineKind.LATE
    return LineKind.DELIVERY if delivery else LineKind.USAGE


@dataclass(frozen=True, slots=True)
class Interval:
    """One device in use, out of service, or delivering, over `[start_s, end_s)`."""

    device: Bytes32
    lease: Bytes32
    start_s: int
    end_s: int


@dataclass(frozen=True, slots=True)
class Outage(Interval):
    """A device that could not be used. `lease` is the lease it was withheld from, or zero."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a record lands: the epoch of its statement, and whether it is late there."""

    statement_epoch: Epoch
    late: bool


def place_interval(
    terms: FacilityTerms,
    interval: Interval,
    *,
    recorded_at_s: int,
    earliest_open: Epoch | None,
) -> Placement:
    """Epoch in which an interval is stated, by its own time and by when it was recorded.

    Args:    earliest_open: what `open_epoch` answers for `recorded_at_s`.
    Raises:  EventRejected `interval_empty`, `outside_window`, `crosses_epoch`, `in_the_future`,
             `too_old`, `device_unknown`, `facility_closed`.
    """
    start_s, end_s = interval.start_s, interval.end_s
    if end_s <= start_s:
        raise EventRejected("interval_empty", f"interval ends {start_s - end_s} s before it starts")
    if interval.device not in terms.device_set:
        raise EventRejected("device_unknown", "device is not pledged to the facility")
    if not (terms.window_start_s <= start_s and end_s <= terms.window_end_s):
        raise EventRejected(
            "outside_window",
            f"interval is outside the delivery window {format_instant(terms.window_start_s)}"
            f" to {format_instant(terms.window_end_s)}",
        )
    if end_s > recorded_at_s + MAX_FUTURE_S:
        raise EventRejected("in_the_future", "interval ends more than 5 minutes in the future")
    if start_s < recorded_at_s - MAX_PAST_S:
        raise EventRejected("too_old", "interval starts more than 35 days in the past")
    epoch = terms.epoch_at(start_s)
    _, epoch_end_s = terms.epoch_bounds(epoch)
    if end_s > epoch_end_s:
        boundary = format_instant(epoch_end_s)
        raise EventRejected("crosses_epoch", f"split the interval at the epoch boundary {boundary}")
    if earliest_open is None:
        raise EventRejected("facility_closed", "the books of the facility are closed")
    return Placement(Epoch(max(epoch, earliest_open)), late=epoch < earliest_open)
