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

from scripts.roles import ADMIN, GOVERNANCE, GPU_OPERATOR, HANDED_OVER, ROLE_FUNCTIONS, ROLES


def _addresses(name: str) -> tuple[str, ...]:
    return tuple(a.strip() for a in os.environ.get(name, "").split(",") if a.strip())


@dataclass(frozen=True)
class Plan:
    """What to deploy, from the environment.

    admin: multisig that gets every role; None leaves them with the deployer (local chains).
    admin_delay_s: how long the admin's governance, treasury and admin actions wait.
    allow_list: whether units may move only between accounts of InvestorRegistry.
    activation_delay_s, removal_delay_s: how long a change of the attester set waits.
    slash_amount: what a fault costs each attester that signed, minor units.
    """

    deployment_file: Path
    settlement_token: str | None
    attesters: tuple[str, ...]
    threshold: int
    gpu_operators: tuple[str, ...]
    challenge_window_s: int
    admin: str | None
    base_uri: str
    admin_delay_s: int = 0
    allow_list: bool = True
    slash_amount: int = 0
    activation_delay_s: int = 0
    removal_delay_s: int = 0

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
            int(os.environ.get("RENTROLL_ADMIN_DELAY_S", "0")),
            os.environ.get("RENTROLL_ALLOW_LIST", "1") != "0",
            int(os.environ.get("RENTROLL_SLASH_AMOUNT", "0")),
            int(os.environ.get("RENTROLL_ACTIVATION_DELAY_S", "0")),
            int(os.environ.get("RENTROLL_REMOVAL_DELAY_S", "0")),
        )


class Deployer:
    """Deploys what the deployment file does not name yet, and remembers each contract at once.

    `after_step` is called after every transaction (and its record): tests stop there.
    """

    def __init__(
        self, plan: Plan, contracts: Any, sender: Any, after_step: Callable[[], None]
    ) -> None:
        self.plan = plan
        self.contracts = contracts
        self.sender = {"from": sender}
        self._after_step = after_step
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
        self._after_step()
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
            self._after_step()


def functions_of(abi: list[dict[str, Any]]) -> list[tuple[str, bytes, dict[str, Any]]]:
    """Name, selector and ABI entry of every function, overloads apart."""
    found = [entry for entry in abi if entry["type"] == "function"]
    return [(e["name"], bytes(web3.keccak(text=_signature(e))[:4]), e) for e in found]


def _signature(entry: dict[str, Any]) -> str:
    return f"{entry['name']}({','.join(_type(i) for i in entry['inputs'])})"


def _type(item: dict[str, Any]) -> str:
    if not item["type"].startswith("tuple"):
        return str(item["type"])
    inner = ",".join(_type(c) for c in item["components"])
    return f"({inner}){item['type'][len('tuple') :]}"


def _selectors(contract: Any, names: tuple[str, ...]) -> list[bytes]:
    """Selectors of all functions of these names. Raises KeyError if a name is not there."""
    functions = functions_of(contract.abi)
    absent = set(names) - {name for name, _, _ in functions}
    if absent:
        raise KeyError(f"no function {', '.join(sorted(absent))}")
    return [selector for name, selector, _ in functions if name in names]


def _bind_functions(deployer: Deployer, authority: Any, contracts: dict[str, Any]) -> None:
    for name, roles in ROLE_FUNCTIONS.items():
        target = contracts[name].address
        for role, functions in roles.items():
            selectors = _selectors(contracts[name], functions)
            missing = [s for s in selectors if authority.getTargetFunctionRole(target, s) != role]
            deployer.ensure(not missing, authority.setTargetFunctionRole, target, missing, role)
    for role, entry in ROLES.items():
        if entry.guardian is not None:
            done = authority.getRoleGuardian(role) == entry.guardian
            deployer.ensure(done, authority.setRoleGuardian, role, entry.guardian)


def _configuration(
    plan: Plan, contracts: dict[str, Any]
) -> list[tuple[Callable[[], bool], Callable[..., Any], tuple[Any, ...]]]:
    """What governance sets once: whether it is there, how to set it, to what."""
    facilities, statements = contracts["FacilityRegistry"], contracts["StatementRegistry"]
    token, lockbox = contracts["TrancheToken"], contracts["RentLockbox"]
    investors, vault = contracts["InvestorRegistry"], contracts["BondVault"]
    settlement = contracts["SettlementToken"].address
    order = ("StatementRegistry", "TrancheToken", "RentLockbox", "PrimarySale", "BondVault")
    links = tuple(contracts[name].address for name in (*order, "DeliveryDesk"))
    steps: list[tuple[Callable[[], bool], Callable[..., Any], tuple[Any, ...]]] = [
        (lambda: facilities.trancheToken() == token.address, facilities.link, (links,)),
        (
            lambda: bool(facilities.isSettlementToken(settlement)),
            facilities.setSettlementToken,
            (settlement, True),
        ),
        (
            lambda: bool(token.isRevenueSource(lockbox.address)),
            token.setRevenueSource,
            (lockbox.address, True),
        ),
        (
            lambda: token.contractURI() != "",
            token.setMetadata,
            (contracts["TrancheMetadata"].address,),
        ),
        (
            lambda: vault.slashAmount() == plan.slash_amount,
            vault.setSlashAmount,
            (plan.slash_amount,),
        ),
    ]
    if plan.allow_list:
        steps += [
            (
                lambda: token.investorRegistry() == investors.address,
                token.setInvestorRegistry,
                (investors.address,),
            ),
            (
                lambda: investors.mirror() == token.address,
                investors.linkMirror,
                (token.address,),
            ),
        ]
    for attester in plan.attesters:
        member = _is_attester(statements, attester)
        steps.append((member, statements.setAttester, (attester, True)))
    if plan.threshold:
        reached = _has_threshold(statements, plan.threshold)
        steps.append((reached, statements.setThreshold, (plan.threshold,)))
    return steps


def _is_attester(statements: Any, attester: str) -> Callable[[], bool]:
    return lambda: bool(statements.isAttester(attester))


def _has_threshold(statements: Any, threshold: int) -> Callable[[], bool]:
    return lambda: bool(statements.threshold() == threshold)


def _configure(deployer: Deployer, authority: Any, contracts: dict[str, Any]) -> None:
    """Set what is not set yet. The deployer takes the governance role only if something is left."""
    sender = deployer.sender["from"]
    for done, action, arguments in _configuration(deployer.plan, contracts):
        if not done():
            held = authority.hasRole(GOVERNANCE, sender)[0]
            deployer.ensure(held, authority.grantRole, GOVERNANCE, sender, 0)
            deployer.ensure(False, action, *arguments)
    for gpu_operator in deployer.plan.gpu_operators:
        held = authority.hasRole(GPU_OPERATOR, gpu_operator)[0]
        deployer.ensure(held, authority.grantRole, GPU_OPERATOR, gpu_operator, 0)


def _hand_over(deployer: Deployer, authority: Any) -> None:
    """Give every role to the configured admin; the deployer keeps none, the admin role last."""
    plan, sender = deployer.plan, deployer.sender["from"]
    admin = plan.admin or str(sender)
    for role in HANDED_OVER:
        delay_s = plan.admin_delay_s if plan.admin and ROLES[role].delayed else 0
        held = authority.hasRole(role, admin)[0]
        deployer.ensure(held, authority.grantRole, role, admin, delay_s)
    if admin == sender:
        return
    for role in HANDED_OVER:
        held = authority.hasRole(role, sender)[0]
        deployer.ensure(not held, authority.renounceRole, role, sender)


def deploy_all(
    plan: Plan, contracts: Any, sender: Any, after_step: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """Deploy and configure everything; returns the contracts by name."""
    deployer = Deployer(plan, contracts, sender, after_step)
    authority = deployer.deploy("AccessManager", "Authority", sender)
    if plan.settlement_token is None:
        settlement = deployer.deploy("SettlementToken", "MockStablecoin")
    else:
        settlement = deployer.adopt("SettlementToken", "MockStablecoin", plan.settlement_token)
    facilities = deployer.deploy("FacilityRegistry", "FacilityRegistry", authority)
    statements = deployer.deploy(
        "StatementRegistry",
        "StatementRegistry",
        authority,
        facilities,
        plan.challenge_window_s,
        plan.activation_delay_s,
        plan.removal_delay_s,
    )
    token = deployer.deploy("TrancheToken", "TrancheToken", authority, facilities, plan.base_uri)
    deployed = {
        "SettlementToken": settlement,
        "FacilityRegistry": facilities,
        "StatementRegistry": statements,
        "TrancheToken": token,
        "InvestorRegistry": deployer.deploy("InvestorRegistry", "InvestorRegistry", authority),
        "TrancheMetadata": deployer.deploy("TrancheMetadata", "TrancheMetadata", facilities),
        "RentLockbox": deployer.deploy(
            "RentLockbox", "RentLockbox", authority, facilities, statements, token
        ),
        "PrimarySale": deployer.deploy("PrimarySale", "PrimarySale", facilities),
        "BondVault": deployer.deploy("BondVault", "BondVault", authority, facilities, settlement),
        "DeliveryDesk": deployer.deploy("DeliveryDesk", "DeliveryDesk", facilities),
    }
    if authority.hasRole(ADMIN, sender)[0]:
        _bind_functions(deployer, authority, deployed)
        _configure(deployer, authority, deployed)
        _hand_over(deployer, authority)
    deployer.save()
    return {"AccessManager": authority, **deployed}


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
