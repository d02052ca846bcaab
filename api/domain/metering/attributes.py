"""Bounds of an event and its attributes: what the service keeps, not what anything bills."""

import re
from collections.abc import Mapping

from api.domain.metering.events import KNOWN
from api.errors import EventRejected

# Source: CloudEvents 1.0.2 §5 "Size Limits", read 2026-11-30: intermediaries forward 64 KiB.
MAX_EVENT_BYTES = 65_536
MAX_EXTENSIONS = 32
MAX_ATTRIBUTE_CHARS = 1_024
# Attributes that are informative only. The others of the context have rules of their own.
_INFORMATIVE = ("subject", "datacontenttype", "dataschema")
_I32 = 2**31
# Source: CloudEvents 1.0.2 §3.1 "String", read 2026-11-30: controls and what is no character.
_NO_TEXT = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
    + "]"
)


def check_attributes(event: Mapping[str, object]) -> None:
    """Bound what an event says beside its data.

    Not part of reading an event: whoever recomputes a statement takes what was accepted before.
    Raises:  EventRejected `bad_attribute`.
    """
    extensions = event.keys() - KNOWN
    if len(extensions) > MAX_EXTENSIONS:
        message = f"an event has at most {MAX_EXTENSIONS} extension attributes"
        raise EventRejected("bad_attribute", message)
    for name in extensions:
        value = event[name]
        if not _is_text(value) and not _is_small(value):
            message = f"{name[:40]!r} must be a boolean, a 32-bit integer or text of at most"
            message = f"{message} {MAX_ATTRIBUTE_CHARS} characters, without controls"
            raise EventRejected("bad_attribute", message, field=name[:40])
    for name in _INFORMATIVE:
        # CloudEvents JSON format 1.0.2 §2.2: null is as if the attribute were not there.
        value = event.get(name)
        if value is not None and not _is_text(value):
            message = f"{name} must be text of at most {MAX_ATTRIBUTE_CHARS} characters"
            raise EventRejected("bad_attribute", message, field=name)


def _is_text(value: object) -> bool:
    if not isinstance(value, str) or len(value) > MAX_ATTRIBUTE_CHARS:
        return False
    # Of ASCII only controls are no text, and nothing else there cannot be printed.
    return _NO_TEXT.search(value) is None if not value.isascii() else value.isprintable()


def _is_small(value: object) -> bool:
    # True and False are integers, and within.
    return value is None or (isinstance(value, int) and -_I32 <= value < _I32)
