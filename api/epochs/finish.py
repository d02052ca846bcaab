"""Finish: an ended facility is closed as soon as that may be, which pays out bond and proceeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from api.chain import calldata
from api.chain.answers import Block
from api.chain.contracts import Contracts
from api.chain.packed import packed
from api.db import chain_store
from api.db.session import Engine, reading
from api.domain.facility import DAY_S
from api.domain.units import Epoch, FacilityId
from api.epochs.outbox import Intent
from api.epochs.queue import NOTHING, Look
from api.epochs.serve import Serve

# A facility is closed once, whatever its epochs.
_ONCE = Epoch(0)


@dataclass(frozen=True, slots=True)
class _Read:
    """From when each ended facility can be closed; 0 for one that is, or that has not ended."""

    head: Block
    from_s: Mapping[FacilityId, int]


class Finish:
    """The step, for every ended facility whose closing has opened.

    The lockbox settles a facility before it closes it, and names no time once it is closed. While
    lines still serve its vouchers, a closing would pay in money for compute that was delivered:
    they are waited for, a day at most.
    """

    name = "finish"

    def __init__(self, engine: Engine, contracts: Contracts, serve: Serve) -> None:
        self._engine, self._contracts, self._serve = engine, contracts, serve

    def read(self, facility_ids: Sequence[FacilityId], head: Block) -> _Read:
        """What the lockbox says of those that have ended, by the index."""
        with reading(self._engine) as connection:
            open_ids = set(chain_store.ended_and_open(connection))
        ended = [i for i in facility_ids if i in open_ids]
        lockbox = self._contracts.rent_lockbox
        asked = self._contracts.all_of([lockbox.closable_from_s(i) for i in ended])
        answers = packed(asked, block=head.number)
        return _Read(head, dict(zip(ended, answers, strict=True)))

    def one(self, facility_id: FacilityId, read: _Read) -> Look:
        """The closing of one facility, or from when it can be."""
        from_s = read.from_s.get(facility_id, 0)
        if from_s == 0:
            return NOTHING
        if read.head.time_s < from_s:
            return Look(from_block_s=from_s)
        if read.head.time_s < from_s + DAY_S and self._serve.unfinished(facility_id, read.head):
            return Look(waits="its vouchers are served first, for a day at most")
        lockbox, data = self._contracts.rent_lockbox.address, calldata.close(facility_id)
        return Look((Intent("close", facility_id, _ONCE, 0, lockbox, data),))
