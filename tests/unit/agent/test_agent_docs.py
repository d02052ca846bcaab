"""docs/AGENT.md names every setting and every kind of problem, as the code has them."""

import re
import tomllib
from pathlib import Path

from api.agent.settings_text import settings_text

ROOT = Path(__file__).resolve().parents[3]
DOCUMENT = (ROOT / "docs" / "AGENT.md").read_text()
_PROBLEM = re.compile(r'(?:Problem|_NotBilled)\(\s*"([a-z_]+)"')


def test_settings__every_one__is_in_the_document() -> None:
    text = settings_text(name="n1", url="https://x", facility=1)
    bare = re.sub(r'^# (?=\[|"GPU|[a-z_]+ = )', "", text, flags=re.MULTILINE)

    for table, values in tomllib.loads(bare).items():
        assert f"`[{table}]`" in DOCUMENT or f"`[[{table}]]`" in DOCUMENT, table
        for row in values if isinstance(values, list) else [values]:
            for key in row:
                assert f"`{key}`" in DOCUMENT or key.startswith("GPU-"), f"{table}.{key}"


def test_problems__every_kind__is_in_the_document() -> None:
    kinds = {
        kind
        for path in (ROOT / "api" / "agent").rglob("*.py")
        for kind in _PROBLEM.findall(path.read_text())
    }

    assert len(kinds) > 10
    assert {kind for kind in kinds if f"`{kind}`" not in DOCUMENT} == set()
