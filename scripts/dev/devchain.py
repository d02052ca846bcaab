"""A local anvil node on a free port, as a context manager: the chain of demo, tests and bench."""

import fcntl
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import FrameType

import httpx

ROOT = Path(__file__).resolve().parents[2]
ANVIL = ROOT / "node_modules" / ".bin" / "anvil"
CHAIN_ID = 31_337
# anvil's own default accounts come from this public test mnemonic; they are worth nothing.
MNEMONIC = "test test test test test test test test test test test junk"
_START_TIMEOUT_S = 30.0


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True)
class DevChain:
    """A running anvil."""

    rpc_url: str
    process: subprocess.Popen[bytes]

    @cached_property
    def _http(self) -> httpx.Client:
        # A client for every call would load the certificates of the system each time.
        return httpx.Client(timeout=60)

    def rpc(self, method: str, *params: object) -> object:
        """One JSON-RPC call, anvil's own methods included."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        answer = self._http.post(self.rpc_url, json=body).json()
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        result: object = answer["result"]
        return result

    def set_time(self, instant_s: int) -> None:
        """Mine one block at `instant_s`; later blocks follow from there by the second."""
        self.rpc("evm_setNextBlockTimestamp", instant_s)
        self.rpc("evm_mine")


def stop_process(process: subprocess.Popen[bytes], *, grace_s: float = 10.0) -> None:
    """End a child of ours: ask first, then insist."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(grace_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def dev_chain(
    *,
    timestamp_s: int | None = None,
    port: int | None = None,
    log: Path | None = None,
    hardfork: str = "prague",
    fork_url: str | None = None,
    chain_id: int = CHAIN_ID,
) -> Iterator[DevChain]:
    """Start anvil, wait until it answers, stop it at the end.

    Args:    timestamp_s: time of the first block; now if None.  log: where its output goes.
             hardfork: rules of the EVM; anvil's own default would move with its version.
             fork_url: node of a chain that this one goes on from, and leaves as it is.
    Raises:  RuntimeError if it is not installed or does not start.
    """
    if not ANVIL.exists():
        raise RuntimeError("anvil is not installed: run `make setup`")
    chosen = port or free_port()
    command = [str(ANVIL), "--port", str(chosen), "--hardfork", hardfork, "--silent"]
    command += ["--chain-id", str(chain_id), "--mnemonic", MNEMONIC, "--accounts", "40"]
    command += ["--order", "fifo"]
    if fork_url is not None:
        command += ["--fork-url", fork_url]
    if timestamp_s is not None:
        command += ["--timestamp", str(timestamp_s)]
    with (log or Path(os.devnull)).open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    chain = DevChain(f"http://127.0.0.1:{chosen}", process)
    try:
        _wait_ready(chain)
        yield chain
    finally:
        chain._http.close()
        stop_process(process)


def _wait_ready(chain: DevChain) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline:
        if chain.process.poll() is not None:
            raise RuntimeError(f"anvil ended with code {chain.process.returncode}")
        try:
            chain.rpc("eth_chainId")
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("anvil did not answer in time")


@contextmanager
def brownie_alone() -> Iterator[None]:
    """Wait until no other process of this checkout deploys: brownie's networks are one file."""
    (ROOT / "build").mkdir(exist_ok=True)
    with (ROOT / "build" / "deploy.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def deploy_contracts(chain: DevChain, deployment_file: Path, environment: dict[str, str]) -> str:
    """Run the brownie deployment script against a chain.

    Args:    environment: RENTROLL_* variables of `scripts/deploy.py`.
    Returns: what it printed.
    Raises:  RuntimeError with brownie's output if it fails.
    """
    with brownie_alone():
        run = subprocess.run(
            [str(ROOT / "tools" / "brownie"), "run", "deploy", "--network", "rentroll"],
            cwd=ROOT,
            env={
                **os.environ,
                "RENTROLL_RPC_URL": chain.rpc_url,
                "RENTROLL_CHAIN_ID": str(CHAIN_ID),
                "RENTROLL_DEPLOYMENT_FILE": str(deployment_file.resolve()),
                **environment,
            },
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    # brownie exits 0 even when a script raises, so the file decides.
    if run.returncode != 0 or not deployment_file.exists():
        raise RuntimeError(f"deployment failed:\n{run.stdout}\n{run.stderr}")
    return run.stdout


def main() -> None:
    """Run anvil in the foreground until interrupted, and print its address."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    with dev_chain() as chain:
        print(chain.rpc_url, flush=True)
        try:
            chain.process.wait()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
