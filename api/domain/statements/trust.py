"""Which leases' books rest on signed entries alone."""

from collections.abc import Iterable

from api.domain.metering.facts import Fact, Held, Out, Seen, Until, Voided
from api.domain.metering.time_book import TimeBook
from api.domain.units import ZERO32, Bytes32


class Trust:
    """Leases of which an entry told that nobody signed, 32 zero bytes for all; and leases that an
    outage names, of any time. Neither is ever taken back."""

    def __init__(self, unsigned: Iterable[Bytes32] = (), kept_from: Iterable[Bytes32] = ()) -> None:
        self._unsigned, self._kept_from = set(unsigned), set(kept_from)

    @property
    def unsigned(self) -> tuple[Bytes32, ...]:
        """Leases, ascending."""
        return tuple(sorted(self._unsigned))

    @property
    def kept_from(self) -> tuple[Bytes32, ...]:
        """Leases, ascending."""
        return tuple(sorted(self._kept_from))

    def note(self, outage: Out) -> None:
        """Note an outage, whoever told it."""
        if outage.lease != ZERO32:
            self._kept_from.add(outage.lease)

    def distrust(self, fact: Fact, time: TimeBook) -> None:
        """Note that nobody signed a fact, before it is taken: nothing of its lease rests on signed
        entries alone from here on. An outage, or news of one, concerns all: it beats any use.

        Args:    time: holds what the fact may correct.
        """
        if isinstance(fact, Until | Voided):
            told = time.fact_at(fact.target)
            self._unsigned.add(told.lease if isinstance(told, Held) else ZERO32)
        elif isinstance(fact, Out):
            self._unsigned.add(ZERO32)
        elif not isinstance(fact, Seen):
            self._unsigned.add(fact.lease)

    def is_signed(self, lease: Bytes32) -> bool:
        """Whether all was signed that was told of a lease so far; of one that an outage was kept
        from, all that was told at all: any use of the device would have taken that time."""
        if self._unsigned and lease in self._kept_from:
            return False
        return not self._unsigned & {lease, ZERO32}
