"""FacilityRegistry: what was pledged, on which terms, and where each facility is in its life."""

from api.chain.contracts.call import Call, Contract, View
from api.chain.terms import OfferedTerms
from api.domain.lifecycle import FacilityState
from api.domain.units import FacilityId


class FacilityRegistry(Contract):
    """View functions of FacilityRegistry."""

    name = "FacilityRegistry"
    _state_of = View("stateOf", ("uint64",), FacilityState)
    _terms_of = View("termsOf", ("uint64",), OfferedTerms)

    def state_of(self, facility_id: FacilityId) -> Call[FacilityState]:
        """State, with `DELIVERING` derived from the block's time."""
        return self._call(self._state_of, facility_id)

    def terms_of(self, facility_id: FacilityId) -> Call[OfferedTerms]:
        """Terms as offered. The contract refuses an unknown facility."""
        return self._call(self._terms_of, facility_id)
