"""An operator's desk for tests of `rentroll import`: files, a service, and the command."""

import json
from pathlib import Path
from typing import Any

from sqlalchemy import select
from typer.testing import CliRunner

from api.cli.commands import app
from api.db.session import reading
from api.db.tables.ledger import HELD_KINDS, facts
from api.domain.metering.instants import format_instant
from tests.factories import START_S, device
from tests.integration.service import Service

CSV_MAP = """
[columns]
job = "job"
device = "gpu"
start = "start"
end = "end"
[lease]
column = "lease"
"""
HEADER = "job,gpu,lease,start,end"


class Desk:
    """An operator's desk: files, and the command to import them."""

    def __init__(self, folder: Path, service: Service, url: str) -> None:
        self.folder, self.service, self.url = folder, service, url
        self.facilities: list[int] = []

    def file(self, name: str, text: str) -> Path:
        """A file with a text."""
        path = self.folder / name
        path.write_text(text)
        return path

    def run(self, kind: str, file: Path, *more: str, key: str | None = None) -> Any:
        """Run `rentroll import`; whatever the exit code."""
        named = [] if kind == "devices" else ["--facility", str(self.service.ledger.facility_id)]
        arguments = ["import", kind, str(file), *named, "--api-url", self.url, "--json"]
        result = CliRunner().invoke(
            app, [*arguments, "--api-key", key or self.service.ledger.api_key, *more]
        )
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        return result

    def summary(self, kind: str, file: Path, *more: str, code: int) -> dict[str, Any]:
        """What an import printed, with its exit code checked."""
        result = self.run(kind, file, *more)
        assert result.exit_code == code, result.output
        return dict(json.loads(result.stdout))

    def held(self) -> dict[bytes, int]:
        """Seconds that the ledger has of each device of the operator's facility."""
        kinds = [kind.value for kind in HELD_KINDS]
        query = select(facts.c.device, facts.c.start_s, facts.c.end_s).where(
            facts.c.kind.in_(kinds), facts.c.facility_id == self.service.ledger.facility_id
        )
        seconds: dict[bytes, int] = {}
        with reading(self.service.ledger.engine) as connection:
            for held, start_s, end_s in connection.execute(query):
                seconds[bytes(held)] = seconds.get(bytes(held), 0) + end_s - start_s
        return seconds


def use_row(job: str, gpu: int, from_s: int, to_s: int, lease: str = "lease-a") -> str:
    """A row of a CSV file; times are seconds after the window's start."""
    start, end = (format_instant(START_S + t) for t in (from_s, to_s))
    return f"{job},{device(gpu)},{lease},{start},{end}"


def use_table(*rows: str) -> str:
    """A CSV file with its header."""
    return "\n".join([HEADER, *rows]) + "\n"
