"""Verify, part 1d: what else lies in the evidence: superseded statements, and what is no evidence.

Statements that a proven fault voided keep their evidence, below `superseded/` once they were
replaced. It is opened as that of statements that stand: who signed them stands for what they saw.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from api.chain.answers import Block
from api.chain.emitted.statement_registry import StatementPosted
from api.chain.events import ChainEvent
from api.chain.published import DEPLOYMENT_FILE
from api.domain.pledges import pledge_tree
from api.domain.statements.evidence import (
    ATTESTATIONS_FILE,
    COMMITTED_FILES,
    FACILITY_FILE,
    MANIFEST_FILE,
    STATEMENT_FILE,
    epoch_folder,
    facility_folder,
    superseded_folder,
)
from api.domain.statements.evidence_reader import follows_of
from api.domain.statements.pledge_files import decode_pledge, pledge_path
from api.domain.statements.statement import Statement, statement_hash
from api.domain.statements.statement_file import read_statement
from api.domain.units import Bytes32, Epoch, FacilityId
from api.errors import AppError, NotFound
from api.evidence_store import HOSTILE, EvidenceSource, is_partial
from api.verify.epoch import VerifiedFacility
from api.verify.files import OURS_PARTIAL, StatementFiles
from api.verify.findings import Finding, Report
from api.verify.node import MAX_AHEAD_S

_EPOCH = re.compile(r"epoch-([0-9]{5,})/")
_SUPERSEDED = re.compile(r"epoch-([0-9]{5,})-([0-9a-f]{64})/")

# Checks signatures of a statement: its files' folder, and the posting, None for one never posted.
CheckSignatures = Callable[[Statement, str, ChainEvent[StatementPosted] | None], None]


@dataclass
class Known:
    """What the chain says that evidence may be of."""

    offered: set[int] = field(default_factory=set)
    # Numbers of statements that stand, and roots of replaced pledges, by facility; and statements
    # that were voided.
    posted: dict[int, set[int]] = field(default_factory=dict)
    pledges: dict[int, set[Bytes32]] = field(default_factory=dict)
    voided: list[ChainEvent[StatementPosted]] = field(default_factory=list)


class Tree:
    """The folders of the evidence."""

    def __init__(
        self,
        evidence: EvidenceSource,
        facilities: Mapping[int, VerifiedFacility],
        known: Known,
        *,
        head: Block,
        of_now: bool,
        report: Report,
        warn: Report,
        check_signatures: CheckSignatures,
    ) -> None:
        """Args: of_now: the head is the chain's newest block; before, evidence may be of later."""
        self._evidence, self._facilities, self._known = evidence, facilities, known
        self._head, self._of_now = head, of_now
        self._report, self._warn = report, warn
        self._check_signatures = check_signatures

    def check(self) -> None:
        """Report what is no evidence, and superseded evidence that does not hold."""
        root = self._names(".")
        if root is None:
            message = "the evidence's source lists no files: what else lies there is not seen"
            self._warn(Finding(message, code="not_listed"))
        for name in root or ():
            self._check_root(name)
        for facility_id in sorted(self._known.offered):
            self._check_facility(FacilityId(facility_id))
            if facility_id not in self._facilities and facility_id not in self._known.posted:
                message = "its terms are not published: of its money, transfers alone were checked"
                self._warn(Finding(message, facility_id, code="not_published"))

    def _names(self, folder: str) -> Sequence[str] | None:
        try:
            return self._evidence.names(folder)
        except NotFound:
            return []

    def _stray(self, path: str, facility_id: int | None = None, epoch: int | None = None) -> None:
        if OURS_PARTIAL.fullmatch(path.rsplit("/", 1)[-1]):
            message = "was left behind by a writer that was stopped: it is nobody's evidence"
            self._warn(Finding(message, facility_id, epoch, path, code="partial"))
            return
        code = "partial" if is_partial(path.rsplit("/", 1)[-1]) else "stray"
        self._report(Finding("is no part of the evidence", facility_id, epoch, path, code=code))

    def _check_root(self, name: str) -> None:
        folders = {facility_folder(FacilityId(i)) + "/" for i in self._known.offered}
        if name == DEPLOYMENT_FILE or name in folders:
            return
        if re.fullmatch(r"facility-[0-9]+/", name) and self._names(name[:-1]) == [FACILITY_FILE]:
            # Terms that an operator registered and has not offered yet.
            message = "is of no facility that was offered on-chain: nothing of it was checked"
            self._warn(Finding(message, None, None, name, code="not_offered"))
            return
        self._stray(name)

    # --- one facility ----------------------------------------------------------------------------

    def _check_facility(self, facility_id: FacilityId) -> None:
        folder = facility_folder(facility_id)
        listed = self._names(folder)
        posted = self._known.posted.get(facility_id, set())
        for name in listed or ():
            found = _EPOCH.fullmatch(name)
            if name in (FACILITY_FILE, "superseded/", "pledges/"):
                continue
            if found is None or name != f"epoch-{int(found[1]):05d}/":
                self._stray(f"{folder}/{name}", facility_id)
            elif int(found[1]) not in posted:
                self._check_unposted(facility_id, Epoch(int(found[1])))
            else:
                self._check_partials(facility_id, Epoch(int(found[1])))
        self._check_pledges(facility_id)
        self._check_superseded(facility_id)

    def _check_partials(self, facility_id: FacilityId, epoch: Epoch) -> None:
        folder = epoch_folder(facility_id, epoch)
        for name in self._names(folder) or ():
            if OURS_PARTIAL.fullmatch(name):
                self._stray(f"{folder}/{name}", facility_id, epoch)

    def _check_unposted(self, facility_id: FacilityId, epoch: Epoch) -> None:
        """Evidence of an epoch without a statement: closed and not posted yet, or made up."""
        folder = epoch_folder(facility_id, epoch)
        if any(e.args.epoch == epoch for e in self._in_place(facility_id)):
            return
        facility = self._facilities.get(facility_id)
        closes_s = None
        if facility is not None:
            period = facility.terms.stated_period(
                epoch, ended_at_s=facility.ended_at_s, grace_s=facility.terms.grace_s
            )
            closes_s = None if period is None else period.over_s
        # Whoever closes it has a clock of its own.
        over = closes_s is not None and closes_s <= self._head.time_s + MAX_AHEAD_S
        follows = facility is not None and epoch >= facility.next_epoch
        names = set(self._names(folder) or ())
        ours = names <= {*COMMITTED_FILES, MANIFEST_FILE, STATEMENT_FILE, ATTESTATIONS_FILE}
        if names and ours and (not self._of_now or (over and follows)):
            message = "has no statement on-chain yet: nothing of it was checked"
            self._warn(Finding(message, facility_id, epoch, folder, code="not_posted"))
            return
        message = "is of no statement that was posted, nor of one that can be"
        self._report(Finding(message, facility_id, epoch, folder, code="stray"))

    def _check_pledges(self, facility_id: FacilityId) -> None:
        folder = f"{facility_folder(facility_id)}/pledges"
        approved = self._known.pledges.get(facility_id, set())
        known = {pledge_path(facility_id, root).rsplit("/", 1)[1] for root in approved}
        for name in sorted(set(self._names(folder) or ()) - known):
            path = f"{folder}/{name}"
            if self._is_pledge(facility_id, path):
                message = "is a pledge that nobody approved on-chain: nothing depends on it"
                self._warn(Finding(message, facility_id, None, path, code="not_approved"))
            else:
                self._stray(path, facility_id)

    def _is_pledge(self, facility_id: FacilityId, path: str) -> bool:
        try:
            of, pledge = decode_pledge(self._evidence.read(path), number=1)
            root = pledge_tree(facility_id, pledge.devices).root
        except (AppError, *HOSTILE):
            return False
        return of == facility_id and path == pledge_path(facility_id, root)

    # --- superseded ------------------------------------------------------------------------------

    def _voided(self, facility_id: int) -> list[ChainEvent[StatementPosted]]:
        return [e for e in self._known.voided if e.args.facility_id == facility_id]

    def _in_place(self, facility_id: FacilityId) -> list[ChainEvent[StatementPosted]]:
        """Voided statements whose evidence still lies where it was published first."""
        return [e for e in self._voided(facility_id) if self._lies(e, _first_folder(e))]

    def _lies(self, event: ChainEvent[StatementPosted], folder: str) -> bool:
        """Whether the statement of a folder is the one that was posted, by its hash."""
        try:
            found = read_statement(self._evidence.read(f"{folder}/{STATEMENT_FILE}"))
        except (AppError, *HOSTILE):
            return False
        return statement_hash(found) == event.args.statement_hash

    def _check_superseded(self, facility_id: FacilityId) -> None:
        home = f"{facility_folder(facility_id)}/superseded"
        known = {}
        for event in self._voided(facility_id):
            folder = _kept_folder(event)
            if self._lies(event, _first_folder(event)):
                folder = _first_folder(event)
            known[folder] = event
            if not self._is_there(folder):
                message = (
                    f"of statement 0x{event.args.statement_hash.hex()}, which a fault voided, no"
                )
                place = (facility_id, event.args.epoch, folder)
                self._warn(Finding(f"{message} evidence is kept", *place, code="not_kept"))
                continue
            self._check_kept(event.args.statement, folder, event)
        hashes = {event.args.statement_hash for event in self._voided(facility_id)}
        for name in self._names(home) or ():
            folder = f"{home}/{name[:-1]}"
            if folder not in known and not self._follows(facility_id, home, name, hashes):
                message = (
                    "is of no statement that was posted and voided, nor of one that followed it"
                )
                of = (facility_id, None, f"{home}/{name}")
                self._report(Finding(message, *of, code="superseded_unknown"))

    def _is_there(self, folder: str) -> bool:
        names = self._names(folder)
        if names is not None:
            return bool(names)
        try:
            return bool(self._evidence.read(f"{folder}/{STATEMENT_FILE}"))
        except AppError:
            return False

    def _follows(self, facility_id: FacilityId, home: str, name: str, hashes: set[Bytes32]) -> bool:
        """Check a folder of a statement that was not posted, and fell with one that was voided."""
        found = _SUPERSEDED.fullmatch(name)
        if found is None:
            return False
        folder = f"{home}/{name[:-1]}"
        try:
            statement = read_statement(self._evidence.read(f"{folder}/{STATEMENT_FILE}"))
        except (AppError, *HOSTILE):
            return False
        ours = superseded_folder(facility_id, statement.epoch, statement_hash(statement))
        follows = statement.previous_statement_hash in hashes
        if folder != ours or statement.facility_id != facility_id or not follows:
            return False
        hashes.add(statement_hash(statement))
        self._check_kept(statement, folder, None)
        return True

    def _check_kept(
        self, statement: Statement, folder: str, event: ChainEvent[StatementPosted] | None
    ) -> None:
        """Files of a statement that does not stand, against it: they say what it rested on."""
        kept = StatementFiles(self._evidence, folder, statement, self._report)
        files = kept.read()
        kept.check_names()
        if not set(COMMITTED_FILES) <= files.keys():
            return
        kept.check_hashes(files)
        try:
            follows_of(files.get(MANIFEST_FILE, b""))
            kept.check_root(kept.read_lines(files))
        except (AppError, *HOSTILE) as error:
            kept.report_error(error)
        self._check_signatures(statement, folder, event)


def _first_folder(event: ChainEvent[StatementPosted]) -> str:
    return epoch_folder(event.args.facility_id, event.args.epoch)


def _kept_folder(event: ChainEvent[StatementPosted]) -> str:
    args = event.args
    return superseded_folder(args.facility_id, args.epoch, args.statement_hash)
