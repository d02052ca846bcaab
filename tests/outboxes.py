"""What tests of the outbox look at: its rows, and whether the chain agrees with them."""

from typing import Any

from sqlalchemy import select

from api.db.session import reading
from api.db.tables.outbox import IntentRow, TxRow, intents, signed_transactions
from api.epochs.outbox import Outbox
from api.epochs.post import Post
from scripts.dev.stack import RELAYER
from tests.factories import DAY_S, HOUR_S
from tests.world import TRANCHES, World, wallet

GWEI = 10**9
# Deeper than what anvil calls finalized.
FINAL_BLOCKS = 70
SENDER = wallet(RELAYER).address


def attested(world: World, epoch: int = 0) -> World:
    """The world with an epoch's statement attested and ready to be posted."""
    world.at(DAY_S * (epoch + 1) - HOUR_S)
    world.ledger.ingest(
        world.ledger.usage(0, 24 * HOUR_S * epoch, 2 * HOUR_S + 24 * HOUR_S * epoch)
    )
    world.at_cut_off(epoch)
    # Final is what the node calls so, as for the outbox that is tested.
    world.worker(confirmations=None).run_once()
    world.attest()
    return world


def second_facility(world: World) -> int:
    """Another facility of the operator that delivers, with devices from 10 and its `lease-a`."""
    token = world.deployment.settlement_token
    tranches = {"name": "hall-2", "settlement_token": token, "tranches": TRANCHES}
    facility_id = world.ledger.add_facility(range(10, 14), **tranches)
    world.fund(facility_id)
    first, world.ledger.facility_id = world.ledger.facility_id, facility_id
    world.ledger.add_lease("lease-a")
    world.ledger.facility_id = first
    return facility_id


def store_due(world: World, outbox: Outbox | None = None) -> Outbox:
    """Note the postings that are due; nothing is signed."""
    outbox = outbox or world.outbox()
    posts = world.intents(Post(world.engine, world.contracts, world.evidence))
    assert outbox.store(posts, world.clock()) == 1
    return outbox


def advance(world: World, outbox: Outbox | None = None, *, later_s: int = 0) -> list[Any]:
    """One turn of an outbox, by default of a fresh process; gives the errors of its outcomes."""
    now_s = world.clock() + later_s
    return [o.error for o in (outbox or world.outbox()).advance(now_s)]


def intent_rows(world: World) -> list[IntentRow]:
    """All intents."""
    with reading(world.engine) as connection:
        found = connection.execute(select(intents).order_by(intents.c.intent_pk))
        return [IntentRow(**row._mapping) for row in found]


def tx_rows(world: World) -> list[TxRow]:
    """All transactions that were ever signed."""
    with reading(world.engine) as connection:
        found = connection.execute(
            select(signed_transactions).order_by(signed_transactions.c.tx_pk)
        )
        return [TxRow(**row._mapping) for row in found]


def mine(world: World, blocks: int = 1) -> None:
    """Mine blocks."""
    world.chain.rpc("anvil_mine", hex(blocks))


def sent_by(world: World, sender: str, *, first: int) -> list[Any]:
    """Transactions of a sender that are on the chain, from a block on."""
    head = world.client.head().number
    return [
        tx
        for number in range(first, head + 1)
        for tx in world.chain.rpc("eth_getBlockByNumber", hex(number), True)["transactions"]
        if tx["from"].lower() == sender.lower()
    ]


def unknown(world: World, *, first: int) -> list[str]:
    """Hashes that are on the chain from the relayer, and that the database does not know."""
    known = {"0x" + tx.tx_hash.hex() for tx in tx_rows(world)}
    return [tx["hash"] for tx in sent_by(world, SENDER, first=first) if tx["hash"] not in known]


def failed(world: World, *, first: int) -> list[str]:
    """Hashes of the relayer's transactions that reverted on the chain."""
    hashes = [tx["hash"] for tx in sent_by(world, SENDER, first=first)]
    receipts = [world.chain.rpc("eth_getTransactionReceipt", tx_hash) for tx_hash in hashes]
    return [r["transactionHash"] for r in receipts if r["status"] != "0x1"]


def pool_has(world: World, tx: TxRow) -> bool:
    """Whether the node knows a transaction that waits."""
    found = world.chain.rpc("eth_getTransactionByHash", "0x" + tx.tx_hash.hex())
    return found is not None and found["blockNumber"] is None
