"""What an event says, as typed values: shared by the service and whoever recomputes."""

from dataclasses import dataclass, replace

from api.domain.metering.lease import Lease
from api.domain.metering.lease_changes import ended
from api.domain.metering.lease_terms import CommitmentStep, PriceStep, TermsVersion, terms_hash
from api.domain.metering.names import Names
from api.domain.units import ZERO32, Bytes32, FacilityId, Minor
from api.errors import InvalidInput


# One an event: not frozen, which takes thrice as long to make. Nobody changes them.
@dataclass(slots=True, unsafe_hash=True)
class Envelope:
    """What every event has; `source` and `id` identify it for ever within its facility."""

    source: str
    id: str
    type: str
    facility_id: FacilityId


@dataclass(slots=True, unsafe_hash=True)
class UsageEvent:
    """A device was allocated to a lease over `[start_s, end_s)`. Utilisation is evidence only."""

    envelope: Envelope
    device_hash: Bytes32
    lease_id: str
    start_s: int
    end_s: int
    delivery: bool
    gpu_class: str | None


@dataclass(frozen=True, slots=True)
class AllocationOpenedEvent:
    """A device is allocated to a lease from `start_s` on; it was seen to last until `until_s`."""

    envelope: Envelope
    device_hash: Bytes32
    lease_id: str
    start_s: int
    until_s: int
    gpu_class: str | None


@dataclass(frozen=True, slots=True)
class AllocationEvent:
    """An allocation still lasted at `until_s`, or `ended` then. source, id: of its opening."""

    envelope: Envelope
    source: str
    id: str
    until_s: int
    ended: bool


@dataclass(frozen=True, slots=True)
class SeenEvent:
    """A collector saw a device over `[start_s, end_s)`."""

    envelope: Envelope
    device_hash: Bytes32
    start_s: int
    end_s: int


@dataclass(frozen=True, slots=True)
class OutageEvent:
    """A device could not be used over `[start_s, end_s)`, kept from `lease_id` if named."""

    envelope: Envelope
    device_hash: Bytes32
    lease_id: str | None
    start_s: int
    end_s: int
    planned: bool = False


@dataclass(frozen=True, slots=True)
class TermsEvent:
    """A version of a lease's terms. terms: with neither party nor the version before.

    previous: hash of the version before, if its author states it.
    """

    envelope: Envelope
    lease_id: str
    renter_ref: str
    terms: TermsVersion
    previous: Bytes32 | None

    def version_after(self, lease: Lease | None, names: Names) -> TermsVersion:
        """The version, with hashes for names. Raises InvalidInput if it does not follow."""
        before = ZERO32 if lease is None else terms_hash(lease.lease, lease.versions[-1])
        if self.previous is not None and self.previous != before:
            message = f"previous: the version before has the hash 0x{before.hex()}"
            raise InvalidInput(message, field="previous")
        if lease is None and self.terms.version != 1:
            raise InvalidInput("version: a lease begins with version 1", field="version")
        party = names.party(self.lease_id, renter_ref=self.renter_ref)
        return replace(self.terms, previous=before, party=party)


@dataclass(frozen=True, slots=True)
class LeaseOpenedEvent:
    """A lease begins, with its first price: the short form of its first terms."""

    envelope: Envelope
    lease_id: str
    renter_ref: str
    plan: str
    committed_gpus: int
    max_gpus: int
    opened_at_s: int
    price: Minor

    def version_after(self, lease: Lease | None, names: Names) -> TermsVersion | None:
        """The first version; None where the lease has it. Raises InvalidInput `lease_exists`."""
        start_s = self.opened_at_s
        commitment = (CommitmentStep(start_s, self.committed_gpus),)
        terms = TermsVersion(
            version=1,
            previous=ZERO32,
            party=names.party(self.lease_id, renter_ref=self.renter_ref),
            from_s=start_s,
            max_gpus=self.max_gpus,
            prices=(PriceStep(start_s, self.price),),
            commitment=commitment if self.committed_gpus else (),
        )
        if lease is None:
            return terms
        if lease.versions[0] != terms:
            message = f"lease {self.lease_id!r} exists with other terms"
            raise InvalidInput(message, field="lease_id", reason="lease_exists")
        return None


@dataclass(frozen=True, slots=True)
class LeaseClosedEvent:
    """A lease ends: the short form of a version that does."""

    envelope: Envelope
    lease_id: str
    closed_at_s: int

    def version_after(self, lease: Lease | None, _names: Names) -> TermsVersion | None:
        """The next version; None where the lease ends just then."""
        assert lease is not None  # judged before
        if lease.ends_s == self.closed_at_s:
            return None
        if self.closed_at_s < min(terms.from_s for terms in lease.versions):
            message = "a lease closes after it opened"
            raise InvalidInput(message, field="closed_at", reason="lease_closed")
        return ended(lease, self.closed_at_s)


@dataclass(frozen=True, slots=True)
class AdjustmentEvent:
    """Money from a lease, or back to it where below zero, with a reason."""

    envelope: Envelope
    lease_id: str
    amount: Minor
    reason: str


@dataclass(frozen=True, slots=True)
class CorrectionEvent:
    """Takes back an earlier event of the facility; `replacement` stands for it, if there is one."""

    envelope: Envelope
    corrects_source: str
    corrects_id: str
    replacement: "UsageEvent | OutageEvent | None" = None


@dataclass(frozen=True, slots=True)
class DeviceRegisteredEvent:
    """A collector announces a device."""

    envelope: Envelope
    device: str


LeaseEvent = TermsEvent | LeaseOpenedEvent | LeaseClosedEvent
MeterEvent = (
    UsageEvent
    | AllocationOpenedEvent
    | AllocationEvent
    | SeenEvent
    | OutageEvent
    | LeaseEvent
    | AdjustmentEvent
    | CorrectionEvent
    | DeviceRegisteredEvent
)
