"""Verify, part 2b: rent above what is attested went back by signed credits, then pro rata."""

from collections.abc import Callable
from dataclasses import dataclass, field

from api.chain.contracts import Contracts
from api.chain.emitted.refund_desk import CreditRefunded, CreditsApproved, ShareRefunded
from api.chain.emitted.rent_lockbox import RentPaid, RentRefunded
from api.chain.events import AnyEvent, ChainEvent, Handlers
from api.domain.facility import DAY_S
from api.domain.units import ZERO32, Bytes32, FacilityId
from api.verify.attesters import AttesterVerifier
from api.verify.endings import EndingVerifier
from api.verify.findings import Finding
from api.verify.money import MoneyVerifier

# As in `RefundDesk`: so long credits are signed, and so long they are brought.
SIGNING_S, CLAIMING_S = 90 * DAY_S, 30 * DAY_S


@dataclass
class _Refunds:
    """Of one facility: what each payer paid and did not get back, minor units by account.

    named: the payer and amount that RefundDesk named and the lockbox has not credited yet.
    base: what payers without a share paid; None until the first share.
    """

    paid: dict[str, int] = field(default_factory=dict)
    named: tuple[str, int] | None = None
    root: Bytes32 = ZERO32
    approved_at_s: int = 0
    indexes: set[int] = field(default_factory=set)
    base: int | None = None
    shared: set[str] = field(default_factory=set)


class RefundVerifier:
    """Replays RefundDesk and collects findings."""

    def __init__(
        self,
        money: MoneyVerifier,
        attesters: AttesterVerifier,
        endings: EndingVerifier,
        report: Callable[[Finding], None],
    ) -> None:
        self._money, self._attesters, self._report = money, attesters, report
        self._endings = endings
        self._refunds: dict[int, _Refunds] = {}
        self._handlers = (
            Handlers()
            .on(RentPaid, self._rent)
            .on(CreditsApproved, self._approved)
            .on(CreditRefunded, self._credited)
            .on(ShareRefunded, self._shared)
            .on(RentRefunded, self._refunded)
        )

    def take(self, event: AnyEvent) -> None:
        """Replay one chain event, before the money's verifier does: it moves what is in excess."""
        self._handlers.take(event)

    def _require(self, facility_id: int, *rules: tuple[bool, str]) -> None:
        for holds, message in rules:
            if not holds:
                self._report(Finding(message, facility_id))

    def _of(self, facility_id: int) -> _Refunds:
        return self._refunds.setdefault(facility_id, _Refunds())

    def _rent(self, event: ChainEvent[RentPaid]) -> None:
        paid = self._of(event.args.facility_id).paid
        paid[event.args.payer] = paid.get(event.args.payer, 0) + event.args.amount_micros

    def _shares_from_s(self, facility_id: int) -> int:
        """From when shares are open; 0 while the facility is not closed."""
        closed_at_s = self._endings.lives[facility_id].closed_at_s
        if closed_at_s == 0:
            return 0
        approved_at_s = self._of(facility_id).approved_at_s
        claimed_s = approved_at_s + CLAIMING_S if approved_at_s else 0
        return max(closed_at_s + SIGNING_S, claimed_s)

    def _approved(self, event: ChainEvent[CreditsApproved]) -> None:
        args = event.args
        refunds = self._of(args.facility_id)
        for message in self._attesters.problems(
            args.facility_id, args.attesters, event.block_time_s
        ):
            self._report(Finding(f"the approval of its credits: {message}", args.facility_id))
        self._require(args.facility_id, (refunds.root == ZERO32, "its credits were approved twice"))
        refunds.root = args.credits_root

    def _credited(self, event: ChainEvent[CreditRefunded]) -> None:
        args = event.args
        refunds = self._of(args.facility_id)
        book = self._money.book_of(FacilityId(args.facility_id))
        paid = refunds.paid.get(args.payer, 0)
        # Without its evidence nothing is known of what exceeds it; that is a finding of its own.
        excess = args.amount_micros if book is None else self._money.excess_of(book)
        self._require(
            args.facility_id,
            (args.amount_micros <= paid, f"{args.payer} got more rent back than it paid"),
            (args.amount_micros <= excess, "more rent went back than exceeds what is attested"),
            (
                event.block_time_s < self._shares_from_s(args.facility_id),
                f"credit {args.index} was paid back too late",
            ),
            (refunds.root != ZERO32, "a credit was paid back that nobody signed"),
            (args.index not in refunds.indexes, f"credit {args.index} was paid back twice"),
            (refunds.base is None, "a credit was paid back after shares had begun"),
        )
        refunds.indexes.add(args.index)
        refunds.named = (args.payer, args.amount_micros)

    def _shared(self, event: ChainEvent[ShareRefunded]) -> None:
        args = event.args
        refunds = self._of(args.facility_id)
        book = self._money.book_of(FacilityId(args.facility_id))
        if book is None:
            return
        base = book.collected if refunds.base is None else refunds.base
        paid = refunds.paid.get(args.payer, 0)
        excess = self._money.excess_of(book)
        due = excess * paid // max(1, base)
        message = f"{args.payer} got {args.amount_micros} micros of rent back where {due} are due"
        self._require(
            args.facility_id,
            ((args.paid_micros, args.amount_micros) == (paid, due), message),
            (args.payer not in refunds.shared, f"{args.payer} had its share of rent twice"),
            (
                0 < self._shares_from_s(args.facility_id) <= event.block_time_s,
                "a share of rent was paid back too early",
            ),
        )
        refunds.base = base - paid
        refunds.shared.add(args.payer)
        refunds.named = (args.payer, args.amount_micros) if args.amount_micros else None

    def _refunded(self, event: ChainEvent[RentRefunded]) -> None:
        args = event.args
        refunds = self._of(args.facility_id)
        told = refunds.named == (args.payer, args.amount_micros)
        message = f"rent went back to {args.payer} that RefundDesk does not name"
        self._require(args.facility_id, (told, message))
        refunds.named = None
        refunds.paid[args.payer] = refunds.paid.get(args.payer, 0) - args.amount_micros

    def compare(self, contracts: Contracts, head: int) -> None:
        """Compare with the contract's storage."""
        for facility_id, refunds in self._refunds.items():
            root = contracts.refund_desk.credits_root_of(FacilityId(facility_id)).at(block=head)
            same = root == refunds.root
            self._require(
                facility_id, (same, "RefundDesk holds other credits than its events give")
            )
