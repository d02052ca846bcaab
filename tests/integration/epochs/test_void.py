"""A false statement of colluding attesters: seen by verify, voided by proof, posted again."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from api.attester.chain_facts import ChainFacts
from api.attester.memory import SignedMemory
from api.chain import calldata
from api.chain.client import RpcError
from api.db import statements as store
from api.db.session import reading
from api.db.standing import standing_posts
from api.domain.statements.evidence import hex32
from api.domain.statements.lines import usage_tree
from api.domain.statements.statement import Statement, statement_digest, statement_hash
from scripts.dev.stack import ATTESTER_ACCOUNTS, RENTER, wallet
from tests.factories import DAY_S, HOUR_S
from tests.world import World, send, signer_of

pytestmark = pytest.mark.chain


def _post_false(world: World) -> Statement:
    """Two of three attesters sign a dollar too much over the true lines, and post it."""
    false = replace(world.statement(0), gross_revenue_micros=3_000_000)
    registry = world.deployment.statement_registry
    digest = statement_digest(false, chain_id=world.deployment.chain_id, registry=registry)
    signers = [signer_of(i) for i in ATTESTER_ACCOUNTS[:2]]
    signatures = {s.address: s.sign_digest(digest) for s in signers}
    send(world.client, wallet(RENTER).address, registry, calldata.post(false, signatures))
    return false


def _challenge(world: World, false: Statement) -> None:
    with reading(world.engine) as connection:
        lines = store.lines_of(connection, false.facility_id, false.epoch)
    proof = usage_tree(false.facility_id, false.epoch, lines).proof(len(lines) - 1)
    data = calldata.challenge_line(false, lines[-1], proof)
    send(world.client, wallet(RENTER).address, world.deployment.statement_registry, data)


def _shown(world: World) -> Any:
    return world.http.get(f"/v1/facilities/{world.facility_id}/epochs/0").json()


def _delivered(world: World) -> tuple[int | None, int | None]:
    """Utilisation and availability on the market."""
    row = world.http.get("/v1/tranches").json()["tranches"][0]
    return row["utilisation_ppm"], row["availability_ppm"]


@pytest.mark.both_databases
def test_void__false_totals__are_seen_voided_and_posted_again(world: World) -> None:
    """ATTACKS 21, 24; invariant 6."""
    world.at(DAY_S)
    world.ledger.ingest(world.ledger.usage(0, 0, HOUR_S), world.ledger.usage(1, 0, HOUR_S))
    world.at_cut_off(0)
    world.round()
    assert all(v.signed for v in world.attest())
    false = _post_false(world)

    world.round()
    seen = world.verify()
    assert not seen.ok
    assert any("gross_revenue_micros" in f.sentence() for f in seen.findings)
    # What is shown as posted is what was posted, not what the ledger says.
    series = world.http.get(f"/v1/tranches/{world.token_ids[0]}/series").json()
    assert series["points"][0]["gross_micros"] == 3_000_000
    # Ours is not what stands: it is not posted, and its figures say nothing of what is.
    ours, hash_of_ours = _shown(world), hex32(statement_hash(world.statement(0)))
    assert (ours["state"], ours["posted_tx"], ours["posted_at_s"]) == ("attested", None, None)
    assert (ours["statement_hash"], ours["standing_hash"]) == (
        hash_of_ours,
        hex32(statement_hash(false)),
    )
    assert _delivered(world) == (None, None)
    mismatches = world.reconcile().mismatches
    assert [(m.number, m.epoch) for m in mismatches] == [("attested_micros", 0)]

    _challenge(world, false)
    assert world.posted == 0
    # Signatures of those who were slashed count again once their bonds are whole.
    world.round()
    assert world.posted == 0
    world.refill_bonds()
    world.round()
    assert world.posted == 1

    world.round()
    report = world.verify()
    assert report.findings == ()
    assert (report.statements, report.voided) == (1, 1)
    assert world.reconcile().balanced
    assert world.reconcile().attested_micros == 2_000_000
    with reading(world.engine) as connection:
        posts = standing_posts(connection, world.facility_id)
    assert [post.gross_micros for post in posts.values()] == [2_000_000]
    shown = _shown(world)
    assert (shown["state"], shown["standing_hash"]) == ("posted", hash_of_ours)
    assert _delivered(world) == (2 * HOUR_S * 10**6 // (4 * DAY_S), 1_000_000)
    attesters = world.http.get("/v1/attesters").json()["attesters"]
    assert sorted(a["statements_signed"] for a in attesters) == [0, 2, 2]
    assert sorted(a["statements_voided"] for a in attesters) == [0, 1, 1]


@pytest.mark.both_databases
def test_void__final_statement__stands(world: World) -> None:
    """ATTACKS 24: what may be settled cannot be voided any more."""
    world.at(DAY_S)
    world.ledger.ingest(world.ledger.usage(0, 0, HOUR_S), world.ledger.usage(1, 0, HOUR_S))
    world.at_cut_off(0)
    world.round()
    world.attest()
    false = _post_false(world)
    world.at_finality(0)

    with pytest.raises(RpcError, match="reverted"):
        _challenge(world, false)
    assert world.posted == 1


def test_attest__another_statement_of_the_place_is_signed__only_once_that_one_is_void(
    world: World, tmp_path: Path
) -> None:
    """Whoever signs two statements of one facility, epoch and previous one can be charged."""
    world.at(DAY_S)
    world.ledger.ingest(world.ledger.usage(0, 0, HOUR_S), world.ledger.usage(1, 0, HOUR_S))
    world.at_cut_off(0)
    world.round()
    ours = world.statement(0)
    false = replace(ours, gross_revenue_micros=3_000_000)
    memory = SignedMemory(tmp_path / "memory", world.bound(2))
    memory.remember(false)
    memory.close()

    def judged(confirmations: int = 0) -> str | None:
        """Why a fresh process with that memory does not sign what it reproduces."""
        attester = world.attester(2)
        attester._memory = SignedMemory(tmp_path / "memory", world.bound(2))
        attester._facts = ChainFacts(
            world.contracts, attester._evidence, confirmations=confirmations
        )
        (verdict,) = attester.run_once()
        attester._memory.close()
        return verdict.reason

    refused = judged()
    _post_false(world)
    posted = judged()
    _challenge(world, false)
    not_deep_enough = judged(confirmations=1)
    void = judged()

    assert refused == posted == not_deep_enough
    assert refused == (
        f"statement {hex32(statement_hash(false))} of the same epoch and previous statement is"
        " signed already: whoever signs both can be charged"
    )
    assert void is None
    assert list(world.signatures(0)) == [world.bound(2).attester]
