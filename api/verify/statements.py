"""Verify, part 1: the chain of posted statements, their signatures and their evidence."""

from collections.abc import Callable, Sequence

from api.chain import calldata
from api.chain.contracts import Contracts
from api.chain.contracts.statement_registry import StatementRecord
from api.chain.emitted.facility_registry import FacilityOffered, FacilityStateChanged
from api.chain.emitted.statement_registry import EvidenceRejected, StatementPosted
from api.chain.events import AnyEvent, ChainEvent, Handlers, VoidedRange
from api.chain.published import DEPLOYMENT_FILE
from api.chain.signer import recover
from api.chain.terms import offered_terms
from api.domain.facility import FacilityTerms
from api.domain.hashing import sha256
from api.domain.lifecycle import FacilityState
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
from api.domain.statements.statement import (
    Statement,
    batch_digest,
    batch_root,
    statement_digest,
    statement_hash,
)
from api.domain.units import FacilityId, Micros
from api.errors import AppError, EvidenceInvalid
from api.evidence_store import HOSTILE, EvidenceSource
from api.verify.attesters import AttesterVerifier
from api.verify.epoch import EpochCheck, Finding, PostedTotals, VerifiedFacility, period_of


class StatementVerifier:
    """Walks the posted statements in chain order and collects findings."""

    def __init__(
        self,
        contracts: Contracts,
        evidence: EvidenceSource,
        *,
        head: int,
        attesters: AttesterVerifier,
        report: Callable[[Finding], None],
        voided: Sequence[VoidedRange] = (),
    ) -> None:
        self._contracts, self._evidence = contracts, evidence
        self._voided = voided
        # Number of statements that a proven fault voided.
        self.voided = 0
        self._head, self._report = head, report
        self._attesters = attesters
        # Signatures that were not posted: attester, facility, epoch, file. `finish` judges them.
        self._extras: list[tuple[str, int, int, str]] = []
        self.facilities: dict[int, VerifiedFacility] = {}
        self._handlers = (
            Handlers()
            .on(FacilityOffered, self._offered)
            .on(FacilityStateChanged, self._state_changed)
            .on(StatementPosted, self._posted)
            .on(EvidenceRejected, self._rejected)
        )

    def take(self, event: AnyEvent) -> None:
        """Look at one chain event."""
        self._handlers.take(event)

    def finish(self) -> None:
        """Judge what needs the whole history: signatures that were not posted, and stray files.

        An attester that joined the set after a posting may sign that statement too.
        """
        for attester, facility_id, epoch, path in self._extras:
            if not self._attesters.was_member(attester):
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

    def _state_changed(self, event: ChainEvent[FacilityStateChanged]) -> None:
        facility = self.facilities.get(event.args.facility_id)
        ended = event.args.state in (FacilityState.DEFAULTED, FacilityState.STOPPED)
        if facility is not None and ended:
            facility.ended_at_s = event.block_time_s

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
        self._check_attestations(statement, event)
        facility.closing = period_of(facility, statement).closing
        facility.posted[epoch] = PostedTotals(
            statement.gross_revenue_micros,
            event.block_time_s,
            statement.available_gpu_seconds + statement.available_adjustment,
            facility.closing,
        )
        facility.previous_hash = statement_hash(statement)
        facility.next_epoch = epoch + 1

    def _rejected(self, event: ChainEvent[EvidenceRejected]) -> None:
        """Attesters rejected published evidence; their signatures are in no published file."""
        args = event.args
        problems = self._attesters.problems(args.facility_id, args.attesters, event.block_time_s)
        for message in problems:
            self._report(Finding(f"a rejection: {message}", args.facility_id, args.epoch))

    def _check_chain(
        self, facility: VerifiedFacility, statement: Statement, event: ChainEvent[StatementPosted]
    ) -> None:
        facility_id, epoch = statement.facility_id, statement.epoch
        # The registry stores totals from epoch 0 on, so a gap in the walk shows here.
        facility.cumulative_available += statement.available_gpu_seconds
        facility.cumulative_available += statement.available_adjustment
        # A closing statement below zero takes no more than there is.
        gross = facility.cumulative_gross + statement.gross_revenue_micros
        facility.cumulative_gross = max(0, gross)
        ours = statement_hash(statement)
        registry = self._contracts.statement_registry
        stored = registry.statement_of(facility_id, epoch).at(block=self._head)
        expected = StatementRecord(
            ours,
            event.block_time_s,
            facility.cumulative_available,
            Micros(facility.cumulative_gross),
        )
        end_s = statement.epoch_end_s
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
            (_bounds_hold(facility, statement), "has the wrong bounds"),
            (not facility.closing, "comes after the closing statement"),
            (event.block_time_s >= end_s, "was posted before its end"),
            (
                statement.billed_gpu_seconds <= facility.terms.capacity_gpu_seconds(),
                "bills more than the capacity",
            ),
        )
        for holds, message in rules:
            if not holds:
                self._report(Finding(message, facility_id, epoch))

    def _check_attestations(self, statement: Statement, event: ChainEvent[StatementPosted]) -> None:
        facility_id, epoch = statement.facility_id, statement.epoch
        path = f"{epoch_folder(facility_id, epoch)}/{ATTESTATIONS_FILE}"
        attesters = event.args.attesters

        def finding(message: str) -> None:
            self._report(Finding(message, facility_id, epoch, path))

        for message in self._attesters.problems(facility_id, attesters, event.block_time_s):
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
        valid = {a for a, signed in signatures.items() if self._signs(statement, a, signed)}
        for attester in signatures.keys() - valid:
            finding(f"the signature of {attester} is not over this statement")
        self._extras += [(a, facility_id, epoch, path) for a in signatures if a not in attesters]
        # What was posted in a batch was signed with it: the call holds those signatures.
        missing = set(attesters) - signatures.keys()
        if missing and not missing <= self._batch_signers(statement, event):
            finding("a signature that the chain counted is missing")
        if encode_attestations(signatures) != data:
            finding("bytes are not canonical")

    def _signs(self, statement: Statement, attester: str, signature: bytes) -> bool:
        deployment = self._contracts.deployment
        digest = statement_digest(
            statement, chain_id=deployment.chain_id, registry=deployment.statement_registry
        )
        return _is_of(attester, digest, signature)

    def _batch_signers(self, statement: Statement, event: ChainEvent[StatementPosted]) -> set[str]:
        """Attesters that signed the batch in which a statement was posted; none if it was not."""
        deployment = self._contracts.deployment
        sent = self._contracts.client.sent(event.tx_hash)
        data = None if sent is None else sent.data_to(deployment.statement_registry)
        batch = None if data is None else calldata.read_post_many(data)
        if batch is None or statement not in batch.statements:
            return set()
        root = batch_root([statement_hash(each) for each in batch.statements])
        digest = batch_digest(
            root, chain_id=deployment.chain_id, registry=deployment.statement_registry
        )
        return {a for a, signed in batch.signatures.items() if _is_of(a, digest, signed)}


def _is_of(attester: str, digest: bytes, signature: bytes) -> bool:
    """Whether a signature over a digest is an attester's, whose address is lower-case."""
    signer = recover(digest, signature)
    return signer is not None and signer.lower() == attester


def _bounds_hold(facility: VerifiedFacility, statement: Statement) -> bool:
    """Whether a statement is over its epoch, or closes the facility behind the last one.

    Source:  `Publications._checkTimes`.
    """
    terms, ended_s = facility.terms, facility.ended_at_s
    period = period_of(facility, statement)
    bounds = statement.epoch_start_s, statement.epoch_end_s
    if not period.closing:
        return bounds == (period.start_s, period.end_s)
    closing = terms.closing_period(ended_at_s=ended_s, grace_s=terms.grace_s)
    if closing is None or (closing.epoch, closing.start_s) != (statement.epoch, bounds[0]):
        return False
    return bounds[1] == closing.end_s


def _offered_terms(data: bytes, offered: FacilityOffered) -> FacilityTerms:
    """Terms of `facility.json`, if they are those that were offered. Raises EvidenceInvalid."""
    if sha256(data) != offered.terms.terms_hash:
        raise EvidenceInvalid("is not what termsHash on-chain names", file=FACILITY_FILE)
    terms = decode_facility(data)
    if offered_terms(terms) != offered.terms or terms.tranches != offered.tranches:
        raise EvidenceInvalid("terms or pledge differ from FacilityRegistry", file=FACILITY_FILE)
    return terms
