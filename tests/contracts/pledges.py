"""Pledges: which devices and cards a facility delivers with, from which epoch."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from api.domain.facility import FacilityTerms
from api.domain.hashing import word
from api.domain.merkle import MerkleTree, leaf_hash
from api.domain.units import Bytes32


@dataclass(frozen=True, slots=True)
class Pledged:
    """One device. card: the card that it is, or is a part of."""

    device: Bytes32
    card: Bytes32
    from_epoch: int = 0


@dataclass(frozen=True)
class Pledge:
    """A facility's devices, sorted and numbered."""

    facility_id: int
    devices: tuple[Pledged, ...]

    @cached_property
    def tree(self) -> MerkleTree:
        """Tree over (facilityId, index, device, card, fromEpoch)."""
        prefix = word(self.facility_id)
        return MerkleTree(
            [
                leaf_hash(prefix + word(i) + one.device + one.card + word(one.from_epoch))
                for i, one in enumerate(self.devices)
            ]
        )

    @property
    def root(self) -> Bytes32:
        """What the offer names, or a replacement."""
        return self.tree.root

    def proven(self, index: int) -> tuple[Any, ...]:
        """`ProvenPledge` of the device at a place."""
        one = self.devices[index]
        return (index, one.device, one.card, one.from_epoch, self.tree.proof(index))

    def of_card(self, card: Bytes32) -> tuple[Any, ...]:
        """`ProvenPledge` of the one device of a card."""
        return self.proven([one.card for one in self.devices].index(card))


def pledge_of(terms: FacilityTerms) -> Pledge:
    """The devices of an offer with their cards, from the first epoch on."""
    devices = tuple(Pledged(p.device, p.card, p.from_epoch) for p in terms.pledge)
    return Pledge(terms.facility_id, devices)


def pledge(
    facility_id: int, devices: Sequence[Bytes32], *, later: dict[Bytes32, int] | None = None
) -> Pledge:
    """Whole cards. Args: later: first epoch of those that are not pledged from the first on."""
    epochs = later or {}
    return Pledge(
        facility_id, tuple(Pledged(d, d, epochs.get(d, 0)) for d in sorted({*devices, *epochs}))
    )
