"""Bench of the indexer: real logs of real contracts into a database, beside web3.py's decoding.

Both take turns over the same blocks of the same node, each in a process of its own that has done it
once before; a ratio is the median of the ratios of the rounds.
"""

import json
import multiprocessing
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import httpx
from eth_utils.address import to_checksum_address
from sqlalchemy import func, select
from web3 import HTTPProvider, Web3

from api.chain import calldata
from api.chain.client import ChainClient
from api.chain.contracts import Contracts
from api.chain.deployment import Deployment, load_deployment
from api.chain.emitted import EVENTS
from api.cli.collecting import rarely_collecting
from api.db.migrate import upgrade
from api.db.session import open_engine, reading
from api.db.tables.chain import chain_events
from api.domain.units import FacilityId, tranche_id
from api.epochs.index import Indexer
from api.epochs.reindex import decode_again
from scripts.bench.stage import HELD_UNITS, HOLDER, RENTER, Stage, address
from scripts.dev.devchain import ROOT

_GAS = hex(200_000)
_RPC_BATCH = 250
_LEASES = 40
# So that all that was made is final for whoever calls a block final by the number above it.
_BLOCKS_ABOVE = 100
# Nobody listens there.
_NOWHERE = "http://127.0.0.1:9"
# Contract name in the deployment, by the name of its artifact; the rest are the same.
_ARTIFACTS = {"SettlementToken": "MockStablecoin"}
Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Where:
    """The chain that is read, for another process."""

    rpc_url: str
    deployment_file: Path

    @property
    def deployment(self) -> Deployment:
        """Where the contracts are."""
        found = load_deployment(self.deployment_file)
        if found is None:
            raise RuntimeError(f"{self.deployment_file} is gone")
        return found


def produce(stage: Stage, facility_id: int, count: int) -> None:
    """Make `count` events: rent of one micro each, and every fourth a transfer of one unit."""
    lockbox, token = stage.deployment.rent_lockbox, stage.deployment.tranche_token
    settlement = stage.deployment.settlement_token
    renter, holder = address(RENTER), address(HOLDER)
    stage.send(RENTER, settlement, calldata.call("SettlementToken", "mint", renter, count))
    stage.send(RENTER, settlement, calldata.call("SettlementToken", "approve", lockbox, count))
    token_id = tranche_id(FacilityId(facility_id), 0)
    move = (holder, renter, token_id, 1, b"")
    transfer = calldata.call("TrancheToken", "safeTransferFrom", *move)
    nonces = {sender: stage.client.nonce(sender) for sender in (renter, holder)}
    transactions: list[dict[str, Any]] = []
    for number in range(count):
        if number % 4 == 3 and number // 4 < HELD_UNITS:
            transaction = {"from": holder, "to": token, "data": transfer}
        else:
            lease = (number % _LEASES).to_bytes(32, "big")
            pay = calldata.call("RentLockbox", "payRent", facility_id, lease, 1)
            transaction = {"from": renter, "to": lockbox, "data": pay}
        nonce = nonces[transaction["from"]]
        nonces[transaction["from"]] = nonce + 1
        transactions.append({**transaction, "gas": _GAS, "nonce": hex(nonce)})
    _mine(stage, transactions)
    stage.chain.rpc("anvil_mine", hex(_BLOCKS_ABOVE))


def _mine(stage: Stage, transactions: list[dict[str, Any]]) -> None:
    """Send without mining, many in one HTTP request; then mine until nothing waits."""
    stage.chain.rpc("evm_setAutomine", False)
    try:
        with httpx.Client(timeout=120) as http:
            for start in range(0, len(transactions), _RPC_BATCH):
                part = transactions[start : start + _RPC_BATCH]
                calls = [
                    {"jsonrpc": "2.0", "id": i, "method": "eth_sendTransaction", "params": [t]}
                    for i, t in enumerate(part)
                ]
                answers = http.post(stage.chain.rpc_url, json=calls).json()
                bad = [a["error"] for a in answers if "error" in a]
                if bad:
                    raise RuntimeError(f"anvil refused a transaction: {bad[0]}")
        for _ in range(len(transactions)):
            status = stage.chain.rpc("txpool_status")
            if not isinstance(status, dict) or int(status["pending"], 16) == 0:
                return
            stage.chain.rpc("evm_mine")
        raise RuntimeError("anvil does not mine what it was sent")
    finally:
        stage.chain.rpc("evm_setAutomine", True)


def index_once(where: Where, database_url: str) -> Figures:
    """Index the whole chain into an empty database, and decode the kept logs again.

    s: until it is done, the second look included.  stored_s: until the last row was stored.
    Both with the processor seconds of this process.
    """
    rarely_collecting()
    engine, deployment = open_engine(database_url), where.deployment
    try:
        upgrade(engine)
        stored = list[tuple[float, float]]()

        def note(*_: int) -> None:
            stored.append((time.perf_counter(), time.process_time()))

        with ChainClient(where.rpc_url) as client, ChainClient(_NOWHERE) as nowhere:
            indexer = Indexer(engine, Contracts(client, deployment))
            used_s, begun = time.process_time(), time.perf_counter()
            progress = indexer.advance(on_progress=note)
            done, cpu_s = time.perf_counter(), time.process_time() - used_s
            decode_again(engine, Contracts(nowhere, deployment), lambda *_: None)
            again_s = time.perf_counter() - done
        with reading(engine) as connection:
            count = connection.execute(select(func.count()).select_from(chain_events)).scalar_one()
        if progress.behind or count != progress.added:
            raise RuntimeError(f"{count} events stored, {progress.added} read, not at the head")
        at, at_cpu_s = stored[-1]
        figures = {"events": float(count), "s": done - begun, "cpu_s": cpu_s}
        figures |= {"stored_s": at - begun, "stored_cpu_s": at_cpu_s - used_s}
        return figures | {"reindex_s": again_s}
    finally:
        engine.dispose()


def web3_once(where: Where) -> Figures:
    """The peer: web3.py fetches and decodes the same events, and stores nothing."""
    rarely_collecting()
    web3, deployment = Web3(HTTPProvider(where.rpc_url)), where.deployment
    head, kinds = web3.eth.block_number, list[Any]()
    for name, events in EVENTS.items():
        artifact = ROOT / "build" / "contracts" / f"{_ARTIFACTS.get(name, name)}.json"
        abi = json.loads(artifact.read_text())["abi"]
        contract = web3.eth.contract(to_checksum_address(deployment.addresses[name]), abi=abi)
        kinds += [contract.events[event.__name__]() for event in events]
    used_s, begun = time.process_time(), time.perf_counter()
    found = sum(len(k.get_logs(from_block=deployment.start_block, to_block=head)) for k in kinds)
    spent_s, cpu_s = time.perf_counter() - begun, time.process_time() - used_s
    return {"events": float(found), "s": spent_s, "cpu_s": cpu_s}


@contextmanager
def fresh_process() -> Iterator[ProcessPoolExecutor]:
    """A process of its own, warm from its second task on."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


def measure(
    stage: Stage, databases: Mapping[str, Callable[[int], str]], *, rounds: int
) -> dict[str, Figures]:
    """Rounds of each kind of database and of web3.py, in turns.

    Args:    databases: URL of a new database of a kind, by the number of the round.
    """
    where = Where(stage.chain.rpc_url, stage.folder / "deployment.json")
    runs: dict[str, list[Figures]] = {kind: [] for kind in (*databases, "web3")}
    with ExitStack() as exits:
        pools = {kind: exits.enter_context(fresh_process()) for kind in runs}
        for number in range(rounds + 1):
            # Every second round the other way round.
            for kind in list(runs)[:: 1 if number % 2 else -1]:
                if kind == "web3":
                    found = pools[kind].submit(web3_once, where).result()
                else:
                    found = pools[kind].submit(index_once, where, databases[kind](number)).result()
                runs[kind].append(found)
    counts = {run["events"] for each in runs.values() for run in each}
    if len(counts) != 1:
        raise RuntimeError(f"not all found the same events: {sorted(counts)}")
    # The first of each was to be warm.
    warm = {kind: each[1:] for kind, each in runs.items()}
    return {kind: _figures(each, warm["web3"]) for kind, each in warm.items()}


def _figures(runs: list[Figures], peer: list[Figures]) -> Figures:
    """Medians of some runs, and of their ratios to those of the peer beside them."""
    events = runs[0]["events"]
    pairs = list(zip(runs, peer, strict=True))
    figures = {
        "events": events,
        "rounds": float(len(runs)),
        "events_per_s": events / median(run["s"] for run in runs),
        "cpu_us_per_event": median(run["cpu_s"] for run in runs) / events * 1e6,
        "times_web3": median(other["s"] / run["s"] for run, other in pairs),
        "cpu_times_web3": median(other["cpu_s"] / run["cpu_s"] for run, other in pairs),
    }
    if "stored_s" not in runs[0]:
        return figures
    return figures | {
        "stored_events_per_s": events / median(run["stored_s"] for run in runs),
        "stored_times_web3": median(other["s"] / run["stored_s"] for run, other in pairs),
        "stored_cpu_us_per_event": median(run["stored_cpu_s"] for run in runs) / events * 1e6,
        "stored_cpu_times_web3": median(
            other["cpu_s"] / run["stored_cpu_s"] for run, other in pairs
        ),
        "reindex_events_per_s": events / median(run["reindex_s"] for run in runs),
    }
