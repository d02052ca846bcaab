"""What all events share: topic, arguments read from a log, and their JSON in the index."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from json.encoder import encode_basestring_ascii
from operator import attrgetter
from typing import TypeVar

from api.chain.structs import Kind, members, read_struct, to_abi
from api.chain.words import WORD, Reader, decode_words, reader_of
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
    plan = _plan(event)
    if plan is not None:
        words = plan.words(topics, data)
        return event(*[read(words[at : at + WORD]) for read, at in plan.readers])
    parts = members(event)
    # Of an indexed text or array a log holds only the hash; none of our events indexes one.
    plain = iter(decode_words([m.kind.text for m in parts if not m.indexed], data))
    indexed = iter(decode_words([m.kind.text for m in parts if m.indexed], b"".join(topics[1:])))
    values = [next(indexed) if m.indexed else next(plain) for m in parts]
    return read_struct(event, values)


@dataclass(frozen=True, slots=True)
class _Plan:
    """How an event is read whose arguments are a word each: as nearly all are."""

    indexed: int
    plain: int
    # In the order of the fields: what reads a word, and where that begins.
    readers: tuple[tuple[Reader, int], ...]

    def words(self, topics: Sequence[bytes], data: bytes) -> bytes:
        """The indexed words, then the others. Raises ValueError if there are too few."""
        indexed = b"".join(topics[1:])
        if len(indexed) < WORD * self.indexed or len(data) < WORD * self.plain:
            raise ValueError(f"{len(indexed)} and {len(data)} bytes are too few for an event")
        return indexed[: WORD * self.indexed] + data


def _plan(event: type) -> _Plan | None:
    # As `members`: in mypy's eyes a class of events has no hash, which `cache` wants.
    return _made_plan(event)


@cache
def _made_plan(event: type) -> _Plan | None:
    parts = members(event)
    indexed = sum(part.indexed for part in parts)
    places = {True: 0, False: WORD * indexed}
    readers = list[tuple[Reader, int]]()
    for part in parts:
        read = _value_reader(part.kind)
        if read is None:
            return None
        readers.append((read, places[part.indexed]))
        places[part.indexed] += WORD
    return _Plan(indexed, len(parts) - indexed, tuple(readers))


def _value_reader(kind: Kind) -> Reader | None:
    """What reads a word as a value of our own; None if the kind is more than a word."""
    word = reader_of(kind.text)
    if word is None:
        return None
    if isinstance(kind.read, type):
        of_enum = kind.read
        return lambda read: of_enum(word(read))
    # All words of a kind are of one type in Python: if this one is right, they all are.
    kind.read(word(bytes(WORD)))
    return word


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
    sheet = _sheet(type(args))
    if sheet is not None:
        values = sheet.values(args)
        return sheet.form % tuple([w(v) for w, v in zip(sheet.writers, values, strict=True)])
    shown = {
        name: str(value) if isinstance(value, int) and abs(value) > _EXACT_IN_JSON else _json(value)
        for name, value in named(args).items()
    }
    return json.dumps(shown, sort_keys=True)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """The JSON of an event whose arguments are plain, with places for its values."""

    form: str
    writers: tuple[Callable[[object], str], ...]
    values: Callable[[EventArgs], tuple[object, ...]]


def _sheet(event: type) -> _Sheet | None:
    return _made_sheet(event)


@cache
def _made_sheet(event: type) -> _Sheet | None:
    parts = sorted(members(event), key=lambda part: part.name)
    writers = [_writer(part.kind) for part in parts]
    found = tuple(writer for writer in writers if writer is not None)
    # Of one name `attrgetter` gives the value and no tuple of it.
    if len(found) < len(parts) or len(parts) == 1:
        return None
    form = ", ".join(f"{encode_basestring_ascii(part.name)}: %s" for part in parts)
    return _Sheet(f"{{{form}}}", found, attrgetter(*(part.field for part in parts)))


def _writer(kind: Kind) -> Callable[[object], str] | None:
    """What writes a value as `json.dumps` does; None for what is more than one value."""
    if kind.text.startswith("uint") and not kind.text.endswith("]"):
        return _write_number
    known: dict[str, Callable[..., str]] = {
        "address": encode_basestring_ascii,
        "string": encode_basestring_ascii,
        "bytes32": lambda value: f'"0x{value.hex()}"',
        "bool": lambda value: "true" if value else "false",
    }
    return known.get(kind.text)


def _write_number(value: object) -> str:
    number = int(value)  # type: ignore[call-overload]
    return f'"{number}"' if abs(number) > _EXACT_IN_JSON else str(number)


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
