"""The agent's parts, put together from its settings: sources, spool, signer, transport."""

import http
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from api.agent.book import Book
from api.agent.clock import AgentClock
from api.agent.failures import NotAdmitted, Unreachable
from api.agent.restoring import Given, give_back
from api.agent.settings import AgentSettings
from api.agent.sightings import Sightings
from api.agent.signing import KeySigner, Logs
from api.agent.sources import csv_rows, dcgm, kubernetes, nvml, slurm
from api.agent.sources.csv_rows import CsvSource
from api.agent.sources.dcgm import DcgmSource
from api.agent.sources.kubernetes import KubernetesSource
from api.agent.sources.nvml import NvmlSource
from api.agent.sources.pod_resources import PodResources
from api.agent.sources.slurm import SlurmSource
from api.agent.spool import Spool, cursor_of, known_logs
from api.agent.transport import BearerSigner, HttpTransport, Signer
from api.agent.web import BROKEN, Web
from api.local.key_file import read_key_file
from api.local.secret_file import KeyFileWrong, read_secret

# Looks further apart than this many polls leave a gap between them.
_POLLS_OF_A_GAP = 3
_SEND_TIMEOUT_S = 60.0


@dataclass(slots=True)
class Worker:
    """A source at work: one step reads it and spools what it says."""

    kind: str
    step: Callable[[], None]
    pause_s: int
    abort: Callable[[], None] = lambda: None
    close: Callable[[], None] = lambda: None
    start: Callable[[threading.Event], list[threading.Thread]] = lambda _stop: []
    frozen: Callable[[], list[str]] = list
    last_ok_s: int | None = None
    failure: str | None = None
    failing_since_s: int | None = None


@dataclass(slots=True)
class Sources:
    """The sources that the settings name, before anything is read."""

    nvml: NvmlSource | None = None
    dcgm: DcgmSource | None = None
    slurm: SlurmSource | None = None
    kubernetes: KubernetesSource | None = None
    csv: CsvSource | None = None
    workers: list[Worker] = field(default_factory=list)


def make_signer(settings: AgentSettings, spool: Spool, clock: AgentClock) -> Signer:
    """Who signs: the agent's key, or nobody where an API key is named.

    Raises:  KeyFileWrong if the file is missing, or others may read it.
    """
    file = settings.service.api_key_file
    if file is None:
        key = read_key_file(settings.key_file)
        logs = Logs(spool, partial(ask_log, settings), key=settings.service.log_key)
        return KeySigner(key, logs, clock.now_s)
    api_key = read_secret(file).decode(errors="replace").strip()
    if not api_key.isascii() or not api_key.isprintable() or not api_key:
        raise KeyFileWrong(f"{file} holds no API key")
    return BearerSigner(api_key)


def ask_log(settings: AgentSettings, facility: int) -> bytes:
    """What the service says of a facility's log. Raises Unreachable, NotAdmitted."""
    web = service_web(settings)
    try:
        answer = web.ask("GET", f"/v1/facilities/{facility}/log")
    except BROKEN as error:
        raise Unreachable(f"no answer from {web.url}: {error}") from error
    finally:
        web.close()
    if answer.status == http.HTTPStatus.OK:
        return answer.body
    message = f"{answer.status} for the log of facility {facility}"
    if answer.status == http.HTTPStatus.NOT_FOUND:
        raise NotAdmitted(f"{message}: check [service] url and facility")
    raise Unreachable(message)


def make_transport(settings: AgentSettings, signer: Signer) -> HttpTransport:
    """The way to the service, for what is sent."""
    return HttpTransport(service_web(settings), signer)


def give_back_all(
    settings: AgentSettings, *, now: Callable[[], int]
) -> Iterator[tuple[int, Given | None]]:
    """Show each log that the agent wrote to what it lost. Raises KeyFileWrong, Unreachable,
    LogRefused, SpoolFailed."""
    spool = Spool(settings.spool, most_mib=settings.spool_mib)
    signer = make_signer(settings, spool, AgentClock(now))
    web = service_web(settings)
    try:
        for facility in known_logs(spool):
            yield facility, give_back(web, signer, facility)
    finally:
        web.close()
        spool.close()


def service_web(settings: AgentSettings) -> Web:
    """The service, by HTTP."""
    service = settings.service
    return Web(service.url, timeout_s=_SEND_TIMEOUT_S, ca_file=service.ca_file)


def make_sources(settings: AgentSettings, spool: Spool, clock: AgentClock) -> Sources:
    """All sources of the settings."""
    made = Sources()
    wired = _Wired(settings, spool, clock)
    if settings.nvml is not None:
        made.nvml = NvmlSource(settings.nvml)
        made.workers.append(wired.nvml(made.nvml, settings.nvml.poll_s, settings.nvml.outages))
    if settings.dcgm is not None:
        labels = settings.leases.label_names()
        known = made.nvml.slice_of if made.nvml else (lambda _card, _instance: None)
        made.dcgm = DcgmSource(settings.dcgm, slice_of=known, label_names=labels)
        made.workers.append(wired.dcgm(made.dcgm))
    if settings.slurm is not None:
        made.slurm = SlurmSource(settings.slurm)
        made.workers.append(wired.slurm(made.slurm))
    if settings.kubernetes is not None:
        kept = settings.kubernetes
        kubelet = None
        if kept.pod_resources is not None:
            kubelet = PodResources(kept.pod_resources, resources=kept.resources)
        made.kubernetes = KubernetesSource(
            kept,
            label_names=settings.leases.label_names(),
            now=clock.now_s,
            chance=random.random,
            pod_resources=kubelet,
        )
        made.workers.append(wired.kubernetes(made.kubernetes, kept.poll_s))
    if settings.csv is not None:
        made.csv = CsvSource(
            settings.csv,
            spool,
            source_name(settings, csv_rows.KIND),
            leases=settings.leases,
            facility_of=settings.facility_of,
        )
        made.workers.append(wired.csv(made.csv, settings.csv.poll_s))
    return made


def source_name(settings: AgentSettings, kind: str) -> str:
    """`source` of events, for ever: the agent's name and the kind of source."""
    return f"agent/{settings.name}/{kind}"


class _Wired:
    """Makes a worker of each source."""

    def __init__(self, settings: AgentSettings, spool: Spool, clock: AgentClock) -> None:
        self._settings, self._spool, self._clock = settings, spool, clock

    def _book(self, kind: str, *, absent_s: int) -> Book:
        settings = self._settings
        return Book(
            self._spool,
            source_name(settings, kind),
            kind=kind,
            leases=settings.leases,
            facility_of=settings.facility_of,
            confirm_every_s=settings.confirm_every_s,
            absent_s=absent_s,
        )

    def _sightings(self, kind: str, *, gap_s: int, lost: bool = False) -> Sightings:
        return Sightings(
            self._spool,
            source_name(self._settings, kind),
            facility_of=self._settings.facility_of,
            tell_every_s=self._settings.seen_every_s,
            gap_s=gap_s,
            lost=lost,
        )

    def nvml(self, source: NvmlSource, poll_s: int, outages: bool) -> Worker:
        gap_s = poll_s * _POLLS_OF_A_GAP
        seen = self._sightings(nvml.KIND, gap_s=gap_s)
        lost = self._sightings(nvml.KIND, gap_s=gap_s, lost=True) if outages else None

        def step() -> None:
            alive, gone = source.read(self._clock.now_s())
            seen.take(alive, now_s=self._clock.billable_s())
            if lost is not None:
                lost.take(gone, now_s=self._clock.billable_s())

        return Worker(nvml.KIND, step, poll_s, close=source.close)

    def dcgm(self, source: DcgmSource) -> Worker:
        kept = self._settings.dcgm
        assert kept is not None
        gap_s = max(kept.poll_s * _POLLS_OF_A_GAP, kept.frozen_after_s)
        seen = self._sightings(dcgm.KIND, gap_s=gap_s)
        book = self._book(dcgm.KIND, absent_s=kept.absent_s)

        def step() -> None:
            look, said = source.read(self._clock.now_s)
            seen.take(look, now_s=self._clock.billable_s())
            if said is not None:
                book.take(said, now_s=self._clock.billable_s())

        return Worker(
            dcgm.KIND,
            step,
            kept.poll_s,
            abort=source.abort,
            close=source.close,
            frozen=lambda: source.frozen,
        )

    def slurm(self, source: SlurmSource) -> Worker:
        kept = self._settings.slurm
        assert kept is not None
        book = self._book(slurm.KIND, absent_s=kept.absent_s)
        name = source_name(self._settings, slurm.KIND)
        retention_s = self._settings.retention_s

        def step() -> None:
            with self._spool.read() as db:
                cursor = cursor_of(db, name)
            now_s = self._clock.now_s()
            book.take(source.read(now_s, cursor), now_s=self._clock.billable_s())
            # Their runs are over for long, or were opened: nothing asks for them again.
            with suppress(OSError):
                source.records.purge(before_s=now_s - max(retention_s, 60 * 86_400))

        return Worker(slurm.KIND, step, kept.poll_s, abort=source.abort)

    def kubernetes(self, source: KubernetesSource, poll_s: int) -> Worker:
        # What a list no longer has is gone: nothing is waited for.
        book = self._book(kubernetes.KIND, absent_s=0)

        def step() -> None:
            book.take(source.read(), now_s=self._clock.billable_s())

        return Worker(
            kubernetes.KIND,
            step,
            poll_s,
            abort=source.abort,
            close=source.close,
            start=source.start,
        )

    def csv(self, source: CsvSource, poll_s: int) -> Worker:
        def step() -> None:
            source.step(self._clock.billable_s())

        return Worker(csv_rows.KIND, step, poll_s)
