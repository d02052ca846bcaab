"""Figures per unit and in parts: shares, utilisation, and what one unit was paid."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from api.domain.capital.accumulator import FRACTION_BITS, Stream
from api.domain.units import PPM


def ratio_ppm(part: int, *, whole: int) -> int | None:
    """Part of a whole in parts per million, rounded down; None where there is no whole."""
    return part * PPM // whole if whole > 0 else None


@dataclass(frozen=True, slots=True)
class SupplyChange:
    """Units minted (above zero) or burned (below zero) at a block time."""

    at_s: int
    units: int


@dataclass(frozen=True, slots=True)
class Accrual:
    """Revenue that arrived for a tranche, and when everything pending after it has vested."""

    at_s: int
    amount: int
    stream_end_s: int


Change = SupplyChange | Accrual


def replay_stream(changes: Iterable[Change]) -> Stream:
    """Stream of a tranche from its events in chain order: what `trancheOf` stores.

    Before the first accrual no event of these names the second of funding, where a stream begins.
    """
    stream = Stream()
    for change in changes:
        if isinstance(change, SupplyChange):
            stream = stream.with_supply(stream.supply + change.units, change.at_s)
        else:
            base = stream.checkpoint(change.at_s)
            stream = replace(
                base,
                pending_x24=base.pending_x24 + (change.amount << FRACTION_BITS),
                end_s=change.stream_end_s,
                # A stream ends at the latest in 2106; what arrives later vests at once.
                span_s=max(0, change.stream_end_s - change.at_s),
            )
    return stream


def paid_per_unit(stream: Stream) -> int | None:
    """What one unit was paid from the beginning, with what still streams to it, rounded down.

    Returns: minor units; None while there are no units.
    """
    if not stream.supply:
        return None
    return (stream.acc_x24 + stream.pending_x24 // stream.supply) >> FRACTION_BITS


def streaming_share(stream: Stream, *, units: int, now_s: int) -> int:
    """What still streams to a holder of `units`, rounded down; minor units."""
    if not stream.supply:
        return 0
    pending_x24 = stream.checkpoint(now_s).pending_x24
    return pending_x24 * units // stream.supply >> FRACTION_BITS
