"""Devices pledged twice: what an attester checks of other facilities before it signs."""

from dataclasses import dataclass, replace
from typing import Any

from api.chain.client import ChainClient
from api.chain.deployment import Deployment
from api.chain.events import facility_offers
from api.domain.facility import FacilityTerms
from api.domain.hashing import sha256
from api.domain.statements.evidence import FACILITY_FILE, facility_folder
from api.domain.statements.evidence_reader import decode_facility
from api.domain.statements.faults import Offer, double_pledges
from api.errors import AppError
from api.evidence_store import HOSTILE, EvidenceSource

# Deeper than any reorg that we expect; older offers are final and read once.
_REREAD_BLOCKS = 64
# `IFacilityRegistry.FacilityState.Cancelled`
_CANCELLED = 5
# Places in `IFacilityRegistry.FacilityTerms`.
_WINDOW_START, _WINDOW_END, _TERMS_HASH = 4, 5, 11


@dataclass(frozen=True, slots=True)
class Pledged:
    """Devices of a facility that another had pledged before."""

    facility_id: int
    devices: int


class PledgeWatch:
    """Knows every offer of the register, and reads the pledges of those that could collide.

    A pledge is known from the evidence, and only if it is what `termsHash` on-chain names. One
    that is published nowhere cannot be compared: nobody could prove its devices either.
    """

    def __init__(
        self, client: ChainClient, deployment: Deployment, evidence: EvidenceSource
    ) -> None:
        self._client, self._deployment, self._evidence = client, deployment, evidence
        self._next_block = deployment.start_block
        self._offers: dict[int, tuple[int, tuple[Any, ...]]] = {}
        self._terms: dict[int, FacilityTerms] = {}

    def earlier(self, terms: FacilityTerms) -> Pledged | None:
        """An earlier facility that pledged a device of this one for an overlapping window.

        Raises:  ChainUnavailable.
        """
        self._follow()
        own = self._offers.get(terms.facility_id)
        if own is None:
            return None
        mine = Offer(terms, own[0])
        for facility_id, (block, offered) in sorted(self._offers.items()):
            meets = (
                offered[_WINDOW_START] < terms.window_end_s
                and terms.window_start_s < offered[_WINDOW_END]
            )
            before = (block, facility_id) < (own[0], int(terms.facility_id))
            if not meets or not before:
                continue
            other = self._pledge(facility_id, offered)
            if other is None:
                continue
            offer = Offer(other, block)
            # The chain is asked only where it matters: an offer can be cancelled at any time.
            if double_pledges(mine, offer):
                offer = replace(offer, cancelled=self._cancelled(facility_id))
            devices = double_pledges(mine, offer)
            if devices:
                return Pledged(facility_id, len(devices))
        return None

    def _follow(self) -> None:
        head = self._client.block().number
        for event in facility_offers(
            self._client, self._deployment, first=self._next_block, last=head
        ):
            terms = tuple(event.args["terms"])
            self._offers[event.args["facilityId"]] = (event.block_number, terms)
        self._next_block = max(self._deployment.start_block, head - _REREAD_BLOCKS)

    def _cancelled(self, facility_id: int) -> bool:
        registry = self._deployment.facility_registry
        state = self._client.read("FacilityRegistry", registry, "stateOf", facility_id)
        return bool(state == _CANCELLED)

    def _pledge(self, facility_id: int, offered: tuple[Any, ...]) -> FacilityTerms | None:
        known = self._terms.get(facility_id)
        if known is not None:
            return known
        try:
            document = self._evidence.read(f"{facility_folder(facility_id)}/{FACILITY_FILE}")
            if sha256(document) != offered[_TERMS_HASH]:
                return None
            found = decode_facility(document)
        except (AppError, *HOSTILE):
            return None
        self._terms[facility_id] = found
        return found
