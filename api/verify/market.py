"""Verify, part 3: replay sales and bonds, and compare with the chain."""

from collections.abc import Callable
from dataclasses import dataclass, field

from api.chain.contracts import Contracts
from api.chain.events import ChainEvent
from api.domain.capital.bond import Bond, pay_shortfall
from api.domain.capital.sale import SaleBook, SaleState, earned, promised_gpu_seconds
from api.domain.lifecycle import is_final
from api.domain.units import BPS, FacilityId, split_tranche_id
from api.verify.epoch import Finding, VerifiedFacility


@dataclass
class Market:
    """Sale and bond of one facility, replayed from the beginning; minor units."""

    unit_prices: tuple[int, ...] = ()
    up_front_bps: int = 0
    sold_units: int = 0
    proceeds: int = 0
    released: int = 0
    seized: int = 0
    state: SaleState = SaleState.NONE
    bond: Bond = field(default_factory=Bond)
    # Paid from the bond to holders, and what reached them: the two must agree.
    bond_to_holders: int = 0
    distributed: dict[str, int] = field(default_factory=dict)

    @property
    def sale_book(self) -> SaleBook:
        """Book as PrimarySale stores it."""
        return SaleBook(self.state, self.sold_units, self.proceeds, self.released, self.seized)


class MarketVerifier:
    """Replays events of PrimarySale and BondVault and collects findings."""

    def __init__(
        self,
        facilities: dict[int, VerifiedFacility],
        challenge_window_s: int,
        report: Callable[[Finding], None],
    ) -> None:
        self._facilities, self._report = facilities, report
        self._window_s = challenge_window_s
        self.markets: dict[int, Market] = {}

    def take(self, event: ChainEvent) -> None:
        """Replay one chain event."""
        handler: Callable[[ChainEvent, Market], None] | None = {
            "SaleOpened": self._opened,
            "UnitsSold": self._sold,
            "UnitsRefunded": self._refunded,
            "SaleSucceeded": self._succeeded,
            "SaleFailed": self._failed,
            "ProceedsReleased": self._released,
            "ProceedsSeized": self._proceeds_seized,
            "BondTermsSet": self._bond_terms,
            "BondDeposited": self._deposited,
            "ShortfallPaid": self._shortfall,
            "UnservedPaid": self._unserved,
            "BondReleased": self._bond_released,
            "BondSeized": self._bond_seized,
            "SlashedDistributed": self._slashed,
            "Distributed": self._distributed,
        }.get(event.name)
        if handler is not None:
            handler(event, self.markets.setdefault(event.args["facilityId"], Market()))

    def _require(self, event: ChainEvent, holds: bool, message: str) -> None:
        if not holds:
            self._report(Finding(f"{event.name}: {message}", event.args["facilityId"]))

    def _final(self, event: ChainEvent) -> dict[int, int]:
        """Available GPU-seconds of the epochs that were final at an event, by epoch."""
        facility = self._facilities.get(event.args["facilityId"])
        if facility is None:
            return {}
        return {
            epoch: available
            for epoch, available in facility.available.items()
            if is_final(
                facility.posted[epoch][1],
                challenge_window_s=self._window_s,
                now_s=event.block_time_s,
            )
        }

    def _promised(self, facility_id: int, epochs: int | None) -> int:
        terms = self._facilities[facility_id].terms
        return promised_gpu_seconds(
            device_count=terms.device_count,
            epoch_length_s=terms.epoch_length_s,
            epochs=terms.epoch_count if epochs is None else epochs,
            promised_availability_ppm=terms.promised_availability_ppm,
        )

    def _opened(self, event: ChainEvent, market: Market) -> None:
        terms = event.args["terms"]
        market.state = SaleState.OPEN
        market.up_front_bps, market.unit_prices = terms[3], tuple(terms[4])

    def _price(self, event: ChainEvent, market: Market) -> int:
        seniority = split_tranche_id(event.args["id"])[1]
        return market.unit_prices[seniority] if seniority < len(market.unit_prices) else 0

    def _sold(self, event: ChainEvent, market: Market) -> None:
        units, cost = event.args["units"], event.args["cost"]
        self._require(event, cost == units * self._price(event, market), "another price than open")
        market.sold_units += units
        market.proceeds += cost
        self._require(event, market.proceeds == event.args["proceeds"], "does not add up")

    def _refunded(self, event: ChainEvent, market: Market) -> None:
        units, amount = event.args["units"], event.args["amount"]
        self._require(event, amount == units * self._price(event, market), "not the price paid")
        market.sold_units -= units
        market.proceeds -= amount

    def _succeeded(self, event: ChainEvent, market: Market) -> None:
        market.state = SaleState.SUCCESSFUL
        up_front = market.proceeds * market.up_front_bps // BPS
        same = (market.proceeds, up_front) == (event.args["proceeds"], event.args["upFront"])
        self._require(event, same, "names other proceeds than were paid")

    def _failed(self, event: ChainEvent, market: Market) -> None:
        market.state = SaleState.REFUNDING

    def _released(self, event: ChainEvent, market: Market) -> None:
        market.released += event.args["amount"]
        self._require(event, market.released == event.args["released"], "does not add up")
        if event.args["facilityId"] not in self._facilities:
            # Before its first statement only the up-front share can be released.
            limit = market.proceeds * market.up_front_bps // BPS
        else:
            limit = earned(
                proceeds=market.proceeds,
                up_front_bps=market.up_front_bps,
                available=sum(self._final(event).values()),
                promised=self._promised(event.args["facilityId"], None),
            )
        self._require(event, market.released <= limit, "more than attested delivery earned")

    def _proceeds_seized(self, event: ChainEvent, market: Market) -> None:
        market.seized += event.args["amount"]

    def _bond_terms(self, event: ChainEvent, market: Market) -> None:
        required, rate = event.args["terms"][:2]
        market.bond = Bond(required=required, rate_per_gpu_hour=rate, held=market.bond.held)

    def _hold(self, event: ChainEvent, market: Market, held: int) -> None:
        market.bond = market.bond.with_held(held, event.block_time_s)
        stated = event.args.get("bond", held)
        self._require(event, stated == held, f"the bond is {stated} where {held} should be left")

    def _deposited(self, event: ChainEvent, market: Market) -> None:
        self._hold(event, market, market.bond.held + event.args["amount"])

    def _shortfall(self, event: ChainEvent, market: Market) -> None:
        amount, epochs = event.args["amount"], event.args["epochs"]
        final = self._final(event)
        known = event.args["facilityId"] in self._facilities
        if self._all_final(event, final, epochs) and known:
            available = sum(final[epoch] for epoch in range(epochs))
            promised = self._promised(event.args["facilityId"], epochs)
            market.bond, due = pay_shortfall(
                market.bond, promised=promised, available=available, now_s=event.block_time_s
            )
            self._require(event, due == amount, f"paid {amount} where {due} were due")
        market.bond_to_holders += amount
        self._require(event, market.bond.held == event.args["bond"], "the bond does not add up")

    def _all_final(self, event: ChainEvent, final: dict[int, int], epochs: int) -> bool:
        holds = set(range(epochs)) <= final.keys()
        self._require(event, holds, f"counts {epochs} epochs, not all final")
        return holds

    def _unserved(self, event: ChainEvent, market: Market) -> None:
        self._hold(event, market, market.bond.held - event.args["amount"])

    def _bond_released(self, event: ChainEvent, market: Market) -> None:
        self._hold(event, market, market.bond.held - event.args["amount"])

    def _bond_seized(self, event: ChainEvent, market: Market) -> None:
        market.bond_to_holders += event.args["amount"]
        self._hold(event, market, market.bond.held - event.args["amount"])

    def _slashed(self, event: ChainEvent, market: Market) -> None:
        # An attester's bond, not the operator's.
        market.bond_to_holders += event.args["amount"]

    def _distributed(self, event: ChainEvent, market: Market) -> None:
        source = event.args["source"]
        market.distributed[source] = market.distributed.get(source, 0) + event.args["amount"]

    def compare(self, contracts: Contracts, head: int) -> None:
        """Compare the replayed books with the contracts' storage at one block."""
        sale, vault = contracts.primary_sale, contracts.bond_vault
        for facility_id, market in self.markets.items():
            book, bond = contracts.together(
                sale.book_of(FacilityId(facility_id)), vault.bond_micros(FacilityId(facility_id))
            ).at(block=head)
            if book.sale_book() != market.sale_book:
                self._report(Finding("PrimarySale holds another book", facility_id))
            if bond != market.bond.held:
                self._report(Finding("BondVault holds another bond", facility_id))
            due = {
                sale.address.lower(): market.seized,
                vault.address.lower(): market.bond_to_holders,
            }
            if market.distributed != {source: amount for source, amount in due.items() if amount}:
                message = "what bond and sale paid for holders is not what the lockbox distributed"
                self._report(Finding(message, facility_id))
        held = {
            sale.address: sum(m.sale_book.escrow for m in self.markets.values()),
            vault.address: sum(m.bond.held for m in self.markets.values()),
        }
        for address, owed in held.items():
            balance = contracts.settlement_token.balance_micros(address).at(block=head)
            if balance < owed:
                self._report(Finding(f"{address} holds {balance} micros and owes {owed}"))
