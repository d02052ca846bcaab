"""What the command line prints of events and of what they change."""

import json
from collections.abc import Mapping, Sequence

import typer

from api.cli.output import micros
from api.domain.json_text import as_integer, as_list, as_object
from api.domain.metering.instants import format_instant

Shown = Mapping[str, object]
_MONTH_CHARS = len("2026-12")


def _time(value: object) -> str:
    return format_instant(as_integer(value))


def _money(value: object) -> str:
    return micros(as_integer(value))


def show_events(events: Sequence[Shown], *, as_json: bool) -> None:
    """Print accepted events, two lines each."""
    if as_json:
        typer.echo(json.dumps(events))
        return
    for event in events:
        typer.echo(f"{event['type']}  {event['source']}  {event['id']}")
        parts = [f"recorded {_time(event['recorded_at_s'])}", str(event["state"])]
        if event["time"] is not None:
            time = as_object(event["time"])
            parts.insert(0, f"{time['kind']} {_time(time['start_s'])} to {_time(time['until_s'])}")
        if event["voided_by"] is not None:
            parts[-1] += f" by {as_object(event['voided_by'])['id']}"
        if event["sealed"]:
            parts.append("month sealed")
        typer.echo(f"  {', '.join(parts)}")
    typer.echo(f"{len(events)} events")


def show_event(event: Shown, *, as_json: bool) -> None:
    """Print one event with its payload."""
    if as_json:
        typer.echo(json.dumps(event))
        return
    for name, value in event.items():
        if name != "payload":
            shown = _time(value) if name.endswith("_s") else json.dumps(value)
            typer.echo(f"{name.removesuffix('_s')}: {shown}")
    typer.echo(json.dumps(event["payload"], indent=2))


def show_preview(preview: Shown) -> None:
    """Print what events would change."""
    batch = as_object(preview["batch"])
    for answer in map(as_object, as_list(batch["results"])):
        said = answer["status"]
        if said == "rejected":
            said = f"rejected: {answer['code']}: {answer['detail']}"
        typer.echo(f"event {answer['index']}: {said}")
    for statement in map(as_object, as_list(preview["statements"])):
        _show_statement(statement)
    if preview["unforeseen"] in ("too_many_facts", "preparing"):
        typer.echo("what the next statement would say is not shown: there are too many facts")
    if preview["unforeseen"] == "nothing_new":
        typer.echo("nothing would change")
    if preview["waiting"]:
        typer.echo("some of it speaks of later time, of which no figure is shown")
    if preview["statements"]:
        typer.echo(str(preview["assumes"]))


def _show_statement(statement: Shown) -> None:
    name = "closing statement" if statement["closing"] else f"statement {statement['epoch']}"
    before, after = as_object(statement["before"]), as_object(statement["after"])
    typer.echo(f"{name}, {_time(statement['start_s'])} to {_time(statement['end_s'])}:")
    for field, word in (
        ("gross_micros", "sum"),
        ("held_back_micros", "owed back, but waits for later rent"),
    ):
        if before[field] != after[field]:
            typer.echo(f"  {word}: {_money(before[field])} -> {_money(after[field])}")
    for field, word in (
        ("available_gpu_seconds", "available GPU-seconds"),
        ("available_adjustment", "available GPU-seconds of earlier epochs"),
    ):
        if before[field] != after[field]:
            typer.echo(f"  {word}: {before[field]} -> {after[field]}")
    for change in map(as_object, as_list(statement["changes"])):
        month = _time(change["month_start_s"])[:_MONTH_CHARS]
        told = [
            f"{_money(change['charge_before_micros'])} -> {_money(change['charge_after_micros'])}"
        ]
        if change["seconds_before"] != change["seconds_after"]:
            told.append(f"{change['seconds_before']} -> {change['seconds_after']} s")
        lease = change["lease_id"] or change["lease"]
        typer.echo(f"  {change['kind']} of {lease}, {month}: {'; '.join(told)}")
    if statement["changes_left_off"]:
        typer.echo(f"  and {statement['changes_left_off']} more rows")
    if not as_list(statement["changes"]):
        typer.echo("  the same as without it")


def refused(preview: Shown) -> bool:
    """Whether any event would be rejected."""
    return bool(as_object(preview["batch"])["rejected"])
