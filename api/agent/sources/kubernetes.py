"""Kubernetes: which pod or claim holds which device, from when to when."""

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from api.agent.book import Round, Use
from api.agent.failures import SourceFailed
from api.agent.leases import Holder
from api.agent.settings import KubernetesSettings
from api.agent.sources.kube_objects import (
    Claim,
    Pod,
    Slice,
    pod_reader,
    read_claim,
    read_slice,
)
from api.agent.sources.kube_store import KubeStore
from api.agent.sources.pod_resources import PodResources
from api.agent.spool import Problem
from api.agent.web import Web
from api.domain.devices import check_device
from api.errors import DeviceNameRefused

KIND = "kubernetes"
_VERSIONS = ("v1", "v1beta2", "v1beta1")
# Deleted pods are told for as long: their end is taken with the first round that can be kept.
_DELETED_S = 3_600
_T = TypeVar("_T")


class KubernetesSource:
    """Copies of pods, claims and slices, and what follows from them at a time."""

    def __init__(
        self,
        settings: KubernetesSettings,
        *,
        label_names: frozenset[str],
        now: Callable[[], int],
        chance: Callable[[], float],
        pod_resources: PodResources | None = None,
    ) -> None:
        self._settings, self._now, self._chance = settings, now, chance
        self._pod_resources = pod_resources
        reader = pod_reader(
            label_names=label_names,
            annotations=settings.annotations,
            resources=settings.resources,
        )
        selector = f"spec.nodeName={settings.node}" if settings.node else ""
        inside = f"/namespaces/{settings.namespace}" if settings.namespace else ""
        self.pods: KubeStore[Pod] = self._store([f"/api/v1{inside}/pods"], reader, selector)
        self.claims: KubeStore[Claim] | None = None
        self.slices: KubeStore[Slice] | None = None
        if settings.claims:
            groups = [f"/apis/resource.k8s.io/{version}" for version in _VERSIONS]
            self.claims = self._store([f"{g}{inside}/resourceclaims" for g in groups], read_claim)
            self.slices = self._store([f"{group}/resourceslices" for group in groups], read_slice)
        # Devices of each pod, by the kubelet: it forgets them when the pod ends.
        self._plugged: dict[str, tuple[str, ...]] = {}
        # When each claim was first held by a pod that had started, and all pods that held it.
        self._since_s: dict[str, int] = {}
        self._holders: dict[str, set[str]] = {}

    def _store(
        self, paths: list[str], read: Callable[[Mapping[str, object]], _T], selector: str = ""
    ) -> KubeStore[_T]:
        settings = self._settings
        # Longer than a watch that has nothing to say.
        web = Web(settings.url, timeout_s=settings.watch_s + 30, ca_file=settings.ca_file)
        return KubeStore(
            web,
            paths,
            read=read,
            now=self._now,
            chance=self._chance,
            watch_s=settings.watch_s,
            token_file=settings.token_file,
            field_selector=selector,
        )

    def stores(self) -> "list[KubeStore[Pod] | KubeStore[Claim] | KubeStore[Slice]]":
        """All copies that are kept."""
        every = (self.pods, self.claims, self.slices)
        return [store for store in every if store is not None]

    def start(self, stop: threading.Event) -> list[threading.Thread]:
        """Keep the copies, each in a thread of its own, until told to stop."""
        threads = [
            threading.Thread(target=store.run, args=(stop,), name="kubernetes", daemon=True)
            for store in self.stores()
        ]
        for thread in threads:
            thread.start()
        return threads

    def abort(self) -> None:
        """Let watches that wait end now."""
        for store in self.stores():
            store.abort()

    def close(self) -> None:
        """Close all connections, once their threads have ended."""
        for store in self.stores():
            store.close()

    def read(self) -> Round:
        """What the copies say. Raises SourceFailed while one was never made."""
        fresh = [store.fresh_s for store in self.stores()]
        known = [each for each in fresh if each is not None]
        if len(known) < len(fresh):
            failures = [store.failure for store in self.stores() if store.failure]
            raise SourceFailed(f"{self._settings.url}: {'; '.join(failures)}")
        # Nothing is billed beyond the time up to which the copies are whole.
        at_s = min(known)
        pods, deleted, _ = self.pods.objects()
        problems = [
            Problem("unreadable", uid, why)
            for store in self.stores()
            for uid, why in list(store.unreadable.items())
        ]
        plugged = self._plugged_now(pods, problems)
        claimed, ends = self._claimed(pods, deleted, problems)
        uses = [use for pod in pods.values() for use in self._uses(pod, None, plugged, problems)]
        ends |= {p.uid: p.end_s for p in pods.values() if p.dead and p.end_s is not None}
        for pod, told_s in deleted.values():
            uses += self._uses(pod, told_s, plugged, problems)
            ends[pod.uid] = min(pod.end_s or told_s, told_s)
        self.pods.forget(before_s=self._now() - _DELETED_S)
        self._plugged = {uid: d for uid, d in plugged.items() if uid in pods or uid in deleted}
        return Round(at_s, [*uses, *claimed], ends, problems=problems)

    # --- device plugins -------------------------------------------------------------------------

    def _plugged_now(
        self, pods: Mapping[str, Pod], problems: list[Problem]
    ) -> dict[str, tuple[str, ...]]:
        if self._pod_resources is None:
            return self._plugged
        by_name = {(pod.namespace, pod.name): uid for uid, pod in pods.items() if not pod.dead}
        plugged = dict(self._plugged)
        for held in self._pod_resources.held():
            uid = by_name.get((held.namespace, held.name))
            if uid is None:
                continue
            if held.shared:
                shown = f"{held.namespace}/{held.name}"
                detail = "it shares a GPU by time: parts of a GPU are not billed"
                problems.append(Problem("device_shared", shown, detail))
            plugged[uid] = held.devices
        return plugged

    def _uses(
        self,
        pod: Pod,
        told_s: int | None,
        plugged: Mapping[str, tuple[str, ...]],
        problems: list[Problem],
    ) -> list[Use]:
        """Devices that a pod holds by a device plugin. told_s: when it was deleted, if it was."""
        if pod.start_s is None:
            return []
        devices = _named(pod.annotated or plugged.get(pod.uid, ()), problems)
        shown = f"{pod.namespace}/{pod.name}"
        over = pod.dead or told_s is not None
        if not devices:
            if pod.gpus and not over and not (self._shared(pod, problems)):
                detail = f"it asks for {pod.gpus} devices, and nothing says which it got"
                problems.append(Problem("gpus_unknown", shown, detail))
            return []
        if pod.gpus and len(devices) != pod.gpus:
            detail = f"it asks for {pod.gpus} devices, and {len(devices)} are named: not billed"
            problems.append(Problem("gpu_count", shown, detail))
            return []
        end_s = None
        if over:
            end_s = pod.end_s if told_s is None else min(pod.end_s or told_s, told_s)
            if end_s is None:
                # It is over, and nobody says when: the book bills as far as it was seen.
                return []
            end_s = max(end_s, pod.start_s)
        holder = Holder(namespace=pod.namespace, labels=pod.labels)
        return [Use(pod.uid, device, pod.start_s, end_s, holder) for device in devices]

    @staticmethod
    def _shared(pod: Pod, problems: list[Problem]) -> bool:
        shown = f"{pod.namespace}/{pod.name}"
        return any(p.kind == "device_shared" and p.subject == shown for p in problems)

    # --- claims ---------------------------------------------------------------------------------

    def _claimed(
        self,
        pods: Mapping[str, Pod],
        deleted: Mapping[str, tuple[Pod, int]],
        problems: list[Problem],
    ) -> tuple[list[Use], dict[str, int]]:
        """Devices that claims hold: from the start of the first pod to the end of the last."""
        if self.claims is None or self.slices is None:
            return [], {}
        names = _newest(self.slices.objects()[0].values())
        claims, _, _ = self.claims.objects()
        uses = []
        lasting = {}
        for claim in claims.values():
            holding = [pods[uid] for uid in claim.pods if uid in pods]
            self._holders.setdefault(claim.uid, set()).update(pod.uid for pod in holding)
            starts = [pod.start_s for pod in holding if pod.start_s is not None]
            first = next((p for p in holding if not p.dead and p.start_s is not None), None)
            if not claim.devices or first is None:
                continue
            start_s = min(*starts, self._since_s.get(claim.uid, starts[0]))
            lasting[claim.uid] = start_s
            unknown = [named for named in claim.devices if named not in names]
            if unknown:
                detail = f"no resource slice says the UUID of {'/'.join(unknown[0])}"
                shown = f"{claim.namespace}/{claim.name}"
                problems.append(Problem("gpus_unknown", shown, detail))
                continue
            holder = Holder(namespace=claim.namespace, labels=first.labels)
            devices = _named([names[named] for named in claim.devices], problems)
            uses += [Use(_job(claim.uid), d, start_s, None, holder) for d in devices]
        self._since_s = lasting
        ends = self._claims_ended(pods, deleted, lasting)
        for uid in [uid for uid in self._holders if uid not in claims and uid not in lasting]:
            if not self._holders[uid] & (pods.keys() | deleted.keys()):
                del self._holders[uid]
        return uses, ends

    def _claims_ended(
        self,
        pods: Mapping[str, Pod],
        deleted: Mapping[str, tuple[Pod, int]],
        lasting: Mapping[str, int],
    ) -> dict[str, int]:
        """When claims ended that no pod holds any more, where the end of each pod is known."""
        ends = {}
        for uid, holders in self._holders.items():
            if uid in lasting or not holders:
                continue
            known = [_pod_end_s(each, pods, deleted) for each in holders]
            found = [end_s for end_s in known if end_s is not None]
            if len(found) == len(known):
                ends[_job(uid)] = max(found)
        return ends


def _job(claim_uid: str) -> str:
    return f"claim {claim_uid}"


def _pod_end_s(
    uid: str, pods: Mapping[str, Pod], deleted: Mapping[str, tuple[Pod, int]]
) -> int | None:
    """When a pod ended: by its containers, and if nobody says, by when it was deleted."""
    if uid in deleted:
        pod, told_s = deleted[uid]
        return min(pod.end_s or told_s, told_s)
    return pods[uid].end_s if uid in pods and pods[uid].dead else None


def _newest(slices: Iterable[Slice]) -> dict[tuple[str, str, str], str]:
    """UUIDs of devices, from the slices of the newest generation of each pool."""
    names: dict[tuple[str, str, str], tuple[int, str]] = {}
    for each in slices:
        for key, uuid in each.names.items():
            if key not in names or names[key][0] < each.generation:
                names[key] = each.generation, uuid
    return {key: uuid for key, (_, uuid) in names.items()}


def _named(names: Iterable[str], problems: list[Problem]) -> tuple[str, ...]:
    devices = []
    for name in names:
        try:
            devices.append(check_device(name))
        except DeviceNameRefused as error:
            problems.append(Problem("device_name", name[:100], error.message))
    return tuple(devices)
