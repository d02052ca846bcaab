"""Seats of attesters from indexed events alone: who may read the log of a facility."""

from dataclasses import dataclass

from api.db import chain_store
from api.db.session import Connection
from api.domain.units import FacilityId
from api.reads.sql import panels


@dataclass(frozen=True, slots=True)
class Seat:
    """How an account stands to a facility.

    block: the newest indexed one; None while none is.
    panel: number of the facility's panel; None unless its operator offered its registered terms.
    held: whether the account sits there, or its seat is announced. Whoever will sign needs what
    came before its seat begins.
    """

    block: int | None
    panel: int | None
    held: bool

    def obstacle(self, account: str, facility_id: FacilityId) -> str | None:
        """Why the account reads nothing of the facility, in words; None if it reads."""
        if self.held:
            return None
        known = "no block yet" if self.block is None else f"all up to block {self.block}"
        if self.panel is None:
            said = f"facility {facility_id} was not offered on-chain, and no attester reads its log"
        else:
            said = (
                f"{account} has no seat on panel {self.panel} of facility {facility_id}, and none"
                " is announced"
            )
        return f"{said}: the service has read {known}"


def seat_of(connection: Connection, facility_id: FacilityId, account: str, *, now_s: int) -> Seat:
    """How an account stands to a facility.

    Whether it is a member and its bond is enough is not asked: signatures hang on that, and it can
    be mended while the seat is held.

    Args:    now_s: by the service's clock. Seats end by it even where the index is behind.
    """
    block = chain_store.last_block(connection)
    if block is None:
        return Seat(None, None, held=False)
    panel = panels.own_offer(connection, facility_id)
    if panel is None:
        return Seat(block.number, None, held=False)
    seatings = panels.seatings_at(connection, max(now_s, block.time_s))
    held = any(
        panel in seats and account.lower() in seats[panel].attesters
        for seats in (seatings.current, seatings.announced)
    )
    return Seat(block.number, panel, held=held)
