"""Refusals by the process itself: signed as the contract reads them, and never for "not yet"."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from api.attester.attest import Attester
from api.attester.due import DueEvidence
from api.attester.memory import SignedMemory
from api.attester.refusing import Refuser
from api.attester.shelf import RefusalShelf
from api.chain import calldata
from api.cli.refusals import refusal_call
from api.domain.hashing import sha256
from api.domain.log.entry import LogEnd
from api.domain.statements.evidence import MANIFEST_FILE, epoch_folder
from api.domain.statements.statement import statement_hash
from api.domain.units import Bytes32, Epoch, FacilityId
from api.errors import ChainUnavailable, EvidenceUnreachable
from scripts.dev.stack import RENTER
from tests.factories import DAY_S, GRACE_S, HOUR_S
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


def _refusing(world: World, folder: Path, number: int = 0) -> Attester:
    """An attester that puts its refusals into a folder."""
    attester = world.attester(number)
    attester._refuser = Refuser(
        attester._account,
        attester._facts,
        attester._evidence,
        RefusalShelf(folder),
        DueEvidence(world.contracts),
    )
    return attester


def _spoil(world: World, name: str, change: Callable[[bytes], bytes]) -> None:
    path = f"{epoch_folder(FacilityId(world.facility_id), Epoch(0))}/{name}"
    world.evidence.replace(path, change(world.evidence.read(path)))


def _files(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(folder.glob("facility-*.json"))]


def _refuse_on_chain(world: World, documents: list[dict[str, Any]]) -> None:
    lines = [json.dumps(document) for document in documents]
    call = json.loads(refusal_call(world.settings(), lines))
    send(world.client, wallet(RENTER).address, call["to"], call["data"])


def test_attest__line_is_not_what_the_events_give__is_refused_with_file_and_line(
    closed: World, tmp_path: Path
) -> None:
    """The contract takes the file as it is, and the attester has done its duty."""
    _spoil(closed, "lines.csv", lambda data: data.replace(b"\n0,", b"\n9,", 1))
    attester = _refusing(closed, tmp_path)

    (verdict,) = attester.run_once()
    (again,) = attester.run_once()

    [said] = _files(tmp_path)
    assert (said["code"], said["place"]) == ("not_recomputed", "lines.csv:2")
    assert said["statement_hash"] == "0x" + statement_hash(closed.statement(0)).hex()
    assert said["evidence_hash"] == "0x" + closed.statement(0).evidence_hash.hex()
    assert verdict.refusal == again.refusal == next(tmp_path.glob("facility-*")).name
    _refuse_on_chain(closed, [said])
    desk, account = closed.contracts.attester_desk, closed.bound(0).attester
    facility = FacilityId(closed.facility_id)
    assert closed.now(desk.has_refused(facility, Epoch(0), account))


def test_attest__refused_statement__is_read_again_only_after_a_while(
    closed: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each look reads the whole log: a wrong statement must not starve the right ones."""
    _spoil(closed, "lines.csv", lambda data: data + b"x\n")
    attester = _refusing(closed, tmp_path)
    attester._rests._first_s = 300.0
    honest, asked, clock_s = attester._api.log, [], [1_000.0]

    def counted(facility_id: FacilityId, *, after: int) -> Any:
        asked.append(after)
        return honest(facility_id, after=after)

    monkeypatch.setattr(attester._api, "log", counted)
    monkeypatch.setattr("api.attester.turns.time.monotonic", lambda: clock_s[0])
    first, counts = attester.run_once(), [len(asked)]
    clock_s[0] += 299.0
    second = attester.run_once()
    counts.append(len(asked))
    clock_s[0] += 1.0
    attester.run_once()
    counts.append(len(asked))
    clock_s[0] += 599.0
    attester.run_once()
    counts.append(len(asked))

    assert first == second
    # The second rest is twice as long.
    assert counts == [2, 2, 3, 3]


def test_attest__hashes_that_a_service_makes_up__fill_no_disk(
    closed: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attester = _refusing(closed, tmp_path)
    made_up = [bytes([n]) * 32 for n in range(40)]
    facility = FacilityId(closed.facility_id)
    pending = [(facility, Epoch(0), each) for each in made_up]
    monkeypatch.setattr(attester._api, "pending", lambda _account: pending)

    attester._rests._first_s = 1e9

    verdicts = [attester.run_once() for _ in range(40)][-1]

    assert [v.signed for v in verdicts] == [False] * 40
    assert len(_files(tmp_path)) == 32
    assert sorted(v.refusal is None for v in verdicts) == [False] * 32 + [True] * 8


def test_attest__glitch_that_is_gone_at_the_second_look__is_no_refusal(
    closed: World, tmp_path: Path
) -> None:
    attester = _refusing(closed, tmp_path)
    honest, asked = attester._evidence.read, []

    def once(path: str) -> bytes:
        asked.append(path)
        data = honest(path)
        return data[:-1] if path.endswith("lines.csv") and len(asked) < 9 else data

    attester._evidence.read = once  # type: ignore[method-assign]
    try:
        (verdict,) = attester.run_once()
    finally:
        del attester._evidence.read

    assert verdict.signed
    assert _files(tmp_path) == []


def _away(*_: Any, **__: Any) -> Any:
    raise ChainUnavailable("no answer")


def _unreachable(path: str) -> bytes:
    raise EvidenceUnreachable("no answer", path=path)


def test_attest__chain_service_or_evidence_away__is_no_refusal(
    closed: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for thing, method, fake in (
        ("_facts", "ended_at_s", _away),
        ("_api", "log", _away),
        ("_api", "submit", _away),
        ("_evidence", "read", _unreachable),
    ):
        attester = _refusing(closed, tmp_path)
        with monkeypatch.context() as patch:
            patch.setattr(getattr(attester, thing), method, fake)
            (verdict,) = attester.run_once()

        assert (verdict.signed, verdict.found) == (False, None), method
    assert _files(tmp_path) == []


def test_attest__not_over_by_its_own_clock__is_not_yet(closed: World, tmp_path: Path) -> None:
    """A chain whose time ran ahead is no reason to sign, and none to refuse."""
    attester = _refusing(closed, tmp_path)
    cut_s = closed.client.head().time_s
    attester._clock = lambda: cut_s - 1
    (early,) = attester.run_once()
    attester._clock = lambda: cut_s
    (then,) = attester.run_once()

    assert (early.signed, early.found, then.signed) == (False, None, True)
    assert "takes records until" in str(early.reason)
    assert _files(tmp_path) == []


def test_attest__log_is_another_than_the_one_signed_over__is_refused_as_memory(
    closed: World, tmp_path: Path
) -> None:
    attester = _refusing(closed, tmp_path / "refusals")
    memory = SignedMemory(tmp_path / "memory", closed.bound(0))
    earlier = closed.statement(0)
    memory.remember(earlier, LogEnd(1, Bytes32(b"\7" * 32)))
    attester._memory = memory

    (verdict,) = attester.run_once()
    memory.close()

    [said] = _files(tmp_path / "refusals")
    assert (said["code"], said["place"]) == ("memory_contradicted", "log:1")
    assert not verdict.signed


def test_attest__published_evidence_does_not_recompute__both_are_refused(
    closed: World, tmp_path: Path
) -> None:
    """Only a refusal that names no statement takes back what an operator published."""
    _spoil(closed, "lines.csv", lambda data: data + b"x\n")
    facility = FacilityId(closed.facility_id)
    manifest = closed.evidence.read(f"{epoch_folder(facility, Epoch(0))}/{MANIFEST_FILE}")
    publish = calldata.call("StatementRegistry", "publish", facility, 0, sha256(manifest))
    send(closed.client, closed.operator, closed.deployment.statement_registry, publish)

    _refusing(closed, tmp_path).run_once()

    said = _files(tmp_path)
    assert {s["statement_hash"] == "0x" + "00" * 32 for s in said} == {True, False}
    assert {s["evidence_hash"] for s in said} == {"0x" + sha256(manifest).hex()}


def test_missing__published_hash_a_day_ago_without_its_evidence__is_refused_once(
    closed: World, tmp_path: Path
) -> None:
    facility = FacilityId(closed.facility_id)
    publish = calldata.call("StatementRegistry", "publish", facility, 0, b"\5" * 32)
    send(closed.client, closed.operator, closed.deployment.statement_registry, publish)
    attester = _refusing(closed, tmp_path)

    closed.at(2 * DAY_S + GRACE_S - 1)
    early = attester.look_for_missing()
    closed.at(2 * DAY_S + GRACE_S)
    (verdict,) = attester.look_for_missing()
    again = attester.look_for_missing()

    [said] = _files(tmp_path)
    assert (early, again) == ([], [])
    assert (said["code"], said["place"]) == ("evidence_missing", "manifest.json")
    assert said["evidence_hash"] == "0x" + "05" * 32
    assert (verdict.epoch, verdict.signed) == (0, False)
    _refuse_on_chain(closed, [said])


def test_missing__evidence_is_there_or_cannot_be_asked_for__is_not_refused(
    closed: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facility = FacilityId(closed.facility_id)
    folder = epoch_folder(facility, Epoch(0))
    manifest = closed.evidence.read(f"{folder}/{MANIFEST_FILE}")
    publish = calldata.call("StatementRegistry", "publish", facility, 0, sha256(manifest))
    send(closed.client, closed.operator, closed.deployment.statement_registry, publish)
    closed.at(2 * DAY_S + GRACE_S)
    attester = _refusing(closed, tmp_path)

    with monkeypatch.context() as patch:
        patch.setattr(attester._evidence, "read", _unreachable)
        assert attester.look_for_missing() == []
    assert attester.look_for_missing() == []

    assert _files(tmp_path) == []


def test_missing__one_file_of_published_evidence_is_gone__is_named(
    closed: World, tmp_path: Path
) -> None:
    folder = epoch_folder(FacilityId(closed.facility_id), Epoch(0))
    manifest = closed.evidence.read(f"{folder}/{MANIFEST_FILE}")
    facility = FacilityId(closed.facility_id)
    publish = calldata.call("StatementRegistry", "publish", facility, 0, sha256(manifest))
    send(closed.client, closed.operator, closed.deployment.statement_registry, publish)
    (closed.evidence.root / folder / "lines.csv").unlink()
    closed.at(2 * DAY_S + GRACE_S)

    (verdict,) = _refusing(closed, tmp_path).look_for_missing()

    assert verdict.found is not None
    assert verdict.found.place == "lines.csv"
