"""A second verifier, written from docs/EVIDENCE.md alone: it shares no code with ours.

    python examples/verifier.py EVIDENCE_FOLDER [RPC_URL] [--lease ID SECRET | --renter NAME SECRET]

For each facility: files and their hashes, the log and who signs it, facts, what leases owe, lines,
root, statement and signatures of every epoch, recomputed from the first fact on. With an RPC_URL it
asks the registries for replaced pledges, endings, statement hashes and the operator's ledger keys;
without one it believes a log's ledger keys. It exits with 1 and a sentence for each thing that does
not hold. What moves money on-chain is for `rentroll verify` to replay. Who has the secret of a name
sees the lines of that lease, or of that renter's leases.
"""

import json
import re
import sys
import urllib.request
from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from bisect import bisect_right
from datetime import UTC, datetime
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any
from unicodedata import category, normalize

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from eth_keys.datatypes import Signature
from eth_utils import keccak

COMMITTED = (
    *("facility.json", "batches.jsonl", "facts.jsonl", "terms.jsonl"),
    *("lines.csv", "credits.csv", "state.jsonl"),
)
HEADER = (
    "index,kind,subject,lease,start_s,end_s,gpu_seconds,charge_micros,"
    "cumulative_gpu_seconds,cumulative_charge_micros"
)
TYPE = (
    "Statement(uint64 facilityId,uint32 epoch,uint64 epochStart,uint64 epochEnd,"
    "uint64 availableGpuSeconds,int64 availableAdjustment,uint64 billedGpuSeconds,"
    "int128 grossRevenue,uint32 lineCount,bytes32 usageRoot,bytes32 evidenceHash,"
    "bytes32 previousStatementHash,uint16 topRenterBps,uint16 committedBps)"
)
FIELDS = (
    *("facility_id", "epoch", "epoch_start_s", "epoch_end_s"),
    *("available_gpu_seconds", "available_adjustment", "billed_gpu_seconds"),
    *("gross_revenue_micros", "line_count", "usage_root", "evidence_hash"),
    *("previous_statement_hash", "top_renter_bps", "committed_bps"),
)
NAMES = ("usage", "tier", "shortfall", "minimum", "sla")
SUBJECTS = {5 + i: keccak(text=name) for i, name in enumerate(NAMES)}
ZERO, UNIT, FOREVER = bytes(32), 518_400, 1 << 40
Spans = list[tuple[int, int]]
# A ledger key that an operator named on-chain, and when.
Named = list[tuple[bytes, int]]
KINDS = {"batch": 1, "key": 3, "key-end": 4, "successor": 6}
PATHS = {
    "key": "/v1/log/keys",
    "key-end": "/v1/log/keys/end",
    "successor": "/v1/log/successor",
}
AHEAD_S, HEARD_S = 120, 3_600
FIELD = (1 << 255) - 19
Y8 = int("05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826", 16)
WEAK = (0, 1, FIELD - 1, Y8, FIELD - Y8)
COVERED = '("@method" "@path" "content-type" "content-digest" "rentroll-log" "rentroll-after")'
STATED = {
    "created": re.compile(r"[0-9]{1,11}"),
    "keyid": re.compile(r'"[A-Za-z0-9_-]{43}"'),
    "alg": re.compile(r'"ed25519"'),
    "tag": re.compile(r'"rentroll/1"'),
}
LOG_RANGE, LOG_ORDER = 2_000, ("blockNumber", "logIndex")
NAME = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,100}")
SHOWN = {"entry", "kind", "recorded_at_s", "author", "body", "answers"}


# --- bytes, trees, intervals, months -------------------------------------------------------------


def word(number: int) -> bytes:
    return number.to_bytes(32, "big", signed=number < 0)


def raw(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def pretty(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, indent=2).encode() + b"\n"


def line_of(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def root_of(encoded: list[bytes]) -> bytes:
    leaves = sorted(keccak(keccak(each)) for each in encoded)
    nodes = [b""] * (len(leaves) - 1) + leaves[::-1]
    for i in range(len(leaves) - 2, -1, -1):
        nodes[i] = keccak(b"".join(sorted(nodes[2 * i + 1 : 2 * i + 3])))
    return nodes[0] if nodes else ZERO


def union(spans: Spans, gap: int = 0) -> Spans:
    merged: Spans = []
    for a, b in sorted(span for span in spans if span[0] < span[1]):
        if merged and a <= merged[-1][1] + gap:
            merged[-1] = merged[-1][0], max(merged[-1][1], b)
        else:
            merged.append((a, b))
    return merged


def both(left: Spans, right: Spans) -> Spans:
    found = [(max(a, c), min(b, d)) for a, b in left for c, d in right]
    return sorted(span for span in found if span[0] < span[1])


def less(spans: Spans, taken: Spans) -> Spans:
    for c, d in taken:
        parts = [part for a, b in spans for part in ((a, min(b, c)), (max(a, d), b))]
        spans = [part for part in parts if part[0] < part[1]]
    return sorted(spans)


def month_of(instant: int) -> int:
    date = datetime.fromtimestamp(instant, UTC)
    return date.year * 12 + date.month - 1


def month_start(month: int) -> int:
    return int(datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC).timestamp())


# --- leases --------------------------------------------------------------------------------------


class Lease:
    """Versions of terms, and stretches `(start, end, version, weight, commitment)`."""

    def __init__(self, versions: list[dict[str, Any]]) -> None:
        self.versions, self.party = versions, versions[0]["party"]
        steps = {step[0] for v in versions for step in v["prices"] + v["commitment"]}
        steps |= {i for v in versions for i in (v["from_s"], self.end(v))}
        self.stretches: list[tuple[int, int, dict[str, Any], int, int]] = []
        for a, b in pairwise(sorted(steps | {FOREVER})):
            version = self.at(a)
            if version is None or a >= self.end(version):
                continue
            price = [p for p in version["prices"] if p[0] <= a][-1:] or [[0, 0, 1]]
            weight = price[0][1] * (144 // price[0][2])
            committed = ([c[1] for c in version["commitment"] if c[0] <= a] or [0])[-1]
            last = self.stretches[-1] if self.stretches else None
            if (
                last
                and last[1] == a
                and (last[2] is version, *last[3:]) == (True, weight, committed)
            ):
                self.stretches[-1] = (last[0], b, *last[2:])
            else:
                self.stretches.append((a, b, version, weight, committed))
        self.running = union([s[:2] for s in self.stretches])

    @staticmethod
    def end(version: dict[str, Any]) -> int:
        return FOREVER if version["until_s"] is None else version["until_s"]

    def at(self, instant: int) -> dict[str, Any] | None:
        past = [v for v in self.versions if v["from_s"] <= instant]
        return past[-1] if past else None

    def within(self, start: int, end: int) -> list[tuple[int, int, dict[str, Any], int, int]]:
        cut = [(max(a, start), min(b, end), *rest) for a, b, *rest in self.stretches]
        return [each for each in cut if each[0] < each[1]]


class Sums:
    """What a month's time adds up to for a lease."""

    def __init__(self) -> None:
        self.held = self.usage = self.withheld = self.committed_s = self.committed = 0
        self.excused = self.minimum = self.discount = 0

    def add(self, lease: Lease, start: int, end: int, uses: Spans, withheld: list[Any]) -> None:
        changes: dict[int, list[int]] = {start: [0] * 4}
        busy = [(a, b) for a, b, _, held in withheld if held]
        faults = [(a, b) for a, b, planned, _ in withheld if not planned]
        out = [(a, b) for a, b, _, _ in withheld]
        for column, spans in enumerate((uses, faults, out, uses + busy)):
            for a, b in spans:
                changes.setdefault(a, [0] * 4)[column] += 1
                changes.setdefault(b, [0] * 4)[column] -= 1
        counts, now = [], [0] * 4
        instants = sorted(changes)
        for instant in instants:
            now = [x + y for x, y in zip(now, changes[instant], strict=True)]
            counts.append(now)
        for a, b, version, weight, committed in lease.within(start, end):
            self.committed_s += committed * (b - a)
            self.committed += committed * (b - a) * weight
            self.minimum += version["minimum"] * (b - a)
            cuts = [a, *(i for i in instants if a < i < b), b]
            for c, d in pairwise(cuts):
                billed, by_fault, gone, used = counts[bisect_right(instants, c) - 1]
                length = d - c
                self.discount += self.tiers(version, billed * length) * weight
                self.held += billed * length
                self.usage += billed * length * weight
                self.withheld += min(by_fault, max(committed, used)) * length
                self.excused += min(gone, committed) * length * weight

    def tiers(self, version: dict[str, Any], seconds: int) -> int:
        low = self.held + version["hours_before"] * 3_600
        edges = [step[0] * 3_600 for step in version["tiers"]] + [FOREVER * FOREVER]
        return sum(
            max(0, min(low + seconds, edges[i + 1]) - max(low, edges[i])) * step[1]
            for i, step in enumerate(version["tiers"])
        )


# --- one facility --------------------------------------------------------------------------------


class Facility:
    """Facts so far, what was stated of them, and the next statement."""

    def __init__(self, terms: dict[str, Any], replaced: list[dict[str, Any]]) -> None:
        self.terms, self.replaced = terms, replaced
        devices = [d if isinstance(d, str) else d["device"] for d in terms["devices"]]
        self.offered = [raw(d) for d in devices]
        self.length, self.begin = terms["epoch_length_s"], terms["window_start_s"]
        self.over, self.seal = terms["window_end_s"], terms["seal_s"]
        self.epochs = (self.over - self.begin) // self.length
        self.segments: list[tuple[int, int, int, int]] = []
        for epoch in range(self.epochs):
            a, end = self.begin + epoch * self.length, self.begin + (epoch + 1) * self.length
            while a < end:
                b = min(end, month_start(month_of(a) + 1))
                self.segments.append((epoch, month_of(a), a, b))
                a = b
        self.held: dict[Any, list[Any]] = {}
        self.out: dict[Any, list[Any]] = {}
        self.seen: dict[bytes, Spans] = {}
        self.versions: dict[bytes, list[dict[str, Any]]] = {}
        self.leases: dict[bytes, Lease] = {}
        self.adjusted: dict[bytes, dict[bytes, int]] = {}
        self.told: dict[tuple[bytes, int], tuple[Any, Any, int]] = {}
        self.stated: dict[tuple[bytes, int], dict[tuple[int, bytes], int]] = {}
        self.frozen: dict[int, dict[bytes, dict[tuple[int, bytes], int]]] = {}
        # Leases of which something was told that nobody signed; zero for all.
        self.unsigned: set[bytes] = set()
        # Leases that an outage names: any use of the device would have taken that time from them.
        self.kept_from: set[bytes] = set()

    def devices(self, epoch: int) -> list[bytes]:
        force = [p for p in self.replaced if p["from_epoch"] <= epoch]
        if not force:
            return self.offered
        return [raw(d["device"]) for d in force[-1]["devices"] if d["from_epoch"] <= epoch]

    def take(self, facts: list[dict[str, Any]], signed: set[int]) -> None:
        """Take facts of a statement. signed: entries of the log that somebody signed."""
        for fact in sorted(facts, key=lambda f: (f["fact"] != "terms", f["entry"], f["index"])):
            place, kind = (fact["entry"], fact["index"]), fact["fact"]
            if fact["entry"] not in signed and kind != "seen":
                self.unsigned.add(self.lease_of(fact))
            span = [fact.get("start_s"), fact.get("end_s")]
            if kind == "terms":
                lease = raw(fact["terms"]["lease"])
                self.follow(self.versions.setdefault(lease, []), fact["terms"])
                self.leases[lease] = Lease(self.versions[lease])
            elif kind in ("usage", "delivery"):
                names = raw(fact["device"]), raw(fact["lease"])
                self.held[place] = [*names, *span, kind == "delivery"]
            elif kind == "outage":
                names = raw(fact["device"]), raw(fact["lease"])
                self.out[place] = [*names, *span, fact["cause"] == "planned"]
                self.kept_from |= {names[1]} - {ZERO}
            elif kind == "seen":
                self.seen.setdefault(raw(fact["device"]), []).append((span[0], span[1]))
            elif kind == "until":
                self.held[tuple(fact["target"])][3] = fact["end_s"]
            elif kind == "void":
                target = tuple(fact["target"])
                (self.held if target in self.held else self.out).pop(target)
            else:
                of = self.adjusted.setdefault(raw(fact["lease"]), {})
                of[raw(fact["subject"])] = fact["amount"]

    def lease_of(self, fact: dict[str, Any]) -> bytes:
        """Whose books a fact changes; zero where they may be anybody's."""
        if fact["fact"] == "terms":
            return raw(fact["terms"]["lease"])
        if fact["fact"] in ("until", "void"):
            target = tuple(fact["target"])
            told = self.held.get(target)
            return ZERO if told is None else bytes(told[1])
        return ZERO if fact["fact"] == "outage" else raw(fact["lease"])

    def signed_share(self, lines: list[Any]) -> dict[str, int]:
        """What of lines belongs to leases of which all that was told was signed."""
        if ZERO in self.unsigned:
            lines = []
        others = self.unsigned | (self.kept_from if self.unsigned else set())
        own = [line for line in lines if line[3] not in others]
        return {
            "charge": sum(abs(line[5]) for line in own),
            "gpu_seconds": sum(line[4] - line[2] for line in own if line[0] < 2),
        }

    @staticmethod
    def follow(versions: list[dict[str, Any]], terms: dict[str, Any]) -> None:
        last = versions[-1] if versions else None
        previous = "0x" + (sha256(line_of(last)).hexdigest() if last else ZERO.hex())
        party = last["party"] if last else terms["party"]
        if (terms["version"], terms["previous"], terms["party"]) != (
            len(versions) + 1,
            previous,
            party,
        ):
            raise ValueError(f"version {terms['version']} of a lease does not follow")
        versions.append(terms)

    def look(self, device: bytes, number: int) -> tuple[Any, Any, int]:
        """Uses, what was withheld, and available seconds of a device in a segment."""
        epoch, _, start, end = self.segments[number]
        if device not in self.devices(epoch):
            return (), (), 0
        cell = [(start, end)]
        held = [h for _, h in sorted(self.held.items()) if h[0] == device]
        out = [o for _, o in sorted(self.out.items()) if o[0] == device]
        delivered = union([(h[2], h[3]) for h in held if h[4]])
        outages = [(o, less([(o[2], o[3])], delivered)) for o in out]
        dark = union([span for _, spans in outages for span in spans])
        uses: dict[tuple[bytes, bool], Spans] = {}
        claimed = []
        for _, lease, a, b, delivery in held:
            span = [(a, b)] if a < b else []
            if not delivery:
                span = both(span, self.leases[lease].running)
                claimed.append((lease, span))
                span = less(span, dark)
            uses.setdefault((lease, delivery), []).extend(both(span, cell))
        withheld = []
        for (_, own, _, _, planned), spans in outages:
            rest = both(spans, cell)
            for lease, time in claimed:
                withheld += [(lease, a, b, planned, True) for a, b in both(rest, time)]
                rest = less(rest, time)
            if own != ZERO:
                free = both(rest, self.leases[own].running)
                withheld += [(own, a, b, planned, False) for a, b in free]
        sightings = union(self.seen.get(device, []) + [(h[2], h[3]) for h in held], 600)
        there = cell if self.terms["silence"] == "available" else sightings
        available = sum(b - a for a, b in less(both(there, cell), dark))
        merged = tuple((*key, tuple(union(s))) for key, s in sorted(uses.items()) if s)
        return merged, tuple(withheld), available

    # --- one statement ---------------------------------------------------------------------------

    def close(self, number: int, period: tuple[int, int], closing: bool) -> tuple[list[Any], Any]:
        """Lines without sums, and (available, adjustment, top renter, committed)."""
        before = number if closing else number + 1
        lines, available, adjustment = self.time(number, closing)
        self.charge(lines, number)
        sum_of = sum(line[5] for line in lines)
        differences = self.differences(before, period, closing)
        if not closing:
            missing = -(sum_of + sum(line[5] for line in differences))
            for line in reversed(differences):
                if missing > 0 and line[5] < 0:
                    cut = min(missing, -line[5])
                    missing, line[5] = missing - cut, line[5] + cut
        differences = [line for line in differences if line[5]]
        for kind, subject, start, lease, _, charge in differences:
            self.book(lease, -1 if kind == 11 else month_of(start), (kind, subject), charge)
        lines = sorted(lines + differences)
        self.freeze(period[1], before, period, closing)
        return lines, (available, adjustment, *self.shares(lines, number, closing))

    def time(self, number: int, closing: bool) -> tuple[list[Any], int, int]:
        lines: list[Any] = []
        available = adjustment = 0
        known = {h[0] for h in (*self.held.values(), *self.out.values())} | set(self.seen)
        for place, (epoch, month, _, _) in enumerate(self.segments):
            own = epoch == number and not closing
            if month in self.frozen or not (own or epoch < number):
                continue
            for device in sorted(
                {*known, *self.devices(epoch)} | {d for d, p in self.told if p == place}
            ):
                old = self.told.get((device, place), ((), (), 0))
                new = self.told[device, place] = self.look(device, place)
                if own:
                    available += new[2]
                    lines += self.own_lines(device, new[0])
                    continue
                adjustment += new[2] - old[2]
                was = {u[:2]: list(u[2]) for u in old[0]}
                now = {u[:2]: list(u[2]) for u in new[0]}
                for key in sorted(was.keys() | now.keys()):
                    gone = less(was.get(key, []), now.get(key, []))
                    come = less(now.get(key, []), was.get(key, []))
                    lines += [[4, device, a, key[0], b, 0] for a, b in gone]
                    lines += [[3 if key[1] else 2, device, a, key[0], b, 0] for a, b in come]
        return lines, available, adjustment

    def own_lines(self, device: bytes, uses: tuple[Any, ...]) -> list[Any]:
        lines = []
        for lease, delivery, spans in uses:
            for a, b in spans:
                cut = [(a, b)] if delivery else [s[:2] for s in self.leases[lease].within(a, b)]
                lines += [[int(delivery), device, c, lease, d, 0] for c, d in cut]
        return lines

    def charge(self, lines: list[Any], number: int) -> None:
        weights: dict[tuple[bytes, int], int] = {}
        for line in sorted(lines):
            if line[0] != 0:
                continue
            _, _, start, lease, end, _ = line
            pair = lease, month_of(start)
            if pair not in weights:
                weights[pair] = self.sums(*pair, number).usage
            after = weights[pair] + (end - start) * self.leases[lease].within(start, end)[0][3]
            line[5] = after // UNIT - weights[pair] // UNIT
            weights[pair] = after
            self.book(lease, pair[1], (5, SUBJECTS[5]), line[5])

    def book(self, lease: bytes, month: int, component: tuple[int, bytes], charge: int) -> None:
        of = self.stated.setdefault((lease, month), {})
        of[component] = of.get(component, 0) + charge

    def sums(self, lease: bytes, month: int, before: int) -> Sums:
        sums = Sums()
        for place, (epoch, of, start, end) in enumerate(self.segments):
            if of != month or epoch >= before:
                continue
            cells = [self.told[key] for key in self.told if key[1] == place]
            uses = [
                span
                for cell in cells
                for who, delivery, spans in cell[0]
                if who == lease and not delivery
                for span in spans
            ]
            withheld = [w[1:] for cell in cells for w in cell[1] if w[0] == lease]
            sums.add(self.leases[lease], start, end, uses, withheld)
        return sums

    def due(
        self, lease: bytes, month: int, before: int, period: tuple[int, int], closing: bool
    ) -> dict[tuple[int, bytes], int]:
        if month in self.frozen:
            return self.frozen[month].get(lease, {})
        now = period[0] if closing else period[1]
        start, end = self.bounds(month, now, closing)
        sums, of = self.sums(lease, month, before), self.leases[lease]
        usage, tier = sums.usage // UNIT, -(sums.discount // (UNIT * 10_000))
        owed = {5: usage, 6: tier}
        if end <= now:
            short = max(0, (sums.committed - sums.excused) // UNIT - usage)
            whole = month_start(month + 1) - month_start(month)
            least = max(0, sums.minimum // whole - (usage + tier + short))
            ran = of.within(start, end)
            share, credit = max(sums.held + sums.withheld, sums.committed_s), 0
            for above, bps in ran[-1][2]["sla"] if ran else ():
                credit = bps if sums.withheld * 10**6 > above * share else credit
            credit = min(credit, ran[-1][2]["sla_cap_bps"]) if ran else 0
            owed |= {7: short, 8: least, 9: -((usage + tier + short + least) * credit // 10_000)}
        due = {(kind, SUBJECTS[kind]): amount for kind, amount in owed.items()}
        last = (now if closing else self.over) - 1
        for version in of.versions:
            for name, at, amount in version["fixed"]:
                past = at < now or (closing and at == now)
                if past and month_of(min(at, last)) == month and of.at(at) is version:
                    subject = keccak(b"fixed" + word(at) + word(amount) + name.encode())
                    due[10, subject] = amount
        return due

    def bounds(self, month: int, now: int, closing: bool) -> tuple[int, int]:
        end = min(month_start(month + 1), now if closing else self.over)
        return max(month_start(month), self.begin), end

    def differences(self, before: int, period: tuple[int, int], closing: bool) -> list[Any]:
        lines: list[Any] = []
        now = period[0] if closing else period[1]
        months = sorted({month for _, month, start, _ in self.segments if start < now})
        for lease in self.leases:
            for month in months:
                due = self.due(lease, month, before, period, closing)
                lines += self.differ(lease, month, due, self.bounds(month, now, closing))
            due = {(11, s): amount for s, amount in self.adjusted.get(lease, {}).items()}
            lines += self.differ(lease, -1, due, (period[0], min(period[1], self.over + self.seal)))
        return sorted(lines)

    def differ(
        self, lease: bytes, month: int, due: dict[tuple[int, bytes], int], bounds: tuple[int, int]
    ) -> list[Any]:
        stated = self.stated.get((lease, month), {})
        amounts = {c: due.get(c, 0) - stated.get(c, 0) for c in due.keys() | stated.keys()}
        return [
            [kind, subject, bounds[0], lease, bounds[1], amount]
            for (kind, subject), amount in amounts.items()
            if amount
        ]

    def freeze(self, end: int, before: int, period: tuple[int, int], closing: bool) -> None:
        for month in sorted({month for _, month, _, _ in self.segments}):
            sealed = min(month_start(month + 1), self.over) + self.seal
            if month not in self.frozen and (closing or sealed <= end):
                dues = {x: self.due(x, month, before, period, closing) for x in self.leases}
                self.frozen[month] = dues

    def shares(self, lines: list[Any], number: int, closing: bool) -> tuple[int, int]:
        parties: dict[str, int] = {}
        usage: dict[bytes, int] = {}
        covered = 0
        for kind, _, _, lease, _, charge in lines:
            if charge <= 0:
                continue
            party = self.leases[lease].party
            parties[party] = parties.get(party, 0) + charge
            if kind in (0, 5):
                usage[lease] = usage.get(lease, 0) + charge
            covered += charge if kind in (7, 8) else 0
        total = sum(parties.values())
        for lease, charge in usage.items():
            own = [s for s in self.segments if s[0] == number and not closing]
            parts = [p for s in own for p in self.leases[lease].within(s[2], s[3])]
            covered += min(charge, sum((b - a) * w * c for a, b, _, w, c in parts) // UNIT)
        return (
            (10_000 * max(parties.values()) // total, 10_000 * covered // total)
            if total
            else (0, 0)
        )


# --- who signs the log ---------------------------------------------------------------------------


def text_of(key: bytes) -> str:
    return urlsafe_b64encode(key).decode().rstrip("=")


def key_of(text: str) -> bytes:
    key = urlsafe_b64decode(text + "=") if re.fullmatch(r"[\w-]{43}", text, re.ASCII) else b""
    if text_of(key) != text:
        raise ValueError(f"{text[:60]!r} is no key")
    if (int.from_bytes(key, "little") & ((1 << 255) - 1)) % FIELD in WEAK:
        raise ValueError(f"{text} is a key with which everybody signs")
    return key


def once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(members)) != len(members):
        raise ValueError("its body names a field twice")
    return dict(members)


def unpacked(text: str) -> bytes:
    """Base64 in its one form."""
    data = b64decode(text, validate=True)
    if b64encode(data).decode() != text:
        raise ValueError("its base64 has another form")
    return data


def short_line(text: str) -> bool:
    return len(text) <= 200 and re.fullmatch(r"[!-~]([ -~]*[!-~])?", text) is not None


def signer_of(request: dict[str, str], said: bytes, log: str) -> tuple[bytes, int]:
    """Key and second of a request, whose signature holds over what is said."""
    covered, *stated = request["params"].split(";")
    parts = [part.partition("=") for part in stated]
    names = sorted(name for name, _, _ in parts)
    if covered != COVERED or names != sorted(STATED):
        raise ValueError("its parameters are others")
    of = {name: value for name, _, value in parts}
    if not all(STATED[name].fullmatch(value) for name, value in of.items()):
        raise ValueError("its parameters cannot be read")
    if not short_line(request["path"]) or not short_line(request["content_type"]):
        raise ValueError("its path or content type is no short line")
    if not re.fullmatch(r"[0-9a-f]{64}", request["after"]):
        raise ValueError("its `after` is no hash")
    values = {
        "@method": "POST",
        "@path": request["path"],
        "content-type": request["content_type"],
        "content-digest": f"sha-256=:{b64encode(sha256(said).digest()).decode()}:",
        "rentroll-log": log,
        "rentroll-after": request["after"],
        "@signature-params": request["params"],
    }
    base = "\n".join(f'"{name}": {value}' for name, value in values.items())
    author = key_of(of["keyid"].strip('"'))
    try:
        key = Ed25519PublicKey.from_public_bytes(author)
        key.verify(unpacked(request["signature"]), base.encode())
    except InvalidSignature as error:
        raise ValueError("its signature does not hold") from error
    return author, int(of["created"])


class Authors:
    """Keys of a log as its entries so far have them: role, newest entry's hash, whether ended."""

    def __init__(self, terms: dict[str, Any], named: Named | None) -> None:
        of = terms["log"]
        self.log = f"{of['chain_id']}:{of['registry'].lower()}:{terms['facility_id']}"
        self.unsigned_taken, self.named = of["unsigned"] == "taken", named
        self.keys: dict[bytes, dict[str, Any]] = {}
        if raw(of["key"]) != ZERO:  # signs receipts, and names its successor
            self.keys[raw(of["key"])] = {"role": "log", "last": ZERO, "ended": False}

    def take(self, doc: dict[str, Any], hashed: bytes) -> None:
        """Take an entry of `batches.jsonl`. Raises ValueError for one that no log takes."""
        author, at_s, about = raw(doc["author"]), doc["recorded_at_s"], doc["kind"] != "batch"
        if set(doc) != (SHOWN | {"blind", "said", "request"} if about else SHOWN):
            raise ValueError("it has other fields")
        if author == ZERO:
            if about or not self.unsigned_taken:
                raise ValueError("nobody signed it")
            return
        known = self.keys.get(author)
        if self.brings_itself(doc, author):
            known = None if known is None or known["role"] == "collector" else known
        if known is not None and known["ended"]:
            raise ValueError("its author's key was ended before")
        if known is not None and known["role"] == "log" and doc["kind"] != "successor":
            raise ValueError("the log's own key signs that")
        body = self.said(doc, author, known) if about else {}
        new_ledger = body.get("role") == "ledger"
        if known is None and not new_ledger:
            raise ValueError("its author's key is none of this log")
        if known is None or known["role"] == "ledger":
            self.require_named(author, at_s)
        if known is not None:
            known["last"] = hashed
        if not about:
            return
        key = key_of(body["key"])
        if doc["kind"] == "key-end":
            self.keys[key]["ended"] = True
            return
        role = "log" if doc["kind"] == "successor" else body["role"]
        for each in self.keys.values() if role != "collector" else ():
            each["ended"] |= each["role"] == role
        self.keys[key] = {"role": role, "last": hashed, "ended": False}

    def brings_itself(self, doc: dict[str, Any], author: bytes) -> bool:
        """Whether a key brings itself as the ledger key: who it was before does not matter."""
        if doc["kind"] != "key":
            return False
        body = json.loads(unpacked(doc["said"]), object_pairs_hook=once)
        return body.get("role") == "ledger" and key_of(body["key"]) == author

    def said(
        self, doc: dict[str, Any], author: bytes, known: dict[str, Any] | None
    ) -> dict[str, str]:
        """What an entry about a key says, if its author may."""
        said, blind, request = unpacked(doc["said"]), raw(doc["blind"]), doc["request"]
        if len(said) > 1_024:
            raise ValueError("its body is too long")
        hashed = sha256(b"rentroll/body/1" + blind + sha256(said).digest()).digest()
        if len(blind) != 16 or hashed != raw(doc["body"]):
            raise ValueError("its body is another")
        if raw(doc["answers"]) != sha256(b"\0").digest():
            raise ValueError("its answer is another")
        if set(request) != {"path", "content_type", "after", "params", "signature"}:
            raise ValueError("its request has other fields")
        signer, created_s = signer_of(request, said, self.log)
        if signer != author or not request["path"].endswith(PATHS[doc["kind"]]):
            raise ValueError("its author signed something else")
        if created_s > doc["recorded_at_s"] + AHEAD_S:
            raise ValueError("it was signed later than it was recorded")
        if bytes.fromhex(request["after"]) != (ZERO if known is None else known["last"]):
            raise ValueError("its author named another entry as the newest")
        body = json.loads(said, object_pairs_hook=once)
        self.allow(doc["kind"], body, author, known)
        return dict(body)

    def allow(
        self, kind: str, body: dict[str, str], author: bytes, known: dict[str, Any] | None
    ) -> None:
        """Refuse what a key may not say of keys."""
        if set(body) != ({"key", "name", "role"} if kind == "key" else {"key"}):
            raise ValueError("its body has other fields")
        key = key_of(body["key"])
        about = self.keys.get(key)
        ledger = known is not None and known["role"] == "ledger"
        if kind == "key-end":
            holds = about is not None and not about["ended"] and (ledger or key == author)
            holds = holds and about is not None and about["role"] != "log"
        elif kind == "successor":
            own = any(each["role"] == "log" for each in self.keys.values())
            may = known is not None and known["role"] != "collector"
            holds = own and may and about is None
        else:
            itself = known is None and (key, body["role"]) == (author, "ledger")
            names = ledger and about is None and body["role"] == "collector"
            named = NAME.fullmatch(body["name"]) is not None
            holds = named and (itself or names)
        if not holds:
            raise ValueError("its author may not say that of a key")

    def require_named(self, key: bytes, at_s: int) -> None:
        """Refuse a ledger key that the operator's address did not name by then, or no more."""
        if self.named is None:
            return
        by_then = [each for each in self.named if each[1] <= at_s + AHEAD_S]
        places = [i for i, each in enumerate(by_then) if each[0] == key]
        if not places:
            raise ValueError("the operator had not named its ledger key on-chain by then")
        if any(named_s + HEARD_S <= at_s for _, named_s in by_then[places[-1] + 1 :][:1]):
            raise ValueError("the operator had named another ledger key on-chain before")


# --- files, statements, signatures ---------------------------------------------------------------


class Chain:
    """What the registries say; of a facility without them, nothing was replaced and none ended."""

    def __init__(self, deployment: dict[str, Any], rpc_url: str | None) -> None:
        self.id, self.url = deployment["chainId"], rpc_url
        self.start = deployment["startBlock"]
        self.at = {name: of["address"] for name, of in deployment["contracts"].items()}

    def request(self, method: str, *params: object) -> Any:  # noqa: ANN401  JSON
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        request = urllib.request.Request(
            str(self.url), json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)["result"]

    def ask(self, contract: str, function: str, *numbers: int) -> list[int]:
        data = keccak(text=function)[:4] + b"".join(word(n) for n in numbers)
        call = {"to": self.at[contract], "data": "0x" + data.hex()}
        found = raw(self.request("eth_call", call, "latest"))
        return [int.from_bytes(found[i : i + 32], "big") for i in range(0, len(found), 32)]

    def replaced(self, facility: int) -> list[tuple[bytes, int]]:
        """Root and first epoch of each pledge after the offer's."""
        words = self.ask("PledgeRegistry", "pledgesOf(uint64)", facility) if self.url else [0, 0]
        rows = [words[2 + 4 * i : 6 + 4 * i] for i in range(words[1])]
        return [(word(row[0]), row[1]) for row in rows[1:]]

    def ended_at(self, facility: int) -> int | None:
        """When it defaulted or was stopped."""
        if not self.url or self.ask("FacilityRegistry", "stateOf(uint64)", facility)[0] not in (
            6,
            7,
        ):
            return None
        return self.ask("FacilityRegistry", "endingOf(uint64)", facility)[1]

    def named(self, operator: str) -> Named | None:
        """Ledger keys that an operator named, in order; None where nobody can say."""
        if not self.url:
            return None
        found: Named = []
        topics = ["0x" + keccak(text="LedgerKeySet(address,bytes32)").hex()]
        topics.append("0x" + raw(operator).rjust(32, b"\0").hex())
        last = int(self.request("eth_blockNumber"), 16)
        for start in range(self.start, last + 1, LOG_RANGE):
            wanted = {
                "address": self.at["FacilityRegistry"],
                "fromBlock": hex(start),
                "toBlock": hex(min(last, start + LOG_RANGE - 1)),
                "topics": topics,
            }
            logs = self.request("eth_getLogs", wanted)
            for log in sorted(logs, key=lambda x: [int(x[k], 16) for k in LOG_ORDER]):
                block = self.request("eth_getBlockByNumber", log["blockNumber"], False)
                found.append((raw(log["data"]), int(block["timestamp"], 16)))
        return found

    def stored(self, facility: int, epoch: int) -> bytes | None:
        """Hash of the statement that stands."""
        words = self.ask("StatementRegistry", "statementOf(uint64,uint32)", facility, epoch)
        return word(words[0]) if any(words) else None


def struct_hash(doc: dict[str, Any]) -> bytes:
    values = [doc[name] for name in FIELDS]
    return keccak(
        keccak(text=TYPE) + b"".join(raw(v) if isinstance(v, str) else word(v) for v in values)
    )


def digest_of(doc: dict[str, Any], chain_id: int, registry: str) -> bytes:
    names = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    parts = keccak(text=names) + keccak(text="Rentroll Statements") + keccak(text="1")
    separator = keccak(parts + word(chain_id) + word(int(registry, 16)))
    return keccak(b"\x19\x01" + separator + struct_hash(doc))


def csv_of(facility: int, epoch: int, lines: list[Any]) -> tuple[bytes, bytes, int, int]:
    """`lines.csv`, the root, and both sums."""
    rows, encoded, seconds, charge = [HEADER], [], 0, 0
    for index, (kind, subject, start, lease, end, amount) in enumerate(lines):
        counted = end - start if kind < 2 else 0
        seconds, charge = seconds + counted, charge + amount
        names = "0x" + subject.hex(), "0x" + lease.hex()
        cells = (index, kind, *names, start, end, counted, amount, seconds, charge)
        rows.append(",".join(map(str, cells)))
        head = word(facility) + word(epoch) + word(index) + word(kind) + subject + lease
        encoded.append(head + b"".join(map(word, (start, end, counted, amount, seconds, charge))))
    return "\n".join([*rows, ""]).encode(), root_of(encoded), seconds, charge


def credits_of(lines: list[Any]) -> bytes:
    sums: dict[bytes, int] = {}
    for line in lines:
        sums[line[3]] = sums.get(line[3], 0) + line[5]
    rows = [f"0x{lease.hex()},{-amount}" for lease, amount in sorted(sums.items()) if amount < 0]
    return "\n".join(["lease,amount", *rows, ""]).encode()


def period_of(facility: Facility, number: int, ended: int | None) -> tuple[int, int, bool]:
    """Bounds of a statement, and whether it is the closing one."""
    grace, over = facility.terms["grace_s"], facility.over + facility.seal
    closes = facility.epochs
    if ended is not None and ended < over:
        closes = min(closes, max(0, ended - facility.begin) // facility.length)
        over = ended + min(max(1, grace), facility.length)
    start = facility.begin + number * facility.length
    return (start, over, True) if number == closes else (start, start + facility.length, False)


def check_signatures(data: bytes, digest: bytes) -> list[str]:
    """Signatures that are no key's over a digest: a contract may have given them."""
    rows = json.loads(data)
    if pretty(sorted(rows, key=lambda row: row["attester"])) != data:
        raise ValueError("attestations.json is not canonical")
    others = []
    for row in rows:
        signed = raw(row["signature"])
        try:
            key = Signature(
                signed[:64] + bytes([signed[64] - 27])
            ).recover_public_key_from_msg_hash(digest)
            known = key.to_address() == row["attester"]
        except Exception:  # whatever the bytes are, they are no key's signature
            known = False
        others += [] if known else [row["attester"]]
    return others


def verify_facility(folder: Path, chain: Chain) -> list[str]:
    """Everything that does not hold of one facility."""
    if not (folder / "facility.json").exists():
        # Nothing has to be published before the first statement.
        return [f"{folder.name}: no facility.json"] if any(folder.glob("epoch-*")) else []
    terms_json = (folder / "facility.json").read_bytes()
    terms = json.loads(terms_json)
    if pretty(terms) != terms_json:
        return [f"{folder.name}/facility.json is not canonical"]
    number = terms["facility_id"]
    replaced = []
    for root, from_epoch in chain.replaced(number):
        pledge = json.loads((folder / "pledges" / f"{root.hex()}.json").read_bytes())
        leaves = [
            word(number) + word(i) + raw(d["device"]) + raw(d["card"]) + word(d["from_epoch"])
            for i, d in enumerate(pledge["devices"])
        ]
        if (root_of(leaves), pledge["from_epoch"]) != (root, from_epoch):
            return [f"{folder.name}: a replaced pledge is not what the chain approved"]
        replaced.append(pledge)
    facility, ended, found = Facility(terms, replaced), chain.ended_at(number), list[str]()
    authors = Authors(terms, chain.named(terms["gpu_operator"]))
    follows = {"manifest": ZERO, "statement": ZERO, "log": (0, ZERO, 0), "authors": authors}
    for epoch in sorted(folder.glob("epoch-*")):
        if not (epoch / "statement.json").exists():
            continue
        said = json.loads((epoch / "statement.json").read_bytes())
        if chain.url and chain.stored(number, said["epoch"]) != struct_hash(said):
            # Closed and signed, and not posted yet; or voided.
            continue
        where = f"{folder.name}/{epoch.name}"
        try:
            found += [f"{where}: {x}" for x in one(epoch, facility, ended, follows, chain)]
        except (ValueError, LookupError, TypeError, OSError) as error:
            # Nothing behind it can be told.
            return [*found, f"{where}: {error!r}"]
    return found


def entries_of(
    data: bytes, terms: dict[str, Any], log: tuple[int, bytes, int], authors: Authors
) -> tuple[list[dict[str, Any]], tuple[int, bytes, int]]:
    """Entries of the log, and where it ends: size, head, newest second."""
    entries = []
    size, head, newest = log
    of = terms["log"]
    start = b"rentroll/entry/1" + of["chain_id"].to_bytes(8, "big") + raw(of["registry"])
    start += terms["facility_id"].to_bytes(8, "big")
    for row in data.splitlines():
        doc = json.loads(row)
        if line_of(doc) != row + b"\n" or doc["entry"] != size + 1 or doc["recorded_at_s"] < newest:
            raise ValueError(f"entry {doc['entry']} of the log does not follow")
        size, newest = doc["entry"], doc["recorded_at_s"]
        entry = start + size.to_bytes(8, "big") + head + bytes([KINDS[doc["kind"]]])
        entry += raw(doc["body"]) + raw(doc["author"]) + newest.to_bytes(8, "big")
        head = sha256(entry + raw(doc["answers"])).digest()
        try:
            authors.take(doc, head)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"entry {size} of the log: {error}") from error
        entries.append(doc)
    return entries, (size, head, newest)


def check_state(data: bytes, facility: Facility, number: int, due: bool) -> list[str]:
    """What of `state.jsonl` does not follow: when it is there, and whose entries were unsigned."""
    rows = [json.loads(row) for row in data.splitlines()]
    if bool(rows) != due or b"".join(map(line_of, rows)) != data:
        return ["state.jsonl is missing, not canonical, or not of the end of a month"]
    unsigned = [{"unsigned": "0x" + lease.hex()} for lease in sorted(facility.unsigned)]
    unsigned += [{"kept_from": "0x" + lease.hex()} for lease in sorted(facility.kept_from)]
    said = [row for row in rows if "unsigned" in row or "kept_from" in row]
    if due and (rows[0]["next_epoch"], said) != (number + 1, unsigned):
        return ["state.jsonl says of other leases that something of them was not signed"]
    return []


def one(
    epoch: Path, facility: Facility, ended: int | None, follows: dict[str, Any], chain: Chain
) -> list[str]:
    """Everything that does not hold of one statement."""
    files = {
        n: (epoch / n if n != COMMITTED[0] else epoch.parent / n).read_bytes() for n in COMMITTED
    }
    said = json.loads((epoch / "statement.json").read_bytes())
    facility_id, number = facility.terms["facility_id"], said["epoch"]
    facts = [json.loads(x) for n in COMMITTED[2:4] for x in files[n].splitlines()]
    before: Authors = follows["authors"]
    entries, log = entries_of(files["batches.jsonl"], facility.terms, follows["log"], before)
    times = {doc["entry"]: doc["recorded_at_s"] for doc in entries}
    facility.take(facts, {doc["entry"] for doc in entries if raw(doc["author"]) != ZERO})
    start, end, closing = period_of(facility, number, ended)
    lines, (available, adjustment, top, committed) = facility.close(number, (start, end), closing)
    lines_csv, root, seconds, gross = csv_of(facility_id, number, lines)
    ours = {
        "facts.jsonl": b"".join(line_of(f) for f in facts if f["fact"] != "terms"),
        "terms.jsonl": b"".join(line_of(f) for f in facts if f["fact"] == "terms"),
        "lines.csv": lines_csv,
        "credits.csv": credits_of(lines if closing else []),
    }
    found = [f"{name} is not what its facts give" for name in ours if ours[name] != files[name]]
    month_ends = not closing and month_of(start) != month_of(end)
    found += check_state(files["state.jsonl"], facility, number, month_ends)
    if any(times.get(fact["entry"]) != fact["recorded_at_s"] for fact in facts):
        found.append("facts are not of this part of the log")
    document = {
        "format": "rentroll-evidence-5",
        "facility_id": facility_id,
        "epoch": number,
        "log_size": log[0],
        "log_head": "0x" + log[1].hex(),
        "previous": "0x" + follows["manifest"].hex(),
        "signed": facility.signed_share(lines),
        "files": [
            {"name": n, "bytes": len(files[n]), "sha256": sha256(files[n]).hexdigest()}
            for n in COMMITTED
        ],
    }
    if pretty(document) != (epoch / "manifest.json").read_bytes():
        found.append("manifest.json is not that of its files")
    hashed = sha256(pretty(document)).digest()
    values = (facility_id, number, start, end, available, adjustment, seconds, gross, len(lines))
    hashes = tuple("0x" + h.hex() for h in (root, hashed, follows["statement"]))
    statement = dict(zip(FIELDS, (*values, *hashes, top, committed), strict=True))
    full = {**statement, "statement_hash": "0x" + struct_hash(statement).hex()}
    found += [
        f"{name} is {said.get(name)}, not {full[name]}"
        for name in full
        if said.get(name) != full[name]
    ]
    attestations = epoch / "attestations.json"
    if attestations.exists():
        digest = digest_of(said, chain.id, chain.at["StatementRegistry"])
        for account in check_signatures(attestations.read_bytes(), digest):
            print(f"{epoch.name}: {account} signed by no key: ask its contract (ERC-1271)")
    follows |= {"manifest": hashed, "statement": struct_hash(said), "log": log}
    return found


def name_hash(label: str, facility_id: int, secret: bytes, name: str) -> bytes:
    """Hash of a lease's id, or of a renter's name, in a facility."""
    if label == "party":
        folded = normalize("NFKC", normalize("NFKC", name).casefold())
        kept = ("-" if category(c)[0] not in "LN" else c for c in folded)
        name = re.sub("-+", "-", "".join(kept)).strip("-") or name
    return keccak(f"rentroll/{label}/1".encode() + facility_id.to_bytes(8) + secret + name.encode())


def lines_of(folder: Path, label: str, name: str, secret: bytes) -> list[str]:
    """Lines of a name in a facility, each behind its statement's folder; none if it is no name
    there, else at least the leases."""
    hashed = "0x" + name_hash(label, int(folder.name.split("-")[1]), secret, name).hex()
    epochs = sorted(folder.glob("epoch-*"))
    rows = [row for e in epochs for row in (e / "terms.jsonl").read_text().splitlines()]
    told = [json.loads(row)["terms"] for row in rows]
    leases = {terms["lease"] for terms in told if terms[label] == hashed}
    stated = [(e.name, x) for e in epochs for x in (e / "lines.csv").read_text().splitlines()[1:]]
    found = [f"{epoch} {row}" for epoch, row in stated if row.split(",")[3] in leases]
    return [f"{folder.name}: lease {lease}" for lease in sorted(leases)] + found


def main(arguments: list[str]) -> int:
    """Verify every facility of a folder."""
    named = next((i for i, x in enumerate(arguments) if x in ("--lease", "--renter")), None)
    asked = [] if named is None else arguments[named:]
    arguments = arguments[:named]
    root = Path(arguments[0])
    rpc_url = arguments[1] if len(arguments) > 1 else None
    chain = Chain(json.loads((root / "deployment.json").read_bytes()), rpc_url)
    found = [
        x for folder in sorted(root.glob("facility-*")) for x in verify_facility(folder, chain)
    ]
    if asked:
        label = "lease" if asked[0] == "--lease" else "party"
        folders = sorted(root.glob("facility-*"))
        rows = [x for folder in folders for x in lines_of(folder, label, asked[1], raw(asked[2]))]
        print("\n".join(rows))
        found += [] if rows else ["no lease or renter has this name by this secret"]
    for sentence in found:
        print(sentence)
    print("something does not hold" if found else "every statement holds")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
