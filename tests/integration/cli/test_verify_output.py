"""What `rentroll verify` prints: strangers' text stays text, money is whole, places are named."""

import json
from dataclasses import fields, replace
from typing import Any

import pytest
from typer.testing import CliRunner

from api.cli import commands, output
from api.cli.verify_output import show_report
from api.domain.capital.reconciliation import Differences, Reconciliation
from api.domain.units import Bytes32, FacilityId, GpuSeconds, Micros
from api.verify.findings import Finding, Findings
from api.verify.verify import VerifyReport

HOSTILE = "[bold]x[/bold] [link=http://evil]y[/link] \x1b[2J\x07\r\n\u202eevil\u200b \x9b31m"
PART = Reconciliation(
    facility_id=FacilityId(1),
    metered_gpu_seconds=GpuSeconds(123_456_789),
    rated_micros=Micros(831_331_638_123_456),
    attested_micros=Micros(831_331_638_123_456),
    collected_micros=Micros(1_638_123_456),
    settled_micros=Micros(-5),
    claimed_micros=Micros(0),
    differences=Differences(**{field.name: 7_654_321 for field in fields(Differences)}),
    mismatches=(),
)
SUMS = ("831,331,638.123456", "1,638.123456", "-0.000005", "7.654321")


def _report(*findings: Finding, warnings: tuple[Finding, ...] = ()) -> VerifyReport:
    return VerifyReport(
        31337, "0x" + "1" * 40, 9, 3, 1, findings, (PART, replace(PART)), b"\1" * 32, 0, warnings
    )


def _shown(
    capsys: pytest.CaptureFixture[str], report: VerifyReport, *, as_json: bool = False
) -> str:
    show_report(report, as_json=as_json)
    return capsys.readouterr().out


@pytest.mark.parametrize("force", ["", "1"])
def test_show__text_of_strangers__is_no_markup_and_moves_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, force: str
) -> None:
    if force:
        monkeypatch.setenv("FORCE_COLOR", "1")
    finding = Finding(HOSTILE, 1, 2, f"facility-1/{HOSTILE}", code="stray")

    shown = _shown(capsys, _report(finding, warnings=(finding,)))

    assert "[bold]x[/bold] [link=http://evil]y[/link]" in shown
    for character in ("\x07", "\r", "\u202e", "\u200b", "\x9b", "\x1b[2J", "\x1b]8"):
        assert character not in shown
    assert "\\x1b[2J" in shown
    assert "NOT VERIFIED: 1 finding" in shown


@pytest.mark.parametrize("columns", [20, 60, 80, 300])
def test_show__any_width__cuts_no_money(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))

    shown = _shown(capsys, _report())

    for amount in SUMS:
        assert amount in shown
    assert "…" not in shown
    assert "VERIFIED" in shown
    assert "NOT" not in shown


def test_show__finding__names_code_and_place(capsys: pytest.CaptureFixture[str]) -> None:
    place = {"line": 5, "block": 7, "tx_hash": Bytes32(b"\2" * 32), "log_index": 3}
    finding = Finding(
        "is wrong", 1, 2, "facility-1/epoch-00002/lines.csv", code="line_wrong", **place
    )

    shown = _shown(capsys, _report(finding))
    document = json.loads(_shown(capsys, _report(finding), as_json=True))

    sentence = "facility 1, epoch 2, facility-1/epoch-00002/lines.csv line 5: is wrong"
    where = f"(block 7, transaction 0x{'02' * 32}, log 3)"
    assert f"[line_wrong] {sentence} {where}" in shown
    assert f"block hash 0x{'01' * 32}" in shown
    assert "block 9 of 1970-01-01T00:00:00Z" in shown
    assert document["findings"] == [
        {
            "code": "line_wrong",
            "message": "is wrong",
            "facility_id": 1,
            "epoch": 2,
            "file": "facility-1/epoch-00002/lines.csv",
            "line": 5,
            "block": 7,
            "tx_hash": "0x" + "02" * 32,
            "log_index": 3,
            "sentence": sentence,
        }
    ]
    assert (document["ok"], document["block_time"]) == (False, "1970-01-01T00:00:00Z")


def test_show__json__holds_no_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    shown = _shown(capsys, _report(Finding(HOSTILE, code="stray")), as_json=True)

    assert shown.rstrip("\n").isascii()
    assert shown.rstrip("\n").isprintable()
    assert json.loads(shown)["findings"][0]["message"] == HOSTILE


def test_error__of_a_node_or_file__moves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from api.errors import EvidenceInvalid

    def refuse(*_: Any, **__: Any) -> None:
        raise EvidenceInvalid(HOSTILE)

    monkeypatch.setattr("api.verify.verify.verify", refuse)

    result = CliRunner().invoke(commands.app, ["verify", "http://127.0.0.1:1", "nowhere"])

    assert result.exit_code == output.EXIT_FOUND
    assert "\x1b" not in result.stderr
    assert result.stderr.count("\n") == 1


def test_findings__the_same_twice__are_one() -> None:
    found = Findings()
    for _ in range(2):
        found.of("money")(Finding("x", 1))

    assert [f.code for f in found.found] == ["money_stored"]
