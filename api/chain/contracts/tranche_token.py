"""TrancheToken: units, and the revenue that streams to them."""

from dataclasses import dataclass
from typing import Annotated

from api.chain.contracts.call import Call, Contract, View
from api.domain.capital.accumulator import Position, Stream
from api.domain.units import Address, Micros, TrancheId


@dataclass(frozen=True, slots=True)
class Tranche:
    """`ITrancheToken.Tranche`: revenue per unit and what still streams, in 24 fractional bits."""

    acc_x24: Annotated[int, "uint72"]
    pending_x24: Annotated[int, "uint88"]
    stream_end_s: Annotated[int, "uint32"]
    stream_span_s: Annotated[int, "uint24"]
    supply: Annotated[int, "uint40"]

    def stream(self) -> Stream:
        """The same in the reference model's words."""
        return Stream(
            self.acc_x24, self.pending_x24, self.stream_end_s, self.stream_span_s, self.supply
        )


@dataclass(frozen=True, slots=True)
class UnitPosition:
    """`ITrancheToken.Position`. flags, settlement: only the contract itself uses them."""

    acc_paid_x24: Annotated[int, "uint72"]
    owed_x24: Annotated[int, "uint96"]
    units: Annotated[int, "uint40"]
    flags: Annotated[int, "uint8"]
    settlement: Annotated[int, "uint40"]

    def position(self) -> Position:
        """The same in the reference model's words."""
        return Position(self.acc_paid_x24, self.owed_x24, self.units)


class TrancheToken(Contract):
    """View functions of TrancheToken."""

    name = "TrancheToken"
    _claimable = View("claimable", ("address", "uint256"), Micros, "uint256")
    _unvested = View("unvested", ("uint256",), Micros, "uint256")
    _total_supply = View("totalSupply", ("uint256",), int, "uint256")
    _frozen = View("getFrozenTokens", ("address", "uint256"), int, "uint256")
    _investor_registry = View("investorRegistry", (), Address)
    _tranche_of = View("trancheOf", ("uint256",), Tranche)
    _position_of = View("positionOf", ("address", "uint256"), UnitPosition)

    def claimable_micros(self, account: str, token_id: TrancheId) -> Call[Micros]:
        """What a claim would pay, rounded down."""
        return self._call(self._claimable, account, token_id)

    def unvested_micros(self, token_id: TrancheId) -> Call[Micros]:
        """Revenue of a tranche that has not vested yet, rounded up."""
        return self._call(self._unvested, token_id)

    def total_supply(self, token_id: TrancheId) -> Call[int]:
        """Units that exist."""
        return self._call(self._total_supply, token_id)

    def frozen_units(self, account: str, token_id: TrancheId) -> Call[int]:
        """Units that may not move; may exceed those held (ERC-7943)."""
        return self._call(self._frozen, account, token_id)

    def investor_registry(self) -> Call[Address]:
        """The registry that the token asks about holders; the zero address if it asks none."""
        return self._call(self._investor_registry)

    def tranche_of(self, token_id: TrancheId) -> Call[Tranche]:
        """Stream and supply of a tranche."""
        return self._call(self._tranche_of, token_id)

    def position_of(self, account: str, token_id: TrancheId) -> Call[UnitPosition]:
        """Units of an account, and the revenue that they are owed."""
        return self._call(self._position_of, account, token_id)
