"""Verify, part 1: the chain of posted statements, their attesters and their evidence."""

from collections.abc import Callable, Sequence

from api.chain.contracts import Contracts
from api.chain.contracts.statement_registry import StatementRecord
from api.chain.emitted.facility_registry import FacilityOffered
from api.chain.emitted.statement_registry import (
    AttesterPeriodSet,
    EvidenceRejected,
    StatementPosted,
    ThresholdSet,
)
from api.chain.events import AnyEvent, ChainEvent, Handlers, VoidedRange
from api.chain.published import DEPLOYMENT_FILE
from api.chain.signer import recover
from api.chain.terms import offered_terms
from api.domain.facility import FacilityTerms
from api.domain.hashing import sha256
from api.domain.statements.evidence import (
    ATTESTATIONS_FILE,
    FACILITY_FILE,
    encode_attestations,
    epoch_folder,
    facility_folder,
)
from api.domain.statements.evidence_reader import (
    decode_facility,
    read_attestations,
)
from api.domain.statements.statement import Statement, statement_digest, statement_hash
from api.domain.units import FacilityId, Micros
from api.errors import AppError, EvidenceInvalid
from api.evidence_store import HOSTILE, EvidenceSource
from api.verify.epoch import EpochCheck, Finding, VerifiedFacility


class StatementVerifier:
    """Walks the posted statements in chain order and collects findings."""

    def __init__(
        self,
        contracts: Contracts,
        evidence: EvidenceSource,
        *,
        head: int,
        report: Callable[[Finding], None],
        voided: Sequence[VoidedRange] = (),
    ) -> None:
        self._contracts, self._evidence = contracts, evidence
        self._voided = voided
        # Number of statements that a proven fault voided.
        self.voided = 0
        self._head, self._report = head, report
        self._periods: dict[str, AttesterPeriodSet] = {}
        # Signatures that were not posted: attester, facility, epoch, file. `finish` judges them.
        self._extras: list[tuple[str, int, int, str]] = []
        self._threshold = self._next_threshold = self._next_from_s = 0
        self.facilities: dict[int, VerifiedFacility] = {}
        self._handlers = (
            Handlers()
            .on(AttesterPeriodSet, self._period_set)
            .on(ThresholdSet, self._threshold_set)
            .on(FacilityOffered, self._offered)
            .on(StatementPosted, self._posted)
            .on(EvidenceRejected, self._rejected)
        )

    def take(self, event: AnyEvent) -> None:
        """Look at one chain event."""
        self._handlers.take(event)

    def _period_set(self, event: ChainEvent[AttesterPeriodSet]) -> None:
        self._periods[event.args.attester] = event.args

    def _threshold_set(self, event: ChainEvent[ThresholdSet]) -> None:
        self._threshold = self._needed(event.block_time_s)
        self._next_threshold, self._next_from_s = event.args.threshold, event.args.from_s

    def _needed(self, now_s: int) -> int:
        """Signatures that a statement needs at a block's time."""
        return self._threshold if now_s < self._next_from_s else self._next_threshold

    def finish(self) -> None:
        """Judge what needs the whole history: signatures that were not posted, and stray files.

        An attester that joined the set after a posting may sign that statement too.
        """
        for attester, facility_id, epoch, path in self._extras:
            if attester not in self._periods:
                message = f"{attester} was never in the attester set"
                self._report(Finding(message, facility_id, epoch, path))
        self._check_stray(".", "", {DEPLOYMENT_FILE}, None)
        for facility_id in self.facilities:
            folder = facility_folder(FacilityId(facility_id))
            self._check_stray(folder, f"{folder}/", {FACILITY_FILE}, facility_id)

    def _check_stray(
        self, folder: str, prefix: str, known: set[str], facility_id: int | None
    ) -> None:
        for name in set(self._evidence.names(folder) or ()) - known:
            message = "is no part of the evidence"
            self._report(Finding(message, facility_id, None, prefix + name))

    def _offered(self, event: ChainEvent[FacilityOffered]) -> None:
        facility_id = event.args.facility_id
        path = f"{facility_folder(facility_id)}/{FACILITY_FILE}"
        try:
            data = self._evidence.read(path)
        except AppError:
            # Nothing is published before the first epoch closes; a statement would say so.
            return
        # Nothing is computed from terms that differ from those on-chain.
        try:
            terms = _offered_terms(data, event.args)
        except AppError as error:
            self._report(Finding(error.message, facility_id, None, path))
            return
        except HOSTILE as error:
            self._report(Finding(f"is not readable: {error!r}", facility_id, None, path))
            return
        self.facilities[facility_id] = VerifiedFacility(terms)

    def _posted(self, event: ChainEvent[StatementPosted]) -> None:
        if any(voided.covers(event.args, event.place) for voided in self._voided):
            # The evidence of the statement that was posted next has replaced this one's.
            self.voided += 1
            return
        statement = event.args.statement
        facility_id, epoch = statement.facility_id, statement.epoch
        facility = self.facilities.get(facility_id)
        if facility is None:
            path = f"{facility_folder(facility_id)}/{FACILITY_FILE}"
            self._report(Finding("is missing or not what is on-chain", facility_id, epoch, path))
            return
        self._check_chain(facility, statement, event)
        check = EpochCheck(self._evidence, facility, statement, self._report)
        check.run()
        self._check_attestations(statement, event.args.attesters, event.block_time_s)
        facility.posted[epoch] = (statement.gross_revenue_micros, event.block_time_s)
        facility.available[epoch] = statement.available_gpu_seconds
        facility.previous_hash = statement_hash(statement)
        facility.next_epoch = epoch + 1

    def _rejected(self, event: ChainEvent[EvidenceRejected]) -> None:
        """Attesters rejected published evidence; their signatures are in no published file."""
        args = event.args
        for message in self._quorum_problems(args.attesters, event.block_time_s):
            self._report(Finding(f"a rejection: {message}", args.facility_id, args.epoch))

    def _quorum_problems(self, attesters: Sequence[str], now_s: int) -> list[str]:
        """What forbids some attesters to speak at a time: too few, not in order, or no members."""
        # Quorum and set as of then: both change later. Ascending means without repeats.
        numbers = [int(a, 16) for a in attesters]
        problems = []
        needed = self._needed(now_s)
        if len(attesters) < needed or numbers != sorted(set(numbers)):
            problems.append(f"{len(attesters)} attesters do not make a quorum of {needed}")
        if not all(self._active(attester, now_s) for attester in attesters):
            problems.append("an attester was not in the attester set")
        return problems

    def _check_chain(
        self, facility: VerifiedFacility, statement: Statement, event: ChainEvent[StatementPosted]
    ) -> None:
        facility_id, epoch = statement.facility_id, statement.epoch
        # The registry stores totals from epoch 0 on, so a gap in the walk shows here.
        facility.cumulative_available += statement.available_gpu_seconds
        facility.cumulative_gross += statement.gross_revenue_micros
        ours = statement_hash(statement)
        registry = self._contracts.statement_registry
        stored = registry.statement_of(facility_id, epoch).at(block=self._head)
        expected = StatementRecord(
            ours,
            event.block_time_s,
            facility.cumulative_available,
            Micros(facility.cumulative_gross),
        )
        start_s, end_s = statement.epoch_start_s, statement.epoch_end_s
        rules = (
            (epoch == facility.next_epoch, f"is posted where {facility.next_epoch} was due"),
            (ours == event.args.statement_hash, "its event names another statement hash"),
            (
                stored == expected,
                "StatementRegistry stores another hash, time or cumulative totals",
            ),
            (
                statement.previous_statement_hash == facility.previous_hash,
                "does not chain to the statement before",
            ),
            ((start_s, end_s) == facility.terms.epoch_bounds(epoch), "has the wrong bounds"),
            (event.block_time_s >= end_s, "was posted before its end"),
            (
                statement.billed_gpu_seconds <= facility.terms.capacity_gpu_seconds(),
                "bills more than the capacity",
            ),
        )
        for holds, message in rules:
            if not holds:
                self._report(Finding(message, facility_id, epoch))

    def _active(self, attester: str, now_s: int) -> bool:
        period = self._periods.get(attester)
        return period is not None and period.active_from_s <= now_s < period.active_until_s

    def _check_attestations(
        self, statement: Statement, attesters: Sequence[str], posted_at_s: int
    ) -> None:
        facility_id, epoch = statement.facility_id, statement.epoch
        path = f"{epoch_folder(facility_id, epoch)}/{ATTESTATIONS_FILE}"

        def finding(message: str) -> None:
            self._report(Finding(message, facility_id, epoch, path))

        for message in self._quorum_problems(attesters, posted_at_s):
            finding(message)
        try:
            data = self._evidence.read(path)
            signatures = read_attestations(data)
        except AppError as error:
            finding(error.message)
            return
        except HOSTILE as error:
            finding(f"is not readable: {error!r}")
            return
        digest = statement_digest(
            statement,
            chain_id=self._contracts.deployment.chain_id,
            registry=self._contracts.deployment.statement_registry,
        )
        for attester, signature in signatures.items():
            signer = recover(digest, signature)
            if signer is None or signer.lower() != attester:
                finding(f"the signature of {attester} is not over this statement")
            if attester not in attesters:
                self._extras.append((attester, facility_id, epoch, path))
        if not set(attesters) <= signatures.keys():
            finding("a signature that the chain counted is missing")
        if encode_attestations(signatures) != data:
            finding("bytes are not canonical")


def _offered_terms(data: bytes, offered: FacilityOffered) -> FacilityTerms:
    """Terms of `facility.json`, if they are those that were offered. Raises EvidenceInvalid."""
    if sha256(data) != offered.terms.terms_hash:
        raise EvidenceInvalid("is not what termsHash on-chain names", file=FACILITY_FILE)
    terms = decode_facility(data)
    if offered_terms(terms) != offered.terms or terms.tranches != offered.tranches:
        raise EvidenceInvalid("terms or pledge differ from FacilityRegistry", file=FACILITY_FILE)
    return terms
