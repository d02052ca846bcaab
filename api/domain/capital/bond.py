"""Bonds: what a shortfall of availability, a voucher and a fault cost. Model of `BondVault`."""

from dataclasses import dataclass, replace

from api.domain.units import SECONDS_PER_HOUR, GpuSeconds


@dataclass(frozen=True, slots=True)
class Bond:
    """A facility's bond, minor units. `below_since_s` is None while it is sufficient."""

    required: int = 0
    rate_per_gpu_hour: int = 0
    held: int = 0
    shortfall_paid: int = 0
    below_since_s: int | None = None

    def with_held(self, held: int, *, now_s: int) -> "Bond":
        """Another amount: a bond that stays too small keeps the instant since when it is."""
        since_s: int | None = None
        if held < self.required:
            since_s = now_s if self.below_since_s is None else self.below_since_s
        return replace(self, held=held, below_since_s=since_s)


def shortfall_due(bond: Bond, *, promised: int, available: int) -> int:
    """What a cumulative shortfall of GPU-seconds still costs, rounded down, whatever is held."""
    missing_gpu_seconds = max(0, promised - available)
    whole = missing_gpu_seconds * bond.rate_per_gpu_hour // SECONDS_PER_HOUR
    return max(0, whole - bond.shortfall_paid)


def pay_shortfall(bond: Bond, *, promised: int, available: int, now_s: int) -> tuple[Bond, int]:
    """Pay what is due as far as the bond goes; never takes back what was paid."""
    amount = min(bond.held, shortfall_due(bond, promised=promised, available=available))
    paid = replace(bond, shortfall_paid=bond.shortfall_paid + amount)
    return paid.with_held(bond.held - amount, now_s=now_s), amount


# --- model of the contracts: only their tests call what follows --------------------------------


def pay_unserved(bond: Bond, *, gpu_seconds: GpuSeconds, now_s: int) -> tuple[Bond, int]:
    """Pay a voucher's unserved GPU-seconds, rounded down, as far as the bond goes."""
    amount = min(bond.held, gpu_seconds * bond.rate_per_gpu_hour // SECONDS_PER_HOUR)
    return bond.with_held(bond.held - amount, now_s=now_s), amount


def seizable(bond: Bond, *, unserved_gpu_seconds: GpuSeconds) -> int:
    """What default gives to holders: all but what vouchers may still be paid, rounded up."""
    reserved = -(-unserved_gpu_seconds * bond.rate_per_gpu_hour // SECONDS_PER_HOUR)
    return max(0, bond.held - reserved)


@dataclass(frozen=True, slots=True)
class Slash:
    """What one fault takes of an attester: `to_challenger + to_holders == taken`."""

    taken: int
    to_challenger: int
    to_holders: int


def slash(*, held: int, slash_amount: int) -> Slash:
    """One fault of one attester: half, rounded down, to the challenger."""
    taken = min(held, slash_amount)
    return Slash(taken, taken // 2, taken - taken // 2)
