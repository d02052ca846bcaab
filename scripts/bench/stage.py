"""What the bench runs on: a chain with contracts, services of our own, measured child processes."""

import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, ParamSpec, Self, TypeVar

import httpx

from api.chain.answers import Receipt, to_bytes
from api.chain.client import ChainClient
from api.chain.contracts import Contracts
from api.chain.deployment import Deployment, load_deployment
from api.settings import ClockSource, Settings
from scripts.dev.devchain import DevChain, deploy_contracts, free_port, stop_process
from scripts.dev.stack import wallet

ADMIN_KEY = "rr_admin_of_a_local_bench"
# Places among anvil's unlocked accounts.
OPERATOR, ATTESTER, RELAYER, RENTER, HOLDER = 1, 4, 7, 8, 10
# Units that the holder has, to move about.
HELD_UNITS = 1_000
_READY_TIMEOUT_S = 180.0
_P = ParamSpec("_P")
_T = TypeVar("_T")


@cache
def address(index: int) -> str:
    """Address of one of anvil's accounts; deriving it takes long."""
    return str(wallet(index).address)


@dataclass(frozen=True)
class Stage:
    """A chain with deployed contracts, and the folder of this run."""

    folder: Path
    chain: DevChain
    deployment: Deployment

    @cached_property
    def client(self) -> ChainClient:
        """The client of the chain; closed with the stage."""
        return ChainClient(self.chain.rpc_url)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    @property
    def contracts(self) -> Contracts:
        """The contracts on it."""
        return Contracts(self.client, self.deployment)

    def send(self, sender: int, to: str, data: str) -> None:
        """Send a transaction from an unlocked wallet and wait until it is mined."""
        transaction = {"from": address(sender), "to": to, "data": data}
        transaction["gas"] = hex(5_000_000)
        tx_hash = self.client.request("eth_sendTransaction", transaction, attempts=1)
        receipt: Receipt | None = None
        for _ in range(2_000):
            receipt = self.client.receipt(to_bytes("eth_sendTransaction", tx_hash))
            if receipt is not None:
                break
            time.sleep(0.005)
        if receipt is None or not receipt.succeeded:
            raise RuntimeError(f"a transaction to {to} failed")

    def send_all(self, sender: int, to: str, data: Sequence[str], *, a_block: int = 50) -> None:
        """Send transactions, mine them by so many a block, and see that each succeeded.

        Blocks must not come by themselves meanwhile.
        """
        for first in range(0, len(data), a_block):
            found = []
            for each in data[first : first + a_block]:
                call = {"from": address(sender), "to": to, "data": each, "gas": hex(500_000)}
                sent = self.client.request("eth_sendTransaction", call, attempts=1)
                found.append(to_bytes("eth_sendTransaction", sent))
            self.chain.rpc("evm_mine")
            receipts = [self.client.receipt(tx_hash) for tx_hash in found]
            if not all(receipt is not None and receipt.succeeded for receipt in receipts):
                raise RuntimeError(f"a transaction to {to} failed")

    def settings(self, database_url: str, **more: Any) -> Settings:
        """Settings of a process of ours."""
        values: dict[str, Any] = {
            "database_url": database_url,
            "rpc_url": self.chain.rpc_url,
            "deployment_file": self.folder / "deployment.json",
            "evidence_dir": self.folder / "evidence",
            "confirmations": 0,
            **more,
        }
        return Settings(**values)


def deploy(chain: DevChain, folder: Path) -> Stage:
    """Deploy the contracts with one attester, whose signature is enough."""
    file = folder / "deployment.json"
    deploy_contracts(
        chain,
        file,
        {
            "RENTROLL_ATTESTERS": address(ATTESTER),
            "RENTROLL_OPERATORS": address(OPERATOR),
            # Who may hold units is no part of what is measured.
            "RENTROLL_ALLOW_LIST": "0",
        },
    )
    deployment = load_deployment(file)
    if deployment is None:
        raise RuntimeError("deployment left no file")
    return Stage(folder, chain, deployment)


@dataclass(frozen=True)
class Service:
    """A running `rentroll serve`."""

    url: str
    database_url: str
    process: subprocess.Popen[bytes]
    # One for all requests: making a client takes longer than most answers.
    http: httpx.Client

    def wait_for_the_present(self) -> None:
        """Return once the service has seen that its chain left the past: its times follow it."""
        deadline = time.monotonic() + _READY_TIMEOUT_S
        while self.http.get("/v1/config").json()["now_s"] < time.time() - 60:
            if time.monotonic() > deadline:
                raise RuntimeError("the service does not see its chain's newest block")
            time.sleep(0.5)

    def post(self, path: str, body: Any, key: str = ADMIN_KEY) -> Any:
        """POST JSON; raises RuntimeError with the problem's text."""
        headers = {"Authorization": f"Bearer {key}"}
        answer = self.http.post(path, json=body, headers=headers)
        if answer.is_error:
            raise RuntimeError(f"{path}: {answer.text}")
        return answer.json()


@contextmanager
def serving(
    stage: Stage,
    database_url: str,
    name: str,
    *,
    evidence: str = "evidence",
    clock: ClockSource = ClockSource.SYSTEM,
) -> Iterator[Service]:
    """`rentroll serve` on a free loopback port, with this machine's clock unless told otherwise.

    Args:    evidence: its folder, of whose facilities no two databases tell different things.
    """
    port = free_port()
    environment = {
        **os.environ,
        "DATABASE_URL": database_url,
        "RENTROLL_RPC_URL": stage.chain.rpc_url,
        "RENTROLL_DEPLOYMENT_FILE": str(stage.folder / "deployment.json"),
        "RENTROLL_EVIDENCE_DIR": str(stage.folder / evidence),
        "RENTROLL_ADMIN_KEY": ADMIN_KEY,
        "RENTROLL_CLOCK": clock.value,
        "RENTROLL_GRACE_S": "3600",
    }
    with (stage.folder / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "api.cli.commands", "serve", "--port", str(port)],
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(base_url=url, timeout=120) as http:
            service = Service(url, database_url, process, http)
            _wait_ready(service)
            yield service
    finally:
        stop_process(process)


def _wait_ready(service: Service) -> None:
    deadline = time.monotonic() + _READY_TIMEOUT_S
    while time.monotonic() < deadline:
        if service.process.poll() is not None:
            raise RuntimeError(f"serve ended with code {service.process.returncode}")
        try:
            service.http.get("/health").raise_for_status()
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("serve did not answer in time")


def peak_rss_mb(pid: int | str = "self") -> float | None:
    """Most memory that a process held, in megabytes; None where there is no /proc."""
    return _status_mb(pid, "VmHWM")


def rss_mb(pid: int) -> float | None:
    """Memory that a process holds now, in megabytes; None where there is no /proc."""
    return _status_mb(pid, "VmRSS")


def _status_mb(pid: int | str, name: str) -> float | None:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    line = next(row for row in status.splitlines() if row.startswith(f"{name}:"))
    return int(line.split()[1]) * 1_024 / 1e6


def cpu_s(pid: int) -> float | None:
    """Processor seconds that a process has used; None where there is no /proc."""
    try:
        # Fields after the name in parentheses: state is the 3rd, utime and stime 14th and 15th.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def in_child(work: Callable[_P, _T], *arguments: _P.args, **named: _P.kwargs) -> _T:
    """Run a function in a fresh process, so that its memory is its own."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(work, *arguments, **named).result()


@contextmanager
def timed(module: Any, names: tuple[str, ...], spent: dict[str, float]) -> Iterator[None]:
    """Add up the seconds inside functions of a module, by name, while the block runs."""
    kept = {name: getattr(module, name) for name in names}

    def around(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def measured(*arguments: Any, **named: Any) -> Any:
            started = time.perf_counter()
            try:
                return call(*arguments, **named)
            finally:
                spent[name] = spent.get(name, 0.0) + time.perf_counter() - started

        return measured

    for name, call in kept.items():
        setattr(module, name, around(name, call))
    try:
        yield
    finally:
        for name, call in kept.items():
            setattr(module, name, call)
