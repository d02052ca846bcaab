"""Verify: from an RPC endpoint and published evidence alone, without service or database."""

from collections.abc import Callable
from dataclasses import dataclass

from api.chain.answers import Block
from api.chain.client import ChainClient
from api.chain.contracts import Contracts
from api.chain.deployment import code_problems, parse_deployment
from api.chain.events import AnyEvent, iter_events, voided_ranges
from api.chain.published import DEPLOYMENT_FILE, published_deployment
from api.domain.capital.reconciliation import (
    EpochFigures,
    FacilityFigures,
    Reconciliation,
    reconcile,
)
from api.domain.json_text import read_json
from api.domain.lifecycle import is_final
from api.domain.statements.evidence import canonical_json
from api.domain.units import Epoch, FacilityId, GpuSeconds, Micros
from api.errors import AppError, EvidenceInvalid
from api.evidence_store import EvidenceSource
from api.verify.attesters import AttesterVerifier
from api.verify.closings import ClosingVerifier, Replayed
from api.verify.duties import DutyVerifier
from api.verify.endings import EndingVerifier
from api.verify.epoch import Finding, VerifiedFacility
from api.verify.market import MarketVerifier
from api.verify.money import MoneyVerifier
from api.verify.money_book import MoneyBook
from api.verify.pledges import PledgeVerifier
from api.verify.refunds import RefundVerifier
from api.verify.statements import StatementVerifier
from api.verify.vouchers import VoucherVerifier


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """Outcome: what was checked up to which block, findings, five numbers by facility.

    voided: statements that a proven fault voided; they count in no other figure.
    """

    chain_id: int
    registry: str
    block: int
    statements: int
    voided: int
    findings: tuple[Finding, ...]
    facilities: tuple[Reconciliation, ...]

    @property
    def ok(self) -> bool:
        """Whether everything holds."""
        return not self.findings


def read_contracts(client: ChainClient, evidence: EvidenceSource) -> Contracts:
    """Contracts that the evidence names, checked against the chain.

    Raises:  EvidenceInvalid naming what does not hold.
    """
    data = evidence.read(DEPLOYMENT_FILE)
    try:
        deployment = parse_deployment(data)
        canonical = canonical_json(read_json(data)) == data
    except (AppError, ValueError) as error:
        raise EvidenceInvalid(f"{DEPLOYMENT_FILE}: {error}", file=DEPLOYMENT_FILE) from error
    problems = code_problems(client, deployment)
    if problems or not canonical:
        message = "; ".join(problems) or "bytes are not canonical"
        raise EvidenceInvalid(f"{DEPLOYMENT_FILE}: {message}", file=DEPLOYMENT_FILE)
    contracts = Contracts(client, deployment)
    if published_deployment(contracts) != data:
        message = f"{DEPLOYMENT_FILE}: unknown fields, or a start block without any log"
        raise EvidenceInvalid(message, file=DEPLOYMENT_FILE)
    return contracts


@dataclass(frozen=True, slots=True)
class _Replay:
    """All verifiers, each of which replays a part of what happened."""

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

    @classmethod
    def begin(
        cls,
        contracts: Contracts,
        evidence: EvidenceSource,
        head: Block,
        window_s: int,
        report: Callable[[Finding], None],
    ) -> "_Replay":
        """Verifiers that have seen nothing yet."""
        attesters = AttesterVerifier(contracts, head=head.number, report=report)
        statements = StatementVerifier(
            contracts,
            evidence,
            head=head.number,
            attesters=attesters,
            report=report,
            # Read ahead of the walk: the evidence of a voided statement may be replaced already.
            voided=voided_ranges(contracts, last=head.number),
        )
        facilities = statements.facilities
        money = MoneyVerifier(facilities, window_s, report)
        market = MarketVerifier(facilities, window_s, report)
        vouchers = VoucherVerifier(facilities, report)
        endings = EndingVerifier(window_s, report)
        replayed = Replayed(facilities, endings, money, market, vouchers)
        return cls(
            attesters,
            statements,
            PledgeVerifier(facilities, attesters, evidence, report),
            RefundVerifier(money, attesters, endings, report),
            money,
            market,
            vouchers,
            endings,
            ClosingVerifier(replayed, report),
            DutyVerifier(attesters, endings, window_s, report),
        )

    def take(self, event: AnyEvent) -> None:
        """Replay one event.

        `attesters` takes it first: who could sign is judged by it; then `statements`: it fills the
        facilities by which the others judge; `refunds` before `money`, which moves what is in
        excess; `closings` and `duties` last: they compute by what the others replayed.
        """
        self.attesters.take(event)
        self.statements.take(event)
        self.pledges.take(event)
        self.refunds.take(event)
        self.money.take(event)
        self.market.take(event)
        self.vouchers.take(event)
        self.endings.take(event)
        self.closings.take(event)
        self.duties.take(event)

    def compare(self, contracts: Contracts, head: Block) -> None:
        """Judge what needs the whole history, and compare with the contracts' storage."""
        self.statements.finish()
        self.attesters.compare(head.number)
        self.pledges.compare(contracts, head)
        self.refunds.compare(contracts, head.number)
        self.money.compare(contracts, head.number, head.time_s)
        self.market.compare(contracts, head.number)
        self.vouchers.compare(contracts, head.number)
        self.endings.compare(contracts, head.number)
        self.closings.compare(contracts, head.number)
        self.duties.compare(contracts, head.number)


def verify(
    client: ChainClient,
    evidence: EvidenceSource,
    *,
    registry: str | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> VerifyReport:
    """Check every posted statement, settlement and claim against chain and evidence.

    Args:    registry: StatementRegistry that the caller trusts; else the evidence's own.
             on_progress: called with (block looked at, last block).
    Raises:  ChainUnavailable; EvidenceInvalid if the deployment itself does not hold.
    """
    contracts = read_contracts(client, evidence)
    deployment = contracts.deployment
    if registry is not None and registry.lower() != deployment.statement_registry.lower():
        message = f"the evidence is for registry {deployment.statement_registry}, not {registry}"
        raise EvidenceInvalid(message, file=DEPLOYMENT_FILE)
    # Everything is read as of this block, however long the walk takes.
    head = client.head()
    window_s = contracts.statement_registry.challenge_window_s().at(block=head.number)
    findings: list[Finding] = []
    replay = _Replay.begin(contracts, evidence, head, window_s, findings.append)
    posted = 0
    for event in iter_events(contracts, last=head.number):
        replay.take(event)
        posted += event.name == "StatementPosted"
        if on_progress:
            on_progress(event.block_number, head.number)
    replay.compare(contracts, head)
    statements, money = replay.statements, replay.money
    reconciliations = []
    for facility_id, facility in sorted(statements.facilities.items()):
        # A facility that no money has reached yet has no book.
        book = money.books.get(facility_id) or MoneyBook(facility.terms)
        unvested = money.unvested(facility_id, head.time_s)
        figures = _figures(facility, book, unvested=unvested, window_s=window_s, now_s=head.time_s)
        facility_result = reconcile(figures)
        findings += [
            Finding(m.sentence(FacilityId(facility_id))) for m in facility_result.mismatches
        ]
        reconciliations.append(facility_result)
    return VerifyReport(
        deployment.chain_id,
        deployment.statement_registry,
        head.number,
        posted - statements.voided,
        statements.voided,
        tuple(findings),
        tuple(reconciliations),
    )


def _figures(
    facility: VerifiedFacility, book: MoneyBook, *, unvested: int, window_s: int, now_s: int
) -> FacilityFigures:
    """Five numbers from evidence and chain. Epochs that are not posted are unknown here."""
    epochs = tuple(
        EpochFigures(
            epoch=Epoch(epoch),
            rated_micros=Micros(facility.rated_by_epoch.get(epoch, 0)),
            posted_micros=Micros(posted.gross_micros),
            final=is_final(posted.posted_at_s, challenge_window_s=window_s, now_s=now_s),
        )
        for epoch, posted in sorted(facility.posted.items())
    )
    metered = facility.metered.gpu_seconds
    return FacilityFigures(
        facility_id=facility.terms.facility_id,
        metered_gpu_seconds=GpuSeconds(metered),
        stated_gpu_seconds=GpuSeconds(facility.stated_gpu_seconds),
        # Usage of open epochs is in no published file.
        open_gpu_seconds=GpuSeconds(0),
        unbilled_gpu_seconds=GpuSeconds(metered - facility.stated_gpu_seconds),
        epochs=epochs,
        collected_micros=Micros(book.collected),
        settled_micros=Micros(book.settled),
        fees_micros=Micros(book.fees),
        accrued_micros=Micros(book.accrued),
        claimed_micros=Micros(book.claimed),
        unvested_micros=Micros(unvested),
        advanced_micros=Micros(book.advanced - book.reimbursed),
        recovered_micros=Micros(book.recovered),
        owed_to_operator_micros=Micros(book.owed_to_operator - book.left_to_operator),
        written_off_micros=Micros(book.written_off),
    )
