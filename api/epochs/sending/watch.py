"""Watch: what the chain says now of every transaction that is not final."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import SystemRandom

from sqlalchemy import Connection, Engine

from api.chain.answers import Block, Log
from api.chain.client import ChainClient
from api.chain.emitted.args import topic_of
from api.chain.emitted.rent_lockbox import Settled
from api.chain.finality import Ends
from api.chain.mined import Mined, hashes_at, mined_on_chain
from api.db import outbox as rows
from api.db.outbox import Work
from api.db.session import transaction
from api.db.tables.outbox import IntentRow, TxRow
from api.domain.transactions import (
    TX_STEPS,
    WAITING,
    IntentState,
    TxState,
    TxStep,
    after,
    pause_s,
)
from api.domain.units import Bytes32
from api.epochs.sending.intents import Outcome, Policy

_random = SystemRandom()
_SETTLED = topic_of(Settled)
Slot = tuple[str, int]
# A head further ahead is not walked back to: the blocks themselves are asked then.
_LONGEST_WALK = 8
NOT_OURS = "its nonce went to another transaction"


@dataclass(frozen=True, slots=True)
class Seen:
    """One step of a transaction, and its receipt where it was found."""

    tx: TxRow
    step: TxStep
    mined: Mined | None = None


class Line:
    """Blocks that were seen on the chain, and still are while its head descends from the last one.

    A head names its parent, so a chain that only grew is known to have all that it had.
    """

    def __init__(self, client: ChainClient) -> None:
        self._client = client
        self._head: Block | None = None
        self._blocks = set[tuple[int, bytes]]()

    def follow(self, head: Block) -> None:
        """Go to a head; where it does not descend from the last one, nothing is known any more."""
        if not self._descends(head):
            self._blocks.clear()
        self._head = head

    def add(self, number: int, block_hash: bytes) -> None:
        """The chain has this block, as was just asked."""
        self._blocks.add((number, block_hash))

    def has(self, tx: TxRow) -> bool:
        """Whether the chain has a transaction's block."""
        return (tx.block_number, tx.block_hash) in self._blocks

    def _descends(self, head: Block) -> bool:
        last = self._head
        if last is None or not 0 <= head.number - last.number <= _LONGEST_WALK:
            return False
        block = head
        while block.number > last.number + 1:
            before = self._client.block(block.number - 1)
            if before.hash != block.parent_hash:
                return False
            block = before
        return (block.hash if block.number == last.number else block.parent_hash) == last.hash


class Watch:
    """Compares what is stored with the chain, and stores the steps."""

    def __init__(self, engine: Engine, client: ChainClient, policy: Policy) -> None:
        self._engine, self._client, self._policy = engine, client, policy
        self._line = Line(client)

    def look(self, work: Work, ends: Ends, used: Mapping[str, int], *, now_s: int) -> list[Outcome]:
        """Take every step that the chain shows.

        Args:    used: nonces of each sender that are used at the head.
        """
        if not work.transactions:
            return []
        slots = defaultdict(list)
        for tx in work.transactions:
            slots[tx.sender, tx.nonce].append(tx)
        outcomes: list[Outcome] = []
        self._line.follow(ends.head)
        seen, undone = self._mined_before(work.transactions, ends)
        for one in seen:
            outcomes += self._take(one, ends, now_s=now_s)
        # Only where the nonce is used there can be a receipt.
        asked = [
            tx
            for tx in work.transactions
            if (TxState(tx.state) in WAITING or tx.tx_pk in undone)
            and tx.nonce < used.get(tx.sender, 0)
        ]
        receipts = mined_on_chain(
            self._client,
            [tx.tx_hash for tx in asked],
            head=ends.head.number,
            since=min((tx.signed_at_block for tx in asked), default=None),
        )
        found: set[Slot] = set()
        for tx, mined in zip(asked, receipts, strict=True):
            if mined is not None:
                found.add((tx.sender, tx.nonce))
                self._line.add(mined.block_number, mined.block_hash)
                outcomes += self._take(Seen(tx, TxStep.FIND, mined), ends, now_s=now_s)
        for slot, txs in slots.items():
            waits = all(TxState(tx.state) in WAITING or tx.tx_pk in undone for tx in txs)
            if waits and slot not in found:
                outcomes += self._passed(
                    txs, ends, used=slot[1] < used.get(slot[0], 0), now_s=now_s
                )
        return outcomes

    def _mined_before(self, txs: Sequence[TxRow], ends: Ends) -> tuple[list[Seen], set[int]]:
        """Steps of what was mined when last looked at, and which of it is undone."""
        mined = [
            tx
            for tx in txs
            if tx.state == TxState.MINED
            and tx.block_number is not None
            and tx.block_number <= ends.head.number
        ]
        # What becomes final is for good: of that the chain is asked, whatever is remembered.
        asked = [
            tx.block_number
            for tx in mined
            if tx.block_number is not None
            and (ends.is_final(tx.block_number) or not self._line.has(tx))
        ]
        hashes = hashes_at(self._client, asked) if asked else {}
        seen, undone = [], set()
        for tx in mined:
            assert tx.block_number is not None
            if tx.block_number not in hashes and self._line.has(tx):
                continue
            here = hashes.get(tx.block_number)
            if here is None:
                # A node that lags says nothing of it.
                continue
            if here != tx.block_hash:
                undone.add(tx.tx_pk)
                seen.append(Seen(tx, TxStep.UNDO))
                continue
            self._line.add(tx.block_number, here)
            if ends.is_final(tx.block_number):
                seen.append(Seen(tx, TxStep.SETTLE))
        return seen, undone

    def _take(self, seen: Seen, ends: Ends, *, now_s: int) -> list[Outcome]:
        """Store one step and what follows from it for its slot and intents."""
        reason = None
        if seen.mined is not None and not seen.mined.succeeded:
            reason = "the transaction reverted: " + self._client.revert_reason(seen.tx.tx_hash)
        with transaction(self._engine) as connection:
            slot = rows.slot_of(connection, seen.tx.sender, seen.tx.nonce)
            tx = next(t for t in slot if t.tx_pk == seen.tx.tx_pk)
            if (TxState(tx.state), seen.step) not in TX_STEPS:
                # Another process was quicker, where a lock was lost with its connection.
                return []
            values: dict[str, object] = {"state": after(TxState(tx.state), seen.step)}
            if seen.step is TxStep.UNDO:
                values |= {"block_number": None, "block_hash": None, "gas_used": None}
                values |= {"cost_gwei": None, "sent_at_block": None}
            mined = seen.mined
            if mined is not None:
                values |= {"block_number": mined.block_number, "block_hash": mined.block_hash}
                values |= {"gas_used": mined.gas_used, "passed_at_block": None}
                values |= {"cost_gwei": mined.gas_used * mined.price_wei // 10**9, "note": None}
            rows.change_tx(connection, tx, **values)
            for other in slot:
                if other.tx_pk != tx.tx_pk:
                    _sibling(connection, other, seen.step)
            return self._restate(connection, slot, tx, mined, reason, now_s=now_s)

    def _restate(
        self,
        connection: Connection,
        slot: Sequence[TxRow],
        tx: TxRow,
        mined: Mined | None,
        reason: str | None,
        *,
        now_s: int,
    ) -> list[Outcome]:
        """States of all intents that a slot ever carried; outcomes of those that changed."""
        carried = rows.carried_by(connection, [t.tx_pk for t in slot])
        here = [c.intent_pk for c in carried if c.tx_pk == tx.tx_pk]
        outcomes = []
        for intent_pk in sorted({c.intent_pk for c in carried}):
            intent = rows.intent_by_key(connection, intent_pk)
            assert intent is not None  # intents are never deleted
            failure = None
            if mined is not None and intent_pk in here:
                failure = reason or _skipped(intent, mined.logs, alone=len(here) == 1)
                rows.note_failure(connection, tx_pk=tx.tx_pk, intent_pk=intent_pk, failure=failure)
            state = rows.restated(connection, intent_pk)
            if state is IntentState.REVERTED:
                put_off(connection, intent_pk, failure or "it failed", now_s=now_s)
            if mined is not None and intent_pk in here and state is not None:
                outcomes.append(_outcome(intent, tx.tx_hash, failure))
        return outcomes

    def _passed(self, txs: Sequence[TxRow], ends: Ends, *, used: bool, now_s: int) -> list[Outcome]:
        """A slot of which no receipt says anything: given up once that is final."""
        head = ends.head.number
        since = max((tx.passed_at_block or 0 for tx in txs), default=0)
        if not used:
            with transaction(self._engine) as connection:
                for tx in txs:
                    if tx.passed_at_block is not None:
                        rows.change_tx(connection, tx, passed_at_block=None)
            return []
        if not since:
            with transaction(self._engine) as connection:
                for tx in txs:
                    rows.change_tx(connection, tx, passed_at_block=head)
            return []
        if not ends.is_final(since) or head < since + self._policy.lost_after:
            return []
        outcomes = []
        with transaction(self._engine) as connection:
            slot = rows.slot_of(connection, txs[0].sender, txs[0].nonce)
            for tx in slot:
                if TxState(tx.state) in WAITING:
                    state = after(TxState(tx.state), TxStep.LOSE)
                    rows.change_tx(connection, tx, state=state, note=NOT_OURS)
            for intent_pk in sorted(
                {c.intent_pk for c in rows.carried_by(connection, [t.tx_pk for t in slot])}
            ):
                state_now = rows.restated(connection, intent_pk)
                intent = rows.intent_by_key(connection, intent_pk)
                assert intent is not None
                if state_now is IntentState.DUE:
                    rows.change_intent(connection, intent, error=NOT_OURS, due_at_s=now_s)
                    outcomes.append(_outcome(intent, slot[-1].tx_hash, NOT_OURS))
        return outcomes


def _sibling(connection: Connection, other: TxRow, step: TxStep) -> None:
    """What a step of one transaction means for another at its nonce."""
    state = TxState(other.state)
    if step is TxStep.SETTLE and state in WAITING:
        rows.change_tx(connection, other, state=after(state, TxStep.YIELD))
    elif step is TxStep.FIND and state is TxState.MINED:
        # One nonce is used once: the other was in a block that is gone.
        rows.change_tx(
            connection, other, state=after(state, TxStep.UNDO), block_number=None, block_hash=None
        )


def _skipped(intent: IntentRow, logs: Sequence[Log], *, alone: bool) -> str | None:
    """Why a batch did not do one of its members; None if its log says that it did."""
    if alone or intent.kind != "settle":
        return None
    lockbox = intent.to_address.lower()
    word = int(intent.facility_id).to_bytes(32, "big")
    for log in logs:
        if log.address == lockbox and log.topics[:2] == (_SETTLED, word):
            return None
    return "the batch skipped it"


def _outcome(intent: IntentRow, tx_hash: Bytes32 | bytes, error: str | None) -> Outcome:
    return Outcome(intent.kind, intent.facility_id, intent.epoch, bytes(tx_hash), error)


def put_off(
    connection: Connection, intent_pk: int, reason: str, *, now_s: int, state: str | None = None
) -> None:
    """Keep why an intent failed, and try it again later than the last time."""
    intent = rows.intent_by_key(connection, intent_pk)
    assert intent is not None
    attempts = intent.attempts + 1
    pause = pause_s(attempts, drawn=_random.random())
    rows.change_intent(
        connection,
        intent,
        state=state or intent.state,
        error=reason,
        attempts=attempts,
        next_try_s=now_s + pause,
    )
