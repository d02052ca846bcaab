"""Attesters that are contracts: deployed, seated on a panel, and told how to answer."""

import json
from pathlib import Path

from api.chain import calldata
from api.chain.abi import Function
from api.chain.answers import to_bytes
from api.chain.calldata import checksum
from scripts.dev.stack import ATTESTER_ACCOUNTS, COMPLIANCE, RENTER
from tests.factories import DAY_S, HOUR_S
from tests.world import World, send, wallet

BUILT = Path(__file__).resolve().parents[1] / "build" / "contracts"
REFUSING, ACCEPTING, REVERTING = 0, 1, 2
# What a wallet takes for a signature is its own affair: here, of no key at all.
WORDS = b"\xab" * 70


def deploy(world: World, name: str) -> str:
    """Deploy a contract of the mocks; returns its address."""
    data = "0x" + json.loads((BUILT / f"{name}.json").read_text())["bytecode"]
    call = {"from": wallet(RENTER).address, "data": data, "gas": hex(1_000_000)}
    tx_hash = world.client.request("eth_sendTransaction", call, attempts=1)
    receipt = None
    while receipt is None:
        receipt = world.client.receipt(to_bytes("eth_sendTransaction", tx_hash))
    assert receipt.contract_address is not None
    return checksum(receipt.contract_address)


def set_mood(world: World, address: str, mood: int) -> None:
    """Tell a contract how to answer who asks whether it signed."""
    data = "0x" + Function("setMood", ("uint8",)).encode(mood).hex()
    send(world.client, wallet(RENTER).address, address, data)


def seat(world: World, attester: str) -> None:
    """Governance makes a contract an attester, with a bond and a seat."""
    registry, governance = world.contracts.attester_registry, wallet(COMPLIANCE).address
    join = calldata.call("AttesterRegistry", "setAttester", attester, True)
    send(world.client, governance, registry.address, join)
    payer, bond = wallet(RENTER).address, world.now(registry.minimum_bond_micros())
    approve = calldata.call("SettlementToken", "approve", registry.address, bond)
    send(world.client, payer, world.deployment.settlement_token, approve)
    deposit = calldata.call("AttesterRegistry", "depositBond", attester, bond)
    send(world.client, payer, registry.address, deposit)
    seats = [attester, *(wallet(account).address for account in ATTESTER_ACCOUNTS[:2])]
    seats.sort(key=lambda account: int(account, 16))
    panel = calldata.call("AttesterRegistry", "setPanel", 1, seats)
    send(world.client, governance, registry.address, panel)


def close_beside_contract(world: World) -> str:
    """Close an epoch of one hour's use, with a contract that accepts on the panel, and two keys.

    Returns: the contract's address. Two of the three are enough.
    """
    contract = deploy(world, "MockContractAttester")
    seat(world, contract)
    set_mood(world, contract, ACCEPTING)
    world.at(DAY_S)
    world.ledger.ingest(world.ledger.usage(0, 0, HOUR_S))
    world.at_cut_off(0)
    world.round()
    return contract
