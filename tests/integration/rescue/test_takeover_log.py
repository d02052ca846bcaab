"""A log that is taken over: its key, receipts, and entries that its escrow lacks."""

import pytest

from api.db.log_keys import newest_receipt
from api.db.session import reading
from api.domain.log.keys import successor_body
from api.domain.log.receipts import Receipt
from api.local.key_file import load_or_make_key
from tests.factories import DAY_S, HOUR_S
from tests.integration.rescue.drill import tree
from tests.integration.rescue.heir import Heir
from tests.signing import Author, name_on_chain, raw_key
from tests.world import World

pytestmark = pytest.mark.chain


def signing(world: World) -> Author:
    """The operator's ledger key, in the log."""
    author = Author(world)
    name_on_chain(world, author.public)
    assert author.bring_itself().status_code == 200
    return author


def newest(author: Author) -> Receipt | None:
    """The receipt that the service has of a key's newest entry."""
    with reading(author.world.engine) as connection:
        return newest_receipt(connection, author.world.facility_id, author.public)


def test_takeover__older_than_the_posted_head__gets_its_entries_back_from_agents(
    world: World,
) -> None:
    """A stale escrow: until the log has all, nothing is written; then all is the same bytes."""
    heir = Heir(world)
    world.at(DAY_S)
    author = signing(world)
    assert author.taken(world.ledger.usage(0, 0, 2 * HOUR_S)) == ["accepted"]
    world.post(0)
    heir.pull(world.ledger)
    assert author.taken(world.ledger.usage(1, DAY_S, DAY_S + HOUR_S)) == ["accepted"]
    world.post(1)
    assert author.taken(world.ledger.usage(2, 2 * DAY_S, 2 * DAY_S + 60)) == ["accepted"]
    published = tree(world.evidence.root)
    heir.lose()

    (taken,) = heir.take_over(world.ledger).facilities
    behind = author.send(world.ledger.usage(3, 2 * DAY_S, 2 * DAY_S + 60))
    given = [author.give_back(-2), author.give_back(-1)]
    world.round()

    assert "published statements of epochs 1 to 1 rest on entries up to" in taken.said[0]
    assert behind.json()["code"] == "log_behind"
    assert [answer.json()["state"] for answer in given] == ["restored", "restored"]
    assert tree(world.evidence.root) == published
    assert author.taken(world.ledger.usage(3, 2 * DAY_S, 2 * DAY_S + 60)) == ["accepted"]
    world.at_cut_off(2)
    world.round()
    # Of epoch 1 the database has no signatures: attesters without memory sign nothing posted.
    assert [v.signed for v in world.attest() if v.epoch == 2] == [True, True]
    world.round()
    assert world.posted == 3
    assert world.verify().ok


def test_takeover__with_the_key_of_the_log__gives_receipts_on(world: World) -> None:
    heir = Heir(world)
    world.at(DAY_S)
    author = signing(world)
    assert author.taken(world.ledger.usage(0, 0, 2 * HOUR_S)) == ["accepted"]
    heir.pull(world.ledger)
    heir.lose()

    (taken,) = heir.take_over(world.ledger).facilities

    assert taken.said == []
    assert newest(author) == author.receipts[-1]
    assert author.taken(world.ledger.usage(1, 0, HOUR_S)) == ["accepted"]


def test_takeover__without_the_key_of_the_log__waits_for_one_that_the_operator_names(
    world: World,
) -> None:
    heir = Heir(world)
    world.at(DAY_S)
    author = signing(world)
    assert author.taken(world.ledger.usage(0, 0, 2 * HOUR_S)) == ["accepted"]
    heir.pull(world.ledger)
    heir.lose()
    key_file = world.settings().log_key_path
    key_file.rename(key_file.with_suffix(".lost"))
    new = load_or_make_key(key_file)

    (taken,) = heir.take_over(world.ledger, with_key=False).facilities
    refused = author.send(world.ledger.usage(1, 0, HOUR_S))
    unsigned = world.ledger.codes(world.ledger.usage(2, 0, HOUR_S))

    assert "is not here: no receipt is given" in taken.said[0]
    assert newest(author) is None
    assert refused.json()["code"] == "misconfigured"
    assert unsigned == ["accepted"]
    heir.give_a_key(world.ledger)
    named = author.post("/v1/log/successor", successor_body(raw_key(new)), bearer=True)
    assert named.status_code == 200, named.text
    assert author.taken(world.ledger.usage(3, 0, HOUR_S)) == ["accepted"]
    world.post(0)
