"""All numbers of a running worker: of its rows, its node, and its relayer."""

from collections.abc import Iterator

from api.chain.mined import balance_at
from api.cli.wiring import RunningWorker
from api.clock import system_clock
from api.db.session import reading
from api.errors import AppError
from api.reads.vitals import Vital, read_vitals
from api.settings import ClockSource, Settings


def read_worker(running: RunningWorker, settings: Settings) -> list[Vital]:
    """All that can be read now. A node that does not answer leaves out what only it knows.

    Raises:  DatabaseUnavailable.
    """
    wall_s = system_clock()
    chain: list[Vital] = []
    now_s = wall_s
    try:
        head = running.client.head(attempts=1)
        if settings.clock is ClockSource.CHAIN:
            now_s = head.time_s
        if running.relayer is not None:
            balance = balance_at(running.client, running.relayer, head.number)
            chain.append(Vital("relayer_balance_wei", balance, (running.relayer,)))
    except AppError:
        # What its provider does is said below.
        pass
    with reading(running.engine) as connection:
        rows = read_vitals(connection, now_s=now_s, wall_s=wall_s)
    return [*rows, *chain, *_providers(running)]


def _providers(running: RunningWorker) -> Iterator[Vital]:
    for provider in running.client.health():
        label = (provider.name,)
        yield Vital("rpc_up", provider.state == "up", label)
        yield Vital("rpc_requests", provider.requests, label)
        yield Vital("rpc_failures", provider.failures, label)
