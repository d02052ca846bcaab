"""How the index stands, as a row that everybody can read; and which chain it is of."""

import logging
from dataclasses import replace

from sqlalchemy import Engine

from api.chain.client import ChainClient
from api.chain.deployment import Deployment
from api.chain.events import LOG_RANGE
from api.chain.finality import Ends
from api.clock import Clock
from api.db import index_store
from api.db.chain_store import BlockRow
from api.db.index_store import IndexState
from api.db.session import reading, transaction
from api.domain.units import Bytes32
from api.errors import IndexHalted

# What is true but changes nothing is stored so often, seconds: that somebody looks.
_SEEN_EVERY_S = 10
_WAY_OUT = (
    "; if the node is the wrong one, set RENTROLL_RPC_URL to the right one and nothing is lost;"
    " if this is the chain, `rentroll reindex --from-chain` reads all of it anew"
)
_log = logging.getLogger(__name__)


def halted(why: str) -> IndexHalted:
    """The error that says why nothing goes on, and the ways out."""
    return IndexHalted(why + _WAY_OUT)


class Station:
    """The one row of `index_state`."""

    def __init__(self, engine: Engine, deployment: Deployment, wall: Clock) -> None:
        self._engine, self._deployment, self._wall = engine, deployment, wall
        # False again after every trouble: what answers next may be another node.
        self._identified = False

    def read(self) -> IndexState:
        """How it stands; before it ever did anything, as of now."""
        with reading(self._engine) as connection:
            return index_store.index_state_row(connection) or self._fresh()

    def _fresh(self) -> IndexState:
        now_s, before = self._wall(), self._deployment.start_block - 1
        return IndexState(
            only=1,
            chain_id=self._deployment.chain_id,
            registry=self._deployment.facility_registry,
            anchor_number=None,
            anchor_hash=None,
            state="catching_up",
            reason=None,
            since_s=now_s,
            seen_at_s=now_s,
            head=0,
            final_number=-1,
            final_hash=None,
            log_range=LOG_RANGE,
            looked_number=before,
            counted_number=before,
            miscounted=None,
        )

    def change(self, **changes: object) -> IndexState:
        """Change some of the row; what is final never goes back."""
        with transaction(self._engine) as connection:
            stored = index_store.index_state_row(connection)
            state = stored or self._fresh()
            changed = replace(state, **changes)  # type: ignore[arg-type]
            if changed.final_number < state.final_number:
                old = {"final_number": state.final_number, "final_hash": state.final_hash}
                changed = replace(changed, **old)  # type: ignore[arg-type]
            now_s = self._wall()
            if changed != state or stored is None or now_s - state.seen_at_s >= _SEEN_EVERY_S:
                index_store.save_state(connection, replace(changed, seen_at_s=now_s))
        return changed

    def tell(self, state: str, reason: str | None) -> None:
        """Say how it stands: in the row, and in the log when that is new."""
        before = self.read()
        if state in {"waiting", "halted"}:
            self._identified = False
        new = before.state != state
        self.change(state=state, reason=reason, since_s=self._wall() if new else before.since_s)
        if reason is not None and (new or before.reason != reason):
            _log.warning("index %s: %s", state, reason)
        elif new and before.reason is not None:
            _log.warning("index %s again", state)

    def reached(self, ends: Ends, final: BlockRow | None, *, log_range: int | None) -> None:
        """Note the head, the newest indexed block that is final, and what ranges nodes take."""
        changes: dict[str, object] = {"head": ends.head.number}
        if final is not None:
            changes |= {"final_number": final.number, "final_hash": final.block_hash}
        if log_range is not None:
            changes["log_range"] = log_range
        self.change(**changes)

    def identify(self, client: ChainClient, ends: Ends) -> IndexState:
        """That the node's chain is the one that was indexed. Raises IndexHalted."""
        state, deployment = self.read(), self._deployment
        mine = (state.chain_id, state.registry)
        theirs = (deployment.chain_id, deployment.facility_registry)
        if mine != theirs:
            raise halted(
                f"this database has the index of chain {mine[0]} with registry {mine[1]}, the"
                f" deployment file is of chain {theirs[0]} with registry {theirs[1]}"
            )
        if not self._identified:
            chain_id = client.chain_id()
            if chain_id != state.chain_id:
                raise halted(f"the node is of chain {chain_id}, the index of chain {mine[0]}")
            state = self._anchor(client, ends, state)
            self._identified = True
        if state.final_hash is not None and state.final_number <= ends.head.number:
            now = client.block(state.final_number).hash
            if now != state.final_hash:
                self._anchor(client, ends, state)
                raise halted(
                    f"block {state.final_number} was final as 0x{state.final_hash.hex()[:16]}…,"
                    f" and is 0x{now.hex()[:16]}… now: a reorg below what was final"
                )
        return state

    def _anchor(self, client: ChainClient, ends: Ends, state: IndexState) -> IndexState:
        """Compare the deployment's block with the one that was there, or remember it."""
        number = self._deployment.start_block
        if state.anchor_hash is None:
            if not ends.is_final(number):
                return state
            anchor = Bytes32(client.block(number).hash)
            return self.change(anchor_number=number, anchor_hash=anchor)
        if number > ends.head.number:
            return state
        now = client.block(number).hash
        if now != state.anchor_hash:
            raise halted(
                f"the node has another chain: the deployment's block {number} is"
                f" 0x{now.hex()[:16]}…, and was 0x{state.anchor_hash.hex()[:16]}…"
            )
        return state
