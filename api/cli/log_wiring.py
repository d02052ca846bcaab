"""What the command line does with logs in the database of the settings."""

import base64
import os
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from api.chain.client import ChainClient
from api.db.facilities import known_facility_row
from api.db.migrate import migrated
from api.db.session import reading
from api.domain.json_text import as_object, as_text, canonical_line, read_json
from api.domain.log.entry import EntryKind
from api.domain.log.keys import read_key_body, successor_body
from api.domain.log.logged import LoggedEntry
from api.domain.log.receipts import receipt_document, receipt_from
from api.domain.log.requests import key_text, request_from, said_of
from api.domain.statements.evidence_reader import terms_from_bytes
from api.domain.units import Bytes32, FacilityId
from api.evidence_store import EvidenceFolder
from api.ledger.kept import KeptLedgers
from api.ledger.recorder import Log
from api.ledger.restoring import Shown, give_up, show
from api.ledger.rotating import name_successor, present_key
from api.local.log_keys import LogKeyFiles, successors_file
from api.main import indexed_time, recording_clock
from api.settings import Settings


def give_up_lost(settings: Settings, facility_id: FacilityId) -> int:
    """Give up what a log lost. Returns how many entries were shown of it."""
    with migrated(settings.database_url) as engine:
        return give_up(engine, facility_id)


@dataclass(frozen=True, slots=True)
class Rotated:
    """What became of a log's key. entry: number of the entry that names `key`, base64url.

    again: that entry was named before, and the log had lost it.
    """

    entry: int
    key: str
    again: bool = False


def rotate_key(settings: Settings, facility_id: FacilityId) -> Rotated:
    """Let a log's key name its successor: the key of new logs, which is made anew where the log
    has it already.

    A successor that the log has lost with a restored database is given back in place of that.
    Raises:  NotFound, Conflict, Misconfigured, LogBehind, KeyFileWrong.
    """
    files = LogKeyFiles(settings.log_key_path)
    kept = successors_file(settings.log_key_path)
    with (
        migrated(settings.database_url) as engine,
        ChainClient(settings.rpc_urls) as client,
    ):
        clock = recording_clock(settings, client, indexed=indexed_time(engine))
        log = Log(engine, clock, KeptLedgers(), files)
        present = present_key(log, facility_id)
        lost = _lost(engine, kept, facility_id)
        if lost is not None:
            show(log, facility_id, lost, EvidenceFolder(settings.evidence_dir))
            assert lost.logged is not None  # of what is kept whole
            named = read_key_body(lost.logged.body, EntryKind.SUCCESSOR).key
            return Rotated(lost.entry.number, key_text(named), again=True)
        if files.of(present) is not None and files.public == present:
            files.retire()
        receipt, request = name_successor(log, facility_id, files.key)
    body = successor_body(Bytes32(files.public))
    line = {**receipt_document(receipt), **as_object(read_json(said_of(body, request)))}
    with kept.open("ab") as file:
        file.write(canonical_line(line))
        file.flush()
        os.fsync(file.fileno())
    return Rotated(receipt.entry.number, key_text(Bytes32(files.public)))


def _lost(engine: Engine, kept: Path, facility_id: FacilityId) -> Shown | None:
    """The first successor that was named and that the log lacks, as it is kept."""
    with reading(engine) as connection:
        row = known_facility_row(connection, facility_id)
    log = terms_from_bytes(row.terms_json).log
    lines = kept.read_bytes().splitlines() if kept.exists() else []
    for document in map(as_object, map(read_json, lines)):
        receipt = receipt_from(document)
        if receipt.entry.log == log and receipt.entry.number > row.log_size:
            packed = base64.b64decode(as_text(document["packed"]))
            request = request_from(document["request"])
            logged = LoggedEntry(receipt.entry, receipt.blind, packed, receipt.answers, request)
            return Shown(receipt.entry, receipt.signature, logged)
    return None
