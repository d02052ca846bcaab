"""Post: statements with a quorum of signatures go to the StatementRegistry, in order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from api.chain import calldata
from api.chain.answers import Block
from api.chain.contracts import Contracts
from api.chain.contracts.attester_registry import Seats
from api.chain.contracts.facility_registry import Ending, EpochTerms
from api.chain.contracts.statement_registry import FaultVerdict, Openness
from api.chain.mined import mined_on_chain
from api.chain.packed import packed
from api.chain.panels import counted, seated
from api.db import outbox as outbox_rows
from api.db import statements as store
from api.db.reopenings import superseded_count
from api.db.session import Connection, Engine, reading
from api.db.tables.outbox import TxRow
from api.db.tables.statements import StatementRow
from api.domain.lifecycle import FacilityState, statements_until_s
from api.domain.statements.statement import Statement, statement_digest, statement_hash
from api.domain.transactions import TxState
from api.domain.units import Bytes32, Epoch, FacilityId
from api.epochs.attestations import publish_signatures
from api.epochs.outbox import Intent
from api.epochs.queue import NOTHING, Look
from api.evidence_store import EvidenceFolder

# Of a backlog so many statements are looked at together, the next ones once these are posted.
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class _OnChain:
    """What the contracts say of one facility."""

    epochs_posted: int
    closing_posted: bool
    terms: EpochTerms
    ending: Ending
    openness: Openness

    def states_epochs_until_s(self, head: Block) -> int | None:
        """Epochs that end by this second can be stated now: by the newest block of a facility that
        delivers, by its end of one that ended a short while ago; None if none can."""
        if self.terms.state is FacilityState.DELIVERING:
            return head.time_s
        if self.terms.state not in (FacilityState.DEFAULTED, FacilityState.STOPPED):
            return None
        until_s = statements_until_s(
            ended_at_s=self.ending.ended_at_s,
            voided_at_s=self.openness.voided_at_s,
            epoch_length_s=self.terms.epoch_length_s,
        )
        return self.ending.ended_at_s if head.time_s < until_s else None


@dataclass(frozen=True, slots=True)
class _Signed:
    """A statement that somebody signed, as the database has it."""

    row: StatementRow
    statement: Statement
    signatures: Mapping[str, bytes]
    sequence: int
    carried: Sequence[TxRow]


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read of some facilities at one block."""

    head: Block
    on_chain: Mapping[FacilityId, _OnChain]
    signed: Mapping[FacilityId, Sequence[_Signed]]
    panels: Mapping[int, Seats]
    members: frozenset[str]
    verdicts: Mapping[Bytes32, FaultVerdict]


class Post:
    """The step. Evidence is published with its signatures before anything is sent: a statement
    on-chain always has its evidence."""

    name = "post"

    def __init__(self, engine: Engine, contracts: Contracts, evidence: EvidenceFolder) -> None:
        self._engine, self._contracts, self._evidence = engine, contracts, evidence

    def read(self, facility_ids: Sequence[FacilityId], head: Block) -> _Read:
        """What contracts and database say of some facilities, in a few requests for all."""
        contracts, block = self._contracts, head.number
        registry, attesters = contracts.statement_registry, contracts.attester_registry
        asked = contracts.all_of(
            [
                contracts.together(
                    contracts.together(
                        registry.epochs_posted(i),
                        registry.is_closing_posted(i),
                        contracts.facility_registry.epoch_terms_of(i),
                    ),
                    contracts.together(
                        contracts.facility_registry.ending_of(i), registry.openness_of(i)
                    ),
                )
                for i in facility_ids
            ]
        )
        answers = packed(asked, block=block)
        on_chain = {
            i: _OnChain(*first, *second)
            for i, (first, second) in zip(facility_ids, answers, strict=True)
        }
        with reading(self._engine) as connection:
            signed = {
                i: []
                if facts.closing_posted
                else _signed(connection, i, Epoch(facts.epochs_posted))
                for i, facts in on_chain.items()
            }
        some = [each for of in signed.values() for each in of]
        numbers = sorted({on_chain[i].terms.panel for i, of in signed.items() if of} - {0})
        signers = sorted({signer for each in some for signer in each.signatures})
        hashes = [statement_hash(each.statement) for each in some]
        panels, counts, verdicts = packed(
            contracts.together(
                contracts.all_of([attesters.panel_of(number) for number in numbers]),
                contracts.all_of([attesters.is_attester(signer) for signer in signers]),
                contracts.all_of([registry.verdict_of(each) for each in hashes]),
            ),
            block=block,
        )
        return _Read(
            head,
            on_chain,
            signed,
            dict(zip(numbers, panels, strict=True)),
            frozenset(s for s, counts_now in zip(signers, counts, strict=True) if counts_now),
            dict(zip(hashes, verdicts, strict=True)),
        )

    def one(self, facility_id: FacilityId, read: _Read) -> Look:
        """Intents for every statement of a facility that the registry would take now."""
        facts, signed = read.on_chain[facility_id], read.signed[facility_id]
        until_s = facts.states_epochs_until_s(read.head)
        if until_s is None or not signed:
            return NOTHING
        panel = seated(facility_id, facts.terms.panel, read.panels.get(facts.terms.panel))
        intents: list[Intent] = []
        registry = self._contracts.statement_registry
        for each in signed:
            statement = each.statement
            epoch, hashed = statement.epoch, statement_hash(statement)
            if self._taken_off(read.verdicts[hashed], each.carried, read.head):
                return Look(tuple(intents), f"epoch {epoch}: a proven fault voided its statement")
            digest = statement_digest(
                statement,
                chain_id=self._contracts.deployment.chain_id,
                registry=registry.address,
            )
            signatures = counted(
                self._contracts.client,
                panel,
                each.signatures,
                members=read.members,
                digest=digest,
                block=read.head.number,
            )
            if not 0 < panel.threshold <= len(signatures):
                waits = f"epoch {epoch}: {len(signatures)} of {panel.threshold} signatures count"
                return Look(tuple(intents), waits)
            # The closing statement of a facility that ended early ends after the facility.
            over_s = read.head.time_s if each.row.closing else until_s
            if over_s < statement.epoch_end_s:
                return Look(tuple(intents), f"epoch {epoch}: it is not over by the newest block")
            publish_signatures(self._engine, self._evidence, statement)
            data = calldata.post(statement, signatures.for_posting(panel.threshold))
            post = Intent("post", facility_id, epoch, each.sequence, registry.address, data)
            intents.append(post)
        return Look(tuple(intents))

    def _taken_off(self, verdict: FaultVerdict, carried: Sequence[TxRow], head: Block) -> bool:
        """Whether a proven fault voided this statement: nothing follows until it is reopened.

        Its posting is on the chain, by the very block that it is mined in, and it counts no more.
        """
        mined = [tx.tx_hash for tx in carried if tx.state in (TxState.MINED, TxState.FINAL)]
        client = self._contracts.client
        found = mined_on_chain(client, mined, head=head.number) if mined else []
        # As values, not as conditions: any field is true enough for an `if`, only a flag is a bool.
        return verdict.barred or any(receipt is not None and receipt.succeeded for receipt in found)


def _signed(connection: Connection, facility_id: FacilityId, first: Epoch) -> list[_Signed]:
    """Statements from a number on that somebody signed, without gaps."""
    found: list[_Signed] = []
    for epoch in map(Epoch, range(first, first + _AT_ONCE)):
        row = store.statement_row(connection, facility_id, epoch)
        signatures = store.signatures_of(connection, facility_id, epoch)
        if row is None or not signatures:
            break
        sequence = superseded_count(connection, facility_id, epoch)
        sent = outbox_rows.intent_of(connection, "post", facility_id, epoch, sequence=sequence)
        carried = outbox_rows.transactions_of(connection, sent.intent_pk) if sent else []
        found.append(_Signed(row, store.to_statement(row), signatures, sequence, carried))
    return found
