"""Outbox: transactions are signed and stored before they are sent, so that no crash doubles one.

The hash is known before sending, so a lost reply costs nothing; on-chain uniqueness (an epoch is
posted once, a settlement pays what is due) makes a repeat harmless; the stored raw transaction
makes it happen at least once.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from api.chain.client import ChainClient, RpcError
from api.chain.signer import LocalSigner
from api.db import chain_store
from api.db.session import reading, transaction

_RECEIPT_TIMEOUT_S = 60.0
_RECEIPT_PAUSE_S = 0.02
# Above what `forge test --gas-report` shows for 10 attesters and 4 tranches; unused gas is free.
GAS_LIMIT = 1_500_000


@dataclass(frozen=True, slots=True)
class Intent:
    """One transaction to be sent once: what it is for, and the call."""

    kind: str
    facility_id: int
    epoch: int
    sequence: int
    to: str
    data: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an intent: done, or failed with the node's words."""

    kind: str
    facility_id: int
    epoch: int
    tx_hash: bytes
    error: str | None


class Outbox:
    """Sends intents with one key, in nonce order."""

    def __init__(
        self,
        engine: Engine,
        client: ChainClient,
        signer: LocalSigner,
        *,
        chain_id: int,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._engine, self._client, self._signer = engine, client, signer
        self._chain_id, self._sleep = chain_id, sleep

    def store(self, intents: list[Intent], now_s: int) -> int:
        """Sign and store intents; returns how many. Those already open or done are left alone."""
        nonce_on_chain = self._client.nonce(self._signer.address, "pending")
        max_fee, priority = self._client.fees()
        stored = 0
        for intent in intents:
            try:
                stored += self._store_one(intent, nonce_on_chain, max_fee, priority, now_s)
            except IntegrityError:
                # Another worker took this nonce or this intent: the next round sees what it did.
                break
        return stored

    def _store_one(
        self, intent: Intent, nonce_on_chain: int, max_fee: int, priority: int, now_s: int
    ) -> int:
        with transaction(self._engine) as connection:
            existing = chain_store.intent_of(
                connection, intent.kind, intent.facility_id, intent.epoch, intent.sequence
            )
            if existing is not None and existing.state != "failed":
                # A reorg can take back what was done: then the caller found it missing on-chain.
                gone = existing.state == "done" and self._client.receipt(existing.tx_hash) is None
                if not gone:
                    return 0
            highest = chain_store.highest_nonce(connection, self._signer.address)
            nonce = max(nonce_on_chain, highest + 1)
            raw, tx_hash = self._signer.sign_transaction(
                {
                    "type": 2,
                    "chainId": self._chain_id,
                    "nonce": nonce,
                    "to": intent.to,
                    "data": intent.data,
                    "value": 0,
                    "gas": GAS_LIMIT,
                    "maxFeePerGas": max_fee,
                    "maxPriorityFeePerGas": priority,
                }
            )
            values = {
                "kind": intent.kind,
                "facility_id": intent.facility_id,
                "epoch": intent.epoch,
                "sequence": intent.sequence,
                "state": "sent",
                "sender": self._signer.address,
                "nonce": nonce,
                "raw_tx": raw,
                "tx_hash": tx_hash,
                "error": None,
                "created_at_s": now_s,
            }
            chain_store.save_intent(connection, values)
        return 1

    def flush(self) -> list[Outcome]:
        """Send every open intent and wait for the outcomes. Also what a restart begins with."""
        with reading(self._engine) as connection:
            rows = chain_store.open_intents(connection)
        rows = [row for row in rows if row.sender == self._signer.address]
        for row in rows:
            if self._client.receipt(row.tx_hash) is None:
                self._send(row.raw_tx)
        return [outcome for row in rows if (outcome := self._await(row)) is not None]

    def _send(self, raw: bytes) -> None:
        try:
            self._client.send_raw(raw)
        except RpcError as error:
            # "nonce too low": mined meanwhile, or another transaction took the nonce. The wait
            # for the receipt tells which.
            if "nonce" not in error.message.lower():
                raise

    def _await(self, row: Any) -> Outcome | None:
        deadline = time.monotonic() + _RECEIPT_TIMEOUT_S
        name = (row.kind, row.facility_id, row.epoch)
        tx_hash: bytes = row.tx_hash
        pk: int = row.intent_pk
        while time.monotonic() < deadline:
            receipt = self._client.receipt(tx_hash)
            if receipt is not None:
                ok = int(receipt["status"], 16) == 1
                error = None if ok else "the transaction reverted"
                self._finish(pk, error)
                return Outcome(*name, tx_hash, error)
            nonce: int = row.nonce
            if self._client.nonce(self._signer.address, "latest") > nonce:
                if self._client.receipt(tx_hash) is None:
                    self._finish(pk, "its nonce went to another transaction")
                    return Outcome(*name, tx_hash, "its nonce went to another transaction")
                continue
            self._sleep(_RECEIPT_PAUSE_S)
        return None

    def _finish(self, intent_pk: int, error: str | None) -> None:
        state = "done" if error is None else "failed"
        with transaction(self._engine) as connection:
            chain_store.finish_intent(connection, intent_pk, state, error)
