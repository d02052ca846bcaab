"""Terms of a lease: versions, each a whole document, chained by hash."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from api.domain.hashing import sha256
from api.domain.json_text import (
    as_bytes32,
    as_integer,
    as_list,
    as_object,
    as_text,
    canonical_line,
)
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
        # An earlier instant is ruled by an earlier version: there it would never be due.
        require(item.at_s >= terms.from_s, "fixed", "not before `from`")
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


def terms_document(lease: Bytes32, terms: TermsVersion) -> dict[str, object]:
    """A version as evidence shows it: one canonical document. Times are UTC seconds."""
    return {
        "lease": "0x" + lease.hex(),
        "version": terms.version,
        "previous": "0x" + terms.previous.hex(),
        "party": "0x" + terms.party.hex(),
        "from_s": terms.from_s,
        "until_s": terms.until_s,
        "max_gpus": terms.max_gpus,
        "prices": [[p.from_s, p.price, p.gpus] for p in terms.prices],
        "tiers": [[t.above_hours, t.discount_bps] for t in terms.tiers],
        "hours_before": terms.hours_before,
        "commitment": [[c.from_s, c.gpus] for c in terms.commitment],
        "minimum": terms.minimum,
        "fixed": [[f.name, f.at_s, f.amount] for f in terms.fixed],
        "sla": [[s.above_ppm, s.credit_bps] for s in terms.sla],
        "sla_cap_bps": terms.sla_cap_bps,
    }


def terms_from(document: object) -> tuple[Bytes32, TermsVersion]:
    """Lease and version of a document. Raises ValueError, KeyError or TypeError."""
    doc = as_object(document)
    until_s = doc["until_s"]
    return as_bytes32(doc["lease"]), TermsVersion(
        version=as_integer(doc["version"]),
        previous=as_bytes32(doc["previous"]),
        party=as_bytes32(doc["party"]),
        from_s=as_integer(doc["from_s"]),
        until_s=None if until_s is None else as_integer(until_s),
        max_gpus=as_integer(doc["max_gpus"]),
        prices=tuple(PriceStep(a, Minor(b), c) for a, b, c in _rows(doc["prices"])),
        tiers=tuple(TierStep(a, b) for a, b in _rows(doc["tiers"])),
        hours_before=as_integer(doc["hours_before"]),
        commitment=tuple(CommitmentStep(a, b) for a, b in _rows(doc["commitment"])),
        minimum=Minor(as_integer(doc["minimum"])),
        fixed=tuple(
            FixedItem(as_text(name), as_integer(at_s), Minor(as_integer(amount)))
            for name, at_s, amount in map(as_list, as_list(doc["fixed"]))
        ),
        sla=tuple(SlaStep(a, b) for a, b in _rows(doc["sla"])),
        sla_cap_bps=as_integer(doc["sla_cap_bps"]),
    )


def _rows(value: object) -> list[list[int]]:
    return [[as_integer(x) for x in as_list(row)] for row in as_list(value)]


def terms_hash(lease: Bytes32, terms: TermsVersion) -> Bytes32:
    """SHA-256 of a version's document: the version after names it."""
    return sha256(canonical_line(terms_document(lease, terms)))
