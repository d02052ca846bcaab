"""Random histories of a facility's ledger: all kinds of fact, in any order, cut and lateness.

A history tells its facts to the books, in entries, and to the reference beside. What an entry may
say (no overlap, nothing sealed, a lease that runs) is judged here by brute force.
"""

import random
from dataclasses import dataclass, replace

from api.domain.facility import Period, TrancheTerms
from api.domain.hashing import keccak
from api.domain.metering.calendar import month_of, month_start_s
from api.domain.metering.facts import Adjusted, Agreed, Held, Out, Place, Seen, Until, Voided
from api.domain.metering.lease_terms import (
    CommitmentStep,
    FixedItem,
    PriceStep,
    SlaStep,
    TermsVersion,
    TierStep,
    terms_hash,
)
from api.domain.pledges import PledgedDevice
from api.domain.roster import Roster, replaced
from api.domain.statements.books import Books, Stated
from api.domain.units import ZERO32, Bytes32, Epoch
from tests.unit.statements.tick_by_tick import Reference
from tests.unit.values import DEVICES, TERMS

NEW_YEAR_S = 1_767_225_600
# Cards that come in the place of others.
SPARES = tuple(keccak(b"spare %d" % i) for i in range(2))


@dataclass(frozen=True)
class Scale:
    """How large a world is: a tick is the smallest step of time in it."""

    tick: int
    epoch_ticks: tuple[int, ...]
    epochs: tuple[int, int]
    seal_ticks: tuple[int, int]
    grace_ticks: tuple[int, int]


# Months of six-hour ticks; and minutes around the turn of a year, where sightings matter.
MONTHS = Scale(21_600, (4, 8, 20), (4, 24), (20, 140), (1, 4))
MINUTES = Scale(30, (2, 4, 10), (3, 12), (4, 60), (1, 2))


def facility(dice, scale):
    """A facility whose window crosses the end of a month at least."""
    epoch_s = dice.choice(scale.epoch_ticks) * scale.tick
    epochs = dice.randint(*scale.epochs)
    before = dice.randint(0, epochs) * epoch_s + dice.choice((0, scale.tick))
    start_s = NEW_YEAR_S - before
    return replace(
        TERMS,
        window_start_s=start_s,
        window_end_s=start_s + epochs * epoch_s,
        expires_at_s=start_s,
        epoch_length_s=epoch_s,
        devices=DEVICES[: dice.randint(1, 3)],
        tranches=(TrancheTerms(1),),
        grace_s=dice.randint(*scale.grace_ticks) * scale.tick,
        seal_s=dice.randint(*scale.seal_ticks) * scale.tick,
        silence_available=dice.random() < 0.5,
    )


class History:
    """One random life of a facility, told to books and reference at once."""

    def __init__(self, seed: int, scale: Scale) -> None:
        self.dice = random.Random(seed)
        self.scale = scale
        self.terms = facility(self.dice, scale)
        self.books = Books(self.terms)
        self.replacements = tuple(self._replace())
        self.roster = Roster(self.terms, self.replacements)
        self.devices = sorted(self.roster.known)
        self.heard = 0
        self.ended_s = self._end()
        self.leases = [keccak(b"lease %d" % i) for i in range(self.dice.randint(1, 3))]
        over = self.terms.window_end_s
        if self.ended_s is not None:
            epochs = self.terms.epochs_over(self.ended_s)
            over = self.terms.window_start_s + epochs * self.terms.epoch_length_s
        self.reference = Reference(
            start=self.terms.window_start_s,
            over=over,
            tick=scale.tick,
            pledged=self._pledged_from(),
            leases={},
            silence_available=self.terms.silence_available,
        )
        self.entry = 0
        self.stated: list[tuple[Period, Stated]] = []
        self.told = 0
        self.hashes: dict[Bytes32, Bytes32] = {}

    def _end(self):
        if self.dice.random() < 0.6:
            return None
        terms = self.terms
        ticks = (terms.sealed_at_s - terms.window_start_s) // self.scale.tick
        return terms.window_start_s + self.dice.randint(0, ticks) * self.scale.tick

    def _replace(self):
        """Cards that are replaced, some of them by one that was there before."""
        found = []
        if self.dice.random() < 0.4:
            return found
        epochs = range(self.terms.epoch_count)
        for epoch in sorted(self.dice.choices(epochs, k=self.dice.randint(1, 3))):
            roster = Roster(self.terms, tuple(found))
            pledged = {d.device for d in roster.pledge(Epoch(epoch))}
            old = self.dice.choice(sorted(pledged))
            new = self.dice.choice([d for d in (*DEVICES, *SPARES) if d not in pledged])
            came = PledgedDevice(new, new, Epoch(epoch))
            found.append(replaced(roster, old=old, new=came, number=len(found) + 2))
        return found

    def _pledged_from(self):
        """The same, as the reference has it."""
        terms = self.terms
        pledged = {terms.window_start_s: set(terms.devices)}
        for pledge in self.replacements:
            since_s = terms.window_start_s + pledge.from_epoch * terms.epoch_length_s
            pledged[since_s] = {d.device for d in pledge.devices}
        return list(pledged.items())

    def _hear(self, *, up_to=None):
        """The books hear of replacements, at the latest before a statement of their epochs."""
        while self.heard < len(self.replacements):
            due = up_to is not None and self.replacements[self.heard].from_epoch <= up_to
            if not due and self.dice.random() < 0.8:
                return
            self.heard += 1
            self.books.repledge(self.replacements[: self.heard])

    # --- telling --------------------------------------------------------------------------------

    def play(self) -> None:
        """Tell facts entry by entry; state every period at its cut."""
        terms = self.terms
        closing = terms.closing_period(ended_at_s=self.ended_s, grace_s=terms.grace_s)
        if closing is None:
            return
        periods = [terms.period(Epoch(e)) for e in range(closing.epoch)] + [closing]
        now_s = terms.window_start_s - 3 * self.scale.tick
        for period in periods:
            cut_s = period.over_s + terms.grace_s
            while True:
                if self.dice.random() < 0.5:
                    now_s += self.dice.randint(0, 3) * self.scale.tick
                else:
                    now_s += (
                        self.dice.randint(0, terms.epoch_length_s // self.scale.tick)
                        * self.scale.tick
                    )
                if now_s >= cut_s or (self.dice.random() < 0.15 and now_s >= period.over_s):
                    break
                self.entry += 1
                self._hear()
                for index in range(self.dice.randint(1, 4)):
                    self._tell(Place(self.entry, index), now_s)
            now_s = max(now_s, cut_s)
            # A statement is made at its cut; what comes then is for the next.
            self._hear(up_to=period.epoch)
            self.stated.append((period, self.books.state(period)))
            if not period.closing:
                self.reference.seal(self._sealed_until_s(now_s))

    def _tell(self, place, now_s):
        kinds = [self._use] * 6 + [self._outage, self._sight] * 2
        kinds += [self._agree, self._adjust, self._void, self._void, self._end_use]
        if len(self.reference.leases) < len(self.leases):
            kinds += [self._agree] * 8
        facts = self.dice.choice(kinds)(place, now_s)
        for fact in facts or ():
            self.books.take([fact])
            self.told += 1

    def _sealed_until_s(self, now_s):
        """First second of which something can still be told at a recorded time."""
        until_s, terms = 0, self.terms
        for when in range(month_of(terms.window_start_s), month_of(terms.window_end_s - 1) + 1):
            end_s = min(month_start_s(when + 1), terms.window_end_s)
            ends = [terms.epoch_bounds(Epoch(e))[1] for e in range(terms.epoch_count)]
            sealing = [s for s in (*ends, terms.sealed_at_s) if s >= end_s + terms.seal_s]
            if now_s >= min(sealing) + terms.grace_s:
                until_s = end_s
        return until_s

    def _instant(self, low_s, high_s):
        ticks = max(0, (high_s - low_s) // self.scale.tick)
        return low_s + self.dice.randint(0, ticks) * self.scale.tick

    def _interval(self, now_s):
        terms, tick = self.terms, self.scale.tick
        low_s = max(terms.window_start_s, self._sealed_until_s(now_s))
        high_s = min(now_s, terms.window_end_s)
        if self.dice.random() < 0.7:
            low_s = max(low_s, high_s - 2 * terms.epoch_length_s)
        if high_s <= low_s:
            return None
        start_s = self._instant(low_s, high_s - tick)
        return start_s, min(high_s, start_s + self.dice.choice((1, 1, 2, 4, 9, 30)) * tick)

    def _refused(self, device, span):
        """Time in which the device is not pledged is mostly refused; some is taken by a service
        that heard too late, and counts for nothing."""
        if span is None:
            return True
        ticks = range(span[0], span[1], self.scale.tick)
        whole = all(self.reference.has(device, t) for t in ticks)
        return not whole and self.dice.random() < 0.7

    def _use(self, place, now_s):
        span = self._interval(now_s)
        device, lease = self.dice.choice(self.devices), self.dice.choice(self.leases)
        known = self.reference.held.values()
        if self._refused(device, span) or lease not in self.reference.leases:
            return None
        ticks = range(span[0], span[1], self.scale.tick)
        delivery = self.dice.random() < 0.15
        if any(
            f["device"] == device and f["start"] < span[1] and span[0] < f["end"] for f in known
        ):
            return None
        if not all(self.reference.runs(lease, t) for t in ticks):
            return None
        fact = {"device": device, "lease": lease, "start": span[0], "end": span[1]}
        self.reference.held[place] = {**fact, "delivery": delivery, "told": now_s}
        return [Held(place, device, lease, *span, delivery)]

    def _outage(self, place, now_s):
        span = self._interval(now_s)
        device = self.dice.choice(self.devices)
        lease = self.dice.choice([None, *self.reference.leases])
        known = self.reference.out.values()
        if self._refused(device, span) or any(
            f["device"] == device and f["start"] < span[1] and span[0] < f["end"] for f in known
        ):
            return None
        planned = self.dice.random() < 0.4
        fact = {"device": device, "lease": lease, "start": span[0], "end": span[1]}
        self.reference.out[place] = {**fact, "planned": planned, "told": now_s}
        return [Out(place, device, lease or ZERO32, *span, planned)]

    def _sight(self, _place, now_s):
        span = self._interval(now_s)
        device = self.dice.choice(self.devices)
        if self._refused(device, span):
            return None
        self.reference.seen.append((device, *span))
        return [Seen(device, *span)]

    def _adjust(self, place, _now_s):
        if not self.reference.leases:
            return None
        lease = self.dice.choice(sorted(self.reference.leases))
        amount = self.dice.choice((-1, 1)) * self.dice.randrange(1, 10 ** self.dice.randint(1, 8))
        self.reference.adjusted.append((lease, amount))
        return [Adjusted(place, keccak(b"%d %d" % (place.entry, place.index)), lease, amount)]

    def _stated_delivery(self, fact):
        """A delivery of which some was stated stays."""
        return fact.get("delivery", False) and any(
            not period.closing and period.end_s > fact["start"] for period, _ in self.stated
        )

    def _void(self, _place, now_s):
        sealed_s = self._sealed_until_s(now_s)
        for facts in self.dice.sample((self.reference.held, self.reference.out), 2):
            places = [
                p
                for p, f in facts.items()
                if f["start"] >= sealed_s and not self._stated_delivery(f)
            ]
            if places:
                place = self.dice.choice(places)
                del facts[place]
                return [Voided(place)]
        return None

    def _end_use(self, _place, now_s):
        """An allocation is ended earlier, or confirmed for longer."""
        sealed_s = self._sealed_until_s(now_s)
        held = self.reference.held
        places = [p for p, f in held.items() if f["end"] > sealed_s and not f["delivery"]]
        if not places:
            return None
        place = self.dice.choice(places)
        fact = held[place]
        low_s = max(fact["start"] + self.scale.tick, sealed_s)
        end_s = self._instant(low_s, max(low_s, min(now_s, self.terms.window_end_s)))
        others = [f for p, f in held.items() if p != place and f["device"] == fact["device"]]
        ticks = range(fact["start"], end_s, self.scale.tick)
        if any(f["start"] < end_s and fact["start"] < f["end"] for f in others):
            return None
        if end_s > self.terms.window_end_s:
            return None
        if not all(self.reference.runs(fact["lease"], t) for t in ticks if t >= fact["end"]):
            return None
        fact["end"] = end_s
        return [Until(place, end_s)]

    def _agree(self, _place, now_s):
        dice, tick = self.dice, self.scale.tick
        lease = dice.choice(self.leases)
        versions = self.reference.leases.get(lease, [])
        low_s = max(self.terms.window_start_s, self._sealed_until_s(now_s))
        from_s = self._instant(low_s, max(low_s, min(now_s + 9 * tick, self.terms.window_end_s)))
        if not versions and dice.random() < 0.6:
            from_s = max(low_s, self.terms.window_start_s)
        elif not versions and not self._sealed_until_s(now_s) and dice.random() < 0.5:
            from_s -= 9 * tick
        until_s = None
        if dice.random() < 0.4:
            until_s = from_s + dice.randint(0, 200) * tick
        money = lambda: dice.choice((0, dice.randrange(1, 10 ** dice.randint(1, 9))))  # noqa: E731
        starts = sorted(
            {from_s, *(from_s + dice.randint(1, 80) * tick for _ in range(dice.randint(0, 2)))}
        )
        prices = [(s, (money(), dice.choice((1, 8, 72, 144)))) for s in starts]
        committed = [(s, dice.randint(0, 4)) for s in starts] if dice.random() < 0.5 else []
        # Tiers of hours that are reached: a tick of MINUTES is no hour.
        tiers = [(h, dice.randint(0, 10_000)) for h in sorted(dice.sample(range(40), 2))]
        hours = sorted({max(1, h * tick // 3600) for h, _ in tiers})
        tiers = [(h, dice.randint(0, 10_000)) for h in hours] if dice.random() < 0.5 else []
        shares = sorted({dice.choice((0, 1_000, 100_000, 500_000)) for _ in range(2)})
        sla = [(share, dice.randint(0, 10_000)) for share in shares] if dice.random() < 0.6 else []
        fixed = [
            (name, self._instant(from_s, from_s + 40 * tick), dice.choice((-1, 1)) * money())
            for name in ("setup", "end")
            if dice.random() < 0.3
        ]
        window = self.terms.window_start_s, self.terms.window_end_s
        fixed = [item for item in fixed if window[0] <= item[1] <= window[1]]
        version = {
            "number": len(versions) + 1,
            "from": from_s,
            "until": until_s,
            "prices": prices,
            "commitment": committed,
            "tiers": tiers,
            "hours_before": dice.choice((0, 0, dice.randint(0, 10))),
            "minimum": money() if dice.random() < 0.4 else 0,
            "fixed": fixed,
            "sla": sla,
            "cap": dice.choice((10_000, 3_000)),
        }
        self.reference.leases.setdefault(lease, []).append(version)
        previous = self.hashes.get(lease, ZERO32)
        terms = as_terms(version, keccak(b"party" + lease), previous)
        self.hashes[lease] = terms_hash(lease, terms)
        return [Agreed(lease, terms)]


def as_terms(version, party, previous):
    """The version as the service knows it."""
    return TermsVersion(
        version=version["number"],
        previous=previous,
        party=party,
        from_s=version["from"],
        until_s=version["until"],
        prices=tuple(PriceStep(s, p, g) for s, (p, g) in version["prices"]),
        tiers=tuple(TierStep(*t) for t in version["tiers"]),
        hours_before=version["hours_before"],
        commitment=tuple(CommitmentStep(*c) for c in version["commitment"]),
        minimum=version["minimum"],
        fixed=tuple(FixedItem(*f) for f in version["fixed"]),
        sla=tuple(SlaStep(*s) for s in version["sla"]),
        sla_cap_bps=version["cap"],
    )
