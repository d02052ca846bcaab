"""Refusals that attesters hand in: checked as the chain would, and kept."""

import json
from dataclasses import replace

from sqlalchemy import Engine

from api.chain.calldata import checksum
from api.chain.contracts import Contracts
from api.chain.erc1271 import signed_by
from api.chain.panels import panel_of, require_counting
from api.db import refusals as store
from api.db.facilities import known_facility_row
from api.db.session import reading, transaction
from api.db.tables.refusals import RefusalRow
from api.domain.log.signers import signers_of
from api.domain.statements.evidence import hex32
from api.domain.statements.evidence_reader import terms_from_bytes
from api.domain.statements.refusal_files import SignedRefusal, refusal_document
from api.domain.statements.refusals import NO_HASH
from api.errors import InvalidInput, Misconfigured, NotFound
from api.ledger.recorder import keys_of


def accept_refusal(
    engine: Engine, contracts: Contracts | None, signed: SignedRefusal, *, now_s: int
) -> bool:
    """Check and keep a refusal; returns whether it is new.

    Kept is what speaks of a statement that was closed here or posted, or of evidence that stands
    published, so that no attester can fill a table with hashes that it makes up.
    Raises:  NotFound for anything else, InvalidInput for a refusal that is for another desk, that
             is not signed by an attester on the facility's panel whose signatures count, or that
             says fork and proves none; ChainUnavailable, Misconfigured without a deployment.
    """
    if contracts is None:
        raise Misconfigured("there is no deployment file: signatures cannot be checked")
    deployment, said = contracts.deployment, signed.refusal
    signed.require_for(chain_id=deployment.chain_id, desk=deployment.attester_desk)
    attester, facility_id = checksum(signed.attester), said.facility_id
    with reading(engine) as connection:
        terms = terms_from_bytes(known_facility_row(connection, facility_id).terms_json)
        signers = signers_of(keys_of(connection, terms))
        known = store.is_statement(connection, facility_id, said.epoch, said.statement_hash)
    signed.require_fork(signers)
    block = contracts.client.head().number
    panel = panel_of(contracts, facility_id, block=block)
    require_counting(contracts, panel, attester, block=block)
    if said.statement_hash == NO_HASH:
        published = contracts.statement_registry.published_hash_of(facility_id, said.epoch)
        known = said.evidence_hash != NO_HASH and said.evidence_hash == published.at(block=block)
    if not known:
        message = (
            f"epoch {said.epoch} of facility {facility_id} has no statement or published evidence"
            f" {hex32(said.about)}"
        )
        raise NotFound(message, facility_id=facility_id, epoch=said.epoch)
    if not signed_by(contracts.client, attester, signed.digest, signed.signature):
        message = "the signature is not this account's over this refusal"
        raise InvalidInput(message, field="signature")
    row = RefusalRow(
        facility_id=facility_id,
        epoch=said.epoch,
        attester=attester,
        about=said.about,
        until_s=said.until_s,
        document=json.dumps(refusal_document(replace(signed, attester=attester))),
        received_at_s=now_s,
    )
    with transaction(engine) as connection:
        return store.keep_refusal(connection, row)
