"""CloudEvents in HTTP binary mode: attributes in `ce-` headers, the data alone in the body.

Source: CloudEvents HTTP protocol binding 1.0.2 §3.1, read 2026-11-30.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from api.errors import EventRejected

_PREFIX = b"ce-"
# RFC 9110 §5.6.4: a quoted string, which older senders put around spaces.
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
# What the body says, and the header that is there for its type.
_ELSEWHERE = frozenset({"data", "datacontenttype"})


@dataclass(frozen=True, slots=True)
class Attributes:
    """Attributes that the headers of a request name, and what is wrong with one of them."""

    values: dict[str, object]
    broken: EventRejected | None


def attributes_of(headers: Iterable[tuple[bytes, bytes]]) -> Attributes | None:
    """Attributes in binary mode; None if no header begins with `ce-`: another mode.

    Args:    headers: names in lower case, and values, as they came.
    """
    sent = [(n.decode("ascii"), v) for n, v in _named(headers)]
    if not sent:
        return None
    values: dict[str, object] = {}
    broken = None
    for name, value in sent:
        try:
            if name in values:
                message = f"header ce-{name[:40]} comes twice"
                raise EventRejected("duplicate_key", message, field=name[:40])
            if name in _ELSEWHERE:
                message = f"ce-{name} is no header: Content-Type and body say it"
                raise EventRejected("unknown_field", message, field=name)
            values[name] = _decode(name, value)
        except EventRejected as error:
            broken = error
    return Attributes(values, broken)


def _named(headers: Iterable[tuple[bytes, bytes]]) -> Iterable[tuple[bytes, bytes]]:
    return ((n.removeprefix(_PREFIX), v) for n, v in headers if n.startswith(_PREFIX))


def _decode(name: str, value: bytes) -> str:
    """A header's value as text: quotes first, then percent-encoding, once (§3.1.3.2)."""
    plain = _QUOTED.sub(lambda quoted: _ESCAPED.sub(rb"\1", quoted[1]), value)
    try:
        return unquote_to_bytes(plain).decode("utf-8")
    except UnicodeDecodeError as error:
        message = f"header ce-{name[:40]} is not UTF-8 after percent-decoding"
        raise EventRejected("malformed_event", message, field=name[:40]) from error
