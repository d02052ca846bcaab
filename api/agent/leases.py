"""Which lease a use belongs to: the table of the settings, read from the top."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

# In place of a lease: rented to nobody, and left out without a word.
NOBODY = "-"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a device, in the words of the source. What it does not say is empty."""

    account: str = ""
    user: str = ""
    partition: str = ""
    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    def shown(self) -> str:
        """The holder in one line, for people who map it."""
        named = ("account", "user", "partition", "namespace")
        parts = [f"{name}={getattr(self, name)}" for name in named if getattr(self, name)]
        parts += [f"{name}={value}" for name, value in sorted(self.labels.items())]
        return " ".join(parts)[:300] or "nothing known of the holder"


@dataclass(frozen=True, slots=True)
class LeaseRow:
    """A row of the table: it fits a holder of whom all of this is true."""

    lease: str
    source: str = ""
    account: str = ""
    user: str = ""
    partition: str = ""
    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    def fits(self, holder: Holder, *, source: str) -> bool:
        """Whether the row speaks of this holder."""
        return (
            self.source in ("", source)
            and self.account in ("", holder.account)
            and self.user in ("", holder.user)
            and self.partition in ("", holder.partition)
            and self.namespace in ("", holder.namespace)
            and all(holder.labels.get(name) == value for name, value in self.labels.items())
        )


@dataclass(frozen=True, slots=True)
class LeaseTable:
    """Rows in order; the first one that fits counts."""

    rows: Sequence[LeaseRow]

    def label_names(self) -> frozenset[str]:
        """Labels that some row asks for: no other is kept."""
        return frozenset(name for row in self.rows for name in row.labels)

    def lease_of(self, holder: Holder, *, source: str) -> str | None:
        """The lease, NOBODY, or None where no row fits: then nobody may be billed."""
        for row in self.rows:
            if row.fits(holder, source=source):
                return row.lease
        return None
