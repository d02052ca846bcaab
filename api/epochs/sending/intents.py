"""What is handed to the outbox, what comes back, and within which limits it works."""

from dataclasses import dataclass

from api.domain.fees import Caps
from api.domain.units import Epoch, FacilityId

GWEI = 10**9


@dataclass(frozen=True, slots=True)
class Intent:
    """What is to be done once on the chain, and the call that does it."""

    kind: str
    facility_id: FacilityId
    epoch: Epoch
    sequence: int
    to: str
    data: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an intent: done, or failed or refused with the reason.

    tx_hash: empty for what was not sent.
    """

    kind: str
    facility_id: FacilityId
    epoch: Epoch
    tx_hash: bytes
    error: str | None


@dataclass(frozen=True, slots=True)
class Policy:
    """Limits of sending; the settings of the same names say more.

    replace_after: blocks that a transaction waits before it is offered at a higher fee.
    adopt_after: blocks without a new signature after which the transaction of another key counts
    as left behind.  lost_after: blocks that a nonce must be used by none of ours, besides final.
    """

    max_fee_gwei: int = 1_000
    fee_times_market: int = 10
    gas_of_facility_a_day: int = 30_000_000
    replace_after: int = 6
    adopt_after: int = 30
    lost_after: int = 12
    in_flight: int = 16
    batch_members: int = 50
    batch_gas: int = 6_000_000
    settle_least_micros: int = 0
    settle_longest_wait_s: int = 0

    @property
    def caps(self) -> Caps:
        """Limits of fees."""
        return Caps(self.max_fee_gwei * GWEI, self.fee_times_market)
