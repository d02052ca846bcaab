"""Deploys the contracts with brownie: `tools/brownie run deploy --network rentroll`.

Reads the environment (see `Plan.from_environment`), writes one deployment file with addresses,
constructor arguments, ABI and code hashes. A second run continues where the first one stopped.
Signs with the unlocked first account of the node, or with the key in RENTROLL_DEPLOYER_KEY_FILE.
"""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brownie import Contract, accounts, chain, network, web3
from brownie import project as brownie_project

GOVERNANCE, GPU_OPERATOR, TREASURY, PAUSER = 1, 2, 3, 4
ADMIN = 0
ROLE_FUNCTIONS: dict[str, dict[int, tuple[str, ...]]] = {
    "FacilityRegistry": {
        GOVERNANCE: (
            "link(address,address,address)",
            "setSettlementToken(address,bool)",
        ),
        GPU_OPERATOR: (
            "offer(uint64,(address,address,bytes32,bytes32,uint64,uint64,uint32,uint32,uint32,"
            "uint16,bytes32,bytes32),(uint40,uint64)[])",
        ),
    },
    "StatementRegistry": {
        GOVERNANCE: ("setAttester(address,bool)", "setThreshold(uint8)", "unpause()"),
        PAUSER: ("pause()",),
    },
    "TrancheToken": {
        GOVERNANCE: ("setRevenueSource(address,bool)", "unpause()"),
        PAUSER: ("pause()",),
    },
    "RentLockbox": {TREASURY: ("takeFees(address,address)",)},
}


def _addresses(name: str) -> tuple[str, ...]:
    return tuple(a.strip() for a in os.environ.get(name, "").split(",") if a.strip())


@dataclass(frozen=True)
class Plan:
    """What to deploy, from the environment."""

    deployment_file: Path
    settlement_token: str | None
    attesters: tuple[str, ...]
    threshold: int
    gpu_operators: tuple[str, ...]
    challenge_window_s: int
    admin: str | None
    base_uri: str

    @classmethod
    def from_environment(cls) -> "Plan":
        """Read RENTROLL_* variables; the defaults suit a local chain."""
        attesters = _addresses("RENTROLL_ATTESTERS")
        default_threshold = len(attesters) // 2 + 1 if attesters else 0
        return cls(
            Path(os.environ.get("RENTROLL_DEPLOYMENT_FILE", "var/deployment.json")),
            os.environ.get("RENTROLL_SETTLEMENT_TOKEN") or None,
            attesters,
            int(os.environ.get("RENTROLL_THRESHOLD", str(default_threshold))),
            _addresses("RENTROLL_OPERATORS"),
            int(os.environ.get("RENTROLL_CHALLENGE_WINDOW_S", "86400")),
            os.environ.get("RENTROLL_ADMIN") or None,
            os.environ.get("RENTROLL_BASE_URI", "/v1/tranches/{id}.json"),
        )


class Deployer:
    """Deploys what the deployment file does not name yet, and remembers each contract at once."""

    def __init__(self, plan: Plan, contracts: Any, sender: Any) -> None:
        self.plan = plan
        self.contracts = contracts
        self.sender = {"from": sender}
        self.document: dict[str, Any] = {
            "chainId": int(chain.id),
            "startBlock": int(web3.eth.block_number),
            "challengeWindowS": plan.challenge_window_s,
            "contracts": {},
        }
        if plan.deployment_file.exists():
            found = json.loads(plan.deployment_file.read_text())
            if found["chainId"] == chain.id and self._alive(found):
                self.document = found

    @staticmethod
    def _alive(document: dict[str, Any]) -> bool:
        """Whether every named contract still has code: a fresh local chain has none."""
        named = document["contracts"].values()
        return all(len(web3.eth.get_code(c["address"])) > 0 for c in named)

    def save(self) -> None:
        """Write the deployment file whole or not at all."""
        target = self.plan.deployment_file
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_suffix(".partial")
        partial.write_text(json.dumps(self.document, indent=2, sort_keys=True) + "\n")
        partial.replace(target)

    def deploy(self, name: str, artifact: str, *arguments: Any) -> Any:
        """The contract `name`: as recorded, or deployed now."""
        container = getattr(self.contracts, artifact)
        recorded = self.document["contracts"].get(name)
        if recorded is not None:
            return self._at(artifact, recorded["address"])
        contract = container.deploy(*arguments, self.sender)
        self._record(name, contract, arguments)
        return contract

    def adopt(self, name: str, artifact: str, address: str) -> Any:
        """Record a contract that others deployed."""
        contract = self._at(artifact, address)
        if name not in self.document["contracts"]:
            self._record(name, contract, ())
        return contract

    def _at(self, artifact: str, address: str) -> Any:
        # `container.at` raises in brownie 1.22 on live networks; an unpersisted Contract does not.
        abi = getattr(self.contracts, artifact).abi
        return Contract.from_abi(artifact, address, abi, persist=False)

    def _record(self, name: str, contract: Any, arguments: tuple[Any, ...]) -> None:
        abi = json.dumps(contract.abi, sort_keys=True, separators=(",", ":"))
        self.document["contracts"][name] = {
            "address": str(contract.address),
            "abiHash": web3.keccak(text=abi).to_0x_hex(),
            "codeHash": web3.keccak(web3.eth.get_code(contract.address)).to_0x_hex(),
            "constructorArguments": [str(a) for a in arguments],
            "block": int(web3.eth.block_number),
        }
        self.save()

    def ensure(self, done: bool, action: Callable[..., Any], *arguments: Any) -> None:
        """Send a transaction unless its effect is already there."""
        if not done:
            action(*arguments, self.sender)


def _grant_roles(deployer: Deployer, authority: Any, contracts: dict[str, Any]) -> None:
    sender = deployer.sender["from"]
    for name, roles in ROLE_FUNCTIONS.items():
        target = contracts[name].address
        for role, signatures in roles.items():
            selectors = [bytes(web3.keccak(text=s)[:4]) for s in signatures]
            missing = [s for s in selectors if authority.getTargetFunctionRole(target, s) != role]
            deployer.ensure(not missing, authority.setTargetFunctionRole, target, missing, role)
    holders = [(GOVERNANCE, sender), (TREASURY, sender), (PAUSER, sender)]
    holders += [(GPU_OPERATOR, a) for a in deployer.plan.gpu_operators]
    for role, account in holders:
        deployer.ensure(authority.hasRole(role, account)[0], authority.grantRole, role, account, 0)


def _configure(deployer: Deployer, contracts: dict[str, Any]) -> None:
    plan = deployer.plan
    facilities, statements = contracts["FacilityRegistry"], contracts["StatementRegistry"]
    token, lockbox = contracts["TrancheToken"], contracts["RentLockbox"]
    linked = int(facilities.trancheToken(), 16) != 0
    links = (statements.address, token.address, lockbox.address)
    deployer.ensure(linked, facilities.link, *links)
    settlement = contracts["SettlementToken"].address
    allowed = facilities.isSettlementToken(settlement)
    deployer.ensure(allowed, facilities.setSettlementToken, settlement, True)
    source = token.isRevenueSource(lockbox.address)
    deployer.ensure(source, token.setRevenueSource, lockbox.address, True)
    for attester in plan.attesters:
        member = statements.isAttester(attester)
        deployer.ensure(member, statements.setAttester, attester, True)
    if plan.threshold:
        reached = statements.threshold() == plan.threshold
        deployer.ensure(reached, statements.setThreshold, plan.threshold)


def _hand_over(deployer: Deployer, authority: Any) -> None:
    """Give every role of the deployer to the configured admin; the deployer keeps none."""
    admin, sender = deployer.plan.admin, deployer.sender["from"]
    if admin is None or admin == sender:
        return
    for role in (GOVERNANCE, TREASURY, PAUSER, ADMIN):
        deployer.ensure(authority.hasRole(role, admin)[0], authority.grantRole, role, admin, 0)
        held = authority.hasRole(role, sender)[0]
        deployer.ensure(not held, authority.renounceRole, role, sender)


def deploy_all(plan: Plan, contracts: Any, sender: Any) -> dict[str, Any]:
    """Deploy and configure everything; returns the contracts by name."""
    deployer = Deployer(plan, contracts, sender)
    authority = deployer.deploy("AccessManager", "Authority", sender)
    if plan.settlement_token is None:
        settlement = deployer.deploy("SettlementToken", "MockStablecoin")
    else:
        settlement = deployer.adopt("SettlementToken", "MockStablecoin", plan.settlement_token)
    facilities = deployer.deploy("FacilityRegistry", "FacilityRegistry", authority)
    statements = deployer.deploy(
        "StatementRegistry", "StatementRegistry", authority, facilities, plan.challenge_window_s
    )
    token = deployer.deploy("TrancheToken", "TrancheToken", authority, facilities, plan.base_uri)
    lockbox = deployer.deploy(
        "RentLockbox", "RentLockbox", authority, facilities, statements, token
    )
    deployed = {
        "SettlementToken": settlement,
        "FacilityRegistry": facilities,
        "StatementRegistry": statements,
        "TrancheToken": token,
        "RentLockbox": lockbox,
    }
    if authority.hasRole(ADMIN, sender)[0]:
        _grant_roles(deployer, authority, deployed)
        _configure(deployer, deployed)
        _hand_over(deployer, authority)
    deployer.save()
    return deployed


def main() -> None:
    """Entry point of `brownie run`."""
    key_file = os.environ.get("RENTROLL_DEPLOYER_KEY_FILE")
    sender = accounts.add(Path(key_file).read_text().strip()) if key_file else accounts[0]
    network.max_fee("100 gwei")
    plan = Plan.from_environment()
    contracts = brownie_project.get_loaded_projects()[0]
    deployed = deploy_all(plan, contracts, sender)
    for name, contract in deployed.items():
        print(f"{name:20} {contract.address}")
    print(f"deployment written to {plan.deployment_file}")
