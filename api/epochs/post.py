"""Post: statements with a quorum of signatures go to the StatementRegistry, in order."""

from functools import cache
from typing import Any

from sqlalchemy import Engine

from api.chain import calldata
from api.chain.client import ChainClient
from api.chain.deployment import Deployment
from api.db import outbox as outbox_rows
from api.db import statements as store
from api.db.reopenings import superseded_count
from api.db.session import reading
from api.domain.lifecycle import FacilityState
from api.domain.statements.statement import Statement, statement_hash
from api.epochs.attestations import publish_signatures
from api.epochs.outbox import Intent
from api.evidence_store import EvidenceFolder


def postable(
    engine: Engine, client: ChainClient, deployment: Deployment, evidence: EvidenceFolder
) -> list[Intent]:
    """Intents for every statement that the registry would take now.

    Evidence is published with its signatures before anything is sent: a statement on-chain always
    has its evidence.
    """
    registry = deployment.statement_registry
    head = client.block()
    threshold = client.read("StatementRegistry", registry, "threshold", block=head.number)
    quorum = max(1, threshold)

    @cache
    def is_member(attester: str) -> bool:
        return bool(
            client.read("StatementRegistry", registry, "isAttester", attester, block=head.number)
        )

    with reading(engine) as connection:
        ready = store.quorum_reached(connection, quorum)
    intents = []
    for facility_id, epochs in ready.items():
        posted = client.read(
            "StatementRegistry", registry, "epochsPosted", facility_id, block=head.number
        )
        if epochs[-1] < posted or not _delivering(client, deployment, facility_id, head.number):
            continue
        waiting = set(epochs)
        epoch = posted
        while epoch in waiting:
            with reading(engine) as connection:
                statement = store.to_statement(store.statement_row(connection, facility_id, epoch))
                known = store.signatures_of(connection, facility_id, epoch)
                sequence = superseded_count(connection, facility_id, epoch)
                sent = outbox_rows.intent_of(connection, "post", facility_id, epoch, sequence)
            if _taken_off(client, registry, statement, sent):
                break
            # The contract refuses the whole posting for one signature of a removed attester.
            signatures = {a: s for a, s in known.items() if is_member(a)}
            if len(signatures) < quorum or head.time_s < statement.epoch_end_s:
                break
            publish_signatures(engine, evidence, statement)
            data = calldata.post(statement, signatures)
            intents.append(Intent("post", facility_id, epoch, sequence, registry, data))
            epoch += 1
    return intents


def _taken_off(client: ChainClient, registry: str, statement: Statement, sent: Any) -> bool:
    """Whether a proven fault voided this very statement: nothing follows until it is reopened."""
    verdict = client.read("StatementRegistry", registry, "verdictOf", statement_hash(statement))
    posted_by_us = sent is not None and sent.state == "done"
    return bool(verdict[3]) or (posted_by_us and client.receipt(sent.tx_hash) is not None)


def _delivering(client: ChainClient, deployment: Deployment, facility_id: int, block: int) -> bool:
    state = client.read(
        "FacilityRegistry", deployment.facility_registry, "stateOf", facility_id, block=block
    )
    return bool(state == FacilityState.DELIVERING)
