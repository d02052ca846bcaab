"""AttesterRegistry: attesters, their bonds, and the panels that sign for facilities."""

from dataclasses import dataclass
from typing import Annotated

from api.chain.contracts.call import Call, Contract, View
from api.domain.units import Address, Micros


@dataclass(frozen=True, slots=True)
class Seats:
    """Accounts in the seats of a panel in one block, lower-case, and how many must sign."""

    attesters: tuple[Address, ...]
    threshold: Annotated[int, "uint8"]


@dataclass(frozen=True, slots=True)
class Period:
    """From and until when an account is an attester, UTC seconds; both 0 for a stranger."""

    active_from_s: Annotated[int, "uint40"]
    active_until_s: Annotated[int, "uint40"]


class AttesterRegistry(Contract):
    """View functions of AttesterRegistry."""

    name = "AttesterRegistry"
    _panel_of = View("panelOf", ("uint8",), Seats, several=True)
    _panel_count = View("panelCount", (), int, "uint8")
    _period_of = View("attesterPeriodOf", ("address",), Period, several=True)
    _is_attester = View("isAttester", ("address",), bool)
    _bond_of = View("bondOf", ("address",), Micros, "uint256")
    _bond_token = View("bondToken", (), Address)
    _minimum_bond = View("minimumBond", (), Micros, "uint96")
    _slash_amount = View("slashAmount", (), Micros, "uint96")
    _slashed_for_treasury = View("slashedForTreasury", (), Micros, "uint256")
    _url_of = View("urlOf", ("address",), str)
    _owed_to = View("owedTo", ("address", "address"), Micros, "uint256")

    def panel_of(self, panel: int) -> Call[Seats]:
        """Seats of a panel. The contract refuses a number that no panel has."""
        return self._call(self._panel_of, panel)

    def panel_count(self) -> Call[int]:
        """Number of panels, which are numbered from 1."""
        return self._call(self._panel_count)

    def period_of(self, account: str) -> Call[Period]:
        """From and until when an account is an attester."""
        return self._call(self._period_of, account)

    def is_attester(self, account: str) -> Call[bool]:
        """Whether signatures of an account count: an active member with the least bond."""
        return self._call(self._is_attester, account)

    def bond_micros(self, attester: str) -> Call[Micros]:
        """Bond of an attester."""
        return self._call(self._bond_of, attester)

    def bond_token(self) -> Call[Address]:
        """Token of all bonds."""
        return self._call(self._bond_token)

    def minimum_bond_micros(self) -> Call[Micros]:
        """Least bond of an attester whose signatures count; it never changes."""
        return self._call(self._minimum_bond)

    def slash_amount_micros(self) -> Call[Micros]:
        """What a faulty statement costs each signer; it never changes."""
        return self._call(self._slash_amount)

    def slashed_for_treasury_micros(self) -> Call[Micros]:
        """What attesters lost and the treasury has not taken."""
        return self._call(self._slashed_for_treasury)

    def url_of(self, attester: str) -> Call[str]:
        """Where an attester's refusals are found; empty for nowhere."""
        return self._call(self._url_of, attester)

    def owed_micros(self, *, token: str, account: str) -> Call[Micros]:
        """What an account may withdraw of a token: a challenger's share."""
        return self._call(self._owed_to, token, account)
