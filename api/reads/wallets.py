"""What is proposed for a wallet that is said to be lost, and which wallets it took over."""

from collections.abc import Sequence
from dataclasses import dataclass

from api.chain.calldata import checksum
from api.chain.contracts import Contracts
from api.chain.contracts.call import Call
from api.chain.contracts.wallet_desk import Proposal, ProposalHours, ProposalKind
from api.domain.units import ZERO_ADDRESS, Address


@dataclass(frozen=True, slots=True)
class ProposalView:
    """A pending proposal. opens_at_s: None before a second role confirmed it."""

    number: str
    kind: str
    to: str
    proposed_at_s: int
    opens_at_s: int | None
    closes_at_s: int


@dataclass(frozen=True, slots=True)
class WalletView:
    """What the WalletDesk says of a wallet. recovered_from: lost wallets, oldest first."""

    proposal: ProposalView | None = None
    recovered_to: str | None = None
    recovered_from: tuple[str, ...] = ()


# What was last proposed, when it opens and lapses, and the wallet that took this one over.
StoredWallet = tuple[Proposal, ProposalHours, Address]


def asked_wallet(contracts: Contracts, account: str) -> Call[StoredWallet]:
    """What the WalletDesk stores of an account."""
    desk = contracts.wallet_desk
    return contracts.together(
        desk.proposal_of(account), desk.hours_of(account), desk.successor_of(account)
    )


def wallet_view(stored: StoredWallet, lost: Sequence[Address], *, now_s: int) -> WalletView:
    """What holds of a wallet at a time; a proposal that lapsed is none."""
    proposal, hours, successor = stored
    pending = proposal.kind is not ProposalKind.NONE and now_s < hours.closes_at_s
    return WalletView(
        proposal=_proposal(proposal, hours) if pending else None,
        recovered_to=None if successor == ZERO_ADDRESS else checksum(successor),
        recovered_from=tuple(checksum(wallet) for wallet in lost),
    )


def _proposal(proposal: Proposal, hours: ProposalHours) -> ProposalView:
    return ProposalView(
        number=str(proposal.number),
        kind=proposal.kind.name.lower(),
        to=checksum(proposal.to),
        proposed_at_s=proposal.proposed_at_s,
        opens_at_s=hours.opens_at_s or None,
        closes_at_s=hours.closes_at_s,
    )
