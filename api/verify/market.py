"""Verify, part 3: replay sales and bonds, and compare with the chain."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from api.chain.contracts import Contracts
from api.chain.emitted.bond_vault import (
    BondDeposited,
    BondReleased,
    BondSeized,
    BondTermsSet,
    ShortfallPaid,
    SlashedDistributed,
    UnservedPaid,
)
from api.chain.emitted.facility_registry import FacilityOffered
from api.chain.emitted.primary_sale import (
    ProceedsReleased,
    ProceedsSeized,
    SaleFailed,
    SaleOpened,
    SaleSucceeded,
    UnitsRefunded,
    UnitsSold,
)
from api.chain.emitted.rent_lockbox import Distributed
from api.chain.events import AnyEvent, ChainEvent, Handlers
from api.domain.capital.bond import Bond, pay_shortfall
from api.domain.capital.sale import SaleBook, SaleState, earned, promised_of, up_front
from api.domain.lifecycle import is_final
from api.domain.units import FacilityId, TrancheId, split_tranche_id
from api.verify.epoch import Finding, VerifiedFacility


@dataclass
class Market:
    """Sale and bond of one facility, replayed from the beginning; minor units."""

    gpu_operator: str = ""
    window_start_s: int = 0
    unit_prices: tuple[int, ...] = ()
    up_front_bps: int = 0
    floor_proceeds: int = 0
    sold_units: int = 0
    proceeds: int = 0
    counted: int = 0
    released: int = 0
    seized: int = 0
    state: SaleState = SaleState.NONE
    bond: Bond = field(default_factory=Bond)
    # Paid to holders from bonds, and distributed to them by source: `compare` matches the two.
    bond_to_holders: int = 0
    distributed: dict[str, int] = field(default_factory=dict)

    def hold(self, held: int, now_s: int) -> None:
        """The vault holds another amount from now on."""
        self.bond = self.bond.with_held(held, now_s=now_s)

    @property
    def sale_book(self) -> SaleBook:
        """Book as PrimarySale stores it."""
        return SaleBook(
            self.state,
            self.sold_units,
            self.proceeds,
            self.counted,
            self.released,
            self.seized,
        )


class _OfFacility(Protocol):
    """Arguments of an event of one facility."""

    @property
    def facility_id(self) -> FacilityId: ...


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
        self._handlers = (
            Handlers()
            .on(FacilityOffered, self._offered)
            .on(SaleOpened, self._opened)
            .on(UnitsSold, self._sold)
            .on(UnitsRefunded, self._refunded)
            .on(SaleSucceeded, self._succeeded)
            .on(SaleFailed, self._failed)
            .on(ProceedsReleased, self._released)
            .on(ProceedsSeized, self._proceeds_seized)
            .on(BondTermsSet, self._bond_terms)
            .on(BondDeposited, self._deposited)
            .on(ShortfallPaid, self._shortfall)
            .on(UnservedPaid, self._unserved)
            .on(BondReleased, self._bond_released)
            .on(BondSeized, self._bond_seized)
            .on(SlashedDistributed, self._slashed)
            .on(Distributed, self._distributed)
        )
        # Operator, and start of the window, of every facility that was offered.
        self._offers: dict[int, tuple[str, int]] = {}
        self.markets: dict[int, Market] = {}

    def take(self, event: AnyEvent) -> None:
        """Replay one chain event."""
        self._handlers.take(event)

    def _market(self, args: _OfFacility) -> Market:
        gpu_operator, window_start_s = self._offers.get(args.facility_id, ("", 0))
        market = Market(gpu_operator=gpu_operator, window_start_s=window_start_s)
        return self.markets.setdefault(args.facility_id, market)

    def _require(self, args: _OfFacility, holds: bool, message: str) -> None:
        if not holds:
            self._report(Finding(f"{type(args).__name__}: {message}", args.facility_id))

    def _final(self, facility_id: int, now_s: int) -> dict[int, int]:
        """Available GPU-seconds of the epochs that were final at a time, by epoch."""
        facility = self._facilities.get(facility_id)
        if facility is None:
            return {}
        return {
            epoch: available
            for epoch, available in facility.available.items()
            if is_final(facility.posted[epoch][1], challenge_window_s=self._window_s, now_s=now_s)
        }

    def _promised(self, facility_id: int, epochs: int | None) -> int:
        terms = self._facilities[facility_id].terms
        return promised_of(terms, terms.epoch_count if epochs is None else epochs)

    def _offered(self, event: ChainEvent[FacilityOffered]) -> None:
        terms = event.args.terms
        self._offers[event.args.facility_id] = (terms.gpu_operator, terms.window_start_s)

    def _opened(self, event: ChainEvent[SaleOpened]) -> None:
        market = self._market(event.args)
        terms = event.args.terms
        market.state = SaleState.OPEN
        market.up_front_bps, market.unit_prices = terms.up_front_bps, terms.unit_prices_micros
        market.floor_proceeds = terms.floor_proceeds_micros

    def _price(self, token_id: TrancheId, market: Market) -> int:
        seniority = split_tranche_id(token_id)[1]
        return market.unit_prices[seniority] if seniority < len(market.unit_prices) else 0

    def _sold(self, event: ChainEvent[UnitsSold]) -> None:
        market = self._market(event.args)
        units, cost = event.args.units, event.args.cost_micros
        self._require(
            event.args,
            cost == units * self._price(event.args.id, market),
            "another price than open",
        )
        market.sold_units += units
        market.proceeds += cost
        if event.args.buyer != market.gpu_operator:
            market.counted += cost
        self._require(event.args, market.proceeds == event.args.proceeds_micros, "does not add up")

    def _refunded(self, event: ChainEvent[UnitsRefunded]) -> None:
        market = self._market(event.args)
        units, amount = event.args.units, event.args.amount_micros
        self._require(
            event.args, amount == units * self._price(event.args.id, market), "not the price paid"
        )
        market.sold_units -= units
        market.proceeds -= amount

    def _succeeded(self, event: ChainEvent[SaleSucceeded]) -> None:
        market = self._market(event.args)
        market.state = SaleState.SUCCESSFUL
        same = (market.proceeds, up_front(proceeds=market.proceeds, bps=market.up_front_bps)) == (
            event.args.proceeds_micros,
            event.args.up_front_micros,
        )
        self._require(event.args, same, "names other proceeds than were paid")
        self._require(event.args, market.counted >= market.floor_proceeds, "the floor was missed")

    def _failed(self, event: ChainEvent[SaleFailed]) -> None:
        market = self._market(event.args)
        market.state = SaleState.REFUNDING
        stated = (event.args.counted_micros, event.args.floor_proceeds_micros)
        same = stated == (market.counted, market.floor_proceeds)
        self._require(event.args, same, "names another floor than was missed")

    def _released(self, event: ChainEvent[ProceedsReleased]) -> None:
        market = self._market(event.args)
        market.released += event.args.amount_micros
        self._require(event.args, market.released == event.args.released_micros, "does not add up")
        begun = event.block_time_s >= market.window_start_s
        self._require(event.args, begun, "released before the window began")
        if event.args.facility_id not in self._facilities:
            # Before its first statement only the up-front share can be released.
            limit = up_front(proceeds=market.proceeds, bps=market.up_front_bps)
        else:
            final = self._final(event.args.facility_id, event.block_time_s)
            limit = earned(
                proceeds=market.proceeds,
                up_front_bps=market.up_front_bps,
                available=sum(final.values()),
                promised_so_far=self._promised(event.args.facility_id, len(final)),
                promised=self._promised(event.args.facility_id, None),
            )
        self._require(event.args, market.released <= limit, "more than attested delivery earned")

    def _proceeds_seized(self, event: ChainEvent[ProceedsSeized]) -> None:
        market = self._market(event.args)
        market.seized += event.args.amount_micros

    def _bond_terms(self, event: ChainEvent[BondTermsSet]) -> None:
        market = self._market(event.args)
        terms = event.args.terms
        # Terms are set once, and a deposit may have come before them.
        market.bond = Bond(
            required=terms.required_bond_micros,
            rate_per_gpu_hour=terms.rate_micros_per_gpu_hour,
            held=market.bond.held,
        )

    def _require_bond(self, args: BondDeposited | UnservedPaid, market: Market) -> None:
        stated, held = args.bond_micros, market.bond.held
        self._require(args, stated == held, f"the bond is {stated} where {held} should be left")

    def _deposited(self, event: ChainEvent[BondDeposited]) -> None:
        market = self._market(event.args)
        market.hold(market.bond.held + event.args.amount_micros, event.block_time_s)
        self._require_bond(event.args, market)

    def _shortfall(self, event: ChainEvent[ShortfallPaid]) -> None:
        market = self._market(event.args)
        amount, epochs = event.args.amount_micros, event.args.epochs
        final = self._final(event.args.facility_id, event.block_time_s)
        known = event.args.facility_id in self._facilities
        # A sum over epochs that are not all final would be a guess: the finding has said so.
        if self._all_final(event.args, final) and known:
            available = sum(final[epoch] for epoch in range(epochs))
            promised = self._promised(event.args.facility_id, epochs)
            market.bond, due = pay_shortfall(
                market.bond, promised=promised, available=available, now_s=event.block_time_s
            )
            self._require(event.args, due == amount, f"paid {amount} where {due} were due")
        market.bond_to_holders += amount
        self._require(
            event.args, market.bond.held == event.args.bond_micros, "the bond does not add up"
        )

    def _all_final(self, args: ShortfallPaid, final: dict[int, int]) -> bool:
        holds = set(range(args.epochs)) <= final.keys()
        self._require(args, holds, f"counts {args.epochs} epochs, not all final")
        return holds

    def _unserved(self, event: ChainEvent[UnservedPaid]) -> None:
        market = self._market(event.args)
        market.hold(market.bond.held - event.args.amount_micros, event.block_time_s)
        self._require_bond(event.args, market)

    def _bond_released(self, event: ChainEvent[BondReleased]) -> None:
        market = self._market(event.args)
        market.hold(market.bond.held - event.args.amount_micros, event.block_time_s)

    def _bond_seized(self, event: ChainEvent[BondSeized]) -> None:
        market = self._market(event.args)
        market.bond_to_holders += event.args.amount_micros
        market.hold(market.bond.held - event.args.amount_micros, event.block_time_s)

    def _slashed(self, event: ChainEvent[SlashedDistributed]) -> None:
        market = self._market(event.args)
        # An attester's bond, not the operator's: what the vault holds for the facility stays.
        market.bond_to_holders += event.args.amount_micros

    def _distributed(self, event: ChainEvent[Distributed]) -> None:
        market = self._market(event.args)
        source = event.args.source
        market.distributed[source] = market.distributed.get(source, 0) + event.args.amount_micros

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
            # Anybody can send a contract money: more than it owes is no fault.
            if balance < owed:
                self._report(Finding(f"{address} holds {balance} micros and owes {owed}"))
