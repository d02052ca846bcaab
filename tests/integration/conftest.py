"""Fixtures on real databases, and on a real chain with the real contracts."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from api.chain import calldata
from api.chain.client import ChainClient
from scripts.dev.devchain import dev_chain
from scripts.dev.stack import (
    ATTESTER_ACCOUNTS,
    CHALLENGE_WINDOW_S,
    COMPLIANCE,
    INVESTOR,
    OPERATORS,
    RELAYER,
    RENTER,
)
from tests.factories import DAY_S, START_S, Ledger
from tests.integration.packages.wheel import installed
from tests.integration.service import Service, change_service, make_app
from tests.saved_chain import deploy_or_load
from tests.world import HOLDERS, RENT_FUNDS, Deployed, World, send, wallet


@pytest.fixture
def ledger(engine: Engine, tmp_path: Path) -> Ledger:
    """A registered operator, facility and leases."""
    return Ledger(engine, tmp_path)


@pytest.fixture
def service(database_url: str, ledger: Ledger, tmp_path: Path) -> Iterator[Service]:
    """The application in process; unexpected errors are answered, as in production."""
    app = make_app(database_url, tmp_path)
    change_service(app, clock=ledger.clock)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield Service(app, client, ledger)


@pytest.fixture(scope="session")
def chain_state(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Deployment file, and a chain with contracts, attesters (two of three) and investors."""
    return chain_with(tmp_path_factory.mktemp("chain"))


def chain_with(folder: Path, **settings: str) -> tuple[Path, str]:
    """The same, deployed with other settings."""
    file = folder / "deployment.json"
    with ExitStack() as exits:
        chain = exits.enter_context(
            dev_chain(timestamp_s=START_S - DAY_S, log=folder / "anvil.log")
        )
        chain.rpc("anvil_setBlockTimestampInterval", 0)
        environment = {
            "RENTROLL_ATTESTERS": ",".join(wallet(i).address for i in ATTESTER_ACCOUNTS),
            "RENTROLL_OPERATORS": ",".join(wallet(i).address for i in OPERATORS),
            "RENTROLL_CHALLENGE_WINDOW_S": str(CHALLENGE_WINDOW_S),
            "RENTROLL_ALLOW_LIST": "1",
            **settings,
        }
        deploy_or_load(chain, file, environment)
        deployment = Deployed(chain, file).deployment
        client = exits.enter_context(ChainClient(chain.rpc_url))
        renter = wallet(RENTER).address
        token, lockbox = deployment.settlement_token, deployment.rent_lockbox
        mint = calldata.call("SettlementToken", "mint", renter, RENT_FUNDS)
        send(client, renter, token, mint)
        approve = calldata.call("SettlementToken", "approve", lockbox, RENT_FUNDS)
        send(client, renter, token, approve)
        for account in (*HOLDERS, *(wallet(i).address for i in OPERATORS)):
            enter = calldata.call("InvestorRegistry", "setInvestor", account, INVESTOR)
            send(client, wallet(COMPLIANCE).address, deployment.investor_registry, enter)
        return file, str(chain.rpc("anvil_dumpState"))


@pytest.fixture(scope="session")
def rentroll(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`rentroll` as a stranger has it: of the wheel, outside of this checkout."""
    return installed(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def deployed(chain_state: tuple[Path, str]) -> Iterator[Deployed]:
    """An anvil for the module, with everything deployed.

    Not one for the session: once anvil 1.7.1 has kept some 500 states, a reorg loses all code.
    """
    file, state = chain_state
    with dev_chain(timestamp_s=START_S - DAY_S) as chain:
        chain.rpc("anvil_setBlockTimestampInterval", 0)
        chain.rpc("anvil_loadState", state)
        yield Deployed(chain, file)


@pytest.fixture
def fresh_chain(deployed: Deployed) -> Iterator[Deployed]:
    """The chain as it was after deployment, whatever a test did to it."""
    snapshot = deployed.chain.rpc("evm_snapshot")
    yield deployed
    deployed.chain.rpc("evm_setAutomine", True)
    deployed.chain.rpc("anvil_dropAllTransactions")
    deployed.chain.rpc("evm_revert", snapshot)
    deployed.chain.rpc("anvil_setBlockTimestampInterval", 0)


@pytest.fixture
def world(engine: Engine, tmp_path: Path, fresh_chain: Deployed) -> Iterator[World]:
    """A facility that delivers, on a fresh chain and an empty database."""
    found = World(engine, tmp_path, fresh_chain)
    yield found
    found.close()


@pytest.fixture
def around(world: World, tmp_path: Path) -> dict[str, str]:
    """Settings of processes beside a world."""
    key = tmp_path / "relayer.key"
    key.touch(mode=0o600)
    key.write_text(wallet(RELAYER).key.hex())
    return {
        "DATABASE_URL": world.engine.url.render_as_string(hide_password=False),
        "RENTROLL_RPC_URL": world.client.rpc_url,
        "RENTROLL_DEPLOYMENT_FILE": str(world.deployed.deployment_file),
        "RENTROLL_EVIDENCE_DIR": str(world.evidence.root),
        "RENTROLL_CLOCK": "chain",
        "RENTROLL_POLL_S": "0.1",
        "RENTROLL_RELAYER_KEY_FILE": str(key),
    }
