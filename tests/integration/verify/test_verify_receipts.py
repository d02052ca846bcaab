"""`rentroll verify --receipts`: what authors were given, against what is published."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli.commands import app
from api.domain.log.receipts import Receipt, receipt_document
from api.domain.log.signers import receipt_bytes
from api.local.key_file import load_or_make_key
from api.verify.receipts import ShownReceipt
from tests.factories import DAY_S, HOUR_S
from tests.signing import Author, collector_of, signing_operator
from tests.world import World

pytestmark = pytest.mark.chain


@pytest.fixture
def collector(world: World) -> Author:
    """A collector that kept all its receipts, of a statement that is posted and of the next."""
    world.at(DAY_S)
    collector = collector_of(signing_operator(world))
    ledger = world.ledger
    assert collector.taken(ledger.usage(0, 0, HOUR_S)) == ["accepted"]
    assert collector.taken(ledger.usage(9, 0, HOUR_S)) == ["device_unknown"]
    world.post(0)
    world.at(2 * DAY_S)
    assert collector.taken(ledger.usage(0, DAY_S, DAY_S + HOUR_S)) == ["accepted"]
    return collector


def _shown(*receipts: Receipt) -> list[ShownReceipt]:
    return [ShownReceipt(each, f"r{n}.json") for n, each in enumerate(receipts)]


def _codes(world: World, *receipts: Receipt) -> tuple[list[str], list[str]]:
    report = world.verify(receipts=_shown(*receipts))
    warnings = [w.code for w in report.warnings if w.code.startswith("receipt")]
    return [f.code for f in report.findings], warnings


def test_receipts__of_an_honest_service__hold_and_the_newest_waits(
    world: World, collector: Author
) -> None:
    assert _codes(world, *collector.receipts) == ([], ["receipt_newer"])
    assert _codes(world, *collector.receipts[:2]) == ([], [])
    assert _codes(world, collector.receipts[0]) == ([], ["receipt_lacking"])


def test_receipts__of_what_the_service_left_out_or_forked__are_found(
    world: World, collector: Author
) -> None:
    """The log's own key signed them, so nobody else can have made them."""
    key = load_or_make_key(world.folder / "log-key.pem")
    first, second, newest = collector.receipts

    def signed(**changes: object) -> Receipt:
        entry = replace(second.entry, **changes)  # type: ignore[arg-type]
        return replace(second, entry=entry, signature=key.sign(receipt_bytes(entry)))

    forked = signed(body=first.entry.body)
    dropped = signed(number=newest.entry.number + 5)

    assert _codes(world, first, forked) == (["receipt_fork"], [])
    assert _codes(world, first, second, dropped) == (["receipt_omitted"], [])
    # Of one number twice, before any statement has it.
    later = signed(number=newest.entry.number, recorded_at_s=newest.entry.recorded_at_s)
    found, _ = _codes(world, first, second, newest, later)
    assert found == ["receipt_fork"]
    assert _codes(world, replace(second, signature=bytes(64)))[0] == ["receipt_signature"]


def test_cli__with_a_folder_of_receipts__judges_them(
    world: World, collector: Author, tmp_path: Path
) -> None:
    folder = tmp_path / "receipts"
    folder.mkdir()
    rows = [{"receipt": receipt_document(each)} for each in collector.receipts]
    (folder / "kept.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    arguments = ["verify", world.chain.rpc_url, str(world.evidence.root), "--any-age"]
    arguments += ["--receipts", str(folder), "--json"]

    whole = CliRunner().invoke(app, arguments)
    rows[1]["receipt"]["signature"] = "0x" + "00" * 64
    (folder / "kept.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    forged = CliRunner().invoke(app, arguments)
    (folder / "kept.jsonl").write_text("nothing")
    none = CliRunner().invoke(app, arguments)

    assert whole.exit_code == 0, whole.output
    codes = [w["code"] for w in json.loads(whole.stdout.splitlines()[-1])["warnings"]]
    assert "receipt_newer" in codes
    assert forged.exit_code == 1
    [finding] = json.loads(forged.stdout.splitlines()[-1])["findings"]
    assert (finding["code"], finding["line"]) == ("receipt_signature", 2)
    assert finding["file"] == str(folder / "kept.jsonl")
    assert none.exit_code == 1
    assert "line 1 is no JSON" in none.output
