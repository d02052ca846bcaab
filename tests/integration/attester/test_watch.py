"""Challenges by hand and by the watcher: what is proven is void, what is not is left alone."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from api.attester.challenge import Challenger
from api.attester.transact import send_call
from api.attester.watching import Watcher
from api.chain import calldata
from api.chain.contracts import Contracts
from api.chain.linked import linked_deployment
from api.cli.commands import app
from api.db import statements as store
from api.db.session import reading
from api.domain.statements.evidence import LINES_FILE, encode_lines, epoch_folder
from api.domain.statements.lines import Line, usage_tree
from api.domain.statements.statement import Statement, statement_digest
from api.domain.units import Bytes32, Epoch, FacilityId, GpuSeconds, Micros
from api.errors import ChainRejected
from scripts.dev.stack import ATTESTER_ACCOUNTS, RENTER
from tests.factories import DAY_S, HOUR_S
from tests.world import CHALLENGE_WINDOW_S, World, send, signer_of, wallet

pytestmark = pytest.mark.chain
Forge = Callable[[list[Line]], list[Line]]


@pytest.fixture
def closed(world: World) -> World:
    """One closed epoch of two devices, not posted."""
    world.at(DAY_S)
    world.ledger.ingest(world.ledger.usage(0, 0, HOUR_S), world.ledger.usage(1, 0, HOUR_S))
    world.at_cut_off(0)
    world.round()
    return world


def _post(world: World, forge: Forge, **changes: Any) -> Statement:
    """Two of three attesters sign forged lines, publish them and post."""
    true = world.statement(0)
    with reading(world.engine) as connection:
        lines = forge(store.lines_of(connection, true.facility_id, 0))
    folder = epoch_folder(true.facility_id, Epoch(0))
    world.evidence.replace(f"{folder}/{LINES_FILE}", encode_lines(lines))
    root = usage_tree(true.facility_id, Epoch(0), lines).root
    false = replace(true, usage_root=root, **changes)
    registry = world.deployment.statement_registry
    digest = statement_digest(false, chain_id=world.deployment.chain_id, registry=registry)
    signers = [signer_of(i) for i in ATTESTER_ACCOUNTS[:2]]
    signatures = {s.address: s.sign_digest(digest) for s in signers}
    send(world.client, wallet(RENTER).address, registry, calldata.post(false, signatures))
    return false


def _sums(lines: list[Line]) -> list[Line]:
    """Numbered, with the sums that follow."""
    seconds, charge, made = 0, 0, []
    for index, line in enumerate(lines):
        seconds, charge = seconds + line.gpu_seconds, charge + line.charge_micros
        sums = {
            "cumulative_gpu_seconds": GpuSeconds(seconds),
            "cumulative_charge_micros": Micros(charge),
        }
        made.append(replace(line, index=index, **sums))  # type: ignore[arg-type]
    return made


def _stranger(lines: list[Line]) -> list[Line]:
    """A device that nobody pledged, next to one that somebody did."""
    near = (int.from_bytes(lines[0].subject, "big") + 1).to_bytes(32, "big")
    return [replace(lines[0], subject=Bytes32(near)), *lines[1:]]


def _twice(lines: list[Line]) -> list[Line]:
    """A device billed twice in a half hour, in a line more."""
    first = lines[0]
    more = replace(first, start_s=first.start_s + HOUR_S // 2, gpu_seconds=GpuSeconds(HOUR_S // 2))
    return _sums([first, more, *lines[1:]])


def _same(lines: list[Line]) -> list[Line]:
    return lines


FAULTS: list[tuple[Forge, dict[str, Any], str, list[int]]] = [
    (_same, {"gross_revenue_micros": Micros(9_000_000)}, "totals_wrong", [1]),
    (_stranger, {}, "device_not_pledged", [0]),
    (_twice, {"line_count": 3}, "lines_overlap", [0, 1]),
]


def _run(world: World, *command: str, key: bool = False) -> Result:
    folder = world.evidence.root.parent
    named = ["--rpc", world.chain.rpc_url, "--evidence", str(world.evidence.root)]
    named += ["--registry", world.deployment.statement_registry]
    if key:
        file = folder / "watcher.key"
        file.touch(mode=0o600)
        file.write_text(wallet(RENTER).key.hex())
        named += ["--key", str(file)]
    return CliRunner().invoke(app, [*command, *named])


def _steps(result: Result) -> list[str]:
    return [json.loads(line)["step"] for line in result.stderr.splitlines()]


@pytest.mark.parametrize(("forge", "changes", "kind", "lines"), FAULTS)
def test_challenge__provable_fault__is_printed_and_voids_when_it_is_sent(
    closed: World, forge: Forge, changes: dict[str, Any], kind: str, lines: list[int]
) -> None:
    """ATTACKS 21, 24."""
    _post(closed, forge, **changes)
    facility = str(closed.facility_id)

    shown = _run(closed, "challenge", facility, "0", "--json")
    before = closed.posted
    sent = _run(closed, "challenge", facility, "0", "--json", key=True)
    again = _run(closed, "challenge", facility, "0")

    said, done = json.loads(shown.stdout), json.loads(sent.stdout)
    assert (said["fault"], said["lines"]) == (kind, lines)
    assert said["to"] == closed.deployment.statement_registry
    assert "transaction" not in said
    assert (before, closed.posted) == (1, 0)
    assert done["succeeded"] is True
    assert done["data"] == said["data"]
    assert (again.exit_code, "none is posted, or it is void" in again.stderr) == (1, True)


def test_challenge__printed_for_a_wallet__is_what_the_registry_takes(closed: World) -> None:
    _post(closed, _same, gross_revenue_micros=Micros(9_000_000))

    shown = _run(closed, "challenge", str(closed.facility_id), "0")

    call = json.loads(shown.stdout)
    assert "line 1 breaks the rule TOTALS_WRONG" in shown.stderr
    send(closed.client, wallet(RENTER).address, call["to"], call["data"])
    assert closed.posted == 0


def test_challenge__honest_statement__finds_none(closed: World) -> None:
    assert all(v.signed for v in closed.attest())
    closed.round()

    found = _run(closed, "challenge", str(closed.facility_id), "0", key=True)

    assert (found.exit_code, found.stderr) == (1, "no fault that can be proven on-chain\n")
    assert closed.posted == 1


def test_challenge__other_lines_than_were_stated__says_so(closed: World) -> None:
    _post(closed, _stranger)
    folder = epoch_folder(FacilityId(closed.facility_id), Epoch(0))
    with reading(closed.engine) as connection:
        true = encode_lines(store.lines_of(connection, closed.facility_id, 0))
    closed.evidence.replace(f"{folder}/{LINES_FILE}", true)

    found = _run(closed, "challenge", str(closed.facility_id), "0")
    watched = _run(closed, "watch", "--once")

    assert found.exit_code == watched.exit_code == 1
    assert "lines.csv is not what was stated" in found.stderr
    assert _steps(watched) == ["cannot be judged"]


def test_challenge__final_statement__is_told(closed: World) -> None:
    _post(closed, _stranger)
    record = closed.now(
        closed.contracts.statement_registry.statement_of(FacilityId(closed.facility_id), Epoch(0))
    )
    closed.chain.set_time(record.posted_at_s + CHALLENGE_WINDOW_S)

    late = _run(closed, "challenge", str(closed.facility_id), "0")

    assert (late.exit_code, "or final" in late.stderr) == (1, True)
    assert _run(closed, "watch", "--once").exit_code == 0


def test_watch__without_a_key__says_what_it_would_do(closed: World) -> None:
    _post(closed, _stranger)

    result = _run(closed, "watch", "--once")

    would = json.loads(result.stderr.splitlines()[-1])
    assert (result.exit_code, _steps(result)) == (1, ["fault", "would challenge"])
    assert would["to"] == closed.deployment.statement_registry
    assert closed.posted == 1
    send(closed.client, wallet(RENTER).address, would["to"], would["data"])
    assert closed.posted == 0


def test_watch__with_a_key__challenges_by_itself(closed: World) -> None:
    _post(closed, _twice, line_count=3)

    first = _run(closed, "watch", "--once", key=True)
    second = _run(closed, "watch", "--once", key=True)

    assert _steps(first) == ["fault", "challenged"]
    assert closed.posted == 0
    assert (second.exit_code, second.stderr) == (0, "")


def _watcher(world: World, told: list[str], *, sends: bool = True) -> Watcher:
    registry = world.contracts.statement_registry.address
    contracts = Contracts(world.client, linked_deployment(world.client, registry))

    def sending(challenge: Any) -> Any:
        return send_call(world.client, signer_of(RENTER), to=challenge.to, data=challenge.data)

    challenger = Challenger(contracts, world.evidence)
    send_it = sending if sends else None
    return Watcher(challenger, send=send_it, log=lambda step, **_: told.append(step))


def test_watcher__honest_statement__is_judged_once(
    closed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert all(v.signed for v in closed.attest())
    closed.round()
    told: list[str] = []
    watcher = _watcher(closed, told)

    looks = [watcher.one(), watcher.one()]

    assert told == ["fine"]
    assert [(look.statements, look.faults, look.unjudged) for look in looks] == [(1, 0, 0)] * 2


def test_watcher__fault_that_stands__is_told_once_and_tried_each_round(
    closed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The chain does not take it just now, or the key has no money."""
    _post(closed, _stranger)
    told: list[str] = []
    watcher = _watcher(closed, told)

    def broke(*_: Any, **__: Any) -> Any:
        raise ChainRejected("insufficient funds")

    monkeypatch.setattr(watcher, "_send", broke)
    looks = [watcher.one(), watcher.one()]
    monkeypatch.undo()
    watcher.one()

    assert [look.faults for look in looks] == [1, 1]
    assert told == ["fault", "challenge failed", "challenge failed", "challenged"]
    assert closed.posted == 0


def test_watcher__evidence_comes_later__is_judged_then(closed: World, tmp_path: Path) -> None:
    _post(closed, _stranger)
    folder = epoch_folder(FacilityId(closed.facility_id), Epoch(0))
    lines = closed.evidence.root / folder / LINES_FILE
    kept = lines.rename(tmp_path / "kept")
    told: list[str] = []
    watcher = _watcher(closed, told, sends=False)

    looks = [watcher.one(), watcher.one()]
    kept.rename(lines)
    then = watcher.one()

    assert [look.unjudged for look in looks] == [1, 1]
    assert (then.faults, told) == (1, ["cannot be judged", "fault", "would challenge"])
