"""Verify, part 3: replay sales and bonds, and compare with the chain."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from api.chain.contracts import Contracts
from api.chain.emitted.bond_vault import (
    BondDeposited,
    BondReleased,
    BondSurrendered,
    BondTermsSet,
)
from api.chain.emitted.facility_registry import FacilityOffered
from api.chain.emitted.primary_sale import (
    ProceedsReleased,
    ProceedsSurrendered,
    SaleFailed,
    SaleOpened,
    SaleSucceeded,
    UnitsRefunded,
    UnitsSold,
)
from api.chain.events import AnyEvent, ChainEvent, Handlers
from api.domain.capital.closing import Escrow
from api.domain.capital.sale import SaleBook, SaleState, earned, promised_of, unsigned, up_front
from api.domain.units import FacilityId, TrancheId, split_tranche_id
from api.verify.epoch import FinalTotals, VerifiedFacility
from api.verify.findings import Finding
from api.verify.held import require_held


@dataclass
class Market:
    """Sale and bond of one facility, replayed from the beginning; minor units."""

    gpu_operator: str = ""
    token: str = ""
    window_start_s: int = 0
    unit_prices: tuple[int, ...] = ()
    up_front_bps: int = 0
    floor_proceeds: int = 0
    sold_units: int = 0
    proceeds: int = 0
    counted: int = 0
    released: int = 0
    returned: int = 0
    state: SaleState = SaleState.NONE
    bond: int = 0
    rate_per_gpu_hour: int = 0
    # What left the vault for the closing.
    surrendered: int = 0

    @property
    def sale_book(self) -> SaleBook:
        """Book as PrimarySale stores it."""
        return SaleBook(
            self.state,
            self.sold_units,
            self.proceeds,
            self.counted,
            self.released,
            self.returned,
        )


def _four(prices: tuple[int, ...]) -> tuple[int, ...]:
    return (*prices, *(0,) * (4 - len(prices)))


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
            .on(ProceedsSurrendered, self._proceeds_surrendered)
            .on(BondTermsSet, self._bond_terms)
            .on(BondDeposited, self._deposited)
            .on(BondReleased, self._bond_released)
            .on(BondSurrendered, self._bond_surrendered)
        )
        # Operator, token and start of the window of every facility that was offered.
        self._offers: dict[int, tuple[str, str, int]] = {}
        self.markets: dict[int, Market] = {}

    def take(self, event: AnyEvent) -> None:
        """Replay one chain event."""
        self._handlers.take(event)

    def _market(self, args: _OfFacility) -> Market:
        gpu_operator, token, starts_s = self._offers.get(args.facility_id, ("", "", 0))
        market = Market(gpu_operator=gpu_operator, token=token, window_start_s=starts_s)
        return self.markets.setdefault(args.facility_id, market)

    def _require(self, args: _OfFacility, holds: bool, message: str) -> None:
        if not holds:
            self._report(Finding(f"{type(args).__name__}: {message}", args.facility_id))

    def final(self, facility_id: int, now_s: int) -> FinalTotals:
        """Totals of the statements that were final at a time."""
        facility = self._facilities.get(facility_id)
        if facility is None:
            return FinalTotals(0, 0, 0)
        return facility.final_totals(now_s, challenge_window_s=self._window_s)

    def promised(self, facility_id: int, epochs: int | None) -> int:
        """GPU-seconds promised of a facility's first epochs, or of all."""
        terms = self._facilities[facility_id].terms
        return promised_of(terms, terms.epoch_count if epochs is None else epochs)

    def _offered(self, event: ChainEvent[FacilityOffered]) -> None:
        terms = event.args.terms
        offer = (terms.gpu_operator, terms.settlement_token, terms.window_start_s)
        self._offers[event.args.facility_id] = offer

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
        limit = self._earned(event.args.facility_id, market, event.block_time_s)
        self._require(event.args, market.released <= limit, "more than attested delivery earned")

    def _earned(self, facility_id: int, market: Market, now_s: int) -> int:
        if facility_id not in self._facilities:
            # Before its first statement only the up-front share can be released.
            return up_front(proceeds=market.proceeds, bps=market.up_front_bps)
        final = self.final(facility_id, now_s)
        return earned(
            proceeds=market.proceeds,
            up_front_bps=market.up_front_bps,
            available=final.available,
            promised_so_far=self.promised(facility_id, final.epochs),
            promised=self.promised(facility_id, None),
        )

    def _proceeds_surrendered(self, event: ChainEvent[ProceedsSurrendered]) -> None:
        market = self._market(event.args)
        market.returned += event.args.amount_micros
        if event.args.facility_id not in self._facilities:
            return
        unearned = market.proceeds - self._earned(
            event.args.facility_id, market, event.block_time_s
        )
        left = market.sale_book.escrow + event.args.amount_micros
        stated = (event.args.amount_micros, event.args.unearned_micros)
        same = stated == (left, unearned)
        self._require(event.args, same, f"gave {stated} where {(left, unearned)} were left")

    def surrendered(self, facility_id: FacilityId, *, known_epochs: int, now_s: int) -> Escrow:
        """What a closing at a time takes over of a facility's sale, by the model.

        Args:    known_epochs: leading epochs that are stated or published.
        """
        market = self.markets.get(facility_id)
        if market is None or market.state is not SaleState.SUCCESSFUL:
            return Escrow()
        earned_now = self._earned(facility_id, market, now_s)
        released = max(market.released, earned_now)
        return Escrow(
            proceeds=market.proceeds,
            unearned=market.proceeds - earned_now,
            unsigned=unsigned(
                proceeds=market.proceeds,
                up_front_bps=market.up_front_bps,
                promised_stated=self.promised(facility_id, self.final(facility_id, now_s).epochs),
                promised_known=self.promised(facility_id, known_epochs),
                promised=self.promised(facility_id, None),
            ),
            escrow=market.proceeds - released,
            unit_prices=_four(market.unit_prices),
        )

    def _bond_terms(self, event: ChainEvent[BondTermsSet]) -> None:
        market = self._market(event.args)
        terms = event.args.terms
        market.rate_per_gpu_hour = terms.rate_micros_per_gpu_hour

    def _deposited(self, event: ChainEvent[BondDeposited]) -> None:
        market = self._market(event.args)
        market.bond += event.args.amount_micros
        stated = event.args.bond_micros
        message = f"the bond is {stated} where {market.bond} should be left"
        self._require(event.args, stated == market.bond, message)

    def _bond_released(self, event: ChainEvent[BondReleased]) -> None:
        self._give_bond(event.args)

    def _bond_surrendered(self, event: ChainEvent[BondSurrendered]) -> None:
        self._market(event.args).surrendered = event.args.amount_micros
        self._give_bond(event.args)

    def _give_bond(self, args: BondReleased | BondSurrendered) -> None:
        """A bond leaves the vault whole: until then it never falls."""
        market = self._market(args)
        self._require(args, args.amount_micros == market.bond, f"not the bond of {market.bond}")
        market.bond -= args.amount_micros

    def compare(self, contracts: Contracts, head: int) -> None:
        """Compare the replayed books with the contracts' storage at one block."""
        sale, vault = contracts.primary_sale, contracts.bond_vault
        for facility_id, market in self.markets.items():
            book, bond = contracts.together(
                sale.book_of(FacilityId(facility_id)), vault.bond_micros(FacilityId(facility_id))
            ).at(block=head)
            if book.sale_book() != market.sale_book:
                message = "PrimarySale holds another book"
                self._report(Finding(message, facility_id, code="sale_book"))
            if bond != market.bond:
                message = "BondVault holds another bond"
                self._report(Finding(message, facility_id, code="bond"))
            terms = vault.bond_terms_of(FacilityId(facility_id)).at(block=head)
            if terms.rate_micros_per_gpu_hour != market.rate_per_gpu_hour:
                message = "BondVault holds another rate than was set"
                self._report(Finding(message, facility_id, code="bond"))
        owed: dict[tuple[str, str], int] = {}
        for market in self.markets.values():
            parts = ((sale.address, market.sale_book.escrow), (vault.address, market.bond))
            for at, part in parts if market.token else ():
                key = market.token, str(at)
                owed[key] = owed.get(key, 0) + part
        require_held(contracts, owed, head=head, report=self._report)
