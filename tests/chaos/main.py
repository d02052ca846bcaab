"""Play chaos, print what was seen, and exit 1 if the books were wrong once."""

import argparse
import json
import secrets
import tempfile
from pathlib import Path

from tests.chaos.run import Plan, run

_DATABASES = ("sqlite", "postgresql")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31))
    parser.add_argument("--epochs", type=int, default=10, help="of each facility")
    parser.add_argument("--facilities", type=int, default=4)
    parser.add_argument("--things", type=int, default=16, help="that go wrong in an epoch, about")
    parser.add_argument("--pause", type=float, default=1, help="at most, between two; seconds")
    parser.add_argument("--database", choices=_DATABASES, help="one alone; default: each in turn")
    parser.add_argument("--folder", type=Path, help="new or empty; kept. Default: a temporary one")
    chosen = parser.parse_args()
    wrong = False
    for database in [chosen.database] if chosen.database else _DATABASES:
        what = f"{chosen.epochs} epochs of {chosen.facilities} facilities"
        print(f"chaos: seed {chosen.seed}, {database}, {what}", flush=True)
        with tempfile.TemporaryDirectory(prefix="rentroll-chaos-") as temporary:
            plan = Plan(
                seed=chosen.seed,
                epochs=chosen.epochs,
                facilities=chosen.facilities,
                on_postgres=database == "postgresql",
                things=chosen.things,
                pause_s=chosen.pause,
            )
            outcome = run((chosen.folder or Path(temporary)) / database, plan)
        print(json.dumps(outcome.summary(), indent=1), flush=True)
        wrong = wrong or bool(outcome.problems)
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
