"""Timeline: what became of every second of a device, from all facts known, in whatever order."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from api.domain.metering.facts import Held, Out
from api.domain.metering.intervals import Span, clipped, length_s, overlap, union, without
from api.domain.units import ZERO32, Bytes32

# A device that was seen, and seen again so much later at most, was there in between.
SEEN_APART_S = 600


@dataclass(frozen=True, slots=True, order=True)
class Use:
    """A lease used a device over `[start_s, end_s)`: what a line can be made of."""

    start_s: int
    end_s: int
    lease: Bytes32
    delivery: bool


@dataclass(frozen=True, slots=True, order=True)
class Withheld:
    """A device was out of service over `[start_s, end_s)`, to a lease's harm.

    held: the lease held this device by the facts; otherwise the outage says that it was kept from
    the lease.
    """

    start_s: int
    end_s: int
    lease: Bytes32
    planned: bool
    held: bool


@dataclass(frozen=True, slots=True)
class DeviceTime:
    """One device over a span of time: its uses and outages in order, and how long it was there."""

    uses: tuple[Use, ...] = ()
    withheld: tuple[Withheld, ...] = ()
    available_s: int = 0


def device_time(
    *,
    held: Sequence[Held],
    out: Sequence[Out],
    seen: Iterable[Span],
    running: Callable[[Bytes32], Sequence[Span]],
    start_s: int,
    end_s: int,
    silence_available: bool,
) -> DeviceTime:
    """What became of a device over `[start_s, end_s)`.

    An outage beats usage, second by second; a delivery, which may have served a voucher, beats an
    outage. Usage counts while its lease runs.
    Args:    held, out: disjoint among each other, in any order.  seen: also beside the span, so
             that sightings on both sides of its ends are known.  running: when a lease runs.
    """
    delivered = union((h.start_s, h.end_s) for h in held if h.delivery)
    outages = [(o, without([(o.start_s, o.end_s)], taken=delivered)) for o in out]
    dark = union(span for _, spans in outages for span in spans)
    uses: list[Use] = []
    claimed: list[tuple[Bytes32, list[Span]]] = []
    for fact in held:
        span = [(fact.start_s, fact.end_s)]
        if not fact.delivery:
            span = overlap(span, running(fact.lease))
            claimed.append((fact.lease, span))
            span = without(span, taken=dark)
        for a, b in clipped(span, start_s=start_s, end_s=end_s):
            uses.append(Use(a, b, fact.lease, fact.delivery))
    withheld: list[Withheld] = []
    for outage, spans in outages:
        rest = clipped(spans, start_s=start_s, end_s=end_s)
        for lease, time in claimed:
            for a, b in overlap(rest, time):
                withheld.append(Withheld(a, b, lease, outage.planned, held=True))
            rest = without(rest, taken=time)
        if outage.lease != ZERO32:
            for a, b in overlap(rest, running(outage.lease)):
                withheld.append(Withheld(a, b, outage.lease, outage.planned, held=False))
    # Whoever tells of a use, in whatever lease, has seen the device.
    sightings = union([*seen, *((h.start_s, h.end_s) for h in held)], gap_s=SEEN_APART_S)
    there = [(start_s, end_s)] if silence_available else sightings
    up = without(clipped(there, start_s=start_s, end_s=end_s), taken=dark)
    return DeviceTime(_merged(uses), tuple(sorted(withheld)), length_s(up))


def _merged(uses: Iterable[Use]) -> tuple[Use, ...]:
    """In order; records of one lease that follow each other are one use."""
    merged: list[Use] = []
    for use in sorted(uses):
        last = merged[-1] if merged else None
        if last is not None and (last.end_s, last.lease, last.delivery) == (
            use.start_s,
            use.lease,
            use.delivery,
        ):
            merged[-1] = Use(last.start_s, use.end_s, use.lease, use.delivery)
        else:
            merged.append(use)
    return tuple(merged)
