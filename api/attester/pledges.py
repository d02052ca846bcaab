"""Pledges of all facilities: what an attester compares before it signs pledge or statement."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from api.chain.contracts import Contracts
from api.chain.contracts.pledge_registry import ApprovedPledge
from api.chain.events import facility_offers
from api.chain.packed import packed
from api.chain.terms import OfferedTerms
from api.domain.facility import FacilityTerms, Period, check_pledge
from api.domain.hashing import sha256
from api.domain.lifecycle import FacilityState
from api.domain.pledges import (
    Pledge,
    PledgedTwice,
    Pledging,
    cards_pledged_before,
    contradictions,
    pledged_twice,
)
from api.domain.roster import Roster
from api.domain.statements.evidence import FACILITY_FILE, facility_folder, hex32
from api.domain.statements.evidence_reader import decode_facility
from api.domain.statements.pledge_files import pledge_path, with_replacement
from api.domain.units import Bytes32, Epoch, FacilityId
from api.errors import AppError, EvidenceInvalid, EvidenceUnreachable
from api.evidence_store import HOSTILE, EvidenceSource

# Deeper than any reorg that we expect; older offers are final and read once.
_REREAD_BLOCKS = 64


@dataclass(frozen=True, slots=True)
class Clash:
    """Cards of a facility that another facility's live pledge has for the same time, or slices
    that it has of other cards."""

    facility_id: FacilityId
    other_id: FacilityId
    cards: tuple[Bytes32, ...] = ()
    slices: tuple[Bytes32, ...] = ()

    def sentence(self) -> str:
        """Which card or slice, and which other facility."""
        named = self.cards or self.slices
        more = f" and {len(named) - 1} more" if len(named) > 1 else ""
        verb = "are" if more else "is"
        if self.cards:
            return (
                f"card {hex32(named[0])}{more} of facility {self.facility_id} {verb} in the live"
                f" pledge of facility {self.other_id} for the same time"
            )
        return (
            f"slice {hex32(named[0])}{more} of facility {self.facility_id} {verb} of another card"
            f" in the live pledge of facility {self.other_id}"
        )


class PledgeWatch:
    """Knows every offer of the register, and reads the pledges of those that could collide.

    The cards of a pledge are known from the evidence, and only if it is what `termsHash` and the
    approved root on-chain name.
    """

    def __init__(self, contracts: Contracts, evidence: EvidenceSource) -> None:
        self._contracts, self._evidence = contracts, evidence
        self._next_block = contracts.deployment.start_block
        self._offers: dict[FacilityId, OfferedTerms] = {}
        self._terms: dict[FacilityId, FacilityTerms] = {}
        # Approved pledges as of one block.
        self._block = -1
        self._approved: dict[FacilityId, tuple[ApprovedPledge, ...]] = {}
        # Devices by epoch, and the pledges from which they were read.
        self._rosters: dict[FacilityId, tuple[tuple[ApprovedPledge, ...], Roster]] = {}

    def require_free(self, terms: FacilityTerms, *, approvals: int) -> None:
        """Refuse the pledge of an offer, if one of its cards is in another facility's live pledge
        for an overlapping window, one of its slices is there of another card, or if that cannot be
        told. Within the offer, `check_terms` tells parts of cards that are in two devices.

        Args:    approvals: number of approvals that it would come after.
        Raises:  EvidenceInvalid, ChainUnavailable.
        """
        offered = Pledge(approvals + 1, Epoch(0), terms.pledge)
        self._require_first(_pledging(terms, (offered,)), epoch=None, unknown_passes=False)

    def require_replacement_free(
        self, terms: FacilityTerms, *, root: Bytes32, from_epoch: Epoch, approvals: int
    ) -> None:
        """Refuse a pledge in another's place if it is not published, does more than put one device
        in another's place, or has a card or slice that `require_free` would refuse.

        Whether its epoch has begun is for the registry to say.

        Args:    approvals: number of approvals that it would come after.
        Raises:  EvidenceInvalid, ChainUnavailable.
        """
        block = self._contracts.client.head().number
        (approved,) = self._pledges([terms.facility_id], block)
        if not approved:
            message = f"no attesters approved the pledge of facility {terms.facility_id}"
            raise EvidenceInvalid(message, file=FACILITY_FILE)
        before = self._roster(terms, approved)
        wanted = ApprovedPledge(root, from_epoch, 0, approvals + 1)
        after = self._with(before, wanted)
        came = [p for p in _pledges_of(after, approved[0].number) if p.from_epoch <= from_epoch]
        self._require_first(_pledging(terms, tuple(came)), epoch=None, unknown_passes=False)

    def require_in_force(self, terms: FacilityTerms, period: Period) -> Roster:
        """Refuse a statement of a facility of which a pledge is not the published one, or whose
        pledge in force in its epoch or before has a card that an earlier pledge has, or has a part
        of a card twice.

        A closing statement has no hours of its own: who has the cards meanwhile does not matter.

        Returns: the facility's devices by epoch.
        Raises:  EvidenceInvalid, InvalidInput, ChainUnavailable.
        """
        block = self._contracts.client.head().number
        (own,) = self._pledges([terms.facility_id], block)
        epoch = Epoch(period.epoch - 1) if period.closing else period.epoch
        counting = [p for p in own if p.from_epoch <= epoch]
        if not counting:
            message = f"no attesters approved the pledge of facility {terms.facility_id}"
            raise EvidenceInvalid(message, file=FACILITY_FILE)
        # Also what is in force later only: the log may speak of its device by now.
        roster = self._roster(terms, own)
        if period.closing:
            return roster
        check_pledge(terms)
        pledges = _pledges_of(roster, own[0].number)[: len(counting)]
        # Whose cards nobody knows, nobody can prove anything with.
        self._require_first(_pledging(terms, pledges), epoch=epoch, unknown_passes=True)
        return roster

    def roster(self, terms: FacilityTerms) -> Roster:
        """Devices of a facility by epoch, by its approved pledges as they are published.

        Raises:  EvidenceInvalid if one is not, or none is approved; ChainUnavailable.
        """
        block = self._contracts.client.head().number
        (own,) = self._pledges([terms.facility_id], block)
        if not own:
            message = f"no attesters approved the pledge of facility {terms.facility_id}"
            raise EvidenceInvalid(message, file=FACILITY_FILE)
        return self._roster(terms, own)

    def twice(self, terms: FacilityTerms, epoch: Epoch) -> list[PledgedTwice]:
        """Devices of a facility's epoch whose card another facility pledged before for that time,
        as far as pledges are published. Raises EvidenceInvalid, ChainUnavailable."""
        block = self._follow()
        (approved,) = self._pledges([terms.facility_id], block)
        roster = self.roster(terms)
        own = _pledging(terms, _pledges_of(roster, approved[0].number))
        found: list[PledgedTwice] = []
        for other_id, other in self._others(own, block):
            known = self._known(other_id, other)
            if known is not None:
                found += pledged_twice(own, epoch, other=self._as_it_stands(known, block))
        return found

    def _others(
        self, own: Pledging, block: int
    ) -> Iterator[tuple[FacilityId, tuple[ApprovedPledge, ...]]]:
        """Approved pledges of other facilities whose window overlaps."""
        others = [
            facility_id
            for facility_id, offered in sorted(self._offers.items())
            if facility_id != own.facility_id
            and offered.window_start_s < own.window_end_s
            and own.window_start_s < offered.window_end_s
        ]
        each = zip(others, self._pledges(others, block), strict=True)
        yield from ((other_id, approved) for other_id, approved in each if approved)

    def _require_first(self, own: Pledging, *, epoch: Epoch | None, unknown_passes: bool) -> None:
        block = self._follow()
        for other_id, approved in self._others(own, block):
            other = self._known(other_id, approved)
            if other is None:
                # Asked only where it matters: a facility can be cancelled or end at any time.
                if unknown_passes or not self._claims(own, other_id, block):
                    continue
                message = (
                    f"the pledge of facility {other_id} is not published, so that its cards"
                    " cannot be compared"
                )
                raise EvidenceInvalid(message, file=FACILITY_FILE)
            if _clash(own, other=other, epoch=epoch):
                clash = _clash(own, other=self._as_it_stands(other, block), epoch=epoch)
                if clash:
                    raise EvidenceInvalid(clash)

    def _follow(self) -> int:
        """Learn of new offers; returns the newest block."""
        head = self._contracts.client.head().number
        for event in facility_offers(self._contracts, first=self._next_block, last=head):
            self._offers[event.args.facility_id] = event.args.terms
        start = self._contracts.deployment.start_block
        self._next_block = max(start, head - _REREAD_BLOCKS)
        return head

    def _pledges(
        self, facility_ids: list[FacilityId], block: int
    ) -> list[tuple[ApprovedPledge, ...]]:
        """Approved pledges of some facilities at a block, read once."""
        if block != self._block:
            self._block, self._approved = block, {}
        missing = [i for i in facility_ids if i not in self._approved]
        if missing:
            registry = self._contracts.pledge_registry
            asked = self._contracts.all_of([registry.pledges_of(i) for i in missing])
            self._approved |= dict(zip(missing, packed(asked, block=block), strict=True))
        return [self._approved[i] for i in facility_ids]

    def _known(
        self, facility_id: FacilityId, approved: tuple[ApprovedPledge, ...]
    ) -> Pledging | None:
        """A facility with its cards; None if those of a pledge are not published."""
        terms = self._published(facility_id)
        if terms is None:
            return None
        try:
            roster = self._roster(terms, approved)
        except AppError:
            return None
        return _pledging(terms, _pledges_of(roster, approved[0].number))

    def _roster(self, terms: FacilityTerms, approved: tuple[ApprovedPledge, ...]) -> Roster:
        """Devices of a facility by epoch, by its approved pledges as they are published.

        Raises:  EvidenceInvalid if one is not.
        """
        if approved[0].root != terms.pledge_tree.root:
            message = "the pledge that attesters approved is not the published one"
            raise EvidenceInvalid(message, file=FACILITY_FILE)
        known = self._rosters.get(terms.facility_id)
        if known is not None and known[0] == approved and known[1].terms == terms:
            return known[1]
        roster = Roster(terms)
        for pledge in approved[1:]:
            roster = self._with(roster, pledge)
        self._rosters[terms.facility_id] = approved, roster
        return roster

    def _with(self, roster: Roster, pledge: ApprovedPledge) -> Roster:
        root, from_epoch = pledge.root, pledge.from_epoch
        path = pledge_path(roster.terms.facility_id, root)
        try:
            document = self._evidence.read(path)
            return with_replacement(
                roster, document, root=root, from_epoch=from_epoch, number=pledge.number
            )
        except (EvidenceInvalid, EvidenceUnreachable):
            raise
        except (AppError, *HOSTILE) as error:
            message = f"the pledge in force from epoch {from_epoch} on is not published"
            raise EvidenceInvalid(message, file=path) from error

    def _published(self, facility_id: FacilityId) -> FacilityTerms | None:
        known = self._terms.get(facility_id)
        if known is not None:
            return known
        try:
            document = self._evidence.read(f"{facility_folder(facility_id)}/{FACILITY_FILE}")
            if sha256(document) != self._offers[facility_id].terms_hash:
                return None
            found = decode_facility(document)
        except (AppError, *HOSTILE):
            return None
        self._terms[facility_id] = found
        return found

    def _standing(self, facility_id: FacilityId, block: int) -> tuple[bool, int | None]:
        """Whether a facility is cancelled, and when it ended."""
        registry = self._contracts.facility_registry
        state, ending = self._contracts.together(
            registry.state_of(facility_id), registry.ending_of(facility_id)
        ).at(block=block)
        return state is FacilityState.CANCELLED, ending.ended_at_s or None

    def _as_it_stands(self, other: Pledging, block: int) -> Pledging:
        cancelled, ended_at_s = self._standing(other.facility_id, block)
        return replace(other, cancelled=cancelled, ended_at_s=ended_at_s)

    def _claims(self, own: Pledging, other_id: FacilityId, block: int) -> bool:
        """Whether a facility whose cards are unknown could have some of them in this window."""
        cancelled, ended_at_s = self._standing(other_id, block)
        return not cancelled and (ended_at_s is None or ended_at_s > own.window_start_s)


def _clash(own: Pledging, *, other: Pledging, epoch: Epoch | None) -> str | None:
    """What `own` pledged although the other facility's earlier pledge forbids it; None if nothing.

    Args:    epoch: only this epoch of `own`; None is its whole window.
    """
    cards = cards_pledged_before(own, other=other, epoch=epoch)
    if cards:
        return Clash(own.facility_id, other.facility_id, cards=cards).sentence()
    ours = [c.device for c in contradictions([own, other]) if c.facility_id == own.facility_id]
    if not ours:
        return None
    return Clash(own.facility_id, other.facility_id, slices=tuple(ours)).sentence()


def _pledges_of(roster: Roster, first: int) -> tuple[Pledge, ...]:
    """All pledges of a facility in order. first: number of the approval of its offer's."""
    return (Pledge(first, Epoch(0), roster.terms.pledge), *roster.replacements)


def _pledging(terms: FacilityTerms, pledges: tuple[Pledge, ...]) -> Pledging:
    return Pledging(
        terms.facility_id,
        terms.window_start_s,
        terms.window_end_s,
        terms.epoch_length_s,
        pledges,
    )
