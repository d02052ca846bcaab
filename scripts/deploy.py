"""Deploys the contracts with brownie: `tools/brownie run deploy --network rentroll`.

Reads the environment (see `Plan.from_environment`), writes one deployment file with addresses,
constructor arguments, ABI and code hashes. A second run continues where the first one stopped.
Signs with the key in RENTROLL_DEPLOYER_KEY_FILE, a keystore where RENTROLL_DEPLOYER_PASSWORD_FILE
is named; else an account that the node itself unlocks: RENTROLL_DEPLOYER, or its first.
`python -m scripts.dry_deploy` shows beforehand what this would do. docs/OPERATE.md has the steps.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from brownie import accounts, network, web3
from brownie import project as brownie_project

from scripts.deployer import Deployer, Plan, deployer_key
from scripts.roles import (
    ADMIN,
    CONTRACT_ROLES,
    GOVERNANCE,
    GPU_OPERATOR,
    HANDED_OVER,
    ROLE_FUNCTIONS,
    ROLES,
)

# In the order of IFacilityRegistry.Links.
LINKED = (
    "StatementRegistry",
    "TrancheToken",
    "RentLockbox",
    "PrimarySale",
    "BondVault",
    "DeliveryDesk",
    "AttesterRegistry",
    "PledgeRegistry",
    "AttesterDesk",
    "RefundDesk",
)


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
    for name, role in CONTRACT_ROLES.items():
        holder = contracts[name].address
        held = authority.hasRole(role, holder)[0]
        deployer.ensure(held, authority.grantRole, role, holder, 0)


def _configuration(
    plan: Plan, contracts: dict[str, Any]
) -> list[tuple[Callable[[], bool], Callable[..., Any], tuple[Any, ...]]]:
    """What governance sets once: whether it is there, how to set it, to what."""
    facilities = contracts["FacilityRegistry"]
    token, lockbox = contracts["TrancheToken"], contracts["RentLockbox"]
    investors = contracts["InvestorRegistry"]
    settlement = contracts["SettlementToken"].address
    links = tuple(contracts[name].address for name in LINKED)
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
    return steps + _panel_steps(plan, contracts)


def _panel_steps(
    plan: Plan, contracts: dict[str, Any]
) -> list[tuple[Callable[[], bool], Callable[..., Any], tuple[Any, ...]]]:
    """Members, and the first panel's seats."""
    if not plan.attesters:
        return []
    registry = contracts["AttesterRegistry"]
    seats = sorted(plan.attesters, key=lambda account: int(account, 16))
    steps: list[tuple[Callable[[], bool], Callable[..., Any], tuple[Any, ...]]] = [
        (_is_member(registry, seat), registry.setAttester, (seat, True)) for seat in seats
    ]
    steps.append((lambda: registry.panelCount() > 0, registry.setPanel, (1, seats)))
    return steps


def _is_member(registry: Any, attester: str) -> Callable[[], bool]:
    return lambda: bool(registry.attesterPeriodOf(attester)[1] > 0)


def _bond_attesters(deployer: Deployer, contracts: dict[str, Any]) -> None:
    """Where money is made up, give every attester the least bond; elsewhere they deposit it."""
    plan = deployer.plan
    if plan.settlement_token is not None:
        return
    registry, money = contracts["AttesterRegistry"], contracts["SettlementToken"]
    for attester in plan.attesters:
        missing = plan.minimum_bond - registry.bondOf(attester)
        if missing <= 0:
            continue
        sender = deployer.sender["from"]
        deployer.ensure(money.balanceOf(sender) >= missing, money.mint, sender, missing)
        allowed = money.allowance(sender, registry.address) >= missing
        deployer.ensure(allowed, money.approve, registry.address, missing)
        deployer.ensure(False, registry.depositBond, attester, missing)


def _configure(deployer: Deployer, authority: Any, contracts: dict[str, Any]) -> None:
    """Set what is not set yet. The deployer takes the governance role only if something is left."""
    sender = deployer.sender["from"]
    for done, action, arguments in _configuration(deployer.plan, contracts):
        if not done():
            held = authority.hasRole(GOVERNANCE, sender)[0]
            deployer.ensure(held, authority.grantRole, GOVERNANCE, sender, 0)
            deployer.ensure(False, action, *arguments)
    _bond_attesters(deployer, contracts)
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


class HandOverIncomplete(Exception):
    """Roles are not where the plan says."""


def holders(authority: Any, start_block: int) -> dict[tuple[int, str], int]:
    """Who holds which role, and its delay in seconds: by everything that was ever granted."""
    events = web3.eth.contract(address=authority.address, abi=authority.abi).events
    granted = events.RoleGranted().get_logs(from_block=start_block)
    pairs = {(int(g["args"]["roleId"]), str(g["args"]["account"])) for g in granted}
    asked = {pair: authority.hasRole(*pair) for pair in pairs}
    return {pair: int(delay_s) for pair, (held, delay_s) in asked.items() if held}


def _check_holders(plan: Plan, deployer: Deployer, contracts: dict[str, Any]) -> None:
    """Every role where the plan says, by the chain's own events. Raises HandOverIncomplete."""
    admin = plan.admin or str(deployer.sender["from"])
    expected = {
        (role, admin): plan.admin_delay_s if plan.admin and ROLES[role].delayed else 0
        for role in HANDED_OVER
    }
    expected |= {(GPU_OPERATOR, account): 0 for account in plan.gpu_operators}
    expected |= {(role, contracts[n].address): 0 for n, role in CONTRACT_ROLES.items()}
    found = holders(contracts["AccessManager"], deployer.document["startBlock"])
    if found == expected:
        return
    wrong = [
        f"{ROLES[role].name} of {account}: {found.get((role, account), 'not held')},"
        f" planned {expected.get((role, account), 'not held')}"
        for role, account in sorted(set(found) | set(expected))
        if found.get((role, account)) != expected.get((role, account))
    ]
    raise HandOverIncomplete("delays of roles in seconds: " + "; ".join(wrong))


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
    wallets = deployer.deploy("WalletDesk", "WalletDesk", authority, facilities)
    attesters = deployer.deploy(
        "AttesterRegistry",
        "AttesterRegistry",
        authority,
        facilities,
        settlement,
        plan.minimum_bond,
        plan.slash_amount,
        plan.activation_delay_s,
        plan.removal_delay_s,
        wallets,
    )
    statements = deployer.deploy(
        "StatementRegistry",
        "StatementRegistry",
        authority,
        facilities,
        attesters,
        plan.challenge_window_s,
    )
    token = deployer.deploy(
        "TrancheToken", "TrancheToken", authority, facilities, wallets, plan.base_uri
    )
    deployed = {
        "SettlementToken": settlement,
        "FacilityRegistry": facilities,
        "AttesterRegistry": attesters,
        "PledgeRegistry": deployer.deploy("PledgeRegistry", "PledgeRegistry", facilities),
        "StatementRegistry": statements,
        "WalletDesk": wallets,
        "TrancheToken": token,
        "InvestorRegistry": deployer.deploy("InvestorRegistry", "InvestorRegistry", authority),
        "TrancheMetadata": deployer.deploy("TrancheMetadata", "TrancheMetadata", facilities),
        "RentLockbox": deployer.deploy("RentLockbox", "RentLockbox", facilities, statements, token),
        "PrimarySale": deployer.deploy("PrimarySale", "PrimarySale", facilities, wallets),
        "BondVault": deployer.deploy("BondVault", "BondVault", facilities, wallets),
        "DeliveryDesk": deployer.deploy("DeliveryDesk", "DeliveryDesk", facilities, wallets),
        "AttesterDesk": deployer.deploy(
            "AttesterDesk", "AttesterDesk", authority, facilities, wallets
        ),
        "RefundDesk": deployer.deploy("RefundDesk", "RefundDesk", facilities),
    }
    if authority.hasRole(ADMIN, sender)[0]:
        _bind_functions(deployer, authority, deployed)
        _configure(deployer, authority, deployed)
        _hand_over(deployer, authority)
        _check_holders(plan, deployer, {"AccessManager": authority, **deployed})
    deployer.save()
    return {"AccessManager": authority, **deployed}


def _sender() -> Any:
    """Who deploys. A key comes from a file alone: neither command nor environment shows it."""
    key_file = os.environ.get("RENTROLL_DEPLOYER_KEY_FILE")
    if key_file:
        password_file = os.environ.get("RENTROLL_DEPLOYER_PASSWORD_FILE")
        return accounts.add(
            deployer_key(Path(key_file), Path(password_file) if password_file else None)
        )
    unlocked = os.environ.get("RENTROLL_DEPLOYER")
    return accounts.at(unlocked, force=True) if unlocked else accounts[0]


def main() -> None:
    """Entry point of `brownie run`."""
    sender = _sender()
    network.max_fee(f"{os.environ.get('RENTROLL_DEPLOYER_MAX_FEE_GWEI', '100')} gwei")
    plan = Plan.from_environment()
    contracts = brownie_project.get_loaded_projects()[0]
    deployed = deploy_all(plan, contracts, sender)
    for name, contract in deployed.items():
        print(f"{name:20} {contract.address}")
    start_block = json.loads(plan.deployment_file.read_text())["startBlock"]
    for (role, account), delay_s in sorted(holders(deployed["AccessManager"], start_block).items()):
        print(f"{ROLES[role].name:20} {account} after {delay_s} s")
    print(f"deployment written to {plan.deployment_file}")
