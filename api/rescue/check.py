"""Check: every file that the database says was published, against its bytes; and what lies beside.

Nothing is written. A facility of which something is damaged keeps no other from being checked.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from api.chain.deployment import Deployment, parse_deployment
from api.chain.published import DEPLOYMENT_FILE
from api.db.facilities import facility_rows
from api.db.session import reading
from api.db.tables.facilities import FacilityRow
from api.domain.hashing import sha256
from api.domain.statements.evidence import (
    ATTESTATIONS_FILE,
    MANIFEST_FILE,
    STATEMENT_FILE,
    facility_folder,
)
from api.domain.units import Epoch, FacilityId
from api.epochs.again import made_again
from api.errors import AppError, NotFound
from api.evidence_store import HOSTILE, EvidenceFolder, is_partial
from api.rescue.published import (
    FOLDER_FILES,
    Published,
    PublishedStatement,
    has_more_signatures,
    is_named,
    named_in,
    published_of,
)

# What damaged records or files raise where one facility is looked at.
DAMAGE = (AppError, OSError, SQLAlchemyError, *HOSTILE)
_FACILITY = re.compile(r"facility-(0|[1-9][0-9]{0,18})/")
_EPOCH = re.compile(r"epoch-([0-9]{5,})/")


class State(StrEnum):
    """What is wrong with a file."""

    MISSING = "missing"
    DAMAGED = "damaged"
    EXTRA = "extra"  # nobody's evidence
    UNKNOWN = "unknown"  # perhaps newer than the database: it is left alone
    UNCHECKED = "unchecked"  # nothing of it can be said


@dataclass(frozen=True, slots=True)
class Found:
    """A file or folder (with `/` behind) that is not as the database says."""

    path: str
    state: State
    message: str
    facility_id: FacilityId | None = None

    @property
    def wrong(self) -> bool:
        """Whether the evidence is not whole by it."""
        return self.state is not State.UNKNOWN


def check_evidence(
    engine: Engine, evidence: EvidenceFolder, deployment: Deployment | None
) -> list[Found]:
    """All that is not as the database says, by facility. Raises DatabaseUnavailable."""
    with reading(engine) as connection:
        ids = sorted(row.facility_id for row in facility_rows(connection))
    found = [*check_root(evidence, set(ids), deployment)]
    for facility_id in ids:
        found += check_facility(engine, evidence, facility_id)
    return found


def check_facility(
    engine: Engine, evidence: EvidenceFolder, facility_id: FacilityId
) -> list[Found]:
    """All that is not as the database says of one facility."""
    try:
        with reading(engine) as connection:
            (row,) = facility_rows(connection, facility_id)
            return [*_Facility(connection, evidence, row).check()]
    except DAMAGE as error:
        message = f"cannot be checked: {sentence(error)}"
        folder = facility_folder(facility_id) + "/"
        return [Found(folder, State.UNCHECKED, message, facility_id)]


def sentence(error: BaseException) -> str:
    """An error in words; of the database's none of its values."""
    if isinstance(error, AppError):
        return error.message
    return type(error).__name__ if isinstance(error, SQLAlchemyError) else f"{error!r}"[:300]


def of_another_deployment(evidence: EvidenceFolder, deployment: Deployment | None) -> bool:
    """Whether the evidence names other contracts than the service's."""
    try:
        there = parse_deployment(evidence.read(DEPLOYMENT_FILE))
    except AppError:
        return False
    if deployment is None:
        return False
    named = deployment.chain_id, deployment.addresses
    return (there.chain_id, there.addresses) != named


def check_root(
    evidence: EvidenceFolder, known: set[FacilityId], deployment: Deployment | None
) -> Iterator[Found]:
    """What lies in the evidence's root that is of no facility, and whether it is of ours."""
    try:
        parse_deployment(evidence.read(DEPLOYMENT_FILE))
    except NotFound:
        if known:
            yield Found(DEPLOYMENT_FILE, State.MISSING, "is missing")
    except AppError:
        yield Found(DEPLOYMENT_FILE, State.DAMAGED, "cannot be read")
    if of_another_deployment(evidence, deployment):
        message = "names other contracts than the deployment file: this is the evidence of others"
        yield Found(DEPLOYMENT_FILE, State.DAMAGED, message)
    for name in _names(evidence, "."):
        folder = _FACILITY.fullmatch(name)
        if name == DEPLOYMENT_FILE or (folder and int(folder[1]) in known):
            continue
        if folder is None:
            yield Found(name, State.EXTRA, _beside(name))
            continue
        message = (
            "is of no facility of this database: one that was registered after the copy from which"
            " the database was restored, or whose registration was cut short"
        )
        yield Found(name, State.UNKNOWN, message, FacilityId(int(folder[1])))


def _names(evidence: EvidenceFolder, folder: str) -> list[str]:
    try:
        return evidence.names(folder) or []
    except NotFound:
        return []


def _beside(name: str) -> str:
    if is_partial(name.rsplit("/", 1)[-1]):
        return "was left behind by a writer that was stopped"
    return "is no part of the evidence"


class _Facility:
    """The files of one facility."""

    def __init__(self, connection: Connection, evidence: EvidenceFolder, row: FacilityRow) -> None:
        self._connection, self._evidence, self._row = connection, evidence, row
        self._home = facility_folder(row.facility_id)

    def check(self) -> Iterator[Found]:
        """What is not as it should be."""
        published = published_of(self._connection, self._row)
        for path, data in published.files.items():
            yield from self._exact(path, data)
        for statement in published.statements:
            yield from self._statement(statement)
        yield from self._others(published)

    def _found(self, path: str, state: State, message: str) -> Found:
        return Found(path, state, message, self._row.facility_id)

    def _read(self, path: str) -> bytes | None:
        with suppress(NotFound):
            return self._evidence.read(path)
        return None

    def _missing(self, path: str) -> Found:
        with suppress(OSError):
            if (self._evidence.root / path).lstat():
                return self._found(path, State.DAMAGED, "is no file that can be read")
        return self._found(path, State.MISSING, "is missing")

    def _exact(self, path: str, data: bytes) -> Iterator[Found]:
        there = self._read(path)
        if there is None:
            yield self._missing(path)
        elif there != data:
            yield self._found(path, State.DAMAGED, "has other bytes than the database")

    # --- one statement --------------------------------------------------------------------------

    def _statement(self, statement: PublishedStatement) -> Iterator[Found]:
        path = f"{statement.folder}/{MANIFEST_FILE}"
        manifest = self._read(path)
        if manifest is None:
            yield self._missing(path)
        elif sha256(manifest) != statement.manifest_hash:
            yield self._found(path, State.DAMAGED, "is not the manifest of its statement")
            manifest = None
        yield from self._committed(statement, self._named(statement, manifest))
        said, signatures = (f"{statement.folder}/{n}" for n in (STATEMENT_FILE, ATTESTATIONS_FILE))
        if statement.signed or self._read(said) is not None:
            yield from self._exact(said, statement.said)
        there = self._read(signatures)
        if there is None and statement.signed:
            yield self._missing(signatures)
        elif there is not None and there != statement.signatures:
            if has_more_signatures(there, statement.signatures):
                message = "has signatures that the database lacks: it is newer"
                yield self._found(signatures, State.UNKNOWN, message)
            else:
                message = "has other signatures than the database"
                yield self._found(signatures, State.DAMAGED, message)

    def _named(
        self, statement: PublishedStatement, manifest: bytes | None
    ) -> Mapping[str, tuple[int, str]]:
        """What the manifest names; of one that is gone, what the database comes to."""
        if manifest is not None:
            return named_in(manifest)
        if statement.superseded:
            return {}
        with suppress(*DAMAGE):
            for made in made_again(self._connection, self._row, [statement.epoch]):
                if made.closed is not None:
                    return named_in(made.closed.files[MANIFEST_FILE])
        return {}

    def _committed(
        self, statement: PublishedStatement, named: Mapping[str, tuple[int, str]]
    ) -> Iterator[Found]:
        for name in FOLDER_FILES:
            path = f"{statement.folder}/{name}"
            data = self._read(path)
            if data is None:
                yield self._missing(path)
            elif not named:
                message = "cannot be judged: nothing says which bytes its manifest named"
                yield self._found(path, State.UNCHECKED, message)
            elif not is_named(data, named.get(name)):
                yield self._found(path, State.DAMAGED, "is not what its manifest names")

    # --- what lies beside -----------------------------------------------------------------------

    def _others(self, published: Published) -> Iterator[Found]:
        home = self._home
        known = set(published.files)
        folders = {statement.folder + "/" for statement in published.statements}
        files = {*FOLDER_FILES, MANIFEST_FILE, STATEMENT_FILE, ATTESTATIONS_FILE}
        known |= {folder + name for folder in folders for name in files}
        for folder in (home, f"{home}/pledges", f"{home}/superseded", *sorted(folders)):
            for name in _names(self._evidence, folder.rstrip("/")):
                path = f"{folder.rstrip('/')}/{name}"
                if path in known or path in folders:
                    continue
                if path in (f"{home}/pledges/", f"{home}/superseded/"):
                    continue
                yield self._other(path, published.next_epoch)

    def _other(self, path: str, next_epoch: Epoch) -> Found:
        epoch = _EPOCH.fullmatch(path.removeprefix(f"{self._home}/"))
        canonical = epoch is not None and path == f"{self._home}/epoch-{int(epoch[1]):05d}/"
        if epoch is not None and canonical and int(epoch[1]) >= next_epoch:
            message = (
                "is of a statement that the database does not have: it is closed to the same bytes,"
                " unless the database was restored and its log lacks entries"
            )
            return self._found(path, State.UNKNOWN, message)
        return self._found(path, State.EXTRA, _beside(path))
