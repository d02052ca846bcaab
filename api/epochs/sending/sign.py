"""Sign: what is due is simulated, priced, signed and stored; nothing is sent here."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from api.chain import calldata
from api.chain.client import ChainClient, EthCall
from api.chain.gas import Estimate, Market, estimate
from api.chain.measured import estimates
from api.chain.signer import Signer, Transaction, sign_legacy_transaction, sign_transaction
from api.db import outbox as rows
from api.db.session import reading, transaction
from api.db.tables.outbox import IntentRow, RelayerRow, SignedTx, TxRow
from api.domain.fees import Fee, first_fee, replacing_fee
from api.domain.transactions import DONE, UNSENT, IntentState, TxState
from api.domain.units import Bytes32, FacilityId
from api.epochs.sending.choose import order_key
from api.epochs.sending.intents import Outcome, Policy
from api.epochs.sending.watch import put_off

_DAY_S = 86_400
# Refusals that say nothing of one facility alone: with the same arguments they are the same fact.
_NAMED = re.compile(r"\w+\(.*\)")
_BATCH_OVERHEAD_GAS = 60_000
# Calls that do the same from anybody: many of them are simulated in one request.
_ANYBODY = frozenset({"post", "settle"})
# Blocks for which a tip that was too low counts: the network may become cheaper again.
_FLOOR_BLOCKS = 7_200


class NoMoney(Exception):
    """The sender cannot pay for a transaction. The message says what it has and needs."""


@dataclass(frozen=True, slots=True)
class Ready:
    """Intents of one transaction, the call that does them, and the gas it may take."""

    intents: tuple[IntentRow, ...]
    to: str
    data: bytes
    gas: int


class Signing:
    """Makes transactions of one sender, at one head."""

    def __init__(
        self,
        engine: Engine,
        client: ChainClient,
        signer: Signer,
        policy: Policy,
        *,
        chain_id: int,
        head: int,
        now_s: int,
    ) -> None:
        self._engine, self._client, self._signer = engine, client, signer
        self._policy, self._chain_id = policy, chain_id
        self.head, self._now_s = head, now_s

    def simulate(
        self, intents: Sequence[IntentRow], *, room: int
    ) -> tuple[list[Ready], list[Outcome]]:
        """What would succeed now, in at most `room` transactions; what would revert is put off,
        with why."""
        ready: list[Ready] = []
        told: list[Outcome] = []
        same: dict[tuple[str, str | None], str] = {}
        keys, calls = set[object](), set[tuple[str, bytes]]()
        together: dict[int, Estimate | None] = {}
        with reading(self._engine) as connection:
            spent = rows.gas_since(connection, self._now_s - _DAY_S)
        for place, intent in enumerate(intents):
            if self._transactions(ready) >= room:
                break
            if order_key(intent) in keys or (intent.to_address, intent.data) in calls:
                continue
            known = same.get((intent.to_address, intent.error))
            if not known and intent.intent_pk not in together:
                together |= self._together(intents[place:], room=room)
            found = Estimate(0, known) if known else together.get(intent.intent_pk)
            found = found or self._estimated(intent)
            refusal = found.refusal or self._over_budget(intent.facility_id, found.gas, spent)
            if refusal is not None:
                if refusal == intent.error and _NAMED.fullmatch(refusal):
                    same[intent.to_address, refusal] = refusal
                told += self._refuse(intent, refusal)
                continue
            keys.add(order_key(intent))
            calls.add((intent.to_address, intent.data))
            spent[intent.facility_id] = spent.get(intent.facility_id, 0) + found.gas
            ready.append(Ready((intent,), intent.to_address, intent.data, found.gas))
        return ready, told

    def _transactions(self, ready: Sequence[Ready]) -> int:
        """How many transactions these will be, as `batched` has them or a few less."""
        settling = sum(one.intents[0].kind == "settle" for one in ready)
        return len(ready) - settling + -(-settling // self._policy.batch_members)

    def _together(self, intents: Sequence[IntentRow], *, room: int) -> dict[int, Estimate | None]:
        """Gas of the first of some intents and of those like it behind it, by primary key; None of
        what is to be asked for alone."""
        first = intents[0]
        if first.kind not in _ANYBODY:
            return {first.intent_pk: None}
        most = self._policy.batch_members if first.kind == "settle" else max(1, room)
        alike = [i for i in intents if (i.kind, i.to_address) == (first.kind, first.to_address)]
        # One of each facility, as only one of it is under way.
        some = list({order_key(i): i for i in reversed(alike)}.values())[::-1][:most]
        calls = [EthCall(i.to_address, i.data) for i in some]
        found = estimates(self._client, calls, sender=self._signer.address, number=self.head)
        return {i.intent_pk: gas for i, gas in zip(some, found, strict=True)}

    def _estimated(self, intent: IntentRow) -> Estimate:
        return estimate(
            self._client,
            sender=self._signer.address,
            to=intent.to_address,
            data=intent.data,
            number=self.head,
        )

    def passes(self, intent: IntentRow) -> bool:
        """Whether a call would still succeed; if not, why is kept, and it waits a while."""
        refusal = self._estimated(intent).refusal
        if refusal is not None and intent.state not in DONE:
            with transaction(self._engine) as connection:
                put_off(connection, intent.intent_pk, refusal, now_s=self._now_s)
        return refusal is None

    def gas_of(self, intents: Sequence[IntentRow]) -> int:
        """Gas for one call that does all of these."""
        gas = [self._estimated(intent).gas for intent in intents]
        return gas[0] if len(gas) == 1 else 2 * sum(gas) + _BATCH_OVERHEAD_GAS

    def _over_budget(
        self, facility_id: FacilityId, gas: int, spent: dict[FacilityId, int]
    ) -> str | None:
        most = self._policy.gas_of_facility_a_day
        used = spent.get(facility_id, 0)
        if used + gas <= most:
            return None
        return (
            f"facility {facility_id} used {used:,} of its {most:,} gas in 24 hours: {gas:,} more"
            " must wait"
        )

    def _refuse(self, intent: IntentRow, refusal: str) -> list[Outcome]:
        with transaction(self._engine) as connection:
            # What another key's transaction still carries is told, and stays as it is.
            state = IntentState.REFUSED if intent.state in UNSENT else intent.state
            put_off(connection, intent.intent_pk, refusal, now_s=self._now_s, state=state)
        return [Outcome(intent.kind, intent.facility_id, intent.epoch, b"", refusal)]

    def batched(self, ready: Sequence[Ready], market: Market) -> list[Ready]:
        """Settlements of one lockbox in one call, as many as its gas allows.

        Gas is the sum of what each takes alone, and that twice: a batch of which one fails on the
        chain is settled one by one in the same call. What `settleMany` itself is estimated at
        would be too little: it succeeds also when it skips everybody.
        """
        most = min(self._policy.batch_gas, market.block_gas // 4)
        alone, groups = [], defaultdict[str, list[Ready]](list)
        for one in ready:
            if one.intents[0].kind == "settle":
                groups[one.to].append(one)
            else:
                alone.append(one)
        for to, members in groups.items():
            for chunk in _chunks(members, most_gas=most, most=self._policy.batch_members):
                if len(chunk) == 1:
                    alone.append(chunk[0])
                    continue
                intents = tuple(intent for one in chunk for intent in one.intents)
                data = calldata.settle_many([intent.facility_id for intent in intents])
                gas = 2 * sum(one.gas for one in chunk) + _BATCH_OVERHEAD_GAS
                alone.append(Ready(intents, to, bytes.fromhex(data[2:]), gas))
        return alone

    def empty(self) -> Ready:
        """A call of the sender to itself, which does nothing but use its nonce."""
        me = self._signer.address
        found = estimate(self._client, sender=me, to=me, data=b"", number=self.head)
        return Ready((), me, b"", found.gas or 21_000)

    def sign_new(
        self, ready: Ready, *, nonce: int, market: Market, floor: int, purpose: str = "call"
    ) -> TxRow | None:
        """Sign and store; None if another process was quicker with any of it."""
        fee = first_fee(market.prices, floor=floor, caps=self._policy.caps)
        return self._store(self._signed(ready, nonce, fee, market, purpose), ready.intents)

    def sign_again(
        self, old: TxRow, ready: Ready, *, market: Market, floor: int, purpose: str
    ) -> TxRow | None:
        """Sign another transaction at a nonce, at a fee that nodes take; None where caps forbid."""
        offered = Fee(old.max_fee_wei, old.priority_fee_wei)
        fee = replacing_fee(offered, market.prices, floor=floor, caps=self._policy.caps)
        if fee is None:
            return None
        return self._store(self._signed(ready, old.nonce, fee, market, purpose), ready.intents)

    def _signed(self, ready: Ready, nonce: int, fee: Fee, market: Market, purpose: str) -> SignedTx:
        # A fourth more: state may change until it is mined. On a rollup gas pays for L1 too.
        gas = min(ready.gas * 5 // 4, market.block_gas)
        legacy = market.prices.base_fee is None
        sign = sign_legacy_transaction if legacy else sign_transaction
        fields = Transaction(
            chain_id=self._chain_id,
            nonce=nonce,
            to=ready.to,
            data=ready.data,
            gas=gas,
            max_fee_wei=fee.max_fee,
            priority_fee_wei=fee.tip,
        )
        raw, tx_hash = sign(self._signer, fields)
        return SignedTx(
            sender=self._signer.address,
            nonce=nonce,
            purpose=purpose,
            state=TxState.SIGNED,
            raw_tx=raw,
            tx_hash=Bytes32(tx_hash),
            max_fee_wei=fee.max_fee,
            priority_fee_wei=fee.tip,
            gas_limit=gas,
            signed_at_s=self._now_s,
            signed_at_block=self.head,
        )

    def _store(self, signed: SignedTx, intents: Iterable[IntentRow]) -> TxRow | None:
        members = list(intents)
        try:
            with transaction(self._engine) as connection:
                for intent in members:
                    values: dict[str, object] = {"error": None, "adopt": False}
                    if intent.state != IntentState.CANCELLING:
                        values["state"] = IntentState.SENT
                    if not rows.change_intent(connection, intent, **values):
                        raise _Quicker
                return rows.save_signed(connection, signed, [i.intent_pk for i in members])
        except (IntegrityError, _Quicker):
            return None


class _Quicker(Exception):
    """Another process changed an intent."""


def require_money(
    balance: int, waiting: Sequence[TxRow], ready: Ready, fee: Fee, *, sender: str
) -> None:
    """Raise NoMoney unless a sender can pay for one more transaction besides what waits."""
    newest = {tx.nonce: tx for tx in sorted(waiting, key=lambda t: t.attempt)}
    owed = sum(tx.gas_limit * tx.max_fee_wei for tx in newest.values())
    needed = owed + ready.gas * 5 // 4 * fee.max_fee
    if balance < needed:
        raise NoMoney(
            f"not enough funds for gas: {sender} has {balance / 10**18:.6f} of the chain's coin,"
            f" and {needed / 10**18:.6f} may be needed"
        )


def _chunks(ready: Sequence[Ready], *, most_gas: int, most: int) -> list[list[Ready]]:
    chunks: list[list[Ready]] = []
    gas = 0
    for one in ready:
        if not chunks or gas + one.gas > most_gas or len(chunks[-1]) >= most:
            chunks.append([])
            gas = 0
        chunks[-1].append(one)
        gas += one.gas
    return chunks


def with_data(ready: Ready, members: Sequence[IntentRow], gas: int) -> Ready:
    """The same kind of call for other members."""
    if len(members) == 1:
        only = members[0]
        return Ready((only,), only.to_address, only.data, gas)
    data = calldata.settle_many([intent.facility_id for intent in members])
    return replace(ready, intents=tuple(members), data=bytes.fromhex(data[2:]), gas=gas)


def floor_of(row: RelayerRow, head: int) -> int:
    """Lowest tip that is worth offering, as nodes said not long ago."""
    return row.tip_floor_wei if head - row.tip_floor_block < _FLOOR_BLOCKS else 0
