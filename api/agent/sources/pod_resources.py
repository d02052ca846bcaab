"""The kubelet's own word on which devices it gave to which pod: its PodResources API.

One call, `List`, of gRPC over a socket of the machine. A library for it would weigh more than the
whole agent, so the frames are written here: one stream, one request without fields, one answer.
Sources: RFC 9113 (HTTP/2), RFC 7541 (HPACK), gRPC over HTTP/2, and kubelet's podresources/v1
api.proto, v1.34, read 2026-11-30.
"""

import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from api.agent.failures import SourceFailed

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _GOAWAY, _WINDOW = 0x0, 0x1, 0x3, 0x4, 0x6, 0x7, 0x8
_ACK, _END_STREAM, _END_HEADERS, _PADDED = 0x1, 0x1, 0x4, 0x8
_INITIAL_WINDOW = 0x4
# Windows as wide as they go: the answer comes without our asking for more of it.
_WIDEST, _DEFAULT_WINDOW = (1 << 31) - 1, 65_535
_STREAM = 1
_TIMEOUT_S = 10.0
_MOST_BYTES = 64 * 1_048_576
_FRAME = struct.Struct(">HBBBI")
# Before a message: whether it is compressed, and its length.
_HEAD = struct.Struct(">BI")
_LITERAL_LENGTH = 127
_CALL = (
    (":method", "POST"),
    (":scheme", "http"),
    (":path", "/v1.PodResourcesLister/List"),
    (":authority", "localhost"),
    ("content-type", "application/grpc"),
    ("te", "trailers"),
)
# Types of values on the wire of Protocol Buffers.
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True, slots=True)
class HeldByPod:
    """Devices of a pod, by the ids of device plugins. shared: one of them is a part by time."""

    namespace: str
    name: str
    devices: tuple[str, ...]
    shared: bool


class PodResources:
    """The kubelet's socket."""

    def __init__(self, path: Path, *, resources: tuple[str, ...]) -> None:
        """resources: how names of the resources begin whose devices count."""
        self._path, self._resources = path, resources

    def held(self) -> list[HeldByPod]:
        """What each pod of this node holds. Raises SourceFailed."""
        try:
            message = _call(self._path)
            return [held for pod in _fields(message, 1) if (held := self._pod(pod)) is not None]
        except (OSError, ValueError) as error:
            raise SourceFailed(f"{self._path}: {error}") from error

    def _pod(self, pod: bytes) -> HeldByPod | None:
        devices: list[str] = []
        for container in _fields(pod, 3):
            for group in _fields(container, 2):
                if _text(group, 1).startswith(self._resources):
                    devices += [each.decode() for each in _fields(group, 2)]
        if not devices:
            return None
        # `GPU-…::3` is one of several replicas of a device.
        shared = any("::" in device for device in devices)
        named = () if shared else tuple(dict.fromkeys(devices))
        return HeldByPod(_text(pod, 2), _text(pod, 1), named, shared)


def _call(path: Path) -> bytes:
    """The message that answers the call. Raises OSError, ValueError."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(_TIMEOUT_S)
        line.connect(str(path))
        window = struct.pack(">HI", _INITIAL_WINDOW, _WIDEST)
        block = b"".join(_literal(name, value) for name, value in _CALL)
        line.sendall(
            _PREFACE
            + _frame(_SETTINGS, 0, 0, window)
            + _frame(_WINDOW, 0, 0, struct.pack(">I", _WIDEST - _DEFAULT_WINDOW))
            + _frame(_HEADERS, _END_HEADERS, _STREAM, block)
            # A message of no bytes, not compressed.
            + _frame(_DATA, _END_STREAM, _STREAM, bytes(_HEAD.size))
        )
        return _message(_answer(line))


def _answer(line: socket.socket) -> bytes:
    """All data of our stream, up to its end."""
    got = b""
    while True:
        high, low, kind, flags, stream = _FRAME.unpack(_exactly(line, _FRAME.size))
        payload = _exactly(line, high << 8 | low)
        if kind == _SETTINGS and not flags & _ACK:
            line.sendall(_frame(_SETTINGS, _ACK, 0, b""))
        elif kind == _PING and not flags & _ACK:
            line.sendall(_frame(_PING, _ACK, 0, payload))
        elif kind == _GOAWAY or (kind == _RESET and stream == _STREAM):
            raise ValueError("the kubelet breaks the call off")
        elif stream == _STREAM:
            if kind == _DATA:
                got += payload[1 : len(payload) - payload[0]] if flags & _PADDED else payload
                if len(got) > _MOST_BYTES:
                    raise ValueError("the answer is too large")
            if kind in (_DATA, _HEADERS) and flags & _END_STREAM:
                return got


def _message(got: bytes) -> bytes:
    """The one message of an answer. An error of gRPC has none."""
    if len(got) < _HEAD.size:
        raise ValueError("the kubelet answers no list: is the PodResources API on?")
    compressed, length = _HEAD.unpack_from(got)
    if compressed or len(got) != length + _HEAD.size:
        raise ValueError("the answer is no whole message")
    return got[_HEAD.size :]


def _exactly(line: socket.socket, count: int) -> bytes:
    parts = []
    while count:
        part = line.recv(min(count, 65_536))
        if not part:
            raise ValueError("the kubelet hangs up")
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    length = len(payload)
    return _FRAME.pack(length >> 8, length & 0xFF, kind, flags, stream) + payload


def _literal(name: str, value: str) -> bytes:
    """A header as a literal without indexing: neither side remembers anything."""
    parts = [b"\0"]
    for text in (name.encode(), value.encode()):
        assert len(text) < _LITERAL_LENGTH
        parts += [bytes([len(text)]), text]
    return b"".join(parts)


def _fields(message: bytes, wanted: int) -> Iterator[bytes]:
    """Values of a field of bytes or text, as often as it is there. Raises ValueError."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        if kind == _BYTES:
            length, at = _varint(message, at)
            if at + length > len(message):
                raise ValueError("a field is cut short")
            if number == wanted:
                yield message[at : at + length]
            at += length
        elif kind == _VARINT:
            _, at = _varint(message, at)
        elif kind in (_FIXED64, _FIXED32):
            at += 8 if kind == _FIXED64 else 4
        else:
            raise ValueError("no Protocol Buffers")


def _text(message: bytes, wanted: int) -> str:
    return next((value.decode() for value in _fields(message, wanted)), "")


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message):
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value, at
    raise ValueError("a number is cut short")
