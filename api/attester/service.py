"""What an attester asks of the service."""

from typing import Protocol

from api.domain.statements.recompute import RawInput
from api.domain.units import Bytes32, Epoch, FacilityId


class AttesterApi(Protocol):
    """What an attester asks of the service."""

    def pending(self, attester: str) -> list[tuple[FacilityId, Epoch, bytes]]:
        """`(facility_id, epoch, statement_hash)` that this attester has not signed."""
        ...

    def log(self, facility_id: FacilityId, *, after: int) -> RawInput:
        """Reopenings of a facility, and the entries of its log behind one, with the leases that
        they tell of."""
        ...

    def submit(
        self, facility_id: FacilityId, epoch: Epoch, attester: str, signature: bytes
    ) -> None:
        """Hand in a signature."""
        ...

    def pending_pledges(self, attester: str) -> list[FacilityId]:
        """Facilities whose pledge waits for a signature of this attester."""
        ...

    def pending_replacements(self, attester: str) -> list[tuple[FacilityId, Epoch, Bytes32]]:
        """`(facility, first epoch, root)` of replacements that this attester has not signed."""
        ...

    def submit_replacement(
        self,
        facility_id: FacilityId,
        root: Bytes32,
        attester: str,
        *,
        approvals: int,
        signature: bytes,
    ) -> None:
        """Hand in a signature over a replacement, made after so many approvals."""
        ...

    def submit_pledge(
        self, facility_id: FacilityId, attester: str, *, approvals: int, signature: bytes
    ) -> None:
        """Hand in a signature over a pledge, made after so many approvals."""
        ...
