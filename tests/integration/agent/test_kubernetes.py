"""Kubernetes, against a server of list and watch: nothing is lost at bookmarks, 410 or breaks."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from api.agent.failures import SourceFailed
from api.agent.settings import KubernetesSettings
from api.agent.sources.kubernetes import KubernetesSource
from tests.factories import START_S, Clock, device
from tests.integration.agent.kube_stand_in import (
    TOKEN,
    KubeServer,
    claim,
    pod,
    resource_slice,
    serving_kubernetes,
)

PODS = "/api/v1/pods"
CLAIMS = "/apis/resource.k8s.io/v1/resourceclaims"
SLICES = "/apis/resource.k8s.io/v1/resourceslices"


class Cluster:
    """A server, and a source that keeps up with it in threads of its own."""

    def __init__(self, folder: Path, url: str, server: KubeServer, **changes: Any) -> None:
        self.server, self.clock = server, Clock(START_S + 1_000)
        (folder / "token").write_text(TOKEN + "\n")
        values = KubernetesSettings(
            url=url,
            token_file=folder / "token",
            ca_file=None,
            node="",
            namespace="",
            annotations=("example.com/gpus",),
            pod_resources=None,
            resources=("nvidia.com/",),
            claims=False,
            watch_s=60,
            poll_s=10,
        )
        self.source = KubernetesSource(
            replace(values, **changes),
            label_names=frozenset({"tenant"}),
            now=self.clock,
            chance=lambda: 0.0,
        )
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin to follow."""
        self._threads = self.source.start(self._stop)

    def close(self) -> None:
        """Stop following."""
        self._stop.set()
        self.server.stop()
        self.source.abort()
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive()
        self.source.close()

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds: threads need a moment."""
        for _ in range(1_000):
            if holds():
                return
            time.sleep(0.01)
        raise AssertionError("it never holds")

    def uses(self) -> list[tuple[str, str, int, int | None]]:
        """Who holds what, from when to when, after the window's start."""
        said = self.source.read()
        shown = []
        for use in said.uses:
            end_s = None if use.end_s is None else use.end_s - START_S
            shown.append((use.job, use.device, use.start_s - START_S, end_s))
        return sorted(shown)


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Cluster]]:
    """Makes a cluster with settings of its own."""
    server = KubeServer()
    made: list[Cluster] = []
    with serving_kubernetes(server) as url:

        def build(**changes: Any) -> Cluster:
            made.append(Cluster(tmp_path, url, server, **changes))
            return made[-1]

        yield build
        for cluster in made:
            cluster.close()


def test_pods__listed_and_watched__hold_their_devices(make: Callable[..., Cluster]) -> None:
    cluster = make()
    cluster.server.put(PODS, pod("a", devices=device(0)))
    cluster.start()
    cluster.until(lambda: len(cluster.server.watches) == 1)

    cluster.server.put(PODS, pod("b", devices=f"0,{device(1)}:{device(2)}", gpus=2))
    cluster.until(lambda: len(cluster.uses()) == 3)
    ended = pod("a", devices=device(0), phase="Succeeded", finished="2026-01-01T00:10:00Z")
    cluster.server.put(PODS, ended)
    cluster.until(lambda: cluster.uses()[0][3] is not None)

    assert cluster.uses() == [
        ("a", device(0), 0, 600),
        *[("b", name, 0, None) for name in sorted((device(1), device(2)))],
    ]
    assert len(cluster.server.lists) == 1


def test_pod__deleted_before_it_said_its_end__ends_when_we_were_told(
    make: Callable[..., Cluster],
) -> None:
    cluster = make()
    cluster.server.put(PODS, pod("a", devices=device(0)))
    cluster.start()
    cluster.until(lambda: len(cluster.server.watches) == 1)

    cluster.clock.now_s += 500
    cluster.server.delete(PODS, "a")
    cluster.until(lambda: cluster.uses()[0][3] is not None)

    assert cluster.uses() == [("a", device(0), 0, 1_500)]


def test_list__of_more_than_a_page__is_read_whole(make: Callable[..., Cluster]) -> None:
    cluster = make()
    for number in range(1_200):
        cluster.server.put(PODS, pod(f"p{number:04}", devices=device(number)))

    cluster.source.pods.step()

    assert len(cluster.uses()) == 1_200
    assert len(cluster.server.lists) == 3


def test_stream__that_breaks__goes_on_where_it_was(make: Callable[..., Cluster]) -> None:
    cluster = make()
    cluster.start()
    for number in range(6):
        cluster.until(lambda: len(cluster.server.watches) > 0)
        watches = len(cluster.server.watches)
        cluster.server.break_streams()
        cluster.server.put(PODS, pod(f"p{number}", devices=device(number)))
        cluster.until(lambda: len(cluster.server.watches) > watches)  # noqa: B023
        cluster.until(lambda: len(cluster.uses()) == number + 1)  # noqa: B023

    assert len(cluster.server.lists) == 1


def test_version__that_is_gone__is_listed_anew_and_what_vanished_is_not_there(
    make: Callable[..., Cluster],
) -> None:
    cluster = make()
    for uid, gpu in (("a", 0), ("b", 1)):
        cluster.server.put(PODS, pod(uid, devices=device(gpu)))
    cluster.start()
    cluster.until(lambda: len(cluster.server.watches) == 1)

    cluster.server.delete(PODS, "a", unseen=True)
    cluster.server.compact()
    cluster.until(lambda: len(cluster.server.lists) == 2)
    cluster.until(lambda: [use[0] for use in cluster.uses()] == ["b"])

    said = cluster.source.read()
    assert said.complete
    assert not said.ends


def test_bookmark__moves_the_version_and_the_time_that_is_known(
    make: Callable[..., Cluster],
) -> None:
    cluster = make()
    cluster.server.put(PODS, pod("a", devices=device(0)))
    cluster.start()
    cluster.until(lambda: len(cluster.server.watches) == 1)
    cluster.clock.now_s += 60
    assert cluster.source.read().at_s == START_S + 1_000

    cluster.server.bookmark(PODS)
    cluster.until(lambda: cluster.source.read().at_s == START_S + 1_060)
    cluster.server.break_streams()
    cluster.until(lambda: len(cluster.server.watches) == 2)

    first, second = (int(w["resourceVersion"][0]) for w in cluster.server.watches)
    assert second == first + 1
    assert cluster.server.watches[0]["allowWatchBookmarks"] == ["true"]


def test_quiet_watch__that_ran_its_time__proves_that_nothing_happened(
    make: Callable[..., Cluster],
) -> None:
    cluster = make(watch_s=1)
    cluster.server.put(PODS, pod("a", devices=device(0)))
    store = cluster.source.pods
    store.step()
    cluster.clock.now_s += 50

    begun = threading.Timer(0.2, lambda: setattr(cluster.clock, "now_s", START_S + 1_090))
    begun.start()
    store.step()
    begun.join()

    assert store.fresh_s == START_S + 1_090


def test_server__that_is_away_or_refuses__bills_nothing_further_and_says_why(
    make: Callable[..., Cluster],
) -> None:
    cluster = make()
    with pytest.raises(SourceFailed, match="not listed yet"):
        cluster.source.read()
    cluster.server.refusing = True
    assert cluster.source.pods.step() > 0
    with pytest.raises(SourceFailed, match="401"):
        cluster.source.read()
    cluster.server.refusing = False
    cluster.server.put(PODS, pod("a", devices=device(0)))
    cluster.source.pods.step()
    cluster.server.failing = True
    cluster.clock.now_s += 600

    pauses = [cluster.source.pods.step() for _ in range(10)]

    assert pauses[0] < pauses[-1] <= 30
    assert cluster.source.read().at_s == START_S + 1_000


@pytest.mark.parametrize("version", ["v1", "v1beta2", "v1beta1"])
def test_claims__of_each_version__hold_devices_while_a_pod_does(
    make: Callable[..., Cluster], version: str
) -> None:
    group = f"/apis/resource.k8s.io/{version}"
    cluster = make(claims=True)
    server = cluster.server
    claims, slices = f"{group}/resourceclaims", f"{group}/resourceslices"
    server.served |= {claims, slices}
    server.put(PODS, pod("a", gpus=0, labels={"tenant": "acme", "other": "x"}))
    server.put(PODS, pod("b", gpus=0, start="2026-01-01T00:05:00Z"))
    server.put(slices, resource_slice("old", 1, **{"gpu-0": device(9)}))
    basic = version == "v1beta1"
    server.put(slices, resource_slice("new", 2, basic=basic, **{"gpu-0": device(0)}))
    server.put(claims, claim("c", "gpu-0", pods=("a", "b")))
    server.put(claims, claim("admin", "gpu-0", pods=("a",), admin=True))
    server.put(claims, claim("waits"))
    cluster.start()
    cluster.until(lambda: all(store.fresh_s for store in cluster.source.stores()))
    assert cluster.uses() == [("claim c", device(0), 0, None)]
    assert cluster.source.read().uses[0].holder.labels == {"tenant": "acme"}

    for uid, end in (("a", "2026-01-01T00:08:00Z"), ("b", "2026-01-01T00:09:00Z")):
        server.put(PODS, pod(uid, gpus=0, phase="Succeeded", finished=end))
    cluster.until(lambda: "claim c" in cluster.source.read().ends)

    assert cluster.uses() == []
    assert cluster.source.read().ends["claim c"] == START_S + 540


def test_claim__of_a_device_that_no_slice_names__is_reported(
    make: Callable[..., Cluster],
) -> None:
    cluster = make(claims=True)
    cluster.server.served |= {CLAIMS, SLICES}
    cluster.server.put(PODS, pod("a", gpus=0))
    cluster.server.put(CLAIMS, claim("c", "gpu-7", pods=("a",)))
    cluster.start()
    cluster.until(lambda: all(store.fresh_s for store in cluster.source.stores()))

    said = cluster.source.read()

    assert said.uses == []
    assert [(p.kind, p.subject) for p in said.problems] == [("gpus_unknown", "team-a/claim-c")]


@pytest.mark.parametrize(
    ("item", "kind"),
    [
        (pod("a"), "gpus_unknown"),
        (pod("a", devices=device(0), gpus=2), "gpu_count"),
    ],
)
def test_pod__whose_devices_are_not_known__is_reported_and_not_billed(
    make: Callable[..., Cluster], item: dict[str, Any], kind: str
) -> None:
    cluster = make()
    cluster.server.put(PODS, item)
    cluster.source.pods.step()

    said = cluster.source.read()

    assert said.uses == []
    assert [p.kind for p in said.problems] == [kind]


def test_pod__that_cannot_be_read__costs_itself_alone(make: Callable[..., Cluster]) -> None:
    cluster = make()
    cluster.server.put(PODS, pod("a", start="yesterday", devices=device(1)))
    cluster.server.put(PODS, pod("b", devices=device(0)))
    cluster.start()
    cluster.until(lambda: len(cluster.server.watches) == 1)

    said = cluster.source.read()
    assert [use.job for use in said.uses] == ["b"]
    assert [(p.kind, p.subject) for p in said.problems] == [("unreadable", "a")]
    cluster.server.put(PODS, pod("a", devices=device(1)))
    cluster.until(lambda: len(cluster.uses()) == 2)

    assert cluster.source.read().problems == []


def test_node__of_the_settings__is_asked_for_alone(make: Callable[..., Cluster]) -> None:
    cluster = make(node="n1", namespace="team-a")
    cluster.server.served.add("/api/v1/namespaces/team-a/pods")

    cluster.source.pods.step()

    assert cluster.server.lists[0]["fieldSelector"] == ["spec.nodeName=n1"]
