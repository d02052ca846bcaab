"""The folder of refusals: plain files, whole or not at all, each refusal once while it counts."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from api.attester.failures import BeforeMemory, MemoryContradicted, NotYet
from api.attester.refusing import Found, found_by, place_of
from api.attester.requirements import difference
from api.attester.shelf import NAME, RefusalShelf
from api.domain.statements.refusal_files import SignedRefusal
from api.domain.statements.refusals import NO_HASH, Refusal, RefusalCode
from api.domain.units import Bytes32, Epoch, FacilityId
from api.errors import (
    AppError,
    ChainUnavailable,
    EventRejected,
    EvidenceInvalid,
    EvidenceUnreachable,
    Misconfigured,
    NotFound,
    SignerFailed,
)

HASH, OTHER = Bytes32(b"\1" * 32), Bytes32(b"\2" * 32)
CODE = RefusalCode.NOT_RECOMPUTED
UNTIL_S = 1_800_000_000
REFUSAL = Refusal(FacilityId(7), Epoch(3), HASH, OTHER, NO_HASH, 0, UNTIL_S, CODE, "lines.csv:17")
ATTESTER, DESK = "0x" + "0a" * 20, "0x" + "0d" * 20
SIGNED = SignedRefusal(REFUSAL, ATTESTER, b"\3" * 65, 1, DESK, 5, "lines.csv is not what …")


def test_put__then_restarted__stands_until_it_counts_no_more(tmp_path: Path) -> None:
    name = RefusalShelf(tmp_path / "refusals").put(SIGNED)

    shelf = RefusalShelf(tmp_path / "refusals")

    about = (REFUSAL.facility_id, REFUSAL.epoch, HASH, CODE)
    assert shelf.standing(*about, now_s=UNTIL_S) == name
    assert shelf.standing(*about, now_s=UNTIL_S + 1) is None
    others = [
        (FacilityId(8), Epoch(3), HASH, CODE),
        (FacilityId(7), Epoch(4), HASH, CODE),
        (FacilityId(7), Epoch(3), OTHER, CODE),
        (FacilityId(7), Epoch(3), HASH, RefusalCode.EVIDENCE_MISSING),
    ]
    assert [shelf.standing(*other, now_s=0) for other in others] == [None] * 4
    assert NAME.fullmatch(name)


def test_put__file_and_index__are_plain_ascii_json(tmp_path: Path) -> None:
    shelf = RefusalShelf(tmp_path)
    first = shelf.put(SIGNED)
    second = shelf.put(replace(SIGNED, refusal=replace(REFUSAL, statement_hash=OTHER)))

    text = (tmp_path / first).read_text(encoding="ascii")
    said = json.loads(text)

    assert text.count("\n") == 1
    assert (said["code"], said["place"], said["epoch"]) == ("not_recomputed", "lines.csv:17", 3)
    assert json.loads((tmp_path / "index.json").read_text()) == {
        "format": 1,
        "refusals": sorted([first, second]),
    }


def test_put__of_evidence_alone__is_known_by_the_evidence(tmp_path: Path) -> None:
    """Of one epoch other evidence may be published later."""
    shelf = RefusalShelf(tmp_path)
    name = shelf.put(replace(SIGNED, refusal=replace(REFUSAL, statement_hash=NO_HASH)))

    found = [
        shelf.standing(REFUSAL.facility_id, REFUSAL.epoch, about, CODE, now_s=0)
        for about in (OTHER, HASH, NO_HASH)
    ]

    assert found == [name, None, None]


def test_shelf__folder_of_something_else__is_refused(tmp_path: Path) -> None:
    name = RefusalShelf(tmp_path / "a").put(SIGNED)
    (tmp_path / "a" / name).write_text("{}")
    (tmp_path / "file").write_text("")

    for folder in (tmp_path / "a", tmp_path / "file"):
        with pytest.raises(Misconfigured, match="refusals"):
            RefusalShelf(folder)


def test_put__killed_in_the_middle_of_it__leaves_no_half_file(tmp_path: Path) -> None:
    (tmp_path / ".index.json.partial").write_text("{")

    shelf = RefusalShelf(tmp_path)

    assert json.loads((tmp_path / "index.json").read_text())["refusals"] == []
    assert shelf.put(SIGNED)


@pytest.mark.parametrize(
    "error",
    [
        NotYet("it takes records"),
        BeforeMemory("unknown"),
        SignerFailed("away"),
        ChainUnavailable("away"),
        EvidenceUnreachable("away"),
        NotFound("no such file"),
        Misconfigured("full"),
        AppError("the service answers 500"),
    ],
)
def test_found_by__what_says_nothing_of_the_statement__is_no_refusal(error: AppError) -> None:
    assert found_by(error) is None


def test_found_by__rules_and_memory__are_told_apart() -> None:
    rule = found_by(EventRejected("overlap", "twice", entry=4))
    wrong = found_by(EvidenceInvalid("other bytes", file="facility-1/lines.csv", line=9))
    memory = found_by(MemoryContradicted("another log", entry=12))

    assert [f and (f.code, f.place) for f in (rule, wrong, memory)] == [
        (RefusalCode.NOT_RECOMPUTED, "log:4"),
        (RefusalCode.NOT_RECOMPUTED, "lines.csv:9"),
        (RefusalCode.MEMORY_CONTRADICTED, "log:12"),
    ]


@pytest.mark.parametrize("file", ["x" * 33, "zählung.csv", "a\nb", None, 7])
def test_place__that_no_word_of_the_chain_holds__is_empty(file: object) -> None:
    assert place_of(EvidenceInvalid("wrong", file=file)) == ""


def test_found__same__by_code_and_place() -> None:
    found = Found(CODE, "lines.csv:9", "a")

    assert found.same(replace(found, message="b"))
    assert not found.same(replace(found, place="lines.csv:8"))
    assert not found.same(replace(found, code=RefusalCode.MEMORY_CONTRADICTED))


@pytest.mark.parametrize(
    ("read", "line"),
    [(b"a\nb\nc\n", 2), (b"a\n", 2), (b"a\nB\nc\nd", 4), (b"", 1), (b"a\nB\nc\n\n", 5)],
)
def test_difference__of_two_files__names_the_first_line(read: bytes, line: int) -> None:
    error = difference("f/lines.csv", name="lines.csv", read=read, made=b"a\nB\nc\n")

    assert (error.context["file"], error.context["line"]) == ("lines.csv", line)
