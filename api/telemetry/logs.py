"""The log: one line of JSON an event, on standard error, with what it is about."""

import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TextIO

LEVELS = ("debug", "info", "warning", "error")
_LOGGER = logging.getLogger("rentroll")
_about: ContextVar[Mapping[str, object]] = ContextVar("about", default=MappingProxyType({}))
_NUMBERS = {name: getattr(logging, name.upper()) for name in LEVELS}


class _Lines(logging.Formatter):
    """Every record as one object; also what libraries log."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """`time`, `level`, `process` and `step` first, then the fields."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, object] = {
            "time": time.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "process": self._process,
            "step": record.getMessage() if record.name == _LOGGER.name else record.name,
            **_about.get(),
            **getattr(record, "fields", {}),
        }
        if record.name != _LOGGER.name:
            line["message"] = record.getMessage()
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class _StandardError(logging.StreamHandler):  # type: ignore[type-arg]
    """Standard error as it is now, which tests and daemons replace."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:
        """Where lines go."""
        return sys.stderr


def start_logging(process: str, level: str = "info") -> None:
    """Write the log of this process; what libraries say from `warning` on too.

    Args:    level: one of `LEVELS`; what is below is left out.
    """
    handler = _StandardError()
    handler.setFormatter(_Lines(process))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    _LOGGER.setLevel(_NUMBERS[level])


def log(step: str, **fields: object) -> None:
    """One line. A field `error` makes it an error, `warning` a warning."""
    named = next((name for name in ("error", "warning") if name in fields), "info")
    _LOGGER.log(_NUMBERS[named], step, extra={"fields": fields})


def log_bug(step: str, error: BaseException, **fields: object) -> None:
    """An error that nobody expected, with where it was raised."""
    said = {"error": f"{type(error).__name__}: {error}", **fields}
    _LOGGER.error(step, extra={"fields": said}, exc_info=error)


@contextmanager
def about(**fields: object) -> Iterator[None]:
    """Put fields on every line that is logged within, such as `facility`, `epoch`, `request`."""
    token = _about.set({**_about.get(), **fields})
    try:
        yield
    finally:
        _about.reset(token)
