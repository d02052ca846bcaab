"""Events of WalletDesk: who may act for a wallet. What moves then is logged where it moves."""

from dataclasses import dataclass
from typing import Annotated

from api.chain.emitted.args import EventArgs
from api.domain.units import Address


@dataclass(frozen=True, slots=True)
class RecoveryProposed(EventArgs):
    """A wallet is said to be lost; `to` would get everything of it."""

    wallet: Annotated[Address, "indexed"]
    to: Annotated[Address, "indexed"]
    number: Annotated[int, "uint256 indexed"]
    proposer: Address


@dataclass(frozen=True, slots=True)
class BeneficiaryProposed(EventArgs):
    """A contract is said to be unable to claim; `to` would get its money."""

    wallet: Annotated[Address, "indexed"]
    to: Annotated[Address, "indexed"]
    number: Annotated[int, "uint256 indexed"]
    proposer: Address


@dataclass(frozen=True, slots=True)
class ProposalConfirmed(EventArgs):
    """A second role confirmed a proposal; it waits."""

    wallet: Annotated[Address, "indexed"]
    number: Annotated[int, "uint256 indexed"]
    confirmer: Address
    opens_at_s: Annotated[int, "uint64"]
    closes_at_s: Annotated[int, "uint64"]


@dataclass(frozen=True, slots=True)
class ProposalVoided(EventArgs):
    """The wallet acted or cancelled."""

    wallet: Annotated[Address, "indexed"]
    number: Annotated[int, "uint256 indexed"]


@dataclass(frozen=True, slots=True)
class ProposalRejected(EventArgs):
    """A proposal was taken back."""

    wallet: Annotated[Address, "indexed"]
    number: Annotated[int, "uint256 indexed"]
    by: Address


@dataclass(frozen=True, slots=True)
class WalletRecovered(EventArgs):
    """Everything of a lost wallet is the new wallet's from now on."""

    wallet: Annotated[Address, "indexed"]
    to: Annotated[Address, "indexed"]
    number: Annotated[int, "uint256 indexed"]


@dataclass(frozen=True, slots=True)
class BeneficiaryNamed(EventArgs):
    """Money of a contract goes to `to` from now on."""

    wallet: Annotated[Address, "indexed"]
    to: Annotated[Address, "indexed"]
    number: Annotated[int, "uint256 indexed"]


@dataclass(frozen=True, slots=True)
class BeneficiaryRemoved(EventArgs):
    """A contract has no beneficiary any more."""

    wallet: Annotated[Address, "indexed"]
    to: Annotated[Address, "indexed"]
