"""Who plays: each looks at the table and says what it would do next.

A player may try what is refused: the table and the contracts must refuse the same.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from api.domain.lifecycle import FacilityState
from tests.games import moves
from tests.games.moves import DAY_S, EPOCH_S, EPOCHS, FULL_S, RATE, Do, Move
from tests.games.table import Table

# A number between two others, both included.
Draw = Callable[[int, int], int]


class Player(Protocol):
    """One strategy."""

    def __call__(self, table: Table, draw: Draw) -> Sequence[Move]:
        """Moves, in order."""


def _rent(there_s: int) -> int:
    return there_s * RATE // 3_600


def _seal(table: Table, draw: Draw) -> Move:
    """Mostly nothing came late; else hours and rent of any sign, more than there can be too."""
    if draw(0, 3) == 0:
        return Move(Do.SEAL)
    return Move(Do.SEAL, draw(-FULL_S, FULL_S), draw(-30_000_000, 30_000_000))


def _next_over_in_s(table: Table) -> int:
    """Seconds until the next epoch that is not stated is over; 0 if it is."""
    return max(0, (len(table.posted) + 1) * EPOCH_S - table.now_s)


def honest_operator(table: Table, draw: Draw) -> Sequence[Move]:
    """Delivers what it promised, has it stated at once, and publishes where postings are paused."""
    if len(table.posted) == EPOCHS:
        return [Move(Do.RELEASE)]
    there_s = table.deal.promise_s
    wait = Move(Do.WAIT, _next_over_in_s(table))
    if table.paused:
        over = Move(Do.WAIT, max(0, (table.first_open + 1) * EPOCH_S - table.now_s))
        return [over, Move(Do.PUBLISH, table.first_open)]
    return [wait, Move(Do.STATE, there_s, _rent(there_s))]


def lazy_operator(table: Table, draw: Draw) -> Sequence[Move]:
    """Delivers some hours, sometimes none, sometimes more than it promised."""
    there_s = draw(0, 10) * 3_600 if draw(0, 3) else draw(0, FULL_S)
    return [Move(Do.WAIT, _next_over_in_s(table)), Move(Do.STATE, there_s, _rent(there_s))]


def thief(table: Table, draw: Draw) -> Sequence[Move]:
    """Publishes nonsense, leases to a friend who never pays, takes proceeds, asks too early."""
    dice, epoch = draw(0, 5), table.first_open
    if dice < 2:
        over_s = max(0, (epoch + 1) * EPOCH_S - table.now_s)
        return [Move(Do.WAIT, over_s), Move(Do.PUBLISH, epoch)]
    if dice == 2:
        return [Move(Do.PUBLISH, draw(0, EPOCHS)), Move(Do.RELEASE)]
    if dice == 3:
        there_s = draw(0, 10) * 3_600
        lease = Move(Do.STATE, there_s, _rent(there_s) * draw(1, 4))
        return [Move(Do.WAIT, _next_over_in_s(table)), lease]
    if dice == 4:
        return [Move(Do.CLOSE), Move(Do.RELEASE)]
    return [Move(Do.STATE, draw(0, FULL_S), draw(0, 50_000_000))]


def buyer(table: Table, draw: Draw) -> Sequence[Move]:
    """Burns units for compute, early or late."""
    return [Move(Do.BURN, draw(0, 1), draw(1, 12))]


def hoping_junior(table: Table, draw: Draw) -> Sequence[Move]:
    """Wants the default: notices, declares and closes as early as it can, and earlier."""
    epoch = draw(0, EPOCHS) if draw(0, 3) == 0 else table.first_open
    dice = draw(0, 4)
    if dice == 0:
        return [Move(Do.NOTICE, epoch), Move(Do.DECLARE, epoch)]
    if dice == 1:
        return [Move(Do.WAIT, moves.PATIENCE_S), Move(Do.NOTICE, epoch)]
    if dice == 2:
        return [Move(Do.WAIT, moves.CURE_S), Move(Do.DECLARE, epoch)]
    return [Move(Do.CLOSE)] if dice == 3 else [Move(Do.STOP)]


def lone_attester(table: Table, draw: Draw) -> Sequence[Move]:
    """Fewer than k sign."""
    return [Move(Do.LONE, draw(0, FULL_S))]


def attesters(table: Table, draw: Draw) -> Sequence[Move]:
    """k of them reject evidence that is missing."""
    return [Move(Do.REJECT, draw(0, EPOCHS - 1) if draw(0, 3) == 0 else len(table.posted))]


def pauser(table: Table, draw: Draw) -> Sequence[Move]:
    """Pauses whatever it can, as long as it can."""
    return [Move(Do.PAUSE)]


def enforcer(table: Table, draw: Draw) -> Sequence[Move]:
    """Takes units."""
    return [Move(Do.SEIZE, draw(0, 1))]


def renter(table: Table, draw: Draw) -> Sequence[Move]:
    """Pays what it owes, a part, too much or nothing; on time or late."""
    owed = max(0, table.billed - table.collected)
    dice = draw(0, 5)
    if dice == 5:
        return [Move(Do.PAY, draw(0, 30_000_000))]
    return [Move(Do.PAY, owed if dice < 3 else draw(0, owed))]


def stranger(table: Table, draw: Draw) -> Sequence[Move]:
    """Borrows all units for one block, and asks for money that is not its own."""
    return [Move(Do.GRAB)] if draw(0, 3) == 0 else [Move(Do.FLASH, draw(0, 1))]


def anybody(table: Table, draw: Draw) -> Sequence[Move]:
    """Settles, gives notices, matures: all that keeps a facility going."""
    dice = draw(0, 5)
    if dice < 3:
        return [Move(Do.WAIT, moves.CHALLENGE_S), Move(Do.SETTLE)]
    if dice == 3:
        return [_seal(table, draw), Move(Do.NOTICE_UNPAID), Move(Do.MATURE)]
    return [Move(Do.WAIT, draw(1, 2 * DAY_S) if dice == 4 else draw(1, EPOCH_S))]


OPERATORS = (honest_operator, lazy_operator, thief)
OTHERS = (
    *(buyer, hoping_junior, lone_attester, attesters, pauser, enforcer),
    *(renter, renter, stranger, anybody, anybody),
)


def ending(table: Table, draw: Draw) -> Sequence[Move]:
    """The next step to an end, whatever was done before: anybody can make each of these calls."""
    if table.closing is not None:
        return []
    if table.state.ended:
        last = [Move(Do.WAIT, moves.GRACE_S), _seal(table, draw)] if draw(0, 1) else []
        return [*last, Move(Do.WAIT, 4 * DAY_S), Move(Do.CLOSE)]
    epoch = table.first_open
    if epoch < EPOCHS:
        # No step is refused: patience and cure run out, and each is waited for.
        over_s = max(0, (epoch + 1) * EPOCH_S - table.now_s)
        wait, cure = Move(Do.WAIT, over_s + moves.PATIENCE_S), Move(Do.WAIT, moves.CURE_S)
        return [wait, Move(Do.NOTICE, epoch), cure, Move(Do.DECLARE, epoch)]
    # Whatever is refused on the way: the long stop is open to anybody.
    stop = [Move(Do.WAIT, moves.WINDOW_S + moves.SEAL_S + moves.LONG_STOP_S), Move(Do.STOP)]
    if len(table.posted) < EPOCHS or not draw(0, 2):
        return stop
    sealed_s = moves.WINDOW_S + moves.SEAL_S
    return [
        *(Move(Do.WAIT, max(0, sealed_s - table.now_s)), _seal(table, draw)),
        *(Move(Do.WAIT, moves.CHALLENGE_S), Move(Do.NOTICE_UNPAID)),
        *(Move(Do.WAIT, moves.RECEIVABLE_S), Move(Do.MATURE), *stop),
    ]


def after(table: Table, draw: Draw) -> Sequence[Move]:
    """What comes after a closing: late rent, perhaps in parts, and the end of all streams."""
    owed = max(0, table.billed - table.collected)
    part = draw(0, owed)
    rest = owed - part if draw(0, 1) else 0
    settle = Move(Do.SETTLE)
    return [
        *(Move(Do.PAY, part), settle, Move(Do.FLASH, draw(0, 1))),
        *(Move(Do.PAY, rest), settle, Move(Do.GRAB), Move(Do.WAIT, 3 * DAY_S)),
    ]


def ended(table: Table) -> bool:
    """Whether it is over."""
    return table.state in (
        FacilityState.MATURED,
        FacilityState.DEFAULTED,
        FacilityState.STOPPED,
    )
