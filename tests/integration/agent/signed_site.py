"""An agent's folder beside a world whose service answers over HTTP, on a real chain."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from api.agent.clock import AgentClock
from api.agent.events import NewEvent
from api.agent.flights import Flights
from api.agent.sender import Sender
from api.agent.settings import read_settings
from api.agent.spool import Spool, append
from api.agent.wiring import make_signer, make_transport
from api.domain.log.answers import ACCEPTED
from api.domain.log.entry import EntryKind
from api.domain.log.logged import LoggedEntry, events_of
from api.domain.units import ZERO32
from api.local.key_file import read_key_file
from tests.factories import HOUR_S
from tests.integration.agent.signed import logged, made_key
from tests.signing import Author, signing_operator
from tests.world import World


class Site:
    """An agent's folder beside a world whose service answers on a port."""

    def __init__(self, world: World, url: str, folder: Path) -> None:
        folder.mkdir()
        self.world, self.url, self.folder = world, url, folder
        self.key = made_key(folder / "agent.key")
        self.operator = signing_operator(world)
        self.write(url)

    def write(self, url: str, more: str = "") -> Path:
        """The settings file."""
        path = self.folder / "agent.toml"
        path.write_text(
            f'[agent]\nname = "n1"\nspool = "spool.db"\n[service]\nurl = "{url}"\n'
            f"facility = {self.world.facility_id}\n{more}"
        )
        return path

    def bring(self) -> None:
        """The operator's ledger key brings the agent's key."""
        agent = Author(self.world, read_key_file(self.folder / "agent.key"))
        assert self.operator.bring(agent).status_code == 200

    def end(self) -> None:
        """The operator ends the agent's key."""
        agent = Author(self.world, read_key_file(self.folder / "agent.key"))
        assert self.operator.end(agent).status_code == 200

    @contextmanager
    def agent(self, url: str | None = None, more: str = "") -> Iterator["Agent"]:
        """An agent like a fresh process."""
        settings = read_settings(self.write(url or self.url, more))
        clock = AgentClock(self.world.clock)
        spool = Spool(settings.spool, most_mib=settings.spool_mib)
        signer = make_signer(settings, spool, clock)
        transport = make_transport(settings, signer)
        try:
            sender = Sender(Flights(spool), transport, signer, clock, chance=lambda: 0.5)
            yield Agent(self, spool, sender)
        finally:
            transport.close()
            spool.close()

    def entries(self) -> list[list[str]]:
        """Ids of the events of each entry that an agent signed, in the log's order."""
        return [[event["id"] for event in _events(entry)] for entry in self._signed()]

    def billed(self) -> list[str]:
        """Ids of all uses that the log took of agents."""
        return [
            event["id"]
            for entry in self._signed()
            for event, answer in zip(_events(entry), entry.answers, strict=True)
            if answer == ACCEPTED
        ]

    def _signed(self) -> list[LoggedEntry]:
        entries = logged(self.world.engine, self.world.facility_id)
        return [e for e in entries if e.entry.kind is EntryKind.BATCH and e.entry.author != ZERO32]


def _events(entry: LoggedEntry) -> list[dict[str, Any]]:
    return list(events_of(entry.body, entry.entry.author))  # type: ignore[arg-type]


class Agent:
    """A sender on the site's spool."""

    def __init__(self, site: Site, spool: Spool, sender: Sender) -> None:
        self.site, self.spool, self.sender = site, spool, sender

    def spool_uses(self, *hours: int, gpu: int = 0) -> None:
        """Uses of an hour each wait to be sent."""
        ledger, facility = self.site.world.ledger, self.site.world.facility_id
        new = []
        for hour in hours:
            event = ledger.usage(gpu, hour * HOUR_S, (hour + 1) * HOUR_S, name=f"{gpu}/{hour}")
            new.append(NewEvent(facility, "n1", event["id"], "", json.dumps(event).encode()))
        with self.spool.write() as db:
            assert append(db, new, now_s=self.site.world.clock()) == len(hours)

    def drain(self) -> str | None:
        """Send until it wants to wait; returns what fails then."""
        for _ in range(50):
            if self.sender.step():
                return self.sender.state.failure
        raise AssertionError("the sender never rests")
