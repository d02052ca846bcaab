"""Outbox: what is to be done once on the chain, from stored intent to final.

Transactions are signed and stored before they are sent, so that no crash doubles one. A nonce is
ours until a transaction in it is final: what a reorg drops is sent again as the same bytes, the
lowest free nonce is filled first, and every hash that may be mined is kept. Nothing is sent that
would revert. `domain/transactions.py` holds the states; `epochs/sending` each step.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from api.chain.client import ChainClient
from api.chain.finality import Ends, ends_of
from api.chain.gas import Market, read_market
from api.chain.mined import balance_at, nonce_at
from api.chain.signer import Signer
from api.db import outbox as rows
from api.db.outbox import Work
from api.db.sender_lock import sender_lock
from api.db.session import reading, transaction
from api.db.tables.outbox import IntentRow, NewIntent, RelayerRow, TxRow
from api.domain.fees import first_fee
from api.domain.transactions import DONE, FRESH_S, IDEMPOTENT, UNSENT, WAITING, IntentState, TxState
from api.epochs.sending.choose import Place, free_nonces, signable
from api.epochs.sending.intents import Intent as Intent  # other modules take these from here
from api.epochs.sending.intents import Outcome as Outcome
from api.epochs.sending.intents import Policy as Policy
from api.epochs.sending.send import Sending, newest_of_slots
from api.epochs.sending.sign import NoMoney, Ready, Signing, floor_of, require_money, with_data
from api.epochs.sending.watch import Watch
from api.errors import SignerFailed

# A tip is doubled until a node takes it; more often it is the caps that end it.
_MOST_TIPS = 24
# On a chain that mines at once, calls that follow each other go out in one turn.
_MOST_TURNS = 64
# What is found due in every round is noted now and then only.
_NOTED_AGAIN_S = 300


class Outbox:
    """Carries intents to the chain with one key. Other keys' transactions are watched."""

    def __init__(
        self,
        engine: Engine,
        client: ChainClient,
        signer: Signer,
        *,
        chain_id: int,
        confirmations: int | None = None,
        policy: Policy | None = None,
    ) -> None:
        self._engine, self._client, self._signer = engine, client, signer
        self._chain_id, self._confirmations = chain_id, confirmations
        self._policy = policy or Policy()
        self._watch = Watch(engine, client, self._policy)
        self._sending = Sending(engine, client)

    def store(self, intents: Sequence[Intent], now_s: int) -> int:
        """Note what is due; returns how many are new or due again with another call.

        What is under way or done is left alone; so is what somebody cancelled.
        """
        return sum(self._note(intent, now_s) for intent in intents)

    def _note(self, intent: Intent, now_s: int) -> bool:
        assert intent.kind in IDEMPOTENT, f"{intent.kind} may reach the chain twice"
        data = bytes.fromhex(intent.data.removeprefix("0x"))
        with reading(self._engine) as connection:
            row = rows.intent_of(
                connection, intent.kind, intent.facility_id, intent.epoch, sequence=intent.sequence
            )
        if row is None:
            new = NewIntent(
                kind=intent.kind,
                facility_id=intent.facility_id,
                epoch=intent.epoch,
                sequence=intent.sequence,
                state=IntentState.DUE,
                to_address=intent.to,
                data=data,
                error=None,
                attempts=0,
                next_try_s=0,
                adopt=False,
                due_at_s=now_s,
                created_at_s=now_s,
            )
            try:
                with transaction(self._engine) as connection:
                    rows.add_intent(connection, new)
            except IntegrityError:
                # Another worker found it first.
                return False
            return True
        same = (row.to_address, row.data) == (intent.to, data)
        if row.state not in UNSENT or (same and now_s - row.due_at_s < _NOTED_AGAIN_S):
            return False
        values: dict[str, object] = {"due_at_s": now_s}
        if not same:
            values |= {"to_address": intent.to, "data": data, "next_try_s": 0, "error": None}
        with transaction(self._engine) as connection:
            return rows.change_intent(connection, row, **values) and not same

    def advance(self, now_s: int) -> list[Outcome]:
        """Do what can be done now and return; the next block or second brings the rest.

        One process at a time: where another has the key, nothing is done.
        Raises:  ChainUnavailable; what was stored before stays.
        """
        with sender_lock(self._engine, self._signer.address) as mine:
            return self._advance(now_s) if mine else []

    def _advance(self, now_s: int) -> list[Outcome]:
        outcomes: list[Outcome] = []
        work = self._work(now_s)
        for _ in range(_MOST_TURNS):
            if not work.transactions and not work.intents:
                break
            turn = self._turn(work, now_s)
            outcomes += self._watch.look(work, turn.ends, turn.used, now_s=now_s)
            outcomes += self._sign(turn)
            if not self._send(turn, outcomes):
                break
            # Some chains mine at once: then what followed the call in a facility can go too.
            work = self._work(now_s)
            turn = self._turn(work, now_s)
            mined = self._watch.look(work, turn.ends, turn.used, now_s=now_s)
            outcomes += mined
            if not mined:
                break
            work = self._work(now_s)
        return outcomes

    def _work(self, now_s: int) -> Work:
        with reading(self._engine) as connection:
            return rows.unfinished(connection, due_since_s=now_s - FRESH_S)

    def _turn(self, work: Work, now_s: int) -> "_Turn":
        ends = ends_of(self._client, self._confirmations)
        waiting = [tx for tx in work.transactions if TxState(tx.state) in WAITING]
        senders = {self._signer.address, *(tx.sender for tx in work.transactions)}
        number = ends.head.number
        used = {sender: nonce_at(self._client, sender, number) for sender in sorted(senders)}
        can_pay = {}
        for sender in {tx.sender for tx in waiting} - {self._signer.address}:
            first = next(tx for tx in newest_of_slots(waiting) if tx.sender == sender)
            balance = balance_at(self._client, sender, number)
            can_pay[sender] = balance >= first.gas_limit * first.max_fee_wei
        return _Turn(ends, used, can_pay, now_s)

    def _sign(self, turn: "_Turn") -> list[Outcome]:
        """Simulate, price, sign and store: new calls, replacements, and what fills gaps."""
        work, me, head = self._work(turn.now_s), self._signer.address, turn.ends.head.number
        own = [tx for tx in work.transactions if tx.sender == me]
        with reading(self._engine) as connection:
            final = rows.highest_final_nonce(connection, me)
            relayer = rows.relayer_row(connection, me)
        place = Place(me, head, turn.used, turn.can_pay)
        chosen = signable(work, place, self._policy, now_s=turn.now_s)
        gaps, end = free_nonces(own, used=turn.used[me], final=final)
        waiting = newest_of_slots(own)
        old = [tx for tx in waiting if tx.nonce >= turn.used[me] and tx.signed_at_block < head]
        cancelled = self._cancelled(work, waiting)
        overtaken = _overtaken(work, [tx for tx in waiting if tx.nonce >= turn.used[me]])
        if not (chosen or gaps or old or cancelled or overtaken):
            return []
        signing = self._signing(turn)
        market = read_market(self._client, head)
        floor = floor_of(relayer, head)
        outcomes: list[Outcome] = []
        try:
            for tx in cancelled:
                self._again(signing, work, tx, market, floor)
            for tx in overtaken:
                if not self._again(signing, work, tx, market, floor):
                    turn.held.add(tx.tx_pk)
            wanted = [tx for tx in old if tx not in [*cancelled, *overtaken]]
            for tx in self._stuck(wanted, market, head):
                self._again(signing, work, tx, market, floor)
            self._revive(signing, work, wanted, turn, market, floor)
            ready, outcomes = signing.simulate(chosen, room=self._policy.in_flight - len(waiting))
            self._sign_new(signing, ready, market, waiting, gaps=gaps, end=end, floor=floor)
        except (NoMoney, SignerFailed) as error:
            outcomes += self._problem(relayer, str(error), chosen, turn.now_s)
        else:
            if relayer.problem is not None:
                cleared = replace(relayer, problem=None, problem_since_s=None)
                with transaction(self._engine) as connection:
                    rows.save_relayer(connection, cleared)
        return outcomes

    def _signing(self, turn: "_Turn") -> Signing:
        return Signing(
            self._engine,
            self._client,
            self._signer,
            self._policy,
            chain_id=self._chain_id,
            head=turn.ends.head.number,
            now_s=turn.now_s,
        )

    def _sign_new(
        self,
        signing: Signing,
        ready: Sequence[Ready],
        market: Market,
        waiting: Sequence[TxRow],
        *,
        gaps: Sequence[int],
        end: int,
        floor: int,
    ) -> None:
        """Calls take the lowest free nonces; gaps that are left get a call that does nothing."""
        batches = signing.batched(ready, market)
        free = [*gaps, *range(end, end + len(batches))]
        unfilled = max(0, len(gaps) - len(batches))
        if not batches and not unfilled:
            return
        fills = [signing.empty()] * unfilled if unfilled else []
        fee = first_fee(market.prices, floor=floor, caps=self._policy.caps)
        me = self._signer.address
        balance = balance_at(self._client, me, signing.head)
        stored = list(waiting)
        for nonce, one in zip(free, [*batches, *fills], strict=False):
            require_money(balance, stored, one, fee, sender=me)
            purpose = "call" if one.intents else "fill"
            tx = signing.sign_new(one, nonce=nonce, market=market, floor=floor, purpose=purpose)
            if tx is None:
                return
            stored.append(tx)

    def _stuck(self, old: Sequence[TxRow], market: Market, head: int) -> list[TxRow]:
        """What is to be offered at a higher fee: no later nonce is mined before the lowest."""
        base = market.prices.base_fee or 0
        found = []
        for place, tx in enumerate(old):
            too_old = place == 0 and head - tx.signed_at_block >= self._policy.replace_after
            if too_old or tx.max_fee_wei < base:
                found.append(tx)
        return found

    def _revive(
        self,
        signing: Signing,
        work: Work,
        old: Sequence[TxRow],
        turn: "_Turn",
        market: Market,
        floor: int,
    ) -> None:
        """What a reorg dropped, or a crash left unsent, goes out as the same bytes if it still can.

        Else it waits for those before it, which may make it possible; the lowest of all gives its
        nonce to a call that does nothing.
        """
        for place, tx in enumerate(old):
            if tx.state != TxState.SIGNED:
                continue
            if all(signing.passes(member) for member in _members(work, tx)):
                continue
            if place == 0 and self._again(signing, work, tx, market, floor):
                continue
            turn.held.add(tx.tx_pk)

    def _cancelled(self, work: Work, waiting: Sequence[TxRow]) -> list[TxRow]:
        """Transactions that carry something which somebody took back."""
        wanted = {i.intent_pk for i in work.intents if i.state == IntentState.CANCELLING}
        carries = {c.tx_pk for c in work.carried if c.intent_pk in wanted}
        return [tx for tx in waiting if tx.tx_pk in carries]

    def _again(
        self, signing: Signing, work: Work, tx: TxRow, market: Market, floor: int
    ) -> TxRow | None:
        """Another transaction at a nonce: with what of its call is wanted and would succeed."""
        members = _members(work, tx)
        kept = [m for m in members if m.state == IntentState.SENT and signing.passes(m)]
        if not kept:
            purpose = "cancel" if members else tx.purpose
            return signing.sign_again(
                tx, signing.empty(), market=market, floor=floor, purpose=purpose
            )
        gas = signing.gas_of(kept)
        ready = with_data(Ready(tuple(kept), kept[0].to_address, b"", gas), kept, gas)
        return signing.sign_again(tx, ready, market=market, floor=floor, purpose="call")

    def _send(self, turn: "_Turn", outcomes: list[Outcome]) -> bool:
        """Send what waits; whether a node took anything. A tip that is too low is learned from."""
        head, me = turn.ends.head.number, self._signer.address
        taken = 0
        for _ in range(_MOST_TIPS):
            work = self._work(turn.now_s)
            answer = self._sending.send(work, used=turn.used, head=head, sender=me, held=turn.held)
            taken += answer.taken
            with reading(self._engine) as connection:
                relayer = rows.relayer_row(connection, me)
            if answer.no_money is not None:
                outcomes += self._problem(relayer, answer.no_money, work.intents, turn.now_s)
            if answer.too_low is None:
                break
            tx, wanted = answer.too_low
            if not self._offer_more(turn, work, tx, wanted, relayer):
                message = f"nodes want a tip of {wanted} wei, which the caps of fees do not allow"
                outcomes += self._problem(relayer, message, work.intents, turn.now_s)
                break
        return taken > 0

    def _offer_more(
        self, turn: "_Turn", work: Work, tx: TxRow, wanted: int, relayer: RelayerRow
    ) -> bool:
        """Remember what a node wants, and sign the same call with it."""
        head = turn.ends.head.number
        with transaction(self._engine) as connection:
            learned = replace(relayer, tip_floor_wei=wanted, tip_floor_block=head)
            rows.save_relayer(connection, learned)
        signing = self._signing(turn)
        market = read_market(self._client, head)
        members = _members(work, tx)
        gas = tx.gas_limit * 4 // 5
        me = self._signer.address
        ready = Ready((), me, b"", gas)
        if members:
            first = Ready(tuple(members), members[0].to_address, b"", gas)
            ready = with_data(first, members, gas)
        again = signing.sign_again(tx, ready, market=market, floor=wanted, purpose=tx.purpose)
        return again is not None

    def _problem(
        self, relayer: RelayerRow, problem: str, waiting: Sequence[IntentRow], now_s: int
    ) -> list[Outcome]:
        """Keep why nothing can be sent; told once, of the first intent that waits for it."""
        since = now_s if relayer.problem is None else relayer.problem_since_s
        with transaction(self._engine) as connection:
            latest = rows.relayer_row(connection, relayer.sender)
            changed = replace(latest, problem=problem, problem_since_s=since)
            rows.save_relayer(connection, changed)
        if relayer.problem is not None or not waiting:
            return []
        first = waiting[0]
        return [Outcome(first.kind, first.facility_id, first.epoch, b"", problem)]


@dataclass(frozen=True, slots=True)
class _Turn:
    """The chain as it is in one turn. used: nonces by sender, at the head."""

    ends: Ends
    used: dict[str, int]
    can_pay: dict[str, bool]
    now_s: int
    # Transactions that would revert if they were sent now.
    held: set[int] = field(default_factory=set)


def _members(work: Work, tx: TxRow) -> list[IntentRow]:
    """What a transaction carries."""
    carried = {c.intent_pk for c in work.carried if c.tx_pk == tx.tx_pk}
    return [intent for intent in work.intents if intent.intent_pk in carried]


def _overtaken(work: Work, waiting: Sequence[TxRow]) -> list[TxRow]:
    """Transactions of which all that they carry was done by others meanwhile."""
    found = []
    for tx in waiting:
        members = _members(work, tx)
        if members and all(member.state in DONE for member in members):
            found.append(tx)
    return found
