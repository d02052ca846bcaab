"""What `rentroll verify` prints. Text of strangers is never markup and never moves the cursor."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from api.cli.output import differences_table, micros, plain, reconciliation_table
from api.domain.metering.instants import format_instant

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from api.domain.capital.reconciliation import Reconciliation
    from api.verify.findings import Finding
    from api.verify.names import NamedLines
    from api.verify.verify import VerifyReport


def document(report: "VerifyReport") -> dict[str, object]:
    """A report as JSON has it."""
    return {
        "ok": report.ok,
        "chain_id": report.chain_id,
        "registry": report.registry,
        "block": report.block,
        "block_hash": "0x" + report.block_hash.hex(),
        "block_time": format_instant(report.block_time_s),
        "statements": report.statements,
        "voided": report.voided,
        "findings": [_finding(finding) for finding in report.findings],
        "warnings": [_finding(warning) for warning in report.warnings],
        "facilities": [asdict(part) for part in report.facilities],
        "named": [_named(found) for found in report.named],
    }


def _named(found: "NamedLines") -> dict[str, object]:
    """Lines of a name in one facility. The name and its secret are not repeated."""
    return {
        "facility_id": found.facility_id,
        "leases": sorted("0x" + lease.hex() for lease in found.leases),
        "gpu_seconds": found.gpu_seconds,
        "charge_micros": found.charge_micros,
        "lines": [
            {
                "epoch": number,
                "index": line.index,
                "kind": line.kind.name.lower(),
                "subject": "0x" + line.subject.hex(),
                "lease": "0x" + line.lease.hex(),
                "start": format_instant(line.start_s),
                "end": format_instant(line.end_s),
                "gpu_seconds": line.gpu_seconds,
                "charge_micros": line.charge_micros,
            }
            for number, line in found.lines
        ],
    }


def _show_named(console: "Console", found: "NamedLines") -> None:
    """What a name has in one facility, statement by statement."""
    rows = [(f"facility {found.facility_id}", found.lines)]
    numbers = dict.fromkeys(number for number, _ in found.lines)
    rows += [(f"  epoch {n}", [x for x in found.lines if x[0] == n]) for n in numbers]
    width = max(len(label) for label, _ in rows)
    for label, lines in rows:
        seconds = sum(line.gpu_seconds for _, line in lines)
        charge = micros(sum(line.charge_micros for _, line in lines))
        text = f"{label:{width}}  {len(lines):>6} lines  {seconds:>14,} GPU-seconds  {charge:>20}"
        console.print(text, soft_wrap=True, highlight=False)


def _finding(finding: "Finding") -> dict[str, object]:
    return {**finding.document(), "sentence": finding.sentence()}


def show_report(report: "VerifyReport", *, as_json: bool) -> None:
    """Print a verification report."""
    from rich.console import Console
    from rich.text import Text

    from api.domain.capital.reconciliation import total

    if as_json:
        # ASCII: control characters leave as \\u escapes.
        typer.echo(json.dumps(document(report)))
        return
    console = Console()
    if report.facilities:
        _show_numbers(console, report.facilities, total(report.facilities))
    voided = f" ({report.voided} more voided by proven faults)" if report.voided else ""
    lines = [
        f"{report.statements} statements{voided} of registry {report.registry}",
        f"chain {report.chain_id}, block {report.block} of {format_instant(report.block_time_s)}",
        f"block hash 0x{report.block_hash.hex()}",
    ]
    for line in lines:
        console.print(Text(plain(line)), soft_wrap=True)
    for found in report.named:
        _show_named(console, found)
    for warning in report.warnings:
        _show_finding(console, warning, mark="!", style="yellow")
    for finding in report.findings:
        _show_finding(console, finding, mark="✗", style="red")
    count = len(report.findings)
    verdict = (
        Text("VERIFIED", style="green")
        if report.ok
        else Text(f"NOT VERIFIED: {count} finding{'s' * (count > 1)}", style="red")
    )
    console.print(verdict, soft_wrap=True)


def _show_finding(console: "Console", finding: "Finding", *, mark: str, style: str) -> None:
    from rich.text import Text

    where = finding.on_chain()
    said = f" [{finding.code}] {finding.sentence()}" + (f" ({where})" if where else "")
    # `Text` is no markup: what a file or a node says cannot colour, hide or link anything.
    console.print(Text.assemble((mark, style), plain(said)), soft_wrap=True)


def _show_numbers(
    console: "Console", parts: Sequence["Reconciliation"], whole: "Reconciliation"
) -> None:
    """The five numbers and their differences: as tables where they fit, else one below another."""
    tables = reconciliation_table(parts, whole), differences_table(parts, whole)
    if all(_fits(console, table) for table in tables):
        for table in tables:
            console.print(table)
        return
    for part in (*parts, whole):
        _show_part(console, part)


def _fits(console: "Console", table: "Table") -> bool:
    from rich.measure import Measurement

    # As wide as it would be without bounds: within bounds it would cut its sums to fit.
    unbound = console.options.update(width=10_000)
    return Measurement.get(console, unbound, table).maximum <= console.width


def _show_part(console: "Console", part: "Reconciliation") -> None:
    name = "all facilities" if part.facility_id is None else f"facility {part.facility_id}"
    rows = [
        ("metered GPU-seconds", f"{part.metered_gpu_seconds:,}"),
        ("rated", micros(part.rated_micros)),
        ("attested", micros(part.attested_micros)),
        ("collected", micros(part.collected_micros)),
        ("settled", micros(part.settled_micros)),
        ("claimed", micros(part.claimed_micros)),
    ]
    for field, value in asdict(part.differences).items():
        if value:
            shown = micros(value) if field.endswith("_micros") else f"{value:,}"
            rows.append((field.removesuffix("_micros").replace("_", " "), shown))
    width = max(len(label) for label, _ in rows)
    console.print(name, soft_wrap=True, highlight=False)
    for label, shown in rows:
        console.print(f"  {label:{width}}  {shown:>22}", soft_wrap=True, highlight=False)
