"""Send: stored transactions go to the node, the lowest nonce first, again with every block.

What a node answers is a reason to look at the chain, and never the outcome of a transaction.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from api.chain.client import ChainClient, RpcError
from api.db import outbox as rows
from api.db.outbox import Work
from api.db.session import transaction
from api.db.tables.outbox import TxRow
from api.domain.transactions import WAITING, TxState, TxStep, after
from api.errors import ChainUnavailable

_MINIMUM = re.compile(r"minimum needed:? (\d+)")
# Where a node does not say what it takes: tips are doubled, from a hundredth of a gwei.
_LEAST_TIP_WEI = 10**7
# Said of a transaction that is, or whose nonce is, in the pool or on the chain already.
_TAKEN = ("already", "replacement", "nonce")
_TIP_TOO_LOW = ("underpriced", "tip", "gas price")


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of sending: how many were taken, and what stops a sender.

    too_low: a transaction whose tip is below what the node takes, and the tip that it wants.
    no_money: what the node said, where the sender cannot pay.
    """

    taken: int = 0
    too_low: tuple[TxRow, int] | None = None
    no_money: str | None = None


def newest_of_slots(txs: Sequence[TxRow]) -> list[TxRow]:
    """The newest transaction of each nonce that waits for a block, in nonce order."""
    slots: dict[tuple[str, int], TxRow] = {}
    mined = {(tx.sender, tx.nonce) for tx in txs if TxState(tx.state) not in WAITING}
    for tx in txs:
        slot = (tx.sender, tx.nonce)
        if slot not in mined and (slot not in slots or slots[slot].attempt < tx.attempt):
            slots[slot] = tx
    return sorted(slots.values(), key=lambda tx: (tx.nonce, tx.sender))


class Sending:
    """Sends what waits, with the answers kept beside it."""

    def __init__(self, engine: Engine, client: ChainClient) -> None:
        self._engine, self._client = engine, client

    def send(
        self, work: Work, *, used: dict[str, int], head: int, sender: str, held: Collection[int]
    ) -> Answered:
        """Send what was not sent since this block came; of other senders what nobody took over.

        Args:    held: transactions that are not to be sent now.
        """
        taken = 0
        stopped = set[str]()
        for tx in newest_of_slots(work.transactions):
            fresh = tx.sent_at_block is None or tx.sent_at_block < head
            mine = tx.sender == sender
            if not fresh or not tx.raw_tx or tx.tx_pk in held or tx.nonce < used.get(tx.sender, 0):
                continue
            if tx.sender in stopped or not (mine or _still_theirs(tx, work, sender)):
                continue
            answer = self._one(tx, head)
            if answer.too_low is not None and mine:
                return Answered(taken, too_low=answer.too_low)
            if answer.no_money is not None:
                stopped.add(tx.sender)
                if mine:
                    return Answered(taken, no_money=answer.no_money)
            taken += answer.taken
        return Answered(taken)

    def _one(self, tx: TxRow, head: int) -> Answered:
        try:
            self._client.send_raw(tx.raw_tx)
        except ChainUnavailable as error:
            # The reply may be lost and the transaction taken: the next block shows it.
            self._note(tx, sent_at_block=head, note=error.message)
            return Answered()
        except RpcError as error:
            said = error.message
            low = said.lower()
            if "insufficient funds" in low:
                self._note(tx, note=said)
                return Answered(no_money=said)
            if not any(word in low for word in _TAKEN) and any(w in low for w in _TIP_TOO_LOW):
                self._note(tx, note=said)
                return Answered(too_low=(tx, _wanted_tip(said, tx)))
            self._note(tx, sent_at_block=head, note=said)
            return Answered()
        self._note(tx, sent_at_block=head, note=None, state=after(TxState(tx.state), TxStep.TAKE))
        return Answered(1)

    def _note(self, tx: TxRow, **values: object) -> None:
        with transaction(self._engine) as connection:
            rows.change_tx(connection, tx, **values)


def _wanted_tip(said: str, tx: TxRow) -> int:
    named = _MINIMUM.search(said)
    return int(named[1]) if named else max(2 * tx.priority_fee_wei, _LEAST_TIP_WEI)


def _still_theirs(tx: TxRow, work: Work, sender: str) -> bool:
    """Whether what another sender's transaction carries was not taken over by this one."""
    carried = {c.intent_pk for c in work.carried if c.tx_pk == tx.tx_pk}
    own = {t.tx_pk for t in work.transactions if t.sender == sender}
    return not any(c.intent_pk in carried and c.tx_pk in own for c in work.carried)
