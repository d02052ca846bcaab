"""The demo's last word: the five-number table, and whether service and verifier agree."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from api.cli.output import differences_table, reconciliation_table
from api.domain.capital.reconciliation import Differences, Mismatch, Reconciliation, total
from scripts.demo.keys import LogRow

NUMBERS = (
    "metered_gpu_seconds",
    "rated_micros",
    "attested_micros",
    "collected_micros",
    "settled_micros",
    "claimed_micros",
)


def parse_parts(rows: list[dict[str, Any]]) -> list[Reconciliation]:
    """Reconciliations from the JSON of `rentroll verify`."""
    return [
        Reconciliation(
            facility_id=row["facility_id"],
            differences=Differences(**row["differences"]),
            mismatches=tuple(Mismatch(**m) for m in row["mismatches"]),
            **{name: row[name] for name in NUMBERS},
        )
        for row in rows
    ]


def show(console: Console, parts: list[Reconciliation]) -> None:
    """Print five numbers and named differences."""
    whole = total(parts)
    console.print(reconciliation_table(parts, whole))
    shown = parts if len(parts) <= 6 else []
    console.print(differences_table(shown, whole))


def show_logs(console: Console, rows: Sequence[LogRow]) -> None:
    """Print what each log has, who signed it, and how many receipts it was held to."""
    table = Table(title="What the logs were given, held to what is published")
    for name in ("log of facility", "entries", "signed", "receipts", "in the log", "differ"):
        table.add_column(name, justify="right")
    for row in rows:
        numbers = row.entries, row.signed, row.receipts, row.held.found, len(row.held.findings)
        table.add_row(str(row.facility_id), *(f"{number:,}" for number in numbers))
    console.print(table)


def receipts_missing(rows: Sequence[LogRow]) -> list[str]:
    """Receipts that the published logs do not bear out, in words."""
    found = [f"{f.name}: {f.message}" for row in rows for f in row.held.findings]
    return found + [
        f"facility {row.facility_id}: {row.held.waiting} receipts are in no statement"
        for row in rows
        if row.held.waiting
    ]


def mismatches(
    service: dict[str, Any], report: dict[str, Any], gpu_minutes: int | None
) -> list[str]:
    """Where the service's numbers, the verifier's and the source's differ, in words."""
    found = [m for part in service["facilities"] for m in part["mismatches"]]
    ours = {part["facility_id"]: part for part in service["facilities"]}
    theirs = {part["facility_id"]: part for part in report["facilities"]}
    for facility_id in sorted(ours.keys() | theirs.keys()):
        mine, other = ours.get(facility_id), theirs.get(facility_id)
        if mine is None or other is None:
            found.append(f"facility {facility_id} is known to one side only")
            continue
        numbers = [(n, mine[n], other[n]) for n in NUMBERS]
        differences = mine["differences"]
        numbers += [(n, differences[n], other["differences"][n]) for n in differences]
        found += [
            f"facility {facility_id}: {name} is {a} by the service, {b} by verify"
            for name, a, b in numbers
            if a != b
        ]
    metered_s = service["total"]["metered_gpu_seconds"]
    if gpu_minutes is not None and metered_s != gpu_minutes * 60:
        found.append(f"metered {metered_s} GPU-seconds, the source has {gpu_minutes * 60}")
    return found
