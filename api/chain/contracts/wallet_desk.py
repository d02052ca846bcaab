"""WalletDesk: recovery of lost wallets, and who gets money of contracts that cannot claim."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated

from api.chain.contracts.call import Call, Contract, View
from api.domain.units import Address


class ProposalKind(IntEnum):
    """`IWalletProposals.Kind`. NONE: nothing is proposed, or nothing any more."""

    NONE = 0
    RECOVERY = 1
    BENEFICIARY = 2


@dataclass(frozen=True, slots=True)
class Proposal:
    """`IWalletProposals.Proposal`: what was last proposed for a wallet; times are 0 for never."""

    kind: ProposalKind
    to: Address
    number: Annotated[int, "uint56"]
    proposer: Address
    proposed_at_s: Annotated[int, "uint40"]
    confirmed_at_s: Annotated[int, "uint40"]
    acted_at_s: Annotated[int, "uint40"]


@dataclass(frozen=True, slots=True)
class ProposalHours:
    """When a proposal can be executed. opens_at_s: 0 before it is confirmed."""

    opens_at_s: Annotated[int, "uint64"]
    closes_at_s: Annotated[int, "uint64"]


class WalletDesk(Contract):
    """View functions of WalletDesk."""

    name = "WalletDesk"
    _proposal_of = View("proposalOf", ("address",), Proposal)
    _hours_of = View("hoursOf", ("address",), ProposalHours, several=True)
    _successor_of = View("successorOf", ("address",), Address)
    _beneficiary_of = View("beneficiaryOf", ("address",), Address)

    def proposal_of(self, wallet: str) -> Call[Proposal]:
        """What was last proposed for a wallet."""
        return self._call(self._proposal_of, wallet)

    def hours_of(self, wallet: str) -> Call[ProposalHours]:
        """When what is proposed opens and lapses."""
        return self._call(self._hours_of, wallet)

    def successor_of(self, wallet: str) -> Call[Address]:
        """The wallet that a lost wallet was recovered to; the zero address for none."""
        return self._call(self._successor_of, wallet)

    def beneficiary_of(self, wallet: str) -> Call[Address]:
        """Who gets the money of a contract; the zero address for none."""
        return self._call(self._beneficiary_of, wallet)
