"""Bills over HTTP: from statements on a real chain to numbered documents, notes, what is open."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli.commands import app
from api.domain.hashing import sha256
from api.domain.merkle import verify_proof
from api.domain.statements.evidence import hex32
from tests.factories import DAY_S, HOUR_S
from tests.integration.reads.billing import (
    EVIL,
    FORMULA,
    USD,
    ask,
    issue_by_console,
    months_of,
    pay_rent,
    play_three_days,
    require_sums_meet,
)
from tests.world import World


@pytest.mark.chain
@pytest.mark.both_databases
def test_bills__issued_twice_and_facts_come_late__number_on_by_notes(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """January is stated with day 2. Late: 2 hours more of lease-a; the evil hour was none."""
    hour = play_three_days(world)
    # Posted, not final: what could still be challenged is no demand.
    assert months_of(world) == {
        EVIL: ("draft", 2 * USD, 0, 0, 0),
        "lease-a": ("draft", 2 * USD, 0, 0, 0),
        "lease-b": ("draft", 7 * USD, 0, 0, 0),
    }
    assert issue_by_console(world) == []
    drafted = ask(world, "GET", "/draft", params={"month": "2026-01", "lease_id": "lease-a"})
    assert drafted.json()["document"]["kind"] == "draft"
    assert drafted.json()["document"]["number"] is None
    page = ask(world, "GET", "/draft.html", params={"month": "2026-01", "lease_id": EVIL})
    assert "is no demand" in page.text
    assert "<script" not in page.text
    # Told after the last statement of the month: the closing one takes it.
    late = world.ledger.usage(2, 2 * DAY_S, 2 * DAY_S + 2 * HOUR_S)
    assert world.ledger.codes(late, world.ledger.void(hour)) == ["accepted"] * 2

    world.at_finality(2)
    world.round()
    assert {m[0] for m in months_of(world).values()} == {"ready"}
    first = issue_by_console(world, month="2026-01", due_days=30)

    assert [(d["number"], d["kind"], d["amount_micros"]) for d in first] == [
        (1, "bill", 2 * USD),
        (2, "bill", 2 * USD),
        (3, "bill", 7 * USD),
    ]
    assert all(d["due_at_s"] - d["issued_at_s"] == 30 * DAY_S for d in first)
    assert issue_by_console(world, month="2026-01") == []
    require_sums_meet(world, final=2)
    _files_hold(world)
    pay_rent(world, "lease-a", 5 * USD)
    assert months_of(world)["lease-a"] == ("issued", 2 * USD, 2 * USD, 2 * USD, 0)

    world.post_closing()
    states = {lease: month[0] for lease, month in months_of(world).items()}
    assert states == {EVIL: "note_ready", "lease-a": "note_ready", "lease-b": "issued"}
    third = ask(world, "GET", "/3").json()["document"]
    assert [(x["kind"], x["about"], x["charge_micros"]) for x in third["lines"]] == [
        ("fixed_difference", "set-up", 4 * USD),
        ("adjustment_difference", "a test", 3 * USD),
    ]
    note = ask(world, "GET", "/draft", params={"month": "2026-01", "lease_id": EVIL})
    assert note.json()["document"]["amount_micros"] == -2 * USD
    run = _command_line(world, tmp_path, monkeypatch)
    assert run("issue", str(world.facility_id)).splitlines() == [
        "000004 credit note of 000001 2026-01: -2,000,000",
        "000005 debit note of 000002 2026-01: 2,000,000",
        "2 documents issued",
    ]
    assert issue_by_console(world) == []

    documents = ask(world, "GET").json()["documents"][3:]
    assert [(n["number"], n["kind"], n["corrects"], n["amount_micros"]) for n in documents] == [
        (4, "credit_note", 1, -2 * USD),
        (5, "debit_note", 2, 2 * USD),
    ]
    require_sums_meet(world, final=3)
    assert months_of(world) == {
        EVIL: ("issued", 0, 0, 0, 0),
        "lease-a": ("issued", 4 * USD, 4 * USD, 4 * USD, 0),
        "lease-b": ("issued", 7 * USD, 7 * USD, 0, 7 * USD),
    }
    balances = {b["lease_id"]: b for b in ask(world, "GET").json()["leases"]}
    assert balances["lease-a"]["prepaid_left_micros"] == USD
    note = ask(world, "GET", "/4").json()["document"]
    (closing,) = note["statements"]
    assert (closing["statement"], closing["closing"]) == (3, True)
    assert [m["fact"] for m in closing["moved_by"]] == ["void"]
    assert [(x["kind"], x["charge_micros"]) for x in note["lines"]] == [
        ("void", 0),
        ("usage_difference", -2 * USD),
    ]
    assert note["explained"]["used_gpu_seconds"] == 0
    _commands_agree(world, run, tmp_path)
    # What was issued is as it was, byte for byte.
    assert ask(world, "GET").json()["documents"][0]["document_hash"] == first[0]["document_hash"]


def _command_line(
    world: World, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., str]:
    """Runs `rentroll bills` on the same database and chain."""
    monkeypatch.chdir(folder)
    settings = world.settings()
    for name in ("database_url", "rpc_url", "deployment_file", "clock"):
        prefix = "" if name == "database_url" else "RENTROLL_"
        monkeypatch.setenv(prefix + name.upper(), str(getattr(settings, name)))

    def run(*arguments: str, code: int = 0) -> str:
        result = CliRunner().invoke(app, ["bills", *arguments])
        assert result.exit_code == code, result.output
        return result.output

    return run


def _commands_agree(world: World, run: Callable[..., str], folder: Path) -> None:
    """The command line lists and saves the same."""
    facility = str(world.facility_id)
    assert json.loads(run("list", facility, "--json")) == ask(world, "GET").json()
    assert "lease-a: prepaid 1,000,000 and credit 0 are left" in run("list", facility)
    assert run("issue", facility, "--month", "2026-01") == "0 documents issued\n"
    run("save", facility, "2", "two.json")
    assert (folder / "two.json").read_bytes() == ask(world, "GET", "/2.json").content
    run("save", facility, "2", "two.exe", code=2)
    run("issue", facility, "--month", "2026-13", code=2)
    run("list", "999", code=1)


def _files_hold(world: World) -> None:
    """Every form of the first bill, whose lease and renter mean harm."""
    shown = ask(world, "GET", "/1").json()
    document = shown["document"]
    assert (document["lease"]["lease_id"], document["token"]["symbol"]) == (EVIL, "mUSD")
    assert document["explained"]["priced"][0]["price"] == 2 * USD
    raw = ask(world, "GET", "/1.json")
    assert hex32(sha256(raw.content)) == shown["document_hash"]
    assert raw.json() == document

    page = ask(world, "GET", "/1.html")
    assert "<script" not in page.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text
    assert "2.000000 mUSD" in page.text
    assert "script-src" not in page.headers["content-security-policy"]
    assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha")

    table = ask(world, "GET", "/1.csv")
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert [row["renter_ref"] for row in rows] == ["'" + FORMULA]
    assert sum(int(row["charge_micros"]) for row in rows) == document["amount_micros"]
    proof = world.http.get(rows[0]["proof"].removeprefix("http://testserver")).json()
    leaf, root = (bytes.fromhex(proof[name][2:]) for name in ("leaf", "root"))
    assert verify_proof([bytes.fromhex(h[2:]) for h in proof["proof"]], root=root, leaf=leaf)
    assert proof["line"]["charge_micros"] == int(rows[0]["charge_micros"])
    assert hex32(world.statement(int(rows[0]["statement"])).usage_root) == proof["root"]

    paper = ask(world, "GET", "/1.pdf")
    assert paper.headers["content-type"] == "application/pdf"
    assert paper.headers["content-disposition"].endswith('2026-01-000001.pdf"')
    assert paper.content.startswith(b"%PDF-")
    assert paper.content == ask(world, "GET", "/1.pdf").content
