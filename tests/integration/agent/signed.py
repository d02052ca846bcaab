"""Agents that sign: their keys in a facility's log, and what the log then has of them."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI
from sqlalchemy import Engine

from api.chain.ledger_keys import NamedNow
from api.db.facilities import facility_row
from api.db.log import logged_after
from api.db.session import reading
from api.domain.log.entry import EntryKind, LogName, entry_hash
from api.domain.log.keys import KeyRole, key_body
from api.domain.log.logged import LoggedEntry
from api.domain.log.requests import key_from, read_request, sign_request
from api.domain.statements.evidence_reader import terms_from_bytes
from api.domain.units import ZERO32, Address, Bytes32
from api.ledger.facilities import LogHome
from api.ledger.signed import SignedEvents, record_signed
from api.ledger.write import SignedBody
from api.local.key_file import load_or_make_key, make_key_file
from api.routes.service import service_of
from tests.factories import Ledger
from tests.signing import raw_key

KEYS = "/v1/log/keys"


def log_home(folder: Path) -> LogHome:
    """Logs whose receipts are signed by the key of an application in a folder."""
    key = load_or_make_key(folder / "log-key.pem")
    return LogHome(31_337, Address("0x" + "ab" * 20), raw_key(key))


def log_of(engine: Engine, facility_id: int) -> LogName:
    """Name of a facility's log."""
    with reading(engine) as connection:
        return terms_from_bytes(facility_row(connection, facility_id).terms_json).log


def logged(engine: Engine, facility_id: int) -> list[LoggedEntry]:
    """All entries of a facility's log."""
    with reading(engine) as connection:
        return logged_after(connection, log_of(engine, facility_id), after=0, most=100_000)


def made_key(file: Path) -> Bytes32:
    """A new key file, as `rentroll agent init` makes it; returns its public half."""
    file.unlink(missing_ok=True)
    return key_from(make_key_file(file))


def bring_without_chain(app: FastAPI, ledger: Ledger, key: Bytes32) -> None:
    """Bring a collector's key as the operator does; the chain is taken to name its ledger key."""
    service, operator = service_of(app), Ed25519PrivateKey.generate()
    log, after = log_of(ledger.engine, ledger.facility_id), ZERO32
    roles = {raw_key(operator): KeyRole.LEDGER, key: KeyRole.COLLECTOR}
    for named, role in roles.items():
        body = key_body(named, name=role.value, role=role)
        headers = sign_request(
            operator,
            path=KEYS,
            content_type="application/json",
            body=body,
            log=log,
            after=after,
            created_s=service.clock(),
        )
        request = read_request(headers, path=KEYS)
        signed = SignedBody(log.facility_id, request, body, EntryKind.KEY)
        done = record_signed(service.log, signed, SignedEvents(), named_now=_always)
        after = entry_hash(done.receipt.entry)


def _always(*_of: object) -> NamedNow:
    """The operator names whatever key is asked for, for ever."""
    return NamedNow(0, 2**40)
