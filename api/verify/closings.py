"""Verify, part 6: compute every closing, and late rent after it, by the model, and compare."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

from api.chain.contracts import Contracts
from api.chain.contracts.rent_lockbox import Claims, Fourfold
from api.chain.emitted.rent_lockbox import Closing, FacilityClosed, LateRentShared
from api.chain.events import AnyEvent, ChainEvent, Handlers
from api.domain.capital import closing as model
from api.domain.capital.closing import Shares, TrancheEnd, missing_gpu_seconds
from api.domain.capital.settlement import settleable
from api.domain.units import FacilityId, Micros
from api.verify.endings import EndingVerifier
from api.verify.epoch import Finding, VerifiedFacility
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


class ClosingVerifier:
    """Computes closings and collects findings. It takes an event after the others did."""

    def __init__(self, replayed: Replayed, report: Callable[[Finding], None]) -> None:
        self._replayed, self._report = replayed, report
        # What stays owed, by facility: late rent pays it.
        self._open: dict[int, Claims] = {}
        self._handlers = Handlers().on(FacilityClosed, self._closed).on(LateRentShared, self._late)

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
        closing, claims = self._due(facility_id, book, event.block_time_s)
        self._compare(facility_id, "closing", stated=args.closing, due=closing)
        self._compare(facility_id, "claims of the closing", stated=args.claims, due=claims)
        if args.closing.advanced_micros != book.advanced:
            message = f"{book.advanced} micros were settled as the closing's advance"
            self._finding(facility_id, message)
        self._open[facility_id] = args.claims
        book.bond, book.closed = 0, True
        self._share(book, args.closing, event)

    def _due(self, facility_id: FacilityId, book: MoneyBook, now_s: int) -> tuple[Closing, Claims]:
        """Closing and claims by the model, from what was replayed."""
        replayed = self._replayed
        market, terms = replayed.market, book.terms
        sold = market.markets[facility_id]
        known_epochs = replayed.endings.lives[facility_id].first_open
        final = market.final(facility_id, now_s)
        missing = missing_gpu_seconds(
            promised_stated=market.promised(facility_id, len(final)),
            available=sum(final.values()),
            promised_known=market.promised(facility_id, known_epochs),
            promised_all=market.promised(facility_id, None),
        )
        # With a bond, its advance is settled before the event.
        settled = book.settled_before if book.bond else book.settled
        behind = book.books_before if book.bond else book.books
        attested = sum(gross for gross, _ in replayed.facilities[facility_id].posted.values())
        vouchers = replayed.vouchers.open_at(facility_id)
        escrow = market.surrendered(facility_id, known_epochs=known_epochs, now_s=now_s)
        due = model.close(
            tranches=[
                TrancheEnd(supply, tranche_book, opened.gpu_seconds, opened.unit_seconds)
                for supply, tranche_book, opened in zip(
                    replayed.money.supplies(book), behind, vouchers, strict=False
                )
            ],
            epochs=len(final),
            epoch_count=terms.epoch_count,
            fee_bps=terms.fee_bps,
            settled=settled,
            unpaid=attested - settled,
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
        return closing, _claims(due.claims)

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

    def _late(self, event: ChainEvent[LateRentShared]) -> None:
        args = event.args
        facility_id = args.facility_id
        book, claims = self._replayed.money.book_of(facility_id), self._open.get(facility_id)
        if book is None or claims is None:
            self._finding(facility_id, "late rent is shared, and nothing was closed by the rules")
            return
        posted = self._replayed.facilities[facility_id].posted.values()
        # A settlement before it took what is still rent.
        unsettled = settleable(
            attested=sum(gross for gross, _ in posted), collected=book.paid, settled=book.settled
        )
        due = min(book.paid - book.settled, book.advanced)
        if unsettled or due != args.amount_micros:
            message = f"late rent of {args.amount_micros} is shared where {due} came late"
            self._finding(facility_id, message)
        paid, left = model.share_late(args.amount_micros, _shares(claims))
        shared = LateRentShared(
            facility_id,
            args.amount_micros,
            _four(paid.units),
            _four(paid.vouchers),
            Micros(paid.treasury),
            Micros(paid.gpu_operator),
        )
        self._compare(facility_id, "late rent", stated=args, due=shared)
        self._open[facility_id] = _claims(left)
        book.advanced -= args.amount_micros
        self._share(book, args, event)

    def compare(self, contracts: Contracts, head: int) -> None:
        """Compare what stays owed with the lockbox's storage at one block."""
        for facility_id, claims in self._open.items():
            stored = contracts.rent_lockbox.claims_of(FacilityId(facility_id)).at(block=head)
            if stored != claims:
                message = "RentLockbox holds other claims than its events give"
                self._finding(facility_id, message)
