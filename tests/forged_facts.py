"""Facts that a dishonest quorum makes up, and the code that names each."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from api.domain.hashing import keccak, word
from api.domain.metering.facts import Adjusted, Agreed, Fact, Held, Out, Place, Seen, Until, Voided
from api.domain.metering.lease_terms import (
    CommitmentStep,
    FixedItem,
    PriceStep,
    SlaStep,
    TierStep,
    terms_hash,
)
from api.domain.statements.told import Told, encode_told
from api.domain.units import Bytes32, Minor
from tests.factories import DAY_S, GRACE_S, HOUR_S, START_S
from tests.forgers import Forged, Quorum

S = START_S + 2 * DAY_S
OTHER = Bytes32(b"\x77" * 32)

Make = Callable[[Place], Fact]


# --- facts ---------------------------------------------------------------------------------------


def used(q: Quorum, device: int, start_s: int, end_s: int, **more: Any) -> Make:
    """A lease held a device; times after the begin of the forged epoch."""
    lease = q.leases()[more.pop("lease", "plain")].lease
    return lambda place: Held(
        place, q.terms.devices[device], lease, S + start_s, S + end_s, more.get("delivery", False)
    )


def out(q: Quorum, device: int, start_s: int, end_s: int, lease: Bytes32 | None = None) -> Make:
    """A device was out."""
    kept = Bytes32(bytes(32)) if lease is None else lease
    return lambda place: Out(place, q.terms.devices[device], kept, S + start_s, S + end_s)


def seen(q: Quorum, device: int, start_s: int, end_s: int) -> Make:
    """A device was seen."""
    return lambda _: Seen(q.terms.devices[device], S + start_s, S + end_s)


def adjusted(q: Quorum, amount: int, **changes: Any) -> Make:
    """Money to or from a lease."""

    def make(place: Place) -> Fact:
        named = word(q.facility_id) + word(place.entry) + word(place.index)
        subject = keccak(b"adjustment" + named)
        fact = Adjusted(place, subject, q.leases()["plain"].lease, Minor(amount))
        return replace(fact, **changes)

    return make


def agreed(q: Quorum, **changes: Any) -> Make:
    """Another version of the plain lease's terms."""
    last = q.leases()["plain"]
    follows = terms_hash(last.lease, last.terms)
    version = last.terms.version + 1
    terms = replace(last.terms, version=version, previous=follows, from_s=S, prices=(price(),))
    return lambda _: Agreed(last.lease, replace(terms, **changes))


def price(amount: int = 1_000_000, gpus: int = 1) -> PriceStep:
    """A price from the begin of the forged epoch on."""
    return PriceStep(S, Minor(amount), gpus)


def at(q: Quorum, number: int, recorded_s: int, fact: Make, index: int = 0) -> Told:
    """A fact with a place and a recorded second of its own, after the begin of the epoch."""
    place = Place(q.log_size + number, index)
    return Told(place, S + recorded_s, fact(place))


def stated_delivery(q: Quorum) -> Make:
    """A delivery that no statement has yet: of the forged epoch itself."""
    return used(q, 1, 0, HOUR_S, delivery=True)


def billed_before(q: Quorum) -> Held:
    """Use that an earlier statement billed."""
    return next(t.fact for t in q.history if isinstance(t.fact, Held))


def again(q: Quorum, **changes: Any) -> Make:
    """It once more, as another fact."""
    return lambda place: replace(billed_before(q), place=place, **changes)


def voided_before(q: Quorum) -> Voided:
    """A void that an earlier statement took."""
    return next(t.fact for t in q.history if isinstance(t.fact, Voided))


def delivered_before(q: Quorum) -> Held:
    """A delivery that an earlier statement has."""
    return next(t.fact for t in q.history if isinstance(t.fact, Held) and t.fact.delivery)


def honest(q: Quorum) -> Forged:
    """Two uses, a delivery and an outage."""
    return q.close(
        used(q, 0, 0, 2 * HOUR_S),
        used(q, 2, HOUR_S, 3 * HOUR_S),
        used(q, 1, 0, HOUR_S, delivery=True),
        out(q, 3, 0, HOUR_S),
    )


@dataclass(frozen=True)
class Case:
    """What a quorum makes up, and a code that names it."""

    name: str
    make: Callable[[Quorum], Forged]
    code: str


def _facts(name: str, code: str, *facts: Callable[[Quorum], Make | Told]) -> Case:
    return Case(name, lambda q: q.close(*(fact(q) for fact in facts)), code)


def _other_times(q: Quorum) -> Forged:
    """Facts recorded a minute before their entries."""
    base = honest(q)
    facts = base.files["facts.jsonl"]
    second = str(S + DAY_S + 60).encode()
    return base.with_files(facts=facts.replace(second, str(S + DAY_S).encode()))


DAY = DAY_S
FACTS = [
    _facts("use before the window", "fact_outside_window", lambda q: used(q, 0, -3 * DAY, 60)),
    _facts("use after the window", "fact_outside_window", lambda q: used(q, 0, DAY - 9, DAY + 9)),
    _facts(
        "use ahead of its recording",
        "fact_in_the_future",
        lambda q: at(q, 1, HOUR_S * 2, used(q, 0, 0, 4 * HOUR_S)),
    ),
    _facts("use that ends before it begins", "fact_interval_empty", lambda q: used(q, 0, 9, 8)),
    _facts(
        "delivery of no second", "fact_interval_empty", lambda q: used(q, 0, 9, 9, delivery=True)
    ),
    _facts("use billed in an earlier epoch", "fact_overlap", again),
    _facts(
        "the same for another lease",
        "fact_overlap",
        lambda q: again(q, lease=q.leases()["fixed"].lease),
    ),
    _facts(
        "more devices than the lease covers",
        "fact_over_capacity",
        lambda q: used(q, 0, 0, 100, lease="limited"),
        lambda q: used(q, 1, 50, 150, lease="limited"),
    ),
    _facts(
        "outages that overlap",
        "fact_outage_overlap",
        lambda q: out(q, 0, 0, 100),
        lambda q: out(q, 0, 50, 150),
    ),
    _facts(
        "outage over a delivery",
        "fact_outage_overlap",
        stated_delivery,
        lambda q: out(q, 1, 100, 200),
    ),
    _facts(
        "delivery in an outage",
        "fact_outage_overlap",
        lambda q: out(q, 1, 100, 200),
        stated_delivery,
    ),
    _facts("outage of no second", "fact_interval_empty", lambda q: out(q, 0, 5, 5)),
    _facts("outage outside the window", "fact_outside_window", lambda q: out(q, 0, 0, 2 * DAY)),
    _facts("seen for no second", "fact_interval_empty", lambda q: seen(q, 0, 7, 7)),
    _facts("seen in the future", "fact_in_the_future", lambda q: at(q, 1, 60, seen(q, 0, 0, 999))),
    _facts(
        "adjustment of another place",
        "fact_subject_wrong",
        lambda q: adjusted(q, 5_000_000, subject=OTHER),
    ),
    _facts(
        "adjustment of two millions",
        "fact_number_out_of_range",
        lambda q: adjusted(q, 2 * 10**12),
    ),
    _facts("price below zero", "fact_terms_invalid", lambda q: agreed(q, prices=(price(-5),))),
    _facts("price of five GPUs", "fact_terms_invalid", lambda q: agreed(q, prices=(price(5, 5),))),
    _facts(
        "price above a million",
        "fact_terms_invalid",
        lambda q: agreed(q, prices=(price(10**12 + 1),)),
    ),
    _facts(
        "minimum below zero", "fact_terms_invalid", lambda q: agreed(q, minimum=Minor(-(10**6)))
    ),
    _facts(
        "tiers that fall",
        "fact_terms_invalid",
        lambda q: agreed(q, tiers=(TierStep(20, 500), TierStep(10, 900))),
    ),
    _facts(
        "a discount above all",
        "fact_terms_invalid",
        lambda q: agreed(q, tiers=(TierStep(0, 20_000),)),
    ),
    _facts(
        "more committed than pledged",
        "fact_over_capacity",
        lambda q: agreed(q, commitment=(CommitmentStep(S, 99),)),
    ),
    _facts(
        "a fixed item outside the window",
        "fact_outside_window",
        lambda q: agreed(q, fixed=(FixedItem("x", S + 5 * DAY, Minor(1)),)),
    ),
    _facts(
        "a credit above all", "fact_terms_invalid", lambda q: agreed(q, sla=(SlaStep(0, 20_000),))
    ),
    _facts("until below the begin", "fact_terms_invalid", lambda q: agreed(q, until_s=S - 1)),
    _facts(
        "use behind the end of its lease",
        "fact_lease_not_open",
        lambda q: agreed(q, until_s=S + 50),
        lambda q: used(q, 0, 0, 100),
    ),
    _facts(
        "an allocation that ends before it begins",
        "fact_interval_empty",
        lambda q: used(q, 0, 100, 200),
        lambda q: lambda _: Until(q.place(1), S + 50),
    ),
    _facts(
        "a delivery that is made longer",
        "fact_allocation_unknown",
        stated_delivery,
        lambda q: lambda _: Until(q.place(1), S + 2 * HOUR_S),
    ),
    _facts(
        "a delivery taken back after its statement",
        "fact_not_correctable",
        lambda q: lambda _: Voided(delivered_before(q).place),
    ),
    _facts(
        "an allocation into the future",
        "fact_in_the_future",
        lambda q: at(q, 1, HOUR_S, used(q, 0, 0, HOUR_S)),
        lambda q: at(q, 2, HOUR_S, lambda _: Until(q.place(1), S + 9 * HOUR_S)),
    ),
    _facts(
        "recorded after the cut-off",
        "fact_cut",
        lambda q: at(q, 1, DAY + GRACE_S, used(q, 0, 0, HOUR_S)),
    ),
    _facts(
        "recorded before the cut-off before",
        "fact_cut",
        lambda q: at(q, 1, GRACE_S - 1, again(q, start_s=S - 100, end_s=S - 50)),
    ),
    Case("times that are not their entries'", _other_times, "log_times"),
    _facts("an entry of before", "log_part", lambda q: at(q, 0, DAY, used(q, 0, 0, HOUR_S))),
    Case("an entry beyond the log", lambda q: q.close(used(q, 0, 0, HOUR_S), short=1), "log_part"),
    _facts(
        "two facts of one place",
        "fact_repeated",
        lambda q: at(q, 1, DAY, used(q, 0, 0, HOUR_S)),
        lambda q: at(q, 1, DAY, used(q, 1, 0, HOUR_S)),
    ),
]


def _told(name: str, code: str, make: Callable[[Quorum], Make]) -> Case:
    """One fact more, by which no books could be kept: lines are those of the others."""

    def forge(q: Quorum) -> Forged:
        base = honest(q)
        place = q.place(9)
        fact = make(q)(place)
        line = encode_told([Told(place, S + DAY_S + 61, fact)])
        short = "terms" if isinstance(fact, Agreed) else "facts"
        data = next(d for n, d in base.files.items() if n.partition(".")[0] == short)
        times_s = {q.log_size + n: S + DAY_S + 60 for n in range(1, 9)}
        entries = q.entries(times_s | {place.entry: S + DAY_S + 61})
        return base.with_log(entries).with_files(**{short: data + line})

    return Case(name, forge, code)


TOLD = [
    _told(
        "use of an unknown lease",
        "fact_lease_unknown",
        lambda q: lambda p: Held(p, q.terms.devices[0], OTHER, S + 9 * HOUR_S, S + 10 * HOUR_S),
    ),
    _told("outage for an unknown lease", "fact_lease_unknown", lambda q: out(q, 0, 9, 99, OTHER)),
    _told(
        "adjustment of an unknown lease",
        "fact_lease_unknown",
        lambda q: adjusted(q, 9, lease=OTHER),
    ),
    _told(
        "use that overlaps use of its epoch",
        "fact_overlap",
        lambda q: used(q, 0, HOUR_S, 3 * HOUR_S, lease="fixed"),
    ),
    _told(
        "a void of nothing",
        "fact_correction_target_unknown",
        lambda q: lambda _: Voided(q.place(7)),
    ),
    _told(
        "a void of what is void",
        "fact_correction_target_unknown",
        lambda q: lambda _: voided_before(q),
    ),
    _told(
        "an end of nothing",
        "fact_correction_target_unknown",
        lambda q: lambda _: Until(q.place(7), S + HOUR_S),
    ),
    _told("terms with a version left out", "fact_terms_invalid", lambda q: agreed(q, version=9)),
    _told("terms that follow others", "fact_terms_invalid", lambda q: agreed(q, previous=OTHER)),
    _told("terms of another renter", "fact_terms_invalid", lambda q: agreed(q, party=OTHER)),
]
