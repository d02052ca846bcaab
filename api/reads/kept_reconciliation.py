"""The reconciliation of all facilities, computed once for everybody who asks.

It goes through the books of every facility, and every visitor of the market asks for it.
"""

from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock
from time import monotonic

from api.chain.contracts import Contracts
from api.db import chain_store, index_store
from api.db.session import Connection, Engine, reading
from api.db.time_limits import time_limited
from api.domain.capital.reconciliation import Reconciliation
from api.reads.reconcile import reconcile_all
from api.reads.sql.facilities import facility_standings

# One at a time, so that it may take longer than what anybody can ask for many times.
_LONGEST_S = 120.0
# What took so long is not made anew for three times as long: it takes a quarter of a processor.
_SLOW_S, _REST = 1.0, 3


@dataclass(frozen=True, slots=True)
class AllReconciled:
    """Every facility by id, and the newest indexed and final block by which they are."""

    indexed: int | None
    final: int | None
    facilities: tuple[Reconciliation, ...]


@dataclass(frozen=True, slots=True)
class _Kept:
    key: Hashable
    answer: AllReconciled
    made_at: float
    took_s: float

    def serves(self, key: Hashable, now: float) -> bool:
        rests = self.took_s > _SLOW_S and now < self.made_at + _REST * self.took_s
        return rests or key == self.key


class KeptReconciliation:
    """Makes it anew once rows or the indexed block have changed, one request at a time.

    Who asks meanwhile gets the one before, which names its block.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._kept: _Kept | None = None
        self._making: Future[_Kept] | None = None
        self._one_by_one = Lock()

    def read(self, engine: Engine, contracts: Contracts | None) -> AllReconciled:
        """The newest that can be had. Raises DatabaseUnavailable, ChainUnavailable."""
        with reading(engine) as connection:
            key = _key(connection)
        with self._one_by_one:
            kept, making = self._kept, self._making
            if kept is not None and (making or kept.serves(key, self._clock())):
                return kept.answer
            if making is None:
                ours = self._making = Future()
        if making is not None:
            # The very first, for which all wait: also where it fails, so that not each tries.
            return making.result().answer
        return self._made(ours, engine, contracts).answer

    def _made(self, ours: "Future[_Kept]", engine: Engine, contracts: Contracts | None) -> _Kept:
        try:
            made = self._make(engine, contracts)
        except BaseException as error:
            with self._one_by_one:
                self._making = None
            ours.set_exception(error)
            raise
        with self._one_by_one:
            self._kept, self._making = made, None
        ours.set_result(made)
        return made

    def _make(self, engine: Engine, contracts: Contracts | None) -> _Kept:
        began = self._clock()
        with time_limited(_LONGEST_S):
            # The key first: what changes meanwhile makes the next one anew.
            with reading(engine) as connection:
                key = _key(connection)
                block = chain_store.last_block(connection)
                final = index_store.final_number(connection)
            facilities = reconcile_all(engine, contracts)
        now = self._clock()
        indexed = None if block is None else block.number
        return _Kept(key, AllReconciled(indexed, final, tuple(facilities)), now, now - began)


def _key(connection: Connection) -> Hashable:
    """What changes whenever the answer may."""
    block, final = chain_store.last_block(connection), index_store.final_number(connection)
    return block, final, tuple(facility_standings(connection))
