"""Contracts, deployed once, and a facility; every test starts from the same chain."""

import pytest
from brownie import chain

from api.domain.facility import FacilityTerms, TrancheTerms
from api.domain.hashing import device_hash
from api.domain.units import FacilityId
from scripts.deploy import deploy_all
from scripts.deployer import Plan
from tests.contracts.delivery import Delivery
from tests.contracts.lean_node import make_lean
from tests.contracts.model import World
from tests.contracts.registry_world import RegistryWorld

EPOCH_S = 3_600
EPOCHS = 4


@pytest.fixture(autouse=True)
def isolation(fn_isolation):
    """Every test starts from the same chain."""


@pytest.fixture(scope="session", autouse=True)
def deployed(accounts, tmp_path_factory):
    """All contracts by name, and the attesters.

    Before any other fixture: what is deployed within brownie's isolation goes with it.
    """
    import brownie

    make_lean(brownie.web3, chain)
    attesters = sorted((accounts.add() for _ in range(3)), key=lambda a: int(a.address, 16))
    plan = Plan(
        deployment_file=tmp_path_factory.mktemp("deployment") / "deployment.json",
        settlement_token=None,
        attesters=tuple(a.address for a in attesters),
        gpu_operators=(accounts[1].address,),
        challenge_window_s=600,
        admin=None,
        base_uri="ipfs://{id}",
        allow_list=False,
    )
    contracts = deploy_all(plan, brownie.project.get_loaded_projects()[0], accounts[0])
    # Deployment deposits the least bond: whoever pays for one fault could sign no more.
    for attester in attesters:
        bond_attester(contracts, attester, plan.minimum_bond, accounts[0])
    # Between files brownie goes back to its first snapshot: from here on to this one.
    chain._reset_id = chain._take_snapshot()
    return contracts, attesters


def bond_attester(contracts, attester, amount, payer) -> None:
    """Pay into an attester's bond."""
    dollar, registry = contracts["SettlementToken"], contracts["AttesterRegistry"]
    dollar.mint(payer, amount, {"from": payer})
    dollar.approve(registry, amount, {"from": payer})
    registry.depositBond(attester, amount, {"from": payer})


def facility_terms(contracts, accounts, **changes) -> FacilityTerms:
    """Ten GPUs for four hours from 100 s from now, in two tranches."""
    start_s = chain[-1].timestamp + 100
    values = {
        "facility_id": FacilityId(7),
        "gpu_operator": accounts[1].address,
        "settlement_token": contracts["SettlementToken"].address,
        "gpu_class": "H100-SXM5-80GB",
        "site": "SE-LULEA-1",
        "window_start_s": start_s,
        "window_end_s": start_s + EPOCHS * EPOCH_S,
        "expires_at_s": start_s + EPOCH_S,
        "epoch_length_s": EPOCH_S,
        "devices": tuple(sorted(device_hash(f"GPU-{i}") for i in range(10))),
        "promised_availability_ppm": 990_000,
        "fee_bps": 100,
        "tranches": (TrancheTerms(16, 1_000_003), TrancheTerms(24)),
    }
    return FacilityTerms(**{**values, **changes})


@pytest.fixture
def world(deployed, accounts):
    """All contracts, one facility with two tranches, not offered yet."""
    contracts, attesters = deployed
    return World(contracts, facility_terms(contracts, accounts), accounts, attesters)


@pytest.fixture
def delivery(world):
    """A bonded facility of two tranches, funded, 100 s before its window."""
    return Delivery(world)


@pytest.fixture
def book(accounts):
    """Registers of statements and attesters without delays."""
    return RegistryWorld(accounts)


@pytest.fixture
def slow(accounts):
    """The same where new attesters count after one day, and removed ones until after two."""
    return RegistryWorld(accounts, delays=(86_400, 2 * 86_400))


@pytest.fixture
def rules(book):
    """The judge, whose calls are proofs."""
    return book.project.FaultRules.at(book.registry.faultRules())


@pytest.fixture
def proof(rules):
    """The proof of a statement's last line."""
    return lambda posted: rules.ofLine.encode_input(posted.abi, posted.proven(-1))
