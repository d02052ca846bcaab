"""Holders of a tranche from indexed transfers, and the check that none is missing."""

from dataclasses import dataclass

from api.chain.calldata import checksum
from api.db.session import Engine, reading
from api.domain.capital.shares import ratio_ppm
from api.domain.units import TrancheId
from api.errors import IndexIncomplete
from api.reads.market import find_tranche
from api.reads.sql import holders


@dataclass(frozen=True, slots=True)
class HolderView:
    """Units of one account and its share of those in circulation."""

    address: str
    units: int
    share_ppm: int


@dataclass(frozen=True, slots=True)
class HoldersView:
    """A page of holders, largest first. `units_issued` is None for a tranche not on-chain."""

    total: int
    units_issued: int | None
    holders: tuple[HolderView, ...]


def list_holders(engine: Engine, token_id: int, *, offset: int, limit: int) -> HoldersView:
    """Holders of a tranche as of the newest indexed block.

    Raises:  NotFound; IndexIncomplete if balances do not add up to the units in circulation.
    """
    with reading(engine) as connection:
        units_issued = find_tranche(connection, token_id).tranche.units_issued
        if units_issued is None:
            return HoldersView(0, None, ())
        totals = holders.holder_totals(connection, TrancheId(token_id))
        # A list that lacks a transfer would name wrong owners: better none than a wrong one.
        if totals.units != units_issued or totals.least_units < 0:
            message = f"transfers of tranche {token_id} are missing from the index: rebuild it"
            raise IndexIncomplete(message, token_id=str(token_id))
        page = holders.holdings(connection, TrancheId(token_id), offset=offset, limit=limit)
    shown = (
        HolderView(checksum(h.account), h.units, ratio_ppm(h.units, whole=totals.units) or 0)
        for h in page
    )
    return HoldersView(totals.holders, totals.units, tuple(shown))
