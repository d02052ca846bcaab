"""Primary sale: fixed prices, refunds, and proceeds earned by delivery. Model of `PrimarySale`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from api.domain.units import BPS, PPM


class SaleState(IntEnum):
    """`IPrimarySale.SaleState`."""

    NONE = 0
    OPEN = 1
    SUCCESSFUL = 2
    REFUNDING = 3


@dataclass(frozen=True, slots=True)
class SaleBook:
    """`IPrimarySale.SaleBook`: units, and minor units of the settlement token."""

    state: SaleState = SaleState.OPEN
    sold_units: int = 0
    proceeds: int = 0
    released: int = 0
    seized: int = 0

    @property
    def escrow(self) -> int:
        """What the sale holds for this facility."""
        return self.proceeds - self.released - self.seized


def promised_gpu_seconds(
    *, device_count: int, epoch_length_s: int, epochs: int, promised_availability_ppm: int
) -> int:
    """Promised available GPU-seconds of `epochs` epochs, rounded down."""
    return device_count * epoch_length_s * epochs * promised_availability_ppm // PPM


def earned(*, proceeds: int, up_front_bps: int, available: int, promised: int) -> int:
    """Proceeds that the gpuOperator has earned: up-front share, the rest by delivery.

    Args:    available: final attested GPU-seconds, cumulative.  promised: of the whole window.
    Returns: minor units, rounded down on the cumulative, so that it never falls.
    """
    if promised == 0:
        return proceeds
    up_front = proceeds * up_front_bps // BPS
    return up_front + (proceeds - up_front) * min(available, promised) // promised


# --- model of the contracts: only their tests call what follows --------------------------------


def buy(book: SaleBook, *, units: int, unit_price: int) -> SaleBook:
    """Sell units. Raises ValueError when the sale is not open."""
    _require(book, SaleState.OPEN)
    proceeds = book.proceeds + units * unit_price
    return replace(book, sold_units=book.sold_units + units, proceeds=proceeds)


def refund(book: SaleBook, *, units: int, unit_price: int) -> SaleBook:
    """Take units back for exactly their price. Raises ValueError unless the sale failed."""
    _require(book, SaleState.REFUNDING)
    proceeds = book.proceeds - units * unit_price
    return replace(book, sold_units=book.sold_units - units, proceeds=proceeds)


def finalize(book: SaleBook, *, floor_units: int, bonded: bool) -> SaleBook:
    """End a sale: it succeeds with the floor reached and the bond there."""
    _require(book, SaleState.OPEN)
    success = book.sold_units >= floor_units and bonded
    return replace(book, state=SaleState.SUCCESSFUL if success else SaleState.REFUNDING)


def unsold(*, caps: Sequence[int], supplies: Sequence[int]) -> tuple[int, ...]:
    """Units by seniority that go to the gpuOperator when a sale succeeds."""
    return tuple(cap - supply for cap, supply in zip(caps, supplies, strict=True))


def release(book: SaleBook, *, earned_now: int) -> SaleBook:
    """Owe the gpuOperator what it earned and was not owed before."""
    _require(book, SaleState.SUCCESSFUL)
    return replace(book, released=max(book.released, earned_now))


def seize(book: SaleBook, *, kept: int) -> SaleBook:
    """Pay holders all but `kept`: what is released at default, what is earned at maturity."""
    _require(book, SaleState.SUCCESSFUL)
    return replace(book, seized=book.proceeds - kept)


def _require(book: SaleBook, state: SaleState) -> None:
    if book.state != state:
        raise ValueError(f"the sale is {book.state.name}, not {state.name}")
