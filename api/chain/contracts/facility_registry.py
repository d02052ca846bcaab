"""FacilityRegistry: what was pledged, on which terms, and where each facility is in its life."""

from dataclasses import dataclass
from typing import Annotated

from api.chain.contracts.call import Call, Contract, View
from api.domain.lifecycle import FacilityState
from api.domain.units import Address, Bytes32, FacilityId


@dataclass(frozen=True, slots=True)
class OfferedTerms:
    """`IFacilityRegistry.FacilityTerms`: addresses are lower-case hex, names ASCII in a word."""

    gpu_operator: Address
    settlement_token: Address
    gpu_class: Bytes32
    site: Bytes32
    window_start_s: Annotated[int, "uint64"]
    window_end_s: Annotated[int, "uint64"]
    epoch_length_s: Annotated[int, "uint32"]
    device_count: Annotated[int, "uint32"]
    promised_availability_ppm: Annotated[int, "uint32"]
    fee_bps: Annotated[int, "uint16"]
    pledge_root: Bytes32
    terms_hash: Bytes32


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
