"""What leases owe, counted tick by tick: a reference that shares no code with `api/domain`.

It knows no statements, cuts or orders: from all facts that were accepted it looks at every tick of
every device, in exact fractions. Facts and terms are plain dictionaries, as histories make them.
"""

from collections import defaultdict
from datetime import UTC, datetime
from fractions import Fraction
from math import floor


def month(t):
    date = datetime.fromtimestamp(t, UTC)
    return date.year, date.month


def month_seconds(t):
    year, number = month(t)
    following = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)
    return int((following - datetime(year, number, 1, tzinfo=UTC)).total_seconds())


def ruling(versions, t):
    """The version with the highest number whose `from` is past."""
    past = [v for v in versions if v["from"] <= t]
    return max(past, key=lambda v: v["number"]) if past else None


def step(steps, t):
    said = [what for when, what in steps if when <= t]
    return said[-1] if said else None


class Reference:
    """Facts of a whole history. `over`: end of the last epoch that was over."""

    def __init__(self, *, start, over, tick, pledged, leases, silence_available):
        self.start, self.over, self.tick = start, over, tick
        # Devices that are pledged from an instant on, in order: [(instant, {device, ...}), ...].
        self.pledged, self.leases = pledged, leases
        self.devices = sorted({d for _, devices in pledged for d in devices})
        self.silence_available = silence_available
        self.held, self.out, self.seen, self.adjusted = {}, {}, [], []
        # What is sealed: until when, and how long devices were there, as was known then.
        self.sealed, self.sealed_available = start, 0

    def runs(self, lease, t):
        version = ruling(self.leases.get(lease, []), t)
        return version is not None and (version["until"] is None or t < version["until"])

    def has(self, device, t):
        return device in [devices for since, devices in self.pledged if since <= t][-1]

    def at(self, device, t):
        """(holder, delivered to, outage, kept from) of a device at a tick."""
        if not self.has(device, t):
            return None, None, None, None
        fact = next(
            (f for f in self.held.values() if f["device"] == device and f["start"] <= t < f["end"]),
            None,
        )
        outage = next(
            (f for f in self.out.values() if f["device"] == device and f["start"] <= t < f["end"]),
            None,
        )
        if fact is not None and fact["delivery"]:
            return None, fact["lease"], None, None
        holder = fact["lease"] if fact is not None and self.runs(fact["lease"], t) else None
        if outage is None:
            return holder, None, None, None
        kept = holder or (
            outage["lease"] if outage["lease"] and self.runs(outage["lease"], t) else None
        )
        return None, None, outage, (kept, holder is not None)

    def uses(self):
        """{(device, t): (lease, delivery)} of every tick that is billed or delivered."""
        found = {}
        for device in self.devices:
            for t in range(self.start, self.over, self.tick):
                holder, delivered, _, _ = self.at(device, t)
                if holder or delivered:
                    found[device, t] = (holder or delivered, delivered is not None)
        return found

    def seal(self, until):
        """Freeze what is before a time. Money needs no freezing: no fact of that time can come."""
        until = min(until, self.over)
        if until > self.sealed:
            self.sealed_available += self._available(self.sealed, until)
            self.sealed = until

    def available(self):
        """Seconds in which devices were there."""
        return self.sealed_available + self._available(self.sealed, self.over)

    def _available(self, start, end):
        total = 0
        for device in self.devices:
            told = [(f["start"], f["end"]) for f in self.held.values() if f["device"] == device]
            told += [(a, b) for d, a, b in self.seen if d == device]
            sightings = sorted(told)
            for t in range(start, end, self.tick):
                if not self.has(device, t):
                    continue
                before = [a for a, b in sightings if a <= t]
                last = max((b for a, b in sightings if a <= t), default=None)
                following = min((a for a, b in sightings if a > t), default=None)
                inside = bool(before) and last > t
                between = last is not None and following is not None and following - last <= 600
                there = self.silence_available or inside or between
                if there and self.at(device, t)[2] is None:
                    total += self.tick
        return total

    def owed(self):
        """{(lease, month or None, component): amount} of everything."""
        sums = defaultdict(lambda: defaultdict(Fraction))
        for t in range(self.start, self.over, self.tick):
            self._count(t, sums)
        owed = {}
        for (lease, when), s in sums.items():
            for component, amount in self._month(lease, when, s).items():
                owed[lease, when, component] = amount
        for lease, versions in self.leases.items():
            for version in versions:
                for name, at, amount in version["fixed"]:
                    inside = at <= self.over and ruling(versions, at) is version
                    if inside:
                        owed[lease, "fixed", name, at, amount] = amount
        for i, (lease, amount) in enumerate(self.adjusted):
            owed[lease, "adjusted", i] = amount
        return owed

    def _count(self, t, sums):
        held, faults, outs, holding = (defaultdict(int) for _ in range(4))
        for device in self.devices:
            holder, _, outage, kept = self.at(device, t)
            if holder:
                held[holder] += 1
                holding[holder] += 1
            if outage and kept[0]:
                outs[kept[0]] += 1
                faults[kept[0]] += not outage["planned"]
                holding[kept[0]] += kept[1]
        for lease, versions in self.leases.items():
            if not self.runs(lease, t):
                continue
            version = ruling(versions, t)
            s = sums[lease, month(t)]
            price, gpus = step(version["prices"], t) or (0, 1)
            price = Fraction(price, gpus * 3600)
            committed = step(version["commitment"], t) or 0
            n = held[lease]
            s["usage"] += n * self.tick * price
            # Hour by hour, in order of time: so many GPU-seconds were billed before.
            first = s["billed"] + 3600 * version["hours_before"]
            last = first + n * self.tick
            for i, (above, discount) in enumerate(version["tiers"]):
                low = above * 3600
                high = version["tiers"][i + 1][0] * 3600 if i + 1 < len(version["tiers"]) else last
                inside = max(0, min(last, high) - max(first, low))
                s["tier"] += inside * price * Fraction(discount, 10_000)
            s["billed"] += n * self.tick
            s["committed_s"] += committed * self.tick
            s["committed"] += committed * self.tick * price
            s["excused"] += min(outs[lease], committed) * self.tick * price
            s["withheld"] += min(faults[lease], max(committed, holding[lease])) * self.tick
            s["minimum"] += Fraction(version["minimum"] * self.tick, month_seconds(t))
            s["sla"] = version["sla"], version["cap"]

    def _month(self, lease, when, s):
        usage, tier = floor(s["usage"]), -floor(s["tier"])
        shortfall = max(0, floor(s["committed"] - s["excused"]) - usage)
        minimum = max(0, floor(s["minimum"]) - usage - tier - shortfall)
        above = usage + tier + shortfall + minimum
        whole = max(s["billed"] + s["withheld"], s["committed_s"])
        steps, cap = s["sla"]
        share = s["withheld"] / whole if whole else 0
        credit = ([bps for ppm, bps in steps if share > Fraction(ppm, 10**6)] or [0])[-1]
        sla = -floor(above * Fraction(min(cap, credit), 10_000))
        return {
            "usage": usage,
            "tier": tier,
            "shortfall": shortfall,
            "minimum": minimum,
            "sla": sla,
        }
