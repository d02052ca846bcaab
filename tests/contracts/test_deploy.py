"""Deployment: crash anywhere and run again; who may call what afterwards, function by function."""

import json
import re
from dataclasses import replace

import brownie
import pytest
from brownie import web3
from eth_abi.abi import encode
from eth_account import Account

import scripts.deploy
from api.local.secret_file import KeyFileWrong
from scripts.deploy import LINKED, HandOverIncomplete, _type, deploy_all, functions_of
from scripts.deployer import Deployer, Plan, created_address, deployer_key
from scripts.roles import (
    ADMIN,
    AUTHORITY_ONLY,
    GPU_OPERATOR,
    HANDED_OVER,
    OPEN_FUNCTIONS,
    PAUSER,
    PUBLIC,
    ROLE_FUNCTIONS,
    ROLES,
)

UNAUTHORIZED = bytes(web3.keccak(text="AccessManagedUnauthorized(address)")[:4]).hex()


class Killed(Exception):
    """The deploying process died."""


@pytest.fixture
def plan(accounts, tmp_path):
    return Plan(
        deployment_file=tmp_path / "deployment.json",
        settlement_token=None,
        attesters=tuple(accounts[i].address for i in (6, 7, 8)),
        gpu_operators=(accounts[1].address,),
        challenge_window_s=600,
        admin=accounts[9].address,
        base_uri="ipfs://{id}",
        admin_delay_s=86_400,
        minimum_bond=7_000_000,
        slash_amount=5_000_000,
    )


def _project():
    return brownie.project.get_loaded_projects()[0]


def _assert_handed_over(deployed, plan, deployer):
    authority = deployed["AccessManager"]
    for role in HANDED_OVER:
        held, delay_s = authority.hasRole(role, plan.admin)
        assert held, ROLES[role].name
        assert delay_s == (plan.admin_delay_s if ROLES[role].delayed else 0)
    for role in ROLES:
        assert not authority.hasRole(role, deployer)[0], ROLES[role].name
    assert authority.hasRole(GPU_OPERATOR, plan.gpu_operators[0])[0]


def test_deploy__killed_after_every_step__continues_to_the_same_end(plan, accounts):
    """One more transaction a run, then dead: no step is lost, none is done twice."""

    def die():
        raise Killed

    runs, before = 0, web3.eth.block_number
    while True:
        runs += 1
        try:
            deployed = deploy_all(plan, _project(), accounts[0], die)
        except Killed:
            continue
        break

    assert web3.eth.block_number - before == runs - 1
    _assert_handed_over(deployed, plan, accounts[0])
    document = json.loads(plan.deployment_file.read_text())
    for name, contract in deployed.items():
        assert document["contracts"][name]["address"] == contract.address
    _assert_linked(deployed)
    _assert_seated(deployed["AttesterRegistry"], plan)
    height = web3.eth.block_number
    deploy_all(plan, _project(), accounts[0])
    assert web3.eth.block_number == height


def _assert_linked(deployed):
    """The register names every contract that it must, and nobody can name others."""
    facilities = deployed["FacilityRegistry"]
    for name in LINKED:
        view = name[0].lower() + name[1:]
        assert getattr(facilities, view)() == deployed[name].address, name
    for name in ("AttesterRegistry", "PledgeRegistry", "StatementRegistry", "BondVault"):
        assert deployed[name].facilityRegistry() == facilities.address
    assert deployed["StatementRegistry"].attesterRegistry() == deployed["AttesterRegistry"].address


def _assert_seated(registry, plan):
    """Three seats, two signatures, and every attester counts: its bond is there."""
    attesters, threshold = registry.panelOf(registry.offerPanel())
    assert (set(attesters), threshold) == (set(plan.attesters), 2)
    assert (registry.minimumBond(), registry.slashAmount()) == (7_000_000, 5_000_000)
    assert [registry.bondOf(a) for a in attesters] == [7_000_000] * 3
    assert all(registry.isAttester(a) for a in attesters)


def test_deploy__real_money__leaves_bonds_to_the_attesters(plan, accounts):
    """Where the stablecoin is worth something, deployment pays nothing: signatures do not count."""
    coin = _project().MockStablecoin.deploy({"from": accounts[0]})

    deployed = deploy_all(replace(plan, settlement_token=coin.address), _project(), accounts[0])

    registry = deployed["AttesterRegistry"]
    assert registry.bondToken() == coin.address
    assert [registry.bondOf(a) for a in plan.attesters] == [0, 0, 0]
    assert registry.attesterCount() == 0
    assert set(registry.panelOf(1)[0]) == set(plan.attesters)


def test_deploy__delays__hold_for_later_changes_and_not_for_the_first_panel(plan, accounts):
    slow = replace(plan, activation_delay_s=86_400, removal_delay_s=172_800)

    registry = deploy_all(slow, _project(), accounts[0])["AttesterRegistry"]

    assert (registry.activationDelay(), registry.removalDelay()) == (86_400, 172_800)
    assert registry.attesterCount() == 3


def test_plan__from_the_environment__reads_bonds_and_delays(monkeypatch, accounts):
    names = ",".join(accounts[i].address for i in (6, 7, 8))
    monkeypatch.setenv("RENTROLL_ATTESTERS", names)
    monkeypatch.setenv("RENTROLL_MINIMUM_BOND", "9000000")
    monkeypatch.setenv("RENTROLL_SLASH_AMOUNT", "1000000")
    monkeypatch.delenv("RENTROLL_ADMIN", raising=False)

    local = Plan.from_environment()
    monkeypatch.setenv("RENTROLL_ADMIN", accounts[9].address)
    real = Plan.from_environment()

    assert local.attesters == tuple(names.split(","))
    assert (local.minimum_bond, local.slash_amount) == (9_000_000, 1_000_000)
    delays = [(p.admin_delay_s, p.activation_delay_s, p.removal_delay_s) for p in (local, real)]
    assert delays == [(0, 0, 0), (172_800, 172_800, 172_800)]


@pytest.mark.parametrize("count", [2, 4])
def test_plan__attesters_not_odd__is_refused_in_words(monkeypatch, accounts, count):
    """A panel has 2k - 1 seats: the deployment says so before it sends anything."""
    names = ",".join(accounts[i].address for i in range(count))
    monkeypatch.setenv("RENTROLL_ATTESTERS", names)

    with pytest.raises(ValueError, match=f"names {count} accounts; a panel has an odd number"):
        Plan.from_environment()


@pytest.mark.parametrize(("value", "said"), [("0x12", "is no address"), ("{0},{0}", "2 accounts")])
def test_plan__admin_that_is_none__is_refused_in_words(monkeypatch, accounts, value, said):
    """Roles that go to a wrong account are gone for ever."""
    monkeypatch.setenv("RENTROLL_ADMIN", value.format(accounts[9].address))

    with pytest.raises(ValueError, match=f"RENTROLL_ADMIN.* {said}"):
        Plan.from_environment()


def test_plan__admin_in_small_letters__is_the_same_account(monkeypatch, accounts):
    monkeypatch.setenv("RENTROLL_ADMIN", accounts[9].address.lower())

    assert Plan.from_environment().admin == accounts[9].address


def test_deploy__killed_before_the_record__finds_what_it_sent(plan, accounts, monkeypatch):
    """A contract on-chain that no file names yet is ours, if it is what was going to be sent."""
    record, calls, lost = Deployer._record, [], []

    def die_at_the_third(self, name, contract, arguments, artifact):
        calls.append(name)
        if len(calls) == 3:
            lost.append(contract.address)
            raise Killed
        record(self, name, contract, arguments, artifact)

    monkeypatch.setattr(Deployer, "_record", die_at_the_third)
    with pytest.raises(Killed):
        deploy_all(plan, _project(), accounts[0])

    deployed = deploy_all(plan, _project(), accounts[0])

    assert calls[2] == calls[3] == "FacilityRegistry"
    assert deployed["FacilityRegistry"].address == lost[0]
    _assert_handed_over(deployed, plan, accounts[0])


def test_deploy__sent_and_never_mined__is_sent_again_with_its_nonce(plan, accounts):
    """What waits with too low a fee is replaced, and nothing is deployed beside it."""
    project, sender = _project(), accounts[0]
    nonce = web3.eth.get_transaction_count(sender.address)
    deployer = Deployer(plan, project, sender, lambda: None)
    deployer.document["sent"] = deployer._sending("AccessManager", (sender,), nonce)
    deployer.save()

    deployed = deploy_all(plan, project, sender)

    assert deployed["AccessManager"].address == created_address(sender.address, nonce)
    assert "sent" not in json.loads(plan.deployment_file.read_text())


def test_deploy__nonce_taken_by_another_contract__is_not_adopted(plan, accounts):
    """Who used the deployer's key for something else gets no role and no place in the record."""
    project, sender = _project(), accounts[0]
    nonce = web3.eth.get_transaction_count(sender.address)
    other = project.MockStablecoin.deploy({"from": sender})
    deployer = Deployer(plan, project, sender, lambda: None)
    deployer.document["sent"] = deployer._sending("AccessManager", (sender,), nonce)
    deployer.save()

    deployed = deploy_all(plan, project, sender)

    assert deployer.document["sent"]["address"] == other.address
    assert deployed["AccessManager"].address != other.address
    _assert_handed_over(deployed, plan, sender)


def test_deploy__role_that_the_plan_does_not_name__is_told(plan, accounts, monkeypatch):
    """A granted role that nobody planned, or one too few, ends the deployment with its name."""
    hand_over = scripts.deploy._hand_over

    def careless(deployer, authority):
        authority.grantRole(PAUSER, accounts[5], 0, deployer.sender)
        hand_over(deployer, authority)

    monkeypatch.setattr(scripts.deploy, "_hand_over", careless)

    with pytest.raises(HandOverIncomplete, match=f"pauser of {accounts[5].address}: 0, planned"):
        deploy_all(plan, _project(), accounts[0])


def test_deploy__record__says_what_was_deployed_from_what(plan, accounts):
    deploy_all(plan, _project(), accounts[0])

    document = json.loads(plan.deployment_file.read_text())
    assert (document["deployer"], document["admin"]) == (accounts[0].address, plan.admin)
    assert document["compiler"]["version"].startswith("0.8.37+commit.")
    assert re.fullmatch(r"[0-9a-f]{40}(\+changes)?|unknown(\+changes)?", document["gitCommit"])
    token = document["contracts"]["TrancheToken"]
    authority = document["contracts"]["AccessManager"]
    assert (token["artifact"], authority["artifact"]) == ("TrancheToken", "Authority")
    assert token["constructorData"].startswith(authority["address"][2:].lower().rjust(64, "0"))


@pytest.mark.parametrize("keystore", [True, False])
def test_key__of_a_file__is_read_and_refused_where_others_may(tmp_path, keystore):
    account = Account.from_key("0x" + "42" * 32)
    key, password = tmp_path / "key", tmp_path / "password"
    for path in (key, password):
        path.touch(mode=0o600)
    password.write_text("secret\n")
    text = json.dumps(Account.encrypt(account.key, "secret", iterations=2))
    key.write_text(text if keystore else "0x" + "42" * 32)
    named = password if keystore else None

    assert Account.from_key(deployer_key(key, named)).address == account.address
    key.chmod(0o644)
    with pytest.raises(KeyFileWrong):
        deployer_key(key, named)


def test_deploy__no_admin__leaves_the_roles_with_the_deployer(plan, accounts):
    deployed = deploy_all(replace(plan, admin=None), _project(), accounts[0])

    for role in HANDED_OVER:
        assert tuple(deployed["AccessManager"].hasRole(role, accounts[0])) == (True, 0)


def test_roles__every_function__is_listed_open_or_bound(plan, accounts):
    """ATTACKS 26: the matrix. What is bound refuses a stranger, what is open is no role's."""
    deployed = deploy_all(plan, _project(), accounts[0])
    authority, stranger = deployed["AccessManager"], accounts[5].address
    for contract_name, opened in OPEN_FUNCTIONS.items():
        contract = deployed[contract_name]
        bound = {f: r for r, fs in ROLE_FUNCTIONS.get(contract_name, {}).items() for f in fs}
        assert not set(opened) & set(bound)
        known = {name for name, _, _ in functions_of(contract.abi)}
        assert set(opened) | set(bound) <= known, f"{contract_name} lists what is not there"
        for name, selector, entry in functions_of(contract.abi):
            if entry["stateMutability"] in ("view", "pure"):
                continue
            where = f"{contract_name}.{name}"
            role = authority.getTargetFunctionRole(contract.address, selector)
            refused = _refuses(contract.address, selector, entry, stranger)
            if name in AUTHORITY_ONLY:
                assert refused, where
                assert role == ADMIN, where
            elif name in bound:
                assert role == bound[name] != PUBLIC, where
                assert refused, f"{where} lets a stranger in"
            else:
                assert name in opened, f"{where} is neither open nor bound"
                assert role == ADMIN, f"{where} is bound to a role"
                assert not refused, f"{where} is restricted but listed open"


def _refuses(address, selector, entry, stranger) -> bool:
    """Whether a stranger's call with empty arguments fails for want of a role."""
    types = [_type(i) for i in entry["inputs"]]
    data = selector + encode(types, [_empty(i) for i in entry["inputs"]])
    call = {"from": stranger, "to": address, "data": "0x" + data.hex()}
    answer = web3.provider.make_request("eth_call", [call, "latest"])
    return UNAUTHORIZED in json.dumps(answer)


def _empty(item):
    kind = item["type"]
    if kind.endswith("[]"):
        return []
    if kind == "tuple":
        return tuple(_empty(c) for c in item["components"])
    if kind.startswith("bytes"):
        return bytes(int(kind[5:] or 0))
    return {"address": "0x" + "00" * 20, "bool": False, "string": ""}.get(kind, 0)
