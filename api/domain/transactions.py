"""Transactions from stored intent to final: which states there are, and which step leads where.

An intent is what is to be done once. A slot is one nonce of one sender; it is ours until a
transaction in it is final. Transactions are every signed bytes that may fill a slot: calls that
carry intents, and empty ones that take intents back or fill a gap.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class TxState(StrEnum):
    """How a signed transaction stands."""

    SIGNED = "signed"  # stored; no node took it yet, as far as we know
    SENT = "sent"  # a node took it
    MINED = "mined"  # in a block of the chain as it is now, which can still be undone
    FINAL = "final"  # in a final block
    REPLACED = "replaced"  # another of ours is final at its nonce
    LOST = "lost"  # none of ours took its nonce, and that is final


class TxStep(StrEnum):
    """What is seen of a transaction on the chain."""

    TAKE = "take"  # a node takes it, or has it already
    FIND = "find"  # its receipt names a block that is on the chain
    UNDO = "undo"  # that block is on the chain no more
    SETTLE = "settle"  # that block is final
    YIELD = "yield"  # another of ours at its nonce is final
    LOSE = "lose"  # its nonce is used by none of ours, and that is final


# What is not here cannot happen: `after` refuses it.
TX_STEPS: Mapping[tuple[TxState, TxStep], TxState] = MappingProxyType(
    {
        (TxState.SIGNED, TxStep.TAKE): TxState.SENT,
        # A reply was lost: it was taken all the same.
        (TxState.SIGNED, TxStep.FIND): TxState.MINED,
        (TxState.SIGNED, TxStep.YIELD): TxState.REPLACED,
        (TxState.SIGNED, TxStep.LOSE): TxState.LOST,
        (TxState.SENT, TxStep.TAKE): TxState.SENT,
        (TxState.SENT, TxStep.FIND): TxState.MINED,
        (TxState.SENT, TxStep.YIELD): TxState.REPLACED,
        (TxState.SENT, TxStep.LOSE): TxState.LOST,
        # The same bytes are sent again.
        (TxState.MINED, TxStep.UNDO): TxState.SIGNED,
        (TxState.MINED, TxStep.FIND): TxState.MINED,
        (TxState.MINED, TxStep.SETTLE): TxState.FINAL,
    }
)
# States in which a transaction may still be mined, or undone.
WATCHED = frozenset({TxState.SIGNED, TxState.SENT, TxState.MINED})
# Of these, those that wait for a block.
WAITING = frozenset({TxState.SIGNED, TxState.SENT})


def after(state: TxState, step: TxStep) -> TxState:
    """State of a transaction after a step. Raises ValueError for a step that cannot be."""
    try:
        return TX_STEPS[state, step]
    except KeyError:
        raise ValueError(f"a transaction that is {state} cannot {step}") from None


class IntentState(StrEnum):
    """How an intent stands."""

    DUE = "due"  # nothing of it is under way
    REFUSED = "refused"  # simulation says that it would revert: tried again later
    SENT = "sent"  # a signed transaction carries it
    MINED = "mined"  # done in a block that can still be undone
    FINAL = "final"  # done in a final block
    REVERTED = "reverted"  # mined, and failed there: tried again later
    CANCELLING = "cancelling"  # taken back; what carried it may still be mined
    CANCELLED = "cancelled"  # taken back for good, unless somebody says `resend`


# States in which something of an intent is under way: nothing more is signed for it.
UNDER_WAY = frozenset({IntentState.SENT, IntentState.CANCELLING})
# States in which it is done, as the chain is now.
DONE = frozenset({IntentState.MINED, IntentState.FINAL})
# States in which it waits to be signed: at once, or when its time has come.
UNSENT = frozenset({IntentState.DUE, IntentState.REFUSED, IntentState.REVERTED})
# What nobody found due for so long is not tried by itself: what made it due may be over.
FRESH_S = 3_600
_TAKEN_BACK = frozenset({IntentState.CANCELLING, IntentState.CANCELLED})


class Part(StrEnum):
    """What one slot says of an intent that it carried."""

    WAITS = "waits"  # a transaction that carries it may be mined
    MINED = "mined"
    FINAL = "final"
    FAILED = "failed"  # mined or final, and it failed there
    HIDDEN = "hidden"  # another transaction is mined in the slot, not yet final
    GONE = "gone"  # another is final in the slot, or it was lost


@dataclass(frozen=True, slots=True)
class SlotTx:
    """A transaction of a slot, as one intent sees it.

    carries: whether it carries the intent.  failed: whether it was mined and did not do it.
    """

    state: TxState
    carries: bool
    failed: bool = False


def part_of_slot(transactions: Collection[SlotTx]) -> Part:
    """What a slot says of an intent that one of its transactions carries."""
    for tx in transactions:
        if tx.state in (TxState.MINED, TxState.FINAL):
            if tx.carries:
                done = Part.FINAL if tx.state is TxState.FINAL else Part.MINED
                return Part.FAILED if tx.failed else done
            return Part.GONE if tx.state is TxState.FINAL else Part.HIDDEN
    if any(tx.carries and tx.state in WAITING for tx in transactions):
        return Part.WAITS
    return Part.GONE


# In this order: the first that a slot says decides. An intent that somebody took back stays so,
# unless it happened all the same.
_STANDING = (
    (Part.FINAL, IntentState.FINAL, IntentState.FINAL),
    (Part.MINED, IntentState.MINED, IntentState.MINED),
    (Part.WAITS, IntentState.SENT, IntentState.CANCELLING),
    (Part.FAILED, IntentState.REVERTED, IntentState.CANCELLED),
    (Part.HIDDEN, IntentState.DUE, IntentState.CANCELLING),
    (Part.GONE, IntentState.DUE, IntentState.CANCELLED),
)


def standing(state: IntentState, parts: Collection[Part]) -> IntentState:
    """State of an intent by what all its slots say.

    Args:    state: so far; what was refused stays refused while no slot says more.
             parts: of at least one slot.
    """
    for part, wanted, taken_back in _STANDING:
        if part in parts:
            if state in _TAKEN_BACK:
                return taken_back
            unsent = wanted in (IntentState.DUE, IntentState.REVERTED)
            stays = unsent and state is IntentState.REFUSED
            return state if stays else wanted
    raise ValueError("an intent without a slot stands as it was stored")


# Why each kind may reach the chain twice, as where an old key's transaction is mined after its
# intent was taken over. A kind that cannot say so must not be sent by the outbox.
IDEMPOTENT: Mapping[str, str] = MappingProxyType(
    {
        "approve": "the signatures count for one number of approvals: a second call reverts",
        "post": "the registry takes each epoch once, in order: a second call reverts",
        "settle": "pays what is due then: a second call pays what came since, or reverts",
        "serve": "the desk counts each second of a line once: a second call serves the rest",
        "close": "a facility is closed once: a second call reverts",
    }
)
# Kinds of which only one is under way at a time: for a facility, or (approve) at all. The next
# would be simulated on a state that the one before changes.
ONE_OF_FACILITY = frozenset({"post", "settle", "close"})
ONE_AT_ALL = frozenset({"approve"})

_FIRST_PAUSE_S = 15
LONGEST_PAUSE_S = 900
_MOST_DOUBLINGS = 16


def pause_s(attempts: int, *, drawn: float) -> int:
    """Seconds until a refused intent is tried again: doubled each time, up to a quarter hour.

    Args:    attempts: times that it was refused, from 1.
             drawn: from 0 to 1, at random: what failed together does not come back together.
    """
    doubled = _FIRST_PAUSE_S * 2 ** min(attempts - 1, _MOST_DOUBLINGS)
    return int(min(doubled, LONGEST_PAUSE_S) * (0.75 + drawn / 2))
