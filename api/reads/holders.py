"""Holders of a tranche from indexed transfers, and the check that none is missing."""

from dataclasses import dataclass

from sqlalchemy import Engine

from api.chain.calldata import checksum
from api.db.session import reading
from api.domain.capital.shares import ratio_ppm
from api.errors import IndexIncomplete
from api.reads.market import find_tranche
from api.reads.sql import holders as store


@dataclass(frozen=True, slots=True)
class Holder:
    """Units of one account and its share of those in circulation."""

    address: str
    units: int
    share_ppm: int


@dataclass(frozen=True, slots=True)
class Holders:
    """A page of holders, largest first. `units_issued` is None for a tranche not on-chain."""

    total: int
    units_issued: int | None
    holders: tuple[Holder, ...]


def list_holders(engine: Engine, token_id: int, *, offset: int, limit: int) -> Holders:
    """Holders of a tranche as of the newest indexed block.

    Raises:  NotFound; IndexIncomplete if balances do not add up to the units in circulation.
    """
    with reading(engine) as connection:
        tranche = find_tranche(connection, token_id)[1]
        if tranche.units_issued is None:
            return Holders(0, None, ())
        count, held, least = store.holder_totals(connection, tranche.token_id)
        if held != tranche.units_issued or least < 0:
            message = f"transfers of tranche {token_id} are missing from the index: rebuild it"
            raise IndexIncomplete(message, token_id=tranche.token_id)
        page = store.holders(connection, tranche.token_id, offset=offset, limit=limit)
    found = (Holder(checksum(a), units, ratio_ppm(units, held) or 0) for a, units in page)
    return Holders(count, held, tuple(found))
