"""Verify, part 2a: the money of one facility, as its events replay it."""

from dataclasses import dataclass, field

from api.domain.capital.closing import MIN_SPAN_S
from api.domain.capital.settlement import TrancheBook
from api.domain.facility import FacilityTerms
from api.domain.units import ZERO32, Bytes32


@dataclass
class MoneyBook:
    """Money of one facility, replayed from the beginning."""

    terms: FacilityTerms
    collected: int = 0
    settled: int = 0
    settled_epochs: int = 0
    fees: int = 0
    accrued: int = 0
    claimed: int = 0
    # Units never minted, by seniority: fixed when the facility is funded.
    unsold: list[int] = field(default_factory=list)
    # Owed to the gpuOperator: fell on unsold units, or on nobody; `expected_residuals` await it, in
    # the order of their events.
    owed_to_operator: int = 0
    expected_residuals: list[int] = field(default_factory=list)
    written_off: int = 0
    written_off_in: Bytes32 = ZERO32
    books: list[TrancheBook] = field(default_factory=list)
    # Payments that settlements and closings owe to tranches, by id, until they arrive; and the
    # transaction of the last one.
    expected: dict[int, int] = field(default_factory=dict)
    expected_in: Bytes32 = ZERO32
    # The bond between leaving the vault and the closing: a settlement then is its advance.
    bond: int = 0
    closed: bool = False
    # As they were when the bond left the vault: minor units settled, and what tranches are behind.
    settled_before: int = 0
    books_before: list[TrancheBook] = field(default_factory=list)
    # Rent that the bond paid, later rent that went to claims, and rent that counted at the closing.
    advanced: int = 0
    reimbursed: int = 0
    # What closing and late rent gave to units and to the gpuOperator.
    recovered: int = 0
    left_to_operator: int = 0

    @property
    def span_s(self) -> int:
        """How long a payment streams."""
        length_s = self.terms.epoch_length_s
        return max(length_s, MIN_SPAN_S) if self.closed else length_s
