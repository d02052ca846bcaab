"""Events of TrancheToken."""

from dataclasses import dataclass
from typing import Annotated

from api.chain.emitted.args import EventArgs
from api.domain.units import Address, Micros, TrancheId


@dataclass(frozen=True, slots=True)
class RevenueAccrued(EventArgs):
    """Revenue arrived for a tranche. source: the contract that paid it."""

    id: Annotated[TrancheId, "uint256 indexed"]
    source: Annotated[Address, "indexed"]
    amount_micros: Annotated[Micros, "uint256"]
    unvested_micros: Annotated[Micros, "uint256"]
    stream_end_s: Annotated[int, "uint64"]


@dataclass(frozen=True, slots=True)
class RevenueFlowedOn(EventArgs):
    """A tranche could not take revenue: it stayed with source, the contract that paid it."""

    id: Annotated[TrancheId, "uint256 indexed"]
    source: Annotated[Address, "indexed"]
    amount_micros: Annotated[Micros, "uint256"]


@dataclass(frozen=True, slots=True)
class RevenueClaimed(EventArgs):
    """A holder claimed revenue of one tranche."""

    holder: Annotated[Address, "indexed"]
    to: Annotated[Address, "indexed"]
    id: Annotated[TrancheId, "uint256 indexed"]
    amount_micros: Annotated[Micros, "uint256"]


@dataclass(frozen=True, slots=True)
class RevenueClaimedBatch(EventArgs):
    """A holder claimed revenue of none or several tranches."""

    holder: Annotated[Address, "indexed"]
    to: Annotated[Address, "indexed"]
    ids: Annotated[tuple[TrancheId, ...], "uint256[]"]
    amounts_micros: Annotated[tuple[Micros, ...], "uint256[]"]


@dataclass(frozen=True, slots=True)
class TransferSingle(EventArgs):
    """Units of one tranche moved; from zero a mint, to zero a burn. value: units."""

    operator: Annotated[Address, "indexed"]
    from_: Annotated[Address, "indexed"]
    to: Annotated[Address, "indexed"]
    id: Annotated[TrancheId, "uint256"]
    value: Annotated[int, "uint256"]


@dataclass(frozen=True, slots=True)
class TransferBatch(EventArgs):
    """Units of several tranches moved. values: units."""

    operator: Annotated[Address, "indexed"]
    from_: Annotated[Address, "indexed"]
    to: Annotated[Address, "indexed"]
    ids: Annotated[tuple[TrancheId, ...], "uint256[]"]
    values: Annotated[tuple[int, ...], "uint256[]"]
