"""Numbers of an attester's memory, refusals, log, money and nodes, read without the loop's help."""

from collections import Counter
from collections.abc import Iterator, Sequence

from api.attester.health import Number
from api.attester.settings import AttesterSettings
from api.attester.wiring import RunningAttester, now_s
from api.chain.mined import balance_at
from api.errors import AppError


def read_numbers(running: RunningAttester, settings: AttesterSettings) -> Sequence[Number]:
    """All of them; a node that does not answer leaves out what only it knows."""
    memory = settings.memory
    size = memory.stat().st_size if memory.exists() else 0
    return [
        Number("attester_memory_bytes", size),
        *_refusals(running),
        *_lag(running),
        *_balance(running),
        *_providers(running),
    ]


def _refusals(running: RunningAttester) -> Iterator[Number]:
    """In force: those that count still."""
    found: Counter[str] = Counter()
    for name, _ in running.shelf.names(from_s=now_s()):
        found[name.partition("-epoch-")[0].removeprefix("facility-")] += 1
    for facility, count in found.items():
        yield Number("attester_refusals", count, (facility,))


def _lag(running: RunningAttester) -> Iterator[Number]:
    memory = running.memory
    for facility_id, size in dict(running.attester.log_sizes).items():
        behind = max(0, size - memory.log_end(facility_id).size)
        yield Number("attester_log_entries_unsigned", behind, (str(facility_id),))


def _balance(running: RunningAttester) -> Iterator[Number]:
    if running.gas_account is None:
        return
    try:
        head = running.client.head(attempts=1)
        balance = balance_at(running.client, running.gas_account, head.number)
    except AppError:
        return
    yield Number("attester_balance_wei", balance, (running.gas_account,))


def _providers(running: RunningAttester) -> Iterator[Number]:
    for provider in running.client.health():
        label = (provider.name,)
        yield Number("rpc_up", provider.state == "up", label)
        yield Number("rpc_requests", provider.requests, label)
        yield Number("rpc_failures", provider.failures, label)
