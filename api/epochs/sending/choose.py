"""Choose: which intents may be signed now, and in which order."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import SystemRandom

from api.db.outbox import Work
from api.db.tables.outbox import IntentRow, TxRow
from api.domain.transactions import (
    FRESH_S,
    LONGEST_PAUSE_S,
    ONE_AT_ALL,
    ONE_OF_FACILITY,
    UNDER_WAY,
    UNSENT,
    WAITING,
    IntentState,
    TxState,
)
from api.domain.units import FacilityId
from api.epochs.sending.intents import Policy

_random = SystemRandom()


@dataclass(frozen=True, slots=True)
class Place:
    """Where the chain and the relayer stand: the sender, the head, and what is used and owned."""

    sender: str
    head: int
    used: Mapping[str, int]
    # Of senders of other keys: whether they can pay for what waits.
    can_pay: Mapping[str, bool]


def order_key(intent: IntentRow) -> tuple[object, ...]:
    """Of intents with one key only one is under way."""
    if intent.kind in ONE_AT_ALL:
        return (intent.kind,)
    if intent.kind in ONE_OF_FACILITY:
        return (intent.kind, intent.facility_id)
    return (intent.kind, intent.facility_id, intent.epoch, intent.sequence)


def left_behind(work: Work, place: Place, policy: Policy) -> set[int]:
    """Intents that only transactions of other keys carry, of which nothing more will come.

    Their transactions stay watched; whoever is mined first does it, the other reverts.
    """
    carriers = defaultdict(list)
    txs = {tx.tx_pk: tx for tx in work.transactions}
    for carried in work.carried:
        carriers[carried.intent_pk].append(txs[carried.tx_pk])
    adopted = {i.intent_pk for i in work.intents if i.adopt}
    return {
        intent_pk
        for intent_pk, found in carriers.items()
        if all(tx.sender != place.sender and TxState(tx.state) in WAITING for tx in found)
        and (intent_pk in adopted or all(_given_up(tx, place, policy) for tx in found))
    }


def _given_up(tx: TxRow, place: Place, policy: Policy) -> bool:
    if tx.nonce < place.used.get(tx.sender, 0):
        # Used: soon its receipt is seen, or it is lost.
        return False
    quiet = place.head - tx.signed_at_block >= policy.adopt_after
    return quiet or not place.can_pay.get(tx.sender, True)


def signable(work: Work, place: Place, policy: Policy, *, now_s: int) -> list[IntentRow]:
    """Intents to be simulated now: facilities take turns, what failed before comes last."""
    adoptable = left_behind(work, place, policy)
    busy = {order_key(i) for i in work.intents if i.state in UNDER_WAY} - {
        order_key(i) for i in work.intents if i.intent_pk in adoptable
    }
    calls = {
        (i.to_address, i.data)
        for i in work.intents
        if i.state in UNDER_WAY and i.intent_pk not in adoptable
    }
    fresh, again = list[IntentRow](), list[IntentRow]()
    for intent in work.intents:
        if intent.intent_pk in adoptable and intent.state == IntentState.SENT:
            fresh.append(intent)
        elif intent.state in UNSENT and _in_time(intent, now_s):
            (fresh if intent.error is None else again).append(intent)
    # Of those that failed for one reason any may be the one that shows that the reason is over.
    _random.shuffle(again)
    chosen = []
    for intent in [*_in_turns(fresh), *again]:
        key, call = order_key(intent), (intent.to_address, intent.data)
        if key not in busy and call not in calls:
            chosen.append(intent)
    return chosen


def _in_time(intent: IntentRow, now_s: int) -> bool:
    # A time far ahead was noted by a clock that was wrong: it holds nothing up.
    waits = now_s < intent.next_try_s <= now_s + 2 * LONGEST_PAUSE_S
    return not waits and now_s - intent.due_at_s < FRESH_S


def _in_turns(intents: Sequence[IntentRow]) -> list[IntentRow]:
    turns: Counter[FacilityId] = Counter()
    numbered = []
    for intent in intents:
        numbered.append((turns[intent.facility_id], intent.intent_pk, intent))
        turns[intent.facility_id] += 1
    return [intent for _turn, _pk, intent in sorted(numbered, key=lambda n: n[:2])]


def free_nonces(own: Sequence[TxRow], *, used: int, final: int) -> tuple[list[int], int]:
    """Nonces below the highest that waits which nothing of ours fills, and the next one after.

    Args:    own: watched transactions of the sender.
             used: at the head, by a node that may lag.  final: highest that is used for good.
    """
    taken = {tx.nonce for tx in own}
    first = max(used, final + 1)
    waiting = [tx.nonce for tx in own if TxState(tx.state) in WAITING]
    end = max([first, *(n + 1 for n in taken)])
    gaps = [n for n in range(first, max(waiting, default=first)) if n not in taken]
    return gaps, end
