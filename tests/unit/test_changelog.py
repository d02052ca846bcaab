"""CHANGELOG.md keeps the form of Common Changelog."""

import re
from datetime import date
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GROUPS = ["Changed", "Added", "Removed", "Fixed"]
_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+) - (\d{4}-\d\d-\d\d)")


def _versions() -> dict[str, str]:
    """Text of each version by its heading, newest first."""
    _, *parts = re.split(r"^## ", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    return dict(part.split("\n", 1) for part in parts)


def test_versions__any__have_a_date_and_the_newest_is_first() -> None:
    heads = [_VERSION.fullmatch(heading) for heading in _versions()]

    found = [(tuple(map(int, h.groups()[:3])), date.fromisoformat(h[4])) for h in heads if h]

    assert len(found) == len(heads)
    assert all(newer[0] > older[0] and newer[1] >= older[1] for newer, older in pairwise(found))


def test_version__any__has_known_groups_in_order_with_one_change_a_line() -> None:
    for heading, text in _versions().items():
        _, *groups = re.split(r"^### ", text, flags=re.MULTILINE)
        named = dict(group.split("\n", 1) for group in groups)

        assert list(named) == [g for g in GROUPS if g in named], heading
        for name, body in named.items():
            entries = re.split(r"^- ", body.strip(), flags=re.MULTILINE)[1:]
            assert entries, (heading, name)
            # The imperative begins with a capital letter, and an entry is no paragraph.
            wrong = [e for e in entries if not e[0].isupper() or e.strip().endswith(".")]
            assert wrong == [], (heading, name)
