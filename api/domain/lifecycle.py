"""The one judge of how far a facility, an epoch and a statement came, and of what stands on-chain.

SQL, routes, tasks and the web's lists take their answers from here. Times are UTC seconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Generic, TypeVar

from api.domain.facility import DAY_S, FacilityTerms
from api.domain.units import Epoch

P = TypeVar("P")


# --- facilities --------------------------------------------------------------------------------


class FacilityState(IntEnum):
    """`IFacilityRegistry.FacilityState`; 0 is registered here and not offered on-chain."""

    REGISTERED = 0
    OFFERED = 1
    FUNDED = 2
    DELIVERING = 3
    MATURED = 4
    CANCELLED = 5
    DEFAULTED = 6
    STOPPED = 7

    @property
    def word(self) -> str:
        """Name in JSON."""
        return self.name.lower()

    @property
    def live(self) -> bool:
        """Whether it is offered on-chain and has not ended."""
        return self in (FacilityState.OFFERED, FacilityState.FUNDED, FacilityState.DELIVERING)

    @property
    def ended(self) -> bool:
        """Whether it was funded and has ended: then it is closed, once."""
        return self in (FacilityState.MATURED, FacilityState.DEFAULTED, FacilityState.STOPPED)


def overdue_from_s(
    *, epoch_end_s: int, funded_at_s: int, voided_at_s: int, rejected_at_s: int, patience_s: int
) -> int:
    """From when notice may be given of an epoch that is neither stated nor published.

    Source:  `FacilityRegistry.noticeDefault`: patience runs from the latest of end, funding and
             void; a notice in the second of a rejection would not count.
    """
    return max(max(epoch_end_s, funded_at_s, voided_at_s) + patience_s, rejected_at_s + 1)


def cured_until_s(noticed_at_s: int, *, epoch_length_s: int) -> int:
    """From when a default may be declared, if the epoch is still open: an epoch and a day later.

    Source:  `FacilityRegistry.declareDefault`.
    """
    return noticed_at_s + epoch_length_s + DAY_S


def notice_counts(noticed_at_s: int, *, voided_at_s: int, rejected_at_s: int) -> bool:
    """Whether a notice counts: no void and no rejection came after it, nor in its block.

    Source:  `FacilityRegistry._counts`.
    """
    return noticed_at_s > max(voided_at_s, rejected_at_s)


# Beside an epoch: time in which statements of an ended facility can come; and the most that voids
# put their end off.
LAST_WORD_S = DAY_S
MAX_VOID_DELAY_S = 30 * DAY_S
# Between the notice that attested rent is unpaid, and a maturity without it.
RECEIVABLE_LIFE_S = 90 * DAY_S


def statements_until_s(*, ended_at_s: int, voided_at_s: int, epoch_length_s: int) -> int:
    """From when a facility that defaulted or was stopped takes no statement more.

    Source:  `Publications.statementsEndAt`; a matured facility takes none after its end.
    """
    since_s = min(max(ended_at_s, voided_at_s), ended_at_s + MAX_VOID_DELAY_S)
    return since_s + epoch_length_s + LAST_WORD_S


def stated_after_end(epoch_end_s: int, *, ended_at_s: int) -> bool:
    """Whether an epoch of an ended facility can still be stated: it was over by the end."""
    return epoch_end_s <= ended_at_s


STATES = tuple(state.word for state in FacilityState)


def facility_state(
    *, offered: bool, announced: int | None, window_start_s: int, expires_at_s: int, now_s: int
) -> FacilityState:
    """State of a facility at a time, from what its contracts logged.

    Args:    offered: whether our very terms were offered.  announced: the newest state that
             FacilityStateChanged named, None before the first.
    Source:  `FacilityRegistry.stateOf`: a funded facility delivers from the start of its window,
             and an offer is cancelled when it expires; neither is logged.
    """
    if not offered:
        return FacilityState.REGISTERED
    state = FacilityState.OFFERED if announced is None else FacilityState(announced)
    if state is FacilityState.FUNDED and now_s >= window_start_s:
        return FacilityState.DELIVERING
    if state is FacilityState.OFFERED and now_s >= expires_at_s:
        return FacilityState.CANCELLED
    return state


# --- what stands on-chain ----------------------------------------------------------------------


def void_takes(
    epoch: int, *, first: int, before: int, posted_at: tuple[int, ...], voided_at: tuple[int, ...]
) -> bool:
    """Whether a void of epochs `[first, before)` took a posting: one of them, made before it.

    Args:    posted_at, voided_at: places in the chain, (block, log).
    """
    return first <= epoch < before and posted_at < voided_at


@dataclass(slots=True)
class Standing(Generic[P]):
    """Postings of one facility that stand, by epoch, fed with its events in chain order.

    A proven fault voids the statement of its epoch and all after it, which chain to its hash.
    An epoch that was voided can be posted again.
    """

    by_epoch: dict[int, P] = field(default_factory=dict)

    def post(self, epoch: int, posting: P) -> None:
        """A statement was posted."""
        self.by_epoch[epoch] = posting

    def void(self, *, first: int, before: int) -> list[P]:
        """Epochs `[first, before)` were voided. Returns the postings that fell, by epoch."""
        fallen = [epoch for epoch in sorted(self.by_epoch) if first <= epoch < before]
        return [self.by_epoch.pop(epoch) for epoch in fallen]


def final_at_s(posted_at_s: int, *, challenge_window_s: int) -> int:
    """First second at which a posted statement can no longer be challenged.

    Source:  `StatementRegistry.epochsFinal`.
    """
    return posted_at_s + challenge_window_s


def is_final(posted_at_s: int, *, challenge_window_s: int, now_s: int) -> bool:
    """Whether a posted statement that stands is final at `now_s`, the chain's time."""
    return now_s >= final_at_s(posted_at_s, challenge_window_s=challenge_window_s)


# --- replaced devices --------------------------------------------------------------------------


class ReplacementState(StrEnum):
    """How far a replacement came that an operator asked for."""

    PENDING = "pending"
    APPROVED = "approved"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


def replacement_state(*, approved: bool, withdrawn: bool, too_late: bool) -> ReplacementState:
    """State of a replacement: what the chain approved is in force, whatever was said here.

    Args:    approved: the chain holds its approval.  withdrawn: its operator took it back.
             too_late: the contract takes it no more; `PledgeRegistry.replace` says when.
    """
    if approved:
        return ReplacementState.APPROVED
    if withdrawn:
        return ReplacementState.WITHDRAWN
    return ReplacementState.LAPSED if too_late else ReplacementState.PENDING


# --- statements and epochs ---------------------------------------------------------------------


class StatementState(StrEnum):
    """How far a statement came."""

    CLOSED = "closed"
    ATTESTED = "attested"
    POSTED = "posted"
    FINAL = "final"
    SETTLED = "settled"
    VOIDED = "voided"


class EpochState(StrEnum):
    """How far an epoch came: before its statement, and then as far as that came."""

    FUTURE = "future"
    OPEN = "open"
    GRACE = "grace"
    CLOSED = "closed"
    ATTESTED = "attested"
    POSTED = "posted"
    FINAL = "final"
    SETTLED = "settled"
    VOIDED = "voided"


@dataclass(frozen=True, slots=True)
class StatementFacts:
    """What is known of one statement of the books.

    signed: by an attester at least.  voided: exactly these bytes were posted and then voided.
    posted_at_s: of exactly these bytes, if they stand; None if nothing or other bytes stand.
    """

    signed: bool
    voided: bool
    posted_at_s: int | None
    settled: bool


def statement_state(
    facts: StatementFacts, *, challenge_window_s: int, chain_now_s: int
) -> StatementState:
    """State of a statement at the chain's time."""
    if facts.posted_at_s is None:
        if facts.voided:
            return StatementState.VOIDED
        return StatementState.ATTESTED if facts.signed else StatementState.CLOSED
    if facts.settled:
        return StatementState.SETTLED
    final = is_final(facts.posted_at_s, challenge_window_s=challenge_window_s, now_s=chain_now_s)
    return StatementState.FINAL if final else StatementState.POSTED


def epoch_state(
    statement: StatementState | None, *, start_s: int, end_s: int, now_s: int
) -> EpochState:
    """State of an epoch whose statement came so far; None where it is not closed.

    Past its cut-off and not closed yet, an epoch is still in `grace`: the worker closes it next.
    """
    if statement is not None:
        return EpochState(statement.value)
    if now_s < start_s:
        return EpochState.FUTURE
    return EpochState.OPEN if now_s < end_s else EpochState.GRACE


# --- cut-offs and the clock --------------------------------------------------------------------

# A reopened epoch takes records for the facility's grace, and at least as long as people need.
REOPENED_LEAST_S = 3_600


@dataclass(frozen=True, slots=True)
class Reopening:
    """From `at_s` on, `first_epoch` and those after it take records again, for a while.

    It follows a proven fault of the statement of `first_epoch`. No record before `at_s` moves.
    """

    first_epoch: Epoch
    at_s: int

    def until_s(self, grace_s: int) -> int:
        """First second at which it is over."""
        return self.at_s + max(grace_s, REOPENED_LEAST_S)


def cut_off_s(
    epoch: Epoch, *, epoch_end_s: int, grace_s: int, reopenings: Sequence[Reopening] = ()
) -> int:
    """First second at which a record no longer enters the statement of `epoch` itself.

    Args:    epoch_end_s: end of the epoch; of the closing statement its `Period.over_s`.
    """
    later = (r.until_s(grace_s) for r in reopenings if r.first_epoch <= epoch)
    return max(epoch_end_s + grace_s, *later, 0)


def untaken_from_s(number: Epoch, *, terms: FacilityTerms) -> int:
    """Earliest recorded time of the entries that the statements before a number did not take.

    Each took what was recorded before its cut-off, which is behind the end of its epoch.
    """
    return terms.window_start_s + number * terms.epoch_length_s if number else 0


def closing_cut_off_s(
    terms: FacilityTerms,
    *,
    ended_at_s: int | None,
    grace_s: int,
    reopenings: Sequence[Reopening] = (),
) -> int | None:
    """First second at which a record no longer enters the closing statement; None without one."""
    closing = terms.closing_period(ended_at_s=ended_at_s, grace_s=grace_s)
    if closing is None:
        return None
    return cut_off_s(
        closing.epoch, epoch_end_s=closing.over_s, grace_s=grace_s, reopenings=reopenings
    )


def open_epoch(
    terms: FacilityTerms,
    recorded_at_s: int,
    *,
    grace_s: int,
    reopenings: Sequence[Reopening] = (),
) -> Epoch | None:
    """Earliest statement that still takes records at `recorded_at_s`, by its number.

    Behind the last epoch that is the closing statement; None once that is closed too.
    """
    # Epoch e takes records while recorded_at < start + (e + 1) * length + grace.
    past_s = recorded_at_s - grace_s - terms.window_start_s
    epoch = max(0, past_s // terms.epoch_length_s)
    last = terms.epoch_count
    if epoch >= last:
        sealed = recorded_at_s >= terms.sealed_at_s + grace_s
        epoch = last + 1 if sealed else last
    for reopening in reopenings:
        if reopening.at_s <= recorded_at_s < reopening.until_s(grace_s):
            epoch = min(epoch, reopening.first_epoch)
    return Epoch(epoch) if epoch <= last else None


def recording_time_s(
    now_s: int, *, last_recorded_at_s: int, closed_end_s: int | None, grace_s: int
) -> int:
    """The clock rule: recording times of a facility never fall, whatever the machine's clock does.

    Args:    last_recorded_at_s: of the newest record, 0 before the first.
             closed_end_s: end of the newest closed epoch, whose cut-off is past; None if none is.
    """
    closed_s = 0 if closed_end_s is None else closed_end_s + grace_s
    return max(now_s, last_recorded_at_s, closed_s)
