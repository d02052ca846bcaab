"""Processes of a chaotic run: born, killed, stopped for a while, and seen to end by themselves."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Plan:
    """How a process is started."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Exit:
    """A process that ended though nobody killed it."""

    name: str
    code: int
    log: str


class Processes:
    """Named processes below one nursery. A watch, as systemd would, starts again what ended."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder, self._environment = folder, dict(environment)
        self._plans: dict[str, Plan] = {}
        self._pids: dict[str, int] = {}
        self._born: dict[int, int] = {}
        self._codes: dict[int, int] = {}
        self._lock = threading.RLock()
        self._count = 0
        self.kills = 0
        self.exits: list[Exit] = []
        self._nursery = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        assert self._nursery.stdout is not None
        self._nursery.stdout.readline()
        self._listener = threading.Thread(target=self._listen)
        self._listener.start()

    def _listen(self) -> None:
        assert self._nursery.stdout is not None
        for line in self._nursery.stdout:
            said = json.loads(line)
            if "gone" in said:
                self._codes[said["gone"]] = said["code"]
            else:
                # Numbers of processes come again: what an earlier one ended with is not its end.
                self._codes.pop(said["pid"], None)
                self._born[said["born"]] = said["pid"]

    @property
    def names(self) -> list[str]:
        """Processes that should run, in the order of their first start."""
        return [*self._plans]

    def clock(self, name: str) -> Path:
        """File with the seconds that this process's clock is off this machine's."""
        return self._folder / f"{name}.clock"

    def log(self, name: str) -> Path:
        """Where a process logs, all its lives."""
        return self._folder / f"{name}.log"

    def set_clocks(self, seconds: float, names: Sequence[str] | None = None) -> None:
        """Set the clocks of processes: of all of them, or some."""
        for name in self._plans if names is None else names:
            whole = self.clock(name).with_suffix(".new")
            whole.write_text(repr(seconds))
            whole.replace(self.clock(name))

    def start(self, name: str, *arguments: str, **environment: str) -> None:
        """Start a process, and remember how."""
        with self._lock:
            self._plans[name] = Plan(arguments, environment)
            self._start(name)

    def _start(self, name: str) -> None:
        plan = self._plans[name]
        self._count += 1
        order = {
            "id": self._count,
            "arguments": list(plan.arguments),
            "environment": {
                **self._environment,
                **plan.environment,
                "CHAOS_CLOCK": str(self.clock(name)),
            },
            "log": str(self.log(name)),
        }
        assert self._nursery.stdin is not None
        self._nursery.stdin.write(json.dumps(order) + "\n")
        self._nursery.stdin.flush()
        number = self._count
        while number not in self._born:
            time.sleep(0.002)
        self._pids[name] = self._born[number]

    def kill(self, name: str) -> None:
        """End a process at once, as a power cut would, and start it again."""
        with self._lock:
            self._end(name, signal.SIGKILL)
            self.kills += 1
            self._start(name)

    def restart(self, name: str, **environment: str) -> None:
        """Kill a process and start it with other settings."""
        with self._lock:
            plan = self._plans[name]
            self._plans[name] = Plan(plan.arguments, {**plan.environment, **environment})
            self.kill(name)

    def pause(self, name: str, seconds: float) -> None:
        """Stop a process for a while: a machine that swaps, a paused VM."""
        pid = self._pids[name]
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            time.sleep(seconds)
            os.kill(pid, signal.SIGCONT)

    def _end(self, name: str, number: int) -> float:
        """Send a signal and wait. Returns seconds until it was gone."""
        pid, started = self._pids[name], time.monotonic()
        with suppress(ProcessLookupError):
            os.kill(pid, number)
            os.kill(pid, signal.SIGCONT)
        while pid not in self._codes:
            time.sleep(0.002)
        return time.monotonic() - started

    def watch(self) -> None:
        """Start again what ended by itself, and keep that it did."""
        with self._lock:
            for name, pid in list(self._pids.items()):
                if pid in self._codes:
                    tail = self.log(name).read_text()[-2_000:]
                    self.exits.append(Exit(name, self._codes[pid], tail))
                    self._start(name)

    def stop(self, name: str) -> float:
        """Ask a process to end. Returns the seconds that it took."""
        with self._lock:
            took = self._end(name, signal.SIGTERM)
            del self._plans[name], self._pids[name]
            return took

    def close(self) -> None:
        """End all of them, and the nursery."""
        with self._lock:
            for name in list(self._pids):
                if self._pids[name] not in self._codes:
                    self._end(name, signal.SIGKILL)
        assert self._nursery.stdin is not None
        assert self._nursery.stdout is not None
        self._nursery.stdin.close()
        self._nursery.wait(10)
        self._listener.join()
        self._nursery.stdout.close()
