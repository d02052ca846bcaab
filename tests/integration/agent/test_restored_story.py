"""The whole story with real processes: an agent, a service that is restored and killed, attesters.

`SEED=n` repeats the moments at which the service is killed.
"""

import json
import os
import random
import socket
import time
from collections.abc import Callable

import pytest

from api.domain.metering.instants import format_instant
from tests.copies import Copies
from tests.factories import HOUR_S, START_S, device
from tests.integration.agent.signed_site import Site
from tests.integration.agent.test_killed import Forked

pytestmark = pytest.mark.chain
_MORE = """
[[lease]]
id = "lease-a"
[csv]
file = "uses.csv"
"""
_KILLS = 3


class Story:
    """An agent that reads a file of uses, and a service on a socket that outlives it."""

    def __init__(self, site: Site, listener: socket.socket) -> None:
        self.site, self.world = site, site.world
        self._fd = str(listener.fileno())
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        settings = self.world.settings().model_dump(mode="json", exclude_unset=True)
        files = (listener.fileno(),)
        module = "tests.integration.agent.warm_world"
        self.service = Forked(module, json.dumps(settings, default=str), files=files)
        self._uses = site.folder / "uses.csv"
        self._uses.write_text("device,start,end\n")
        self._clock = site.folder / "clock"
        self.tick()
        self.agent = Forked("tests.integration.agent.warm_agent", str(self._clock))
        self._settings = str(site.write(url, _MORE))
        self.copies = Copies(self.world, site.folder)

    def begin(self) -> None:
        """Start both."""
        self.serve()
        self.agent.start(self._settings)

    def serve(self) -> None:
        """Start a service."""
        self.service.start(self._fd)

    def tick(self) -> None:
        """The agent's clock goes with the chain's."""
        self._clock.write_text(str(self.world.clock()))

    def use(self, hour: int) -> None:
        """One more row of the agent's file."""
        start_s = START_S + hour * HOUR_S
        ends = format_instant(start_s), format_instant(start_s + HOUR_S)
        with self._uses.open("a") as rows:
            rows.write(f"{device(0)},{ends[0]},{ends[1]}\n")

    def wait(self, what: Callable[[], bool]) -> None:
        """Until something is so; a machine may be busy."""
        for _ in range(2_400):
            if what():
                return
            time.sleep(0.05)
        raise AssertionError(f"it never came; {len(self.copies.entries())} entries")

    def used(self, count: int) -> None:
        """Wait for so many uses in the log."""
        self.wait(lambda: len(self.site.billed()) >= count)

    def close(self) -> None:
        """End both."""
        self.agent.close()
        self.service.close()


def test_service__restored_and_killed__has_its_log_back_and_the_statement_that_it_had(
    signed_site: Site,
) -> None:
    dice = random.Random(int(os.environ.get("SEED", "1")))
    world = signed_site.world
    signed_site.bring()
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        story = Story(signed_site, listener)
        try:
            story.begin()
            story.use(0)
            story.used(1)
            story.copies.make()
            for hour in range(1, 6):
                story.use(hour)
                story.used(hour + 1)
            before = story.copies.entries()
            world.at_cut_off(0)
            story.tick()
            world.round()
            first = world.statement(0)

            story.service.kill()
            story.copies.restore()
            assert len(story.copies.entries()) < len(before)
            story.use(6)
            for _ in range(_KILLS):
                story.serve()
                time.sleep(dice.uniform(0.2, 1.5))
                story.service.kill()
            story.serve()
            story.used(7)
        finally:
            story.close()

    assert story.copies.entries()[: len(before)] == before
    assert len(signed_site.billed()) == 7
    assert not story.copies.row.behind
    world.post(0)
    assert world.statement(0) == first
    report = world.verify()
    assert report.ok, report.findings
