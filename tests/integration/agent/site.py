"""A site with every kind of source, played by a script: who holds what, from when to when."""

import http.server
import os
import random
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from api.agent.sources.slurm import COLUMNS
from api.domain.metering.instants import format_instant
from tests.factories import START_S, device
from tests.integration.agent.kube_stand_in import TOKEN, KubeServer, pod
from tests.unit.agent.nvml_library import card

PODS = "/api/v1/pods"
# Devices of each source: of Slurm, Kubernetes, an exporter's labels, and a CSV file.
GPUS = {"slurm": range(4, 10), "kubernetes": range(10, 16), "dcgm": range(16, 20)}
GPUS["csv"] = range(20, 24)
EVERY = range(4, 24)
_SACCT = """\
import pathlib, sys
sys.stdout.write(pathlib.Path(__file__).with_name("rows").read_text())
"""


@dataclass(frozen=True)
class Job:
    """A job of a source on one device, seconds after the window's start."""

    name: str
    source: str
    gpu: int
    start_s: int
    end_s: int


def play(dice: random.Random, last_s: int) -> list[Job]:
    """Jobs one after another on each device, some back to back, all over by then."""
    jobs = []
    for source, gpus in GPUS.items():
        for gpu in gpus:
            at_s = dice.randrange(0, 600)
            while True:
                end_s = at_s + dice.choice((dice.randrange(1, 90), dice.randrange(90, 4_000)))
                if end_s > last_s:
                    break
                jobs.append(Job(f"{gpu}{len(jobs):05}", source, gpu, at_s, end_s))
                at_s = end_s + dice.choice((0, 0, dice.randrange(1, 900)))
    return jobs


class Site:
    """What each source says at each time. Files are replaced whole, as programs do."""

    def __init__(self, folder: Path, jobs: list[Job], exporter_port: int, kube_url: str) -> None:
        self.folder, self.jobs, self.now_s = folder, jobs, 0
        self.scrapes = 0
        self.kube = KubeServer()
        self._told: set[str] = set()
        (folder / "records").mkdir()
        (folder / "sacct.py").write_text(_SACCT)
        (folder / "token").write_text(TOKEN)
        (folder / "use.csv").write_text("job,device,start,end,account\n")
        for job in jobs:
            if job.source == "slurm":
                time = START_S + job.start_s
                record = f"job={job.name}\nnode=n1\ntime={time}\ngpus={device(job.gpu)}\n"
                (folder / "records" / f"{job.name}@n1@{time}").write_text(record)
        self._urls = exporter_port, kube_url

    def settings(
        self, *, api_url: str, facility: int, library: Path | None, api_key: str | None = None
    ) -> Path:
        """The agent's settings file; it signs, unless it has an API key."""
        port, kube_url = self._urls
        bearer = ""
        if api_key is not None:
            (self.folder / "api.key").write_text(api_key)
            (self.folder / "api.key").chmod(0o600)
            bearer = 'api_key_file = "api.key"'
        nvml = f'[nvml]\npoll_s = 120\nlibrary = "{library}"\n' if library else ""
        path = self.folder / "agent.toml"
        path.write_text(
            f"""
[agent]
name = "n1"
health_port = 0
[service]
url = "{api_url}"
facility = {facility}
{bearer}
[[lease]]
id = "lease-a"
{nvml}
[dcgm]
urls = ["http://127.0.0.1:{port}/metrics"]
allocations = "pod"
[slurm]
command = ["{sys.executable}", "-S", "{self.folder / "sacct.py"}"]
records = "records"
[kubernetes]
url = "{kube_url}"
token_file = "token"
annotations = ["example.com/gpus"]
[csv]
file = "use.csv"
"""
        )
        return path

    def go(self, now_s: int) -> None:
        """Let time pass: first sources, then the clock, so that none is ahead of what it says."""
        before_s = self.now_s
        self._say_slurm(now_s)
        self._say_kubernetes(now_s)
        with (self.folder / "use.csv").open("a") as file:
            for job in self.jobs:
                if job.source == "csv" and before_s < job.end_s <= now_s:
                    start, end = self._instant(job.start_s), self._instant(job.end_s)
                    file.write(f"{job.name},{device(job.gpu)},{start},{end},x\n")
        energy = 1_000_000 + now_s * 60_000
        self._replace("driver", "\n".join(card(device(gpu), energy) for gpu in EVERY) + "\n")
        self.now_s = now_s
        self._replace("clock", str(START_S + now_s))

    def exported(self) -> str:
        """What the exporter says now."""
        self.scrapes += 1
        # The time that the agent reads, before and after.
        now_s = int((self.folder / "clock").read_text()) - START_S
        lines = []
        for gpu in GPUS["dcgm"]:
            held = [j for j in self.jobs if j.gpu == gpu and j.start_s <= now_s < j.end_s]
            labels = f'gpu="{gpu}",UUID="{device(gpu)}"'
            if held:
                labels += f',pod="p",namespace="ml",pod_uid="{held[0].name}"'
            energy = 1_000_000 + now_s * 60_000
            lines.append(f"DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{{{labels}}} {energy}\n")
        return "".join(lines)

    def _say_slurm(self, now_s: int) -> None:
        rows = ["|".join(COLUMNS)]
        for job in self.jobs:
            if job.source == "slurm" and job.start_s <= now_s:
                over = job.end_s <= now_s
                start = self._instant(job.start_s)[:-1]
                end = self._instant(job.end_s)[:-1] if over else "Unknown"
                state = "COMPLETED" if over else "RUNNING"
                rows.append(
                    f"{job.name}|x|ada|h|{state}|{start}|{end}|00:00:00|n1|cpu=8,gres/gpu=1"
                )
        self._replace("rows", "\n".join(rows) + "\n")

    def _say_kubernetes(self, now_s: int) -> None:
        for job in self.jobs:
            if job.source != "kubernetes" or job.start_s > now_s:
                continue
            start, end = self._instant(job.start_s), self._instant(job.end_s)
            begun, over = f"{job.name} begun", f"{job.name} over"
            if job.end_s <= now_s and over not in self._told:
                self._told |= {begun, over}
                ended = {"phase": "Succeeded", "finished": end}
                self.kube.put(PODS, pod(job.name, start=start, devices=device(job.gpu), **ended))
            elif begun not in self._told:
                self._told.add(begun)
                self.kube.put(PODS, pod(job.name, start=start, devices=device(job.gpu)))
        self.kube.bookmark(PODS)

    def _instant(self, at_s: int) -> str:
        return format_instant(START_S + at_s)

    def _replace(self, name: str, text: str) -> None:
        new = self.folder / f"{name}.new"
        new.write_text(text)
        os.replace(new, self.folder / name)


@contextmanager
def serving_exporter(said: list[Site]) -> Iterator[int]:
    """An exporter that says what the site says; yields its port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = said[0].exported().encode() if said else b""
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
