"""Verify: all parts of the verifier, each of which replays a part of what happened."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from api.chain.answers import Block, Logged
from api.chain.contracts import Contracts
from api.chain.events import AnyEvent, voided_ranges
from api.domain.units import Bytes32
from api.evidence_store import EvidenceSource
from api.verify.attesters import AttesterVerifier
from api.verify.closings import ClosingVerifier, Replayed
from api.verify.duties import DutyVerifier
from api.verify.endings import EndingVerifier
from api.verify.findings import Findings
from api.verify.market import MarketVerifier
from api.verify.money import MoneyVerifier
from api.verify.names import ShownName
from api.verify.payments import PaymentVerifier
from api.verify.pledges import PledgeVerifier
from api.verify.receipts import ReceiptVerifier
from api.verify.refunds import RefundVerifier
from api.verify.signers import Signers
from api.verify.statements import StatementVerifier
from api.verify.vouchers import VoucherVerifier


@dataclass(frozen=True, slots=True)
class Replay:
    """All verifiers. What one of them cannot judge is a finding, and the others go on."""

    findings: Findings
    attesters: AttesterVerifier
    statements: StatementVerifier
    pledges: PledgeVerifier
    refunds: RefundVerifier
    money: MoneyVerifier
    market: MarketVerifier
    vouchers: VoucherVerifier
    endings: EndingVerifier
    closings: ClosingVerifier
    duties: DutyVerifier
    payments: PaymentVerifier

    @classmethod
    def begin(
        cls,
        contracts: Contracts,
        evidence: EvidenceSource,
        head: Block,
        window_s: int,
        findings: Findings,
        receipts: ReceiptVerifier,
        shown: ShownName | None = None,
    ) -> "Replay":
        """Verifiers that have seen nothing yet."""
        signers = Signers(contracts.client)
        attesters = AttesterVerifier(
            contracts, head=head.number, signers=signers, report=findings.of("attesters")
        )
        statements = StatementVerifier(
            contracts,
            evidence,
            head=head.number,
            attesters=attesters,
            signers=signers,
            report=findings.of("statements"),
            # Read ahead of the walk: the evidence of a voided statement may be replaced already.
            voided=voided_ranges(contracts, last=head.number),
            receipts=receipts,
            shown=shown,
        )
        facilities = statements.facilities
        money = MoneyVerifier(facilities, window_s, findings.of("money"))
        market = MarketVerifier(facilities, window_s, findings.of("market"))
        vouchers = VoucherVerifier(facilities, findings.of("vouchers"))
        endings = EndingVerifier(window_s, findings.of("endings"))
        replayed = Replayed(facilities, endings, money, market, vouchers)
        return cls(
            findings,
            attesters,
            statements,
            PledgeVerifier(facilities, attesters, evidence, findings.of("pledges")),
            RefundVerifier(money, attesters, endings, findings.of("refunds")),
            money,
            market,
            vouchers,
            endings,
            ClosingVerifier(replayed, findings.of("closings")),
            DutyVerifier(attesters, endings, window_s, findings.of("duties")),
            PaymentVerifier(contracts, head=head.number, report=findings.of("payments")),
        )

    def take(self, event: AnyEvent) -> None:
        """Replay one event.

        `attesters` takes it first: who could sign is judged by it; then `statements`: it fills the
        facilities by which the others judge; `refunds` before `money`, which moves what is in
        excess; `closings` and `duties` last: they compute by what the others replayed.
        """
        self.findings.look_at(event)
        steps: tuple[tuple[str, Callable[[AnyEvent], None]], ...] = (
            ("attesters", self.attesters.take),
            ("statements", self.statements.take),
            ("pledges", self.pledges.take),
            ("refunds", self.refunds.take),
            ("money", self.money.take),
            ("market", self.market.take),
            ("vouchers", self.vouchers.take),
            ("endings", self.endings.take),
            ("closings", self.closings.take),
            ("duties", self.duties.take),
            ("payments", self.payments.take),
        )
        for code, take in steps:
            self.findings.guard(code, lambda take=take: take(event))  # type: ignore[misc]

    def compare(
        self,
        contracts: Contracts,
        head: Block,
        *,
        window_s: int,
        receipts: Mapping[Bytes32, Logged],
    ) -> None:
        """Judge what needs the whole history, and compare with the contracts' storage."""
        number, now_s = head.number, head.time_s
        self.findings.look_at_storage(number)
        steps: tuple[tuple[str, Callable[[], None]], ...] = (
            ("statements", self.statements.finish),
            ("statements", lambda: self.statements.compare(number, now_s, window_s=window_s)),
            ("attesters", lambda: self.attesters.compare(number, now_s)),
            ("pledges", lambda: self.pledges.compare(contracts, head)),
            ("refunds", lambda: self.refunds.compare(contracts, number)),
            ("money", lambda: self.money.compare(contracts, number, now_s)),
            ("market", lambda: self.market.compare(contracts, number)),
            ("vouchers", lambda: self.vouchers.compare(contracts, number)),
            ("endings", lambda: self.endings.compare(contracts, number, now_s)),
            ("closings", lambda: self.closings.compare(contracts, number)),
            ("duties", lambda: self.duties.compare(contracts, number)),
            ("payments", lambda: self.payments.compare(receipts)),
        )
        for code, compare in steps:
            self.findings.guard(code, compare)
