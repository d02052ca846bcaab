"""The whole system as processes of its own: chain, contracts, API, worker, attesters, wallets."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import httpx
from eth_account import Account

from api.chain.answers import Receipt, to_bytes
from api.chain.client import ChainClient
from api.chain.contracts import Contracts
from api.chain.contracts.call import Call
from api.chain.deployment import Deployment, load_deployment
from api.chain.events import pledge_signers
from api.domain.units import FacilityId
from scripts.dev.attester_file import write_attester_file
from scripts.dev.devchain import (
    MNEMONIC,
    ROOT,
    DevChain,
    deploy_contracts,
    dev_chain,
    free_port,
    stop_process,
)

T = TypeVar("T")

ADMIN_KEY = "rr_admin_of_a_local_demo"
# The seats of the panel, 2 x THRESHOLD - 1, and the signatures that it needs.
ATTESTERS = 3
THRESHOLD = 2
# What every attester of a local chain has, and what a fault costs it, micros: as deployed.
MINIMUM_BOND, SLASH_AMOUNT = 1_000_000_000, 100_000_000
# Places of the roles among anvil's unlocked accounts. The first one deploys, and keeps every role
# of the contracts, compliance too, because no admin is configured.
COMPLIANCE = 0
OPERATORS = range(1, 4)
ATTESTER_ACCOUNTS = range(4, 7)
RELAYER, RENTER = 7, 8
HOLDERS = range(10, 15)
CHALLENGE_WINDOW_S = 3_600
GRACE_S = 3_600
# In the stack's folder, if the pages are to explain test accounts.
ACCOUNTS_FILE = "accounts.json"
# `IInvestorRegistry.Investor` of everybody on the list: until 2100, Sweden (ISO 3166-1 numeric),
# may send and receive.
INVESTOR = (4_102_444_800, 752, True, True)
_READY_TIMEOUT_S = 180.0


def wallet(index: int) -> Any:
    """One of anvil's well-known accounts."""
    Account.enable_unaudited_hdwallet_features()
    return Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}")


class Stack:
    """Everything that runs, in a fresh folder; leaving it stops what it started."""

    def __init__(
        self,
        folder: Path,
        *,
        start_s: int,
        challenge_window_s: int = CHALLENGE_WINDOW_S,
        grace_s: int = GRACE_S,
        port: int = 0,
    ) -> None:
        """port: of the API; 0 picks a free one."""
        self.folder = folder
        self.challenge_window_s, self.grace_s = challenge_window_s, grace_s
        self._start_s, self._port = start_s, port
        self._exits = ExitStack()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._attester_keys: dict[str, str] = {}
        self.chain: DevChain
        self.client: ChainClient
        self.deployment: Deployment
        self.contracts: Contracts
        self.api_url = ""

    def __enter__(self) -> "Stack":
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._start()
        except BaseException:
            self._exits.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._exits.close()

    def on_exit(self, close: Callable[[], None]) -> None:
        """What somebody opened on this stack ends with it, before its processes do."""
        self._exits.callback(close)

    def now(self, call: Call[T]) -> T:
        """What contracts answer at the newest block."""
        return call.at(block=self.client.head().number)

    def _start(self) -> None:
        log = self.folder / "anvil.log"
        self.chain = self._exits.enter_context(dev_chain(timestamp_s=self._start_s, log=log))
        # Simulated time: it stands still between steps, so that every run gives the same figures.
        self.chain.rpc("anvil_setBlockTimestampInterval", 0)
        self.client = self._exits.enter_context(ChainClient(self.chain.rpc_url))

    def deploy(
        self, deploy: Callable[[DevChain, Path, dict[str, str]], object] = deploy_contracts
    ) -> None:
        """Deploy the contracts, with brownie unless told otherwise."""
        file = self.folder / "deployment.json"
        deploy(
            self.chain,
            file,
            {
                "RENTROLL_ATTESTERS": ",".join(wallet(i).address for i in ATTESTER_ACCOUNTS),
                "RENTROLL_OPERATORS": ",".join(wallet(i).address for i in OPERATORS),
                "RENTROLL_CHALLENGE_WINDOW_S": str(self.challenge_window_s),
                "RENTROLL_MINIMUM_BOND": str(MINIMUM_BOND),
                "RENTROLL_SLASH_AMOUNT": str(SLASH_AMOUNT),
            },
        )
        deployment = load_deployment(file)
        if deployment is None:
            raise RuntimeError("deployment left no file")
        self.deployment = deployment
        self.contracts = Contracts(self.client, deployment)

    def _environment(self, **more: str) -> dict[str, str]:
        database = os.environ.get("DATABASE_URL") or f"sqlite:///{self.folder}/rentroll.db"
        return {
            **os.environ,
            "DATABASE_URL": database,
            "RENTROLL_RPC_URL": self.chain.rpc_url,
            "RENTROLL_DEPLOYMENT_FILE": str(self.folder / "deployment.json"),
            "RENTROLL_EVIDENCE_DIR": str(self.folder / "evidence"),
            "RENTROLL_CLOCK": "chain",
            "RENTROLL_GRACE_S": str(self.grace_s),
            "RENTROLL_CONFIRMATIONS": "0",
            # Stories pay little, and want to see it settled.
            "RENTROLL_SETTLE_LEAST_MICROS": "0",
            "RENTROLL_POLL_S": "0.2",
            "RENTROLL_ADMIN_KEY": ADMIN_KEY,
            "RENTROLL_API_URL": self.api_url,
            **more,
        }

    def _spawn(self, name: str, *arguments: str, **environment: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "api.cli.commands", *arguments],
                env=self._environment(**environment),
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._processes[name] = process
        self._exits.callback(stop_process, process)

    def key_file(self, name: str, index: int) -> str:
        """File with the key of a well-known account, readable by its owner alone."""
        path = self.folder / f"{name}.key"
        path.touch(mode=0o600)
        path.write_text(wallet(index).key.hex())
        return str(path)

    def start_api(self) -> None:
        """Start `rentroll serve` and wait until it answers."""
        port = self._port or free_port()
        self.api_url = f"http://127.0.0.1:{port}"
        environment = {"RENTROLL_WEB_DIR": str(ROOT / "build" / "web")}
        accounts = self.folder / ACCOUNTS_FILE
        if accounts.is_file():
            environment["RENTROLL_DEMO_ACCOUNTS_FILE"] = str(accounts)
        self._spawn("api", "serve", "--port", str(port), **environment)

        def answers() -> bool:
            try:
                return httpx.get(f"{self.api_url}/health").status_code == HTTPStatus.OK
            except httpx.TransportError:
                return False

        self.wait("the API to answer", answers)

    def start_worker(self) -> None:
        """Start `rentroll worker`."""
        key = self.key_file("relayer", RELAYER)
        self._spawn("worker", "worker", RENTROLL_RELAYER_KEY_FILE=key)

    def kill_worker(self) -> None:
        """End the worker at once, as a power cut would."""
        process = self._processes["worker"]
        process.kill()
        process.wait()

    def stop_attesters(self) -> None:
        """End the attesters at once."""
        for name, process in self._processes.items():
            if name.startswith("attester-"):
                process.kill()
                process.wait()

    def start_attesters(self) -> None:
        """Start the attesters, each with its own key."""
        for number, index in enumerate(ATTESTER_ACCOUNTS, start=1):
            name = f"attester-{number}"
            if name not in self._attester_keys:
                self._attester_keys[name] = self.attester_key(name, index)
            settings = self.attester_file(name, index, api_key=self._attester_keys[name])
            self._spawn(name, "attester", "run", "--settings", str(settings))

    def attester_key(self, name: str, index: int) -> str:
        """An API key that speaks for a well-known account."""
        named = {"label": name, "attester": wallet(index).address}
        return str(self.admin("/v1/attester-keys", named)["api_key"])

    def attester_file(self, name: str, index: int, *, api_key: str) -> Path:
        """Settings of an attester with the key of a well-known account, in a folder of its own:
        what it must not forget lies there."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        return write_attester_file(
            folder,
            name,
            key_file=Path(self.key_file(name, index)),
            api_key=api_key,
            url=self.api_url,
            rpc_url=self.chain.rpc_url,
            registry=self.deployment.statement_registry,
        )

    def admin(self, path: str, body: Any) -> Any:
        """POST with the admin key."""
        return self.post(path, body, ADMIN_KEY)

    def post(self, path: str, body: Any, key: str) -> Any:
        """POST JSON; raises RuntimeError with the problem's text."""
        answer = httpx.post(
            self.api_url + path,
            json=body,
            headers={"Authorization": f"Bearer {key}"},
            timeout=120,
        )
        if answer.is_error:
            raise RuntimeError(f"{path}: {answer.text}")
        return answer.json()

    def get(self, path: str, key: str | None = None) -> Any:
        """GET JSON, of a public route unless a key is given."""
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        answer = httpx.get(self.api_url + path, headers=headers, timeout=120)
        answer.raise_for_status()
        return answer.json()

    def await_approval(self, facility_id: FacilityId) -> tuple[int, int]:
        """Wait until attesters approved the pledge of an offer; how many signed, of how many.

        They do so by themselves: it is what funding waits for.
        """
        approved = self.contracts.pledge_registry.is_approved(facility_id)
        self.wait(f"approval of the pledge of facility {facility_id}", lambda: self.now(approved))
        head = self.client.head().number
        signers = pledge_signers(self.contracts, facility_id, last=head)
        terms = self.now(self.contracts.facility_registry.epoch_terms_of(facility_id))
        seats = self.now(self.contracts.attester_registry.panel_of(terms.panel))
        return len(signers), len(seats.attesters)

    def evidence_file(self, path: str) -> str:
        """Text of a published evidence file."""
        answer = httpx.get(f"{self.api_url}/v1/evidence/{path}", timeout=120)
        answer.raise_for_status()
        return answer.text

    def send(self, sender: str, to: str, data: str) -> None:
        """Send a transaction from an unlocked wallet and wait until it is mined."""
        transaction = {"from": sender, "to": to, "data": data, "gas": hex(3_000_000)}
        tx_hash = self.client.request("eth_sendTransaction", transaction, attempts=1)
        receipts: list[Receipt] = []

        def mined() -> bool:
            receipt = self.client.receipt(to_bytes("eth_sendTransaction", tx_hash))
            if receipt is not None:
                receipts.append(receipt)
            return bool(receipts)

        self.wait("a transaction", mined, pause_s=0.005)
        if not receipts[0].succeeded:
            self.client.request("eth_call", transaction, "latest")
            raise RuntimeError(f"a transaction to {to} reverted")

    def wait(
        self,
        what: str,
        done: Callable[[], bool],
        *,
        timeout_s: float = _READY_TIMEOUT_S,
        pause_s: float = 0.1,
    ) -> None:
        """Wait for a condition; a process of ours that ended meanwhile is an error."""
        deadline = time.monotonic() + timeout_s
        while not done():
            for name, process in self._processes.items():
                code = process.poll()
                if code is not None and code != -signal.SIGKILL:
                    log = (self.folder / f"{name}.log").read_text()[-2_000:]
                    raise RuntimeError(f"{name} ended with code {code}:\n{log}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"waited {timeout_s:.0f} s for {what}")
            time.sleep(pause_s)

    def verify(self) -> tuple[int, dict[str, Any]]:
        """Run `rentroll verify` as a process: exit code and report."""
        command = [sys.executable, "-m", "api.cli.commands", "verify", "--json", "--any-age"]
        command += [self.chain.rpc_url, str(self.folder / "evidence")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if not done.stdout.strip():
            raise RuntimeError(f"verify failed: {done.stderr}")
        report: dict[str, Any] = json.loads(done.stdout)
        return done.returncode, report
