"""Attesters' bonds: what a fault costs. Model of `AttesterBonds`; operators' bonds: `closing`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Slash:
    """What one fault takes of an attester: `to_challenger + to_treasury == taken`."""

    taken: int
    to_challenger: int
    to_treasury: int


def slash(*, held: int, slash_amount: int) -> Slash:
    """One fault of one attester: half, rounded down, to the challenger."""
    taken = min(held, slash_amount)
    return Slash(taken, taken // 2, taken - taken // 2)
