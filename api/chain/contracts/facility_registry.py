"""FacilityRegistry: what was pledged, on which terms, and where each facility is in its life."""

from dataclasses import dataclass
from typing import Annotated

from api.chain.contracts.call import Call, Contract, View
from api.chain.terms import OfferedTerms
from api.domain.lifecycle import FacilityState
from api.domain.units import Address, Bytes32, Epoch, FacilityId


@dataclass(frozen=True, slots=True)
class Ending:
    """`IEndings.Ending`: UTC seconds, 0 for what has not happened."""

    funded_at_s: Annotated[int, "uint40"]
    ended_at_s: Annotated[int, "uint40"]
    closed_at_s: Annotated[int, "uint40"]
    unpaid_noticed_at_s: Annotated[int, "uint40"]


@dataclass(frozen=True, slots=True)
class EpochTerms:
    """`IFacilityRegistry.EpochTerms`; all zero, `REGISTERED`, for an unknown facility.

    panel: number of the panel of attesters whose signatures count; 0 for none.
    """

    state: FacilityState
    window_start_s: Annotated[int, "uint64"]
    window_end_s: Annotated[int, "uint64"]
    epoch_length_s: Annotated[int, "uint32"]
    seal_seconds: Annotated[int, "uint32"]
    device_count: Annotated[int, "uint32"]
    panel: Annotated[int, "uint8"]


class FacilityRegistry(Contract):
    """View functions of FacilityRegistry."""

    name = "FacilityRegistry"
    _ledger_key_of = View("ledgerKeyOf", ("address",), Bytes32)
    _state_of = View("stateOf", ("uint64",), FacilityState)
    _terms_of = View("termsOf", ("uint64",), OfferedTerms)
    _epoch_terms_of = View("epochTermsOf", ("uint64",), EpochTerms)
    _is_settlement_token = View("isSettlementToken", ("address",), bool)
    _ending_of = View("endingOf", ("uint64",), Ending)
    _default_noticed_at = View("defaultNoticedAt", ("uint64", "uint32"), int, "uint64")

    def ledger_key_of(self, gpu_operator: Address) -> Call[Bytes32]:
        """Key that signs for an operator in logs of its facilities; 32 zero bytes for none."""
        return self._call(self._ledger_key_of, gpu_operator)

    def state_of(self, facility_id: FacilityId) -> Call[FacilityState]:
        """State, with `DELIVERING` derived from the block's time."""
        return self._call(self._state_of, facility_id)

    def terms_of(self, facility_id: FacilityId) -> Call[OfferedTerms]:
        """Terms as offered. The contract refuses an unknown facility."""
        return self._call(self._terms_of, facility_id)

    def epoch_terms_of(self, facility_id: FacilityId) -> Call[EpochTerms]:
        """State, window, devices and panel of a facility."""
        return self._call(self._epoch_terms_of, facility_id)

    def is_settlement_token(self, token: Address) -> Call[bool]:
        """Whether new facilities may name a token: one of six decimals that governance allowed."""
        return self._call(self._is_settlement_token, token)

    def ending_of(self, facility_id: FacilityId) -> Call[Ending]:
        """When a facility was funded, ended and closed."""
        return self._call(self._ending_of, facility_id)

    def default_noticed_at_s(self, facility_id: FacilityId, epoch: Epoch) -> Call[int]:
        """When notice of an overdue epoch was given; 0 if it was not."""
        return self._call(self._default_noticed_at, facility_id, epoch)
