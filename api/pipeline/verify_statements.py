"""Verify, part 1: every posted statement against its evidence, byte by byte."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from api.chain.calldata import terms_tuple
from api.chain.client import ChainClient
from api.chain.deployment import Deployment
from api.chain.events import ChainEvent, statement_of
from api.chain.signer import recover
from api.domain.closing import RECORDED_KINDS, close_epoch
from api.domain.evidence import (
    ATTESTATIONS_FILE,
    CARRY_FILE,
    COMMITTED_FILES,
    EMPTY_CARRY,
    FACILITY_FILE,
    LEASES_FILE,
    LINES_FILE,
    MANIFEST_FILE,
    OUTAGES_FILE,
    STATEMENT_FILE,
    Carry,
    encode_attestations,
    encode_manifest,
    encode_statement,
    epoch_folder,
    facility_folder,
)
from api.domain.evidence_reader import (
    decode_carry,
    decode_facility,
    decode_leases,
    decode_lines,
    decode_outages,
    read_attestations,
)
from api.domain.facility import FacilityTerms
from api.domain.hashing import sha256
from api.domain.lines import Entry, Line
from api.domain.statement import Statement, statement_digest, statement_hash
from api.domain.units import ZERO32, Bytes32, Epoch
from api.domain.usage import LineKind
from api.errors import AppError, EvidenceInvalid
from api.pipeline.evidence_store import HOSTILE, EvidenceSource

DEPLOYMENT_FILE = "deployment.json"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not hold, with its place."""

    message: str
    facility_id: int | None = None
    epoch: int | None = None
    file: str | None = None

    def sentence(self) -> str:
        """Place and message in one line."""
        parts = []
        if self.facility_id is not None:
            parts.append(f"facility {self.facility_id}")
        if self.epoch is not None:
            parts.append(f"epoch {self.epoch}")
        if self.file is not None:
            parts.append(self.file)
        return f"{', '.join(parts)}: {self.message}" if parts else self.message


@dataclass
class VerifiedFacility:
    """What the evidence of one facility says, as far as it holds."""

    terms: FacilityTerms
    carry: Carry = EMPTY_CARRY
    previous_hash: Bytes32 = ZERO32
    next_epoch: int = 0
    cumulative_gross: int = 0
    stated_gpu_seconds: int = 0
    rated_by_epoch: dict[int, int] = field(default_factory=dict)
    posted: dict[int, tuple[int, int]] = field(default_factory=dict)


class StatementVerifier:
    """Walks the posted statements in chain order and collects findings."""

    def __init__(
        self,
        client: ChainClient,
        deployment: Deployment,
        evidence: EvidenceSource,
        *,
        head: int,
        report: Callable[[Finding], None],
    ) -> None:
        self._client, self._deployment, self._evidence = client, deployment, evidence
        self._head, self._report = head, report
        self._members: set[str] = set()
        self._ever_members: set[str] = set()
        # Signatures beyond the quorum that was posted, with their places, judged at the end.
        self._extras: list[tuple[str, int, int, str]] = []
        self._threshold = 0
        self.facilities: dict[int, VerifiedFacility] = {}

    def take(self, event: ChainEvent) -> None:
        """Look at one chain event."""
        if event.name == "AttesterSet":
            change = self._members.add if event.args["member"] else self._members.discard
            change(event.args["attester"])
            self._ever_members.add(event.args["attester"])
        elif event.name == "ThresholdSet":
            self._threshold = event.args["threshold"]
        elif event.name == "FacilityOffered":
            self._offered(event)
        elif event.name == "StatementPosted":
            self._posted(event)

    def finish(self) -> None:
        """Judge what only the whole history can: signatures that came after the posting.

        Attesters that joined the set later sign old statements too.
        """
        for attester, facility_id, epoch, path in self._extras:
            if attester not in self._ever_members:
                message = f"{attester} was never in the attester set"
                self._report(Finding(message, facility_id, epoch, path))
        self._check_stray(".", "", {DEPLOYMENT_FILE}, None)
        for facility_id in self.facilities:
            folder = facility_folder(facility_id)
            self._check_stray(folder, f"{folder}/", {FACILITY_FILE}, facility_id)

    def _check_stray(
        self, folder: str, prefix: str, known: set[str], facility_id: int | None
    ) -> None:
        for name in set(self._evidence.names(folder) or ()) - known:
            message = "is no part of the evidence"
            self._report(Finding(message, facility_id, None, prefix + name))

    def _offered(self, event: ChainEvent) -> None:
        facility_id = event.args["facilityId"]
        path = f"{facility_folder(facility_id)}/{FACILITY_FILE}"
        try:
            data = self._evidence.read(path)
        except AppError:
            # Nothing is published before the first epoch closes; a statement would say so.
            return
        # Terms that are not those on-chain are of no use: nothing is computed from them.
        try:
            terms = _offered_terms(data, event)
        except AppError as error:
            self._report(Finding(error.message, facility_id, None, path))
            return
        except HOSTILE as error:
            self._report(Finding(f"is not readable: {error!r}", facility_id, None, path))
            return
        self.facilities[facility_id] = VerifiedFacility(terms)

    def _posted(self, event: ChainEvent) -> None:
        statement = statement_of(event)
        facility_id, epoch = statement.facility_id, statement.epoch
        facility = self.facilities.get(facility_id)
        if facility is None:
            path = f"{facility_folder(facility_id)}/{FACILITY_FILE}"
            self._report(Finding("is missing or not what is on-chain", facility_id, epoch, path))
            return
        self._check_chain(facility, statement, event)
        check = _EpochCheck(self._evidence, facility, statement, self._report)
        check.run()
        self._check_attestations(statement, event.args["attesters"])
        facility.posted[epoch] = (statement.gross_revenue_micros, event.block_time_s)
        facility.previous_hash = statement_hash(statement)
        facility.next_epoch = epoch + 1

    def _check_chain(
        self, facility: VerifiedFacility, statement: Statement, event: ChainEvent
    ) -> None:
        facility_id, epoch = statement.facility_id, statement.epoch
        facility.cumulative_gross += statement.gross_revenue_micros
        ours = statement_hash(statement)
        stored = self._client.read(
            "StatementRegistry",
            self._deployment.statement_registry,
            "statementOf",
            facility_id,
            epoch,
            block=self._head,
        )
        start_s, end_s = statement.epoch_start_s, statement.epoch_end_s
        rules = (
            (epoch == facility.next_epoch, f"is posted where {facility.next_epoch} was due"),
            (ours == event.args["statementHash"], "its event names another statement hash"),
            (
                tuple(stored) == (ours, event.block_time_s, facility.cumulative_gross),
                "StatementRegistry stores another hash, time or cumulative revenue",
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

    def _check_attestations(self, statement: Statement, attesters: list[str]) -> None:
        facility_id, epoch = statement.facility_id, statement.epoch
        path = f"{epoch_folder(facility_id, epoch)}/{ATTESTATIONS_FILE}"

        def finding(message: str) -> None:
            self._report(Finding(message, facility_id, epoch, path))

        numbers = [int(a, 16) for a in attesters]
        if len(attesters) < self._threshold or numbers != sorted(set(numbers)):
            finding(f"{len(attesters)} attesters do not make a quorum of {self._threshold}")
        if not set(attesters) <= self._members:
            finding("an attester was not in the attester set")
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
            chain_id=self._deployment.chain_id,
            registry=self._deployment.statement_registry,
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


def _offered_terms(data: bytes, event: ChainEvent) -> FacilityTerms:
    """Terms of `facility.json`, if they are those that were offered. Raises EvidenceInvalid."""
    onchain = event.args["terms"]
    if sha256(data) != onchain[-1]:
        raise EvidenceInvalid("is not what termsHash on-chain names", file=FACILITY_FILE)
    terms = decode_facility(data)
    ours, theirs = terms_tuple(terms), tuple(onchain)
    lower = tuple(v.lower() if isinstance(v, str) else v for v in ours)
    tranches = [(t.unit_cap, t.coupon_micros_per_unit) for t in terms.tranches]
    if lower != theirs or tranches != [tuple(t) for t in event.args["tranches"]]:
        raise EvidenceInvalid("terms or pledge differ from FacilityRegistry", file=FACILITY_FILE)
    return terms


class _EpochCheck:
    """One statement against the files of its epoch."""

    def __init__(
        self,
        evidence: EvidenceSource,
        facility: VerifiedFacility,
        statement: Statement,
        report: Callable[[Finding], None],
    ) -> None:
        self._evidence, self._facility = evidence, facility
        self._statement, self._report = statement, report
        self._folder = epoch_folder(statement.facility_id, statement.epoch)

    def _finding(self, name: str, message: str) -> None:
        path = self._path(name)
        self._report(Finding(message, self._statement.facility_id, self._statement.epoch, path))

    def _path(self, name: str) -> str:
        home = self._folder
        if name == FACILITY_FILE:
            home = facility_folder(self._statement.facility_id)
        return f"{home}/{name}"

    def run(self) -> None:
        """Check hashes, recompute, compare; report everything that does not hold."""
        files = {}
        for name in (*COMMITTED_FILES, MANIFEST_FILE, STATEMENT_FILE):
            try:
                files[name] = self._evidence.read(self._path(name))
            except AppError:
                self._finding(name, "is missing")
        if files.get(STATEMENT_FILE, b"") != encode_statement(self._statement):
            self._finding(STATEMENT_FILE, "is not the statement on-chain")
        self._check_stray()
        if not set(COMMITTED_FILES) <= files.keys():
            return
        self._check_hashes(files)
        try:
            self._recompute(files)
        except EvidenceInvalid as error:
            self._finding(str(error.context.get("file", MANIFEST_FILE)), error.message)
        except AppError as error:
            self._finding(LINES_FILE, error.message)
        except HOSTILE as error:
            # Every byte was compared with the manifest before, which names the guilty file.
            self._finding(MANIFEST_FILE, f"its files cannot be recomputed: {error!r}")

    def _check_stray(self) -> None:
        names = self._evidence.names(self._folder)
        known = {*COMMITTED_FILES, MANIFEST_FILE, STATEMENT_FILE, ATTESTATIONS_FILE}
        for name in set(names or ()) - known:
            self._finding(name, "is no part of the evidence")

    def _check_hashes(self, files: dict[str, bytes]) -> None:
        if sha256(files.get(MANIFEST_FILE, b"")) != self._statement.evidence_hash:
            self._finding(MANIFEST_FILE, "is not what evidenceHash on-chain names")
        # The manifest on-chain is bound by its hash, so ours from the files must have that hash.
        ours = encode_manifest(self._statement.facility_id, self._statement.epoch, files)
        if sha256(ours) != self._statement.evidence_hash:
            manifest = files.get(MANIFEST_FILE, b"")
            guilty = [n for n in COMMITTED_FILES if sha256(files[n]).hex().encode() not in manifest]
            for name in guilty:
                self._finding(name, "is not what the manifest names")

    def _recompute(self, files: dict[str, bytes]) -> None:
        statement, facility = self._statement, self._facility
        lines = decode_lines(files[LINES_FILE])
        carry = decode_carry(files[CARRY_FILE])
        closed = close_epoch(
            facility.terms,
            Epoch(statement.epoch),
            entries=recorded_entries(lines, carry, facility.carry),
            outages=decode_outages(files[OUTAGES_FILE]),
            leases=decode_leases(files[LEASES_FILE]),
            carry=facility.carry,
            previous_statement_hash=facility.previous_hash,
        )
        for name in (LINES_FILE, OUTAGES_FILE, LEASES_FILE, CARRY_FILE):
            if closed.files[name] != files[name]:
                self._finding(name, "differs from what its inputs give")
        if closed.statement != statement:
            names = [
                name
                for name in Statement.__dataclass_fields__
                if getattr(closed.statement, name) != getattr(statement, name)
            ]
            self._finding(LINES_FILE, f"gives another {', '.join(names)} than the statement")
        facility.carry = closed.carry
        facility.rated_by_epoch[statement.epoch] = sum(x.charge_micros for x in lines)
        signs = {LineKind.USAGE: 1, LineKind.DELIVERY: 1, LineKind.LATE_USAGE: 1, LineKind.VOID: -1}
        facility.stated_gpu_seconds += sum(
            signs.get(x.kind, 0) * (x.end_s - x.start_s) for x in lines
        )


def recorded_entries(lines: list[Line], carry: Carry, before: Carry) -> list[Entry]:
    """Entries that the ledger supplied for a statement, read back from lines and carry.

    Voids that this epoch deferred were supplied too; those that the epoch before deferred come in
    through its carry.
    """
    entries = [
        Entry(x.kind, x.device, x.lease, x.start_s, x.end_s, x.end_s - x.start_s)
        for x in lines
        if x.kind in RECORDED_KINDS
    ]
    entries += [e for e in carry.deferred if e.kind is LineKind.VOID]
    supplied = Counter(entries) - Counter(e for e in before.deferred if e.kind is LineKind.VOID)
    return list(supplied.elements())
