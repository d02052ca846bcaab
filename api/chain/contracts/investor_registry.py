"""InvestorRegistry: who may hold, send and receive units."""

from dataclasses import dataclass
from typing import Annotated

from api.chain.contracts.call import Call, Contract, View


@dataclass(frozen=True, slots=True)
class Investor:
    """`IInvestorRegistry.Investor`. expires_at_s: 0 is no entry.  country: ISO 3166-1 numeric."""

    expires_at_s: Annotated[int, "uint64"]
    country: Annotated[int, "uint16"]
    can_send: bool
    can_receive: bool


class InvestorRegistry(Contract):
    """View functions of InvestorRegistry."""

    name = "InvestorRegistry"
    _can_send = View("canSend", ("address",), bool)
    _can_receive = View("canReceive", ("address",), bool)
    _investor_of = View("investorOf", ("address",), Investor)

    def can_send(self, account: str) -> Call[bool]:
        """Whether units may leave an account."""
        return self._call(self._can_send, account)

    def can_receive(self, account: str) -> Call[bool]:
        """Whether units may reach an account."""
        return self._call(self._can_receive, account)

    def investor_of(self, account: str) -> Call[Investor]:
        """Entry of an account, expired or not."""
        return self._call(self._investor_of, account)
