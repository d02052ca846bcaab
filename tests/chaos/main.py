"""`make chaos`: play one run, print what was seen, and exit 1 if the books were wrong once."""

import argparse
import json
import secrets
import tempfile
from pathlib import Path

from tests.chaos.run import run


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31))
    parser.add_argument("--epochs", type=int, default=20, help="of each of two facilities")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument(
        "--pause", type=float, default=1.5, help="longest rest between two faults, seconds"
    )
    parser.add_argument("--folder", type=Path, help="new or empty; kept. Default: a temporary one")
    chosen = parser.parse_args()
    print(f"chaos: seed {chosen.seed}, {chosen.database}, {chosen.epochs} epochs", flush=True)
    with tempfile.TemporaryDirectory(prefix="rentroll-chaos-") as temporary:
        outcome = run(
            chosen.folder or Path(temporary),
            seed=chosen.seed,
            epochs=chosen.epochs,
            on_postgres=chosen.database == "postgresql",
            pause_s=(0.1, chosen.pause),
        )
    print(json.dumps(outcome.summary(), indent=1))
    raise SystemExit(1 if outcome.problems else 0)


if __name__ == "__main__":
    main()
