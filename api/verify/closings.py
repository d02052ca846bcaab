"""Verify, part 6: compute every closing, and late rent after it, by the model, and compare."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

from api.chain.contracts import Contracts
from api.chain.contracts.rent_lockbox import Advance, Claims, Fourfold
from api.chain.emitted.rent_lockbox import Closing, FacilityClosed, LateRentShared, Settled
from api.chain.events import AnyEvent, ChainEvent, Handlers
from api.domain.capital import closing as model
from api.domain.capital.closing import (
    LateRent,
    Shares,
    TrancheEnd,
    late_rent,
    missing_gpu_seconds,
    payable_by_bond,
    share_late,
)
from api.domain.capital.settlement import TrancheBook
from api.domain.units import FacilityId, Micros
from api.verify.endings import EndingVerifier
from api.verify.epoch import VerifiedFacility, attested_micros
from api.verify.findings import Finding
from api.verify.market import MarketVerifier
from api.verify.money import MoneyVerifier
from api.verify.money_book import MoneyBook
from api.verify.vouchers import VoucherVerifier

_Figures = Closing | Claims | LateRentShared


def _four(amounts: Sequence[int]) -> Fourfold:
    """One sum a tranche; 0 for tranches that a facility does not have."""
    first, second, third, fourth = map(Micros, (*amounts, *(0,) * (4 - len(amounts))))
    return first, second, third, fourth


def _claims(shares: Shares) -> Claims:
    return Claims(_four(shares.units), _four(shares.vouchers), Micros(shares.treasury))


def _shares(claims: Claims) -> Shares:
    return Shares(claims.units_micros, claims.vouchers_micros, claims.treasury_micros)


@dataclass(frozen=True, slots=True)
class Replayed:
    """What the other verifiers replayed up to a closing."""

    facilities: dict[int, VerifiedFacility]
    endings: EndingVerifier
    money: MoneyVerifier
    market: MarketVerifier
    vouchers: VoucherVerifier


@dataclass(frozen=True, slots=True)
class _Due:
    """What the model gives for a closing."""

    closing: Closing
    claims: Claims
    books: tuple[TrancheBook, ...]


class ClosingVerifier:
    """Computes closings and collects findings. It takes an event after the others did."""

    def __init__(self, replayed: Replayed, report: Callable[[Finding], None]) -> None:
        self._replayed, self._report = replayed, report
        # What stays owed, by facility: late rent pays it.
        self._open: dict[int, Claims] = {}
        self._handlers = (
            Handlers()
            .on(FacilityClosed, self._closed)
            .on(LateRentShared, self._late)
            .on(Settled, self._settled)
        )

    def take(self, event: AnyEvent) -> None:
        """Replay one chain event."""
        self._handlers.take(event)

    def _finding(self, facility_id: int, message: str) -> None:
        self._report(Finding(message, facility_id))

    def _compare(self, facility_id: int, what: str, *, stated: _Figures, due: _Figures) -> None:
        """Name every figure of an event that is not what the model gives."""
        for member in fields(due):
            ours, theirs = getattr(due, member.name), getattr(stated, member.name)
            if ours != theirs:
                message = f"{what}: {member.name} is {theirs} where the rules give {ours}"
                self._finding(facility_id, message)

    def _closed(self, event: ChainEvent[FacilityClosed]) -> None:
        args = event.args
        facility_id = args.facility_id
        book = self._replayed.money.book_of(facility_id)
        if book is None:
            self._finding(facility_id, "is closed, and its terms are not published")
            return
        due = self._due(facility_id, book, event.block_time_s)
        self._compare(facility_id, "closing", stated=args.closing, due=due.closing)
        self._compare(facility_id, "claims of the closing", stated=args.claims, due=due.claims)
        if args.closing.advanced_micros != book.advanced:
            message = f"{book.advanced} micros were settled as the closing's advance"
            self._finding(facility_id, message)
        self._open[facility_id] = args.claims
        book.bond, book.closed = 0, True
        book.books = list(due.books)
        self._share(book, args.closing, event)

    def _attested(self, facility_id: int) -> int:
        return attested_micros(self._replayed.facilities[facility_id].posted.values())

    def _due(self, facility_id: FacilityId, book: MoneyBook, now_s: int) -> _Due:
        """A closing by the model, from what was replayed."""
        replayed = self._replayed
        market, terms = replayed.market, book.terms
        sold = market.markets[facility_id]
        known_epochs = replayed.endings.lives[facility_id].first_open
        final = market.final(facility_id, now_s)
        available = final.available
        missing = missing_gpu_seconds(
            promised_stated=market.promised(facility_id, final.epochs),
            available=available,
            promised_known=market.promised(facility_id, known_epochs),
            promised_all=market.promised(facility_id, None),
        )
        # With a bond, its advance is settled before the event.
        settled = book.settled_before if book.bond else book.settled
        behind = book.books_before if book.bond else book.books
        vouchers = replayed.vouchers.open_at(facility_id)
        unpaid = payable_by_bond(
            attested=self._attested(facility_id),
            settled=settled,
            available=available,
            served=replayed.vouchers.served_of(facility_id),
            open_gpu_seconds=sum(opened.gpu_seconds for opened in vouchers),
            missing=missing,
            rate_per_gpu_hour=sold.rate_per_gpu_hour,
        )
        escrow = market.surrendered(facility_id, known_epochs=known_epochs, now_s=now_s)
        due = model.close(
            tranches=[
                TrancheEnd(supply, tranche_book, opened.gpu_seconds, opened.unit_seconds)
                for supply, tranche_book, opened in zip(
                    replayed.money.supplies(book), behind, vouchers, strict=False
                )
            ],
            epochs=final.epochs,
            epoch_count=terms.epoch_count,
            fee_bps=terms.fee_bps,
            settled=settled,
            unpaid=unpaid,
            missing=missing,
            rate_per_gpu_hour=sold.rate_per_gpu_hour,
            bond=sold.surrendered,
            sale=escrow,
        )
        closing = Closing(
            missing,
            Micros(sold.surrendered),
            Micros(escrow.escrow),
            Micros(due.advance.amount),
            _four(due.paid.units),
            _four(due.paid.vouchers),
            Micros(due.paid.treasury),
            Micros(due.paid.gpu_operator),
        )
        return _Due(closing, _claims(due.claims), due.books)

    def _share(
        self,
        book: MoneyBook,
        shared: Closing | LateRentShared,
        event: ChainEvent[FacilityClosed] | ChainEvent[LateRentShared],
    ) -> None:
        """Let tranches, operator and vouchers expect what the event says."""
        self._replayed.money.share(
            book,
            units=shared.to_units_micros,
            to_operator=shared.to_operator_micros,
            tx_hash=event.tx_hash,
        )
        facility_id = event.args.facility_id
        self._replayed.vouchers.share(facility_id, shared.to_vouchers_micros)

    def _late_rent(self, book: MoneyBook, *, settled: int) -> LateRent:
        return late_rent(
            collected=book.collected,
            settled=settled,
            attested=self._attested(book.terms.facility_id),
            advanced=book.advanced,
            reimbursed=book.reimbursed,
        )

    def _late(self, event: ChainEvent[LateRentShared]) -> None:
        args = event.args
        facility_id = args.facility_id
        book, claims = self._replayed.money.book_of(facility_id), self._open.get(facility_id)
        if book is None or claims is None:
            self._finding(facility_id, "late rent is shared, and nothing was closed by the rules")
            return
        came = self._late_rent(book, settled=book.settled)
        paid, left, rent = share_late(came.late, _shares(claims), further=came.further)
        shared = LateRentShared(
            facility_id,
            Micros(came.late + came.further - rent),
            _four(paid.units),
            _four(paid.vouchers),
            Micros(paid.treasury),
            Micros(paid.gpu_operator),
        )
        self._compare(facility_id, "late rent", stated=args, due=shared)
        self._open[facility_id] = _claims(left)
        book.reimbursed += args.amount_micros
        self._share(book, args, event)

    def _settled(self, event: ChainEvent[Settled]) -> None:
        """Rent of a closed facility runs down the waterfall once claims took their part."""
        facility_id = event.args.facility_id
        book, claims = self._replayed.money.book_of(facility_id), self._open.get(facility_id)
        if book is None or claims is None:
            return
        came = self._late_rent(book, settled=book.settled - event.args.amount_micros)
        _, _, rent = share_late(came.late, _shares(claims), further=came.further)
        claimed = came.late + came.further - rent
        if claimed:
            message = f"late rent was settled, and {claimed} micros for claims were not shared"
            self._finding(facility_id, message)
        self._replayed.money.require_settled(event, rent)

    def compare(self, contracts: Contracts, head: int) -> None:
        """Compare what stays owed, and what was paid of it, with storage at one block."""
        lockbox = contracts.rent_lockbox
        for number, claims in self._open.items():
            facility_id = FacilityId(number)
            stored, advance, pools, served = contracts.together(
                lockbox.claims_of(facility_id),
                lockbox.advance_of(facility_id),
                lockbox.voucher_pools_micros(facility_id),
                contracts.delivery_desk.served_gpu_seconds(facility_id),
            ).at(block=head)
            if stored != claims:
                message = "RentLockbox holds other claims than its events give"
                self._finding(facility_id, message)
            book = self._replayed.money.books[facility_id]
            if advance != Advance(Micros(book.advanced), Micros(book.reimbursed)):
                message = "RentLockbox holds another advance than its events give"
                self._finding(facility_id, message)
            if pools != self._replayed.vouchers.pools_of(facility_id):
                message = "RentLockbox holds other pools of vouchers than its events give"
                self._finding(facility_id, message)
            if served != self._replayed.vouchers.served_of(facility_id):
                message = "DeliveryDesk holds other served GPU-seconds than its events give"
                self._finding(facility_id, message)
