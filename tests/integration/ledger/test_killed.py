"""ATTACKS 37: API processes are killed in the middle of batches; each event counts once."""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import select

from api.db.session import reading
from api.db.tables.ledger import HELD_KINDS, facts, meter_events, told_by_event
from api.routes.http.body import BATCH
from tests.factories import Ledger

pytestmark = pytest.mark.both_databases

ROOT = Path(__file__).resolve().parents[3]
KILLS, PROCESSES, CLIENTS = 50, 2, 2
SLOT_S, SLOTS, BATCH_EVENTS = 240, 300, 24


class Processes:
    """API processes on one database, each on a port of its own; one is killed now and then."""

    def __init__(self, warm: subprocess.Popen[str], descriptors: list[int]) -> None:
        self._warm, self._descriptors = warm, descriptors
        self._pids = [self._start(at) for at in range(PROCESSES)]

    def _start(self, at: int) -> int:
        assert self._warm.stdin is not None
        assert self._warm.stdout is not None
        self._warm.stdin.write(f"{self._descriptors[at]}\n")
        self._warm.stdin.flush()
        return int(self._warm.stdout.readline())

    def kill_one(self, at: int) -> None:
        """Kill one, without a word to it, and start another in its place."""
        os.kill(self._pids[at], signal.SIGKILL)
        self._pids[at] = self._start(at)

    def kill(self) -> None:
        """Kill all."""
        for pid in self._pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@contextmanager
def _running(
    ledger: Ledger, database_url: str, folder: Path
) -> Iterator[tuple[Processes, list[str]]]:
    with ExitStack() as exits:
        listeners = [
            exits.enter_context(socket.create_server(("127.0.0.1", 0), backlog=64))
            for _ in range(PROCESSES)
        ]
        descriptors = [listener.fileno() for listener in listeners]
        command = [sys.executable, "-m", "tests.integration.warm_api"]
        command += [database_url, str(folder), str(ledger.clock.now_s)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        warm = subprocess.Popen(command, cwd=ROOT, text=True, pass_fds=descriptors, **pipes)
        processes = Processes(warm, descriptors)
        try:
            ports = [listener.getsockname()[1] for listener in listeners]
            yield processes, [f"http://127.0.0.1:{port}" for port in ports]
        finally:
            processes.kill()
            warm.kill()
            warm.communicate()


def _batches(ledger: Ledger, dice: random.Random) -> list[list[dict[str, Any]]]:
    """For each slot of each device two uses that cannot both be, in batches of their own."""
    events = [
        ledger.usage(gpu, slot * SLOT_S, (slot + 1) * SLOT_S, name=f"{rival}-{gpu}-{slot}")
        for rival in "ab"
        for gpu in range(4)
        for slot in range(SLOTS)
    ]
    dice.shuffle(events)
    return [events[i : i + BATCH_EVENTS] for i in range(0, len(events), BATCH_EVENTS)]


class Clients:
    """Push all batches again and again, each client in orders of its own, until told to stop."""

    def __init__(
        self, ledger: Ledger, urls: list[str], batches: list[list[dict[str, Any]]]
    ) -> None:
        self._headers = {"Authorization": f"Bearer {ledger.api_key}", "Content-Type": BATCH}
        self._urls, self._batches = urls, batches
        self.answers: dict[str, set[str]] = defaultdict(set)
        self.unexpected: list[str] = []
        self.answered, self.lost = threading.Semaphore(0), 0
        # Number of the process that each client waits for.
        self.waiting_for: dict[int, int] = {}
        self.stop = threading.Event()

    def run(self, seed: int) -> None:
        """One client's life: all batches at least once, also those whose answer was lost."""
        dice = random.Random(seed)
        while not self.unexpected:
            for batch in dice.sample(self._batches, len(self._batches)):
                self._push(orjson.dumps(batch), dice)
            if self.stop.is_set():
                return

    def _push(self, body: bytes, dice: random.Random) -> None:
        while not self.unexpected:
            try:
                at = self.waiting_for[threading.get_ident()] = dice.randrange(PROCESSES)
                url = f"{self._urls[at]}/v1/events"
                answer = httpx.post(url, content=body, headers=self._headers, timeout=10)
            except httpx.TransportError:
                self.lost += 1
            else:
                if answer.status_code != 200:
                    self.unexpected.append(answer.text)
                    return
                for result in answer.json()["results"]:
                    self.answers[result["id"]].add(result.get("code") or result["status"])
                self.answered.release()
                return


def test_events__processes_killed_in_mid_batch__each_event_counts_once(
    ledger: Ledger, database_url: str, tmp_path: Path
) -> None:
    seed = int(os.environ.get("SEED", "0")) or random.randrange(1 << 40)
    dice = random.Random(seed)
    batches = _batches(ledger, dice)
    with _running(ledger, database_url, tmp_path) as (processes, urls):
        clients = Clients(ledger, urls, batches)
        threads = [threading.Thread(target=clients.run, args=(seed + i,)) for i in range(CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(KILLS):
                # In the middle of something: some answers after the last kill, and a moment.
                for _ in range(dice.choice((1, 1, 1, 6))):
                    assert clients.answered.acquire(timeout=60)
                clients.stop.wait(dice.uniform(0, 0.02))
                processes.kill_one(dice.choice(list(clients.waiting_for.values())))
        finally:
            clients.stop.set()
            for thread in threads:
                thread.join()

    with reading(ledger.engine) as connection:
        held = select(meter_events.c.event_id, facts.c.device, facts.c.start_s).where(
            told_by_event(), facts.c.kind.in_([kind.value for kind in HELD_KINDS])
        )
        recorded = connection.execute(held).all()
    ids = {row.event_id for row in recorded}
    assert not clients.unexpected, f"SEED={seed}"
    # Requests were under way when processes died, not only before and after.
    assert clients.lost > KILLS // 5
    # One use of each second, and every answer is what the log says.
    assert len({(row.device, row.start_s) for row in recorded}) == len(recorded) == 4 * SLOTS
    for event_id, answers in clients.answers.items():
        wanted = {"accepted", "duplicate"} if event_id in ids else {"overlap"}
        assert answers <= wanted, f"{event_id}, SEED={seed}"
    assert len(clients.answers) == 2 * 4 * SLOTS
