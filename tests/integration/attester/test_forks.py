"""A log that was rewritten under an attester: refused as a fork, with a proof for everybody."""

import json
from pathlib import Path
from typing import Any

import pytest

from api.attester.attest import Attester
from api.attester.due import DueEvidence
from api.attester.memory import SignedMemory
from api.attester.refusing import Refuser
from api.attester.shelf import RefusalShelf
from api.cli.log_wiring import rotate_key
from api.cli.refusals import refusal_call
from api.domain.log.receipts import SignedEntry
from api.verify.receipt_files import read_receipts
from scripts.dev.stack import RENTER
from tests.factories import DAY_S, HOUR_S
from tests.rewriting import rewrite_log
from tests.world import World, send, wallet

pytestmark = pytest.mark.chain


@pytest.fixture
def closed(world: World) -> World:
    """One closed epoch."""
    world.at(DAY_S)
    world.ledger.ingest(world.ledger.usage(0, 0, 2 * HOUR_S))
    world.at_cut_off(0)
    world.round()
    return world


def _attester(world: World, folder: Path) -> Attester:
    """An attester like a fresh process, with a memory and a shelf that last."""
    attester = world.attester(0)
    memory = SignedMemory(folder / "memory", world.bound(0))
    attester._memory = attester._forks._memory = attester._posted._memory = memory
    attester._refuser = Refuser(
        attester._account,
        attester._facts,
        attester._evidence,
        RefusalShelf(folder / "refusals"),
        DueEvidence(world.contracts),
    )
    return attester


def _dearer(event: dict[str, Any]) -> None:
    if event["type"].endswith("lease.opened.v1"):
        event["data"]["price_micros_per_gpu_hour"] += 1


def _signed_then_rewritten(world: World, folder: Path) -> Attester:
    first = _attester(world, folder)
    assert [v.signed for v in first.run_once()] == [True]
    first._memory.close()
    world.ledger.ingest(world.ledger.usage(0, DAY_S, DAY_S + HOUR_S))
    rewrite_log(world, _dearer)
    world.at_cut_off(1)
    world.round()
    return _attester(world, folder)


def test_log__rewritten_after_a_signature__is_refused_with_both_entries(
    closed: World, tmp_path: Path
) -> None:
    """Over a restart. The service keeps and shows it, the chain takes it, `verify` names it."""
    attester = _signed_then_rewritten(closed, tmp_path)

    [verdict] = attester.run_once()
    attester._memory.close()

    assert verdict.refusal is not None
    file = tmp_path / "refusals" / verdict.refusal
    said = json.loads(file.read_text())
    size = attester._memory.log_end(verdict.facility_id).size
    assert (said["code"], said["place"]) == ("log_forked", f"log:{size}")
    assert len({each["entry"] for each in said["fork"]}) == 2
    attester._api.submit_refusal(attester._refuser._shelf.read(verdict.refusal))  # type: ignore[union-attr]
    call = json.loads(refusal_call(closed.settings(), [file.read_text()]))
    send(closed.client, wallet(RENTER).address, call["to"], call["data"])
    shown = read_receipts(file)
    found = [f for f in closed.verify(receipts=shown).findings if f.code == "receipt_fork"]
    assert [(f.file, "the log's key signed both" in f.message) for f in found][:1] == [
        (str(file), True)
    ]


def test_log__rewritten_and_then_given_another_key__is_refused_with_both_entries(
    closed: World, tmp_path: Path
) -> None:
    """ATTACKS: a service that takes another key to hide a fork. The first key's end is proof."""
    attester = _signed_then_rewritten(closed, tmp_path)
    rotate_key(closed.settings(), closed.facility_id)
    for file in closed.folder.glob("log-key-*.pem"):
        file.unlink()

    [verdict] = attester.run_once()
    attester._memory.close()

    assert verdict.found is not None
    assert verdict.found.code.name == "LOG_FORKED"
    signed = attester._refuser._shelf.read(verdict.refusal or "")
    attester._api.submit_refusal(signed)  # type: ignore[arg-type]


def test_log__rewritten_by_a_service_that_signs_no_other__contradicts_memory(
    closed: World, tmp_path: Path
) -> None:
    """Without the second entry there is no proof: it is refused as what it is."""
    attester = _signed_then_rewritten(closed, tmp_path)
    ours = attester._memory.signed_end(closed.facility_id, 1) or next(
        iter(attester._memory._ends.values())
    )
    attester._api.signed_entry = lambda *_: ours  # type: ignore[method-assign]

    [verdict] = attester.run_once()
    attester._memory.close()

    assert verdict.found is not None
    assert (verdict.found.code.name, verdict.found.fork) == ("MEMORY_CONTRADICTED", ())


def test_statement__over_a_log_whose_end_the_service_does_not_sign__waits(
    closed: World, tmp_path: Path
) -> None:
    """It could deny that end later."""
    attester = _attester(closed, tmp_path)
    honest = attester._api.signed_entry

    def unsigned(facility_id: Any, number: int) -> SignedEntry:
        return SignedEntry(honest(facility_id, number).entry, bytes(64))

    def another(facility_id: Any, number: int) -> SignedEntry:
        return honest(facility_id, number - 1)

    reasons = []
    for lie in (unsigned, another):
        attester._api.signed_entry = lie  # type: ignore[method-assign]
        [verdict] = attester.run_once()
        reasons.append((verdict.signed, verdict.found, str(verdict.reason)))
    attester._api.signed_entry = honest  # type: ignore[method-assign]

    assert reasons[0][:2] == reasons[1][:2] == (False, None)
    assert "did not sign it" in reasons[0][2]
    assert "signs another entry" in reasons[1][2]
    assert [v.signed for v in attester.run_once()] == [True]
    attester._memory.close()
