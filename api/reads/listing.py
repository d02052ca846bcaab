"""The market of tranches: one row a tranche, filtered, sorted and paged without any I/O."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from api.domain.lifecycle import STATES, FacilityState


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
class OperatorView:
    """An operator as the public sees it."""

    address: str
    name: str


@dataclass(frozen=True, slots=True)
class SaleView:
    """Primary sale of a facility: all its tranches together; minor units.

    state: scheduled, open, closed (over, not finalized), successful or refunding.
    counted_micros: proceeds that count towards the floor: not of the operator's own purchases.
    """

    state: str
    opens_at_s: int
    closes_at_s: int
    floor_micros: int
    counted_micros: int
    sold_units: int
    up_front_bps: int
    proceeds_micros: int
    released_micros: int


@dataclass(frozen=True, slots=True)
class TrancheView:
    """A tranche in the market. None is unknown, never zero."""

    token_id: str
    facility_id: int
    seniority: int
    tranche_count: int
    facility_name: str
    operator: OperatorView
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
    sale: SaleView | None
    utilisation_ppm: int | None
    availability_ppm: int | None
    paid_per_unit_micros: int | None

    @property
    def on_chain(self) -> bool:
        """Whether the facility was offered on-chain, on these very terms."""
        return self.state != FacilityState.REGISTERED.word


@dataclass(frozen=True, slots=True)
class MarketFilter:
    """What to show; None is everything. `operator` is an address in any case."""

    gpu_class: str | None = None
    site: str | None = None
    operator: str | None = None
    state: str | None = None
    q: str | None = None

    def admits(self, tranche: TrancheView) -> bool:
        """Whether a tranche is shown."""
        if self.gpu_class is not None and tranche.gpu_class != self.gpu_class:
            return False
        if self.site is not None and tranche.site != self.site:
            return False
        if self.operator is not None and tranche.operator.address.lower() != self.operator.lower():
            return False
        if self.state is not None and tranche.state != self.state:
            return False
        return self.q is None or self._mentions(tranche, self.q.casefold())

    @staticmethod
    def _mentions(tranche: TrancheView, word: str) -> bool:
        texts = (
            tranche.facility_name,
            tranche.operator.name,
            tranche.gpu_class,
            tranche.site,
            tranche.token_id,
        )
        return any(word in text.casefold() for text in texts)


# One list is sorted by numbers or by texts, never both: the other stays the same throughout.
_SortKey = tuple[int, str]


def _number(value: int | None) -> _SortKey | None:
    return None if value is None else (value, "")


_KEYS: dict[SortBy, Callable[[TrancheView], _SortKey | None]] = {
    SortBy.PRICE: lambda t: _number(t.price_micros),
    SortBy.WINDOW_START: lambda t: _number(t.window_start_s),
    SortBy.UNITS_LEFT: lambda t: _number(t.units_left),
    SortBy.UTILISATION: lambda t: _number(t.utilisation_ppm),
    SortBy.PAID_PER_UNIT: lambda t: _number(t.paid_per_unit_micros),
    SortBy.NAME: lambda t: (0, t.facility_name.casefold()),
}


def select_tranches(
    tranches: Sequence[TrancheView], wanted: MarketFilter, *, sort: SortBy, order: Order
) -> list[TrancheView]:
    """Tranches that the filter admits, sorted.

    Unknown values come last in both orders, and equal ones in the order of facility and seniority,
    so that pages never overlap. The caller takes its page of the result: what can be sorted by is
    computed from several sources, and a market is hundreds of tranches, not millions.
    """
    admitted = sorted(
        (t for t in tranches if wanted.admits(t)), key=lambda t: (t.facility_id, t.seniority)
    )
    key_of = _KEYS[sort]
    known = [(key, t) for t in admitted if (key := key_of(t)) is not None]
    # Python keeps the order of equal keys under `reverse` too.
    known.sort(key=lambda pair: pair[0], reverse=order is Order.DESC)
    unknown = [t for t in admitted if key_of(t) is None]
    return [t for _, t in known] + unknown


@dataclass(frozen=True, slots=True)
class ChoicesView:
    """What filters can choose from, over all rows."""

    gpu_classes: tuple[str, ...]
    sites: tuple[str, ...]
    operators: tuple[OperatorView, ...]
    states: tuple[str, ...]


def choices_of(tranches: Sequence[TrancheView]) -> ChoicesView:
    """Values that occur, sorted; states in the order of a facility's life."""
    present = {t.state for t in tranches}
    return ChoicesView(
        tuple(sorted({t.gpu_class for t in tranches})),
        tuple(sorted({t.site for t in tranches})),
        tuple(sorted({t.operator for t in tranches}, key=lambda o: (o.name.casefold(), o.address))),
        tuple(state for state in STATES if state in present),
    )
