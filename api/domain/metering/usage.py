"""Kinds of statement lines, and which of them name time."""

from enum import IntEnum


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
# Kinds that say what was stated otherwise before: of time, and of the rent of a month's usage.
RETOLD_KINDS = frozenset({LineKind.LATE, LineKind.LATE_DELIVERY, LineKind.VOID})
EARLIER_KINDS = RETOLD_KINDS | {LineKind.USAGE_DIFFERENCE}
