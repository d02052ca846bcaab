"""What the chain says of a facility, against which an attester holds the service's words."""

from collections.abc import Sequence

from api.chain.contracts import Contracts
from api.chain.events import voided_epochs
from api.chain.terms import OfferedTerms
from api.domain.facility import FacilityTerms
from api.domain.units import Epoch, FacilityId
from api.epochs.pledges import Pledged, PledgeWatch
from api.evidence_store import EvidenceSource


class ChainFacts:
    """Reads at the newest block. Every method raises ChainUnavailable: no answer, no signature."""

    def __init__(self, contracts: Contracts, evidence: EvidenceSource) -> None:
        self._contracts = contracts
        self._pledges = PledgeWatch(contracts, evidence)

    @property
    def chain_id(self) -> int:
        """EIP-155 chain id that statements are signed for."""
        return self._contracts.deployment.chain_id

    @property
    def registry(self) -> str:
        """StatementRegistry that statements are signed for."""
        return self._contracts.deployment.statement_registry

    def offered(self, facility_id: FacilityId) -> OfferedTerms:
        """Terms of a facility as investors see them; all zero where it was never offered."""
        head = self._contracts.client.head()
        return self._contracts.facility_registry.terms_of(facility_id).at(block=head.number)

    def voided(self, facility_id: FacilityId) -> Sequence[Epoch]:
        """Epochs of a facility with a proven fault, one entry a fault."""
        return [Epoch(e) for e in voided_epochs(self._contracts, facility_id)]

    def earlier_pledge(self, terms: FacilityTerms) -> Pledged | None:
        """An earlier facility that pledged a device of this one for an overlapping window."""
        return self._pledges.earlier(terms)
