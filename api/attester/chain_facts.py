"""What the chain says of a facility, against which an attester holds the service's words."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from api.attester.failures import of_node
from api.attester.pledges import PledgeWatch
from api.chain.clocks import read_clocks
from api.chain.contracts import Contracts
from api.chain.events import voided_epochs
from api.chain.ledger_keys import named_keys
from api.chain.panels import facilities_of
from api.chain.running import running_of
from api.chain.terms import OfferedTerms
from api.domain.clocks import Clocks
from api.domain.facility import FacilityTerms, Period
from api.domain.lifecycle import FacilityState
from api.domain.log.authors import NamedKey
from api.domain.roster import Roster
from api.domain.statements.evidence import hex32
from api.domain.statements.statement import Statement, statement_hash
from api.domain.units import ZERO_ADDRESS, Bytes32, Epoch, FacilityId
from api.errors import EvidenceInvalid
from api.evidence_store import EvidenceSource


@dataclass(frozen=True, slots=True)
class WaitingOffer:
    """What the chain says of a pledge to be approved: terms, and approvals so far.

    waits: whether it can be approved: it is offered, not funded, and was not approved before.
    """

    offered: OfferedTerms
    approvals: int
    waits: bool


@dataclass(frozen=True, slots=True)
class Around:
    """What a refusal says beside what is refused.

    previous: hash of the statement before, zero while none is posted.
    rejections: of evidence of the facility so far.
    """

    previous: Bytes32
    rejections: int
    now_s: int


@of_node
class ChainFacts:
    """Reads at the newest block. Every method raises ChainUnavailable: no answer, no signature.

    confirmations: so deep a void must be before another statement is signed in its place.
    """

    def __init__(
        self, contracts: Contracts, evidence: EvidenceSource, *, confirmations: int = 0
    ) -> None:
        self._contracts, self._confirmations = contracts, confirmations
        self._pledges = PledgeWatch(contracts, evidence)
        # By operator: the block from which keys are asked for, and those named before it.
        self._named: dict[str, tuple[int, tuple[NamedKey, ...]]] = {}

    @property
    def chain_id(self) -> int:
        """EIP-155 chain id that is signed for."""
        return self._contracts.deployment.chain_id

    @property
    def registry(self) -> str:
        """StatementRegistry that statements are signed for."""
        return self._contracts.deployment.statement_registry

    @property
    def facility_registry(self) -> str:
        """FacilityRegistry that knows the facilities, and names their logs."""
        return self._contracts.deployment.facility_registry

    @property
    def pledge_registry(self) -> str:
        """PledgeRegistry that pledges are signed for."""
        return self._contracts.deployment.pledge_registry

    @property
    def attester_desk(self) -> str:
        """AttesterDesk that refusals are signed for."""
        return self._contracts.deployment.attester_desk

    def around(self, facility_id: FacilityId, epoch: Epoch) -> Around:
        """What a refusal of a statement is signed beside."""
        registry, head = self._contracts.statement_registry, self._contracts.client.head()
        openness = registry.openness_of(facility_id).at(block=head.number)
        previous = Bytes32(bytes(32))
        if epoch:
            before = registry.statement_of(facility_id, Epoch(epoch - 1)).at(block=head.number)
            previous = before.statement_hash
        return Around(previous, openness.rejections, head.time_s)

    def published(self, facility_id: FacilityId, epoch: Epoch) -> Bytes32:
        """Evidence that stands published for an epoch; zero if none does."""
        registry = self._contracts.statement_registry
        return registry.published_hash_of(facility_id, epoch).at(block=self._head())

    def seated(self, facility_ids: Collection[FacilityId], account: str) -> set[FacilityId]:
        """Those of some facilities on whose panel an account has a seat."""
        asked = sorted(facility_ids)
        if not asked:
            return set()
        return set(facilities_of(self._contracts, asked, account, block=self._head()))

    def offered(self, facility_id: FacilityId) -> OfferedTerms:
        """Terms of a facility as investors see them. The contract refuses an unknown facility."""
        return self._contracts.facility_registry.terms_of(facility_id).at(block=self._head())

    def ended_at_s(self, facility_id: FacilityId) -> int | None:
        """When a facility ended, other than by maturity; None while it can still deliver."""
        registry = self._contracts.facility_registry
        state, ending = self._contracts.together(
            registry.state_of(facility_id), registry.ending_of(facility_id)
        ).at(block=self._head())
        early = state in (FacilityState.DEFAULTED, FacilityState.STOPPED)
        return ending.ended_at_s if early else None

    def named_keys(self, gpu_operator: str) -> tuple[NamedKey, ...]:
        """Ledger keys that an operator named, in order. Final blocks are asked once."""
        head = self._head()
        first, known = self._named.get(gpu_operator, (self._contracts.deployment.start_block, ()))
        newer = named_keys(self._contracts, gpu_operator, first=first, last=head)
        final = max(first - 1, head - self._confirmations)
        if final >= first:
            settled = named_keys(self._contracts, gpu_operator, first=first, last=final)
            self._named[gpu_operator] = final + 1, (*known, *settled)
        return (*known, *newer)

    def clocks(self, wall_s: int | None) -> Clocks:
        """The chain's times beside this machine's; None for that where time is simulated."""
        client = self._contracts.client
        return read_clocks(client, confirmations=self._confirmations, wall_s=wall_s)

    def now_s(self) -> int:
        """Time of the newest block."""
        return self._contracts.client.head().time_s

    def voided(self, facility_id: FacilityId) -> Sequence[Epoch]:
        """Epochs of a facility with a proven fault, one entry a fault."""
        return [Epoch(e) for e in voided_epochs(self._contracts, facility_id)]

    def may_repeat(self, facility_id: FacilityId) -> bool:
        """Whether a double pledge lets statements of a facility be signed once more, finally."""
        registry = self._contracts.statement_registry
        return registry.may_repeat(facility_id).at(block=self._final())

    def first_unposted(self, facility_id: FacilityId) -> Epoch:
        """The statement that is posted next: behind the closing one if that stands."""
        registry = self._contracts.statement_registry
        posted, closed = self._contracts.together(
            registry.epochs_posted(facility_id), registry.is_closing_posted(facility_id)
        ).at(block=self._head())
        return Epoch(posted + closed)

    def posted_hash(self, facility_id: FacilityId, epoch: Epoch) -> Bytes32:
        """Hash of the posted statement of an epoch. The contract refuses one without any."""
        registry = self._contracts.statement_registry
        return registry.statement_of(facility_id, epoch).at(block=self._head()).statement_hash

    def standing_rival(self, facility_id: FacilityId, rivals: Sequence[Bytes32]) -> Bytes32 | None:
        """One of some signed statements that was never void, so that it and another of its place
        are an equivocation; None if all were, or if the facility may state anew."""
        if not rivals:
            return None
        registry = self._contracts.statement_registry
        block = self._final()
        if registry.may_repeat(facility_id).at(block=block):
            return None
        asked = self._contracts.all_of([registry.verdict_of(rival) for rival in rivals])
        verdicts = zip(rivals, asked.at(block=block), strict=True)
        return next((r for r, verdict in verdicts if verdict.challenger == ZERO_ADDRESS), None)

    def require_behind_posted(self, statement: Statement) -> None:
        """Refuse a statement beside, or behind, another than the one that the chain holds.

        Raises:  EvidenceInvalid.
        """
        facility_id, epoch = statement.facility_id, statement.epoch
        registry, block = self._contracts.statement_registry, self._head()
        posted = registry.epochs_posted(facility_id).at(block=block)
        named = {epoch: statement_hash(statement)}
        if epoch:
            named[Epoch(epoch - 1)] = statement.previous_statement_hash
        for number, hashed in named.items():
            if number >= posted:
                continue
            held = registry.statement_of(facility_id, number).at(block=block).statement_hash
            if held != hashed:
                message = f"the chain holds another statement of epoch {number}: {hex32(held)}"
                raise EvidenceInvalid(message, epoch=number)

    def waiting_offer(self, facility_id: FacilityId) -> WaitingOffer:
        """What can be approved of a facility now, all at one block."""
        registry, pledges = self._contracts.facility_registry, self._contracts.pledge_registry
        offered, state, approvals, approved = self._contracts.together(
            registry.terms_of(facility_id),
            registry.state_of(facility_id),
            pledges.approvals(),
            pledges.is_approved(facility_id),
        ).at(block=self._head())
        return WaitingOffer(
            offered, approvals, waits=state is FacilityState.OFFERED and not approved
        )

    def require_free(self, terms: FacilityTerms, *, approvals: int) -> None:
        """Refuse a pledge with a card of another live one. Raises EvidenceInvalid."""
        self._pledges.require_free(terms, approvals=approvals)

    def require_replaceable(
        self, facility_id: FacilityId, terms: FacilityTerms, from_epoch: Epoch
    ) -> int:
        """Refuse a replacement that the registry would not take now; returns the approvals so far.

        Raises:  EvidenceInvalid, ChainUnavailable.
        """
        running = running_of(self._contracts, facility_id)
        if not running.runs:
            state = running.state.name.lower()
            raise EvidenceInvalid(f"facility {facility_id} is {state}: nothing is replaced")
        least = running.least(terms)
        if not least <= from_epoch < terms.epoch_count:
            message = f"a device is replaced from epoch {least} on, not from {from_epoch}"
            raise EvidenceInvalid(message)
        return self._contracts.pledge_registry.approvals().at(block=self._head())

    def require_replacement_free(
        self, terms: FacilityTerms, *, root: Bytes32, from_epoch: Epoch, approvals: int
    ) -> None:
        """Refuse a replacement that changes more than one device, or has a card of another live
        pledge. Raises EvidenceInvalid."""
        self._pledges.require_replacement_free(
            terms, root=root, from_epoch=from_epoch, approvals=approvals
        )

    def require_in_force(self, terms: FacilityTerms, period: Period) -> Roster:
        """Refuse a statement whose pledge is not the one in force; returns the devices by epoch.
        Raises EvidenceInvalid."""
        return self._pledges.require_in_force(terms, period)

    def _final(self) -> int:
        """A block that cannot be undone any more, as the settings say."""
        return max(self._contracts.deployment.start_block, self._head() - self._confirmations)

    def _head(self) -> int:
        return self._contracts.client.head().number
