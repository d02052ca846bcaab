"""Roster: which devices a facility has in which epoch, by its first pledge and its replacements.

A card that failed is replaced from the start of an epoch (RMA). Until then it is a device of the
facility that may be out; from then on another one is in its place. Facts of a device count in the
epochs in which it is pledged, and for nothing elsewhere: `FaultRules.ofDevice` voids a statement
that says otherwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from api.domain.facility import FacilityTerms, check_pledge_parts
from api.domain.pledges import Pledge, PledgedDevice, in_force
from api.domain.units import Bytes32, Epoch
from api.errors import InvalidInput


class PledgeState(StrEnum):
    """How a device of a facility stands at a time."""

    TO_COME = "to_come"
    PLEDGED = "pledged"
    GONE = "gone"


@dataclass(frozen=True)
class Roster:
    """Devices of a facility by epoch.

    replacements: approved pledges that took the place of the offer's, in order of approval.
    """

    terms: FacilityTerms
    replacements: tuple[Pledge, ...] = ()

    @cached_property
    def _stretches(self) -> tuple[tuple[Epoch, tuple[Bytes32, ...]], ...]:
        """First epoch of each stretch of epochs with the same devices, and these, ascending."""
        firsts = {Epoch(0)}
        for pledge in self.replacements:
            firsts |= {pledge.from_epoch, *(d.from_epoch for d in pledge.devices)}
        return tuple((first, self._pledged_in(first)) for first in sorted(firsts))

    def _pledged_in(self, epoch: Epoch) -> tuple[Bytes32, ...]:
        pledge = in_force(self.replacements, epoch)
        if pledge is None:
            return self.terms.devices
        return tuple(d.device for d in pledge.devices if d.from_epoch <= epoch)

    def devices(self, epoch: Epoch) -> tuple[Bytes32, ...]:
        """Devices that are pledged in an epoch, ascending."""
        return next(devices for first, devices in reversed(self._stretches) if first <= epoch)

    def pledge(self, epoch: Epoch) -> tuple[PledgedDevice, ...]:
        """The pledge in force in an epoch: devices with their cards, and from when each is."""
        pledge = in_force(self.replacements, epoch)
        return self.terms.pledge if pledge is None else pledge.devices

    @cached_property
    def _spans(self) -> dict[Bytes32, tuple[tuple[int, int], ...]]:
        starts = [self._epoch_start_s(first) for first, _ in self._stretches]
        ends = [*starts[1:], self.terms.window_end_s]
        found: dict[Bytes32, tuple[tuple[int, int], ...]] = {}
        for start_s, end_s, (_, devices) in zip(starts, ends, self._stretches, strict=True):
            if start_s >= end_s:
                continue
            for device in devices:
                *before, last = found.get(device, ((start_s, start_s),))
                joined = [(last[0], end_s)] if last[1] == start_s else [last, (start_s, end_s)]
                found[device] = (*before, *joined)
        return found

    @cached_property
    def known(self) -> frozenset[Bytes32]:
        """Devices that are pledged in some epoch."""
        return frozenset(self._spans) if self.replacements else self.terms.device_set

    def knows(self, device: Bytes32) -> bool:
        """Whether a device is pledged in some epoch."""
        return device in self.known

    def spans(self, device: Bytes32) -> Sequence[tuple[int, int]]:
        """When a device is pledged: `[start, end)` in UTC seconds; none is beside another."""
        if self.replacements:
            return self._spans.get(device, ())
        # Nearly every facility: nothing is worked out for its thousands of devices.
        return (self._window,) if device in self.terms.device_set else ()

    @cached_property
    def _window(self) -> tuple[int, int]:
        return self.terms.window_start_s, self.terms.window_end_s

    def uncovered_s(self, device: Bytes32, *, start_s: int, end_s: int) -> int | None:
        """First second of `[start_s, end_s)` in which a device is not pledged, if there is one.

        An allocation that nobody confirmed yet has no second: of it the first one is asked.
        """
        for from_s, until_s in self.spans(device):
            if from_s <= start_s < until_s:
                return None if end_s <= until_s else until_s
        return start_s

    def pledged(self, device: Bytes32, epoch: Epoch) -> bool:
        """Whether a device is pledged in an epoch."""
        start_s = self._epoch_start_s(epoch)
        return any(a <= start_s < b for a, b in self.spans(device))

    def pledge_state(self, device: Bytes32, *, now_s: int) -> "PledgeState":
        """How a device stands at a time: before the window as in its first epoch, after it as in
        its last."""
        start_s, end_s = self._window
        at_s = min(max(now_s, start_s), end_s - 1)
        epoch_s = self._epoch_start_s(self.terms.epoch_at(at_s))
        spans = self.spans(device)
        if any(a <= epoch_s < b for a, b in spans):
            return PledgeState.PLEDGED
        return PledgeState.TO_COME if any(a > epoch_s for a, _ in spans) else PledgeState.GONE

    def _epoch_start_s(self, epoch: Epoch) -> int:
        return self.terms.window_start_s + epoch * self.terms.epoch_length_s

    def agrees(self, other: "Roster", *, before: Epoch) -> bool:
        """Whether two rosters have the same devices in every epoch before one."""
        firsts = {first for roster in (self, other) for first, _ in roster._stretches}
        return all(self.devices(e) == other.devices(e) for e in firsts if e < before)


def check_replacement(roster: Roster, replacement: Pledge) -> tuple[PledgedDevice, PledgedDevice]:
    """Refuse a pledge that does more than put one device in another's place.

    Whether its first epoch has begun is for the chain to say, and for `PledgeWatch` whether another
    facility has the card.

    Args:    roster: with the replacements before.
    Returns: the device that goes and the one that comes.
    Raises:  InvalidInput with `context["field"]`.
    """
    terms, first = roster.terms, replacement.from_epoch
    last = roster.replacements[-1].from_epoch if roster.replacements else Epoch(0)
    if not last <= first < terms.epoch_count:
        message = f"from_epoch: {last} to {terms.epoch_count - 1}, not {first}"
        raise InvalidInput(message, field="from_epoch")
    before, after = set(roster.pledge(first)), set(replacement.devices)
    gone, come = before - after, after - before
    if len(gone) != 1 or len(come) != 1 or len(replacement.devices) != len(before):
        message = f"devices: one is replaced by one other, not {len(gone)} by {len(come)}"
        raise InvalidInput(message, field="devices")
    [old], [new] = gone, come
    if old.device == new.device:
        message = f"device 0x{new.device.hex()} cannot take its own place"
        raise InvalidInput(message, field="devices")
    if new.from_epoch != first:
        message = f"the new device is pledged from epoch {new.from_epoch}, the pledge from {first}"
        raise InvalidInput(message, field="from_epoch")
    devices = [d.device for d in replacement.devices]
    if devices != sorted(devices):
        raise InvalidInput("devices: ascending by hash, each once", field="devices")
    cards = {d.device: d.card for p in roster.replacements for d in p.devices}
    cards |= {d.device: d.card for d in terms.pledge}
    if cards.get(new.device, new.card) != new.card:
        message = f"slice 0x{new.device.hex()} was pledged as of another card"
        raise InvalidInput(message, field="devices")
    if (new.device == new.card) != (terms.profile is None):
        kind = "a whole card" if terms.profile is None else f"a slice {terms.profile} of a card"
        raise InvalidInput(f"the new device is to be {kind}, like the others", field="devices")
    check_pledge_parts(terms, replacement.devices)
    return old, new


def replaced(roster: Roster, *, old: Bytes32, new: PledgedDevice, number: int) -> Pledge:
    """The pledge that puts a device in another's place, from the epoch of the new one on.

    Args:    number: of the approval that it would be given.
    Raises:  InvalidInput as `check_replacement`, and where the old device is not pledged then.
    """
    pledge = roster.pledge(new.from_epoch)
    rest = [d for d in pledge if d.device != old]
    if len(rest) == len(pledge):
        message = f"device 0x{old.hex()} is not pledged in epoch {new.from_epoch}"
        raise InvalidInput(message, field="old")
    devices = tuple(sorted((*rest, new), key=lambda d: d.device))
    replacement = Pledge(number, new.from_epoch, devices)
    check_replacement(roster, replacement)
    return replacement
