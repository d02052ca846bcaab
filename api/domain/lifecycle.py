"""States of a facility."""

from enum import IntEnum


class FacilityState(IntEnum):
    """`IFacilityRegistry.FacilityState`; 0 is registered here and not offered on-chain."""

    REGISTERED = 0
    OFFERED = 1
    FUNDED = 2
    DELIVERING = 3
    MATURED = 4
    CANCELLED = 5
    DEFAULTED = 6

    @property
    def word(self) -> str:
        """Name in JSON."""
        return self.name.lower()


STATES = tuple(state.word for state in FacilityState)
