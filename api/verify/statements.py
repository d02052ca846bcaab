"""Verify, part 1: the chain of posted statements, their signatures and their evidence."""

from collections.abc import Sequence

from api.chain import calldata
from api.chain.contracts import Contracts
from api.chain.contracts.statement_registry import StatementRecord
from api.chain.emitted.facility_registry import FacilityOffered, FacilityStateChanged, LedgerKeySet
from api.chain.emitted.statement_registry import EvidenceRejected, StatementPosted
from api.chain.events import AnyEvent, ChainEvent, Handlers, VoidedRange
from api.chain.terms import offered_terms
from api.domain.facility import FacilityTerms, require_own_log
from api.domain.hashing import sha256
from api.domain.lifecycle import FacilityState
from api.domain.log.authors import NamedKey
from api.domain.statements.evidence import (
    ATTESTATIONS_FILE,
    FACILITY_FILE,
    encode_attestations,
    encode_facility,
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
from api.domain.units import Micros
from api.errors import AppError, EvidenceInvalid, NotFound
from api.evidence_store import HOSTILE, EvidenceSource
from api.verify.attesters import AttesterVerifier
from api.verify.epoch import PostedTotals, VerifiedFacility, period_of
from api.verify.findings import Finding, Report, first_difference, shortened
from api.verify.names import ShownName
from api.verify.receipts import ReceiptVerifier
from api.verify.recomputed import EpochCheck
from api.verify.signers import Signers
from api.verify.tree import Known


class StatementVerifier:
    """Walks the posted statements in chain order and collects findings."""

    def __init__(
        self,
        contracts: Contracts,
        evidence: EvidenceSource,
        *,
        head: int,
        attesters: AttesterVerifier,
        signers: Signers,
        report: Report,
        voided: Sequence[VoidedRange] = (),
        receipts: ReceiptVerifier | None = None,
        shown: ShownName | None = None,
    ) -> None:
        self._contracts, self._evidence = contracts, evidence
        self._receipts, self._shown = receipts or ReceiptVerifier(), shown
        self._voided, self._signers = voided, signers
        self._head, self._report = head, report
        self._attesters = attesters
        # Signatures that were not posted: attester, facility, epoch, file. `finish` judges them.
        self._extras: list[tuple[str, int, int, str]] = []
        self.facilities: dict[int, VerifiedFacility] = {}
        # Ledger keys that operators named, by address, in order.
        self._named: dict[str, list[NamedKey]] = {}
        # What the evidence may be of.
        self.known = Known()
        self._handlers = (
            Handlers()
            .on(LedgerKeySet, self._key_named)
            .on(FacilityOffered, self._offered)
            .on(FacilityStateChanged, self._state_changed)
            .on(StatementPosted, self._posted)
            .on(EvidenceRejected, self._rejected)
        )

    def take(self, event: AnyEvent) -> None:
        """Look at one chain event."""
        self._handlers.take(event)

    def finish(self) -> None:
        """Judge what needs the whole history.

        Signatures that were not posted: an attester that joined the set after a posting may sign
        that statement too. Facts whose device another fact holds: a later void forgives them.
        """
        for attester, facility_id, epoch, path in self._extras:
            if not self._attesters.was_member(attester):
                message = f"{shortened(attester)} was never in the attester set"
                place = (facility_id, epoch, path)
                self._report(Finding(message, *place, code="attester_unknown"))
        for facility in self.facilities.values():
            for place_of, found in facility.overlaps.items():
                if place_of in facility.facts.overlaps:
                    self._report(found)

    def compare(self, head: int, now_s: int, *, window_s: int) -> None:
        """Compare numbers of statements with the registry's storage at one block."""
        registry = self._contracts.statement_registry
        for facility_id, facility in self.facilities.items():
            terms = facility.terms
            posted, final, closing = self._contracts.together(
                registry.epochs_posted(terms.facility_id),
                registry.epochs_final(terms.facility_id),
                registry.is_closing_posted(terms.facility_id),
            ).at(block=head)
            stands = [p for p in facility.posted.values() if not p.closing]
            ours = facility.final_totals(now_s, challenge_window_s=window_s).epochs
            rules = (
                ((posted, closing) == (len(stands), facility.closing), "posted_count"),
                (final == ours, "final_count"),
            )
            for holds, code in rules:
                if not holds:
                    message = (
                        f"StatementRegistry counts {posted} epochs, {final} of them final, not"
                    )
                    message = f"{message} {len(stands)}, {ours} of them final"
                    self._report(Finding(message, facility_id, code=code))

    def _key_named(self, event: ChainEvent[LedgerKeySet]) -> None:
        named = self._named.setdefault(event.args.gpu_operator, [])
        named.append(NamedKey(event.args.ledger_key, event.block_time_s))

    def _offered(self, event: ChainEvent[FacilityOffered]) -> None:
        facility_id = event.args.facility_id
        self.known.offered.add(facility_id)
        path = f"{facility_folder(facility_id)}/{FACILITY_FILE}"
        place = (facility_id, None, path)
        # Nothing is computed from terms that differ from those on-chain.
        try:
            terms = _offered_terms(self._evidence.read(path), event.args)
            deployment = self._contracts.deployment
            registry = deployment.facility_registry
            require_own_log(terms, chain_id=deployment.chain_id, registry=registry)
        except NotFound:
            # Nothing is published before the first epoch closes; a statement would say so.
            return
        except AppError as error:
            line = error.context.get("line")
            at = line if isinstance(line, int) else None
            self._report(Finding(shortened(error.message), *place, code="terms_wrong", line=at))
            return
        except HOSTILE as error:
            message = shortened(f"is not readable: {error!r}")
            self._report(Finding(message, *place, code="file_unreadable"))
            return
        named = self._named.setdefault(event.args.gpu_operator, [])
        receipted = self._receipts.of(facility_id)
        self.facilities[facility_id] = VerifiedFacility(
            terms, named=named, receipted=receipted, shown=self._shown
        )

    def _state_changed(self, event: ChainEvent[FacilityStateChanged]) -> None:
        facility = self.facilities.get(event.args.facility_id)
        ended = event.args.state in (FacilityState.DEFAULTED, FacilityState.STOPPED)
        if facility is not None and ended:
            facility.ended_at_s = event.block_time_s

    def _posted(self, event: ChainEvent[StatementPosted]) -> None:
        if any(voided.covers(event.args, event.place) for voided in self._voided):
            # The evidence of the statement that was posted next has replaced this one's.
            self.known.voided.append(event)
            return
        statement = event.args.statement
        facility_id, epoch = statement.facility_id, statement.epoch
        self.known.posted.setdefault(facility_id, set()).add(epoch)
        facility = self.facilities.get(facility_id)
        if facility is None:
            path = f"{facility_folder(facility_id)}/{FACILITY_FILE}"
            message = "is missing or not what is on-chain"
            self._report(Finding(message, facility_id, epoch, path, code="terms_wrong"))
            return
        self._check_chain(facility, statement, event)
        check = EpochCheck(
            self._evidence,
            facility,
            statement,
            self._report,
            posted_at_s=event.block_time_s,
            reopened=self._reopened(event),
        )
        check.run()
        self.check_signatures(statement, epoch_folder(facility_id, epoch), event)
        facility.closing = period_of(facility, statement).closing
        facility.posted[epoch] = PostedTotals(
            statement.gross_revenue_micros,
            event.block_time_s,
            statement.available_gpu_seconds + statement.available_adjustment,
            facility.closing,
        )
        facility.previous_hash = statement_hash(statement)
        facility.next_epoch = epoch + 1

    def _reopened(self, event: ChainEvent[StatementPosted]) -> bool:
        """Whether a fault of this statement, or of one before it, was proven before."""
        args = event.args
        return any(
            v.facility_id == args.facility_id and v.first <= args.epoch and v.place < event.place
            for v in self._voided
        )

    def _rejected(self, event: ChainEvent[EvidenceRejected]) -> None:
        """Attesters rejected published evidence; their signatures are in no published file."""
        args = event.args
        problems = self._attesters.problems(args.facility_id, args.attesters, event.block_time_s)
        for message in problems:
            found = Finding(f"a rejection: {message}", args.facility_id, args.epoch)
            self._report(found)

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
            (
                "epoch_order",
                epoch == facility.next_epoch,
                f"is posted where {facility.next_epoch} was due",
            ),
            (
                "statement_hash",
                ours == event.args.statement_hash,
                "its event names another statement hash",
            ),
            (
                "statement_stored",
                stored == expected,
                "StatementRegistry stores another hash, time or cumulative totals",
            ),
            (
                "statement_unchained",
                statement.previous_statement_hash == facility.previous_hash,
                "does not chain to the statement before",
            ),
            ("epoch_bounds", _bounds_hold(facility, statement), "has the wrong bounds"),
            ("after_closing", not facility.closing, "comes after the closing statement"),
            ("posted_early", event.block_time_s >= end_s, "was posted before its end"),
            (
                "capacity",
                statement.billed_gpu_seconds <= facility.terms.capacity_gpu_seconds(),
                "bills more than the capacity",
            ),
            (
                "availability",
                0 <= statement.available_gpu_seconds <= facility.terms.capacity_gpu_seconds(),
                "has more available GPU-seconds than the capacity",
            ),
        )
        for code, holds, message in rules:
            if not holds:
                self._report(Finding(message, facility_id, epoch, code=code))

    def check_signatures(
        self, statement: Statement, folder: str, event: ChainEvent[StatementPosted] | None
    ) -> None:
        """Check `attestations.json` in a statement's folder; without a posting, as of the head."""
        path = f"{folder}/{ATTESTATIONS_FILE}"
        facility_id, epoch = statement.facility_id, statement.epoch
        attesters = () if event is None else event.args.attesters

        def finding(code: str, message: str, line: int | None = None) -> None:
            said = shortened(message)
            self._report(Finding(said, facility_id, epoch, path, code=code, line=line))

        if event is not None:
            now_s = event.block_time_s
            for message in self._attesters.problems(facility_id, attesters, now_s):
                finding("quorum", message)
        try:
            data = self._evidence.read(path)
            signatures = read_attestations(data)
        except NotFound:
            finding("file_missing", "is missing")
            return
        except AppError as error:
            finding("file_unreadable", error.message)
            return
        except HOSTILE as error:
            finding("file_unreadable", f"is not readable: {error!r}")
            return
        block = self._head if event is None else event.block_number
        valid = {a for a, signed in signatures.items() if self._signs(statement, a, signed, block)}
        for attester in sorted(signatures.keys() - valid):
            message = f"the signature of {attester} is not over this statement"
            finding("signature_wrong", message)
        self._extras += [(a, facility_id, epoch, path) for a in signatures if a not in attesters]
        # What was posted in a batch was signed with it: the call holds those signatures.
        missing = set(attesters) - signatures.keys()
        if event is not None and missing and not missing <= self._batch_signers(statement, event):
            finding("signature_missing", "a signature that the chain counted is missing")
        if encode_attestations(signatures) != data:
            line = first_difference(encode_attestations(signatures), data)
            finding("not_canonical", "bytes are not canonical", line)

    def _signs(self, statement: Statement, attester: str, signature: bytes, block: int) -> bool:
        deployment = self._contracts.deployment
        digest = statement_digest(
            statement, chain_id=deployment.chain_id, registry=deployment.statement_registry
        )
        # What was not posted may have been signed later.
        blocks = {block, self._head}
        return any(
            self._signers.signed(attester, digest, signature, block=each) for each in sorted(blocks)
        )

    def _batch_signers(self, statement: Statement, event: ChainEvent[StatementPosted]) -> set[str]:
        """Attesters that signed the batch in which a statement was posted; none if it was not."""
        deployment, block = self._contracts.deployment, event.block_number
        sent = self._contracts.client.sent(event.tx_hash)
        batches = [] if sent is None else calldata.find_post_many(sent.data)
        batch = next((each for each in batches if statement in each.statements), None)
        if batch is None:
            return set()
        root = batch_root([statement_hash(each) for each in batch.statements])
        digest = batch_digest(
            root, chain_id=deployment.chain_id, registry=deployment.statement_registry
        )
        return {
            a
            for a, signed in batch.signatures.items()
            if self._signers.signed(a, digest, signed, block=block)
        }


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
    if encode_facility(terms) != data:
        line = first_difference(encode_facility(terms), data)
        message = "bytes are not canonical: other readers could read other terms"
        raise EvidenceInvalid(message, file=FACILITY_FILE, line=line)
    if offered_terms(terms) != offered.terms or terms.tranches != offered.tranches:
        raise EvidenceInvalid("terms or pledge differ from FacilityRegistry", file=FACILITY_FILE)
    return terms
