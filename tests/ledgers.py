"""Random honest ledgers, closed by `api.domain.statements.closing`, for unit and contract tests."""

import random
from dataclasses import dataclass, replace

from api.domain.facility import FacilityTerms, TrancheTerms
from api.domain.hashing import device_hash, keccak
from api.domain.metering.occupancy import Occupancy
from api.domain.metering.usage import DELIVERY_KINDS, LineKind, Outage
from api.domain.statements.closing import ClosedEpoch, close_epoch
from api.domain.statements.entries import Entry
from api.domain.statements.evidence import EMPTY_CARRY
from api.domain.statements.rating import LeaseTerms, PricePlan, PriceVersion
from api.domain.statements.statement import statement_hash
from api.domain.units import ZERO32, Bytes32, Epoch, FacilityId

# Kinds that a ledger of today has lines of; leases have no other components yet.
STATED_KINDS = frozenset(LineKind) - {
    LineKind.TIER_DIFFERENCE,
    LineKind.MINIMUM_DIFFERENCE,
    LineKind.FIXED_DIFFERENCE,
    LineKind.ADJUSTMENT_DIFFERENCE,
}
EPOCH_S = 3_600
EPOCHS = 4
WINDOW_START_S = 1_767_225_600


def facility(
    facility_id: int = 7, *, devices: int = 5, window_start_s: int = WINDOW_START_S, first: int = 0
) -> FacilityTerms:
    """A facility of four hourly epochs."""
    return FacilityTerms(
        facility_id=FacilityId(facility_id),
        gpu_operator="0x" + "11" * 20,
        settlement_token="0x" + "22" * 20,
        gpu_class="H100-SXM5-80GB",
        site="SE-LULEA-1",
        window_start_s=window_start_s,
        window_end_s=window_start_s + EPOCHS * EPOCH_S,
        expires_at_s=window_start_s + EPOCH_S,
        epoch_length_s=EPOCH_S,
        devices=tuple(sorted(device_hash(f"GPU-{i}") for i in range(first, first + devices))),
        promised_availability_ppm=990_000,
        fee_bps=100,
        tranches=(TrancheTerms(1),),
        seal_s=EPOCH_S,
    )


@dataclass(frozen=True, slots=True)
class _Record:
    entry: Entry
    statement_epoch: int


class Ledger:
    """A ledger that obeys the rules of ingest: free devices, late records, voids of stated ones."""

    def __init__(self, seed: int, terms: FacilityTerms) -> None:
        self.dice = random.Random(seed)
        self.terms = terms
        self.leases = self._leases()
        self.records: list[_Record] = []
        self.outages: list[tuple[int, Outage]] = []

    def _leases(self) -> dict[Bytes32, LeaseTerms]:
        start_s = self.terms.window_start_s
        found = {}
        for i, plan in enumerate((PricePlan.ON_DEMAND, PricePlan.TAKE_OR_PAY, PricePlan.SPOT)):
            prices = (
                PriceVersion(1, start_s, self.dice.randrange(5_000_000), 10_000),
                PriceVersion(2, start_s + 5_000, self.dice.randrange(5_000_000), 5_000),
            )
            lease = keccak(b"lease %d" % i)
            committed = 2 if plan is PricePlan.TAKE_OR_PAY else 0
            closed_s = start_s + self.dice.choice((9_000, 14_400)) if committed else None
            renter = keccak(b"renter %d" % (i // 2))
            found[lease] = LeaseTerms(lease, renter, plan, committed, start_s, closed_s, prices)
        return found

    def _free(self, device: Bytes32) -> Occupancy:
        taken = [(r.entry.start_s, r.entry.end_s) for r in self.records if r.entry.device == device]
        taken += [(o.start_s, o.end_s) for _, o in self.outages if o.device == device]
        return Occupancy(taken)

    def _interval(self, epoch: int) -> tuple[Bytes32, Bytes32, int, int] | None:
        """A free device, a lease, and an interval inside an epoch."""
        device = self.dice.choice(self.terms.devices)
        lease = self.dice.choice(sorted(self.leases))
        start_s, end_s = self.terms.epoch_bounds(epoch)
        begin_s = self.dice.choice((start_s, self.dice.randrange(start_s, end_s)))
        until_s = self.dice.choice((end_s, self.dice.randrange(begin_s + 1, end_s + 1)))
        closed_s = self.leases[lease].closed_at_s
        if closed_s is not None and until_s > closed_s:
            return None
        return (
            None
            if self._free(device).conflict(begin_s, until_s)
            else (device, lease, begin_s, until_s)
        )

    def _record(self, kind: LineKind, interval_epoch: int, statement_epoch: int) -> None:
        found = self._interval(interval_epoch)
        if found is not None:
            self.records.append(_Record(Entry(kind, *found), statement_epoch))

    def fill(self, epoch: int) -> tuple[list[Entry], list[Outage]]:
        """Entries and outages of one statement."""
        for _ in range(self.dice.randrange(8)):
            self._record(self.dice.choice((LineKind.USAGE, LineKind.DELIVERY)), epoch, epoch)
        for _ in range(self.dice.randrange(4)):
            found = self._interval(epoch)
            if found is not None:
                device, lease, start_s, end_s = found
                named = self.dice.choice((lease, ZERO32))
                self.outages.append((epoch, Outage(device, named, start_s, end_s)))
        entries = self._voids(epoch)
        for _ in range(self.dice.randrange(4) if epoch else 0):
            kind = self.dice.choice((LineKind.LATE, LineKind.LATE, LineKind.LATE_DELIVERY))
            self._record(kind, self.dice.randrange(epoch), epoch)
        entries += [r.entry for r in self.records if r.statement_epoch == epoch]
        return entries, [o for e, o in self.outages if e == epoch]

    def _voids(self, epoch: int) -> list[Entry]:
        """Void some records of earlier statements; their time is free again."""
        stated = [r for r in self.records if r.entry.kind not in DELIVERY_KINDS]
        earlier = [r for r in stated if r.statement_epoch < epoch]
        chosen = self.dice.sample(earlier, self.dice.randrange(min(3, len(earlier)) + 1))
        for record in chosen:
            self.records.remove(record)
        return [replace(record.entry, kind=LineKind.VOID) for record in chosen]


def closed_epochs(seed: int, terms: FacilityTerms | None = None) -> list[ClosedEpoch]:
    """Every epoch of a facility, closed over a random ledger."""
    ledger = Ledger(seed, terms or facility())
    closed: list[ClosedEpoch] = []
    for epoch in range(ledger.terms.epoch_count):
        entries, outages = ledger.fill(epoch)
        closed.append(
            close_epoch(
                ledger.terms,
                ledger.terms.period(Epoch(epoch)),
                entries=entries,
                outages=outages,
                leases=ledger.leases,
                carry=closed[-1].carry if closed else EMPTY_CARRY,
                previous_statement_hash=statement_hash(closed[-1].statement) if closed else ZERO32,
            )
        )
    return closed
