"""How far a facility's statements came on-chain, from indexed events."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from api.db import chain_store


@dataclass(frozen=True, slots=True)
class Progress:
    """What the chain's index says of a facility's statements."""

    standing: Mapping[int, Any]
    voided_hashes: frozenset[bytes]
    settled: int

    @property
    def posted(self) -> int:
        """Statements that stand: they have no gaps."""
        return len(self.standing)

    def posting_of(self, epoch: int, statement_hash: bytes | None) -> Any:
        """The posting of this very statement, if it stands; None where other bytes do."""
        found = self.standing.get(epoch)
        return found if found is not None and found.statement_hash == statement_hash else None


def progress_of(connection: Connection, facility_id: int) -> Progress:
    """Statements that stand, those that a proven fault took, and how many are settled."""
    standing: dict[int, Any] = {}
    voided: set[bytes] = set()
    settled = 0
    for row in chain_store.progress_events(connection, facility_id):
        if row.event == "StatementPosted":
            standing[row.epoch] = row
        elif row.event == "Settled":
            settled = max(settled, row.epoch)
        else:
            for epoch in range(row.epoch, row.extra):
                gone = standing.pop(epoch, None)
                # The one that was proven wrong is barred; later ones are chained to its hash.
                if gone is not None:
                    voided.add(gone.statement_hash)
    return Progress(standing, frozenset(voided), settled)
