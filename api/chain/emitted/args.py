"""What all events share: topic, arguments read from a log, and their JSON in the index."""

import json
from collections.abc import Sequence
from typing import TypeVar

from api.chain.structs import Kind, members, read_struct, to_abi
from api.chain.words import decode_words
from api.domain.hashing import keccak

# Above this, a JSON reader that reads numbers as doubles rounds them (RFC 8259 §6).
_EXACT_IN_JSON = 2**53


class EventArgs:
    """Arguments of one event; the class has the event's name."""

    __slots__ = ()

    @classmethod
    def signature(cls) -> str:
        """Canonical signature."""
        return f"{cls.__name__}({','.join(member.kind.text for member in members(cls))})"


E = TypeVar("E", bound=EventArgs)


def topic_of(event: type[EventArgs]) -> bytes:
    """First topic of an event's logs."""
    return keccak(event.signature().encode())


def read_log(event: type[E], topics: Sequence[bytes], data: bytes) -> E:
    """Arguments of a log. Raises ValueError, TypeError or eth_abi errors for foreign data."""
    parts = members(event)
    # Of an indexed text or array a log holds only the hash; none of our events indexes one.
    plain = iter(decode_words([m.kind.text for m in parts if not m.indexed], data))
    indexed = iter(decode_words([m.kind.text for m in parts if m.indexed], b"".join(topics[1:])))
    values = [next(indexed) if m.indexed else next(plain) for m in parts]
    return read_struct(event, values)


def named(args: EventArgs) -> dict[str, object]:
    """Arguments by their names in Solidity, structs as tuples."""
    return {m.name: to_abi(getattr(args, m.field)) for m in members(type(args))}


def _json(value: object) -> object:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, (tuple, list)):
        return [_json(item) for item in value]
    return value


def write_payload(args: EventArgs) -> str:
    """Arguments as JSON; big integers as text, so that no reader rounds them."""
    shown = {
        name: str(value) if isinstance(value, int) and abs(value) > _EXACT_IN_JSON else _json(value)
        for name, value in named(args).items()
    }
    return json.dumps(shown, sort_keys=True)


def read_payload(event: type[E], payload: str) -> E:
    """Arguments from the JSON that `write_payload` made. Raises ValueError, KeyError, TypeError."""
    shown = json.loads(payload)
    return read_struct(event, [_decoded(m.kind, shown[m.name]) for m in members(event)])


def _decoded(kind: Kind, value: object) -> object:
    if kind.text.endswith("]") and isinstance(value, list):
        inner = Kind(kind.text[: kind.text.rindex("[")], kind.read, kind.members)
        return [_decoded(inner, item) for item in value]
    if kind.members and isinstance(value, list):
        pairs = zip(kind.members, value, strict=True)
        return tuple(_decoded(member.kind, item) for member, item in pairs)
    if kind.text == "bytes32" and isinstance(value, str):
        return bytes.fromhex(value.removeprefix("0x"))
    return int(value) if kind.text.startswith("uint") and isinstance(value, str) else value
