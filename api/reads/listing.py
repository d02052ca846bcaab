"""The market of tranches: one row a tranche, filtered, sorted and paged without any I/O."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from api.domain.lifecycle import STATES


class SortBy(StrEnum):
    """What a list of tranches can be sorted by."""

    PRICE = "price"
    WINDOW_START = "window_start"
    UNITS_LEFT = "units_left"
    UTILISATION = "utilisation"
    PAID_PER_UNIT = "paid_per_unit"
    NAME = "name"


class Order(StrEnum):
    """Ascending or descending."""

    ASC = "asc"
    DESC = "desc"


@dataclass(frozen=True, slots=True)
class OperatorName:
    """An operator as the public sees it."""

    address: str
    name: str


@dataclass(frozen=True, slots=True)
class Sale:
    """Primary sale of a facility: all its tranches together; minor units.

    state: scheduled, open, closed (over, not finalized), successful or refunding.
    """

    state: str
    opens_at_s: int
    closes_at_s: int
    floor_units: int
    sold_units: int
    up_front_bps: int
    proceeds_micros: int
    released_micros: int


@dataclass(frozen=True, slots=True)
class TrancheRow:
    """A tranche in the market. None is unknown, never zero."""

    token_id: str
    facility_id: int
    seniority: int
    facility_name: str
    operator: OperatorName
    gpu_class: str
    site: str
    window_start_s: int
    window_end_s: int
    epoch_length_s: int
    device_count: int
    state: str
    unit_cap: int
    units_issued: int | None
    units_left: int | None
    price_micros: int | None
    coupon_micros_per_unit: int
    sale: Sale | None
    utilisation_ppm: int | None
    availability_ppm: int | None
    paid_per_unit_micros: int | None


@dataclass(frozen=True, slots=True)
class MarketFilter:
    """What to show; None is everything. `operator` is an address in any case."""

    gpu_class: str | None = None
    site: str | None = None
    operator: str | None = None
    state: str | None = None
    q: str | None = None

    def admits(self, row: TrancheRow) -> bool:
        """Whether a row is shown."""
        if self.gpu_class is not None and row.gpu_class != self.gpu_class:
            return False
        if self.site is not None and row.site != self.site:
            return False
        if self.operator is not None and row.operator.address.lower() != self.operator.lower():
            return False
        if self.state is not None and row.state != self.state:
            return False
        return self.q is None or self._mentions(row, self.q.casefold())

    @staticmethod
    def _mentions(row: TrancheRow, word: str) -> bool:
        texts = (row.facility_name, row.operator.name, row.gpu_class, row.site, row.token_id)
        return any(word in text.casefold() for text in texts)


_KEYS: dict[SortBy, Callable[[TrancheRow], Any]] = {
    SortBy.PRICE: lambda r: r.price_micros,
    SortBy.WINDOW_START: lambda r: r.window_start_s,
    SortBy.UNITS_LEFT: lambda r: r.units_left,
    SortBy.UTILISATION: lambda r: r.utilisation_ppm,
    SortBy.PAID_PER_UNIT: lambda r: r.paid_per_unit_micros,
    SortBy.NAME: lambda r: r.facility_name.casefold(),
}


def select_rows(
    rows: Sequence[TrancheRow], wanted: MarketFilter, sort: SortBy, order: Order
) -> list[TrancheRow]:
    """Rows that the filter admits, sorted. Unknown values come last in both orders, and equal
    ones in the order of facility and seniority, so that pages never overlap."""
    key = _KEYS[sort]
    found = sorted(
        (r for r in rows if wanted.admits(r)), key=lambda r: (r.facility_id, r.seniority)
    )
    known = [r for r in found if key(r) is not None]
    known.sort(key=key, reverse=order is Order.DESC)
    return known + [r for r in found if key(r) is None]


@dataclass(frozen=True, slots=True)
class Choices:
    """What filters can choose from, over all rows."""

    gpu_classes: tuple[str, ...]
    sites: tuple[str, ...]
    operators: tuple[OperatorName, ...]
    states: tuple[str, ...]


def choices_of(rows: Sequence[TrancheRow]) -> Choices:
    """Values that occur, sorted; states in the order of a facility's life."""
    present = {r.state for r in rows}
    return Choices(
        tuple(sorted({r.gpu_class for r in rows})),
        tuple(sorted({r.site for r in rows})),
        tuple(sorted({r.operator for r in rows}, key=lambda o: (o.name.casefold(), o.address))),
        tuple(s for s in STATES if s in present),
    )
