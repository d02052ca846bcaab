"""Changes of published files, and the code and file that name each."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from api.evidence_store import MAX_LOCAL_BYTES

# Changes a copy of a facility's folder; the root is its parent.
Change = Callable[[Path], object]


def _edit(path: str, change: Callable[[bytes], bytes]) -> Change:
    def edit(facility: Path) -> None:
        file = _one(facility, path)
        data = file.read_bytes()
        changed = change(data)
        assert changed != data, data
        file.write_bytes(changed)

    return edit


_FORGED = "superseded/epoch-00002-" + "ab" * 32


def _beef(name: str) -> str:
    return name[:-4] + "beef"


def _one(facility: Path, path: str) -> Path:
    found = sorted(facility.glob(path))
    assert found, path
    return found[0]


def _remove(path: str) -> Change:
    def remove(facility: Path) -> None:
        target = _one(facility, path)
        if target.is_dir():
            shutil.rmtree(target)
        else:
            target.unlink()

    return remove


def _add(path: str, data: bytes = b"x") -> Change:
    def add(facility: Path) -> None:
        target = facility / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    return add


def _instead(path: str, make: Callable[[Path], object]) -> Change:
    def swap(facility: Path) -> None:
        target = _one(facility, path)
        target.unlink()
        make(target)

    return swap


def _huge(target: Path) -> None:
    with target.open("wb") as file:
        file.truncate(MAX_LOCAL_BYTES + 1)


def _copy(source: str, target: str) -> Change:
    return lambda facility: shutil.copytree(
        _one(facility, source), facility / target, dirs_exist_ok=True
    )


def _rename(source: str, change: Callable[[str], str]) -> Change:
    def rename(facility: Path) -> None:
        found = _one(facility, source)
        found.rename(found.with_name(change(found.name)))

    return rename


def _swap_rows(data: bytes) -> bytes:
    rows = data.split(b"\n")
    rows[1], rows[2] = rows[2], rows[1]
    return b"\n".join(rows)


def _reversed_rows(data: bytes) -> bytes:
    start, end = data.index(b"  {"), data.rindex(b"]")
    first, second = data[start:end].rstrip(b"\n").split(b",\n  {", 1)
    return data[:start] + b"  {" + second + b",\n" + first + b"\n" + data[end:]


@dataclass(frozen=True)
class Case:
    """A change, a code that names it, and what the file named ends with."""

    name: str
    change: Change
    code: str
    file: str


OLD = "superseded/epoch-00000-*"
E0, E1, E2 = "epoch-00000", "epoch-00001", "epoch-00002"
BOM = b"\xef\xbb\xbf"
CASES = [
    # --- statements that stand
    Case(
        "a digit of a line",
        _edit(f"{E0}/lines.csv", lambda d: d.replace(b",0,", b",1,", 1)),
        "file_wrong",
        f"{E0}/lines.csv",
    ),
    Case("rows swapped", _edit(f"{E1}/lines.csv", _swap_rows), "file_wrong", f"{E1}/lines.csv"),
    Case(
        "a row twice",
        _edit(f"{E1}/lines.csv", lambda d: d + d.split(b"\n")[-2] + b"\n"),
        "file_wrong",
        f"{E1}/lines.csv",
    ),
    Case("no facts", _remove(f"{E1}/facts.jsonl"), "file_missing", f"{E1}/facts.jsonl"),
    Case(
        "facts that are no text",
        _edit(f"{E0}/facts.jsonl", lambda _: bytes(range(256))),
        "file_wrong",
        f"{E0}/facts.jsonl",
    ),
    Case(
        "a number of 9,999 digits",
        _edit(f"{E0}/facts.jsonl", lambda d: d.replace(b'"entry":', b'"entry":' + b"9" * 9_999, 1)),
        "file_wrong",
        f"{E0}/facts.jsonl",
    ),
    Case(
        "credits with CRLF",
        _edit(f"{E0}/credits.csv", lambda d: d.replace(b"\n", b"\r\n")),
        "file_wrong",
        f"{E0}/credits.csv",
    ),
    Case(
        "an empty manifest",
        _edit(f"{E1}/manifest.json", lambda _: b""),
        "manifest_wrong",
        f"{E1}/manifest.json",
    ),
    Case(
        "a manifest with a mark",
        _edit(f"{E1}/manifest.json", lambda d: BOM + d),
        "manifest_wrong",
        f"{E1}/manifest.json",
    ),
    Case(
        "a log of infinite size",
        _edit(
            f"{E1}/manifest.json",
            lambda d: d.replace(b'"log_size": ', b'"log_size": Infinity, "x": '),
        ),
        "manifest_wrong",
        f"{E1}/manifest.json",
    ),
    Case(
        "a log whose size is text",
        _edit(
            f"{E1}/manifest.json", lambda d: d.replace(b'"log_size": ', b'"log_size": "9", "x": ')
        ),
        "manifest_wrong",
        f"{E1}/manifest.json",
    ),
    Case(
        "other revenue in statement.json",
        _edit(
            f"{E1}/statement.json",
            lambda d: d.replace(b'"gross_revenue_micros": ', b'"gross_revenue_micros": 1'),
        ),
        "statement_file_wrong",
        f"{E1}/statement.json",
    ),
    Case(
        "keys twice in statement.json",
        _edit(f"{E1}/statement.json", lambda d: d.replace(b"{\n", b'{\n  "epoch": 7,\n', 1)),
        "statement_file_wrong",
        f"{E1}/statement.json",
    ),
    Case(
        "no statement.json", _remove(f"{E2}/statement.json"), "file_missing", f"{E2}/statement.json"
    ),
    Case(
        "no signatures",
        _remove(f"{E2}/attestations.json"),
        "file_missing",
        f"{E2}/attestations.json",
    ),
    Case(
        "signatures in another order",
        _edit(f"{E2}/attestations.json", _reversed_rows),
        "not_canonical",
        f"{E2}/attestations.json",
    ),
    Case(
        "a signature of another length",
        _edit(
            f"{E2}/attestations.json",
            lambda d: d.replace(b'1b"', b'1b00"').replace(b'1c"', b'1c00"'),
        ),
        "signature_wrong",
        f"{E2}/attestations.json",
    ),
    Case(
        "an attester of markup",
        _edit(f"{E2}/attestations.json", lambda d: d.replace(b'"0x', b'"[bold red]0x', 1)),
        "signature_wrong",
        f"{E2}/attestations.json",
    ),
    Case(
        "signatures of another epoch",
        lambda f: shutil.copy(f / E0 / "attestations.json", f / E1 / "attestations.json"),
        "signature_wrong",
        f"{E1}/attestations.json",
    ),
    Case(
        "signatures as an object",
        _edit(f"{E2}/attestations.json", lambda _: b"{}\n"),
        "file_unreadable",
        f"{E2}/attestations.json",
    ),
    Case(
        "signatures that nest deep",
        _edit(f"{E2}/attestations.json", lambda _: b"[" * 100_000 + b"]" * 100_000),
        "file_unreadable",
        f"{E2}/attestations.json",
    ),
    Case(
        "more behind the signatures",
        _edit(f"{E2}/attestations.json", lambda d: d + b"[]"),
        "file_unreadable",
        f"{E2}/attestations.json",
    ),
    Case(
        "evidence of another epoch",
        lambda f: shutil.copytree(f / E0, f / E1, dirs_exist_ok=True),
        "manifest_wrong",
        f"{E1}/manifest.json",
    ),
    Case("no epoch", _remove(E1), "file_missing", f"{E1}/manifest.json"),
    # --- the facility
    Case(
        "other terms",
        _edit("facility.json", lambda d: d.replace(b'"fee_bps": ', b'"fee_bps": 9')),
        "terms_wrong",
        "facility.json",
    ),
    Case(
        "terms with a mark",
        _edit("facility.json", lambda d: BOM + d),
        "terms_wrong",
        "facility.json",
    ),
    Case("no terms", _remove("facility.json"), "terms_wrong", "facility.json"),
    Case(
        "terms that are a link to themselves",
        _instead("facility.json", lambda p: p.symlink_to(p.name)),
        "terms_wrong",
        "facility.json",
    ),
    Case("no replaced pledge", _remove("pledges/*.json"), "pledges_pledge_approved", ".json"),
    Case(
        "another device in a pledge",
        _edit("pledges/*.json", lambda d: d.replace(b'"0x', b'"0xf', 1)),
        "pledges_pledge_approved",
        ".json",
    ),
    Case("a stray pledge", _add("pledges/" + "ab" * 32 + ".json"), "stray", ".json"),
    # --- what is no evidence
    Case("a stray file", _add("notes.txt"), "stray", "notes.txt"),
    Case("a stray file of an epoch", _add(f"{E1}/lines.csv.bak"), "stray", "lines.csv.bak"),
    Case("a file that moves the cursor", _add(f"{E1}/\x1b[2J\x1b]0;x\x07"), "stray", "\x07"),
    Case("a folder in an epoch", _add(f"{E1}/deep/x"), "stray", "deep/"),
    Case("an empty folder in an epoch", lambda f: (f / E1 / "deep").mkdir(), "stray", "deep/"),
    Case("an epoch that never was", _copy(E1, "epoch-00099"), "stray", "epoch-00099"),
    Case("an epoch by another name", _copy(E1, "epoch-1"), "stray", "epoch-1/"),
    Case(
        "a facility that never was",
        lambda f: shutil.copytree(f, f.parent / "facility-99"),
        "stray",
        "facility-99/",
    ),
    Case(
        "an empty facility", lambda f: (f.parent / "facility-99").mkdir(), "stray", "facility-99/"
    ),
    Case(
        "a file beside the facilities",
        lambda f: (f.parent / "x.json").write_text("{}"),
        "stray",
        "x.json",
    ),
    Case("a partial file", _add(f"{E1}/.x.partial", b"content"), "partial", ".x.partial"),
    Case(
        "a link that leads nowhere",
        lambda f: (f / E1 / "old.csv").symlink_to("nowhere"),
        "stray",
        "old.csv",
    ),
    # --- files that are none
    Case(
        "a link to itself",
        _instead(f"{E1}/lines.csv", lambda p: p.symlink_to(p.name)),
        "file_missing",
        f"{E1}/lines.csv",
    ),
    Case(
        "two links in a circle",
        _instead(
            f"{E1}/lines.csv", lambda p: (p.symlink_to("b"), p.with_name("b").symlink_to(p.name))
        ),
        "file_missing",
        f"{E1}/lines.csv",
    ),
    Case(
        "a link out of the evidence",
        _instead(f"{E1}/lines.csv", lambda p: p.symlink_to("/etc/hostname")),
        "file_missing",
        f"{E1}/lines.csv",
    ),
    Case("a pipe", _instead(f"{E1}/lines.csv", os.mkfifo), "file_missing", f"{E1}/lines.csv"),
    Case("a folder", _instead(f"{E1}/lines.csv", Path.mkdir), "file_missing", f"{E1}/lines.csv"),
    Case("a huge file", _instead(f"{E1}/lines.csv", _huge), "file_unreadable", f"{E1}/lines.csv"),
    Case(
        "an epoch that links to itself",
        lambda f: (shutil.rmtree(f / E1), (f / E1).symlink_to(E1)),
        "file_missing",
        f"{E1}/lines.csv",
    ),
    # --- superseded statements
    Case(
        "a superseded line",
        _edit(f"{OLD}/lines.csv", lambda d: d.replace(b",0,", b",1,", 1)),
        "file_wrong",
        "lines.csv",
    ),
    Case(
        "a superseded statement",
        _edit(f"{OLD}/statement.json", lambda d: d.replace(b'"line_count": ', b'"line_count": 1')),
        "statement_file_wrong",
        "statement.json",
    ),
    Case(
        "a superseded manifest",
        _edit(f"{OLD}/manifest.json", lambda d: d.replace(b"3", b"4", 1)),
        "manifest_wrong",
        "manifest.json",
    ),
    Case(
        "superseded signatures",
        _edit(
            f"{OLD}/attestations.json",
            lambda d: d.replace(d.split(b'"signature": "0x')[1][:8], b"12345678", 1),
        ),
        "signature_wrong",
        "attestations.json",
    ),
    Case(
        "no superseded signatures",
        _remove(f"{OLD}/attestations.json"),
        "file_missing",
        "attestations.json",
    ),
    Case("no superseded facts", _remove(f"{OLD}/facts.jsonl"), "file_missing", "facts.jsonl"),
    Case("a stray superseded file", _add("superseded/x"), "superseded_unknown", "x"),
    Case(
        "a stray file of a superseded statement",
        lambda f: (_one(f, OLD) / "x").write_text("x"),
        "stray",
        "/x",
    ),
    Case("a superseded folder renamed", _rename(OLD, _beef), "superseded_unknown", "beef/"),
    Case("a forged superseded folder", _copy(E2, _FORGED), "superseded_unknown", "ab/"),
    Case(
        "a statement that stands as superseded",
        lambda f: shutil.copytree(f / E0, f / "superseded" / f"epoch-00000-{_hash(f / E0)}"),
        "superseded_unknown",
        "/",
    ),
]


def _hash(folder: Path) -> str:
    text = (folder / "statement.json").read_text()
    return text.split('"statement_hash": "0x')[1][:64]
