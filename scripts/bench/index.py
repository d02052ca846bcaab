"""Bench of the indexer: real logs of real contracts into a database, beside web3.py's decoding."""

import json
import time
from typing import Any

import httpx
from eth_utils.address import to_checksum_address
from sqlalchemy import func, select
from web3 import HTTPProvider, Web3

from api.chain import calldata
from api.chain.emitted import EVENTS
from api.db.migrate import upgrade
from api.db.session import open_engine, reading
from api.db.tables.chain import chain_events
from api.domain.units import FacilityId, tranche_id
from api.epochs.index import Indexer
from scripts.bench.stage import HELD_UNITS, HOLDER, RENTER, Stage, address
from scripts.dev.devchain import ROOT

_GAS = hex(200_000)
_RPC_BATCH = 250
_LEASES = 40
# Contract name in the deployment, by the name of its artifact; the rest are the same.
_ARTIFACTS = {"SettlementToken": "MockStablecoin"}


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


def measure(stage: Stage, database_url: str) -> dict[str, float]:
    """Index the whole chain into an empty database."""
    engine = open_engine(database_url)
    try:
        upgrade(engine)
        indexer = Indexer(engine, stage.contracts)
        started = time.perf_counter()
        progress = indexer.advance()
        spent = time.perf_counter() - started
        with reading(engine) as connection:
            stored = connection.execute(select(func.count()).select_from(chain_events)).scalar_one()
        if progress.behind or stored != progress.added:
            raise RuntimeError(f"{stored} events stored, {progress.added} read, not at the head")
        return {"events": float(stored), "events_per_s": stored / spent}
    finally:
        engine.dispose()


def measure_web3(stage: Stage) -> dict[str, float]:
    """The peer: web3.py fetches and decodes the same events, and stores nothing."""
    web3 = Web3(HTTPProvider(stage.chain.rpc_url))
    head = web3.eth.block_number
    found = 0
    started = time.perf_counter()
    for name, events in EVENTS.items():
        artifact = ROOT / "build" / "contracts" / f"{_ARTIFACTS.get(name, name)}.json"
        abi = json.loads(artifact.read_text())["abi"]
        at = to_checksum_address(stage.deployment.addresses[name])
        contract = web3.eth.contract(address=at, abi=abi)
        for event in events:
            logs = contract.events[event.__name__]().get_logs(
                from_block=stage.deployment.start_block, to_block=head
            )
            found += len(logs)
    spent = time.perf_counter() - started
    return {"events": float(found), "events_per_s": found / spent}
