"""Post: statements with a quorum of signatures go to the StatementRegistry, in order."""

from collections.abc import Sequence

from sqlalchemy import Engine

from api.chain import calldata
from api.chain.answers import Block
from api.chain.contracts import Contracts
from api.chain.mined import mined_on_chain
from api.chain.panels import counting, panel_of
from api.db import outbox as outbox_rows
from api.db import statements as store
from api.db.facilities import known_facility_row
from api.db.reopenings import superseded_count
from api.db.session import reading
from api.db.tables.outbox import TxRow
from api.domain.lifecycle import FacilityState, statements_until_s
from api.domain.statements.statement import Statement, statement_digest, statement_hash
from api.domain.transactions import TxState
from api.domain.units import Epoch, FacilityId
from api.epochs.attestations import publish_signatures
from api.epochs.outbox import Intent
from api.evidence_store import EvidenceFolder


def postable(engine: Engine, contracts: Contracts, evidence: EvidenceFolder) -> list[Intent]:
    """Intents for every statement that the registry would take now.

    Evidence is published with its signatures before anything is sent: a statement on-chain always
    has its evidence.
    """
    registry = contracts.statement_registry
    head = contracts.client.head()
    with reading(engine) as connection:
        signed = store.signed_epochs(connection)
    intents = []
    for facility_id, epochs in signed.items():
        posted, closed = contracts.together(
            registry.epochs_posted(facility_id), registry.is_closing_posted(facility_id)
        ).at(block=head.number)
        if epochs[-1] < posted or closed:
            continue
        until_s = _states_epochs_until_s(engine, contracts, facility_id, head)
        if until_s is None:
            continue
        panel = panel_of(contracts, facility_id, block=head.number)
        waiting = set(epochs)
        epoch = Epoch(posted)
        while epoch in waiting:
            with reading(engine) as connection:
                row = store.known_statement_row(connection, facility_id, epoch)
                statement = store.to_statement(row)
                known = store.signatures_of(connection, facility_id, epoch)
                sequence = superseded_count(connection, facility_id, epoch)
                sent = outbox_rows.intent_of(
                    connection, "post", facility_id, epoch, sequence=sequence
                )
                carried = outbox_rows.transactions_of(connection, sent.intent_pk) if sent else []
            if _taken_off(contracts, statement, carried, block=head.number):
                break
            digest = statement_digest(
                statement, chain_id=contracts.deployment.chain_id, registry=registry.address
            )
            signatures = counting(contracts, panel, known, digest=digest, block=head.number)
            enough = 0 < panel.threshold <= len(signatures)
            # The closing statement of a facility that ended early ends after the facility.
            over_s = head.time_s if row.closing else until_s
            if not enough or over_s < statement.epoch_end_s:
                break
            publish_signatures(engine, evidence, statement)
            data = calldata.post(statement, signatures.for_posting(panel.threshold))
            intents.append(Intent("post", facility_id, epoch, sequence, registry.address, data))
            epoch = Epoch(epoch + 1)
    return intents


def _states_epochs_until_s(
    engine: Engine, contracts: Contracts, facility_id: FacilityId, head: Block
) -> int | None:
    """Epochs that end by this second can be stated now: by the newest block of a facility that
    delivers, by its end of one that ended a short while ago; None if none can."""
    registry = contracts.facility_registry
    state, ending = contracts.together(
        registry.state_of(facility_id), registry.ending_of(facility_id)
    ).at(block=head.number)
    if state is FacilityState.DELIVERING:
        return head.time_s
    if state not in (FacilityState.DEFAULTED, FacilityState.STOPPED):
        return None
    openness = contracts.statement_registry.openness_of(facility_id).at(block=head.number)
    with reading(engine) as connection:
        epoch_length_s = known_facility_row(connection, facility_id).epoch_length_s
    until_s = statements_until_s(
        ended_at_s=ending.ended_at_s,
        voided_at_s=openness.voided_at_s,
        epoch_length_s=epoch_length_s,
    )
    return ending.ended_at_s if head.time_s < until_s else None


def _taken_off(
    contracts: Contracts, statement: Statement, carried: Sequence[TxRow], *, block: int
) -> bool:
    """Whether a proven fault voided this very statement: nothing follows until it is reopened.

    Its posting is on the chain, by the very block that it is mined in, and it counts no more.
    """
    call = contracts.statement_registry.verdict_of(statement_hash(statement))
    verdict = call.at(block=block)
    mined = [tx.tx_hash for tx in carried if tx.state in (TxState.MINED, TxState.FINAL)]
    found = mined_on_chain(contracts.client, mined, head=block) if mined else []
    # As values, not as conditions: any field is true enough for an `if`, only a flag is a bool.
    return verdict.barred or any(receipt is not None and receipt.succeeded for receipt in found)
