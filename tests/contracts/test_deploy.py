"""Deployment: crash anywhere and run again; who may call what afterwards, function by function."""

import json
from dataclasses import replace

import brownie
import pytest
from brownie import web3
from eth_abi.abi import encode

from scripts.deploy import _type, deploy_all, functions_of
from scripts.deployer import Deployer, Plan
from scripts.roles import (
    ADMIN,
    AUTHORITY_ONLY,
    GPU_OPERATOR,
    HANDED_OVER,
    OPEN_FUNCTIONS,
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
        attesters=(accounts[6].address, accounts[7].address),
        threshold=2,
        gpu_operators=(accounts[1].address,),
        challenge_window_s=600,
        admin=accounts[9].address,
        base_uri="ipfs://{id}",
        admin_delay_s=86_400,
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
    assert deployed["StatementRegistry"].threshold() == 2
    assert deployed["BondVault"].slashAmount() == 5_000_000
    assert deployed["FacilityRegistry"].bondVault() == deployed["BondVault"].address
    height = web3.eth.block_number
    deploy_all(plan, _project(), accounts[0])
    assert web3.eth.block_number == height


def test_deploy__killed_before_the_record__deploys_that_one_again(plan, accounts, monkeypatch):
    record, calls = Deployer._record, []

    def die_at_the_third(self, name, contract, arguments):
        calls.append(name)
        if len(calls) == 3:
            raise Killed
        record(self, name, contract, arguments)

    monkeypatch.setattr(Deployer, "_record", die_at_the_third)
    with pytest.raises(Killed):
        deploy_all(plan, _project(), accounts[0])

    deployed = deploy_all(plan, _project(), accounts[0])

    assert calls[2] == calls[3] == "FacilityRegistry"
    _assert_handed_over(deployed, plan, accounts[0])


def test_deploy__no_admin__leaves_the_roles_with_the_deployer(plan, accounts):
    deployed = deploy_all(replace(plan, admin=None), _project(), accounts[0])

    for role in HANDED_OVER:
        assert tuple(deployed["AccessManager"].hasRole(role, accounts[0])) == (True, 0)


def test_roles__every_function__is_listed_open_or_bound(plan, accounts):
    """ATTACKS 26: the matrix. What is bound refuses a stranger, what is open is no role's."""
    deployed = deploy_all(plan, _project(), accounts[0])
    authority, stranger = deployed["AccessManager"], accounts[8].address
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
