"""A lease: all versions of its terms, and what is in force at every second.

Of the versions whose `from` is past, the highest number is in force: so a price typed wrong is put
right by a version that begins when the wrong one began.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from api.domain.metering.intervals import Span, union
from api.domain.metering.lease_terms import (
    FOREVER_S,
    TermsVersion,
    terms_hash,
)
from api.domain.units import Bytes32
from api.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Stretch:
    """Time in which a lease runs under one version, at one price and one commitment.

    weight: of a GPU-second; `WEIGHT_PER_UNIT` of it are one minor unit.
    """

    start_s: int
    end_s: int
    terms: TermsVersion
    weight: int
    committed: int

    def goes_on_in(self, later: "Stretch") -> bool:
        """Whether another stretch follows at once and differs in nothing."""
        return (
            self.end_s == later.start_s
            and self.terms.version == later.terms.version
            and self.weight == later.weight
            and self.committed == later.committed
        )


@dataclass(frozen=True)
class Lease:
    """A lease with all versions of its terms, ascending by number from 1."""

    lease: Bytes32
    versions: tuple[TermsVersion, ...]

    @property
    def party(self) -> Bytes32:
        """The renter: the same in all versions."""
        return self.versions[0].party

    @cached_property
    def has_tiers(self) -> bool:
        """Whether any version lowers the price by hours billed."""
        return any(terms.tiers for terms in self.versions)

    @cached_property
    def has_limit(self) -> bool:
        """Whether any version limits how many devices it holds at once."""
        return any(terms.max_gpus for terms in self.versions)

    def followed_by(self, terms: TermsVersion) -> "Lease":
        """The lease with one more version. Raises InvalidInput if it does not follow the last."""
        last = self.versions[-1]
        if terms.version != last.version + 1:
            raise InvalidInput(f"version {last.version + 1} is next", field="version")
        if terms.party != last.party:
            raise InvalidInput("another renter has a lease of its own", field="party")
        if terms.previous != terms_hash(self.lease, last):
            raise InvalidInput("previous: not the hash of the version before", field="previous")
        return Lease(self.lease, (*self.versions, terms))

    @property
    def ends_s(self) -> int:
        """When the lease ends, as agreed now; `FOREVER_S` while no end is agreed."""
        return self.running[-1][1] if self.running else self.versions[-1].from_s

    def at(self, instant_s: int) -> TermsVersion | None:
        """The version in force at an instant; None before the first."""
        for terms in reversed(self.versions):
            if terms.from_s <= instant_s:
                return terms
        return None

    def runs_at(self, instant_s: int) -> bool:
        """Whether the lease runs at an instant."""
        terms = self.at(instant_s)
        return terms is not None and instant_s < terms.ends_s

    @cached_property
    def stretches(self) -> tuple[Stretch, ...]:
        """All time in which the lease runs, in order; without an end, the last one has none."""
        return tuple(_joined(self._pieces()))

    @cached_property
    def _starts(self) -> list[int]:
        return [stretch.start_s for stretch in self.stretches]

    @cached_property
    def running(self) -> list[Span]:
        """When the lease runs, as few intervals as possible."""
        return union((s.start_s, s.end_s) for s in self.stretches)

    def stretches_in(self, *, start_s: int, end_s: int) -> Iterator[Stretch]:
        """Stretches that share a second with `[start_s, end_s)`, cut to it."""
        first = max(0, bisect_right(self._starts, start_s) - 1)
        for stretch in self.stretches[first:]:
            if stretch.start_s >= end_s:
                return
            if stretch.end_s > start_s:
                yield Stretch(
                    max(start_s, stretch.start_s),
                    min(end_s, stretch.end_s),
                    stretch.terms,
                    stretch.weight,
                    stretch.committed,
                )

    def cuts_in(self, span: Span) -> Iterator[Span]:
        """A span as `stretches_in` cuts it, without what is said of each part."""
        at = bisect_right(self._starts, span[0]) - 1
        if at >= 0 and self.stretches[at].end_s >= span[1]:  # by far the most common
            yield span
            return
        for stretch in self.stretches_in(start_s=span[0], end_s=span[1]):
            yield stretch.start_s, stretch.end_s

    def weight_at(self, instant_s: int) -> int:
        """Weight of a GPU-second at an instant at which the lease runs."""
        return self.stretches[bisect_right(self._starts, instant_s) - 1].weight

    def limits_in(self, span: Span) -> Iterator[tuple[int, int, int]]:
        """Start, end and `max_gpus` of each part of a span in which the lease runs."""
        start_s, end_s = span
        first = max(0, bisect_right(self._starts, start_s) - 1)
        for stretch in self.stretches[first:]:
            if stretch.start_s >= end_s:
                return
            if stretch.end_s > start_s:
                part = max(start_s, stretch.start_s), min(end_s, stretch.end_s)
                yield (*part, stretch.terms.max_gpus)

    def _pieces(self) -> Iterator[Stretch]:
        instants = {terms.from_s for terms in self.versions}
        for terms in self.versions:
            instants.update(step.from_s for step in terms.prices)
            instants.update(step.from_s for step in terms.commitment)
            instants.add(terms.ends_s)
        for start_s, end_s in pairwise(sorted(instants | {FOREVER_S})):
            ruling = self.at(start_s)
            if ruling is not None and start_s < ruling.ends_s:
                weight = in_force([(p.from_s, p.weight) for p in ruling.prices], start_s)
                committed = in_force([(c.from_s, c.gpus) for c in ruling.commitment], start_s)
                yield Stretch(start_s, end_s, ruling, weight, committed)


def in_force(steps: Sequence[tuple[int, int]], instant_s: int) -> int:
    """What the last step that began by then says; 0 before the first."""
    return next((said for from_s, said in reversed(steps) if from_s <= instant_s), 0)


def _joined(pieces: Iterable[Stretch]) -> Iterator[Stretch]:
    """Neighbours that differ in nothing are one."""
    last: Stretch | None = None
    for piece in pieces:
        if last is not None and last.goes_on_in(piece):
            last = Stretch(last.start_s, piece.end_s, last.terms, last.weight, last.committed)
            continue
        if last is not None:
            yield last
        last = piece
    if last is not None:
        yield last
