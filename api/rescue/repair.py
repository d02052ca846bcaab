"""Repair: published files that are missing or damaged are written again, to the byte.

From the database, where it comes to the bytes that were published; else from a copy that anybody
kept, of which nothing is believed but its hash. What is in the way is set aside, never deleted.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from time import time

from sqlalchemy import Connection, Engine

from api.chain.deployment import Deployment
from api.chain.published import DEPLOYMENT_FILE
from api.db.facilities import facility_rows, known_facility_row, lock_facility
from api.db.session import reading, transaction
from api.domain.hashing import sha256
from api.domain.statements.evidence import (
    ATTESTATIONS_FILE,
    FACILITY_FILE,
    MANIFEST_FILE,
    STATEMENT_FILE,
)
from api.domain.units import Epoch, FacilityId
from api.epochs.again import made_again
from api.errors import Conflict, NotFound
from api.evidence_store import EvidenceFolder, EvidenceSource, is_partial
from api.rescue.aside import Aside
from api.rescue.check import (
    DAMAGE,
    Found,
    State,
    check_facility,
    check_root,
    of_another_deployment,
    sentence,
)
from api.rescue.published import (
    FOLDER_FILES,
    PublishedStatement,
    is_named,
    named_in,
    published_of,
)

# A file of a writer that was stopped: one that is younger may still be written.
_STOPPED_S = 600


class Outcome(StrEnum):
    """What became of a file."""

    WRITTEN = "written"
    SET_ASIDE = "set aside"
    REFUSED = "refused"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class Repaired:
    """A file that was not as the database says, and what was done."""

    found: Found
    outcome: Outcome
    message: str


def repair_evidence(
    engine: Engine,
    evidence: EvidenceFolder,
    deployment: Deployment | None,
    *,
    aside: Aside,
    source: EvidenceSource | None = None,
    document: bytes | None = None,
) -> list[Repaired]:
    """Write again what can be written, and set aside what is nobody's.

    Args:    source: a copy of the evidence, from anybody.
             document: `deployment.json` as it is published, where a node said it.
    Raises:  Conflict where the evidence is of another deployment; DatabaseUnavailable.
    """
    if of_another_deployment(evidence, deployment):
        message = (
            f"{DEPLOYMENT_FILE} of the evidence names other contracts than the deployment file:"
            " nothing is repaired in the evidence of others"
        )
        raise Conflict(message, reason="deployment_differs")
    with reading(engine) as connection:
        ids = sorted(row.facility_id for row in facility_rows(connection))
    done = []
    for found in check_root(evidence, set(ids), deployment):
        if found.path == DEPLOYMENT_FILE:
            done.append(_deployment(evidence, found, aside, document))
        else:
            done.append(_beside(evidence, found, aside))
    for facility_id in ids:
        wrong = check_facility(engine, evidence, facility_id)
        if wrong:
            done += _Repair(engine, evidence, aside, source, facility_id).repair(wrong)
    return done


def _deployment(
    evidence: EvidenceFolder, found: Found, aside: Aside, document: bytes | None
) -> Repaired:
    if document is None:
        message = "no node says what it has to hold; a worker writes it when it indexes an event"
        return Repaired(found, Outcome.REFUSED, message)
    if found.state is State.DAMAGED:
        aside.move(evidence.root, found.path)
    evidence.replace(found.path, document)
    return Repaired(found, Outcome.WRITTEN, "from the chain")


def _beside(evidence: EvidenceFolder, found: Found, aside: Aside) -> Repaired:
    if found.state is not State.EXTRA:
        return Repaired(found, Outcome.KEPT, found.message)
    path = evidence.root / found.path
    try:
        written_s = path.lstat().st_mtime
        if is_partial(path.name) and written_s > time() - _STOPPED_S:
            message = "may still be written: look again in ten minutes"
            return Repaired(found, Outcome.KEPT, message)
        target = aside.move(evidence.root, found.path)
    except OSError as error:
        return Repaired(found, Outcome.REFUSED, f"cannot be moved: {error.strerror}")
    return Repaired(found, Outcome.SET_ASIDE, f"to {target}")


class _Repair:
    """The files of one facility."""

    def __init__(
        self,
        engine: Engine,
        evidence: EvidenceFolder,
        aside: Aside,
        source: EvidenceSource | None,
        facility_id: FacilityId,
    ) -> None:
        self._engine, self._evidence, self._aside = engine, evidence, aside
        self._source, self._facility_id = source, facility_id
        self._why = "the database does not come to the bytes that were published"

    def repair(self, wrong: Sequence[Found]) -> Iterator[Repaired]:
        """Repair what was found, file by file."""
        try:
            files = self._files({each.path for each in wrong if each.wrong})
        except DAMAGE as error:
            files, self._why = {}, sentence(error)
        for found in wrong:
            if found.state in (State.EXTRA, State.UNKNOWN):
                yield _beside(self._evidence, found, self._aside)
                continue
            try:
                yield self._write(found, files)
            except DAMAGE as error:
                yield Repaired(found, Outcome.REFUSED, sentence(error))

    def _write(self, found: Found, files: Mapping[str, "_Whole"]) -> Repaired:
        whole = files.get(found.path)
        if whole is None:
            return Repaired(found, Outcome.REFUSED, self._why)
        there = self._read(self._evidence, found.path)
        if there == whole.data:
            return Repaired(found, Outcome.KEPT, "is whole")
        # Under the lock of who closes and reopens: what they took away is not put back.
        with transaction(self._engine) as connection:
            row = lock_facility(connection, self._facility_id)
            data = whole.now(found.path, published_of(connection, row).statements)
            if data is None:
                return Repaired(found, Outcome.KEPT, "was replaced meanwhile")
            self._make_way(found.path, there)
            self._evidence.replace(found.path, data)
        return Repaired(found, Outcome.WRITTEN, whole.origin)

    def _make_way(self, path: str, there: bytes | None) -> None:
        root = self._evidence.root
        if there is not None:
            self._aside.copy(root, path)
        elif (root / path).is_symlink() or (root / path).exists():
            self._aside.move(root, path)

    def _read(self, source: EvidenceSource, path: str) -> bytes | None:
        with suppress(NotFound):
            return source.read(path)
        return None

    # --- where whole bytes come from ------------------------------------------------------------

    def _files(self, wanted: set[str]) -> dict[str, "_Whole"]:
        """Whole bytes by path, as far as there are any."""
        with reading(self._engine) as connection:
            row = known_facility_row(connection, self._facility_id)
            published = published_of(connection, row)
            files = {
                path: _Whole(data, "from the database") for path, data in published.files.items()
            }
            lacking = []
            for statement in published.statements:
                files |= _said(statement)
                committed = {f"{statement.folder}/{n}" for n in (MANIFEST_FILE, *FOLDER_FILES)}
                if committed & wanted:
                    lacking.append(statement)
            made = self._made_again(connection, lacking) if lacking else {}
        for statement in lacking:
            files |= made.get(statement.folder) or self._from_copies(statement)
        return files

    def _made_again(
        self, connection: Connection, lacking: Sequence[PublishedStatement]
    ) -> dict[str, dict[str, "_Whole"]]:
        """Files of statements by folder, from the database."""
        standing = {s.epoch: s for s in lacking if not s.superseded}
        found: dict[str, dict[str, _Whole]] = {}
        row = known_facility_row(connection, self._facility_id)
        try:
            for each in made_again(connection, row, set[Epoch](standing)):
                if each.closed is None:
                    continue
                statement = standing[each.row.epoch]
                found[statement.folder] = {
                    f"{statement.folder}/{name}": _Whole(data, "from the database", statement)
                    for name, data in each.closed.files.items()
                    if name != FACILITY_FILE
                }
        except DAMAGE as error:
            self._why += f": {sentence(error)}"
        return found

    def _from_copies(self, statement: PublishedStatement) -> dict[str, "_Whole"]:
        """Files of a statement from what is here and from a copy, known by their hashes."""
        copies: list[tuple[EvidenceSource, str]] = [(self._evidence, "as it was")]
        if self._source is not None:
            copies.append((self._source, "from the copy"))
        manifest = self._first(f"{statement.folder}/{MANIFEST_FILE}", copies, statement, None)
        if manifest is None:
            return {}
        found = {f"{statement.folder}/{MANIFEST_FILE}": manifest}
        named = named_in(manifest.data)
        for name in FOLDER_FILES:
            path = f"{statement.folder}/{name}"
            whole = self._first(path, copies, statement, named.get(name))
            if whole is not None:
                found[path] = whole
        return found

    def _first(
        self,
        path: str,
        copies: Sequence[tuple[EvidenceSource, str]],
        statement: PublishedStatement,
        named: tuple[int, str] | None,
    ) -> "_Whole | None":
        for source, origin in copies:
            data = self._read(source, path)
            if data is None:
                continue
            is_manifest = path.endswith(f"/{MANIFEST_FILE}")
            if is_manifest and sha256(data) == statement.manifest_hash:
                return _Whole(data, origin, statement)
            if not is_manifest and is_named(data, named):
                return _Whole(data, origin, statement)
        return None


@dataclass(frozen=True, slots=True)
class _Whole:
    """Bytes that were published, and where they come from."""

    data: bytes
    origin: str
    statement: PublishedStatement | None = None

    def now(self, path: str, statements: Sequence[PublishedStatement]) -> bytes | None:
        """The bytes as they are published now: more may have signed. None of what was replaced."""
        if self.statement is None:
            return self.data
        key = self.statement.folder, self.statement.statement_hash
        same = [s for s in statements if (s.folder, s.statement_hash) == key]
        if same and path.endswith(f"/{ATTESTATIONS_FILE}"):
            return same[0].signatures
        return self.data if same else None


def _said(statement: PublishedStatement) -> dict[str, _Whole]:
    files = {STATEMENT_FILE: statement.said, ATTESTATIONS_FILE: statement.signatures}
    return {
        f"{statement.folder}/{name}": _Whole(data, "from the database", statement)
        for name, data in files.items()
    }
