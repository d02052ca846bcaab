"""A deployment on a chain that others run: rehearsed, killed, and gone on with."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_account import Account

from api.chain.calldata import checksum
from api.chain.client import ChainClient
from api.chain.deployment import code_problems, load_deployment
from scripts.dev.devchain import ROOT, DevChain, brownie_alone, deploy_contracts, dev_chain
from scripts.dry_deploy import report

pytestmark = [pytest.mark.chain, pytest.mark.slow]
CHAIN_ID = 424_242
ADMIN = "0x" + "ad" * 20
ETHER = 10**18


@pytest.fixture
def chain() -> Iterator[DevChain]:
    """No local chain of ours by its number, so that defaults of public ones are in force."""
    with dev_chain(chain_id=CHAIN_ID) as running:
        yield running


@pytest.fixture
def deployer(chain: DevChain, tmp_path: Path) -> dict[str, str]:
    """Settings of a deployment, whose key is in a keystore and has two ether."""
    account = Account.create()
    key, password = tmp_path / "deployer.json", tmp_path / "deployer.password"
    for path in (key, password):
        path.touch(mode=0o600)
    password.write_text("a secret of files\n")
    key.write_text(json.dumps(Account.encrypt(account.key, "a secret of files", iterations=2)))
    chain.rpc("anvil_setBalance", account.address, hex(2 * ETHER))
    return {
        "RENTROLL_CHAIN_ID": str(CHAIN_ID),
        "RENTROLL_RPC_URL": chain.rpc_url,
        "RENTROLL_DEPLOYMENT_FILE": str(tmp_path / "record.json"),
        "RENTROLL_DEPLOYER_KEY_FILE": str(key),
        "RENTROLL_DEPLOYER_PASSWORD_FILE": str(password),
        "RENTROLL_ADMIN": ADMIN,
        "ADDRESS": account.address,
    }


def _code(chain: DevChain, document: dict[str, dict[str, str]]) -> str:
    return str(chain.rpc("eth_getCode", document["sent"]["address"], "latest"))


def test_deployment__killed_while_a_transaction_waits__replaces_it_and_ends_as_planned(
    chain: DevChain, deployer: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Killed for good in the middle, with its transaction stuck at a fee that no block takes."""
    record, address = Path(deployer["RENTROLL_DEPLOYMENT_FILE"]), deployer["ADDRESS"]
    chain.rpc("evm_setAutomine", False)
    with brownie_alone():
        dying = subprocess.Popen(
            [ROOT / "tools" / "brownie", "run", "deploy", "--network", "rentroll"],
            cwd=ROOT,
            env=os.environ | deployer | {"RENTROLL_DEPLOYER_MAX_FEE_GWEI": "3"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            deadline = time.monotonic() + 240
            while chain.rpc("eth_getTransactionCount", address, "pending") == "0x0":
                assert time.monotonic() < deadline, "nothing was sent"
                assert dying.poll() is None, "it ended by itself"
                time.sleep(0.1)
        finally:
            os.killpg(dying.pid, signal.SIGKILL)
            dying.wait()
    document = json.loads(record.read_text())
    assert _code(chain, document) == "0x"
    chain.rpc("anvil_setNextBlockBaseFeePerGas", hex(20 * 10**9))
    chain.rpc("evm_mine")
    assert _code(chain, document) == "0x", "a block took it"
    chain.rpc("evm_setAutomine", True)

    said = deploy_contracts(chain, record, deployer)

    # The one that waited is gone: the first contract came to be by its nonce.
    ended = json.loads(record.read_text())
    assert ended["contracts"]["AccessManager"]["address"] == document["sent"]["address"]
    assert "sent" not in ended
    sent = int(str(chain.rpc("eth_getTransactionCount", address, "latest")), 16)
    with ChainClient(chain.rpc_url) as client:
        deployment = load_deployment(record)
        assert deployment is not None
        assert code_problems(client, deployment) == []
    assert (ended["chainId"], ended["deployer"]) == (CHAIN_ID, address)
    assert f"admin                {checksum(ADMIN)} after 172800 s" in said
    assert address not in [line.split()[1] for line in said.splitlines() if " after " in line]
    # Once more: nothing is left to do.
    deploy_contracts(chain, record, deployer)
    assert int(str(chain.rpc("eth_getTransactionCount", address, "latest")), 16) == sent


def test_rehearsal__of_a_chain__counts_and_leaves_it_as_it_is(
    chain: DevChain, deployer: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    address = deployer.pop("ADDRESS")
    for name, value in deployer.items():
        monkeypatch.setenv(name, value)
    chain.rpc("anvil_setBalance", address, hex(10**15))

    said = report(chain.rpc_url, address)

    assert chain.rpc("eth_blockNumber") == "0x0"
    assert not Path(deployer["RENTROLL_DEPLOYMENT_FILE"]).exists()
    assert f"chain {CHAIN_ID}, deployer {address}" in said
    for words in ("TrancheToken", "roles afterwards", "after 172800 s", "that is too little"):
        assert words in said
    assert "the deployer has 0.001000" in said
