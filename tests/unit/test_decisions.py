"""docs/decisions: every page says its status and date, is short, and stands in the index."""

import re
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "decisions"
MAX_LINES = 60
_PAGE = re.compile(r"# (\d+)\. (.+)\n\nStatus: (accepted|replaced by \d+)\. Date: (\S+)\.\n")
_ROW = re.compile(r"^\| (\d+) \| \[(.+)\]\((\S+)\) \| (.+) \| (\d{4}-\d\d-\d\d) \|$", re.MULTILINE)


def _pages() -> dict[str, str]:
    return {p.name: p.read_text() for p in sorted(FOLDER.glob("*.md")) if p.name != "README.md"}


def test_index__of_decisions__has_every_page_with_status_and_date() -> None:
    index = {
        name: (number, title, status, date)
        for number, title, name, status, date in _ROW.findall((FOLDER / "README.md").read_text())
    }

    heads = {name: _PAGE.match(text) for name, text in _pages().items()}

    assert [name for name, head in heads.items() if head is None] == []
    assert index == {name: head.groups() for name, head in heads.items() if head}


def test_pages__numbers__have_no_gap() -> None:
    assert [int(name[:4]) for name in _pages()] == list(range(1, len(_pages()) + 1))


def test_page__any__is_short_and_argues() -> None:
    long = [name for name, text in _pages().items() if text.count("\n") > MAX_LINES]
    bare = [n for n, t in _pages().items() if "**Context.**" not in t or "**Decision.**" not in t]

    assert (long, bare) == ([], [])
