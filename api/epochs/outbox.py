"""Outbox: transactions are signed and stored before they are sent, so that no crash doubles one.

The hash is known before sending, so a lost reply costs nothing; on-chain uniqueness (an epoch is
posted once, a settlement pays what is due) makes a repeat harmless; the stored raw transaction
makes it happen at least once. One that is stuck is replaced at its own nonce, and every hash it
may have been mined under is kept.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from api.chain.answers import Receipt
from api.chain.client import ChainClient, RpcError
from api.chain.signer import Signer, Transaction, call_of, sign_transaction
from api.db import outbox as outbox_rows
from api.db.session import reading, transaction
from api.db.tables.chain import IntentRow, NewIntent, SignedTx
from api.domain.units import Bytes32, Epoch, FacilityId

RECEIPT_TIMEOUT_S = 60.0
_RECEIPT_PAUSE_S = 0.02
# Above what `forge test --gas-report` shows for 10 attesters and 4 tranches; unused gas is free.
GAS_LIMIT = 1_500_000
_PRIORITY_FEE_WEI = 10**9
# A fee war, or a node that lies about the base fee, must not empty the account: 1,000 gwei.
MAX_FEE_WEI = 1_000 * 10**9
# Errors that may mean that this transaction, or another at its nonce, is under way or mined.
_UNDER_WAY = ("nonce", "underpriced")


@dataclass(frozen=True, slots=True)
class Intent:
    """One transaction to be sent once: what it is for, and the call."""

    kind: str
    facility_id: FacilityId
    epoch: Epoch
    sequence: int
    to: str
    data: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an intent: done, or failed or refused with the reason."""

    kind: str
    facility_id: FacilityId
    epoch: Epoch
    tx_hash: bytes
    error: str | None


class Outbox:
    """Sends intents with one key, in nonce order."""

    def __init__(
        self,
        engine: Engine,
        client: ChainClient,
        signer: Signer,
        *,
        chain_id: int,
        receipt_timeout_s: float = RECEIPT_TIMEOUT_S,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._engine, self._client, self._signer = engine, client, signer
        self._chain_id, self._sleep = chain_id, sleep
        self._receipt_timeout_s = receipt_timeout_s
        # Hashes that were waited for in vain. After a restart each is given its time again.
        self._overdue: set[bytes] = set()

    def store(self, intents: list[Intent], now_s: int) -> int:
        """Sign and store intents; returns how many. Those already open or done are left alone."""
        nonce_on_chain = self._client.nonce(self._signer.address, "pending")
        max_fee = min(2 * self._client.base_fee() + _PRIORITY_FEE_WEI, MAX_FEE_WEI)
        stored = 0
        for intent in intents:
            with reading(self._engine) as connection:
                seen = _existing(connection, intent)
            if not self._renewable(seen, intent):
                continue
            try:
                with transaction(self._engine) as connection:
                    if _existing(connection, intent) != seen:
                        break
                    highest = outbox_rows.highest_nonce(connection, self._signer.address)
                    nonce = max(nonce_on_chain, highest + 1)
                    signed = self._sign(
                        to=intent.to,
                        data=intent.data,
                        nonce=nonce,
                        max_fee=max_fee,
                        priority=_PRIORITY_FEE_WEI,
                    )
                    outbox_rows.save_intent(connection, _row(intent, signed, now_s))
            except IntegrityError:
                # Another worker took this nonce or this intent: the next round sees what it did.
                break
            stored += 1
        return stored

    def _renewable(self, seen: IntentRow | None, intent: Intent) -> bool:
        """Whether an intent is new, failed and would not again, or was taken back by a reorg.

        The caller found on-chain that the intent is due. The first failure is sent, so that it is
        seen; sending it every round, as where a token refuses to move, would cost gas for ever.
        """
        if seen is None:
            return True
        if seen.state == "failed":
            return self._would_succeed(intent)
        return seen.state == "done" and self._client.receipt(seen.tx_hash) is None

    def _would_succeed(self, intent: Intent) -> bool:
        call = {
            "from": self._signer.address,
            "to": intent.to,
            "data": intent.data,
            "gas": hex(GAS_LIMIT),
        }
        try:
            self._client.request("eth_call", call, "latest")
        except RpcError:
            return False
        return True

    def _sign(
        self, *, to: str, data: str | bytes, nonce: int, max_fee: int, priority: int
    ) -> SignedTx:
        """A transaction with its signature, as the outbox keeps it."""
        called = bytes.fromhex(data.removeprefix("0x")) if isinstance(data, str) else data
        raw, tx_hash = sign_transaction(
            self._signer,
            Transaction(
                chain_id=self._chain_id,
                nonce=nonce,
                to=to,
                data=called,
                gas=GAS_LIMIT,
                max_fee_wei=max_fee,
                priority_fee_wei=priority,
            ),
        )
        return SignedTx(
            sender=self._signer.address,
            nonce=nonce,
            max_fee_wei=max_fee,
            priority_fee_wei=priority,
            raw_tx=raw,
            tx_hash=Bytes32(tx_hash),
        )

    def flush(self) -> list[Outcome]:
        """Send every open intent and wait for the outcomes. Also what a restart begins with."""
        with reading(self._engine) as connection:
            rows = outbox_rows.open_intents(connection)
        sent, not_taken = [], []
        for row in rows:
            if row.sender != self._signer.address:
                continue
            if self._mined(row) is None:
                row = self._priced(row)
                failure = self._send(row)
                if failure is not None:
                    # No later nonce can be mined before this one.
                    not_taken.append(failure)
                    break
            sent.append(row)
        deadline = time.monotonic() + self._receipt_timeout_s
        outcomes = (self._await(row, deadline) for row in sent)
        return [outcome for outcome in outcomes if outcome is not None] + not_taken

    def _priced(self, row: IntentRow) -> IntentRow:
        """The row, or its replacement at a higher fee where the chain no longer takes the old."""
        base = self._client.base_fee()
        enough = row.max_fee_wei >= base + row.priority_fee_wei
        if enough and row.tx_hash not in self._overdue:
            return row
        # Nodes take a replacement only if both fees rise by a tenth; an eighth is beyond doubt.
        max_fee = max(2 * base + _PRIORITY_FEE_WEI, _raised(row.max_fee_wei))
        max_fee = min(max_fee, MAX_FEE_WEI)
        priority = min(_raised(row.priority_fee_wei), max_fee)
        if max_fee < _raised(row.max_fee_wei):
            return row
        to, data = call_of(row.raw_tx)
        signed = self._sign(to=to, data=data, nonce=row.nonce, max_fee=max_fee, priority=priority)
        with transaction(self._engine) as connection:
            outbox_rows.replace_intent(connection, row, signed)
            # Where another worker was quicker, this is what that one stored.
            stored = outbox_rows.intent_of(
                connection, row.kind, row.facility_id, row.epoch, sequence=row.sequence
            )
        assert stored is not None  # intents are never deleted
        return stored

    def _send(self, row: IntentRow) -> Outcome | None:
        """Send; what the node answered, if it will not take the transaction at all."""
        try:
            self._client.send_raw(row.raw_tx)
        except RpcError as error:
            # "nonce too low": mined meanwhile, or another transaction took the nonce.
            # "underpriced": one of ours with a higher fee is there. The receipt tells which.
            if any(text in error.message.lower() for text in _UNDER_WAY):
                return None
            with transaction(self._engine) as connection:
                outbox_rows.note_error(connection, row, error.message)
            return Outcome(row.kind, row.facility_id, row.epoch, row.tx_hash, error.message)
        return None

    def _mined(self, row: IntentRow) -> tuple[bytes, Receipt] | None:
        """Hash and receipt of whichever transaction at this nonce was mined."""
        earlier = row.replaced_hashes
        hashes = [row.tx_hash, *(earlier[i : i + 32] for i in range(0, len(earlier), 32))]
        for tx_hash in hashes:
            receipt = self._client.receipt(tx_hash)
            if receipt is not None:
                return tx_hash, receipt
        return None

    def _await(self, row: IntentRow, deadline: float) -> Outcome | None:
        """Wait until the nonce is used; None if it is not in time."""
        while True:
            # First the nonce, then the receipts: asked for later, they cannot be older.
            used = self._client.nonce(self._signer.address, "latest") > row.nonce
            mined = self._mined(row)
            if mined is not None:
                tx_hash, receipt = mined
                if receipt.succeeded:
                    return self._finish(row, tx_hash, None)
                reason = self._client.revert_reason(tx_hash)
                return self._finish(row, tx_hash, f"the transaction reverted: {reason}")
            if used:
                return self._finish(row, row.tx_hash, "its nonce went to another transaction")
            if time.monotonic() >= deadline:
                self._overdue.add(row.tx_hash)
                return None
            self._sleep(_RECEIPT_PAUSE_S)

    def _finish(self, row: IntentRow, tx_hash: bytes, error: str | None) -> Outcome | None:
        state = "done" if error is None else "failed"
        with transaction(self._engine) as connection:
            mine = outbox_rows.finish_intent(connection, row, state, tx_hash=tx_hash, error=error)
        return Outcome(row.kind, row.facility_id, row.epoch, tx_hash, error) if mine else None


def _raised(fee: int) -> int:
    return -(-fee * 9 // 8)


def _existing(connection: Connection, intent: Intent) -> IntentRow | None:
    return outbox_rows.intent_of(
        connection, intent.kind, intent.facility_id, intent.epoch, sequence=intent.sequence
    )


def _row(intent: Intent, signed: SignedTx, now_s: int) -> NewIntent:
    return NewIntent(
        kind=intent.kind,
        facility_id=intent.facility_id,
        epoch=intent.epoch,
        sequence=intent.sequence,
        state="sent",
        sender=signed.sender,
        nonce=signed.nonce,
        max_fee_wei=signed.max_fee_wei,
        priority_fee_wei=signed.priority_fee_wei,
        raw_tx=signed.raw_tx,
        tx_hash=signed.tx_hash,
        replaced_hashes=b"",
        error=None,
        created_at_s=now_s,
    )
