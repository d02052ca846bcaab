"""Primary sale: fixed prices, refunds, and proceeds earned by delivery. Model of `PrimarySale`."""

from dataclasses import dataclass, replace
from enum import IntEnum

from api.domain.facility import FacilityTerms
from api.domain.units import BPS, PPM, SECONDS_PER_HOUR
from api.errors import InvalidInput

# All units at their prices stay below this, so that proceeds always fit one accrual.
MAX_PROCEEDS = 1 << 54


class SaleState(IntEnum):
    """`IPrimarySale.SaleState`."""

    NONE = 0
    OPEN = 1
    SUCCESSFUL = 2
    REFUNDING = 3


@dataclass(frozen=True, slots=True)
class SaleTerms:
    """`IPrimarySale.SaleTerms`: UTC seconds, minor units; prices by seniority."""

    opens_at_s: int
    closes_at_s: int
    floor_proceeds: int
    up_front_bps: int
    unit_prices: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SaleBook:
    """`IPrimarySale.SaleBook`: units, and minor units of the settlement token.

    counted: proceeds that count towards the floor, those of the gpuOperator's own purchases not.
    returned: proceeds that went to the lockbox when the facility was closed.
    """

    state: SaleState = SaleState.OPEN
    sold_units: int = 0
    proceeds: int = 0
    counted: int = 0
    released: int = 0
    returned: int = 0

    @property
    def escrow(self) -> int:
        """What the sale holds for this facility."""
        return self.proceeds - self.released - self.returned


def promised_gpu_seconds(
    *, device_count: int, epoch_length_s: int, epochs: int, promised_availability_ppm: int
) -> int:
    """Promised available GPU-seconds of `epochs` epochs, rounded down."""
    return device_count * epoch_length_s * epochs * promised_availability_ppm // PPM


def promised_of(facility: FacilityTerms, epochs: int) -> int:
    """Promised available GPU-seconds of a facility's first epochs, rounded down."""
    return promised_gpu_seconds(
        device_count=facility.device_count,
        epoch_length_s=facility.epoch_length_s,
        epochs=epochs,
        promised_availability_ppm=facility.promised_availability_ppm,
    )


def up_front(*, proceeds: int, bps: int) -> int:
    """Proceeds that the gpuOperator may take when the window begins, rounded down."""
    return proceeds * bps // BPS


def earned(
    *, proceeds: int, up_front_bps: int, available: int, promised_so_far: int, promised: int
) -> int:
    """Proceeds that the gpuOperator has earned: up-front share, the rest by delivery.

    Args:    available: final attested GPU-seconds, cumulative.  promised_so_far: of the epochs
             that are final.  promised: of the whole window, above 0.
    Returns: minor units, rounded down on the cumulative. Falls where `available` does.
    """
    at_once = up_front(proceeds=proceeds, bps=up_front_bps)
    return at_once + (proceeds - at_once) * min(available, promised_so_far) // promised


def unsigned(
    *, proceeds: int, up_front_bps: int, promised_stated: int, promised_known: int, promised: int
) -> int:
    """Proceeds that published epochs nobody stated would have earned, rounded down.

    Args:    promised_stated: GPU-seconds promised of final epochs.  promised_known: of epochs that
             are stated or published.
    """
    to_earn = proceeds - up_front(proceeds=proceeds, bps=up_front_bps)
    return to_earn * (promised_known - promised_stated) // promised


# --- model of the contracts: only their tests call what follows --------------------------------


def check_sale(
    facility: FacilityTerms, terms: SaleTerms, *, rate_per_gpu_hour: int | None, now_s: int
) -> None:
    """Refuse terms that `PrimarySale.open` refuses, naming the field.

    Args:    rate_per_gpu_hour: of the bond, None before its terms are set.
    Raises:  InvalidInput with `context["field"]`.
    """

    def require(condition: bool, field: str) -> None:
        if not condition:
            raise InvalidInput(f"{field}: not such a sale", field=field)

    closes_s, prices, tranches = terms.closes_at_s, terms.unit_prices, facility.tranches
    ahead = terms.opens_at_s < closes_s and closes_s > now_s
    in_time = closes_s <= facility.window_start_s and closes_s < facility.expires_at_s
    require(ahead and in_time, "closes_at_s")
    require(terms.up_front_bps <= BPS, "up_front_bps")
    require(len(prices) == len(tranches) and all(price > 0 for price in prices), "unit_prices")
    for tranche, price in zip(tranches[:-1], prices, strict=False):
        # A unit with a coupon is paid its coupon and never more.
        require(price <= tranche.coupon_micros_per_unit, "coupon_micros_per_unit")
    total = sum(t.unit_cap * price for t, price in zip(tranches, prices, strict=True))
    require(total < MAX_PROCEEDS, "unit_prices")
    require(terms.floor_proceeds <= total, "floor_proceeds")
    promised = promised_of(facility, facility.epoch_count)
    require(promised > 0, "promised_availability_ppm")
    require(rate_per_gpu_hour is not None, "bond_terms")
    # All promised hours at the bond's rate are worth at least what delivery has to earn.
    to_earn = total - up_front(proceeds=total, bps=terms.up_front_bps)
    enough = (rate_per_gpu_hour or 0) * promised >= to_earn * SECONDS_PER_HOUR
    require(enough, "rate_per_gpu_hour")


def buy(book: SaleBook, *, units: int, unit_price: int, own: bool = False) -> SaleBook:
    """Sell units, to the gpuOperator (`own`) or another. Raises ValueError unless it is open."""
    _require(book, SaleState.OPEN)
    cost = units * unit_price
    return replace(
        book,
        sold_units=book.sold_units + units,
        proceeds=book.proceeds + cost,
        counted=book.counted + (0 if own else cost),
    )


def refund(book: SaleBook, *, units: int, unit_price: int) -> SaleBook:
    """Take units back for exactly their price. Raises ValueError unless the sale failed."""
    _require(book, SaleState.REFUNDING)
    proceeds = book.proceeds - units * unit_price
    return replace(book, sold_units=book.sold_units - units, proceeds=proceeds)


def reached(book: SaleBook, *, floor_proceeds: int) -> bool:
    """Whether a sale reached its floor, with one unit at least."""
    return book.sold_units > 0 and book.counted >= floor_proceeds


def finalize(book: SaleBook, *, floor_proceeds: int, bonded: bool, expired: bool) -> SaleBook:
    """End a sale: it succeeds with the floor reached and the bond there, before the expiry."""
    _require(book, SaleState.OPEN)
    success = reached(book, floor_proceeds=floor_proceeds) and bonded and not expired
    return replace(book, state=SaleState.SUCCESSFUL if success else SaleState.REFUNDING)


def release(book: SaleBook, *, earned_now: int) -> SaleBook:
    """Owe the gpuOperator what it earned and was not owed before; what is released stays so."""
    _require(book, SaleState.SUCCESSFUL)
    return replace(book, released=max(book.released, earned_now))


def surrender(book: SaleBook, *, earned_now: int) -> SaleBook:
    """Release what was earned, and hand over the rest: `PrimarySale.surrender`."""
    released = release(book, earned_now=earned_now)
    return replace(released, returned=released.proceeds - released.released)


def _require(book: SaleBook, state: SaleState) -> None:
    if book.state != state:
        raise ValueError(f"the sale is {book.state.name}, not {state.name}")
