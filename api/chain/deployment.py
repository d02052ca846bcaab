"""The deployment file: where the contracts are, and whether they are what was deployed."""

from dataclasses import dataclass
from pathlib import Path

from api.chain.calldata import checksum
from api.chain.client import ChainClient
from api.domain.hashing import keccak
from api.domain.json_text import as_integer, as_object, as_text, read_json
from api.domain.units import Address
from api.errors import Misconfigured

CONTRACTS = (
    "AccessManager",
    "SettlementToken",
    "FacilityRegistry",
    "AttesterRegistry",
    "PledgeRegistry",
    "StatementRegistry",
    "TrancheToken",
    "InvestorRegistry",
    "RentLockbox",
    "PrimarySale",
    "BondVault",
    "DeliveryDesk",
    "WalletDesk",
    "AttesterDesk",
    "RefundDesk",
)


@dataclass(frozen=True)
class Deployment:
    """Addresses and code hashes by contract name."""

    chain_id: int
    start_block: int
    addresses: dict[str, Address]
    code_hashes: dict[str, bytes]
    document: bytes

    @property
    def facility_registry(self) -> Address:
        """Address of FacilityRegistry."""
        return self.addresses["FacilityRegistry"]

    @property
    def attester_registry(self) -> Address:
        """Address of AttesterRegistry."""
        return self.addresses["AttesterRegistry"]

    @property
    def pledge_registry(self) -> Address:
        """Address of PledgeRegistry."""
        return self.addresses["PledgeRegistry"]

    @property
    def statement_registry(self) -> Address:
        """Address of StatementRegistry."""
        return self.addresses["StatementRegistry"]

    @property
    def tranche_token(self) -> Address:
        """Address of TrancheToken."""
        return self.addresses["TrancheToken"]

    @property
    def rent_lockbox(self) -> Address:
        """Address of RentLockbox."""
        return self.addresses["RentLockbox"]

    @property
    def investor_registry(self) -> Address:
        """Address of InvestorRegistry."""
        return self.addresses["InvestorRegistry"]

    @property
    def primary_sale(self) -> Address:
        """Address of PrimarySale."""
        return self.addresses["PrimarySale"]

    @property
    def bond_vault(self) -> Address:
        """Address of BondVault."""
        return self.addresses["BondVault"]

    @property
    def delivery_desk(self) -> Address:
        """Address of DeliveryDesk."""
        return self.addresses["DeliveryDesk"]

    @property
    def wallet_desk(self) -> Address:
        """Address of WalletDesk."""
        return self.addresses["WalletDesk"]

    @property
    def attester_desk(self) -> Address:
        """Address of AttesterDesk."""
        return self.addresses["AttesterDesk"]

    @property
    def refund_desk(self) -> Address:
        """Address of RefundDesk."""
        return self.addresses["RefundDesk"]

    @property
    def settlement_token(self) -> Address:
        """Address of the settlement token."""
        return self.addresses["SettlementToken"]


def parse_deployment(document: bytes) -> Deployment:
    """Read the bytes of a deployment file. Raises Misconfigured."""
    try:
        content = as_object(read_json(document))
        named = as_object(content["contracts"])
        contracts = {name: as_object(named[name]) for name in CONTRACTS}
        return Deployment(
            as_integer(content["chainId"]),
            as_integer(content["startBlock"]),
            {name: checksum(as_text(of["address"])) for name, of in contracts.items()},
            {name: bytes.fromhex(as_text(of["codeHash"])[2:]) for name, of in contracts.items()},
            document,
        )
    except (ValueError, LookupError, TypeError, ArithmeticError) as error:
        raise Misconfigured(f"the deployment file is not readable: {error!r}") from error


def load_deployment(path: Path) -> Deployment | None:
    """Deployment of a file, or None if there is none yet. Raises Misconfigured."""
    return parse_deployment(path.read_bytes()) if path.exists() else None


def code_problems(client: ChainClient, deployment: Deployment) -> list[str]:
    """What differs between the deployment file and the chain; empty if nothing."""
    # On another chain every address would differ too: one sentence says it better than ten.
    if client.chain_id() != deployment.chain_id:
        return [f"the node is chain {client.chain_id()}, the deployment {deployment.chain_id}"]
    problems = []
    for name, address in deployment.addresses.items():
        code = client.code(address)
        if not code:
            problems.append(f"{name}: no contract at {address}")
        elif keccak(code) != deployment.code_hashes[name]:
            problems.append(f"{name}: other bytecode at {address} than was deployed")
    return problems
