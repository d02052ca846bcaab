"""Vouchers: what burned units give, and what delivery lines serve. Model of `DeliveryDesk`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from api.domain.capital.sale import promised_of
from api.domain.facility import FacilityTerms
from api.domain.units import SECONDS_PER_HOUR, GpuSeconds, Micros


def gpu_seconds_of_units(
    terms: FacilityTerms,
    *,
    seniority: int,
    units: int,
    rate_micros_per_gpu_hour: Micros,
    now_s: int,
) -> GpuSeconds:
    """What units give when they are burned for compute: `DeliveryDesk.gpuSecondsDown`.

    A unit is an hour, less the part of the window that is over. Its hour is worth no more than its
    coupon, and no more than what all promised hours at the bond's rate leave to its tranche.

    Args:    rate_micros_per_gpu_hour: of the bond, above 0.  now_s: before the window's end.
    Returns: one division over all units together, rounded down; 0 is no delivery.
    """
    window_s = terms.window_end_s - terms.window_start_s
    left_s = min(window_s, terms.window_end_s - now_s)
    rate = rate_micros_per_gpu_hour
    whole = units * SECONDS_PER_HOUR * left_s
    return GpuSeconds(whole * _worth(terms, seniority=seniority, rate=rate) // (window_s * rate))


def _worth(terms: FacilityTerms, *, seniority: int, rate: int) -> int:
    """What a unit can get of all promised hours at the bond's rate, by rank and at caps."""
    left = promised_of(terms, terms.epoch_count) * rate // SECONDS_PER_HOUR
    for senior in terms.tranches[:seniority]:
        left = max(0, left - senior.unit_cap * senior.coupon_micros_per_unit)
    own = terms.tranches[seniority]
    worth = min(rate, left // own.unit_cap)
    last = seniority + 1 == len(terms.tranches)
    return worth if last else min(worth, own.coupon_micros_per_unit)


_NONE = GpuSeconds(0)


@dataclass(frozen=True, slots=True)
class Voucher:
    """Compute owed for burned units, in GPU-seconds owed and served.

    issued_at_s: compute from before serves nothing, for it earned revenue as units.
    """

    units: int
    owed: GpuSeconds
    issued_at_s: int
    served: GpuSeconds = _NONE

    @property
    def open(self) -> GpuSeconds:
        """GPU-seconds not served."""
        return GpuSeconds(self.owed - self.served)

    @property
    def open_unit_seconds(self) -> int:
        """The part of the units that is open, in seconds of 3,600 a unit; rounded down."""
        return self.units * SECONDS_PER_HOUR * self.open // self.owed


def servable(voucher: Voucher, *, line_start_s: int) -> bool:
    """Whether a delivery line of the voucher's lease counts towards it."""
    return voucher.open > 0 and line_start_s >= voucher.issued_at_s


@dataclass(frozen=True, slots=True)
class Served:
    """Vouchers after a line was counted, in the order given, and GPU-seconds counted in all."""

    vouchers: tuple[Voucher, ...]
    gpu_seconds: GpuSeconds


def serve(vouchers: Sequence[Voucher], *, unused: GpuSeconds) -> Served:
    """Count a delivery line towards vouchers of its lease, each up to what is open, in order.

    Args:    unused: GPU-seconds of the line that serve no voucher yet.
    """
    left, after = int(unused), []
    for voucher in vouchers:
        counted = min(voucher.open, left)
        left -= counted
        after.append(replace(voucher, served=GpuSeconds(voucher.served + counted)))
    return Served(tuple(after), GpuSeconds(unused - left))


@dataclass(frozen=True, slots=True)
class OpenVouchers:
    """What vouchers of one tranche are open for together."""

    gpu_seconds: GpuSeconds
    unit_seconds: int


def open_of(vouchers: Iterable[Voucher]) -> OpenVouchers:
    """Sums over the vouchers of one tranche, each rounded down by itself."""
    gpu_seconds = unit_seconds = 0
    for voucher in vouchers:
        gpu_seconds += voucher.open
        unit_seconds += voucher.open_unit_seconds
    return OpenVouchers(GpuSeconds(gpu_seconds), unit_seconds)
