"""Which device sat in which place of which node, and when."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from api.domain.metering.instants import format_instant
from api.domain.metering.intervals import Span
from api.errors import RowRefused
from api.ledger.importers.rows import NOTHING


@dataclass(frozen=True, slots=True)
class Stay:
    """A device sat in a place over `[from_s, until_s)`; `-` is one of another facility."""

    device: str
    from_s: int
    until_s: int
    place: str


@dataclass(frozen=True, slots=True)
class Devices:
    """Stays by node and place, ascending by time and disjoint.

    complete: every GPU of each node is listed, so that who held all of a node's held each of them.
    """

    places: Mapping[str, Mapping[str, tuple[Stay, ...]]] = field(default_factory=dict)
    complete: bool = False

    def of_node(self, node: str) -> Mapping[str, tuple[Stay, ...]]:
        """Places of a node. Raises RowRefused."""
        found = self.places.get(node)
        if found is None:
            raise RowRefused("node_unknown", f"[devices] has no node {node[:60]!r}")
        return found

    def at(self, node: str, *, gpu: str, span: Span) -> str | None:
        """The device that sat in a place over an interval; None if it is not of the facility.

        Raises:  RowRefused if nobody says, or if it was swapped meanwhile.
        """
        stays = self.of_node(node).get(gpu)
        where = f"GPU {gpu[:40]!r} of node {node[:60]!r}"
        if stays is None:
            raise RowRefused("gpu_unknown", f"[devices] has no {where}")
        start_s, end_s = span
        for stay in stays:
            # Of an interval that is no interval the judge says so: its start finds the device.
            if stay.from_s <= start_s < stay.until_s and max(start_s, end_s) <= stay.until_s:
                return None if stay.device == NOTHING else stay.device
        message = f"[devices] has no one {where} throughout, from {format_instant(start_s)} on"
        raise RowRefused("gpu_swapped", message)


def find_double(stays: Iterable[Stay]) -> tuple[Stay, Stay] | None:
    """Two stays of one device in two places at one time, if there are any."""
    last: dict[str, Stay] = {}
    for stay in sorted(stays, key=lambda s: (s.from_s, s.until_s)):
        before = last.get(stay.device)
        if stay.device != NOTHING and before is not None and before.until_s > stay.from_s:
            return before, stay
        last[stay.device] = stay
    return None
