"""The agent is killed at random moments, and the service too: the ledger has each use once.

`KILLS=100` plays the long form, `SEED=n` repeats one.
"""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from api.agent.receipts import kept_receipts
from api.agent.spool import Spool
from api.db.session import reading
from api.db.tables.ledger import HELD_KINDS, FactKind, facts
from api.domain.hashing import device_hash
from api.domain.log.entry import EntryKind, entry_hash
from tests.factories import DAY_S, HOUR_S, START_S, Clock, Ledger, device
from tests.integration.agent.kube_stand_in import KubeServer, serving_kubernetes
from tests.integration.agent.signed import bring_without_chain, log_home, logged, made_key
from tests.integration.agent.site import EVERY, GPUS, Job, Site, play, serving_exporter
from tests.integration.service import change_service, make_app
from tests.unit.agent.nvml_library import compiled

ROOT = Path(__file__).resolve().parents[3]
KILLS = int(os.environ.get("KILLS", "12"))
_STEPS_A_KILL = 3
_STEP_S = 100


class Forked:
    """A warm process that forks one of a kind for each line; the newest is the one that lives."""

    def __init__(self, module: str, *arguments: str, files: tuple[int, ...] = ()) -> None:
        command = [sys.executable, "-m", module, *arguments]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._warm = subprocess.Popen(command, cwd=ROOT, text=True, pass_fds=files, **pipes)
        self._pid = 0

    def start(self, line: str) -> None:
        """Fork one."""
        assert self._warm.stdin is not None
        assert self._warm.stdout is not None
        self._warm.stdin.write(f"{line}\n")
        self._warm.stdin.flush()
        self._pid = int(self._warm.stdout.readline())

    def kill(self) -> None:
        """Kill it, without a word."""
        with suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)

    def close(self) -> None:
        """Kill all."""
        if self._pid:
            self.kill()
        self._warm.kill()
        self._warm.communicate()


class Play:
    """A site, an agent, a service, and somebody who kills."""

    def __init__(self, exits: ExitStack, ledger: Ledger, url: str, folder: Path, seed: int) -> None:
        self.dice = random.Random(seed)
        self.last_s = KILLS * _STEPS_A_KILL * _STEP_S
        self.jobs = play(self.dice, self.last_s)
        said: list[Site] = []
        port = exits.enter_context(serving_exporter(said))
        kube = KubeServer()
        kube_url = exits.enter_context(serving_kubernetes(kube))
        self.site = Site(folder, self.jobs, port, kube_url)
        self.site.kube = kube
        said.append(self.site)
        self.site.go(0)
        listener = exits.enter_context(socket.create_server(("127.0.0.1", 0), backlog=64))
        # The service is ahead of all that the site plays: nothing is of the future.
        now = str(START_S + 2 * DAY_S)
        files = (listener.fileno(),)
        warm = "tests.integration.warm_api"
        self.service = Forked(warm, url, str(folder), now, files=files)
        exits.callback(self.service.close)
        self._fd = str(listener.fileno())
        library = compiled(folder) if shutil.which("cc") else None
        os.environ["NVML_STAND_IN"] = str(folder / "driver")
        self.agent = Forked("tests.integration.agent.warm_agent", str(folder / "clock"))
        exits.callback(self.agent.close)
        self._settings = str(
            self.site.settings(
                api_url=f"http://127.0.0.1:{listener.getsockname()[1]}",
                facility=ledger.facility_id,
                library=library,
            )
        )
        key = made_key(folder / "agent.key")
        application = make_app(url, folder)
        change_service(application, clock=Clock(START_S + 2 * DAY_S))
        bring_without_chain(application, ledger, key)
        self.service.start(self._fd)
        self._start_agent()

    def _start_agent(self) -> None:
        """Start an agent, and let time stand until it has looked around: machines are busy."""
        scrapes = self.site.scrapes
        self.agent.start(self._settings)
        for _ in range(3_000):
            if self.site.scrapes > scrapes + 1:
                return
            time.sleep(0.01)
        raise AssertionError("the agent does not look around")

    def run(self) -> None:
        """Play all steps, killing now and then, and let the rest arrive."""
        dice = self.dice
        for step in range(1, KILLS * _STEPS_A_KILL + 1):
            self.site.go(step * _STEP_S)
            time.sleep(dice.uniform(0, 0.25))
            if step % _STEPS_A_KILL == 0:
                self.agent.kill()
                self._start_agent()
            if dice.random() < 0.1:
                self.service.kill()
                self.service.start(self._fd)
            if dice.random() < 0.1:
                dice.choice((self.site.kube.compact, self.site.kube.break_streams))()
        for step in range(1, 13):
            self.site.go(self.last_s + step * _STEP_S)
            time.sleep(0.2)


@contextmanager
def _playing(ledger: Ledger, url: str, folder: Path, seed: int) -> Iterator[Play]:
    with ExitStack() as exits:
        yield Play(exits, ledger, url, folder, seed)


def _held(engine: Engine) -> dict[int, list[tuple[int, int, bool]]]:
    """What the ledger says that each device was held: from, until, and whether it ended."""
    names = {device_hash(device(gpu)): gpu for gpu in EVERY}
    query = select(facts.c.device, facts.c.start_s, facts.c.until_s, facts.c.end_s, facts.c.ended)
    query = query.where(facts.c.kind.in_([kind.value for kind in HELD_KINDS]))
    held = defaultdict(list)
    with reading(engine) as connection:
        for row in connection.execute(query):
            until_s = row.end_s if row.until_s is None else row.until_s
            held[names[row.device]].append((row.start_s - START_S, until_s - START_S, row.ended))
    return {gpu: sorted(spans) for gpu, spans in held.items()}


def _exact(jobs: list[Job]) -> dict[int, list[tuple[int, int]]]:
    """What sources that know starts and ends should have said."""
    wanted: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for job in jobs:
        if job.source != "dcgm":
            wanted[job.gpu].append((job.start_s, job.end_s))
    return {gpu: sorted(spans) for gpu, spans in wanted.items()}


def _arrived(play: Play, engine: Engine) -> dict[int, list[tuple[int, int, bool]]]:
    """What the ledger has once all is there, or after a minute."""
    wanted = _exact(play.jobs)
    held: dict[int, list[tuple[int, int, bool]]] = {}
    for _ in range(300):
        held = _held(engine)
        if all([s[:2] for s in held.get(gpu, [])] == spans for gpu, spans in wanted.items()):
            break
        time.sleep(0.2)
    return held


@pytest.fixture
def site_ledger(ledger: Ledger, tmp_path: Path) -> Ledger:
    """A facility with all devices of the site, whose silence is not presence."""
    ledger.home = log_home(tmp_path / "site")
    ledger.facility_id = ledger.add_facility(EVERY, silence_available=False)
    ledger.add_lease("lease-a")
    return ledger


@pytest.mark.slow
def test_agent__killed_at_any_moment__has_every_use_in_the_ledger_once(
    site_ledger: Ledger, database_url: str, tmp_path: Path
) -> None:
    seed = int(os.environ.get("SEED", "0")) or random.randrange(1 << 40)
    folder = tmp_path / "site"
    with _playing(site_ledger, database_url, folder, seed) as play:
        play.run()
        held = _arrived(play, site_ledger.engine)

    said = f"SEED={seed} KILLS={KILLS}"
    for gpu, spans in _exact(play.jobs).items():
        assert [span[:2] for span in held.get(gpu, [])] == spans, f"gpu {gpu} {said}"
    # Labels tell no time: what was billed by them is inside of what was held, and never twice.
    labelled = [job for job in play.jobs if job.source == "dcgm"]
    for gpu in GPUS["dcgm"]:
        spans = held.get(gpu, [])
        own = [(job.start_s, job.end_s) for job in labelled if job.gpu == gpu]
        for start_s, until_s, _ in spans:
            inside = any(a <= start_s and until_s <= b for a, b in own)
            assert inside, f"gpu {gpu}: {start_s} to {until_s} is in none of {own}, {said}"
        assert all(a[1] <= b[0] for a, b in pairwise(spans)), said
    _require_seen(site_ledger.engine, play, said)
    _require_receipts(site_ledger, folder, said)


def _require_seen(engine: Engine, play: Play, said: str) -> None:
    """Every device was told to be there, without a gap of ten minutes: holders believe it."""
    query = select(facts.c.device, facts.c.start_s, facts.c.end_s)
    query = query.where(facts.c.kind == FactKind.SEEN.value)
    with reading(engine) as connection:
        rows = [tuple(row) for row in connection.execute(query)]
    if not shutil.which("cc"):
        return
    for gpu in EVERY:
        name = device_hash(device(gpu))
        spans = sorted((row[1] - START_S, row[2] - START_S) for row in rows if row[0] == name)
        until_s = 0
        for start_s, end_s in spans:
            assert start_s - until_s < 600, f"gpu {gpu} unseen from {until_s} to {start_s}, {said}"
            until_s = max(until_s, end_s)
        assert until_s > play.last_s - HOUR_S, said


def _require_receipts(ledger: Ledger, folder: Path, said: str) -> None:
    """Each entry of the agent names the one before, and it has the receipt of every one."""
    entries = [e for e in logged(ledger.engine, ledger.facility_id) if e.request is not None]
    own = [e for e in entries if e.entry.kind is EntryKind.BATCH]
    assert len({e.entry.author for e in own}) == 1, said
    for before, entry in pairwise(entries[-len(own) - 1 :]):
        assert entry.request is not None
        assert entry.request.after == entry_hash(before.entry), said
    spool = Spool(folder / "spool.db", most_mib=64)
    kept = [receipt.entry for receipt in kept_receipts(spool)]
    spool.close()
    assert kept[-len(own) :] == [e.entry for e in own], said
