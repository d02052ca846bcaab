"""The service is away for hours of the agent's clock, and gets everything when it is back."""

import sys
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import select

from api.agent.clock import AgentClock
from api.agent.flights import Flights
from api.agent.sender import Sender
from api.agent.settings import read_settings
from api.agent.spool import Spool
from api.agent.wiring import make_signer, make_sources, make_transport
from api.db.session import reading
from api.db.tables.ledger import HELD_KINDS, facts
from api.domain.log.entry import entry_hash
from tests.factories import HOUR_S, START_S, Clock, Ledger
from tests.integration.agent.signed import (
    bring_without_chain,
    log_home,
    logged,
    made_key,
)
from tests.integration.agent.site import Job, Site
from tests.integration.service import change_service, make_app, serving

# Back to back, over the outage and within it; the last one runs on.
JOBS = [
    Job("1", "slurm", 4, 60, 1_000),
    Job("2", "slurm", 4, 1_000, 5_000),
    Job("3", "slurm", 5, 2_000, 2_030),
    Job("4", "slurm", 6, 100, 9_000_000),
]
STEP_S, AWAY_S, BACK_S, END_S = 120, 360, 360 + HOUR_S, 6_000


def _held(ledger: Ledger) -> list[tuple[int, int | None, bool]]:
    query = select(facts.c.start_s, facts.c.until_s, facts.c.ended).order_by(facts.c.start_s)
    query = query.where(facts.c.kind.in_([kind.value for kind in HELD_KINDS]))
    with reading(ledger.engine) as connection:
        rows = connection.execute(query).all()
    return [(row.start_s - START_S, (row.until_s or 0) - START_S, row.ended) for row in rows]


def _files(folder: Path, url: str, ledger: Ledger) -> Path:
    path = folder / "agent.toml"
    path.write_text(
        f"""
[agent]
name = "n1"
[service]
url = "{url}"
facility = {ledger.facility_id}
[[lease]]
id = "lease-a"
[slurm]
command = ["{sys.executable}", "-S", "{folder / "sacct.py"}"]
records = "records"
"""
    )
    return path


def test_service__away_for_an_hour__has_every_use_when_it_is_back(
    ledger: Ledger, database_url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    site = Site(folder, JOBS, 1, "http://127.0.0.1:1")
    clock = Clock(START_S)
    application = make_app(database_url, tmp_path)
    change_service(application, clock=clock)
    ledger.home = log_home(tmp_path)
    ledger.facility_id = ledger.add_facility(range(4, 8))
    ledger.add_lease("lease-a")
    bring_without_chain(application, ledger, made_key(folder / "agent.key"))
    agent_clock = AgentClock(clock)
    with ExitStack() as exits:
        port = exits.enter_context(serving(application))

        def sender_to(url: str) -> tuple[Sender, Spool]:
            settings = read_settings(_files(folder, url, ledger))
            spool = Spool(settings.spool, most_mib=settings.spool_mib)
            exits.callback(spool.close)
            signer = make_signer(settings, spool, agent_clock)
            transport = make_transport(settings, signer)
            exits.callback(transport.close)
            made = Sender(Flights(spool), transport, signer, agent_clock, chance=lambda: 0.5)
            return made, spool

        there, spool = sender_to(f"http://127.0.0.1:{port}")
        away, _ = sender_to("http://127.0.0.1:1")
        settings = read_settings(folder / "agent.toml")
        [worker] = make_sources(settings, spool, agent_clock).workers
        failures = 0
        for at_s in range(0, END_S, STEP_S):
            site.go(at_s)
            clock.now_s = START_S + at_s
            worker.step()
            sender = away if AWAY_S <= at_s < BACK_S else there
            for _ in range(100):
                if sender.step():
                    break
            failures += sender.state.failure is not None
            if at_s == BACK_S - STEP_S:
                before = _held(ledger)

        assert spool.depth().refused == spool.depth().waiting == 0

    # Confirmed until the outage began, and not one event of it before the end.
    assert failures >= HOUR_S // STEP_S
    assert [ended for _, _, ended in before] == [False, False]
    assert all(until_s <= AWAY_S for _, until_s, _ in before)
    assert _held(ledger)[0] == (60, 1_000, True)
    assert (1_000, 5_000, True) in _held(ledger)
    assert (2_000, 2_030, True) in _held(ledger)
    [running] = [row for row in _held(ledger) if not row[2]]
    assert running[0] == 100
    assert running[1] > END_S - 450
    # Each of its entries names the one before it.
    *_, first, last = logged(ledger.engine, ledger.facility_id)
    assert last.request is not None
    assert last.request.after == entry_hash(first.entry)
