"""Finish: an ended facility is closed as soon as that may be, which pays out bond and proceeds."""

from collections.abc import Collection

from sqlalchemy import Engine

from api.chain import calldata
from api.chain.contracts import Contracts
from api.db import chain_store
from api.db.session import reading
from api.domain.facility import DAY_S
from api.domain.units import Epoch, FacilityId
from api.epochs.outbox import Intent

# A facility is closed once, whatever its epochs.
_ONCE = Epoch(0)


def closable(
    engine: Engine, contracts: Contracts, *, unfinished: Collection[FacilityId] = ()
) -> list[Intent]:
    """Intents for every ended facility whose closing has opened.

    The lockbox settles a facility before it closes it, and names no time once it is closed.

    Args:    unfinished: facilities of which lines still serve vouchers: a closing would pay in
             money for compute that was delivered. They are waited for, a day at most.
    """
    lockbox = contracts.rent_lockbox
    head = contracts.client.head()
    with reading(engine) as connection:
        ended = chain_store.ended_and_open(connection)
    if not ended:
        return []
    asked = contracts.all_of([lockbox.closable_from_s(facility_id) for facility_id in ended])
    return [
        Intent("close", facility_id, _ONCE, 0, lockbox.address, calldata.close(facility_id))
        for facility_id, from_s in zip(ended, asked.at(block=head.number), strict=True)
        if 0 < from_s <= head.time_s - (DAY_S if facility_id in unfinished else 0)
    ]
