"""A stand-in for Kubernetes' API server: list in pages, watch, bookmarks, 410, broken streams."""

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from api.agent.book import Round
from api.agent.settings import read_settings
from api.agent.sources.kubernetes import KubernetesSource
from api.agent.sources.pod_resources import HeldByPod, PodResources
from tests.factories import Clock

TOKEN = "service-account-token"


class KubeServer:
    """Objects by path and uid, with one version for all, as etcd has it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._version = 100
        # Per path: objects, and what happened, as (version, type, object).
        self._objects: dict[str, dict[str, dict[str, Any]]] = {}
        self._log: dict[str, list[tuple[int, str, dict[str, Any]]]] = {}
        self._oldest = 0
        self._breaks = 0
        self.lists: list[dict[str, list[str]]] = []
        self.watches: list[dict[str, list[str]]] = []
        self.served = {"/api/v1/pods"}
        self.failing = False
        self.refusing = False
        self.stopped = False

    def put(self, path: str, item: dict[str, Any]) -> None:
        """Add or change an object."""
        uid = item["metadata"]["uid"]
        with self._changed:
            known = uid in self._objects.setdefault(path, {})
            self._note(path, "MODIFIED" if known else "ADDED", item)
            self._objects[path][uid] = item

    def delete(self, path: str, uid: str, *, unseen: bool = False) -> None:
        """Delete an object; `unseen`: as if compaction took the word of it."""
        with self._changed:
            item = self._objects[path].pop(uid)
            if unseen:
                self._version += 1
            else:
                self._note(path, "DELETED", item)

    def bookmark(self, path: str) -> None:
        """Say the version, and nothing else."""
        with self._changed:
            self._note(path, "BOOKMARK", {"kind": "Pod", "metadata": {}})

    def compact(self) -> None:
        """Forget all that happened: a watch from before is 410 Gone."""
        with self._changed:
            self._version += 1
            self._oldest = self._version
            self._log.clear()
            self._breaks += 1
            self._changed.notify_all()

    def break_streams(self) -> None:
        """Cut all watches, in the middle of whatever they say."""
        with self._changed:
            self._breaks += 1
            self._changed.notify_all()

    def stop(self) -> None:
        """End all watches for good."""
        self.stopped = True
        self.break_streams()

    def _note(self, path: str, kind: str, item: dict[str, Any]) -> None:
        self._version += 1
        item["metadata"]["resourceVersion"] = str(self._version)
        self._log.setdefault(path, []).append((self._version, kind, json.loads(json.dumps(item))))
        self._changed.notify_all()

    def page(self, path: str, asked: dict[str, list[str]]) -> dict[str, Any]:
        """A page of a list."""
        with self._changed:
            self.lists.append(asked)
            items = sorted(self._objects.get(path, {}).values(), key=lambda i: i["metadata"]["uid"])
            at, limit = int(asked.get("continue", ["0"])[0]), int(asked["limit"][0])
            about = {"resourceVersion": str(self._version)}
            if at + limit < len(items):
                about["continue"] = str(at + limit)
            return {"kind": "List", "metadata": about, "items": items[at : at + limit]}

    def begin_watch(self, asked: dict[str, list[str]]) -> int:
        """Note a watch; returns how often streams were broken before it."""
        with self._changed:
            self.watches.append(asked)
            return self._breaks

    def events(
        self, path: str, since: int, timeout_s: float, breaks: int
    ) -> Iterator[bytes | None]:
        """Lines of a watch; None to break the stream off."""
        deadline = threading.Event()
        timer = threading.Timer(timeout_s, lambda: (deadline.set(), self._wake()))
        timer.daemon = True
        timer.start()
        try:
            while True:
                with self._changed:
                    if since < self._oldest:
                        gone = {"kind": "Status", "code": 410, "message": "too old"}
                        line = json.dumps({"type": "ERROR", "object": gone})
                        yield line.encode() + b"\n"
                        return
                    fresh = [e for e in self._log.get(path, []) if e[0] > since]
                    if not fresh:
                        if deadline.is_set():
                            return
                        if self._breaks != breaks or self.stopped:
                            yield None
                            return
                        self._changed.wait(1)
                        continue
                for version, kind, item in fresh:
                    since = version
                    yield json.dumps({"type": kind, "object": item}).encode() + b"\n"
        finally:
            timer.cancel()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()


@contextmanager
def serving_kubernetes(server: KubeServer) -> Iterator[str]:
    """Serve; yields the URL."""

    class Handler(http.server.BaseHTTPRequestHandler):
        """List and watch."""

        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            asked = parse_qs(parts.query)
            if self.headers.get("Authorization") != f"Bearer {TOKEN}" or server.refusing:
                self._say(401, {"message": "Unauthorized"})
            elif server.failing:
                self._say(500, {"message": "etcd is slow"})
            elif parts.path not in server.served:
                self._say(404, {"message": "the server could not find the requested resource"})
            elif "watch" in asked:
                self._watch(parts.path, asked)
            else:
                self._say(200, server.page(parts.path, asked))

        def _watch(self, path: str, asked: dict[str, list[str]]) -> None:
            breaks = server.begin_watch(asked)
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            since, timeout_s = int(asked["resourceVersion"][0]), float(asked["timeoutSeconds"][0])
            for line in server.events(path, since, timeout_s, breaks):
                if line is None:
                    self.close_connection = True
                    return
                # In two parts: a line is not a block.
                for part in (line[:7], line[7:]):
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
                    self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")

        def _say(self, status: int, content: dict[str, Any]) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    http_server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http_server.daemon_threads = True
    thread = threading.Thread(target=http_server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{http_server.server_address[1]}"
    finally:
        server.stop()
        http_server.shutdown()
        http_server.server_close()
        thread.join()


def pod(
    uid: str,
    *,
    start: str | None = "2026-01-01T00:00:00Z",
    phase: str = "Running",
    finished: str | None = None,
    devices: str = "",
    gpus: int = 1,
    namespace: str = "team-a",
    labels: dict[str, str] | None = None,
) -> dict[str, Any]:
    """A pod as the API server tells it."""
    state: dict[str, Any] = {"running": {"startedAt": start}}
    if finished is not None:
        state = {"terminated": {"exitCode": 0, "finishedAt": finished}}
    status: dict[str, Any] = {"phase": phase}
    if start is not None:
        status |= {"startTime": start, "containerStatuses": [{"name": "c", "state": state}]}
    return {
        "kind": "Pod",
        "metadata": {
            "uid": uid,
            "namespace": namespace,
            "name": f"pod-{uid}",
            "labels": labels or {},
            "annotations": {"example.com/gpus": devices} if devices else {},
        },
        "spec": {"containers": [{"resources": {"limits": {"nvidia.com/gpu": str(gpus)}}}]},
        "status": status,
    }


def claim(uid: str, *devices: str, pods: tuple[str, ...] = (), admin: bool = False) -> Any:
    """A claim with devices of the pool n1."""
    results = [
        {"request": "gpu", "driver": "gpu.nvidia.com", "pool": "n1", "device": device}
        | ({"adminAccess": True} if admin else {})
        for device in devices
    ]
    return {
        "metadata": {"uid": uid, "namespace": "team-a", "name": f"claim-{uid}"},
        "status": {
            "allocation": {"devices": {"results": results}} if devices else None,
            "reservedFor": [{"resource": "pods", "name": f"pod-{p}", "uid": p} for p in pods],
        },
    }


def resource_slice(uid: str, generation: int, *, basic: bool = False, **uuids: str) -> Any:
    """A slice of the pool n1: names of devices and their UUIDs."""
    devices = []
    for name, uuid in uuids.items():
        inner = {"attributes": {"uuid": {"string": uuid}, "type": {"string": "gpu"}}}
        devices.append({"name": name, **({"basic": inner} if basic else inner)})
    return {
        "metadata": {"uid": uid, "name": f"slice-{uid}"},
        "spec": {
            "driver": "gpu.nvidia.com",
            "pool": {"name": "n1", "generation": generation, "resourceSliceCount": 1},
            "devices": devices,
        },
    }


class _Kubelet(PodResources):
    """A kubelet that says what it is told."""

    def __init__(self, held: Callable[[], list[HeldByPod]]) -> None:
        super().__init__(Path("nowhere"), resources=("nvidia.com/",))
        self._held = held

    def held(self) -> list[HeldByPod]:
        """What each pod holds."""
        return self._held()


class PodsAndKubelet:
    """An API server with pods, the kubelet of their node, and a source that asks both."""

    def __init__(self, folder: Path, held: Callable[[], list[HeldByPod]]) -> None:
        self._folder, self._kubelet = folder, _Kubelet(held)
        self._exits = ExitStack()
        self.server = KubeServer()

    def __enter__(self) -> "PodsAndKubelet":
        url = self._exits.enter_context(serving_kubernetes(self.server))
        (self._folder / "token").write_text(TOKEN)
        (self._folder / "agent.toml").write_text(
            '[service]\nurl = "http://127.0.0.1:1"\nfacility = 1\n'
            f'[kubernetes]\nurl = "{url}"\ntoken_file = "token"\n'
        )
        settings = read_settings(self._folder / "agent.toml").kubernetes
        assert settings is not None
        self.source = KubernetesSource(
            settings,
            label_names=frozenset(),
            now=Clock(),
            chance=lambda: 0.0,
            pod_resources=self._kubelet,
        )
        self._exits.callback(self.source.close)
        return self

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    def put(self, uid: str, **changes: Any) -> None:
        """Add or change a pod."""
        self.server.put("/api/v1/pods", pod(uid, **changes))

    def read(self) -> Round:
        """List the pods anew, and read."""
        # Whatever was known is too old: a list, and no watch that would wait.
        self.server.compact()
        lists = len(self.server.lists)
        while len(self.server.lists) == lists:
            self.source.pods.step()
        return self.source.read()
