"""Tables of the bench for people."""

import os
import platform
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

_NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
_STEPS = {
    "close": (
        ("read_s", "read the ledger"),
        ("rate_s", "check, rate, number lines"),
        ("tree_s", "Merkle tree over the lines"),
        ("encode_s", "encode and hash evidence"),
        ("evidence_s", "write evidence durably"),
        ("store_s", "store statement and lines"),
        ("total_s", "in all"),
    ),
    "attest": (
        ("fetch_s", "fetch raw events"),
        ("recompute_s", "recompute from them"),
        ("compare_s", "fetch evidence, compare"),
        ("sign_s", "hand in the signature"),
        ("total_s", "in all"),
    ),
    "verify": (("total_s", "rentroll verify, in all"),),
}


def _table(title: str, first: str, *heads: str) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column(first)
    for head in heads:
        table.add_column(head, justify="right")
    return table


def _rate(value: float) -> str:
    return f"{value:,.0f}"


def _ingest(figures: Mapping[str, Mapping[str, float]]) -> Table:
    events = int(next(iter(figures.values()))["events"])
    title = f"Ingest over HTTP, {events:,} events in batches of 1,000 (events/s)"
    heads = ("clients", "over HTTP", "raw insert", "share of raw", "CPU us/event", "peak MB")
    table = _table(title, "database", *heads)
    for kind, found in figures.items():
        for clients, name in (("1", "one_client"), ("2", "two_clients")):
            table.add_row(
                _NAMES[kind],
                clients,
                _rate(found[f"{name}_events_per_s"]),
                _rate(found[f"{name}_raw_events_per_s"]),
                f"{found[f'{name}_share_of_raw']:.2f}",
                _rate(found.get("service_cpu_us_per_event", 0)),
                _rate(found.get("service_peak_rss_mb", 0)),
            )
    return table


def _signed(figures: Mapping[str, float]) -> Table:
    table = _table("Batches of 1,000 events in one process", "", "CPU us/event")
    table.add_row("by API key", f"{figures['unsigned_us']:.1f}")
    table.add_row("signed, with a receipt", f"{figures['signed_us']:.1f}")
    table.add_row("times (goal 1.15)", f"{figures['times']:.2f}")
    return table


def _processes(figures: Mapping[str, float]) -> Table:
    title = (
        f"Two API processes on one PostgreSQL, a facility each, {figures['events']:,.0f} events"
        f" a time, median of {figures['rounds']:.0f} (events/s)"
    )
    table = _table(title, "what", "one", "two", "gain", "share of raw's")
    for name, label, share in (
        ("service", "over HTTP", f"{figures['share_of_raw_gain']:.2f}"),
        ("raw", "raw COPY clients", ""),
    ):
        one, two = (_rate(figures[f"{name}_{count}_events_per_s"]) for count in ("one", "two"))
        table.add_row(label, one, two, f"{figures[f'{name}_gain']:.2f}", share)
    return table


def _memory(figures: Mapping[str, float]) -> Table:
    table = _table("Resident memory of the service (SQLite)", "events pushed", "MB")
    samples = [name for name in figures if name.startswith("rss_mb_after_")]
    for name in samples:
        table.add_row(f"{int(name.rpartition('_')[2]):,}", _rate(figures[name]))
    table.add_row("peak", _rate(figures["peak_rss_mb"]))
    return table


def _epoch(figures: Mapping[str, Any]) -> Table:
    events, lines = figures["close"]["events"], figures["close"]["lines"]
    title = f"One epoch of {events:,.0f} events, {lines:,.0f} lines (SQLite)"
    table = _table(title, "step", "s", "us an event", "of all")
    for subject, steps in _STEPS.items():
        found = figures[subject]
        peak = found.get("peak_rss_mb")
        memory = f", peak RSS {peak:,.0f} MB" if peak else ""
        # What no attester can do without: the tree over the same lines, of the same run.
        bare = found["total_s"] / figures["close"]["tree_s"]
        times = f", {bare:.1f} x the tree alone" if subject == "attest" else ""
        table.add_row(f"[bold]{subject}[/bold]{memory}{times}")
        for name, label in steps:
            share = found[name] / found["total_s"]
            per_event = found[name] / events * 1e6
            table.add_row(f"  {label}", f"{found[name]:.3f}", f"{per_event:.1f}", f"{share:.0%}")
        table.add_section()
    return table


def _index(figures: Mapping[str, Mapping[str, float]]) -> Table:
    peer = figures["web3"]
    title = (
        f"Index {peer['events']:,.0f} chain events from scratch, in turns with web3.py,"
        f" median of {peer['rounds']:.0f}"
    )
    heads = ("events/s", "times web3.py", "CPU us/event", "times web3.py's")
    table = _table(title, "what", *heads)
    for kind, name in _NAMES.items():
        found = figures.get(kind)
        if found is None:
            continue
        for label, prefix in (
            ("until stored in {}, goal 8", "stored_"),
            ("looked at again, {}", ""),
        ):
            table.add_row(
                label.format(name),
                _rate(found[f"{prefix}events_per_s"]),
                f"{found[f'{prefix}times_web3']:.1f}",
                f"{found[f'{prefix}cpu_us_per_event']:.0f}",
                f"{found[f'{prefix}cpu_times_web3']:.1f}",
            )
        table.add_row(f"reindex from kept logs, {name}", _rate(found["reindex_events_per_s"]))
    rate, cpu_us = _rate(peer["events_per_s"]), f"{peer['cpu_us_per_event']:.0f}"
    table.add_row("web3.py get_logs: fetch, decode", rate, "1.0", cpu_us, "1.0")
    return table


def _ponder(figures: Mapping[str, Mapping[str, float]]) -> Table:
    peer = figures["ponder"]
    title = (
        f"Index {peer['events']:,.0f} chain events from scratch, beside Ponder in turns, median of"
        f" {peer['rounds']:.0f}"
    )
    table = _table(title, "what", "events/s", "times Ponder")
    for kind, name in _NAMES.items():
        if kind in figures:
            found = figures[kind]
            times = f"{found['times_ponder']:.1f}"
            table.add_row(f"stored in {name}, looked at again", _rate(found["events_per_s"]), times)
    table.add_row("Ponder, PGlite", _rate(peer["events_per_s"]), "1.0")
    return table


def _scale(figures: Mapping[str, float]) -> Table:
    title = f"One epoch of {figures['facilities']:,.0f} facilities, and a round without work"
    table = _table(title, "step", "calls of the node", "CPU ms", "seconds in all")
    for step in ("close", "attest", "post", "settle"):
        table.add_row(
            f"{step}, a facility",
            f"{figures[f'{step}_calls_per_facility']:.2f}",
            f"{figures[f'{step}_cpu_ms_per_facility']:.1f}",
            f"{figures[f'{step}_s']:.1f}",
        )
    calls, cpu = figures["idle_round_calls"], figures["idle_round_cpu_ms"]
    table.add_row("idle round, in all", f"{calls:.1f}", f"{cpu:.1f}", "")
    return table


def _stalled(figures: Mapping[str, float]) -> Table:
    title = f"Batches of 1,000 events while a node stalls, {figures['turns']:.0f} turns"
    table = _table(title, "the node", "ms a batch", "times")
    table.add_row("answers", f"{figures['running_ms_a_batch']:.0f}", "1.00")
    ratio = f"{figures['stalled_times_running']:.2f}"
    table.add_row("stalls", f"{figures['stalled_ms_a_batch']:.0f}", ratio)
    table.add_row("stalls, at worst", f"{figures['longest_stalled_ms_a_batch']:.0f}", "")
    return table


def show(console: Console, figures: Mapping[str, Any]) -> None:
    """Print the tables of what was measured, and the machine."""
    if "ingest" in figures:
        console.print(_ingest(figures["ingest"]))
        if "postgresql" not in figures["ingest"]:
            console.print("PostgreSQL: not measured, the dev group is not installed")
    alone = {
        "signed": _signed,
        "processes": _processes,
        "memory": _memory,
        "scale": _scale,
        "stalled": _stalled,
    }
    for name, table in alone.items():
        if name in figures:
            console.print(table(figures[name]))
    if "close" in figures:
        console.print(_epoch(figures))
    if "index" in figures:
        console.print(_index(figures["index"]))
    if "ponder" in figures:
        console.print(_ponder(figures["ponder"]))
    system = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    console.print(
        f"Python {platform.python_version()}, {system}; {figures['run_s']:.0f} s in all.\n"
        "Compare ratios of one run, not figures of different machines.",
        highlight=False,
    )
