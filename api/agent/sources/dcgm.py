"""DCGM exporters: devices that are alive, their evidence, and who holds them by their labels."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from api.agent.book import Round, Use
from api.agent.failures import SourceFailed
from api.agent.leases import Holder
from api.agent.settings import DcgmSettings
from api.agent.sightings import Look, Reading
from api.agent.sources.dcgm_text import NAMES, Exported, read_devices
from api.agent.sources.prometheus_text import SampleReader
from api.agent.spool import Problem
from api.agent.web import BROKEN, Web

KIND = "dcgm"
_OK = 200
# The same label by its names: of the exporter, of early versions, and behind a Prometheus.
_POD = ("pod", "pod_name", "exported_pod")
_NAMESPACE = ("namespace", "pod_namespace", "exported_namespace")


@dataclass(slots=True)
class _Life:
    """When a device's values last changed, and what they were."""

    moved_s: int
    energy_mj: int | None
    moving: tuple[str, ...]


class DcgmSource:
    """Scrapes exporters. A device whose values stand still is frozen, not idle, and not seen."""

    def __init__(
        self,
        settings: DcgmSettings,
        *,
        slice_of: Callable[[str, str], str | None] = lambda _card, _instance: None,
        label_names: frozenset[str] = frozenset(),
    ) -> None:
        """slice_of: asked where the settings do not name a slice."""
        self._settings, self._slice_of = settings, slice_of
        self._label_names = label_names
        self._webs = [Web(url, timeout_s=10) for url in settings.urls]
        self._readers = [SampleReader() for _ in settings.urls]
        self._lives: dict[str, _Life] = {}
        # Since when a job holds a device: by our own first look, as labels tell no time.
        self._since_s: dict[tuple[str, str], int] = {}
        self.frozen: list[str] = []

    def read(self, now: Callable[[], int]) -> tuple[Look, Round | None]:
        """Scrape all exporters. Raises SourceFailed if none answers.

        What is said holds when it was asked for, and what is new began before it was answered.
        """
        now_s = now()
        exported, problems, failed = self._scrape()
        answered_s = now()
        if failed and not exported:
            raise SourceFailed("; ".join(failed))
        problems += [Problem("exporter_silent", text.split(" ")[0], text) for text in failed]
        alive: dict[str, Reading] = {}
        frozen = []
        for each in exported:
            moved, stands = self._life(each, now_s)
            if moved:
                alive[each.device] = each.reading
            if stands:
                frozen.append(each.device)
                detail = "its values stand still: the exporter serves old numbers"
                problems.append(Problem("frozen", each.device, detail))
        self.frozen = frozen
        look = Look(now_s, alive, tuple(problems))
        if self._settings.allocations == "none":
            return look, None
        uses = self._uses([e for e in exported if e.device not in frozen], answered_s)
        return look, Round(now_s, uses, complete=not failed)

    def known(self) -> int:
        """How many devices were ever exported."""
        return len(self._lives)

    def abort(self) -> None:
        """Let a scrape that waits fail now."""
        for web in self._webs:
            web.abort()

    def close(self) -> None:
        """Close all connections."""
        for web in self._webs:
            web.close()

    def _scrape(self) -> tuple[list[Exported], list[Problem], list[str]]:
        exported: list[Exported] = []
        problems: list[Problem] = []
        failed = []
        for web, reader in zip(self._webs, self._readers, strict=True):
            try:
                answer = web.ask("GET", "")
                if answer.status != _OK:
                    raise ValueError(f"answers {answer.status}")
                samples = reader.samples(answer.body.decode(), NAMES)
                found, wrong = read_devices(samples, self._named_slice)
            except BROKEN as error:
                failed.append(f"{web.url} {str(error)[:100] or type(error).__name__}")
                continue
            exported += found
            problems += wrong
        return exported, problems, failed

    def _named_slice(self, card: str, instance: str) -> str | None:
        named = self._settings.slices.get(f"{card}/{instance}")
        return named if named is not None else self._slice_of(card, instance)

    def _life(self, each: Exported, now_s: int) -> tuple[bool, bool]:
        """Whether a device was seen to live just now, and whether it stands still for too long.

        An energy counter rises at rest too, and a stale copy of it does not. Without a counter, all
        that moves must have stood still three times as long, and until then it is believed.
        """
        life = self._lives.get(each.device)
        if life is None:
            self._lives[each.device] = _Life(now_s, each.energy_mj, each.moving)
            return False, False
        counted = each.energy_mj is not None and life.energy_mj is not None
        moved = each.energy_mj != life.energy_mj if counted else each.moving != life.moving
        if moved:
            life.moved_s = now_s
        life.energy_mj, life.moving = each.energy_mj, each.moving
        patience_s = self._settings.frozen_after_s * (1 if counted else 3)
        stands = now_s - life.moved_s >= patience_s
        return moved or not (counted or stands), stands

    def _uses(self, exported: list[Exported], answered_s: int) -> list[Use]:
        uses = []
        since = {}
        for each in exported:
            job, holder = self._holder(each.labels)
            if not job:
                continue
            start_s = since[job, each.device] = self._since_s.get((job, each.device), answered_s)
            uses.append(Use(job, each.device, start_s, None, holder))
        self._since_s = since
        return uses

    def _holder(self, labels: Mapping[str, str]) -> tuple[str, Holder]:
        if self._settings.allocations == "hpc_job":
            job = labels.get("hpc_job", "")
            return job, Holder(labels={"hpc_job": job})
        pod = next((labels[name] for name in _POD if labels.get(name)), "")
        namespace = next((labels[name] for name in _NAMESPACE if labels.get(name)), "")
        kept = {name: labels[name] for name in self._label_names if name in labels}
        job = labels.get("pod_uid") or f"{namespace}/{pod}"
        return (job if pod else ""), Holder(namespace=namespace, labels=kept)
