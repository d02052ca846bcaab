"""Events of PledgeRegistry."""

from dataclasses import dataclass
from typing import Annotated

from api.chain.emitted.args import EventArgs
from api.domain.units import Address, Bytes32, Epoch, FacilityId


@dataclass(frozen=True, slots=True)
class PledgeApproved(EventArgs):
    """Attesters, in ascending order, approved the pledge of an offer, or one in its place.

    from_epoch: first epoch for which it holds.
    number: of the approval among all facilities, from 1.
    """

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    from_epoch: Annotated[Epoch, "uint32 indexed"]
    pledge_root: Bytes32
    number: Annotated[int, "uint64"]
    attesters: tuple[Address, ...]
