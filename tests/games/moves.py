"""What players of the game can do, and the facility that they play in.

The facility of docs/DEAL.md: two tranches of 20 units, four epochs of an hour, ten GPUs.
Amounts are minor units, times seconds since the window's start.
"""

from dataclasses import dataclass
from enum import IntEnum

EPOCHS, EPOCH_S, GPUS, DAY_S = 4, 3_600, 10, 86_400
FULL_S = GPUS * EPOCH_S
CAPS, COUPON, PRICES = (20, 20), 2_200_000, (2_000_000, 1_000_000)
RATE, UP_FRONT_BPS = 2_500_000, 2_000
WINDOW_S = EPOCHS * EPOCH_S
CHALLENGE_S, PATIENCE_S, CURE_S = 600, EPOCH_S + DAY_S, EPOCH_S + DAY_S
LONG_STOP_S, RECEIVABLE_S = 90 * DAY_S, 90 * DAY_S
# Late facts are stated an hour after the window, or ten minutes after an earlier end.
SEAL_S, GRACE_S = 3_600, 600


class Do(IntEnum):
    """A call, or a wait."""

    WAIT = 0  # seconds
    STATE = 1  # GPU-seconds there, rent
    PAY = 2  # amount
    SETTLE = 3
    PUBLISH = 4  # epoch
    REJECT = 5  # epoch
    BURN = 6  # tranche, units
    RELEASE = 7
    NOTICE = 8  # epoch
    DECLARE = 9  # epoch
    STOP = 10
    NOTICE_UNPAID = 11
    MATURE = 12
    CLOSE = 13
    FLASH = 14  # tranche: a stranger borrows all units, settles, claims and gives them back
    SEIZE = 15  # tranche: the enforcer moves all units to another holder
    PAUSE = 16
    LONE = 17  # GPU-seconds: a statement with one signature
    SEAL = 19  # the closing statement: GPU-seconds that turned out to be there, rent; any sign
    GRAB = 18  # a stranger asks for the rent that exceeds what is attested, and for the fees


@dataclass(frozen=True, slots=True)
class Move:
    """One call with its numbers."""

    do: Do
    first: int = 0
    second: int = 0


@dataclass(frozen=True, slots=True)
class Deal:
    """What differs between facilities. promise_s: GPU-seconds promised of one epoch."""

    bought: tuple[int, int]
    bond: int
    promised_ppm: int
    fee_bps: int

    @property
    def promise_s(self) -> int:
        """GPU-seconds promised of one epoch."""
        return FULL_S * self.promised_ppm // 1_000_000


@dataclass(frozen=True, slots=True)
class Totals:
    """What everybody has in the end, bond and proceeds included; minor units, or exact."""

    operator: object
    seniors: object
    juniors: object
    vouchers: object
    fees: object

    def each(self) -> tuple[object, ...]:
        """In the order of the vectors."""
        return (self.operator, self.seniors, self.juniors, self.vouchers, self.fees)
