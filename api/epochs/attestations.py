"""Accepting attesters' signatures and publishing them with the statement."""

import time

from sqlalchemy import Engine, insert

from api.chain.contracts import Contracts
from api.chain.erc1271 import signed_by
from api.chain.panels import panel_of, require_counting
from api.db import statements as store
from api.db import work
from api.db.session import reading, transaction
from api.db.tables.statements import attestations
from api.domain.statements.evidence import (
    ATTESTATIONS_FILE,
    STATEMENT_FILE,
    encode_attestations,
    encode_statement,
    epoch_folder,
)
from api.domain.statements.statement import Statement, statement_digest
from api.domain.units import Epoch, FacilityId
from api.errors import InvalidInput, Misconfigured, NotFound
from api.evidence_store import EvidenceFolder


def accept_signature(
    engine: Engine,
    evidence: EvidenceFolder,
    contracts: Contracts | None,
    *,
    facility_id: FacilityId,
    epoch: Epoch,
    attester: str,
    signature: bytes,
    now_s: int,
) -> tuple[bool, int]:
    """Check and store one signature; returns whether it is new, and how many there are.

    Raises:  NotFound, InvalidInput for a signature that does not recover to an attester on the
             facility's panel whose signatures count, ChainUnavailable, Misconfigured without a
             deployment.
    """
    if contracts is None:
        raise Misconfigured("there is no deployment file: signatures cannot be checked")
    with reading(engine) as connection:
        row = store.statement_row(connection, facility_id, epoch)
        known = store.signatures_of(connection, facility_id, epoch)
    if row is None:
        message = f"facility {facility_id} has no statement of epoch {epoch}"
        raise NotFound(message, facility_id=facility_id, epoch=epoch)
    if attester in known:
        return False, len(known)
    statement = store.to_statement(row)
    registry = contracts.statement_registry
    digest = statement_digest(
        statement, chain_id=contracts.deployment.chain_id, registry=registry.address
    )
    if not signed_by(contracts.client, attester, digest, signature):
        raise InvalidInput(
            "the signature is not this account's over this statement", field="signature"
        )
    block = contracts.client.head().number
    panel = panel_of(contracts, facility_id, block=block)
    require_counting(contracts, panel, attester, block=block)
    with transaction(engine) as connection:
        known = store.signatures_of(connection, facility_id, epoch)
        if attester in known:
            return False, len(known)
        values = {
            "facility_id": facility_id,
            "epoch": epoch,
            "attester": attester,
            "signature": signature,
            "received_at_s": now_s,
        }
        connection.execute(insert(attestations), values)
        # The queue lives by this machine's clock, whatever time a simulated chain has.
        work.wake(connection, "post", [facility_id], now_s=int(time.time()))
    publish_signatures(engine, evidence, statement)
    return True, len(known) + 1


def publish_signatures(engine: Engine, evidence: EvidenceFolder, statement: Statement) -> None:
    """Write `statement.json`, and `attestations.json` as it grows."""
    facility_id, epoch = statement.facility_id, statement.epoch
    folder = epoch_folder(facility_id, epoch)
    evidence.write(f"{folder}/{STATEMENT_FILE}", encode_statement(statement))
    published: dict[str, bytes] | None = None
    while True:
        with reading(engine) as connection:
            known = store.signatures_of(connection, facility_id, epoch)
        # Another request may have written more just before we wrote less: look again.
        if known == published:
            return
        lower = {address.lower(): signature for address, signature in known.items()}
        evidence.replace(f"{folder}/{ATTESTATIONS_FILE}", encode_attestations(lower))
        published = known
