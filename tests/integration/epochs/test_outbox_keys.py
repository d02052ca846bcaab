"""The relayer's key changes while transactions are open; what people may do to an intent."""

import pytest

from api.cli import intents as verbs
from api.cli.doctor import diagnose
from api.errors import Conflict, NotFound
from scripts.dev.stack import RENTER
from tests.outboxes import (
    FINAL_BLOCKS,
    SENDER,
    advance,
    attested,
    failed,
    intent_rows,
    mine,
    pool_has,
    sent_by,
    store_due,
    tx_rows,
    unknown,
)
from tests.world import World, send, signer_of, wallet

pytestmark = pytest.mark.chain
# The key that comes after the relayer's.
NEXT = RENTER


@pytest.fixture
def open_(world: World) -> World:
    """A world whose first posting is sent and not mined."""
    attested(world)
    world.chain.rpc("evm_setAutomine", False)
    advance(world, store_due(world))
    return world


def _drop(world: World) -> None:
    world.chain.rpc("anvil_dropTransaction", "0x" + tx_rows(world)[-1].tx_hash.hex())


def test_advance__key_replaced_and_the_old_one_has_no_funds__posting_is_taken_over(
    open_: World,
) -> None:
    """F3 of the findings: the facility was wedged, and each round burned gas."""
    _drop(open_)
    open_.chain.rpc("anvil_setBalance", SENDER, "0x0")
    first = open_.client.head().number
    open_.chain.rpc("evm_setAutomine", True)
    mine(open_)

    told = advance(open_, open_.outbox(signer=signer_of(NEXT)))

    assert told == [None]
    assert open_.posted == 1
    old, new = tx_rows(open_)
    assert (old.sender, new.sender) == (SENDER, wallet(NEXT).address)
    assert intent_rows(open_)[0].state == "mined"
    # The old bytes are not sent again beside the new ones.
    open_.chain.rpc("anvil_setBalance", SENDER, hex(10**20))
    mine(open_)
    advance(open_, open_.outbox(signer=signer_of(NEXT)))
    assert not pool_has(open_, old)
    assert sent_by(open_, SENDER, first=first) == []


def test_advance__key_replaced_and_the_old_one_is_good__its_transaction_is_waited_for(
    open_: World,
) -> None:
    """Two relayers with keys of their own: one that lives is left alone."""
    first, later = open_.client.head().number, open_.outbox(signer=signer_of(NEXT))

    assert advance(open_, later) == []
    assert len(tx_rows(open_)) == 1
    mine(open_)
    assert advance(open_, later) == [None]

    assert len(sent_by(open_, SENDER, first=first)) == 1
    assert intent_rows(open_)[0].state == "mined"


def test_advance__old_key_says_nothing_for_many_blocks__posting_is_taken_over(
    open_: World,
) -> None:
    _drop(open_)
    later = open_.outbox(signer=signer_of(NEXT))
    for _ in range(31):
        mine(open_)
        _drop(open_)
    open_.chain.rpc("evm_setAutomine", True)

    assert advance(open_, later) == [None]
    assert open_.posted == 1
    assert tx_rows(open_)[-1].sender == wallet(NEXT).address


def test_advance__old_transaction_is_mined_after_it_was_taken_over__happens_once(
    open_: World,
) -> None:
    """Both may be mined: on the chain the second reverts, and the intent is done by the first."""
    old_raw = tx_rows(open_)[0].raw_tx
    _drop(open_)
    for _ in range(31):
        mine(open_)
        _drop(open_)
    later = open_.outbox(signer=signer_of(NEXT))
    advance(open_, later)
    taken_over = tx_rows(open_)[-1]
    assert taken_over.sender == wallet(NEXT).address
    # The old one comes first after all.
    open_.chain.rpc("anvil_dropTransaction", "0x" + taken_over.tx_hash.hex())
    open_.client.send_raw(old_raw)
    mine(open_)
    assert open_.posted == 1

    for _ in range(8):
        advance(open_, later)
        mine(open_)
    advance(open_, later)

    assert intent_rows(open_)[0].state == "mined"
    # Its own nonce went to a call that does nothing: what would revert is not sent.
    assert [(t.purpose, t.state) for t in tx_rows(open_) if t.sender != SENDER] == [
        ("call", "sent"),
        ("cancel", "mined"),
    ]


def test_cancel__under_way__its_nonce_goes_to_a_call_that_does_nothing(open_: World) -> None:
    first = open_.client.head().number
    (intent,) = intent_rows(open_)

    said = verbs.cancel(open_.settings(), intent.intent_pk)
    advance(open_)
    mine(open_)
    advance(open_)
    waits = intent_rows(open_)[0].state
    mine(open_, FINAL_BLOCKS)
    advance(open_)

    old, new = tx_rows(open_)
    assert "in its next round" in said
    assert (old.nonce, old.state) == (new.nonce, "replaced")
    assert (new.purpose, new.state) == ("cancel", "final")
    assert 8 * new.max_fee_wei >= 9 * old.max_fee_wei
    assert (waits, intent_rows(open_)[0].state) == ("cancelling", "cancelled")
    assert (open_.posted, unknown(open_, first=first)) == (0, [])
    # Nobody sends it again until somebody says so.
    open_.chain.rpc("evm_setAutomine", True)
    assert open_.worker().run_once().outcomes == ()
    verbs.resend(open_.settings(), intent.intent_pk)
    assert [o.error for o in open_.worker().run_once().outcomes] == [None]
    assert open_.posted == 1


def test_cancel__mined_all_the_same__is_what_the_chain_says(open_: World) -> None:
    (intent,) = intent_rows(open_)
    verbs.cancel(open_.settings(), intent.intent_pk)
    mine(open_)

    advance(open_)

    assert intent_rows(open_)[0].state == "mined"
    assert failed(open_, first=0) == []
    with pytest.raises(Conflict, match="is mined"):
        verbs.cancel(open_.settings(), intent.intent_pk)


def test_cancel__not_sent_yet__is_never_sent(world: World) -> None:
    attested(world)
    store_due(world)
    (intent,) = intent_rows(world)

    verbs.cancel(world.settings(), intent.intent_pk)

    assert world.worker().run_once().outcomes == ()
    assert (tx_rows(world), intent_rows(world)[0].state) == ([], "cancelled")


def test_resend__refused__is_tried_at_once(world: World) -> None:
    attested(world)
    outbox = store_due(world)
    governance, registry = wallet(0).address, world.deployment.statement_registry
    send(world.client, governance, registry, "0x8456cb59")
    advance(world, outbox)
    send(world.client, governance, registry, "0x3f4ba83a")
    assert advance(world, outbox) == []

    verbs.resend(world.settings(), intent_rows(world)[0].intent_pk)

    assert advance(world, outbox) == [None]


def test_adopt__asked_for__is_taken_over_at_once(open_: World) -> None:
    _drop(open_)
    (intent,) = intent_rows(open_)
    later = open_.outbox(signer=signer_of(NEXT))
    mine(open_)
    _drop(open_)

    verbs.adopt(open_.settings(), intent.intent_pk)
    advance(open_, later)

    assert [t.sender for t in tx_rows(open_)] == [SENDER, wallet(NEXT).address]


def test_list__open__names_hashes_senders_and_reasons(open_: World) -> None:
    (shown,) = verbs.listed(open_.settings(), everything=False)

    assert (shown["kind"], shown["state"]) == ("post", "sent")
    (tx,) = shown["transactions"]
    assert tx["hash"] == "0x" + tx_rows(open_)[0].tx_hash.hex()
    assert (tx["sender"], tx["state"]) == (SENDER, "sent")


def test_verbs__unknown_intent__is_named(world: World) -> None:
    for verb in (verbs.cancel, verbs.resend, verbs.adopt):
        with pytest.raises(NotFound, match="no intent 7"):
            verb(world.settings(), 7)


def test_doctor__transactions__says_what_is_refused_and_what_cannot_be_sent(world: World) -> None:
    def found() -> list[tuple[str, str]]:
        checks = diagnose(world.settings())
        return [(c.level, c.message) for c in checks if c.name == "transactions"]

    assert found() == [("ok", "0 under way, none refused")]
    attested(world)
    outbox = store_due(world)
    send(world.client, wallet(0).address, world.deployment.statement_registry, "0x8456cb59")
    advance(world, outbox)
    assert found() == [("warn", "1 would revert, and are tried again later")]
    send(world.client, wallet(0).address, world.deployment.statement_registry, "0x3f4ba83a")
    world.chain.rpc("anvil_setBalance", SENDER, "0x0")
    advance(world, outbox, later_s=60)
    assert found()[0][0] == "fail"
    assert "funds" in found()[0][1]
