"""Rating: giving usage a money value, with one rounding on the cumulative of a lease."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise

from api.domain.units import BPS, NO_MICROS, SECONDS_PER_HOUR, Bytes32, GpuSeconds, Micros
from api.errors import InvalidInput

# Weights are GPU-seconds x micros per GPU-hour x basis points; this turns them into micros.
_WEIGHT_PER_MICRO = SECONDS_PER_HOUR * BPS


class PricePlan(StrEnum):
    """How a lease is priced."""

    ON_DEMAND = "on_demand"
    SPOT = "spot"
    RESERVED = "reserved"
    TAKE_OR_PAY = "take_or_pay"


@dataclass(frozen=True, slots=True)
class PriceVersion:
    """Immutable price of a lease from `effective_from_s` on.

    sla_credit_bps: share of the price credited for GPU-seconds withheld by the operator.
    """

    version: int
    effective_from_s: int
    price_micros_per_gpu_hour: Micros
    sla_credit_bps: int = 0


@dataclass(frozen=True, slots=True)
class LeaseTerms:
    """Terms of one lease as evidence shows them: hashes instead of names.

    committed_gpus: GPUs that a take-or-pay renter pays for, used or not.  closed_at_s: None while
    open.  prices: ascending by version and by `effective_from_s`; the first covers `opened_at_s`.
    """

    lease: Bytes32
    renter: Bytes32
    plan: PricePlan
    committed_gpus: int
    opened_at_s: int
    closed_at_s: int | None
    prices: tuple[PriceVersion, ...]

    def price_at(self, instant_s: int) -> PriceVersion:
        """Price version in force at an instant: the whole record is rated at its start."""
        for price in reversed(self.prices):
            if price.effective_from_s <= instant_s:
                return price
        raise InvalidInput("lease has no price at this time", field="prices", instant_s=instant_s)

    def as_of(self, instant_s: int) -> "LeaseTerms":
        """The lease as an epoch that ends at `instant_s` sees it, whatever was agreed later."""
        closed_s = self.closed_at_s
        return replace(
            self,
            closed_at_s=closed_s if closed_s is not None and closed_s < instant_s else None,
            prices=tuple(p for p in self.prices if p.effective_from_s < instant_s),
        )

    def committed_gpu_seconds(self, *, start_s: int, end_s: int) -> int:
        """GPU-seconds committed inside `[start_s, end_s)`; 0 unless take-or-pay."""
        if self.plan is not PricePlan.TAKE_OR_PAY:
            return 0
        until_s = end_s if self.closed_at_s is None else min(end_s, self.closed_at_s)
        return self.committed_gpus * max(0, until_s - max(start_s, self.opened_at_s))


@dataclass(frozen=True, slots=True)
class LeaseCarry:
    """What rating carries from epoch to epoch: the exact weight so far, and what it charged."""

    weight: int = 0
    charged_micros: Micros = NO_MICROS

    def charge(self, weight: int) -> "tuple[Micros, LeaseCarry]":
        """Charge of `weight` more, rounded down on the cumulative.

        Returns: the charge (negative for credits) and the next carry. The sum of all charges is
                 the floor of the whole, whatever the split.
        """
        total = self.weight + weight
        cumulative = total // _WEIGHT_PER_MICRO
        charge_micros = Micros(cumulative - self.charged_micros)
        return charge_micros, LeaseCarry(weight=total, charged_micros=Micros(cumulative))


def weight_of(amount_micros: Micros) -> int:
    """Weight that charges exactly this amount."""
    return amount_micros * _WEIGHT_PER_MICRO


def usage_weight(gpu_seconds: GpuSeconds, price: PriceVersion) -> int:
    """Weight of GPU-seconds at full price."""
    return gpu_seconds * price.price_micros_per_gpu_hour * BPS


def credit_weight(gpu_seconds: GpuSeconds, price: PriceVersion) -> int:
    """Weight of an SLA credit, zero or negative."""
    return -gpu_seconds * price.price_micros_per_gpu_hour * price.sla_credit_bps


def shortfall_gpu_seconds(*, committed: int, delivered: int, withheld: int) -> GpuSeconds:
    """GPU-seconds that a take-or-pay renter owes for capacity that stood ready and was not used.

    withheld: committed GPU-seconds that the operator could not offer.
    """
    return GpuSeconds(max(0, committed - delivered - withheld))


def known_lease(leases: Mapping[Bytes32, LeaseTerms], lease: Bytes32) -> LeaseTerms:
    """Terms of a lease that a line names. Raises InvalidInput."""
    terms = leases.get(lease)
    if terms is None:
        raise InvalidInput(f"line names unknown lease {lease.hex()}", field="lease")
    return terms


def check_prices(prices: Sequence[PriceVersion], *, opened_at_s: int) -> None:
    """Refuse price histories with gaps or rewritten versions. Raises InvalidInput."""
    if not prices or prices[0].effective_from_s > opened_at_s:
        raise InvalidInput("the first price must cover the opening of the lease", field="prices")
    for before, after in pairwise(prices):
        if after.version != before.version + 1 or after.effective_from_s <= before.effective_from_s:
            raise InvalidInput("price versions must follow each other in time", field="prices")
