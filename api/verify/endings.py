"""Verify, part 5: replay what is stated or published, notices and endings, and compare."""

from collections.abc import Callable
from dataclasses import dataclass, field

from api.chain.contracts import Contracts
from api.chain.contracts.facility_registry import Ending
from api.chain.contracts.statement_registry import Openness
from api.chain.emitted.facility_registry import (
    DefaultDeclared,
    DefaultNoticed,
    FacilityOffered,
    FacilityStateChanged,
    ReceivableWrittenOff,
    UnpaidNoticed,
)
from api.chain.emitted.rent_lockbox import FacilityClosed
from api.chain.emitted.statement_registry import (
    EvidencePublished,
    EvidenceRejected,
    StatementPosted,
    StatementVoided,
)
from api.chain.events import AnyEvent, ChainEvent, Handlers
from api.chain.terms import OfferedTerms
from api.domain.capital.closing import closable_from_s
from api.domain.lifecycle import (
    RECEIVABLE_LIFE_S,
    FacilityState,
    cured_until_s,
    facility_state,
    final_at_s,
    notice_counts,
    overdue_from_s,
    stated_after_end,
    statements_until_s,
)
from api.domain.units import ZERO32, Bytes32, Epoch, FacilityId
from api.verify.findings import Finding


@dataclass
class Life:
    """How far one facility came, replayed from its offer; UTC seconds, 0 for what was not yet.

    published: leading epochs that were published, or stated and then voided.
    by_operator: leading epochs that it published itself and that were not taken back.
    """

    terms: OfferedTerms
    state: FacilityState = FacilityState.OFFERED
    funded_at_s: int = 0
    ended_at_s: int = 0
    closed_at_s: int = 0
    unpaid_noticed_at_s: int = 0
    posted: int = 0
    closing_posted: bool = False
    posted_at_s: dict[int, int] = field(default_factory=dict)
    published: int = 0
    by_operator: int = 0
    voided_at_s: int = 0
    rejected_at_s: int = 0
    rejections: int = 0
    hashes: dict[int, Bytes32] = field(default_factory=dict)
    rejected: set[int] = field(default_factory=set)
    noticed_at_s: dict[int, int] = field(default_factory=dict)
    # Transaction of the default that was declared last.
    declared_in: Bytes32 = ZERO32

    @property
    def first_open(self) -> int:
        """First epoch that is neither stated nor published."""
        return max(self.posted, self.published)

    @property
    def epoch_count(self) -> int:
        """Epochs in the window."""
        return (self.terms.window_end_s - self.terms.window_start_s) // self.terms.epoch_length_s

    @property
    def statements_due(self) -> int:
        """Statements that are due in all: those of epochs that are over by its end, and the
        closing one."""
        terms, until_s = self.terms, self.ended_at_s or self.terms.window_end_s
        over_s = max(0, min(until_s, terms.window_end_s) - terms.window_start_s)
        return over_s // terms.epoch_length_s + 1

    def due_at_s(self, number: int) -> int:
        """When a statement falls due: that of an epoch at its end, the closing one at the end."""
        closing = number + 1 >= self.statements_due
        return self.ended_at_s if closing else self.epoch_end_s(number)

    def epoch_end_s(self, epoch: int) -> int:
        """Second after an epoch."""
        return self.terms.window_start_s + (epoch + 1) * self.terms.epoch_length_s

    def delivers(self, now_s: int) -> bool:
        """Whether it is funded, in or after its window, and has not ended."""
        return self.state is FacilityState.FUNDED and now_s >= self.terms.window_start_s

    def counts(self, noticed_at_s: int) -> bool:
        """Whether a notice of that second counts now."""
        return notice_counts(
            noticed_at_s, voided_at_s=self.voided_at_s, rejected_at_s=self.rejected_at_s
        )

    def waited_for(self, epoch: int, now_s: int) -> tuple[bool, str]:
        """Whether an epoch of a facility that delivers is open, and what to say if it is not."""
        inside = self.first_open <= epoch < self.epoch_count and self.delivers(now_s)
        return inside, "nobody waited for it: it was stated or published"

    def hash_of(self, epoch: int) -> Bytes32:
        """What stands published of an epoch; zero for one that a void left so."""
        return self.hashes.get(epoch, ZERO32) if epoch < self.by_operator else ZERO32

    @property
    def last_posted_at_s(self) -> int | None:
        """When the last statement was posted; None without any."""
        statements = self.posted + self.closing_posted
        return self.posted_at_s[statements - 1] if statements else None

    def all_final(self, now_s: int, *, window_s: int) -> bool:
        """Whether every epoch and the closing statement are final."""
        posted_at_s = self.last_posted_at_s
        if not self.closing_posted or posted_at_s is None:
            return False
        return now_s >= final_at_s(posted_at_s, challenge_window_s=window_s)

    def closes(self, number: int) -> bool:
        """Whether the statement of a number is the closing statement: no epoch was over that has
        it."""
        if number >= self.epoch_count:
            return True
        end_s = self.epoch_end_s(number)
        return self.ended_at_s > 0 and not stated_after_end(end_s, ended_at_s=self.ended_at_s)

    def states(self, now_s: int) -> bool:
        """Whether a statement can come."""
        if self.delivers(now_s):
            return True
        until_s = statements_until_s(
            ended_at_s=self.ended_at_s,
            voided_at_s=self.voided_at_s,
            epoch_length_s=self.terms.epoch_length_s,
        )
        ended = self.state in (FacilityState.DEFAULTED, FacilityState.STOPPED)
        return ended and now_s < until_s


class EndingVerifier:
    """Replays publications, notices and endings, and collects findings."""

    def __init__(self, challenge_window_s: int, report: Callable[[Finding], None]) -> None:
        self._window_s, self._report = challenge_window_s, report
        self.lives: dict[int, Life] = {}
        self._handlers = (
            Handlers()
            .on(FacilityOffered, self._offered)
            .on(FacilityStateChanged, self._changed)
            .on(StatementPosted, self._posted)
            .on(StatementVoided, self._voided)
            .on(EvidencePublished, self._published)
            .on(EvidenceRejected, self._rejected)
            .on(DefaultNoticed, self._noticed)
            .on(DefaultDeclared, self._declared)
            .on(UnpaidNoticed, self._unpaid)
            .on(ReceivableWrittenOff, self._written_off)
            .on(FacilityClosed, self._closed)
        )

    def take(self, event: AnyEvent) -> None:
        """Replay one chain event."""
        self._handlers.take(event)

    def _require(self, facility_id: int, epoch: int | None, *rules: tuple[bool, str]) -> None:
        for holds, message in rules:
            if not holds:
                self._report(Finding(message, facility_id, epoch))

    def _offered(self, event: ChainEvent[FacilityOffered]) -> None:
        self.lives[event.args.facility_id] = Life(event.args.terms)

    def _changed(self, event: ChainEvent[FacilityStateChanged]) -> None:
        facility_id, state = event.args.facility_id, event.args.state
        life, now_s = self.lives[facility_id], event.block_time_s
        delivered = life.delivers(now_s)
        life.state = state
        if state is FacilityState.FUNDED:
            life.funded_at_s = now_s
        if not state.ended:
            return
        life.ended_at_s = now_s
        stops_s = life.terms.window_end_s + life.terms.seal_seconds + life.terms.long_stop_seconds
        declared = life.declared_in == event.tx_hash
        reason = {
            FacilityState.MATURED: (
                life.all_final(now_s, window_s=self._window_s),
                "matured before every statement was final",
            ),
            FacilityState.DEFAULTED: (declared, "defaulted, and nobody declared it"),
            FacilityState.STOPPED: (now_s >= stops_s, "was stopped before its long stop"),
        }[state]
        self._require(facility_id, None, (delivered, "ended before it delivered"), reason)

    def _posted(self, event: ChainEvent[StatementPosted]) -> None:
        facility_id, epoch = event.args.facility_id, event.args.epoch
        life, now_s = self.lives[facility_id], event.block_time_s
        late = life.states(now_s), "was stated when it could not be any more"
        self._require(facility_id, epoch, late)
        life.closing_posted = life.closes(epoch)
        if not life.closing_posted:
            life.posted = epoch + 1
        life.posted_at_s[epoch] = now_s

    def _voided(self, event: ChainEvent[StatementVoided]) -> None:
        life, first = self.lives[event.args.facility_id], event.args.epoch
        life.published = max(life.published, life.posted)
        # An epoch whose evidence was rejected is open again, and with it all later ones.
        barred = first if first in life.rejected else min(life.rejected, default=None)
        if barred is not None and barred >= first:
            life.published = min(life.published, barred)
            life.by_operator = min(life.by_operator, barred)
        life.posted, life.voided_at_s = first, event.block_time_s
        life.closing_posted = False

    def _published(self, event: ChainEvent[EvidencePublished]) -> None:
        facility_id, epoch = event.args.facility_id, event.args.epoch
        life, now_s = self.lives[facility_id], event.block_time_s
        over = life.epoch_end_s(epoch) <= now_s
        self._require(
            facility_id,
            epoch,
            (epoch == life.first_open, f"was published where {life.first_open} came next"),
            (epoch not in life.rejected, "was published, and its evidence was rejected before"),
            (epoch < life.epoch_count, "was published, and lies after the window"),
            (life.delivers(now_s) and over, "was published when it could not be"),
        )
        life.published = life.by_operator = epoch + 1
        life.hashes[epoch] = event.args.evidence_hash

    def _rejected(self, event: ChainEvent[EvidenceRejected]) -> None:
        facility_id, epoch = event.args.facility_id, event.args.epoch
        life = self.lives[facility_id]
        stood = life.hash_of(epoch) == event.args.evidence_hash
        self._require(
            facility_id,
            epoch,
            (life.posted <= epoch < life.published, "was rejected, and was not published"),
            (stood, "was rejected for evidence that did not stand published"),
            (
                event.args.published_before == life.published,
                "was rejected among other epochs than were published",
            ),
            (life.closed_at_s == 0, "was rejected after the closing"),
        )
        life.published = life.by_operator = epoch
        life.rejected_at_s = event.block_time_s
        life.rejections += 1
        life.rejected.add(epoch)

    def _noticed(self, event: ChainEvent[DefaultNoticed]) -> None:
        facility_id, epoch = event.args.facility_id, event.args.epoch
        life, now_s = self.lives[facility_id], event.block_time_s
        overdue_s = overdue_from_s(
            epoch_end_s=life.epoch_end_s(epoch),
            funded_at_s=life.funded_at_s,
            voided_at_s=life.voided_at_s,
            rejected_at_s=life.rejected_at_s,
            patience_s=life.terms.patience_seconds,
        )
        before_s = life.noticed_at_s.get(epoch, 0)
        cure_s = cured_until_s(now_s, epoch_length_s=life.terms.epoch_length_s)
        self._require(
            facility_id,
            epoch,
            life.waited_for(epoch, now_s),
            (now_s >= overdue_s, f"was noticed, and is overdue from {overdue_s}"),
            (not life.counts(before_s), "was noticed twice"),
            (event.args.cure_until_s == cure_s, f"has another cure than until {cure_s}"),
        )
        life.noticed_at_s[epoch] = now_s

    def _declared(self, event: ChainEvent[DefaultDeclared]) -> None:
        facility_id, epoch = event.args.facility_id, event.args.epoch
        life, now_s = self.lives[facility_id], event.block_time_s
        noticed_s = life.noticed_at_s.get(epoch, 0)
        cure_s = cured_until_s(noticed_s, epoch_length_s=life.terms.epoch_length_s)
        self._require(
            facility_id,
            epoch,
            life.waited_for(epoch, now_s),
            (life.counts(noticed_s), "no notice of it counted at the default"),
            (now_s >= cure_s, f"could be cured until {cure_s}"),
        )
        life.declared_in = event.tx_hash

    def _unpaid(self, event: ChainEvent[UnpaidNoticed]) -> None:
        facility_id = event.args.facility_id
        life, now_s = self.lives[facility_id], event.block_time_s
        from_s = now_s + RECEIVABLE_LIFE_S
        self._require(
            facility_id,
            None,
            (life.unpaid_noticed_at_s == 0, "unpaid rent was noticed twice"),
            (event.args.matures_from_s == from_s, f"matures from another second than {from_s}"),
        )
        life.unpaid_noticed_at_s = now_s

    def _written_off(self, event: ChainEvent[ReceivableWrittenOff]) -> None:
        facility_id = event.args.facility_id
        noticed_s = self.lives[facility_id].unpaid_noticed_at_s
        waited = noticed_s and event.block_time_s >= noticed_s + RECEIVABLE_LIFE_S
        message = "matured unpaid without 90 days of notice"
        self._require(facility_id, None, (bool(waited), message))

    def _closed(self, event: ChainEvent[FacilityClosed]) -> None:
        facility_id = event.args.facility_id
        life, now_s = self.lives[facility_id], event.block_time_s
        posted_at_s = life.last_posted_at_s
        from_s = closable_from_s(
            ended_at_s=life.ended_at_s,
            matured=life.state is FacilityState.MATURED,
            epoch_length_s=life.terms.epoch_length_s,
            voided_at_s=life.voided_at_s,
            last_final_at_s=(
                0
                if posted_at_s is None
                else final_at_s(posted_at_s, challenge_window_s=self._window_s)
            ),
        )
        self._require(
            facility_id,
            None,
            (life.ended_at_s > 0, "was closed, and had not ended"),
            (life.closed_at_s == 0, "was closed twice"),
            (now_s >= from_s, f"was closed before {from_s}"),
        )
        life.closed_at_s = now_s

    def compare(self, contracts: Contracts, head: int, now_s: int) -> None:
        """Compare the replayed lives with the contracts' storage at one block."""
        facilities, statements = contracts.facility_registry, contracts.statement_registry
        for facility_id, life in self.lives.items():
            self._compare_offer(contracts, facility_id, head, now_s)
            ending, openness = contracts.together(
                facilities.ending_of(FacilityId(facility_id)),
                statements.openness_of(FacilityId(facility_id)),
            ).at(block=head)
            ours = Ending(
                life.funded_at_s, life.ended_at_s, life.closed_at_s, life.unpaid_noticed_at_s
            )
            if ending != ours:
                message = "FacilityRegistry holds another ending than its events give"
                self._report(Finding(message, facility_id))
            known = Openness(
                Epoch(life.first_open), life.voided_at_s, life.rejected_at_s, life.rejections
            )
            if openness != known:
                message = "StatementRegistry holds other publications than its events give"
                self._report(Finding(message, facility_id))

    def _compare_offer(self, contracts: Contracts, facility_id: int, head: int, now_s: int) -> None:
        """Terms, state and published hashes, as the registries store them."""
        facilities, statements = contracts.facility_registry, contracts.statement_registry
        life, named = self.lives[facility_id], FacilityId(facility_id)
        terms, state = contracts.together(
            facilities.terms_of(named), facilities.state_of(named)
        ).at(block=head)
        ours = facility_state(
            offered=True,
            announced=life.state,
            window_start_s=life.terms.window_start_s,
            expires_at_s=life.terms.expires_at_s,
            now_s=now_s,
        )
        same = (terms == life.terms, "FacilityRegistry holds other terms than were offered")
        held = f"FacilityRegistry says {state.word}, its events say {ours.word}"
        self._require(facility_id, None, same, (state is ours, held))
        epochs = sorted(life.hashes)
        asked = [statements.published_hash_of(named, Epoch(epoch)) for epoch in epochs]
        for epoch, stored in zip(epochs, contracts.all_of(asked).at(block=head), strict=True):
            message = "StatementRegistry holds another hash of what was published"
            self._require(facility_id, epoch, (stored == life.hash_of(epoch), message))
