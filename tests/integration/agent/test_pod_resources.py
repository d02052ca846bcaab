"""The kubelet's PodResources API, against a socket that speaks frames of HTTP/2."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from api.agent.failures import SourceFailed
from api.agent.sources.pod_resources import HeldByPod, PodResources
from tests.factories import device
from tests.integration.agent.kube_stand_in import PodsAndKubelet

_PREFACE = 24
_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _GOAWAY = 0, 1, 3, 4, 6, 7


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """A frame of HTTP/2."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def field(number: int, value: bytes | str) -> bytes:
    """A field of Protocol Buffers."""
    data = value.encode() if isinstance(value, str) else value
    length = bytearray()
    size = len(data)
    while size >= 0x80:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([number << 3 | 2, *length, size]) + data


def pod(namespace: str, name: str, *devices: str, resource: str = "nvidia.com/gpu") -> bytes:
    """A pod with a container that holds devices."""
    group = field(1, resource) + b"".join(field(2, each) for each in devices)
    # Numbers of processors, packed and not, and what later versions may add.
    container = field(1, "c") + field(2, group) + field(3, b"\x01\x02") + b"\x38\xac\x02"
    return field(1, field(1, name) + field(2, namespace) + field(3, container))


def answer(*pods: bytes) -> list[bytes]:
    """What a server sends: its settings, a ping, headers, a message in two parts, trailers."""
    message = b"".join(pods)
    whole = b"\0" + struct.pack(">I", len(message)) + message
    half = len(whole) // 2
    padded = bytes([3]) + whole[half:] + bytes(3)
    return [
        frame(_SETTINGS, 0, 0, b"") + frame(_PING, 0, 0, b"12345678"),
        frame(_HEADERS, 4, 1, b"\x88") + frame(_DATA, 0, 1, whole[:half]),
        frame(_DATA, 8, 1, padded) + frame(_HEADERS, 5, 1, b"\x88"),
    ]


@contextmanager
def kubelet(path: Path, parts: list[bytes]) -> Iterator[list[bytes]]:
    """Answer one call; yields what the client sent."""
    sent: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            line, _ = listener.accept()
            with line:
                sent.append(line.recv(65_536))
                for part in parts:
                    line.sendall(part)
                line.settimeout(5)
                while more := line.recv(65_536):
                    sent.append(more)

        thread = threading.Thread(target=serve)
        thread.start()
        yield sent
        thread.join()


@pytest.fixture
def ask(tmp_path: Path) -> Callable[..., list[HeldByPod]]:
    """Asks a kubelet that sends these bytes."""

    def call(parts: list[bytes]) -> list[HeldByPod]:
        path = tmp_path / "kubelet.sock"
        with kubelet(path, parts) as sent:
            held = PodResources(path, resources=("nvidia.com/",)).held()
        said = b"".join(sent)
        assert said.startswith(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        assert b"/v1.PodResourcesLister/List" in said
        # Settings and ping are acknowledged.
        assert frame(_SETTINGS, 1, 0, b"") in said
        assert frame(_PING, 1, 0, b"12345678") in said
        return held

    return call


def test_pods__with_devices__are_read(ask: Callable[..., list[HeldByPod]]) -> None:
    held = ask(
        answer(
            pod("team-a", "train", device(0), device(1)),
            pod("team-a", "no-gpu", "mlx5_0", resource="rdma/hca"),
            pod("team-b", "replica", f"{device(2)}::3"),
        )
    )

    assert held == [
        HeldByPod("team-a", "train", (device(0), device(1)), shared=False),
        HeldByPod("team-b", "replica", (), shared=True),
    ]


def test_list__of_no_pods__is_no_error(ask: Callable[..., list[HeldByPod]]) -> None:
    assert ask(answer()) == []


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([frame(_HEADERS, 5, 1, b"\x88")], "no list"),
        ([frame(_GOAWAY, 0, 0, bytes(8))], "breaks the call off"),
        ([frame(_RESET, 0, 1, bytes(4))], "breaks the call off"),
        ([frame(_DATA, 1, 1, b"\1\0\0\0\1x")], "no whole message"),
        ([frame(_DATA, 1, 1, b"\0\0\0\0\2\x0a\x09")], "cut short"),
        ([frame(_DATA, 1, 1, b"\0\0\0\0\1\xff")], "cut short"),
        ([frame(_DATA, 1, 1, b"\0\0\0\0\1\x0b")], "no Protocol Buffers"),
    ],
)
def test_answer__that_is_no_list__is_a_sentence(
    tmp_path: Path, parts: list[bytes], message: str
) -> None:
    path = tmp_path / "kubelet.sock"

    with (
        kubelet(path, parts),
        pytest.raises(SourceFailed, match=message),
    ):
        PodResources(path, resources=("nvidia.com/",)).held()


def test_socket__that_is_not_there__is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SourceFailed, match=r"kubelet\.sock"):
        PodResources(tmp_path / "kubelet.sock", resources=("nvidia.com/",)).held()


def test_pods__of_api_server_and_kubelet__hold_devices_also_after_they_ended(
    tmp_path: Path,
) -> None:
    """The kubelet forgets a pod's devices when it ends; the agent does not."""
    kept: dict[str, Any] = {"held": [HeldByPod("team-a", "pod-a", (device(0),), shared=False)]}
    with PodsAndKubelet(tmp_path, lambda: kept["held"]) as cluster:
        cluster.put("a")
        [use] = cluster.read().uses
        assert (use.device, use.end_s) == (device(0), None)
        kept["held"] = []
        cluster.put("a", phase="Failed", finished="2026-01-01T00:10:00Z")

        [use] = cluster.read().uses
        assert use.end_s is not None

        kept["held"] = [HeldByPod("team-a", "pod-b", (), shared=True)]
        cluster.put("b")
        assert "device_shared" in {p.kind for p in cluster.read().problems}
