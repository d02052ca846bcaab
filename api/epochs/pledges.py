"""Devices pledged twice: what an attester checks of other facilities before it signs."""

from dataclasses import dataclass, replace

from api.chain.contracts import Contracts
from api.chain.events import facility_offers
from api.chain.terms import OfferedTerms
from api.domain.facility import FacilityTerms
from api.domain.hashing import sha256
from api.domain.lifecycle import FacilityState
from api.domain.statements.evidence import FACILITY_FILE, facility_folder
from api.domain.statements.evidence_reader import decode_facility
from api.domain.statements.faults import Offer, double_pledges
from api.domain.units import FacilityId
from api.errors import AppError
from api.evidence_store import HOSTILE, EvidenceSource

# Deeper than any reorg that we expect; older offers are final and read once.
_REREAD_BLOCKS = 64


@dataclass(frozen=True, slots=True)
class Pledged:
    """Devices of a facility that another had pledged before."""

    facility_id: FacilityId
    devices: int


class PledgeWatch:
    """Knows every offer of the register, and reads the pledges of those that could collide.

    A pledge is known from the evidence, and only if it is what `termsHash` on-chain names. One
    that is published nowhere cannot be compared: nobody could prove its devices either.
    """

    def __init__(self, contracts: Contracts, evidence: EvidenceSource) -> None:
        self._contracts, self._evidence = contracts, evidence
        self._next_block = contracts.deployment.start_block
        # Block and terms of every offer, by facility.
        self._offers: dict[FacilityId, tuple[int, OfferedTerms]] = {}
        self._terms: dict[FacilityId, FacilityTerms] = {}

    def earlier(self, terms: FacilityTerms) -> Pledged | None:
        """An earlier facility that pledged a device of this one for an overlapping window.

        Raises:  ChainUnavailable.
        """
        head = self._follow()
        own = self._offers.get(terms.facility_id)
        if own is None:
            return None
        mine = Offer(terms, own[0])
        for facility_id, (block, offered) in sorted(self._offers.items()):
            meets = (
                offered.window_start_s < terms.window_end_s
                and terms.window_start_s < offered.window_end_s
            )
            before = (block, facility_id) < (own[0], int(terms.facility_id))
            if not meets or not before:
                continue
            other = self._pledge(facility_id, offered)
            if other is None:
                continue
            offer = Offer(other, block)
            # The chain is asked only where it matters: an offer can be cancelled at any time.
            if double_pledges(mine, other=offer):
                offer = replace(offer, cancelled=self._cancelled(facility_id, head))
            devices = double_pledges(mine, other=offer)
            if devices:
                return Pledged(facility_id, len(devices))
        return None

    def _follow(self) -> int:
        """Learn of new offers; returns the newest block."""
        head = self._contracts.client.head().number
        for event in facility_offers(self._contracts, first=self._next_block, last=head):
            self._offers[event.args.facility_id] = (event.block_number, event.args.terms)
        start = self._contracts.deployment.start_block
        self._next_block = max(start, head - _REREAD_BLOCKS)
        return head

    def _cancelled(self, facility_id: FacilityId, block: int) -> bool:
        state = self._contracts.facility_registry.state_of(facility_id).at(block=block)
        return state is FacilityState.CANCELLED

    def _pledge(self, facility_id: FacilityId, offered: OfferedTerms) -> FacilityTerms | None:
        known = self._terms.get(facility_id)
        if known is not None:
            return known
        try:
            document = self._evidence.read(f"{facility_folder(facility_id)}/{FACILITY_FILE}")
            if sha256(document) != offered.terms_hash:
                return None
            found = decode_facility(document)
        except (AppError, *HOSTILE):
            return None
        self._terms[facility_id] = found
        return found
