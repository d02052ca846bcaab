"""Terms of a lease: versions, each a whole document, and what is in force at every second.

Of the versions whose `from` is past, the highest number is in force: so a price typed wrong is put
right by a version that begins when the wrong one began.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from api.domain.metering.intervals import Span, union
from api.domain.units import BPS, MAX_PRICE, NO_MONEY, PPM, SECONDS_PER_HOUR, Bytes32, Minor
from api.errors import InvalidInput

_Require = Callable[[bool, str, str], None]
# A price is an hour's, for as many GPUs as stand beside it: 1, a node of 8, a rack of 72. All such
# numbers divide this one, so that every price has an exact weight.
GPUS_OF_PRICES = 144
# A weight is seconds x `Rate.weight`; so many make one minor unit of money.
WEIGHT_PER_UNIT = SECONDS_PER_HOUR * GPUS_OF_PRICES
# Beyond every window: those end before 2^32.
FOREVER_S = 1 << 40
MAX_STEPS = 100
MAX_GPUS = 1_000_000


@dataclass(frozen=True, slots=True)
class PriceStep:
    """Price of an hour of `gpus` GPUs from an instant on, in minor units."""

    from_s: int
    price: Minor
    gpus: int = 1

    @property
    def weight(self) -> int:
        """Of a GPU-second; `WEIGHT_PER_UNIT` of it are one minor unit."""
        return self.price * (GPUS_OF_PRICES // self.gpus)


@dataclass(frozen=True, slots=True)
class TierStep:
    """Above so many billed GPU-hours of a month, the price is so much lower."""

    above_hours: int
    discount_bps: int


@dataclass(frozen=True, slots=True)
class CommitmentStep:
    """GPUs that the renter pays for from an instant on, used or not."""

    from_s: int
    gpus: int


@dataclass(frozen=True, slots=True)
class SlaStep:
    """Above a withheld share of GPU-seconds, so much of the month's charge is credited."""

    above_ppm: int
    credit_bps: int


@dataclass(frozen=True, slots=True)
class FixedItem:
    """An amount that is due at an instant: upfront, one-off, for ending early."""

    name: str
    at_s: int
    amount: Minor


@dataclass(frozen=True)
class TermsVersion:
    """One version of a lease's terms, as evidence shows it: hashes instead of names.

    previous: SHA-256 of the version before, 32 zero bytes for the first.
    from_s: from when it is in force, also before it was written.  until_s: the lease runs until
    then; None while no end is agreed.  max_gpus: most devices at once, 0 without a limit.
    prices, commitment: ascending; what stands first begins with the version.
    tiers, sla: ascending.  hours_before: GPU-hours of a month that count for tiers and were billed
    elsewhere.  minimum: a calendar month's.  sla_cap_bps: of the month's charge.
    """

    version: int
    previous: Bytes32
    party: Bytes32
    from_s: int
    until_s: int | None = None
    max_gpus: int = 0
    prices: tuple[PriceStep, ...] = ()
    tiers: tuple[TierStep, ...] = ()
    hours_before: int = 0
    commitment: tuple[CommitmentStep, ...] = ()
    minimum: Minor = NO_MONEY
    fixed: tuple[FixedItem, ...] = ()
    sla: tuple[SlaStep, ...] = ()
    sla_cap_bps: int = BPS

    @property
    def ends_s(self) -> int:
        """When the lease ends by this version; `FOREVER_S` while no end is agreed."""
        return FOREVER_S if self.until_s is None else self.until_s


@dataclass(frozen=True, slots=True)
class Stretch:
    """Time in which a lease runs under one version, at one price and one commitment.

    weight: of a GPU-second; `WEIGHT_PER_UNIT` of it are one minor unit.
    """

    start_s: int
    end_s: int
    terms: TermsVersion
    weight: int
    committed: int

    def goes_on_in(self, later: "Stretch") -> bool:
        """Whether another stretch follows at once and differs in nothing."""
        return (
            self.end_s == later.start_s
            and self.terms.version == later.terms.version
            and self.weight == later.weight
            and self.committed == later.committed
        )


def check_terms_version(terms: TermsVersion) -> None:
    """Refuse a version that contradicts itself, naming the field. Raises InvalidInput."""

    def require(condition: bool, field: str, message: str) -> None:
        if not condition:
            raise InvalidInput(f"{field}: {message}", field=field)

    require(terms.version >= 1, "version", "from 1")
    if terms.until_s is not None:
        require(terms.until_s >= terms.from_s, "until", "not before `from`")
    require(0 <= terms.max_gpus <= MAX_GPUS, "max_gpus", f"0 to {MAX_GPUS}")
    stepped = {
        "prices": [step.from_s for step in terms.prices],
        "commitment": [step.from_s for step in terms.commitment],
    }
    for name, starts in stepped.items():
        require(len(starts) <= MAX_STEPS, name, f"at most {MAX_STEPS}")
        require(not starts or starts[0] == terms.from_s, name, "the first begins with the version")
        require(all(a < b for a, b in pairwise(starts)), name, "ascending, each instant once")
    for price in terms.prices:
        within = 0 <= price.price <= MAX_PRICE * price.gpus
        require(price.gpus > 0 and GPUS_OF_PRICES % price.gpus == 0, "prices", "gpus divides 144")
        require(within, "prices", "0 to a million a GPU-hour")
    for committed in terms.commitment:
        require(0 <= committed.gpus <= MAX_GPUS, "commitment", f"0 to {MAX_GPUS} GPUs")
    _check_tiers(terms, require)
    _check_sla(terms, require)
    require(0 <= terms.minimum <= MAX_PRICE, "minimum", "0 to a million")
    names = [item.name for item in terms.fixed]
    require(len(names) <= MAX_STEPS, "fixed", f"at most {MAX_STEPS}")
    require(len(set(names)) == len(names), "fixed", "each id once")
    for item in terms.fixed:
        bound = MAX_PRICE
        require(-bound <= item.amount <= bound, "fixed", "an amount of at most a million")


def _check_tiers(terms: TermsVersion, require: _Require) -> None:
    above = [step.above_hours for step in terms.tiers]
    require(len(above) <= MAX_STEPS, "tiers", f"at most {MAX_STEPS}")
    require(all(a < b for a, b in pairwise(above)), "tiers", "ascending by hours")
    require(all(hours >= 0 for hours in above), "tiers", "hours from 0")
    discounts = [step.discount_bps for step in terms.tiers]
    require(all(0 <= d <= BPS for d in discounts), "tiers", "discounts of 0 to 10000 bps")
    require(terms.hours_before >= 0, "hours_before", "from 0")


def _check_sla(terms: TermsVersion, require: _Require) -> None:
    above = [step.above_ppm for step in terms.sla]
    require(len(above) <= MAX_STEPS, "sla", f"at most {MAX_STEPS}")
    require(all(a < b for a, b in pairwise(above)), "sla", "ascending by withheld share")
    require(all(0 <= share < PPM for share in above), "sla", "shares from 0, below 10^6 ppm")
    credits_bps = [step.credit_bps for step in terms.sla]
    require(all(0 <= c <= BPS for c in credits_bps), "sla", "credits of 0 to 10000 bps")
    require(0 <= terms.sla_cap_bps <= BPS, "sla_cap", "0 to 10000 bps")


@dataclass(frozen=True)
class Lease:
    """A lease with all versions of its terms, ascending by number from 1."""

    lease: Bytes32
    versions: tuple[TermsVersion, ...]

    @property
    def party(self) -> Bytes32:
        """The renter: the same in all versions."""
        return self.versions[0].party

    @cached_property
    def has_tiers(self) -> bool:
        """Whether any version lowers the price by hours billed."""
        return any(terms.tiers for terms in self.versions)

    def followed_by(self, terms: TermsVersion) -> "Lease":
        """The lease with one more version. Raises InvalidInput if it does not follow the last."""
        last = self.versions[-1]
        if terms.version != last.version + 1:
            raise InvalidInput(f"version {last.version + 1} is next", field="version")
        if terms.party != last.party:
            raise InvalidInput("another renter has a lease of its own", field="party")
        return Lease(self.lease, (*self.versions, terms))

    def at(self, instant_s: int) -> TermsVersion | None:
        """The version in force at an instant; None before the first."""
        for terms in reversed(self.versions):
            if terms.from_s <= instant_s:
                return terms
        return None

    def runs_at(self, instant_s: int) -> bool:
        """Whether the lease runs at an instant."""
        terms = self.at(instant_s)
        return terms is not None and instant_s < terms.ends_s

    @cached_property
    def stretches(self) -> tuple[Stretch, ...]:
        """All time in which the lease runs, in order; without an end, the last one has none."""
        return tuple(_joined(self._pieces()))

    @cached_property
    def _starts(self) -> list[int]:
        return [stretch.start_s for stretch in self.stretches]

    @cached_property
    def running(self) -> list[Span]:
        """When the lease runs, as few intervals as possible."""
        return union((s.start_s, s.end_s) for s in self.stretches)

    def stretches_in(self, *, start_s: int, end_s: int) -> Iterator[Stretch]:
        """Stretches that share a second with `[start_s, end_s)`, cut to it."""
        first = max(0, bisect_right(self._starts, start_s) - 1)
        for stretch in self.stretches[first:]:
            if stretch.start_s >= end_s:
                return
            if stretch.end_s > start_s:
                yield Stretch(
                    max(start_s, stretch.start_s),
                    min(end_s, stretch.end_s),
                    stretch.terms,
                    stretch.weight,
                    stretch.committed,
                )

    def _pieces(self) -> Iterator[Stretch]:
        instants = {terms.from_s for terms in self.versions}
        for terms in self.versions:
            instants.update(step.from_s for step in terms.prices)
            instants.update(step.from_s for step in terms.commitment)
            instants.add(terms.ends_s)
        for start_s, end_s in pairwise(sorted(instants | {FOREVER_S})):
            ruling = self.at(start_s)
            if ruling is not None and start_s < ruling.ends_s:
                weight = _in_force([(p.from_s, p.weight) for p in ruling.prices], start_s)
                committed = _in_force([(c.from_s, c.gpus) for c in ruling.commitment], start_s)
                yield Stretch(start_s, end_s, ruling, weight, committed)


def _in_force(steps: Sequence[tuple[int, int]], instant_s: int) -> int:
    """What the last step that began by then says; 0 before the first."""
    return next((said for from_s, said in reversed(steps) if from_s <= instant_s), 0)


def _joined(pieces: Iterable[Stretch]) -> Iterator[Stretch]:
    """Neighbours that differ in nothing are one."""
    last: Stretch | None = None
    for piece in pieces:
        if last is not None and last.goes_on_in(piece):
            last = Stretch(last.start_s, piece.end_s, last.terms, last.weight, last.committed)
            continue
        if last is not None:
            yield last
        last = piece
    if last is not None:
        yield last
