"""Index: follow the chain, notice reorgs by block hash, keep events in a rebuildable table."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from api.chain.client import ChainClient
from api.chain.deployment import Deployment
from api.chain.events import ChainEvent, args_json, events_in
from api.db import chain_store
from api.db.session import reading, transaction
from api.domain.units import MAX_I64, split_tranche_id

_RANGE = 2_000


@dataclass(frozen=True, slots=True)
class IndexProgress:
    """Where the index stands: newest indexed block, the head, events added, blocks undone."""

    indexed: int
    head: int
    added: int
    rolled_back: int

    @property
    def behind(self) -> int:
        """Blocks still to index."""
        return max(0, self.head - self.indexed)


class Indexer:
    """Copies our contracts' events into `chain_events`."""

    def __init__(self, engine: Engine, client: ChainClient, deployment: Deployment) -> None:
        self._engine, self._client, self._deployment = engine, client, deployment

    def advance(self) -> IndexProgress:
        """Index up to the head, or as far as the node's answers agree with each other."""
        head = self._client.block().number
        indexed, rolled_back = self._common_block(head)
        added = 0
        while indexed < head:
            last = min(head, indexed + _RANGE)
            # The end's hash before and after: two nodes, or a reorg in between, would differ.
            before = self._client.block(last)
            events = events_in(self._client, self._deployment, indexed + 1, last)
            if self._client.block(last).hash != before.hash:
                break
            end = {"number": last, "block_hash": before.hash, "time_s": before.time_s}
            try:
                with transaction(self._engine) as connection:
                    newest = chain_store.last_block(connection)
                    if newest is not None and newest.number != indexed:
                        break
                    chain_store.append_range(connection, [event_row(e) for e in events], end)
            except IntegrityError:
                break
            indexed, added = last, added + len(events)
        return IndexProgress(indexed, head, added, rolled_back)

    def rebuild(self) -> IndexProgress:
        """Drop everything and index again from the deployment's block."""
        with transaction(self._engine) as connection:
            chain_store.drop_above(connection, -1)
        return self.advance()

    def _common_block(self, head: int) -> tuple[int, int]:
        """Newest indexed block that the chain still has; what lies above it is undone."""
        with reading(self._engine) as connection:
            blocks = chain_store.blocks_down(connection)
        start = self._deployment.start_block - 1
        if not blocks:
            return start, 0
        for block in blocks:
            if block.number > head:
                # A node that lags looks like this too: undo only what a hash contradicts.
                continue
            if self._client.block(block.number).hash == block.block_hash:
                newest: int = blocks[0].number
                if block.number == newest or self._lagging(blocks, head):
                    return newest, 0
                return self._undo(block.number, newest)
        return self._undo(start, blocks[0].number)

    def _lagging(self, blocks: list[Any], head: int) -> bool:
        """Whether every remembered block at or below the node's head still stands."""
        newest_seen = next(b for b in blocks if b.number <= head)
        same: bool = self._client.block(newest_seen.number).hash == newest_seen.block_hash
        return same and blocks[0].number > head

    def _undo(self, number: int, newest: int) -> tuple[int, int]:
        with transaction(self._engine) as connection:
            chain_store.drop_above(connection, number)
        return number, newest - number


def _small(value: Any) -> int | None:
    return value if isinstance(value, int) and abs(value) <= MAX_I64 else None


def event_row(event: ChainEvent) -> dict[str, Any]:
    """Row of `chain_events` for one event."""
    args = event.args
    token_id = args.get("id")
    facility_id = args.get("facilityId")
    if facility_id is None and token_id is not None:
        facility_id = split_tranche_id(token_id)[0]
    amount = args.get("amount", args.get("value", args.get("cumulativeGross")))
    if event.name == "StatementPosted":
        amount = args["statement"][6]
    return {
        "block_number": event.block_number,
        "log_index": event.log_index,
        "block_time_s": event.block_time_s,
        "tx_hash": event.tx_hash,
        "contract": event.contract,
        "event": event.name,
        "facility_id": _small(facility_id),
        "epoch": _small(args.get("epoch", args.get("settledEpochs"))),
        "token_id": None if token_id is None else str(token_id),
        "account": args.get("holder", args.get("payer", args.get("from"))),
        "counterparty": args.get("to"),
        "amount": _small(amount),
        "extra": _small(args.get("fee", args.get("unvested"))),
        "flag": args.get("member"),
        "payload": args_json(event),
    }
