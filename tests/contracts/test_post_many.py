"""StatementRegistry.postMany: many facilities under one set of signatures, and what it costs."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import brownie
import pytest
from brownie import chain
from eth_abi.abi import encode

from api.domain.hashing import keccak
from api.domain.statements.statement import statement_hash
from api.domain.units import FacilityId
from tests.contracts.attesting import batch_digest, batch_tree, by_address, in_batch_order, signed
from tests.contracts.conftest import facility_terms
from tests.contracts.model import World
from tests.contracts.registry_world import (
    CANCELLED,
    FACILITY_ID,
    Batch,
    empty_statement,
    wait_until,
)
from tests.ledgers import facility

ROOT = Path(__file__).resolve().parents[2]
NODE = r"""
const { StandardMerkleTree } = require("@openzeppelin/merkle-tree");
const rows = JSON.parse(require("fs").readFileSync(0, "utf8"));
const tree = StandardMerkleTree.of(rows, ["bytes32"]);
console.log(JSON.stringify({ root: tree.root, proofs: rows.map((_, i) => tree.getProof(i)) }));
"""
# A posting and its part of a settlement, in a batch of fifty facilities: decision 9.
GOAL, FACILITIES = 120_000, 50


def _idle(book, count, **changes):
    """First statements of facilities 10, 11, … of the first panel, which are idle."""
    found = []
    for place in range(count):
        terms = facility(10 + place, window_start_s=book.terms.window_start_s, first=50 * place)
        book.set_facility(terms, approved=False, **changes)
        found.append(empty_statement(terms, 0))
    return found


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 33])
def test_batch_root__any_number__is_that_of_openzeppelins_tree(book, count):
    """ATTACKS 22: anybody's tools prove that a statement was in a batch."""
    hashes = [keccak(b"statement %d" % i) for i in range(count)]
    rows = [["0x" + given.hex()] for given in hashes]
    run = subprocess.run(
        ["node", "-e", NODE], input=json.dumps(rows), cwd=ROOT, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    theirs, tree = json.loads(run.stdout), batch_tree(hashes)

    root = book.registry.batchRoot([hashes[i] for i in in_batch_order(hashes)])

    assert "0x" + bytes(root).hex() == theirs["root"] == "0x" + tree.root.hex()
    ours = [["0x" + node.hex() for node in tree.proof(i)] for i in range(count)]
    assert ours == theirs["proofs"]
    digest = book.registry.batchDigest(root)
    assert bytes(digest) == batch_digest(book.registry, bytes(root))


def test_post_many__one_set_of_signatures__posts_every_statement(book):
    """Rule 18: as if each had been posted by itself."""
    batch = Batch(book, [*_idle(book, 4), empty_statement(book.terms, 0)])

    done = batch.post()

    events = done.events["StatementPosted"]
    assert [e["facilityId"] for e in events] == [s.facility_id for s in batch.statements]
    assert "StatementSkipped" not in done.events
    signers = [a.address for a in book.attesters[:2]]
    for event, statement in zip(events, batch.statements, strict=True):
        assert event["statementHash"] == "0x" + statement_hash(statement).hex()
        assert list(event["attesters"]) == signers
        place = (statement.facility_id, 0)
        record = tuple(book.registry.statementOf(*place))
        assert bytes(record[0]) == statement_hash(statement)
        assert record[1:] == (done.timestamp, statement.available_gpu_seconds, 0)
        assert list(book.registry.signersOf(*place)) == signers


def test_post_many__some_cannot_be_posted__are_skipped_with_their_reason(book):
    """Rule 17: one bad facility hurts no other."""
    good, posted, cancelled, invalid, other = _idle(book, 5)
    book.post(posted)
    book.facilities.setState(cancelled.facility_id, CANCELLED, {"from": book.owner})
    invalid = replace(invalid, top_renter_bps=10_001)
    seats = by_address([book.new_attester(), *book.attesters[:2]])
    book.members.setPanel(2, seats, {"from": book.owner})
    terms = facility(14, window_start_s=book.terms.window_start_s, first=200)
    book.set_facility(terms, panel=2, approved=False)
    bad = {
        posted.facility_id: ("EpochOutOfOrder", ["uint64", "uint32", "uint32"], [11, 1, 0]),
        cancelled.facility_id: ("FacilityNotDelivering", ["uint64"], [12]),
        invalid.facility_id: ("StatementInvalid", ["string"], ["topRenterBps"]),
        other.facility_id: ("PanelDiffers", ["uint64", "uint8", "uint8"], [14, 2, 1]),
    }
    batch = _led_by_the_first_panel(book, [good, posted, cancelled, invalid, other])

    done = batch.post()

    assert [e["facilityId"] for e in done.events["StatementPosted"]] == [good.facility_id]
    skipped = {e["facilityId"]: bytes(e["reason"]) for e in _skipped(done)}
    assert skipped == {number: _error(*given) for number, given in bad.items()}
    assert book.registry.epochsPosted(14) == 0


def _led_by_the_first_panel(book, statements):
    """A batch whose first statement is not that of facility 14, which has another panel."""
    for bps in range(100):
        batch = Batch(book, [replace(statements[0], committed_bps=bps), *statements[1:]])
        if batch.statements[0].facility_id != 14:
            return batch
    raise AssertionError


def _skipped(done):
    return list(done.events["StatementSkipped"]) if "StatementSkipped" in done.events else []


def _error(name, types, values):
    return keccak(f"{name}({','.join(types)})".encode())[:4] + encode(types, values)


def test_post_many__forged_quorum_or_other_batch__reverts_whole(book):
    """ATTACKS 18, 19: a statement added, left out, changed or signed alone is no such batch."""
    statements = _idle(book, 3)
    batch, smaller = Batch(book, statements), Batch(book, statements[:2])
    other = Batch(book, [*statements[:2], replace(statements[2], available_gpu_seconds=1)])
    wait_until(book.terms.window_end_s)
    a, b, _ = book.attesters
    rows = [given.as_abi_tuple() for given in batch.statements]
    alone = book.sign(batch.statements[0], [a, b])
    elsewhere = signed(batch_digest(book.deploy(), batch.tree.root), [a, b])
    outsider = book.new_attester()

    for given, attested, error in (
        (rows, batch.sign([a]), "QuorumMissing: 1, 2"),
        (rows, batch.sign([b, a]), "AttestersNotAscending"),
        (rows, batch.sign(by_address([a, outsider])), "NotOnPanel"),
        (rows, alone, "SignatureInvalid"),
        (rows, elsewhere, "SignatureInvalid"),
        (rows, smaller.sign([a, b]), "SignatureInvalid"),
        (rows, other.sign([a, b]), "SignatureInvalid"),
        (rows[:2], batch.sign([a, b]), "SignatureInvalid"),
        (rows[1:] + rows[:1], batch.sign([a, b]), "SignatureInvalid"),
        ([], batch.sign([a, b]), "BatchEmpty"),
    ):
        with brownie.reverts(revert_pattern=f"{error}.*"):
            book.registry.postMany(given, attested, {"from": book.anybody})
    # Nor is a batch's signature one over a statement.
    with brownie.reverts(revert_pattern="SignatureInvalid.*"):
        book.registry.post(rows[0], batch.sign([a, b]), {"from": book.anybody})
    with brownie.reverts("BatchEmpty: "):
        book.registry.batchRoot([])
    assert book.registry.epochsPosted(10) == 0
    batch.post()
    assert [book.registry.epochsPosted(i) for i in (10, 11, 12)] == [1, 1, 1]


def test_post_many__again_or_twice_the_same__posts_nothing_more(book):
    """ATTACKS 21: signatures are public; a repeat is skipped."""
    batch = Batch(book, _idle(book, 3))
    batch.post()

    again = batch.post()

    assert "StatementPosted" not in again.events
    assert len(again.events["StatementSkipped"]) == 3
    assert [book.registry.epochsPosted(i) for i in (10, 11, 12)] == [1, 1, 1]


@pytest.mark.parametrize("part", [0.35, 0.5, 0.75, 0.9])
def test_post_many__starved_of_gas__loses_nothing_for_good(book, part):
    """Whoever sends too little gas skips statements or fails; anybody sends the batch again."""
    batch = Batch(book, _idle(book, 8))
    wait_until(book.terms.window_end_s)
    rows = [given.as_abi_tuple() for given in batch.statements]
    whole = book.registry.postMany.estimate_gas(rows, batch.sign(), {"from": book.anybody})

    try:
        batch.post(gas_limit=int(whole * part))
    except brownie.exceptions.VirtualMachineError:
        posted = 0
    else:
        posted = sum(book.registry.epochsPosted(i) for i in range(10, 18))
    assert posted < 8
    batch.post()

    assert [book.registry.epochsPosted(i) for i in range(10, 18)] == [1] * 8


def test_post_signed__by_anybody__is_refused(book):
    """ATTACKS 26: only postMany, which checked the signatures, may post without them."""
    statement = empty_statement(book.terms, 0)
    wait_until(statement.epoch_end_s)
    signers = [a.address for a in book.attesters[:2]]

    for caller in (book.owner, book.attesters[0], book.anybody):
        with brownie.reverts(revert_pattern=f"(?i)NotThisContract: {caller}"):
            book.registry.postSigned(statement.as_abi_tuple(), 1, signers, 3, {"from": caller})
    assert book.registry.epochsPosted(FACILITY_ID) == 0


def test_post_many__paused__skips_what_has_not_ended(book):
    """ATTACKS 27: a pause stops postings of running facilities in batches too."""
    batch = Batch(book, _idle(book, 2))
    book.registry.pause({"from": book.owner})

    done = batch.post()

    reasons = {bytes(e["reason"]) for e in done.events["StatementSkipped"]}
    assert reasons == {keccak(b"EnforcedPause()")[:4]}
    book.registry.unpause({"from": book.owner})
    assert len(batch.post().events["StatementPosted"]) == 2


def test_post_many__fifty_facilities__cost_with_their_settlement_what_is_printed(
    deployed, accounts
):
    """Gas of a facility and epoch: 50 postings in one call, and one settlement of all 50."""
    contracts, attesters = deployed
    worlds, start_s = [], chain[-1].timestamp + 5_000
    for place in range(FACILITIES):
        devices = tuple(sorted(keccak(b"%d of %d" % (i, place)) for i in range(10)))
        terms = facility_terms(
            contracts, accounts, facility_id=FacilityId(100 + place), devices=devices,
            window_start_s=start_s, window_end_s=start_s + 14_400, expires_at_s=start_s,
        )  # fmt: skip
        world = World(contracts, terms, accounts, attesters)
        world.fund()
        worlds.append(world)
    posted, settled = 0, 0
    for epoch in range(2):
        statements = [world.statement(epoch, 1_000_000 + i) for i, world in enumerate(worlds)]
        hashes = [statement_hash(given) for given in statements]
        order = in_batch_order(hashes)
        digest = batch_digest(worlds[0].statements, batch_tree(hashes).root)
        worlds[0].wait_until(statements[0].epoch_end_s)
        rows = [statements[i].as_abi_tuple() for i in order]
        by_anybody = {"from": accounts[5]}
        post_many = worlds[0].statements.postMany
        posted = post_many(rows, signed(digest, attesters[:2]), by_anybody).gas_used
        for world, given in zip(worlds, hashes, strict=True):
            world.previous = given
            world.pay(1_000_100)
        chain.sleep(601)
        ids = [int(world.terms.facility_id) for world in worlds]
        settled = worlds[0].lockbox.settleMany(ids, by_anybody).gas_used

    each = [gas // FACILITIES for gas in (posted, settled)]
    print(
        f"a facility: posting {each[0]:,}, settlement {each[1]:,}, both {sum(each):,} of {GOAL:,}"
    )
    assert [worlds[0].lockbox.bookOf(100 + i)[2] for i in (0, 49)] == [2, 2]
