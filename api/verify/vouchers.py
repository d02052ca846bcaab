"""Verify, part 4: replay vouchers, and compare with the chain."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from api.chain.contracts import Contracts
from api.chain.emitted.bond_vault import BondTermsSet
from api.chain.emitted.delivery_desk import VoucherIssued, VoucherMoved, VoucherServed
from api.chain.emitted.rent_lockbox import VoucherPaid
from api.chain.events import AnyEvent, ChainEvent, Handlers
from api.domain.capital.closing import voucher_share
from api.domain.capital.vouchers import OpenVouchers, Voucher, gpu_seconds_of_units, open_of
from api.domain.facility import MAX_TRANCHES
from api.domain.units import Bytes32, FacilityId, GpuSeconds, Micros, split_tranche_id
from api.verify.epoch import VerifiedFacility
from api.verify.findings import Finding


@dataclass(frozen=True, slots=True)
class _Issued:
    """A voucher as its event names it."""

    facility_id: FacilityId
    seniority: int
    lease: Bytes32
    holder: str
    voucher: Voucher


class VoucherVerifier:
    """Replays events of DeliveryDesk and collects findings."""

    def __init__(
        self, facilities: dict[int, VerifiedFacility], report: Callable[[Finding], None]
    ) -> None:
        self._facilities, self._report = facilities, report
        self._handlers = (
            Handlers()
            .on(BondTermsSet, self._bond_terms)
            .on(VoucherIssued, self._issued)
            .on(VoucherMoved, self._moved)
            .on(VoucherServed, self._served)
            .on(VoucherPaid, self._paid)
        )
        self._rates: dict[int, Micros] = {}
        self._vouchers: dict[int, _Issued] = {}
        # GPU-seconds that lines gave to vouchers, by facility, epoch and index.
        self._used: dict[tuple[int, int, int], int] = {}
        # What vouchers of each tranche got, by facility; and what was credited, by voucher.
        self._pools: dict[int, tuple[int, ...]] = {}
        self._credited: dict[int, int] = {}

    def take(self, event: AnyEvent) -> None:
        """Replay one chain event."""
        self._handlers.take(event)

    def _finding(self, facility_id: int, message: str, epoch: int | None = None) -> None:
        self._report(Finding(message, facility_id, epoch))

    def _bond_terms(self, event: ChainEvent[BondTermsSet]) -> None:
        self._rates[event.args.facility_id] = event.args.terms.rate_micros_per_gpu_hour

    def _issued(self, event: ChainEvent[VoucherIssued]) -> None:
        args = event.args
        owed = GpuSeconds(args.owed_gpu_seconds)
        voucher = Voucher(args.units, owed, event.block_time_s)
        seniority = split_tranche_id(args.id)[1]
        issued = _Issued(args.facility_id, seniority, args.lease, args.holder, voucher)
        self._vouchers[args.voucher_id] = issued

    def _moved(self, event: ChainEvent[VoucherMoved]) -> None:
        args, issued = event.args, self._vouchers.get(event.args.voucher_id)
        if issued is None:
            self._finding(args.facility_id, f"voucher {args.voucher_id} moves, never issued")
            return
        if issued.holder != args.holder:
            message = f"voucher {args.voucher_id} moves from {args.holder}, not from its holder"
            self._finding(args.facility_id, message)
        self._vouchers[args.voucher_id] = replace(issued, holder=args.to)

    def _served(self, event: ChainEvent[VoucherServed]) -> None:
        args, issued = event.args, self._vouchers.get(event.args.voucher_id)
        if issued is None:
            self._finding(args.facility_id, f"voucher {args.voucher_id} is served, never issued")
            return
        voucher = issued.voucher
        served = replace(voucher, served=GpuSeconds(voucher.served + args.gpu_seconds))
        self._vouchers[args.voucher_id] = replace(issued, voucher=served)
        place = (args.facility_id, args.epoch, args.index)
        self._used[place] = self._used.get(place, 0) + args.gpu_seconds
        facility = self._facilities.get(args.facility_id)
        # Lines of an epoch whose files do not hold are unknown: a finding says so already.
        lines = None if facility is None else facility.deliveries.get(args.epoch)
        if lines is None:
            return
        line = lines.get(args.index)
        if line is None or line.lease != issued.lease or line.start_s < voucher.issued_at_s:
            message = (
                f"line {args.index} serves voucher {args.voucher_id}, and is no delivery of it"
            )
            self._finding(args.facility_id, message, args.epoch)
        elif self._used[place] > line.interval_s:
            message = f"line {args.index} gave vouchers more GPU-seconds than it has"
            self._finding(args.facility_id, message, args.epoch)

    def _paid(self, event: ChainEvent[VoucherPaid]) -> None:
        args, issued = event.args, self._vouchers.get(event.args.voucher_id)
        if issued is None:
            self._finding(args.facility_id, f"voucher {args.voucher_id} is paid, never issued")
            return
        whole = self._share(issued, self.pools_of(args.facility_id)[issued.seniority])
        due = whole - self._credited.get(args.voucher_id, 0)
        if args.amount_micros != due:
            message = f"voucher {args.voucher_id} was paid {args.amount_micros}, due were {due}"
            self._finding(args.facility_id, message)
        if args.holder != issued.holder:
            message = f"voucher {args.voucher_id} was paid to {args.holder}, not to its holder"
            self._finding(args.facility_id, message)
        self._credited[args.voucher_id] = whole

    def _share(self, issued: _Issued, pool: int) -> int:
        all_open = self.open_at(issued.facility_id)[issued.seniority].gpu_seconds
        return voucher_share(
            pool, open_gpu_seconds=issued.voucher.open, all_open_gpu_seconds=all_open
        )

    def open_at(self, facility_id: FacilityId) -> tuple[OpenVouchers, ...]:
        """What vouchers of a facility are open for now, by seniority."""
        of_facility = [i for i in self._vouchers.values() if i.facility_id == facility_id]
        return tuple(
            open_of(i.voucher for i in of_facility if i.seniority == seniority)
            for seniority in range(MAX_TRANCHES)
        )

    def served_of(self, facility_id: FacilityId) -> int:
        """GPU-seconds that vouchers of a facility were served."""
        issued = self._vouchers.values()
        return sum(i.voucher.served for i in issued if i.facility_id == facility_id)

    def pools_of(self, facility_id: FacilityId) -> tuple[int, ...]:
        """What vouchers of a facility got, by seniority."""
        return self._pools.get(facility_id, (0,) * MAX_TRANCHES)

    def share(self, facility_id: FacilityId, to_vouchers: Sequence[int]) -> None:
        """A closing, or late rent after it, gave money to a facility's vouchers, by seniority."""
        before = self.pools_of(facility_id)
        pools = zip(before, (*to_vouchers, *(0,) * MAX_TRANCHES), strict=False)
        self._pools[facility_id] = tuple(old + new for old, new in pools)

    def compare(self, contracts: Contracts, head: int) -> None:
        """Compare the vouchers with the rule and with the contract's storage at one block."""
        desk = contracts.delivery_desk
        numbers = list(self._vouchers)
        asked = [desk.voucher_of(number) for number in numbers]
        stored = contracts.all_of(asked).at(block=head) if asked else []
        asked_paid = [contracts.rent_lockbox.paid_to_voucher_micros(number) for number in numbers]
        paid = contracts.all_of(asked_paid).at(block=head) if asked_paid else []
        for number, found, paid_micros in zip(numbers, stored, paid, strict=True):
            if paid_micros != self._credited.get(number, 0):
                message = f"RentLockbox credited voucher {number} otherwise than its events say"
                self._finding(self._vouchers[number].facility_id, message)
            issued = self._vouchers[number]
            ours = issued.voucher
            self._check_owed(number, issued)
            theirs = Voucher(
                found.units,
                GpuSeconds(found.owed_gpu_seconds),
                found.issued_at_s,
                GpuSeconds(found.served_gpu_seconds),
            )
            stored_terms = (found.facility_id, found.seniority, found.lease, found.holder)
            known = (issued.facility_id, issued.seniority, issued.lease, issued.holder)
            if theirs != ours or stored_terms != known:
                message = f"DeliveryDesk holds another voucher {number} than its events give"
                self._finding(issued.facility_id, message)
            if ours.open < 0:
                message = f"voucher {number} was served more than it was owed"
                self._finding(issued.facility_id, message)

    def _check_owed(self, number: int, issued: _Issued) -> None:
        """What the units gave, by the rule. Terms are known once a statement was verified."""
        facility = self._facilities.get(issued.facility_id)
        if facility is None:
            return
        voucher = issued.voucher
        rate = self._rates.get(issued.facility_id, Micros(0))
        due = rate and gpu_seconds_of_units(
            facility.terms,
            seniority=issued.seniority,
            units=voucher.units,
            rate_micros_per_gpu_hour=rate,
            now_s=voucher.issued_at_s,
        )
        if due != voucher.owed:
            message = f"voucher {number} owes {voucher.owed} GPU-seconds, its units give {due}"
            self._finding(issued.facility_id, message)
