"""Verify: from an RPC endpoint and published evidence alone, without service or database."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from api.chain.answers import Block
from api.chain.client import ChainClient
from api.domain.capital.reconciliation import (
    EpochFigures,
    FacilityFigures,
    Reconciliation,
    reconcile,
)
from api.domain.lifecycle import is_final
from api.domain.units import Epoch, FacilityId, GpuSeconds, Micros
from api.evidence_store import EvidenceSource
from api.verify.epoch import VerifiedFacility
from api.verify.findings import Finding, Findings
from api.verify.money_book import MoneyBook
from api.verify.names import NamedLines, ShownName, unknown_name
from api.verify.node import (
    MAX_AGE_S,
    block_to_verify,
    check_age,
    check_constants,
    check_still_there,
)
from api.verify.payments import TOPICS
from api.verify.receipts import ReceiptVerifier, ShownReceipt
from api.verify.replay import Replay
from api.verify.tree import Tree
from api.verify.trusted import check_deployment, read_deployment
from api.verify.walk import Walk, iter_events


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """Outcome: what was checked up to which block, findings, five numbers by facility.

    voided: statements that a proven fault voided; they count in no other figure.
    warnings: what was not checked, or cannot be; nothing of it is known to be wrong.
    named: lines of the name that was looked for, in each facility that has it.
    """

    chain_id: int
    registry: str
    block: int
    statements: int
    voided: int
    findings: tuple[Finding, ...]
    facilities: tuple[Reconciliation, ...]
    block_hash: bytes = b""
    block_time_s: int = 0
    warnings: tuple[Finding, ...] = ()
    named: tuple[NamedLines, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether everything holds."""
        return not self.findings


def verify(
    client: ChainClient,
    evidence: EvidenceSource,
    *,
    registry: str | None = None,
    at: int | None = None,
    now_s: int | None = None,
    max_age_s: int = MAX_AGE_S,
    receipts: Sequence[ShownReceipt] = (),
    shown: ShownName | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> VerifyReport:
    """Check every posted statement, settlement and claim against chain and evidence.

    Args:    registry: StatementRegistry that the caller trusts; else the evidence's own.
             at: block as of which everything is verified; else the node's newest.
             now_s: the caller's time; without it, nobody says whether the node is up to date.
             max_age_s: oldest newest block of a node that counts as up to date.
             receipts: what authors were given by the service, against the published logs.
             shown: a name whose lines are looked for.
             on_progress: called with (block looked at, last block).
    Raises:  ChainUnavailable; EvidenceInvalid if the deployment itself does not hold.
    """
    deployment = read_deployment(evidence, registry=registry)
    # Everything is read as of this block, however long the walk takes.
    head = block_to_verify(client, at)
    contracts = check_deployment(client, deployment, head=head)
    findings, warnings = Findings(), Findings()
    _judge_head(head, at, now_s, max_age_s, registry, findings, warnings)
    window_s = contracts.statement_registry.challenge_window_s().at(block=head.number)
    receipted = ReceiptVerifier(receipts)
    replay = Replay.begin(contracts, evidence, head, window_s, findings, receipted, shown)
    posted = 0
    walk = Walk(contracts, last=head.number, kept=TOPICS, report=findings.of("log"))
    for event in iter_events(walk):
        replay.take(event)
        posted += event.name == "StatementPosted"
        if on_progress:
            on_progress(event.block_number, head.number)
    replay.compare(contracts, head, window_s=window_s, receipts=walk.receipts)
    check_constants(contracts, head, findings.of("constants"))
    _tree(replay, evidence, head, findings, warnings, of_now=at is None).check()
    receipted.check(
        {f.terms.log: f.authors.signers for f in replay.statements.facilities.values()},
        report=findings.of("receipts"),
        warn=warnings.of("receipts"),
    )
    named = [f.named_lines for f in replay.statements.facilities.values() if f.named_lines.leases]
    if shown is not None and not named:
        findings.of("names")(unknown_name(shown))
    check_still_there(client, head, findings.of("head"))
    reconciliations = _reconcile(replay, head, window_s, findings)
    voided = len(replay.statements.known.voided)
    return VerifyReport(
        contracts.deployment.chain_id,
        contracts.deployment.statement_registry,
        head.number,
        posted - voided,
        voided,
        findings.found,
        reconciliations,
        head.hash,
        head.time_s,
        warnings.found,
        tuple(named),
    )


def _judge_head(
    head: Block,
    at: int | None,
    now_s: int | None,
    max_age_s: int,
    registry: str | None,
    findings: Findings,
    warnings: Findings,
) -> None:
    if registry is None:
        message = "the evidence says to which registry it belongs: name the one that you trust"
        warnings.of("registry")(Finding(message, code="registry_untrusted"))
    if at is not None:
        return
    if now_s is None:
        message = "nobody said what time it is: the node may be behind"
        warnings.of("head")(Finding(message, code="head_age_unknown", block=head.number))
        return
    check_age(head, now_s=now_s, max_age_s=max_age_s, report=findings.of("head"))


def _tree(
    replay: Replay,
    evidence: EvidenceSource,
    head: Block,
    findings: Findings,
    warnings: Findings,
    *,
    of_now: bool,
) -> Tree:
    statements = replay.statements
    statements.known.pledges.update(replay.pledges.replaced_roots())
    return Tree(
        evidence,
        statements.facilities,
        statements.known,
        head=head,
        of_now=of_now,
        report=findings.of("evidence"),
        warn=warnings.of("evidence"),
        check_signatures=statements.check_signatures,
    )


def _reconcile(
    replay: Replay, head: Block, window_s: int, findings: Findings
) -> tuple[Reconciliation, ...]:
    found = []
    for facility_id, facility in sorted(replay.statements.facilities.items()):
        # A facility that no money has reached yet has no book.
        book = replay.money.books.get(facility_id) or MoneyBook(facility.terms)
        unvested = replay.money.unvested(facility_id, head.time_s)
        figures = _figures(facility, book, unvested=unvested, window_s=window_s, now_s=head.time_s)
        result = reconcile(figures)
        for mismatch in result.mismatches:
            message = mismatch.sentence(FacilityId(facility_id))
            findings.of("reconciliation")(Finding(message, code="numbers_differ"))
        found.append(result)
    return tuple(found)


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
