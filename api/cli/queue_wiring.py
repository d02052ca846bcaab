"""What the command line does with the queue, by this machine's clock, as the worker does."""

import json
from collections.abc import Sequence

import typer
from sqlalchemy import Connection

from api.cli.output import plain
from api.clock import system_clock
from api.db import work
from api.db.facilities import known_facility_row
from api.db.migrate import migrated
from api.db.session import reading, transaction
from api.domain.metering.instants import format_instant
from api.domain.units import FacilityId
from api.settings import Settings

Shown = dict[str, object]


def _check(connection: Connection, facility_id: FacilityId | None) -> None:
    """That there is such a facility: of none, everything would look well. Raises NotFound."""
    if facility_id is not None:
        known_facility_row(connection, facility_id)


def shown(settings: Settings, facility_id: FacilityId | None) -> list[Shown]:
    """Steps with something to tell, held ones first. Raises NotFound."""
    now_s = system_clock()
    with migrated(settings.database_url) as engine, reading(engine) as connection:
        _check(connection, facility_id)
        only = None if facility_id is None else [facility_id]
        rows = work.told(connection, only, now_s=now_s)
    return [
        {
            "step": row.step,
            "facility_id": row.facility_id or None,
            "state": work.state_told(row, now_s=now_s),
            "attempts": row.attempts,
            "since": format_instant(row.since_s),
            "next_try": None if row.state == work.HELD else format_instant(row.next_try_s),
            "reason": row.reason,
        }
        for row in rows
    ]


def show(rows: Sequence[Shown], *, as_json: bool) -> None:
    """Print steps."""
    if as_json:
        typer.echo(json.dumps(rows))
        return
    for row in rows:
        whose = f"facility {row['facility_id']}" if row["facility_id"] else "the service"
        tries = f", tried {row['attempts']} times" if row["attempts"] else ""
        then = f", next try {row['next_try']}" if row["next_try"] else ""
        typer.echo(f"{row['state']:8} {row['step']:8} of {whose} since {row['since']}{tries}{then}")
        if row["reason"]:
            typer.echo(f"         {plain(str(row['reason']))}")
    if not rows:
        typer.echo("nothing fails, waits or is held")


def retry(settings: Settings, facility_id: FacilityId | None, step: str | None) -> int:
    """Let steps be tried at once; returns how many. Raises NotFound."""
    with migrated(settings.database_url) as engine, transaction(engine) as connection:
        _check(connection, facility_id)
        return work.retry(connection, facility_id, step, now_s=system_clock())


def release(settings: Settings, facility_id: FacilityId) -> int:
    """Let what is held of a facility go on; returns how many steps. Raises NotFound."""
    with migrated(settings.database_url) as engine, transaction(engine) as connection:
        _check(connection, facility_id)
        return work.release(connection, facility_id, now_s=system_clock())
