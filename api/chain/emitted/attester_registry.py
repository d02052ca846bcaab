"""Events of AttesterRegistry."""

from dataclasses import dataclass
from typing import Annotated

from api.chain.emitted.args import EventArgs
from api.domain.units import Address, Bytes32, Epoch, FacilityId, Micros


@dataclass(frozen=True, slots=True)
class AttesterPeriodSet(EventArgs):
    """Signatures count while `active_from_s <= block time < active_until_s`."""

    attester: Annotated[Address, "indexed"]
    active_from_s: Annotated[int, "uint40"]
    active_until_s: Annotated[int, "uint40"]


@dataclass(frozen=True, slots=True)
class PanelSet(EventArgs):
    """From `from_s` on these accounts, in ascending order, have the seats of a panel."""

    panel: Annotated[int, "uint8 indexed"]
    attesters: tuple[Address, ...]
    threshold: Annotated[int, "uint8"]
    from_s: Annotated[int, "uint40"]


@dataclass(frozen=True, slots=True)
class AttesterUrlSet(EventArgs):
    """An attester says where its verdicts and refusals are found; empty for nowhere."""

    attester: Annotated[Address, "indexed"]
    url: str


@dataclass(frozen=True, slots=True)
class AttesterBondDeposited(EventArgs):
    """An attester's bond grew to `bond_micros`."""

    attester: Annotated[Address, "indexed"]
    payer: Annotated[Address, "indexed"]
    amount_micros: Annotated[Micros, "uint256"]
    bond_micros: Annotated[Micros, "uint256"]


@dataclass(frozen=True, slots=True)
class AttesterBondWithdrawn(EventArgs):
    """An attester that has left took its whole bond back."""

    attester: Annotated[Address, "indexed"]
    to: Annotated[Address, "indexed"]
    amount_micros: Annotated[Micros, "uint256"]


@dataclass(frozen=True, slots=True)
class AttesterSlashed(EventArgs):
    """An attester lost bond for a statement; `challenger_amount_micros` of it to the challenger."""

    attester: Annotated[Address, "indexed"]
    facility_id: Annotated[FacilityId, "uint64 indexed"]
    statement_hash: Annotated[Bytes32, "indexed"]
    challenger: Address
    amount_micros: Annotated[Micros, "uint256"]
    challenger_amount_micros: Annotated[Micros, "uint256"]


@dataclass(frozen=True, slots=True)
class SlashedTaken(EventArgs):
    """The treasury took what attesters lost."""

    to: Annotated[Address, "indexed"]
    amount_micros: Annotated[Micros, "uint256"]


@dataclass(frozen=True, slots=True)
class SignedFaultProven(EventArgs):
    """A fault was proven of a statement that is signed, and not or no longer posted."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    epoch: Annotated[Epoch, "uint32 indexed"]
    statement_hash: Annotated[Bytes32, "indexed"]
    fault: Annotated[int, "uint8"]
    challenger: Address
