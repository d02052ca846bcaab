"""A facility whose renter and voucher holder both use devices, beside the model."""

from collections.abc import Sequence
from dataclasses import replace

from api.domain.capital.vouchers import Voucher, gpu_seconds_of_units, open_of, serve
from api.domain.facility import Period
from api.domain.hashing import keccak
from api.domain.metering.facts import Agreed, Fact, Held, Place
from api.domain.metering.lease_terms import PriceStep, TermsVersion
from api.domain.metering.usage import LineKind
from api.domain.statements.closing import OpenBooks
from api.domain.statements.told import Told
from api.domain.units import ZERO32, Epoch, GpuSeconds, Micros
from tests.logs import bare_entries

REF, RENTED = keccak(b"ann's delivery"), keccak(b"a renter's lease")
OTHER = keccak(b"bob's delivery")
# So high that all promised hours leave a junior its whole hour.
HOUR_S, RATE, BOND = 3_600, 2_000_001, 10_000_000
FULL_HOUR, SHORT = HOUR_S, 1_200


class Delivery:
    """A bonded facility whose renter and voucher holder both use devices."""

    def __init__(self, world) -> None:
        self.world, self.entry = world, 0
        # A device of which nobody tells anything is there.
        self.books = OpenBooks(replace(world.terms, silence_available=True))
        self.vouchers: dict[int, Voucher] = {}
        self.used = 0
        world.offer()
        world.set_bond(BOND, rate=RATE)
        world.fund(offer=False)

    def take(self, holder, units: int, *, lease: bytes = REF, seniority: int = 1) -> int:
        """Burn units on an order, as the model expects; returns the voucher."""
        world, rate = self.world, Micros(RATE)
        token_id = (world.senior, world.junior)[seniority]

        done = world.take_delivery(holder, token_id, units, lease)

        burned = {"seniority": seniority, "units": units}
        given = {"rate_micros_per_gpu_hour": rate, "now_s": done.timestamp}
        owed = gpu_seconds_of_units(world.terms, **burned, **given)
        number = world.desk.voucherCount()
        self.vouchers[number] = Voucher(units, owed, done.timestamp)
        self.compare()
        return number

    def compare(self) -> None:
        """The desk keeps of each tranche and voucher what the model does."""
        desk = self.world.desk
        for number, voucher in self.vouchers.items():
            stored = desk.voucherOf(number)
            seconds = (voucher.owed, voucher.served)
            assert tuple(stored[3:7]) == (*seconds, voucher.units, voucher.issued_at_s)
        assert desk.servedGpuSecondsOf(7) == sum(v.served for v in self.vouchers.values())
        for seniority in range(2):
            chosen = [n for n in self.vouchers if desk.voucherOf(n)[2] == seniority]
            opened = open_of(self.vouchers[n] for n in chosen)
            assert desk.openGpuSecondsOf(7)[seniority] == opened.gpu_seconds
            assert desk.openUnitSecondsOf(7)[seniority] == opened.unit_seconds

    def close(self, epoch: int, served_s: int):
        """Post an epoch with one rented device and, for `served_s`, one that delivers."""
        terms = self.world.terms
        start_s, end_s = terms.epoch_bounds(epoch)
        facts: list[Fact] = [Held(self._place(), terms.devices[0], RENTED, start_s, end_s)]
        if not epoch:
            price = PriceStep(start_s, 24_900_010)
            version = TermsVersion(1, ZERO32, keccak(b"r"), start_s, prices=(price,))
            facts += [Agreed(lease, version) for lease in (REF, RENTED)]
        if served_s:
            served = terms.devices[1], REF, start_s, start_s + served_s
            facts.append(Held(self._place(), *served, delivery=True))
        return self._post(terms.period(Epoch(epoch)), facts)

    def _place(self) -> Place:
        self.entry += 1
        return Place(self.entry, 0)

    def seal(self):
        """Post the closing statement, behind the last epoch."""
        return self._post(self.world.terms.closing_period(ended_at_s=None, grace_s=0), [])

    def _post(self, period: Period, facts: Sequence[Fact]):
        told = [Told(Place(self.entry, 0), period.over_s, fact) for fact in facts]
        before, at_s = self.books.follows.log, period.over_s
        entries = bare_entries(self.books.terms, before, up_to=self.entry, at_s=at_s)
        closed = self.books.close(period, told, entries=entries)
        self.world.post_statement(closed.statement)
        return closed

    def count(self, vouchers: list[int], closed) -> None:
        """Anybody shows the one delivery line for vouchers, and the model counts it too."""
        line = next(x for x in closed.lines if x.kind == LineKind.DELIVERY)
        unused = GpuSeconds(line.interval_s - self.used)
        counted = serve([self.vouchers[n] for n in vouchers], unused=unused)

        given = self.serve(vouchers, closed).return_value

        assert given == counted.gpu_seconds
        self.vouchers |= dict(zip(vouchers, counted.vouchers, strict=True))
        self.used += counted.gpu_seconds
        epoch = closed.statement.epoch
        assert self.world.desk.usedGpuSecondsOf(7, epoch, line.index) == self.used
        self.compare()

    def serve(self, vouchers: list[int], closed, kind=LineKind.DELIVERY, /, **claimed: object):
        """Anybody shows the one line of a kind."""
        line = next(x for x in closed.lines if x.kind == kind)
        statement = closed.statement
        values = {
            "facility": statement.facility_id, "epoch": statement.epoch, "index": line.index,
            "kind": int(line.kind), "subject": line.subject, "lease": line.lease,
            "start": line.start_s, "end": line.end_s, "gpu_seconds": line.gpu_seconds,
            "charge": line.charge_micros, "total_seconds": line.cumulative_gpu_seconds,
            "total": line.cumulative_charge_micros,
        }  # fmt: skip
        given = tuple((values | claimed).values())
        proof = closed.tree.proof(line.index)
        as_anybody = {"from": self.world.cleo}
        abi = statement.as_abi_tuple()
        return self.world.desk.serve(vouchers, abi, given, proof, as_anybody)

    def finish(self, closed) -> None:
        """Post idle hours and the closing statement, pay and settle everything, mature."""
        world = self.world
        gross = sum(c.statement.gross_revenue_micros for c in closed)
        for epoch in range(len(closed), world.terms.epoch_count):
            gross += self.close(epoch, 0).statement.gross_revenue_micros
        gross += self.seal().statement.gross_revenue_micros
        world.pay(gross)
        world.settle()
        world.facilities.mature(7, {"from": world.cleo})
