"""Which contracts belong together, as they store it: one that is trusted names the rest."""

from dataclasses import replace

from api.chain.calldata import checksum
from api.chain.client import ChainClient
from api.chain.contracts.call import Contract, View
from api.chain.deployment import CONTRACTS, Deployment
from api.chain.events import contract_names
from api.domain.hashing import keccak
from api.domain.units import ZERO_ADDRESS, Address
from api.errors import ChainRejected, Misconfigured

# Contract that stores a link, name of its view function, contract that it names. The registry comes
# first: what it names is asked next.
LINKS = (
    ("StatementRegistry", "facilityRegistry", "FacilityRegistry"),
    ("FacilityRegistry", "statementRegistry", "StatementRegistry"),
    ("FacilityRegistry", "trancheToken", "TrancheToken"),
    ("FacilityRegistry", "rentLockbox", "RentLockbox"),
    ("FacilityRegistry", "primarySale", "PrimarySale"),
    ("FacilityRegistry", "bondVault", "BondVault"),
    ("FacilityRegistry", "deliveryDesk", "DeliveryDesk"),
    ("FacilityRegistry", "attesterRegistry", "AttesterRegistry"),
    ("FacilityRegistry", "pledgeRegistry", "PledgeRegistry"),
    ("FacilityRegistry", "attesterDesk", "AttesterDesk"),
    ("FacilityRegistry", "refundDesk", "RefundDesk"),
    ("StatementRegistry", "attesterRegistry", "AttesterRegistry"),
    ("AttesterRegistry", "facilityRegistry", "FacilityRegistry"),
    ("PledgeRegistry", "facilityRegistry", "FacilityRegistry"),
    ("TrancheToken", "facilityRegistry", "FacilityRegistry"),
    ("TrancheToken", "walletDesk", "WalletDesk"),
    ("RentLockbox", "facilityRegistry", "FacilityRegistry"),
    ("RentLockbox", "statementRegistry", "StatementRegistry"),
    ("RentLockbox", "trancheToken", "TrancheToken"),
    ("PrimarySale", "facilityRegistry", "FacilityRegistry"),
    ("BondVault", "facilityRegistry", "FacilityRegistry"),
    ("DeliveryDesk", "facilityRegistry", "FacilityRegistry"),
    ("WalletDesk", "facilityRegistry", "FacilityRegistry"),
    ("AttesterDesk", "facilityRegistry", "FacilityRegistry"),
    ("RefundDesk", "facilityRegistry", "FacilityRegistry"),
    ("StatementRegistry", "authority", "AccessManager"),
    ("FacilityRegistry", "authority", "AccessManager"),
    ("AttesterRegistry", "authority", "AccessManager"),
    ("TrancheToken", "authority", "AccessManager"),
    ("InvestorRegistry", "authority", "AccessManager"),
    ("WalletDesk", "authority", "AccessManager"),
    ("AttesterDesk", "authority", "AccessManager"),
)


class Peer(Contract):
    """A contract that names another one."""

    def __init__(self, client: ChainClient, name: str, address: Address) -> None:
        super().__init__(client, address)
        # `Contract` names the class of a contract; this one stands for any.
        self.name = name  # type: ignore[misc]

    def link(self, function: str, *, block: int) -> Address:
        """What one of its links holds at a block. Raises ChainRejected."""
        return self._call(View(function, (), Address)).at(block=block)


def linked_deployment(client: ChainClient, registry: Address) -> Deployment:
    """The contracts of a StatementRegistry that is trusted, from the chain alone.

    Where a token has no allow-list, the zero address stands for one: nobody asks it.
    Raises:  Misconfigured if the registry is none, or its contracts name others than each other;
             ChainUnavailable.
    """
    head = client.head().number
    found = {"StatementRegistry": checksum(registry)}
    try:
        for holder, function, target in LINKS:
            if holder == "InvestorRegistry":
                # Only the token names it, and not every token has one.
                continue
            named = Peer(client, holder, found[holder]).link(function, block=head)
            if found.setdefault(target, checksum(named)).lower() != named.lower():
                said = f"{holder} names {named} as its {function}, not {found[target]}"
                raise Misconfigured(f"{registry} is no StatementRegistry: {said}")
        token = Peer(client, "TrancheToken", found["TrancheToken"])
        found["InvestorRegistry"] = checksum(token.link("investorRegistry", block=head))
        attesters = Peer(client, "AttesterRegistry", found["AttesterRegistry"])
        found["SettlementToken"] = checksum(attesters.link("bondToken", block=head))
    except ChainRejected as error:
        raise Misconfigured(f"{registry} is no StatementRegistry: {error.message}") from error
    addresses = {name: found[name] for name in CONTRACTS}
    codes = client.codes(list(addresses.values()), block=head)
    hashes: dict[str, bytes] = {n: keccak(c) for n, c in zip(addresses, codes, strict=True)}
    known = zip(addresses, codes, strict=True)
    absent = [n for n, code in known if not code and found[n] != ZERO_ADDRESS]
    if absent:
        raise Misconfigured(f"there is no contract where {registry} names {', '.join(absent)}")
    deployment = Deployment(client.chain_id(), 0, addresses, hashes, b"")
    return replace(deployment, start_block=first_code_block(client, deployment, head=head))


def first_code_block(client: ChainClient, deployment: Deployment, *, head: int) -> int:
    """First block with code of one of our contracts; 0 where the node keeps no state of old blocks.

    Before it, no contract can have logged anything. From 0 on a walk is longer, and as complete.
    """
    addresses = list(contract_names(deployment))
    first, last = 0, head
    try:
        while first < last:
            middle = (first + last) // 2
            if any(client.codes(addresses, block=middle)):
                last = middle
            else:
                first = middle + 1
    except ChainRejected:
        # A node that prunes refuses state of old blocks; it has all logs.
        return 0
    return first
