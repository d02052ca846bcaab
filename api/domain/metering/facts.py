"""Facts: what accepted entries of a facility's log say, with hashes instead of names.

A fact is named by its place, the number of its entry and its index there. Nothing of a fact is ever
edited: a void takes it back, terms change by a new version, an adjustment by a contrary one.
"""

from dataclasses import dataclass

from api.domain.metering.lease_terms import TermsVersion
from api.domain.units import Bytes32, Minor


# One an event: not frozen, which takes thrice as long to make. Nobody changes them.
@dataclass(slots=True, order=True, unsafe_hash=True)
class Place:
    """Where a fact stands in its facility's log."""

    entry: int
    index: int


@dataclass(slots=True, unsafe_hash=True)
class Held:
    """A lease held a device over `[start_s, end_s)`; `delivery`: a voucher was served by it."""

    place: Place
    device: Bytes32
    lease: Bytes32
    start_s: int
    end_s: int
    delivery: bool = False


@dataclass(frozen=True, slots=True)
class Until:
    """An allocation, told before as held up to then, lasts until `end_s`, and no longer."""

    target: Place
    end_s: int


@dataclass(frozen=True, slots=True)
class Out:
    """A device could not be used over `[start_s, end_s)`.

    lease: whom it was kept from, if no lease held it; 32 zero bytes for nobody.
    planned: as announced; otherwise by a fault, which the SLA of a lease counts.
    """

    place: Place
    device: Bytes32
    lease: Bytes32
    start_s: int
    end_s: int
    planned: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """A collector saw a device over `[start_s, end_s)`."""

    device: Bytes32
    start_s: int
    end_s: int


@dataclass(frozen=True, slots=True)
class Agreed:
    """A version of a lease's terms."""

    lease: Bytes32
    terms: TermsVersion


@dataclass(frozen=True, slots=True)
class Adjusted:
    """Money to a facility from a lease, or back to it where below zero. subject: of the fact."""

    place: Place
    subject: Bytes32
    lease: Bytes32
    amount: Minor


@dataclass(frozen=True, slots=True)
class Voided:
    """An earlier fact is taken back."""

    target: Place


Fact = Held | Until | Out | Seen | Agreed | Adjusted | Voided
