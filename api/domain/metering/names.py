"""Names of leases and renters, and the hashes that stand for them in all that is public.

Each lease and each renter has a secret of its own. Whoever is given one recomputes that one hash,
and can test no guess of any other name. All secrets of a facility follow from its name secret,
which its service shows nobody.
"""

import hmac
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from api.domain.hashing import keccak
from api.domain.units import ZERO32, Bytes32, FacilityId
from api.errors import EvidenceInvalid, InvalidInput

# All labels of a kind are of one length, and what follows is too, but for the name at the end: no
# two of what is hashed are the same bytes.
_LEASE, _PARTY = b"rentroll/lease/1", b"rentroll/party/1"
_LEASE_SECRET, _PARTY_SECRET = b"rentroll/lease-secret/1", b"rentroll/party-secret/1"

_NEITHER_LETTER_NOR_DIGIT = re.compile(r"[\W_]+")


def party_name(renter_ref: str) -> str:
    """The one name of a renter, however a reference to it is written.

    Case, width and accents' encoding, and what stands between or around words do not make another
    renter of it: `Acme`, `ACME.`, ` acme_` are `acme`; `acme-2` is another.
    """
    folded = unicodedata.normalize("NFKC", renter_ref).casefold()
    # Folding can leave letters in parts that belong together.
    folded = unicodedata.normalize("NFKC", folded)
    return _NEITHER_LETTER_NOR_DIGIT.sub("-", folded).strip("-") or renter_ref


def lease_hash(facility_id: FacilityId, lease_id: str, *, secret: Bytes32) -> Bytes32:
    """Identifier of a lease, by its secret. Raises InvalidInput."""
    return _hash(_LEASE, facility_id, secret, lease_id)


def party_hash(facility_id: FacilityId, renter_ref: str, *, secret: Bytes32) -> Bytes32:
    """Identifier of a renter within a facility, by its secret. Raises InvalidInput."""
    return _hash(_PARTY, facility_id, secret, party_name(renter_ref))


def _hash(label: bytes, facility_id: FacilityId, secret: Bytes32, name: str) -> Bytes32:
    # Of another length it could take letters of a name, or give it some.
    if len(secret) != len(ZERO32):
        raise InvalidInput("a secret of a name is 32 bytes", field="secret")
    return keccak(label + facility_id.to_bytes(8, "big") + secret + _utf8(name))


def _utf8(name: str) -> bytes:
    try:
        return name.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidInput("a name is text of Unicode characters", field="name") from error


class Names(Protocol):
    """Hashes of names, as far as whoever asks knows them; 32 zero bytes stand for what nobody
    told it."""

    def lease(self, lease_id: str) -> Bytes32:
        """Identifier of a lease that is not known yet."""

    def party(self, lease_id: str, *, renter_ref: str) -> Bytes32:
        """Identifier of a renter whom an event about a lease names."""


@dataclass(frozen=True, slots=True)
class SecretNames:
    """All names of a facility, by its name secret: what its service has."""

    facility_id: FacilityId
    name_secret: Bytes32

    def lease_secret(self, lease_id: str) -> Bytes32:
        """The secret of one lease: as good as random to who knows others."""
        return self._secret(_LEASE_SECRET, lease_id)

    def party_secret(self, renter_ref: str) -> Bytes32:
        """The secret of one renter: as good as random to who knows others."""
        return self._secret(_PARTY_SECRET, party_name(renter_ref))

    def _secret(self, label: bytes, name: str) -> Bytes32:
        return Bytes32(hmac.digest(self.name_secret, label + _utf8(name), "sha256"))

    def lease(self, lease_id: str) -> Bytes32:
        """Identifier of a lease."""
        return lease_hash(self.facility_id, lease_id, secret=self.lease_secret(lease_id))

    def party(self, _lease_id: str, *, renter_ref: str) -> Bytes32:
        """Identifier of a renter."""
        return party_hash(self.facility_id, renter_ref, secret=self.party_secret(renter_ref))

    def told(self, lease_id: str, *, renter_ref: str) -> "ToldLease":
        """What an attester is told of a lease."""
        party = self.party(lease_id, renter_ref=renter_ref)
        return ToldLease(lease_id, self.lease_secret(lease_id), party)


@dataclass(frozen=True, slots=True)
class ToldLease:
    """What an attester is told of a lease: its secret, and the hash of its renter.

    Not the renter's secret: with that it could test guesses of that renter in all evidence.
    """

    lease_id: str
    secret: Bytes32
    party: Bytes32


@dataclass(slots=True)
class ToldNames:
    """Names of a facility, as an attester is told them, lease by lease. It believes none of it that
    the log contradicts.

    Hashes of renters it cannot compute. But the log names the renter of each lease, so that one
    renter with two hashes, and two with one, are seen: they would move the largest renter's share.
    """

    facility_id: FacilityId
    _told: dict[str, ToldLease] = field(default_factory=dict)
    _leases_by_secret: dict[Bytes32, str] = field(default_factory=dict)
    _hashes: dict[str, Bytes32] = field(default_factory=dict)
    _renters: dict[Bytes32, str] = field(default_factory=dict)
    _opened: set[str] = field(default_factory=set)

    def learn(self, leases: Iterable[ToldLease]) -> None:
        """Hear of leases; of one that is known, the same again.

        Raises:  EvidenceInvalid for what is another than before, or another lease's.
        """
        for told in leases:
            if self._told.setdefault(told.lease_id, told) != told:
                raise EvidenceInvalid("the service names another secret or renter of a lease now")
            if self._leases_by_secret.setdefault(told.secret, told.lease_id) != told.lease_id:
                raise EvidenceInvalid("the service names one secret for two leases")

    def lease(self, lease_id: str) -> Bytes32:
        """Identifier of a lease, made with the secret that was told."""
        told = self._told.get(lease_id)
        if told is None:
            return ZERO32
        return lease_hash(self.facility_id, lease_id, secret=told.secret)

    def party(self, lease_id: str, *, renter_ref: str) -> Bytes32:
        """Identifier of a renter: of one whom an opened lease has, that lease's."""
        known = self._hashes.get(party_name(renter_ref))
        if known is not None:
            return known
        told = self._told.get(lease_id)
        # An opened lease has another renter than one of whom no opened lease is.
        return ZERO32 if told is None or lease_id in self._opened else told.party

    def require_told(self, lease_id: str, *, renter_ref: str) -> None:
        """The log opens a lease: refuse what was told of it where that cannot be so.

        Raises:  EvidenceInvalid.
        """
        told = self._told.get(lease_id)
        if told is None or told.party == ZERO32:
            raise EvidenceInvalid("the service names no secret or renter of a lease that is opened")
        name = party_name(renter_ref)
        if self._hashes.setdefault(name, told.party) != told.party:
            raise EvidenceInvalid("the service names two hashes for one renter")
        if self._renters.setdefault(told.party, name) != name:
            raise EvidenceInvalid("the service names one hash for two renters")
        self._opened.add(lease_id)
