"""Verify, part 9: lines of a name, for who was given the name and its secret."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from api.domain.metering.facts import Agreed
from api.domain.metering.names import lease_hash, party_hash
from api.domain.statements.lines import Line
from api.domain.statements.told import Told
from api.domain.units import Bytes32, FacilityId
from api.verify.findings import Finding


@dataclass(frozen=True, slots=True)
class ShownName:
    """A lease's id, or a renter's name, with the secret that belongs to it.

    Raises InvalidInput for a name that is no text, and a secret of another length than 32 bytes.
    """

    name: str
    secret: Bytes32
    renter: bool = False

    def __post_init__(self) -> None:
        # Here, and not where statements are judged.
        lease_hash(FacilityId(0), self.name, secret=self.secret)

    def names(self, facility_id: FacilityId, agreed: Agreed) -> bool:
        """Whether terms in a facility are the lease's, or the renter's."""
        make, hashed = (
            (party_hash, agreed.terms.party) if self.renter else (lease_hash, agreed.lease)
        )
        return make(facility_id, self.name, secret=self.secret) == hashed


@dataclass
class NamedLines:
    """Lines of a name in the statements of one facility, each with its statement's number.

    leases: hashes of its leases, also of those without a line.
    """

    facility_id: FacilityId
    shown: ShownName | None
    leases: set[Bytes32] = field(default_factory=set)
    lines: list[tuple[int, Line]] = field(default_factory=list)

    def take(self, number: int, told: Sequence[Told], lines: Sequence[Line]) -> None:
        """Look for the name in a statement: in terms that it tells, and in its lines."""
        if self.shown is None:
            return
        agreed = (each.fact for each in told if isinstance(each.fact, Agreed))
        self.leases |= {f.lease for f in agreed if self.shown.names(self.facility_id, f)}
        self.lines += [(number, line) for line in lines if line.lease in self.leases]

    @property
    def gpu_seconds(self) -> int:
        """GPU-seconds of its lines."""
        return sum(line.gpu_seconds for _, line in self.lines)

    @property
    def charge_micros(self) -> int:
        """Charges of its lines."""
        return sum(line.charge_micros for _, line in self.lines)


def unknown_name(shown: ShownName) -> Finding:
    """What is said where a name and its secret fit nothing."""
    what = "renter" if shown.renter else "lease"
    message = (
        f"no terms of a posted statement name a {what} that has this name by this secret: is it"
        " written otherwise, of another deployment, or not stated yet?"
    )
    return Finding(message, code="name_unknown")
