"""Lists the breaks that slither-mutate's operators make of contracts, as JSON lines.

Runs in slither's own environment (`build/slither/bin/python scripts/dev/operators.py FILE…`), which
has none of our packages; `scripts.dev.mutate --operators` calls it and tries what it lists.
"""

import json
import logging
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def patches(files: list[str]) -> list[dict[str, Any]]:
    """Every patch of every operator in the contracts that stand in some files."""
    from slither import Slither  # type: ignore[import-not-found]
    from slither.tools.mutator.mutators import (  # type: ignore[import-not-found]
        all_mutators,
    )

    logging.disable(logging.CRITICAL)
    config = json.loads((ROOT / "slither.config.json").read_text())
    analysis = Slither(str(ROOT), **{k: v for k, v in config.items() if k.startswith("f")})
    kinds: list[Any] = [m for m in vars(all_mutators).values() if hasattr(m, "NAME")]
    wanted = {str(ROOT / file): file for file in files}
    found: dict[tuple[str, int, int, str], dict[str, Any]] = {}
    for unit in analysis.compilation_units:
        for contract in unit.contracts:
            file = wanted.get(contract.source_mapping.filename.absolute)
            if file is None:
                continue
            for kind in kinds:
                maker = kind(unit, 0, "", "", contract, None, False, Path(), [])
                try:
                    made = maker._mutate().get("patches", {})
                # An operator that cannot read a contract says so in any way.
                except Exception as error:
                    print(f"{kind.NAME} in {contract.name}: {error}", file=sys.stderr)
                    continue
                for patch in (p for group in made.values() for p in group):
                    key = (file, patch["start"], patch["end"], patch["new_string"])
                    found[key] = {
                        "operator": kind.NAME,
                        "file": file,
                        "start": patch["start"],
                        "end": patch["end"],
                        "old": patch["old_string"],
                        "new": patch["new_string"],
                        "line": patch["line_number"],
                    }
    return [found[key] for key in sorted(found)]


if __name__ == "__main__":
    for entry in patches(sys.argv[1:]):
        print(json.dumps(entry))
