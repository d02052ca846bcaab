"""`agent check`: what the agent sees, in plain words, before it runs or beside it."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from api.agent.book import Round
from api.agent.clock import AgentClock
from api.agent.leases import NOBODY
from api.agent.settings import AgentSettings
from api.agent.sources import dcgm, kubernetes, slurm
from api.agent.spool import Spool
from api.agent.transport import HttpTransport
from api.agent.wiring import Sources, make_signer, make_sources, make_transport
from api.errors import AppError
from api.local.finding import Finding
from api.local.key_file import public_key, read_key_file

_MOST_NAMED = 5


def look(settings: AgentSettings, *, now: Callable[[], int]) -> list[Finding]:
    """Look at everything once. Nothing is spooled, sent or changed."""
    clock = AgentClock(now)
    # A spool in memory: what the sources say is judged and thrown away.
    spool = Spool(Path(":memory:"), most_mib=64)
    sources = make_sources(settings, spool, clock)
    found = [
        *_key(settings),
        *_service(settings, spool, clock),
        *_spool(settings),
        *_leases(settings),
        *_nvml(sources, now),
        *_dcgm(settings, sources, now),
        *_slurm(settings, sources, now),
        *_kubernetes(settings, sources),
        *_csv(settings),
    ]
    for worker in sources.workers:
        worker.close()
    spool.close()
    if not sources.workers:
        advice = "write [nvml], [dcgm], [slurm], [kubernetes] or [csv] into the settings"
        found.append(Finding("sources", "fail", "none is named", advice))
    return found


def _key(settings: AgentSettings) -> Iterator[Finding]:
    try:
        shown = public_key(read_key_file(settings.key_file))
    except AppError as error:
        yield Finding("key file", "fail", error.message, "`rentroll agent init` makes one")
        return
    yield Finding("key file", "ok", f"{settings.key_file}, public key {shown}")


def _service(settings: AgentSettings, spool: Spool, clock: AgentClock) -> Iterator[Finding]:
    try:
        transport = make_transport(settings, make_signer(settings, spool, clock))
    except AppError as error:
        advice = "`rentroll agent init` makes the agent's key, `rentroll keys` an API key"
        yield Finding("key", "fail", error.message, advice)
        return
    try:
        yield from _asked(settings, transport, clock)
    finally:
        transport.close()


def _asked(
    settings: AgentSettings, transport: HttpTransport, clock: AgentClock
) -> Iterator[Finding]:
    try:
        clock.hear(transport.ask_time())
    except AppError as error:
        advice = "events wait in the spool until it answers"
        yield Finding("service", "fail", error.message, advice)
        return
    yield Finding("service", "ok", f"{settings.service.url} answers")
    off = abs(clock.skew_s or 0) > settings.skew_warning_s
    advice = "let NTP set this machine's clock: nothing is billed ahead of the service's time"
    yield Finding("clock", "fail" if off else "ok", clock.sentence(), advice if off else "")
    signs = settings.service.api_key_file is None
    what = "key" if signs else "API key"
    try:
        transport.check_key(settings.service.facility)
    except AppError as error:
        advice = "the key needs the scope events:write, and may be expired or revoked"
        if signs:
            advice = "have the operator bring the key into the log: `rentroll ledger-key bring`"
        yield Finding(what, "fail", error.message, advice)
        return
    said = "the log takes what it signs" if signs else "the service takes it"
    yield Finding(what, "ok", said)


def _spool(settings: AgentSettings) -> Iterator[Finding]:
    path = settings.spool
    if not path.exists():
        level = "ok" if path.parent.is_dir() else "fail"
        advice = "" if level == "ok" else f"make the folder {path.parent}"
        yield Finding("spool", level, f"{path} will be made", advice)
        return
    try:
        spool = Spool(path, most_mib=settings.spool_mib)
        depth = spool.depth()
        spool.close()
    except (AppError, sqlite3.Error) as error:
        yield Finding("spool", "fail", str(error))
        return
    yield Finding("spool", "ok", f"{path}: {depth.waiting} events wait")
    if depth.refused:
        message = f"{depth.refused} events were refused by the service and are kept"
        yield Finding("refused", "warn", message, "`rentroll agent refused` shows them")


def _leases(settings: AgentSettings) -> Iterator[Finding]:
    count = len(settings.leases.rows)
    if count:
        yield Finding("leases", "ok", f"{count} rows")
    elif settings.slurm or settings.kubernetes or settings.csv:
        advice = "write [[lease]] rows: what no row fits is reported and not billed"
        yield Finding("leases", "warn", "no row", advice)


def _nvml(sources: Sources, now: Callable[[], int]) -> Iterator[Finding]:
    if sources.nvml is None:
        return
    try:
        alive, lost = sources.nvml.read(now())
    except AppError as error:
        yield Finding("nvml", "fail", error.message, "is the driver loaded? try `nvidia-smi -L`")
        return
    yield Finding("nvml", "ok", f"{len(alive.devices)} devices")
    for device in sources.nvml.devices:
        shown = f"{device.name}  {device.model}"
        if device.name != device.card:
            shown = f"{device.name}  {device.profile} of {device.card}  {device.model}"
        yield Finding("device", "ok", shown)
    for problem in alive.problems:
        yield Finding("nvml", "warn", f"{problem.subject}: {problem.detail}")
    for card in lost.devices:
        yield Finding("nvml", "fail", f"{card} is lost", "reset the card, or restart the machine")


def _dcgm(settings: AgentSettings, sources: Sources, now: Callable[[], int]) -> Iterator[Finding]:
    if sources.dcgm is None:
        return
    try:
        found, said = sources.dcgm.read(now)
    except AppError as error:
        yield Finding("dcgm", "fail", error.message, "does the exporter run? try curl")
        return
    count = len(found.devices) or sources.dcgm.known()
    yield Finding("dcgm", "ok" if count else "warn", f"{count} devices exported")
    for problem in found.problems:
        yield Finding("dcgm", "warn", f"{problem.subject}: {problem.detail}")
    if said is not None:
        yield from _mapped(settings, dcgm.KIND, said)


def _slurm(settings: AgentSettings, sources: Sources, now: Callable[[], int]) -> Iterator[Finding]:
    if sources.slurm is None:
        return
    try:
        said = sources.slurm.read(now(), None)
    except AppError as error:
        advice = "run the command of [slurm] by hand, as the user of the agent"
        yield Finding("slurm", "fail", error.message, advice)
        return
    yield Finding("slurm", "ok", f"{len(said.uses)} uses of devices in the jobs of late")
    yield from _mapped(settings, slurm.KIND, said)


def _kubernetes(settings: AgentSettings, sources: Sources) -> Iterator[Finding]:
    if sources.kubernetes is None:
        return
    for store in sources.kubernetes.stores():
        # A version that is not served gives way to the next: three tries see all.
        for _ in range(3):
            store.step()
            if store.fresh_s is not None:
                break
        store.abort()
    try:
        said = sources.kubernetes.read()
    except AppError as error:
        advice = "see the RBAC manifest in docs/AGENT.md"
        yield Finding("kubernetes", "fail", error.message, advice)
        return
    yield Finding("kubernetes", "ok", f"{len(said.uses)} uses of devices by pods")
    yield from _mapped(settings, kubernetes.KIND, said)


def _csv(settings: AgentSettings) -> Iterator[Finding]:
    if settings.csv is None:
        return
    file = settings.csv.file
    if file.is_file():
        yield Finding("csv", "ok", f"{file}")
    else:
        yield Finding("csv", "fail", f"{file} is not there", "it is read once it is")


def _mapped(settings: AgentSettings, kind: str, said: Round) -> Iterator[Finding]:
    """Which leases the uses of a round go to."""
    counts: Counter[str] = Counter()
    unmapped: Counter[str] = Counter()
    for use in said.uses:
        lease = settings.leases.lease_of(use.holder, source=kind)
        if lease is None:
            unmapped[use.holder.shown()] += 1
        elif lease != NOBODY:
            counts[lease] += 1
    for lease, count in sorted(counts.items()):
        yield Finding("lease", "ok", f"{lease}: {count} uses of {kind}")
    for holder, count in unmapped.most_common(_MOST_NAMED):
        advice = 'write a [[lease]] row, or one with the id "-" if nobody rents this'
        yield Finding("lease", "warn", f"no lease for {holder}: {count} uses not billed", advice)
    for problem in said.problems[:_MOST_NAMED]:
        yield Finding(kind, "warn", f"{problem.subject}: {problem.kind}: {problem.detail}")
