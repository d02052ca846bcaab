"""Our own code, broken on purpose: a judge that lets these pass sees nothing.

Each is a mistake that was made once, here or elsewhere, and that only trouble at the wrong moment
shows.
"""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress

from api.db.tables.outbox import IntentRow, SignedTx, TxRow
from api.domain.clocks import Clocks
from api.epochs import index
from api.epochs.index import Indexer
from api.epochs.sending.sign import Signing
from api.errors import AppError

# Between a broadcast and what follows: a kill may fall here.
_HALF_A_SECOND = 0.5


def _broadcast_first() -> None:
    """A transaction is sent, and only then stored."""
    stored = Signing._store

    def sends(self: Signing, signed: SignedTx, intents: Iterable[IntentRow]) -> TxRow | None:
        with suppress(AppError):
            self._client.send_raw(signed.raw_tx)
        time.sleep(_HALF_A_SECOND)
        return stored(self, signed, intents)

    Signing._store = sends  # type: ignore[method-assign]


def _stored_first() -> None:
    """As ours is, and as slow as `broadcast first`: the moment between is harmless."""
    stored = Signing._store

    def stores(self: Signing, signed: SignedTx, intents: Iterable[IntentRow]) -> TxRow | None:
        time.sleep(_HALF_A_SECOND)
        row = stored(self, signed, intents)
        time.sleep(_HALF_A_SECOND)
        return row

    Signing._store = stores  # type: ignore[method-assign]


def _wall_clock() -> None:
    """Cut-offs are past when this machine's clock says so."""

    def past_s(self: Clocks) -> int:
        return self.now_s

    def agrees(_self: Clocks, *, apart_s: int) -> None:
        assert apart_s

    Clocks.past_s = property(past_s)  # type: ignore[assignment, method-assign]
    Clocks.require_agreement = agrees  # type: ignore[method-assign]


def _no_hashes() -> None:
    """The index goes on from its newest block, whatever became of it."""
    found = index.chain_store.block_at

    class Store:
        """The store of blocks, without the one that was before."""

        def __getattr__(self, name: str) -> object:
            return (lambda *_: None) if name == found.__name__ else getattr(_STORE, name)

    Indexer._stands = lambda *_: True  # type: ignore[method-assign, assignment]
    index.chain_store = Store()  # type: ignore[assignment]


_STORE = index.chain_store
_BROKEN: dict[str, Callable[[], None]] = {
    "broadcast first": _broadcast_first,
    "stored first": _stored_first,
    "wall clock": _wall_clock,
    "no hashes": _no_hashes,
}


def break_code(name: str) -> None:
    """Break this process's code; an empty name leaves it as it is."""
    if name:
        _BROKEN[name]()
