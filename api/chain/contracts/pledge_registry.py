"""PledgeRegistry: pledges that attesters approved, by facility and epoch."""

from dataclasses import dataclass
from typing import Annotated

from api.chain.contracts.call import Call, Contract, View
from api.domain.units import Bytes32, Epoch, FacilityId


@dataclass(frozen=True, slots=True)
class ApprovedPledge:
    """`IPledgeRegistry.Pledge`. number: of the approval among all facilities, from 1."""

    root: Bytes32
    from_epoch: Annotated[Epoch, "uint32"]
    approved_at_s: Annotated[int, "uint40"]
    number: Annotated[int, "uint64"]


ApprovedPledges = tuple[ApprovedPledge, ...]


class PledgeRegistry(Contract):
    """View functions of PledgeRegistry."""

    name = "PledgeRegistry"
    _approvals = View("approvals", (), int, "uint64")
    _is_approved = View("isApproved", ("uint64",), bool)
    _pledge_at = View("pledgeAt", ("uint64", "uint32"), ApprovedPledge)
    _pledges_of = View("pledgesOf", ("uint64",), ApprovedPledges)
    _pledge_digest = View("pledgeDigest", ("uint64", "bytes32", "uint32"), Bytes32)

    def approvals(self) -> Call[int]:
        """How many pledges, of all facilities, were approved so far."""
        return self._call(self._approvals)

    def is_approved(self, facility_id: FacilityId) -> Call[bool]:
        """Whether a facility has an approved pledge."""
        return self._call(self._is_approved, facility_id)

    def pledge_at(self, facility_id: FacilityId, epoch: Epoch) -> Call[ApprovedPledge]:
        """The pledge in force in an epoch; all zero if none was approved."""
        return self._call(self._pledge_at, facility_id, epoch)

    def pledges_of(self, facility_id: FacilityId) -> Call[ApprovedPledges]:
        """Every approved pledge of a facility, in order."""
        return self._call(self._pledges_of, facility_id)

    def pledge_digest(
        self, facility_id: FacilityId, root: bytes, from_epoch: Epoch
    ) -> Call[Bytes32]:
        """What attesters sign now to approve a pledge."""
        return self._call(self._pledge_digest, facility_id, root, from_epoch)
