"""Whether devices of a facility can be replaced, as the chain says it now."""

from dataclasses import dataclass

from api.chain.contracts import Contracts
from api.domain.facility import FacilityTerms
from api.domain.lifecycle import FacilityState
from api.domain.units import Bytes32, Epoch, FacilityId
from api.errors import Misconfigured

_RUNNING = (FacilityState.FUNDED, FacilityState.DELIVERING)


@dataclass(frozen=True, slots=True)
class Running:
    """What the chain says of a facility whose device shall be replaced.

    approved: roots of its approved pledges, in order.  last: first epoch of the newest.
    """

    state: FacilityState
    approved: tuple[Bytes32, ...]
    last: Epoch
    now_s: int

    @property
    def runs(self) -> bool:
        """Whether devices can be replaced."""
        return self.state in _RUNNING and len(self.approved) > 0

    def least(self, terms: FacilityTerms) -> Epoch:
        """First epoch from which a device can be replaced; past the window if none is left.

        Source:  `PledgeRegistry._firstToBegin`.
        """
        over_s = self.now_s - terms.window_start_s
        begun = 0 if over_s < 0 else over_s // terms.epoch_length_s + 1
        return Epoch(max(begun, self.last))


def running_of(contracts: Contracts | None, facility_id: FacilityId) -> Running:
    """What the chain says now. Raises ChainUnavailable, Misconfigured without a deployment."""
    if contracts is None:
        raise Misconfigured("there is no deployment file: nothing can be replaced")
    head = contracts.client.head()
    state, pledges = contracts.together(
        contracts.facility_registry.state_of(facility_id),
        contracts.pledge_registry.pledges_of(facility_id),
    ).at(block=head.number)
    last = pledges[-1].from_epoch if pledges else Epoch(0)
    return Running(state, tuple(pledge.root for pledge in pledges), last, head.time_s)
