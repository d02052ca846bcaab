"""The API's contract: writes docs/openapi.json, or says what the application answers instead.

It is committed, so that a review shows every change of a path, field or status. It lies in `docs/`
because clients and people read it; the service itself answers `/openapi.json` from its routes.
"""

import difflib
import json
import sys
from pathlib import Path

from api.main import create_app
from api.settings import Settings
from scripts.dev.devchain import ROOT

DOCUMENT = ROOT / "docs" / "openapi.json"
WRITE = "python -m scripts.dev.openapi"
_MOST_LINES = 80


def openapi_text() -> str:
    """The document of the application as it is now, with sorted keys."""
    settings = Settings(_env_file=None, database_url="sqlite://")
    return json.dumps(create_app(settings).openapi(), indent=1, sort_keys=True) + "\n"


def difference(committed: str, current: str) -> str:
    """What differs, in a unified diff of at most 80 lines; empty if nothing does."""
    lines = list(
        difflib.unified_diff(
            committed.splitlines(),
            current.splitlines(),
            "docs/openapi.json",
            "the application",
            lineterm="",
        )
    )
    more = [f"… and {len(lines) - _MOST_LINES} more lines"] if len(lines) > _MOST_LINES else []
    return "\n".join(lines[:_MOST_LINES] + more)


def check(path: Path = DOCUMENT) -> str:
    """What differs between the committed document and the application; empty if nothing does."""
    return difference(path.read_text() if path.is_file() else "", openapi_text())


def main(arguments: list[str]) -> int:
    """Write the document, or with `--check` compare it: 1 and a diff if they differ."""
    if arguments != ["--check"]:
        DOCUMENT.write_text(openapi_text())
        return 0
    found = check()
    if found:
        print(found)
        print(f"The API changed. If you mean it, run `{WRITE}` and commit docs/openapi.json.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
