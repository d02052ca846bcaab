"""The process: a thread a source, one that sends, and an end within seconds of a signal."""

import random
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from api.agent.book import end_others
from api.agent.clock import AgentClock
from api.agent.failures import AgentBroken, SpoolFailed
from api.agent.flights import Flights
from api.agent.health import health_of, serving_health
from api.agent.sender import Sender
from api.agent.settings import AgentSettings
from api.agent.spool import Spool
from api.agent.wiring import (
    Worker,
    make_signer,
    make_sources,
    make_transport,
    source_name,
)
from api.errors import AppError

_PURGE_EVERY_S = 300.0
# Of the room of the spool: from here on, what was sent is forgotten early.
_FULL = 0.8
# A step that is in the middle of something has so long to end.
_JOIN_S = 5.0
Log = Callable[..., None]


def run_agent(
    settings: AgentSettings, stop: threading.Event, *, now: Callable[[], int], log: Log
) -> None:
    """Run until `stop` is set.

    Raises:  SpoolFailed, KeyFileWrong or SettingsWrong if it cannot begin; AgentBroken if a part
             of it failed in a way that nobody foresaw: whoever watches it starts it again.
    """
    with _watched(stop, log):
        _run(settings, stop, now=now, log=log)


@contextmanager
def _watched(stop: threading.Event, log: Log) -> Iterator[None]:
    """End all parts when one breaks, loudly: an agent of which a part is dead seems well."""
    broken: list[str] = []

    def hook(failed: threading.ExceptHookArgs) -> None:
        name = failed.thread.name if failed.thread else "a thread"
        told = traceback.format_exception_only(failed.exc_type, failed.exc_value)
        log(name, broken="".join(told).strip())
        if stop.is_set():
            # It is over: a part that was slow to end had its connection closed under it.
            return
        broken.append(name)
        threading.__excepthook__(failed)
        stop.set()

    before = threading.excepthook
    threading.excepthook = hook
    try:
        yield
    finally:
        threading.excepthook = before
    if broken:
        raise AgentBroken(f"{broken[0]} broke: see the log")


def _run(
    settings: AgentSettings, stop: threading.Event, *, now: Callable[[], int], log: Log
) -> None:
    clock = AgentClock(now)
    spool = Spool(settings.spool, most_mib=settings.spool_mib)
    signer = make_signer(settings, spool, clock)
    transport = make_transport(settings, signer)
    with spool.alone():
        sources = make_sources(settings, spool, clock)
        own = [source_name(settings, worker.kind) for worker in sources.workers]
        end_others(spool, own, now_s=clock.now_s())
        sender = Sender(Flights(spool), transport, signer, clock, chance=random.random)

        def shown() -> dict[str, object]:
            return health_of(
                name=settings.name,
                clock=clock,
                spool=spool,
                sender=sender.state,
                author=signer.author,
                workers=sources.workers,
                skew_warning_s=settings.skew_warning_s,
            )

        with serving_health(settings.health_port, shown):
            threads = [
                threading.Thread(target=_send, args=(sender, stop, log), name="sender", daemon=True)
            ]
            for worker in sources.workers:
                work = (worker, spool, clock, stop, log)
                threads.append(
                    threading.Thread(target=_work, args=work, name=worker.kind, daemon=True)
                )
            for thread in threads:
                thread.start()
            for worker in sources.workers:
                threads += worker.start(stop)
            log("agent", started=settings.name, sources=[w.kind for w in sources.workers])
            while not stop.wait(_PURGE_EVERY_S):
                with suppress(SpoolFailed):
                    _purge(settings, spool, now_s=clock.now_s(), log=log)
            for worker in sources.workers:
                worker.abort()
            transport.abort()
            until_s = time.monotonic() + _JOIN_S
            for thread in threads:
                thread.join(max(0.0, until_s - time.monotonic()))
        for worker in sources.workers:
            worker.close()
        transport.close()
        spool.close()
    log("agent", stopped=settings.name)


def _purge(settings: AgentSettings, spool: Spool, *, now_s: int, log: Log) -> None:
    """Make room: of what is too old, and if that is not enough, of what was sent."""
    receipts_before_s = now_s - settings.receipts_s
    spool.purge(before_s=now_s - settings.retention_s, receipts_before_s=receipts_before_s)
    if spool.fill() > _FULL:
        spool.purge(before_s=now_s + 1, receipts_before_s=receipts_before_s)
    if spool.fill() > _FULL:
        # What is not billed is worse than a receipt that is lost: the newest names all before it.
        log("spool", warning="it is full: receipts of bodies that are no longer kept go")
        spool.purge(before_s=now_s + 1, receipts_before_s=now_s - settings.retention_s)


def work_once(worker: Worker, spool: Spool, clock: AgentClock, log: Log) -> None:
    """One step of a source. What fails is noted and said once; the next step tries again."""
    try:
        worker.step()
    except AppError as error:
        if isinstance(error, SpoolFailed):
            # Room first: what the service has need not be kept.
            with suppress(SpoolFailed):
                spool.purge(before_s=clock.now_s() + 1)
        if worker.failure is None:
            worker.failing_since_s = clock.now_s()
        if worker.failure != error.message:
            log(worker.kind, error=error.message)
        worker.failure = error.message
        return
    if worker.failure is not None:
        log(worker.kind, recovered=True)
    worker.failure = worker.failing_since_s = None
    worker.last_ok_s = clock.now_s()


def _work(worker: Worker, spool: Spool, clock: AgentClock, stop: threading.Event, log: Log) -> None:
    while not stop.is_set():
        work_once(worker, spool, clock, log)
        stop.wait(worker.pause_s)


def _send(sender: Sender, stop: threading.Event, log: Log) -> None:
    said: str | None = None
    while not stop.is_set():
        pause_s = sender.step()
        if sender.state.failure != said:
            said = sender.state.failure
            log("sender", **({"error": said} if said else {"recovered": True}))
        stop.wait(pause_s)
