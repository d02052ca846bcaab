"""Everything that runs in a chaotic run: chain, database, service, attesters, two facilities."""

import json
import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx

from api.chain import calldata
from api.chain.answers import to_bytes
from api.chain.client import ChainClient
from api.chain.contracts import Contracts
from api.chain.contracts.call import Call
from api.chain.deployment import load_deployment
from api.domain.metering.instants import format_instant
from api.domain.units import FacilityId, tranche_id
from api.errors import AppError
from scripts.dev.devchain import DevChain, dev_chain, free_port
from scripts.dev.stack import (
    ADMIN_KEY,
    ATTESTER_ACCOUNTS,
    COMPLIANCE,
    INVESTOR,
    MINIMUM_BOND,
    OPERATORS,
    RELAYER,
    RENTER,
    SLASH_AMOUNT,
    wallet,
)
from tests.chain_proxy import ChainProxy
from tests.chaos.hall import EPOCH_S, Hall
from tests.chaos.postgres import Postgres
from tests.chaos.processes import Processes
from tests.chaos.virtual_time import VirtualTime
from tests.saved_chain import deploy_or_load

# Confirmations of everybody; reorgs of a run are shallower.
CONFIRMATIONS = 4
GRACE_S, WINDOW_S = 30, 60
# Time of the chain's first block: 2026-01-01T00:00:00Z, so that a deployment is made once.
_GENESIS_S = 1_767_225_600
RELAYERS = (RELAYER, 9)
HOLDER = 10
_ATTESTERS = {f"attester-{index}": index for index in ATTESTER_ACCOUNTS}
_PRICE_MICROS = 3_600_000
_ATTESTER = """\
[attester]
memory = {memory}
poll_ms = 200
[service]
url = {url}
api_key_file = {api_key_file}
[chain]
rpc_url = {rpc_url}
registry = {registry}
confirmations = {confirmations}
[key]
kind = "raw"
file = {key_file}
[refusals]
folder = {refusals}
port = 0
"""


class Site:
    """The system. Only what a test does itself goes to the chain without a proxy."""

    def __init__(
        self, folder: Path, server: Postgres | None, broken: str | None, exits: ExitStack
    ) -> None:
        self.folder, self.server, self._broken = folder, server, broken
        self.chain: DevChain = exits.enter_context(
            dev_chain(timestamp_s=_GENESIS_S, log=folder / "anvil.log")
        )
        self.client = exits.enter_context(ChainClient(self.chain.rpc_url))
        file = folder / "deployment.json"
        deploy_or_load(
            self.chain,
            file,
            {
                "RENTROLL_ATTESTERS": ",".join(wallet(i).address for i in ATTESTER_ACCOUNTS),
                "RENTROLL_OPERATORS": ",".join(wallet(i).address for i in OPERATORS),
                "RENTROLL_CHALLENGE_WINDOW_S": str(WINDOW_S),
                "RENTROLL_MINIMUM_BOND": str(MINIMUM_BOND),
                "RENTROLL_SLASH_AMOUNT": str(SLASH_AMOUNT),
            },
        )
        deployment = load_deployment(file)
        assert deployment is not None
        self.deployment = deployment
        self.contracts = Contracts(self.client, deployment)
        self.database_url = server.url if server else f"sqlite:///{folder}/rentroll.db"
        self.proxies = {
            name: exits.enter_context(ChainProxy(self.chain.rpc_url))
            for name in ("api", "worker", "worker-2", *_ATTESTERS)
        }
        self._port = free_port()
        self.api_url = f"http://127.0.0.1:{self._port}"
        self.processes = Processes(folder, self._environment())
        exits.callback(self.processes.close)
        # Behind the deployment, which may have taken a while: its roles begin when it was done.
        start_s = self.client.head().time_s + 60
        self.time = VirtualTime(self.chain, self.client, self.processes, start_s=start_s)
        self.time.tick()
        self._http = exits.enter_context(httpx.Client(base_url=self.api_url, timeout=30))
        self.halls: list[Hall] = []
        self._keys: dict[str, str] = {}

    def _environment(self) -> dict[str, str]:
        return {
            "DATABASE_URL": self.database_url,
            "RENTROLL_RPC_URL": self.proxies["api"].url,
            "RENTROLL_DEPLOYMENT_FILE": str(self.folder / "deployment.json"),
            "RENTROLL_EVIDENCE_DIR": str(self.folder / "evidence"),
            "RENTROLL_GRACE_S": str(GRACE_S),
            "RENTROLL_CONFIRMATIONS": str(CONFIRMATIONS),
            "RENTROLL_POLL_S": "0.2",
            "RENTROLL_ADMIN_KEY": ADMIN_KEY,
            "RENTROLL_API_URL": self.api_url,
            "RENTROLL_WEB_DIR": str(self.folder / "none"),
            "CHAOS_BROKEN": self._broken or "",
        }

    # --- processes ------------------------------------------------------------------------------

    def _key(self, index: int) -> str:
        path = self.folder / f"account-{index}.key"
        path.touch(mode=0o600)
        path.write_text(wallet(index).key.hex())
        return str(path)

    def key_of_relayer(self, place: int) -> str:
        """File of one of the relayers' keys."""
        return self._key(RELAYERS[place % len(RELAYERS)])

    def start_api(self) -> None:
        """The API, on the same port in all its lives."""
        self.time.set_clock("api")
        self.processes.start("api", "serve", "--port", str(self._port))
        self.wait("the API", self.answers)

    def answers(self) -> bool:
        """Whether the API does."""
        try:
            return self._http.get("/livez").status_code == HTTPStatus.OK
        except httpx.HTTPError:
            return False

    def start_workers(self, count: int) -> None:
        """Workers, each behind a proxy of its own and with a relayer's key of its own."""
        for place, name in enumerate(("worker", "worker-2")[:count]):
            self.time.set_clock(name)
            self.processes.start(
                name,
                "worker",
                RENTROLL_RPC_URL=self.proxies[name].url,
                RENTROLL_RELAYER_KEY_FILE=self.key_of_relayer(place),
            )

    def start_attesters(self) -> None:
        """All seats of the panel."""
        for name, index in _ATTESTERS.items():
            folder = self.folder / name
            folder.mkdir()
            named = {"label": name, "attester": wallet(index).address}
            made = self.post("/v1/attester-keys", named, ADMIN_KEY)
            secret = folder / "api.key"
            secret.touch(mode=0o600)
            secret.write_text(made["api_key"])
            values = {
                "memory": folder / "memory.jsonl",
                "url": self.api_url,
                "api_key_file": secret,
                "rpc_url": self.proxies[name].url,
                "registry": self.deployment.statement_registry,
                "key_file": self._key(index),
                "refusals": folder / "refusals",
            }
            texts = {key: json.dumps(str(value)) for key, value in values.items()}
            file = folder / "attester.toml"
            file.write_text(_ATTESTER.format(**texts, confirmations=CONFIRMATIONS))
            self.time.set_clock(name)
            self.processes.start(name, "attester", "run", "--settings", str(file))

    # --- the API, which may be down at any moment -----------------------------------------------

    def post(self, path: str, body: Any, key: str) -> Any:
        """POST JSON until it is answered: all of ours can be sent again."""
        return self._asked("POST", path, key, body)

    def get(self, path: str) -> Any:
        """GET JSON until it is answered."""
        return self._asked("GET", path, "", None)

    def _asked(self, method: str, path: str, key: str, body: Any) -> Any:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        deadline = time.monotonic() + 180
        said = ""
        while time.monotonic() < deadline:
            self.processes.watch()
            try:
                answer = self._http.request(method, path, json=body, headers=headers)
            except httpx.HTTPError as error:
                said = repr(error)
            else:
                if answer.is_success:
                    return answer.json()
                said = f"{answer.status_code} {answer.text[:300]}"
                if answer.status_code < 500 and answer.status_code != 429:
                    break
            time.sleep(0.1)
        raise RuntimeError(f"{method} {path}: {said}")

    def indexed(self) -> int:
        """The newest block that the index has; -1 where nobody says."""
        try:
            return int(self._http.get("/v1/status").json()["indexed_block"] or -1)
        except (httpx.HTTPError, ValueError, KeyError):
            return -1

    # --- the chain ------------------------------------------------------------------------------

    def now(self, call: Call[Any]) -> Any:
        """What contracts answer at the newest block."""
        return call.at(block=self.client.head().number)

    def call(self, index: int, contract: str, name: str, *arguments: Any) -> None:
        """A transaction of a well-known account."""
        to = self.deployment.addresses[contract]
        self.send(index, to, calldata.call(contract, name, *arguments))

    def send(self, index: int, to: str, data: str) -> None:
        """The same, of calldata; again if a reorg or a dropped pool took it."""
        asked = {"from": wallet(index).address, "to": to, "data": data, "gas": hex(5_000_000)}
        for _ in range(10):
            try:
                sent = self.client.request("eth_sendTransaction", asked, attempts=1)
            except Exception:
                time.sleep(0.3)
                continue
            tx_hash = to_bytes("eth_sendTransaction", sent)
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline:
                receipt = self.client.receipt(tx_hash)
                if receipt is not None:
                    if not receipt.succeeded:
                        raise RuntimeError(f"a transaction of account {index} reverted")
                    return
                time.sleep(0.02)
        raise RuntimeError(f"a transaction of account {index} was not mined")

    # --- facilities -----------------------------------------------------------------------------

    def open_halls(self, count: int, epochs: int) -> None:
        """Offer, mint and fund facilities; their attesters approve by themselves."""
        for index in (*OPERATORS, HOLDER):
            account = wallet(index).address
            self.call(COMPLIANCE, "InvestorRegistry", "setInvestor", account, INVESTOR)
        self.call(RENTER, "SettlementToken", "mint", wallet(RENTER).address, 10**15)
        lockbox = self.deployment.rent_lockbox
        self.call(RENTER, "SettlementToken", "approve", lockbox, 10**15)
        start_s = int(self.time.now_s()) // 3_600 * 3_600 + 3_600
        for place in range(count):
            self.halls.append(self._open(OPERATORS[place % len(OPERATORS)], place, start_s, epochs))
        # What a run begins with is final: no reorg takes it back.
        for _ in range(CONFIRMATIONS):
            self.time.tick()

    def _open(self, operator: int, place: int, start_s: int, epochs: int) -> Hall:
        name = f"hall-{place}"
        address = wallet(operator).address
        if address not in self._keys:
            named = {"name": f"operator-{operator}", "address": address}
            self._keys[address] = self.post("/v1/operators", named, ADMIN_KEY)["api_key"]
        key = self._keys[address]
        devices = tuple(f"GPU-{uuid.uuid5(uuid.NAMESPACE_URL, f'{name}/{i}')}" for i in range(2))
        # Whole hours of capacity, and whole epochs of a window.
        units = len(devices) * epochs * EPOCH_S // 3_600
        made = self.post(
            "/v1/facilities",
            {
                "name": name,
                "gpu_class": "H100-SXM5-80GB",
                "site": "SE-LULEA-1",
                "window_start": format_instant(start_s),
                "window_end": format_instant(start_s + epochs * EPOCH_S),
                "epoch_length_s": EPOCH_S,
                "tranches": [{"unit_cap": units}],
                "devices": devices,
            },
            key,
        )
        facility_id = FacilityId(made["facility_id"])
        self.post(
            f"/v1/facilities/{facility_id}/leases",
            {
                "lease_id": f"lease-{facility_id}",
                "renter_ref": f"renter-{facility_id}",
                "plan": "on_demand",
                "opened_at": format_instant(start_s),
                "price_micros_per_gpu_hour": _PRICE_MICROS,
            },
            key,
        )
        self.send(operator, made["offer"]["to"], made["offer"]["data"])
        self.call(operator, "BondVault", "setTerms", facility_id, (0, 400_000))
        holder, token = wallet(HOLDER).address, tranche_id(facility_id, 0)
        self.call(operator, "TrancheToken", "mint", holder, token, units)
        approved = self.contracts.pledge_registry.is_approved(facility_id)
        self.wait("the approval of a pledge", lambda: self.now(approved))
        self.call(operator, "FacilityRegistry", "fund", facility_id)
        return Hall(facility_id, devices, start_s, epochs, key)

    def wait(self, what: str, done: Callable[[], Any], *, timeout_s: float = 180) -> float:
        """Wait, and start again what ends meanwhile. Returns seconds. Raises TimeoutError."""
        started = time.monotonic()
        while True:
            # The chain may lose the block that is asked in the very moment.
            with suppress(AppError):
                if done():
                    return time.monotonic() - started
            self.processes.watch()
            waited_s = time.monotonic() - started
            if waited_s > timeout_s:
                raise TimeoutError(f"waited {waited_s:.0f} s for {what}")
            time.sleep(0.05)


@contextmanager
def running_site(
    folder: Path, server: Postgres | None, broken: str | None = None
) -> Iterator[Site]:
    """A site until the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.pop("DATABASE_URL", None)
    with ExitStack() as exits:
        yield Site(folder, server, broken, exits)
