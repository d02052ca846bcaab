"""Verify, part 1c: pledges are approved before funding, and no card is in two at one time."""

from collections.abc import Callable
from dataclasses import dataclass, field

from api.chain.answers import Block
from api.chain.contracts import Contracts
from api.chain.contracts.pledge_registry import ApprovedPledge
from api.chain.emitted.facility_registry import FacilityOffered, FacilityStateChanged
from api.chain.emitted.pledge_registry import PledgeApproved
from api.chain.events import AnyEvent, ChainEvent, Handlers
from api.chain.terms import OfferedTerms
from api.domain.facility import check_pledge
from api.domain.lifecycle import FacilityState
from api.domain.pledges import Holding, Pledge, Pledging, contradictions, holdings
from api.domain.statements.evidence import FACILITY_FILE, facility_folder, hex32
from api.domain.statements.pledge_files import pledge_path, with_replacement
from api.domain.units import Bytes32, FacilityId
from api.errors import AppError, InvalidInput
from api.evidence_store import HOSTILE, EvidenceSource
from api.verify.attesters import AttesterVerifier
from api.verify.epoch import VerifiedFacility
from api.verify.findings import Finding


@dataclass
class _Pledged:
    """One facility as offered, its approved pledges in order, and how far it came."""

    terms: OfferedTerms
    state: FacilityState = FacilityState.OFFERED
    # Devices of replacements, by the number of their approval, where they are published.
    replaced: dict[int, Pledge] = field(default_factory=dict)
    ended_at_s: int | None = None
    approved: list[ApprovedPledge] = field(default_factory=list)

    def cancelled(self, now_s: int) -> bool:
        """Whether the offer is withdrawn, removed or expired: the last by time alone."""
        expired = self.state is FacilityState.OFFERED and now_s >= self.terms.expires_at_s
        return expired or self.state is FacilityState.CANCELLED


class PledgeVerifier:
    """Replays approvals of pledges and collects findings."""

    def __init__(
        self,
        facilities: dict[int, VerifiedFacility],
        attesters: AttesterVerifier,
        evidence: EvidenceSource,
        report: Callable[[Finding], None],
    ) -> None:
        self._facilities, self._attesters, self._report = facilities, attesters, report
        self._evidence = evidence
        self._pledged: dict[FacilityId, _Pledged] = {}
        self._approvals = 0
        self._handlers = (
            Handlers()
            .on(FacilityOffered, self._offered)
            .on(FacilityStateChanged, self._changed)
            .on(PledgeApproved, self._approved)
        )

    def take(self, event: AnyEvent) -> None:
        """Replay one chain event."""
        self._handlers.take(event)

    def _require(self, facility_id: int, *rules: tuple[bool, str]) -> None:
        for holds, message in rules:
            if not holds:
                self._report(Finding(message, facility_id))

    def _offered(self, event: ChainEvent[FacilityOffered]) -> None:
        self._pledged[event.args.facility_id] = _Pledged(event.args.terms)

    def _changed(self, event: ChainEvent[FacilityStateChanged]) -> None:
        facility_id, state = event.args.facility_id, event.args.state
        pledged = self._pledged[facility_id]
        pledged.state = state
        if state.ended:
            pledged.ended_at_s = event.block_time_s
        approved = state is not FacilityState.FUNDED or bool(pledged.approved)
        self._require(facility_id, (approved, "was funded before its pledge was approved"))

    def _approved(self, event: ChainEvent[PledgeApproved]) -> None:
        args, now_s = event.args, event.block_time_s
        pledged = self._pledged[args.facility_id]
        self._approvals += 1
        for message in self._attesters.problems(args.facility_id, args.attesters, now_s):
            self._report(Finding(f"the approval of its pledge: {message}", args.facility_id))
        if pledged.approved:
            rules = self._replacement_rules(pledged, args, now_s)
        else:
            offered = pledged.state is FacilityState.OFFERED and not pledged.cancelled(now_s)
            same = (args.pledge_root, args.from_epoch) == (pledged.terms.pledge_root, 0)
            rules = (
                (offered, "its pledge was approved when it was no offer"),
                (same, "another pledge was approved than was offered"),
            )
        order = args.number == self._approvals
        count = f"its pledge has number {args.number} where {self._approvals} came next"
        self._require(args.facility_id, *rules, (order, count))
        approved = ApprovedPledge(args.pledge_root, args.from_epoch, now_s, args.number)
        if pledged.approved:
            self._replaced(args.facility_id, approved)
        pledged.approved.append(approved)

    def _replaced(self, facility_id: FacilityId, approved: ApprovedPledge) -> None:
        """Read who takes whose place. What is wrong leaves the devices as they were: statements
        that say otherwise differ from what is recomputed."""
        facility = self._facilities.get(facility_id)
        if facility is None:
            return
        path = pledge_path(facility_id, approved.root)
        try:
            roster = with_replacement(
                facility.roster,
                self._evidence.read(path),
                root=approved.root,
                from_epoch=approved.from_epoch,
                number=approved.number,
            )
            facility.repledge(roster)
        except AppError as error:
            message = f"does not hold the pledge in force from epoch {approved.from_epoch} on"
            self._report(Finding(f"{message}: {error.message}", facility_id, None, path))
            return
        except HOSTILE as error:
            self._report(Finding(f"is not readable: {error!r}", facility_id, None, path))
            return
        self._pledged[facility_id].replaced[approved.number] = roster.replacements[-1]

    def _replacement_rules(
        self, pledged: _Pledged, args: PledgeApproved, now_s: int
    ) -> tuple[tuple[bool, str], ...]:
        terms = pledged.terms
        starts_s = terms.window_start_s + args.from_epoch * terms.epoch_length_s
        later = args.from_epoch >= pledged.approved[-1].from_epoch and starts_s > now_s
        return (
            (pledged.state is FacilityState.FUNDED, "a pledge was replaced when it was not funded"),
            (later, f"a pledge was replaced from epoch {args.from_epoch}, which had begun"),
        )

    def replaced_roots(self) -> dict[int, set[Bytes32]]:
        """Roots of the pledges that took the place of the offer's, by facility."""
        return {i: {p.root for p in pledged.approved[1:]} for i, pledged in self._pledged.items()}

    def compare(self, contracts: Contracts, head: Block) -> None:
        """Compare with the contract's storage, and the cards of all facilities with each other."""
        registry, ids = contracts.pledge_registry, sorted(self._pledged)
        approvals, stored = contracts.together(
            registry.approvals(), contracts.all_of([registry.pledges_of(i) for i in ids])
        ).at(block=head.number)
        if approvals != self._approvals:
            message = f"PledgeRegistry counts {approvals} approvals, not {self._approvals}"
            self._report(Finding(message))
        for facility_id, pledges in zip(ids, stored, strict=True):
            same = list(pledges) == self._pledged[facility_id].approved
            self._require(facility_id, (same, "PledgeRegistry holds other pledges"))
        self._compare_cards(head.time_s)

    def _compare_cards(self, now_s: int) -> None:
        known = [self._pledging(i, pledged, now_s) for i, pledged in sorted(self._pledged.items())]
        pledgings = [pledging for pledging in known if pledging is not None]
        by_card: dict[Bytes32, list[Holding]] = {}
        for pledging in pledgings:
            self._compare_parts(pledging)
            for held in holdings(pledging):
                by_card.setdefault(held.card, []).append(held)
        clashes: dict[tuple[FacilityId, FacilityId], list[Bytes32]] = {}
        for card, held_by in by_card.items():
            for pair in _clashes(held_by):
                clashes.setdefault(pair, []).append(card)
        for (later, earlier), cards in sorted(clashes.items()):
            count = f"{len(cards)} of its cards, {hex32(min(cards))} first, are pledged before by"
            self._report(Finding(f"{count} facility {earlier} for the same time", later))
        moved: dict[tuple[FacilityId, FacilityId], list[Bytes32]] = {}
        for found in contradictions(pledgings):
            moved.setdefault((found.facility_id, found.other_id), []).append(found.device)
        for (later, earlier), slices in sorted(moved.items()):
            count = f"{len(slices)} of its slices, {hex32(min(slices))} first, are of other cards"
            self._report(Finding(f"{count} in the earlier pledge of facility {earlier}", later))

    def _compare_parts(self, pledging: Pledging) -> None:
        """Within one facility no part of a card is in two devices."""
        if not any(pledge.devices for pledge in pledging.pledges):
            return
        try:
            check_pledge(self._facilities[pledging.facility_id].terms)
        except InvalidInput as error:
            path = f"{facility_folder(pledging.facility_id)}/{FACILITY_FILE}"
            self._report(Finding(error.message, pledging.facility_id, None, path))

    def _pledging(self, facility_id: FacilityId, pledged: _Pledged, now_s: int) -> Pledging | None:
        """Cards of a facility; None where its evidence is missing, which is found elsewhere."""
        facility = self._facilities.get(facility_id)
        if facility is None or not pledged.approved:
            return None
        terms, (first, *later) = facility.terms, pledged.approved
        offered = terms.pledge if first.root == terms.pledge_tree.root else ()
        known = [Pledge(first.number, first.from_epoch, offered)]
        # One that is not published was found when it was approved.
        known += [pledged.replaced.get(p.number, Pledge(p.number, p.from_epoch, ())) for p in later]
        return Pledging(
            facility_id,
            terms.window_start_s,
            terms.window_end_s,
            terms.epoch_length_s,
            tuple(known),
            cancelled=pledged.cancelled(now_s),
            ended_at_s=pledged.ended_at_s,
        )


def _clashes(held_by: list[Holding]) -> set[tuple[FacilityId, FacilityId]]:
    """Of one card: pairs of facilities, the later approved one first, that share a second."""
    ordered = sorted(held_by, key=lambda held: held.number)
    return {
        (later.facility_id, earlier.facility_id)
        for place, later in enumerate(ordered)
        for earlier in ordered[:place]
        if earlier.facility_id != later.facility_id and earlier.meets(later)
    }
