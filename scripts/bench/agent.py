"""What the agent costs at 1,000 GPUs: processor time of a day, memory, events, bytes.

    python -m scripts.bench.agent [HOURS] [--rounds N]

The clock is simulated, everything else is what runs: 125 exporters are scraped over HTTP every 30
seconds, sacct is polled every minute, events are spooled with a sync a step and sent over HTTP.
"""

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from api.agent.clock import AgentClock
from api.agent.flights import Flights
from api.agent.sender import Sender
from api.agent.settings import AgentSettings, read_settings
from api.agent.sources.slurm import COLUMNS
from api.agent.spool import Spool
from api.agent.wiring import make_signer, make_sources, make_transport
from api.domain.metering.instants import format_instant
from scripts.bench.agent_site import CARDS, gpu

GPUS, GPUS_A_JOB, JOB_S = 1_000, 4, 7_200
EXPORTERS = GPUS // CARDS
ROUND_S, HOUR_S, DAY_S = 30, 3_600, 86_400
BEGIN_S = 1_767_225_600
_KIB_A_MIB = 1_024
_SACCT = """\
import pathlib, sys
sys.stdout.write(pathlib.Path(__file__).with_name("rows").read_text())
"""


class Cluster:
    """Jobs of four GPUs each, two hours long, one after another, on every GPU."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._records: set[str] = set()
        (folder / "records").mkdir()
        (folder / "sacct.py").write_text(_SACCT)

    def go(self, now_s: int) -> None:
        """What accounting says now: jobs that run, and those that ended in the last hour."""
        rows = ["|".join(COLUMNS)]
        for group in range(GPUS // GPUS_A_JOB):
            # Jobs of different groups begin at different times.
            first_s = BEGIN_S - JOB_S + group * JOB_S * GPUS_A_JOB // GPUS
            turn = (now_s - first_s) // JOB_S
            for which in (turn - 1, turn):
                start_s = first_s + which * JOB_S
                if which >= 0 and start_s + JOB_S > now_s - HOUR_S:
                    rows.append(self._row(group, which, start_s, now_s))
        (self._folder / "rows").write_text("\n".join(rows) + "\n")

    def _row(self, group: int, which: int, start_s: int, now_s: int) -> str:
        job, end_s = f"{group}{which:04}", start_s + JOB_S
        if job not in self._records:
            self._records.add(job)
            devices = " ".join(gpu(group * GPUS_A_JOB + i) for i in range(GPUS_A_JOB))
            record = f"job={job}\nnode=n1\ntime={start_s}\ngpus={devices}\n"
            (self._folder / "records" / f"{job}@n1@{start_s}").write_text(record)
        over = end_s <= now_s
        start, end = format_instant(start_s)[:-1], format_instant(end_s)[:-1]
        state, shown = ("COMPLETED", end) if over else ("RUNNING", "Unknown")
        return f"{job}|x|ada|h|{state}|{start}|{shown}|00:00:00|n1|cpu=8,gres/gpu={GPUS_A_JOB}"


def _settings(folder: Path, port: int) -> AgentSettings:
    urls = ", ".join(f'"http://127.0.0.1:{port}/e/{n}"' for n in range(EXPORTERS))
    (folder / "api.key").touch(mode=0o600)
    (folder / "api.key").write_text("rr_op_bench")
    (folder / "agent.toml").write_text(
        f"""
[agent]
name = "bench"
[service]
url = "http://127.0.0.1:{port}"
facility = 1
api_key_file = "api.key"
[[lease]]
id = "lease-1"
[dcgm]
urls = [{urls}]
[slurm]
command = ["{sys.executable}", "-S", "{folder / "sacct.py"}"]
records = "records"
"""
    )
    return read_settings(folder / "agent.toml")


def _measure(folder: Path, port: int, rounds: int) -> None:
    now = {"s": BEGIN_S}
    settings = _settings(folder, port)
    cluster = Cluster(folder)
    clock = AgentClock(lambda: now["s"])
    spool = Spool(settings.spool, most_mib=settings.spool_mib)
    workers = {worker.kind: worker for worker in make_sources(settings, spool, clock).workers}
    signer = make_signer(settings, spool, clock)
    transport = make_transport(settings, signer)
    sender = Sender(Flights(spool), transport, signer, clock, chance=lambda: 0.5)
    parts = {"dcgm": 0.0, "slurm": 0.0, "sender": 0.0}

    def spend(part: str, step: object) -> None:
        began = time.process_time()
        assert callable(step)
        step()
        parts[part] += time.process_time() - began

    def drain() -> None:
        while not sender.step():
            pass

    began = time.monotonic()
    for at_s in range(0, rounds * ROUND_S, ROUND_S):
        now["s"] = BEGIN_S + at_s
        spend("dcgm", workers["dcgm"].step)
        if at_s % (2 * ROUND_S) == 0:
            cluster.go(now["s"])
            spend("slurm", workers["slurm"].step)
        spend("sender", drain)
    cpu_s = sum(parts.values())
    hours = rounds * ROUND_S / HOUR_S
    scale = 24 / hours
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // _KIB_A_MIB
    took_s = time.monotonic() - began
    print(f"{hours:.1f} h of {GPUS} GPUs in {took_s:.0f} s: {sender.state.sent} events")
    for part, spent_s in parts.items():
        print(f"  {part:8} {spent_s * scale:7.1f} s of processor a day")
    share = 100 * cpu_s * scale / DAY_S
    print(f"  in all   {cpu_s * scale:7.1f} s a day, {share:.2f} % of a core (goal: 1 %)")
    print(f"  memory   {peak_mib} MiB at most (goal: 100 MiB)")
    size_mib = settings.spool.stat().st_size * scale / _KIB_A_MIB**2
    print(f"  spool    {size_mib:.0f} MiB a day, {sender.state.sent * scale:.0f} events")
    spool.close()
    transport.close()
    for worker in workers.values():
        worker.close()


def main() -> None:
    """Play some hours, and scale to a day."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("hours", type=int, nargs="?", default=1)
    parser.add_argument("--rounds", type=int, help="so many rounds of 30 s in place of hours")
    asked = parser.parse_args()
    rounds = asked.rounds or asked.hours * HOUR_S // ROUND_S
    command = [sys.executable, "-m", "scripts.bench.agent_site"]
    with (
        TemporaryDirectory() as folder,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as site,
    ):
        assert site.stdout is not None
        try:
            _measure(Path(folder), int(site.stdout.readline()), rounds)
        finally:
            site.kill()


if __name__ == "__main__":
    main()
