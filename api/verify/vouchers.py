"""Verify, part 4: replay vouchers, and compare with the chain."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from api.chain.contracts import Contracts
from api.chain.emitted.bond_vault import BondTermsSet
from api.chain.emitted.delivery_desk import VoucherIssued, VoucherPaid, VoucherServed
from api.chain.events import AnyEvent, ChainEvent, Handlers
from api.domain.capital.vouchers import Voucher, gpu_seconds_of_units
from api.domain.units import Bytes32, FacilityId, GpuSeconds, Micros, split_tranche_id
from api.verify.epoch import Finding, VerifiedFacility


@dataclass(frozen=True, slots=True)
class _Issued:
    """A voucher as its event names it."""

    facility_id: FacilityId
    seniority: int
    lease: Bytes32
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
            .on(VoucherServed, self._served)
            .on(VoucherPaid, self._paid)
        )
        self._rates: dict[int, Micros] = {}
        self._vouchers: dict[int, _Issued] = {}
        # GPU-seconds that lines gave to vouchers, by facility, epoch and index.
        self._used: dict[tuple[int, int, int], int] = {}

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
        issued = _Issued(args.facility_id, seniority, args.lease, voucher)
        self._vouchers[args.voucher_id] = issued

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
        elif self._used[place] > line.gpu_seconds:
            message = f"line {args.index} gave vouchers more GPU-seconds than it has"
            self._finding(args.facility_id, message, args.epoch)

    def _paid(self, event: ChainEvent[VoucherPaid]) -> None:
        args, issued = event.args, self._vouchers.get(event.args.voucher_id)
        if issued is None:
            self._finding(args.facility_id, f"voucher {args.voucher_id} is paid, never issued")
            return
        paid = GpuSeconds(issued.voucher.paid + args.gpu_seconds)
        voucher = replace(issued.voucher, paid=paid)
        self._vouchers[args.voucher_id] = replace(issued, voucher=voucher)

    def compare(self, contracts: Contracts, head: int) -> None:
        """Compare the vouchers with the rule and with the contract's storage at one block."""
        desk = contracts.delivery_desk
        numbers = list(self._vouchers)
        asked = [desk.voucher_of(number) for number in numbers]
        stored = contracts.all_of(asked).at(block=head) if asked else []
        for number, found in zip(numbers, stored, strict=True):
            issued = self._vouchers[number]
            ours = issued.voucher
            self._check_owed(number, issued)
            theirs = Voucher(
                found.units,
                GpuSeconds(found.owed_gpu_seconds),
                found.issued_at_s,
                GpuSeconds(found.served_gpu_seconds),
                GpuSeconds(found.paid_gpu_seconds),
            )
            same = (found.facility_id, found.seniority, found.lease)
            if theirs != ours or same != (issued.facility_id, issued.seniority, issued.lease):
                message = f"DeliveryDesk holds another voucher {number} than its events give"
                self._finding(issued.facility_id, message)
            if ours.open < 0:
                message = f"voucher {number} was served and paid more than it was owed"
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
