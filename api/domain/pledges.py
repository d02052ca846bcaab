"""Pledges: devices under a root, what attesters sign of them, and cards that are pledged twice.

The same rules as `PledgeRegistry.sol` and `FaultRules.ofPledges`.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from api.domain.eip712 import domain_separator, typed_preimage
from api.domain.hashing import keccak, word
from api.domain.merkle import MerkleTree, leaf_hash
from api.domain.units import Bytes32, Epoch, FacilityId

DOMAIN_NAME = "Rentroll Pledges"
DOMAIN_VERSION = "1"
# Same order and types as in `PledgeRegistry`.
APPROVAL_TYPE = (
    "PledgeApproval(uint64 facilityId,bytes32 pledgeRoot,uint32 deviceCount,uint32 fromEpoch,"
    "uint64 approvals)"
)
_APPROVAL_TYPEHASH = keccak(APPROVAL_TYPE.encode())
OFFER_EPOCH = Epoch(0)


@dataclass(frozen=True, slots=True)
class PledgedDevice:
    """A device of a pledge: hashes of its name and of its card's; the first epoch that has it."""

    device: Bytes32
    card: Bytes32
    from_epoch: Epoch = OFFER_EPOCH


def whole_cards(devices: Iterable[Bytes32]) -> tuple[PledgedDevice, ...]:
    """Devices that are cards of their own, pledged from the first epoch on."""
    return tuple(PledgedDevice(device, device) for device in devices)


def pledge_leaf(facility_id: FacilityId, index: int, pledged: PledgedDevice) -> Bytes32:
    """Leaf of a device: `(uint64 facilityId, uint32 index, bytes32 device, bytes32 card, uint32
    fromEpoch)`; `UsageProof.pledgeLeaf` gives the same."""
    start = word(facility_id) + word(index)
    return leaf_hash(start + pledged.device + pledged.card + word(pledged.from_epoch))


def pledge_tree(facility_id: FacilityId, devices: Sequence[PledgedDevice]) -> MerkleTree:
    """Pledge tree of a facility; ascending by device, so that neighbours prove absence."""
    return MerkleTree([pledge_leaf(facility_id, i, d) for i, d in enumerate(devices)])


@dataclass(frozen=True, slots=True)
class PledgeApproval:
    """What attesters sign of a pledge.

    from_epoch: first epoch for which it shall hold; 0 for the pledge of an offer.
    approvals: how many pledges, of all facilities, were approved before it. So an approval in
    between makes the signature void, and what was compared still holds.
    """

    facility_id: FacilityId
    pledge_root: Bytes32
    device_count: int
    from_epoch: Epoch
    approvals: int


def approval_preimage(approval: PledgeApproval, *, chain_id: int, registry: str) -> bytes:
    """66 bytes whose keccak-256 is `approval_digest`."""
    body = keccak(
        _APPROVAL_TYPEHASH
        + word(approval.facility_id)
        + approval.pledge_root
        + word(approval.device_count)
        + word(approval.from_epoch)
        + word(approval.approvals)
    )
    separator = domain_separator(
        name=DOMAIN_NAME, version=DOMAIN_VERSION, chain_id=chain_id, contract=registry
    )
    return typed_preimage(body, separator=separator)


def approval_digest(approval: PledgeApproval, *, chain_id: int, registry: str) -> Bytes32:
    """Digest that attesters sign; `PledgeRegistry.pledgeDigest` gives the same."""
    return keccak(approval_preimage(approval, chain_id=chain_id, registry=registry))


@dataclass(frozen=True, slots=True)
class Pledge:
    """Devices of a facility from an epoch on, until its next pledge.

    number: of the approval among all facilities, from 1. Of two pledges of one card the lower
    counts. One that is not approved yet has the number that it would be given.
    """

    number: int
    from_epoch: Epoch
    devices: tuple[PledgedDevice, ...]


@dataclass(frozen=True, slots=True)
class Pledging:
    """A facility, as far as its pledges go. Times are UTC seconds.

    pledges: in order of their epochs.
    cancelled: its offer was withdrawn, removed or expired: it claims nothing.
    ended_at_s: when it matured, defaulted or was stopped; None while it has not.
    """

    facility_id: FacilityId
    window_start_s: int
    window_end_s: int
    epoch_length_s: int
    pledges: tuple[Pledge, ...]
    cancelled: bool = False
    ended_at_s: int | None = None

    def epoch_start_s(self, epoch: int) -> int:
        """First second of an epoch; past the window its end."""
        return min(self.window_start_s + epoch * self.epoch_length_s, self.window_end_s)

    def in_force(self, epoch: int) -> Pledge | None:
        """Pledge that holds in an epoch; None if none was approved."""
        return in_force(self.pledges, epoch)


def in_force(pledges: Sequence[Pledge], epoch: int) -> Pledge | None:
    """Of a facility's pledges the one that holds in an epoch; None if none does."""
    return next((p for p in reversed(pledges) if p.from_epoch <= epoch), None)


@dataclass(frozen=True, slots=True)
class Holding:
    """A card of a facility for a span of time, by which approval."""

    facility_id: FacilityId
    card: Bytes32
    number: int
    start_s: int
    end_s: int

    def meets(self, other: "Holding") -> bool:
        """Whether both are of one card, and share a second."""
        return self.card == other.card and self.start_s < other.end_s and other.start_s < self.end_s


def holdings(pledging: Pledging, *, cards: Collection[Bytes32] | None = None) -> Iterator[Holding]:
    """What a facility claims: each card from the epoch of its pledge or its own to the next
    pledge, the window's end, or the end of the facility.

    cards: only these.
    """
    if pledging.cancelled:
        return
    ended_s = pledging.window_end_s if pledging.ended_at_s is None else pledging.ended_at_s
    ends = [pledging.epoch_start_s(p.from_epoch) for p in pledging.pledges[1:]]
    for pledge, next_s in zip(pledging.pledges, [*ends, pledging.window_end_s], strict=True):
        end_s = min(next_s, ended_s)
        for device in pledge.devices:
            if cards is not None and device.card not in cards:
                continue
            start_s = pledging.epoch_start_s(max(pledge.from_epoch, device.from_epoch))
            if start_s < end_s:
                # A card that stays keeps the approval with which it came.
                came = in_force(pledging.pledges, device.from_epoch) or pledge
                yield Holding(pledging.facility_id, device.card, came.number, start_s, end_s)


def cards_pledged_before(
    own: Pledging, *, other: Pledging, epoch: Epoch | None = None
) -> tuple[Bytes32, ...]:
    """Cards that `own` pledged although `other` had pledged them for the same time, ascending.

    The other pledge was approved earlier, and its facility is neither cancelled nor had it ended.

    Args:    epoch: only this epoch of `own`; None is its whole window.
    """
    start_s, end_s = own.window_start_s, own.window_end_s
    if epoch is not None:
        start_s, end_s = own.epoch_start_s(epoch), own.epoch_start_s(epoch + 1)
    if other.window_start_s >= end_s or other.window_end_s <= start_s:
        return ()
    named = {d.card for p in own.pledges for d in p.devices}
    theirs: dict[Bytes32, list[Holding]] = {}
    for held in holdings(other, cards=named):
        if held.start_s < end_s and start_s < held.end_s:
            theirs.setdefault(held.card, []).append(held)
    twice = set()
    for mine in holdings(own, cards=theirs):
        if mine.start_s >= end_s or mine.end_s <= start_s:
            continue
        span = Holding(
            own.facility_id, mine.card, mine.number, max(mine.start_s, start_s),
            min(mine.end_s, end_s),
        )  # fmt: skip
        if any(held.number < mine.number and held.meets(span) for held in theirs[mine.card]):
            twice.add(mine.card)
    return tuple(sorted(twice))


@dataclass(frozen=True, slots=True)
class PledgedTwice:
    """A device of a facility whose card an earlier pledge of another has at the same time.

    index, other_index: places of the devices in the pledges in force.
    other_epoch: of the other facility, which shares a second with the first one's.
    """

    pledge: Pledge
    index: int
    other_id: FacilityId
    other_epoch: Epoch
    other_pledge: Pledge
    other_index: int


def pledged_twice(own: Pledging, epoch: Epoch, *, other: Pledging) -> Iterator[PledgedTwice]:
    """Devices of an epoch whose card another facility pledged before, as `FaultRules.ofPledges`
    proves it: one way to prove each, none where that facility is cancelled or had ended before."""
    pledge = own.in_force(epoch)
    start_s, end_s = own.epoch_start_s(epoch), own.epoch_start_s(epoch + 1)
    first = max(0, start_s - other.window_start_s) // other.epoch_length_s
    other_end_s = other.window_end_s if other.ended_at_s is None else other.ended_at_s
    if pledge is None or other.cancelled or other_end_s <= start_s:
        return
    end_s = min(end_s, other_end_s, other.window_end_s)
    held: dict[Bytes32, int] = {}
    for index, device in enumerate(pledge.devices):
        held.setdefault(device.card, index)
    nexts = [theirs.from_epoch for theirs in other.pledges[1:]]
    for theirs, until in zip(other.pledges, [*nexts, None], strict=True):
        for other_index, device in enumerate(theirs.devices):
            at = Epoch(max(first, theirs.from_epoch, device.from_epoch))
            later = other.epoch_start_s(at) >= end_s or (until is not None and at >= until)
            if device.card not in held or later:
                continue
            index = held[device.card]
            came = own.in_force(pledge.devices[index].from_epoch) or pledge
            before = other.in_force(device.from_epoch) or theirs
            if before.number < came.number:
                yield PledgedTwice(pledge, index, other.facility_id, at, theirs, other_index)


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A slice that two pledges know by different cards, or that one of them takes for a card.

    facility_id: whose pledge was approved later.  other_id: whose earlier.
    """

    facility_id: FacilityId
    other_id: FacilityId
    device: Bytes32


def contradictions(pledgings: Iterable[Pledging]) -> tuple[Contradiction, ...]:
    """Slices of whose cards facilities say different things, at whatever time: a slice never moves
    to another card. Facilities that are cancelled say nothing.

    Returns: one of each pair and device, by number of the later approval.
    """
    said = [(p.number, f.facility_id, p) for f in pledgings if not f.cancelled for p in f.pledges]
    parents: dict[Bytes32, tuple[Bytes32, FacilityId]] = {}
    cards: dict[Bytes32, FacilityId] = {}
    found: dict[Contradiction, None] = {}
    for _, facility_id, pledge in sorted(said, key=lambda row: row[:2]):
        for pledged in pledge.devices:
            device, card = pledged.device, pledged.card
            other: FacilityId | None
            if device == card:
                _, other = parents.get(device, (card, None))
            else:
                parent, other = parents.setdefault(device, (card, facility_id))
                if parent == card:
                    other = cards.get(device) or parents.get(card, (card, None))[1]
            if other is not None and other != facility_id:
                found[Contradiction(facility_id, other, device)] = None
            cards.setdefault(card, facility_id)
    return tuple(found)
