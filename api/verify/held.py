"""Verify: what a contract holds of a settlement token covers what it owes."""

from collections.abc import Mapping

from api.chain.contracts import Contracts
from api.chain.contracts.settlement_token import SettlementToken
from api.domain.units import Address
from api.verify.findings import Finding, Report


def require_held(
    contracts: Contracts, owed: Mapping[tuple[str, str], int], *, head: int, report: Report
) -> None:
    """Report contracts that hold less than they owe, by token and contract."""
    for (token, account), due in sorted(owed.items()):
        money = SettlementToken(contracts.client, Address(token))
        balance = money.balance_micros(account).at(block=head)
        # Anybody can send a contract money: more than it owes is no fault.
        if balance < due:
            name = next((n for n, a in contracts.deployment.addresses.items() if a == account), "")
            message = f"{name} {account} holds {balance} micros of {token} and owes {due}"
            report(Finding(message.strip(), code="balance"))
