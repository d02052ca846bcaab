"""The demo's investors, primary sale and bond: who may buy, who bought, who owes whom what."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console

from api.chain import calldata
from api.chain.contracts import Contracts
from api.chain.contracts.primary_sale import SaleRecord
from api.chain.signer import LocalSigner
from api.cli.output import micros
from api.domain.capital.orders import DeliveryOrder, order_digest
from api.domain.units import Address, Bytes32, FacilityId, TrancheId
from scripts.demo.sources import Facility, SaleAndBond
from scripts.dev.stack import ATTESTER_ACCOUNTS, COMPLIANCE, INVESTOR, OPERATORS, Stack, wallet

# The sale ends this long before the delivery window begins.
SALE_CLOSES_BEFORE_S = 3_600
# What a facility without a bond names as worth of an hour: less than an hour earns anywhere here.
_PLACED_RATE_MICROS = 400_000
# So many units a holder burns for compute, each an hour.
_DELIVERED_UNITS = 20


def operator_of(facility: Facility) -> str:
    """Wallet of the operator of a facility."""
    return str(wallet(OPERATORS[facility.plan.operator]).address)


class Market:
    """Everything between operators and investors that is not rent."""

    def __init__(self, stack: Stack, holders: Sequence[str], console: Console) -> None:
        self._stack, self.holders, self._console = stack, holders, console
        self._sale = stack.deployment.primary_sale
        self._vault = stack.deployment.bond_vault
        self._token = stack.deployment.settlement_token

    def onboard(self) -> None:
        """The compliance account enters investors and operators in the allow-list."""
        compliance = wallet(COMPLIANCE).address
        registry = self._stack.deployment.investor_registry
        for account in (*self.holders, *(wallet(i).address for i in OPERATORS)):
            enter = calldata.call("InvestorRegistry", "setInvestor", account, INVESTOR)
            self._stack.send(compliance, registry, enter)
        self._say(
            f"compliance: {len(self.holders)} investors and {len(OPERATORS)} operators"
            " entered in the allow-list"
        )

    def mint(self, facility: Facility) -> None:
        """Without a sale: the operator mints all units to holders and funds the facility."""
        sender, token = operator_of(facility), self._stack.deployment.tranche_token
        # A bond of nothing: its terms are part of every offer all the same.
        terms = (0, _PLACED_RATE_MICROS)
        self.call(sender, "BondVault", "setTerms", facility.facility_id, terms)
        for token_id, shares in self._shares(facility).items():
            for holder, units in zip(self.holders[:3], shares, strict=True):
                mint = calldata.call("TrancheToken", "mint", holder, token_id, units)
                self._stack.send(sender, token, mint)
        self.await_approval(facility)
        fund = calldata.call("FacilityRegistry", "fund", facility.facility_id)
        self._stack.send(sender, self._stack.deployment.facility_registry, fund)

    def await_approval(self, facility: Facility) -> None:
        """Attesters approve the pledge by themselves; without that nothing is funded."""
        signed, seats = self._stack.await_approval(FacilityId(facility.facility_id))
        self._say(f"{facility.name}: pledge approved by {signed} of {seats} attesters")

    def open(
        self,
        facility: Facility,
        sale: SaleAndBond,
        *,
        closes_at_s: int,
        opens_at_s: int | None = None,
        sold_permille: int = 1_000,
    ) -> None:
        """The operator bonds the facility and opens its sale; holders buy most of it.

        opens_at_s: now, if not given.
        sold_permille: of what they would take together, so much they buy at once.
        """
        sender, facility_id = operator_of(facility), facility.facility_id
        terms = (sale.required_bond_micros, sale.rate_micros_per_gpu_hour)
        self.call(sender, "BondVault", "setTerms", facility_id, terms)
        self.fill(sender, self._vault, sale.bond_micros)
        self.call(sender, "BondVault", "deposit", facility_id, sale.bond_micros)
        now_s = self._stack.client.head().time_s
        opens_at_s = now_s if opens_at_s is None else opens_at_s
        hours = (
            opens_at_s,
            closes_at_s,
            sale.floor_micros,
            sale.up_front_bps,
            sale.unit_prices_micros,
        )
        self.call(sender, "PrimarySale", "open", facility_id, hours)
        self._say(f"{facility.name}: operator deposited a bond of {micros(sale.bond_micros)}")
        shares = self._shares(facility)
        for (token_id, units_by_holder), price in zip(
            shares.items(), sale.unit_prices_micros, strict=True
        ):
            # The third holder takes half of what is left: the rest is never minted.
            first, second, left = units_by_holder
            wanted = (first, second, left // 2)
            for holder, whole in zip(self.holders[:3], wanted, strict=True):
                units = whole * sold_permille // 1_000
                if units == 0:
                    continue
                self.fill(holder, self._sale, units * price)
                self.call(holder, "PrimarySale", "buy", token_id, units, units * price)

    def finalize(self, facility: Facility) -> None:
        """End the sale: the facility is funded, and unsold units will never exist."""
        self.await_approval(facility)
        caps = sum(t["unit_cap"] for t in facility.plan.facility["tranches"])
        self.call(self.holders[0], "PrimarySale", "finalize", facility.facility_id)
        book = self._book(facility)
        self._say(
            f"{facility.name}: {book.sold_units:,} units sold for {micros(book.proceeds_micros)},"
            f" {caps - book.sold_units:,} unsold never come to be; facility funded"
        )

    def release(self, facility: Facility) -> None:
        """Pay the operator what attested delivery has earned of the proceeds."""
        facility_id = facility.facility_id
        if not self._stack.now(self._contracts.primary_sale.releasable_micros(facility_id)):
            return
        operator = operator_of(facility)
        before = self._book(facility).released_micros
        self.call(operator, "PrimarySale", "release", facility_id)
        book = self._book(facility)
        released, proceeds = book.released_micros, book.proceeds_micros
        self.call(operator, "PrimarySale", "withdraw", self._token, operator)
        self._say(
            f"{facility.name}: operator withdrew {micros(released - before)} of its proceeds"
            f" ({micros(released)} of {micros(proceeds)} earned by delivery so far)"
        )

    def take_delivery(self, facility: Facility, *, lease_id: str) -> None:
        """A holder burns some junior units for compute, on an order that the operator signed."""
        holder, deployment = self.holders[1], self._stack.deployment
        now_s = self._stack.client.head().time_s
        order = DeliveryOrder(
            Address(holder),
            facility.token_ids[-1],
            _DELIVERED_UNITS,
            Bytes32(bytes.fromhex(facility.leases[lease_id][2:])),
            nonce=facility.facility_id,
            deadline_s=now_s + SALE_CLOSES_BEFORE_S,
        )
        desk = deployment.delivery_desk
        digest = order_digest(order, chain_id=deployment.chain_id, desk=desk)
        signer = LocalSigner(wallet(OPERATORS[facility.plan.operator]).key.hex())
        data = calldata.take_delivery(order, signer.sign_digest(digest))
        self._stack.send(holder, desk, data)
        facility.voucher = self._stack.now(self._contracts.delivery_desk.voucher_count())
        self._say(f"{facility.name}: a holder burned {_DELIVERED_UNITS} units for GPU-hours")

    def served(self, facility: Facility) -> None:
        """Wait until the service has served the facility's voucher in full."""
        voucher_of = self._contracts.delivery_desk.voucher_of(facility.voucher)

        def served() -> bool:
            return self._stack.now(voucher_of).open_gpu_seconds == 0

        self._stack.wait(f"the voucher of {facility.name}", served)
        self._say(f"{facility.name}: the voucher is served in full, by the service alone")

    def pay_voucher(self, facility: Facility) -> None:
        """After the closing: money for what was not served, credited by anybody."""
        holder, lockbox = self.holders[1], self._contracts.rent_lockbox
        due = self._stack.now(lockbox.payable_to_voucher_micros(facility.voucher))
        self.call(holder, "RentLockbox", "payVoucher", facility.voucher)
        self.call(holder, "RentLockbox", "withdraw", self._token, holder)
        self._say(f"{facility.name}: the holder of the unserved voucher withdrew {micros(due)}")

    def withdraw(self, facility: Facility) -> None:
        """After the closing: the operator takes what is left of bond and proceeds."""
        operator = operator_of(facility)
        lockbox = self._contracts.rent_lockbox
        owed = lockbox.owed_micros(token=self._token, account=operator)
        if self._stack.now(owed):
            self.call(operator, "RentLockbox", "withdraw", self._token, operator)

    def pay_attesters(self, facilities: Sequence[Facility]) -> None:
        """What attesters signed is booked, statement by statement, and each takes its pay."""
        desk, registry = self._contracts.attester_desk, self._contracts.statement_registry
        attesters = [str(wallet(account).address) for account in ATTESTER_ACCOUNTS]
        booked, paid = 0, 0
        for facility in facilities:
            named = facility.facility_id
            final, closed = self._stack.now(
                self._contracts.together(
                    registry.epochs_final(named), registry.is_closing_final(named)
                )
            )
            for number in range(final + closed):
                self.call(attesters[0], "AttesterDesk", "book", named, number)
            booked += final + closed
            self.call(attesters[0], "AttesterDesk", "collect", named)
            for attester in attesters:
                if self._stack.now(desk.earned_micros(named, attester)):
                    self.call(attester, "AttesterDesk", "pay", named, attester)
        for attester in attesters:
            owed = self._stack.now(desk.owed_micros(self._token, attester))
            if owed:
                self.call(attester, "AttesterDesk", "withdraw", self._token, attester)
            paid += owed
        self._say(f"attesters are paid {micros(paid)} of the fees for {booked} signed statements")

    def _shares(self, facility: Facility) -> dict[TrancheId, tuple[int, int, int]]:
        """Units by tranche for three holders: uneven, so that divisions leave remainders."""
        found = {}
        tranches = facility.plan.facility["tranches"]
        for token_id, tranche in zip(facility.token_ids, tranches, strict=True):
            first = tranche["unit_cap"] * 3 // 7
            second = (tranche["unit_cap"] - first) * 3 // 7
            found[token_id] = (first, second, tranche["unit_cap"] - first - second)
        return found

    def fill(self, account: str, spender: str, amount: int) -> None:
        """Give an account money that `spender` may take."""
        for name, to in (("mint", account), ("approve", spender)):
            data = calldata.call("SettlementToken", name, to, amount)
            self._stack.send(account, self._token, data)

    def call(self, sender: str, contract: str, name: str, *arguments: Any) -> None:
        to = self._stack.deployment.addresses[contract]
        self._stack.send(sender, to, calldata.call(contract, name, *arguments))

    @property
    def _contracts(self) -> Contracts:
        return self._stack.contracts

    def _book(self, facility: Facility) -> SaleRecord:
        return self._stack.now(self._contracts.primary_sale.book_of(facility.facility_id))

    def _say(self, sentence: str) -> None:
        self._console.print(sentence, highlight=False)
