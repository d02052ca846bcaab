"""Verify, part 2: replay rent, settlements, streams and claims, and compare with the chain."""

from collections.abc import Callable, Sequence

from api.chain.contracts import Contracts
from api.chain.contracts.rent_lockbox import RentBook
from api.chain.emitted.bond_vault import BondSurrendered
from api.chain.emitted.facility_registry import (
    FacilityStateChanged,
    ReceivableWrittenOff,
    UnpaidNoticed,
)
from api.chain.emitted.rent_lockbox import (
    RentPaid,
    RentRefunded,
    ResidualOwed,
    Settled,
)
from api.chain.emitted.tranche_token import (
    RevenueAccrued,
    RevenueClaimed,
    RevenueFlowedOn,
    TransferSingle,
)
from api.chain.events import AnyEvent, ChainEvent, Handlers
from api.domain.capital.accumulator import FRACTION_BITS, TrancheModel
from api.domain.capital.settlement import (
    TrancheBook,
    TrancheSupply,
    settle,
    settleable,
)
from api.domain.lifecycle import FacilityState
from api.domain.units import (
    ZERO_ADDRESS,
    Bytes32,
    FacilityId,
    Micros,
    TrancheId,
    split_tranche_id,
    tranche_id,
)
from api.verify.epoch import VerifiedFacility, attested_micros
from api.verify.findings import Finding
from api.verify.held import require_held
from api.verify.money_book import MoneyBook


class MoneyVerifier:
    """Replays every event that moves money and collects findings."""

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
            .on(RentPaid, self._rent)
            .on(RentRefunded, self._refunded)
            .on(FacilityStateChanged, self._state_changed)
            .on(ReceivableWrittenOff, self._written_off)
            .on(UnpaidNoticed, self._unpaid)
            .on(Settled, self._settled)
            .on(BondSurrendered, self._surrendered)
            .on(ResidualOwed, self._residual)
            .on(RevenueAccrued, self._accrued)
            .on(RevenueFlowedOn, self._flowed_on)
            .on(RevenueClaimed, self._claimed)
            .on(TransferSingle, self._moved)
        )
        self.books: dict[int, MoneyBook] = {}
        self.models: dict[int, TrancheModel] = {}

    def take(self, event: AnyEvent) -> None:
        """Replay one chain event."""
        self._handlers.take(event)

    def _finding(self, facility_id: int, message: str) -> None:
        self._report(Finding(message, facility_id))

    def book_of(self, facility_id: int) -> MoneyBook | None:
        """Book of a facility; None where its terms are not known."""
        book = self.books.get(facility_id)
        # Without verified terms there is nothing to replay by, and no book.
        facility = self._facilities.get(facility_id)
        if book is None and facility is not None:
            empty = [TrancheBook() for _ in facility.terms.tranches]
            unsold = [0 for _ in facility.terms.tranches]
            book = MoneyBook(facility.terms, books=empty, unsold=unsold)
            self.books[facility_id] = book
        return book

    def _model(self, token_id: int) -> TrancheModel:
        return self.models.setdefault(token_id, TrancheModel())

    def _rent(self, event: ChainEvent[RentPaid]) -> None:
        facility_id = event.args.facility_id
        book = self.book_of(facility_id)
        if book is None:
            return
        book.collected += event.args.amount_micros
        if book.collected != event.args.cumulative_collected_micros:
            self._finding(facility_id, "rent paid does not add up to what the lockbox collected")

    def _refunded(self, event: ChainEvent[RentRefunded]) -> None:
        facility_id = event.args.facility_id
        book = self.book_of(facility_id)
        if book is None:
            return
        book.collected -= event.args.amount_micros
        if book.collected != event.args.cumulative_collected_micros:
            self._finding(facility_id, "rent refunded does not add up")

    def _written_off(self, event: ChainEvent[ReceivableWrittenOff]) -> None:
        book = self.book_of(event.args.facility_id)
        if book is not None:
            self._require_unpaid(book, event.args.amount_micros)
            book.written_off += event.args.amount_micros
            book.written_off_in = event.tx_hash

    def _unpaid(self, event: ChainEvent[UnpaidNoticed]) -> None:
        book = self.book_of(event.args.facility_id)
        if book is not None:
            self._require_unpaid(book, event.args.amount_micros)

    def _require_unpaid(self, book: MoneyBook, stated: int) -> None:
        unpaid = self._unpaid_of(book)
        if stated != unpaid:
            message = f"{stated} micros are named unpaid where {unpaid} are"
            self._finding(book.terms.facility_id, message)

    def excess_of(self, book: MoneyBook) -> int:
        """Rent that nothing posted covers, and that is not settled: it can go back to payers."""
        posted = self._facilities[book.terms.facility_id].posted.values()
        return max(0, book.collected - max(attested_micros(posted), book.settled))

    def _unpaid_of(self, book: MoneyBook) -> int:
        """Attested rent that no renter paid. That what was paid is settled does not matter."""
        posted = self._facilities[book.terms.facility_id].posted.values()
        return max(0, attested_micros(posted) - book.collected)

    def _state_changed(self, event: ChainEvent[FacilityStateChanged]) -> None:
        book = self.book_of(event.args.facility_id)
        if event.args.state is FacilityState.MATURED and book is not None:
            unpaid = self._unpaid_of(book)
            if unpaid and book.written_off_in != event.tx_hash:
                message = f"matured while {unpaid} micros were unpaid, and nothing was written off"
                self._finding(book.terms.facility_id, message)
        if event.args.state is not FacilityState.FUNDED:
            return
        if book is not None:
            supplies = self.supplies(book)
            book.unsold = [
                terms.unit_cap - tranche.supply
                for terms, tranche in zip(book.terms.tranches, supplies, strict=True)
            ]
        # Units are known from their mints, also where no terms are.
        for token_id, model in self.models.items():
            if split_tranche_id(token_id)[0] == event.args.facility_id:
                model.activate(event.block_time_s)

    def supplies(self, book: MoneyBook) -> list[TrancheSupply]:
        """Coupons and units of a facility's tranches, as they are now."""
        facility_id = book.terms.facility_id
        return [
            TrancheSupply(
                t.coupon_micros_per_unit,
                self._model(self._id(facility_id, i)).stream.supply,
                book.unsold[i],
            )
            for i, t in enumerate(book.terms.tranches)
        ]

    def _expect(self, book: MoneyBook, payments: Sequence[int], tx_hash: Bytes32) -> None:
        """Expect payments to tranches: all of one transaction arrive together, after those of the
        transaction before."""
        if book.expected_in != tx_hash:
            self._require_arrived(book)
            book.expected, book.expected_residuals = {}, []
        book.expected_in = tx_hash
        for i, amount in enumerate(payments):
            token_id = self._id(book.terms.facility_id, i)
            if amount:
                book.expected[token_id] = book.expected.get(token_id, 0) + amount

    def _require_arrived(self, book: MoneyBook) -> None:
        if any(book.expected.values()) or book.expected_residuals:
            message = "a payment down the waterfall did not reach every tranche"
            self._finding(book.terms.facility_id, message)

    def share(
        self, book: MoneyBook, *, units: Sequence[int], to_operator: int, tx_hash: Bytes32
    ) -> None:
        """Expect what a closing, or late rent, gives to tranches and the gpuOperator."""
        self._expect(book, units, tx_hash)
        if to_operator:
            book.expected_residuals.append(to_operator)
        book.recovered += sum(units)
        book.left_to_operator += to_operator

    def _surrendered(self, event: ChainEvent[BondSurrendered]) -> None:
        book = self.book_of(event.args.facility_id)
        if book is not None:
            self._require_arrived(book)
            book.bond = event.args.amount_micros
            book.settled_before, book.books_before = book.settled, list(book.books)

    def _residual(self, event: ChainEvent[ResidualOwed]) -> None:
        book = self.book_of(event.args.facility_id)
        if book is None:
            return
        due = book.expected_residuals.pop(0) if book.expected_residuals else 0
        if event.args.amount_micros != due:
            message = f"the gpuOperator is owed {event.args.amount_micros} micros, not its part"
            self._finding(book.terms.facility_id, message)
        book.owed_to_operator += event.args.amount_micros

    def _settled(self, event: ChainEvent[Settled]) -> None:
        facility_id, epochs = event.args.facility_id, event.args.settled_epochs
        book, facility = self.book_of(facility_id), self._facilities.get(facility_id)
        if book is None or facility is None:
            return
        final = facility.final_totals(event.block_time_s, challenge_window_s=self._window_s)
        if final.epochs != epochs:
            message = f"a settlement counts {epochs} epochs where {final.epochs} are final"
            self._finding(facility_id, message)
        if book.bond:
            # The bond pays in place of renters. `ClosingVerifier` judges how much, and late rent.
            book.advanced += event.args.amount_micros
        elif not book.closed:
            # By the model, from what was final and collected at this event.
            due = settleable(
                attested=final.gross_micros, collected=book.collected, settled=book.settled
            )
            self.require_settled(event, due)
        result = settle(
            event.args.amount_micros,
            fee_bps=book.terms.fee_bps,
            settled=book.settled,
            tranches=self.supplies(book),
            books=book.books,
            from_epochs=book.settled_epochs,
            to_epochs=epochs,
            epoch_count=book.terms.epoch_count,
        )
        if result.fee != event.args.fee_micros:
            self._finding(facility_id, "a settlement took another fee than the terms say")
        book.settled += event.args.amount_micros
        book.fees += event.args.fee_micros
        book.settled_epochs = epochs
        if book.settled != event.args.cumulative_settled_micros:
            self._finding(facility_id, "settlements do not add up")
        book.books = list(result.books)
        self._expect(book, result.payments, event.tx_hash)
        if result.to_gpu_operator:
            # Late rent is shared before a settlement, and owed to the gpuOperator after it.
            book.expected_residuals.insert(0, result.to_gpu_operator)

    def require_settled(self, event: ChainEvent[Settled], due: int) -> None:
        """A settlement pays what was due, not what its event says."""
        paid = event.args.amount_micros
        if paid != due:
            message = f"a settlement paid {paid} micros where {due} were due"
            self._finding(event.args.facility_id, message)

    @staticmethod
    def _id(facility_id: int, seniority: int) -> int:
        return tranche_id(FacilityId(facility_id), seniority)

    def _accrued(self, event: ChainEvent[RevenueAccrued]) -> None:
        token_id, amount = event.args.id, event.args.amount_micros
        facility_id = split_tranche_id(token_id)[0]
        book = self.book_of(facility_id)
        if book is None:
            return
        model = self._model(token_id)
        due = book.expected.pop(token_id, 0)
        flowed_on = model.accrue(due, book.span_s, event.block_time_s)
        if due - flowed_on != amount:
            self._finding(facility_id, f"tranche {token_id} got {amount}, not its due payment")
        if flowed_on:
            book.expected[token_id] = flowed_on
        book.accrued += amount
        if model.stream.end_s != event.args.stream_end_s:
            self._finding(facility_id, f"tranche {token_id} streams to another end")

    def _flowed_on(self, event: ChainEvent[RevenueFlowedOn]) -> None:
        token_id, amount = event.args.id, event.args.amount_micros
        facility_id = split_tranche_id(token_id)[0]
        book = self.book_of(facility_id)
        if book is None:
            return
        room = self._model(token_id).stream.room(event.block_time_s)
        if book.expected.pop(token_id, None) != amount or room:
            message = f"{amount} micros went past tranche {token_id}, which could take {room}"
            self._finding(facility_id, message)
        # Owed after all tranches were paid, in one sum.
        book.expected_residuals = [sum(book.expected_residuals) + amount]

    def _claimed(self, event: ChainEvent[RevenueClaimed]) -> None:
        token_id, amount = event.args.id, event.args.amount_micros
        facility_id = split_tranche_id(token_id)[0]
        book = self.book_of(facility_id)
        if book is None:
            return
        book.claimed += amount
        holder = event.args.holder
        owed = self._model(token_id).claim(holder, event.block_time_s)
        if owed != amount:
            message = f"{holder} claimed {amount} micros of tranche {token_id}, had earned {owed}"
            self._finding(facility_id, message)

    def _moved(self, event: ChainEvent[TransferSingle]) -> None:
        token_id, units = event.args.id, event.args.value
        source, target = event.args.from_, event.args.to
        model, now_s = self._model(token_id), event.block_time_s
        try:
            if source == ZERO_ADDRESS:
                model.mint(target, units, now_s)
            elif target == ZERO_ADDRESS:
                model.burn(source, units, now_s)
            else:
                model.transfer(source, target, units, now_s)
        except ValueError as error:
            self._finding(split_tranche_id(token_id)[0], str(error))

    def compare(self, contracts: Contracts, head: int, now_s: int) -> None:
        """Compare the replayed books with the contracts' storage at one block."""
        for facility_id, book in self.books.items():
            self._require_arrived(book)
            stored = contracts.rent_lockbox.book_of(FacilityId(facility_id)).at(block=head)
            ours = RentBook(Micros(book.collected), Micros(book.settled), book.settled_epochs)
            if stored != ours:
                self._finding(facility_id, "RentLockbox holds another book than its events give")
            self._compare_arrears(contracts, book, head)
        token = contracts.tranche_token
        for token_id, model in self.models.items():
            self._compare_tranche(contracts, TrancheId(token_id), model, head)
            # In fixed point nothing is rounded: every micro received is paid, owed or pending.
            if model.unaccounted_x24(now_s) != 0:
                self._finding(split_tranche_id(token_id)[0], f"tranche {token_id} loses money")
        owed: dict[tuple[str, str], int] = {}
        for token_id, model in self.models.items():
            known = self.books.get(split_tranche_id(token_id)[0])
            paid_in = known.terms.settlement_token if known else contracts.settlement_token.address
            key = paid_in, str(token.address)
            owed[key] = owed.get(key, 0) + model.received - model.paid
        require_held(contracts, owed, head=head, report=self._report)

    def _compare_arrears(self, contracts: Contracts, book: MoneyBook, head: int) -> None:
        lockbox, facility_id = contracts.rent_lockbox, book.terms.facility_id
        ids = [TrancheId(self._id(facility_id, i)) for i in range(len(book.books))]
        arrears, unsold = contracts.together(
            contracts.all_of([lockbox.arrears_micros(token_id) for token_id in ids]),
            contracts.all_of([lockbox.unsold_arrears_micros(token_id) for token_id in ids]),
        ).at(block=head)
        stored = zip(ids, arrears, unsold, strict=True)
        for behind, now, (token_id, *held) in zip(
            book.books, self.supplies(book), stored, strict=True
        ):
            ours = [behind.arrears_of(now.supply), behind.unsold_arrears]
            if held != ours:
                message = f"RentLockbox holds {held} as arrears of tranche {token_id}, not {ours}"
                self._finding(facility_id, message)

    def _compare_tranche(
        self, contracts: Contracts, token_id: TrancheId, model: TrancheModel, head: int
    ) -> None:
        facility_id = split_tranche_id(token_id)[0]
        token, holders = contracts.tranche_token, list(model.positions)
        tranche, stored = contracts.together(
            token.tranche_of(token_id),
            contracts.all_of([token.position_of(holder, token_id) for holder in holders]),
        ).at(block=head)
        if tranche.stream() != model.stream:
            self._finding(facility_id, f"tranche {token_id} stores another stream")
        for holder, position in zip(holders, stored, strict=True):
            if position.position() != model.positions[holder]:
                message = f"{holder} has another position in tranche {token_id}"
                self._finding(facility_id, message)

    def unvested(self, facility_id: int, now_s: int) -> int:
        """Revenue of a facility that has not vested; each tranche rounded up, as on-chain."""
        total = 0
        for token_id, model in self.models.items():
            if split_tranche_id(token_id)[0] != facility_id:
                continue
            stream = model.stream
            # Fixed point, 24 fractional bits. `>>` rounds down: shift the negative to round up.
            gained = (stream.acc_at_x24(now_s) - stream.acc_x24) * stream.supply
            total += -((gained - stream.pending_x24) >> FRACTION_BITS)
        return total
