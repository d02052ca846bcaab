"""Evidence that must be there by now: its hash stood on-chain for some time."""

from collections.abc import Iterator
from dataclasses import dataclass

from api.chain.contracts import Contracts
from api.chain.events import facility_offers, publications
from api.chain.panels import facilities_of
from api.domain.statements.refusals import NO_HASH
from api.domain.units import Bytes32, Epoch, FacilityId

# Deeper than any reorg that we expect.
_REREAD_BLOCKS = 64


@dataclass(frozen=True, slots=True)
class Due:
    """Evidence that an operator published for an epoch without a statement."""

    facility_id: FacilityId
    epoch: Epoch
    evidence: Bytes32


class DueEvidence:
    """Follows offers and publications.

    Statements are no concern: of one that is posted, a verdict a day later mostly comes too late.
    """

    def __init__(self, contracts: Contracts) -> None:
        self._contracts = contracts
        self._next_block = contracts.deployment.start_block
        self._facilities: set[FacilityId] = set()
        self._since: dict[tuple[FacilityId, Epoch, Bytes32], int] = {}

    def seated(self, account: str) -> list[FacilityId]:
        """Facilities on whose panel an account sits. Raises ChainUnavailable."""
        head = self._contracts.client.head().number
        self._follow(head)
        return facilities_of(self._contracts, sorted(self._facilities), account, block=head)

    def older_than(self, age_s: int, account: str) -> Iterator[Due]:
        """What stood there for so long, of facilities on whose panel an account sits.

        Raises:  ChainUnavailable.
        """
        head = self._contracts.client.head()
        before_s = head.time_s - age_s
        for facility_id in self.seated(account):
            yield from self._of(facility_id, before_s=before_s, block=head.number)

    def _follow(self, head: int) -> None:
        first, contracts = self._next_block, self._contracts
        for offer in facility_offers(contracts, first=first, last=head):
            self._facilities.add(offer.args.facility_id)
        for event in publications(contracts, first=first, last=head):
            said = event.args
            self._since[said.facility_id, said.epoch, said.evidence_hash] = event.block_time_s
        self._next_block = max(contracts.deployment.start_block, head - _REREAD_BLOCKS)

    def _of(self, facility_id: FacilityId, *, before_s: int, block: int) -> Iterator[Due]:
        registry = self._contracts.statement_registry
        posted, openness = self._contracts.together(
            registry.epochs_posted(facility_id), registry.openness_of(facility_id)
        ).at(block=block)
        for epoch in map(Epoch, range(posted, openness.first_open)):
            evidence = registry.published_hash_of(facility_id, epoch).at(block=block)
            # An epoch that only a void left published has no hash.
            since_s = self._since.get((facility_id, epoch, evidence))
            if evidence != NO_HASH and since_s is not None and since_s <= before_s:
                yield Due(facility_id, epoch, evidence)
