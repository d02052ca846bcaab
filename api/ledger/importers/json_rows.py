"""Objects of one long JSON list, one by one, each with the line on which it begins."""

import io
import json
import re
from collections.abc import Iterator

from api.domain.json_text import end_of_value, read_json
from api.errors import InvalidInput
from api.ledger.importers.tables import Source

_CHUNK = 256 * 1024
# Far more than any job says: beyond it, something is not closed.
MOST_CHARS = 4 * 1024 * 1024
_SPACE = re.compile(r"[ \t\r\n]*")
# A number, a word or a text, and what shows that it is whole.
_SCALAR = re.compile(r'(?:"(?:[^"\\]++|\\.)*+"|[\w.+-]++)(?=[\s,\]])', re.DOTALL)
_HALF = re.compile(r"\\u[dD][89a-fA-F]")


class _Text:
    """What was read and not yet taken of a file. line: of its first character."""

    def __init__(self, text: io.TextIOBase) -> None:
        self._text, self._rest, self._at = text, "", 0
        self.line, self.ended = 1, False

    def more(self) -> None:
        """Read on."""
        chunk = self._text.read(_CHUNK)
        self.ended = not chunk
        self._rest, self._at = self._rest[self._at :] + chunk, 0

    def size(self) -> int:
        """Characters at hand."""
        return len(self._rest) - self._at

    def mark(self) -> str:
        """The next character that is no space, or nothing at the end of the file."""
        while True:
            found = _SPACE.match(self._rest, self._at)
            assert found is not None
            self._take(found.end())
            if self._at < len(self._rest) or self.ended:
                return self._rest[self._at : self._at + 1]
            self.more()

    def skip(self) -> None:
        """Take one character."""
        self._take(self._at + 1)

    def value(self) -> str:
        """Take the text of one list or object, or of what stands until the next comma.

        Returns: nothing if the text breaks off before its end.
        Raises:  ValueError if it is nested too deep.
        """
        at = self._at
        if self._rest[at : at + 1] in ("{", "["):
            end = end_of_value(self._rest, at)
        else:
            found = _SCALAR.match(self._rest, at)
            end = None if found is None else found.end()
        if end is None:
            return ""
        self._take(end)
        return self._rest[at:end]

    def _take(self, end: int) -> None:
        self.line += self._rest.count("\n", self._at, end)
        self._at = end


def json_rows(source: Source) -> Iterator[tuple[int, object]]:
    """`(line, value)` of each value of the list that a file is.

    Numbers come as text; a value with text that no UTF-8 can carry comes as None.

    Raises:  InvalidInput naming the line: no list, a value that is no JSON or longer than 4 MiB.
    """
    text = _Text(source.text)
    if text.mark() != "[":
        raise InvalidInput(f"{source.name} is no JSON list", field="file")
    text.skip()
    if text.mark() == "]":
        return
    while True:
        text.mark()
        line = text.line
        yield line, _value(text, source.name)
        mark = text.mark()
        if mark == "]":
            return
        if mark != ",":
            raise _broken(source.name, line)
        text.skip()


def _value(text: _Text, name: str) -> object:
    line = text.line
    try:
        while not (found := text.value()):
            if text.ended or text.size() > MOST_CHARS:
                raise ValueError("it has no end")
            text.more()
        value = read_json(found, parse_float=str, parse_int=str, parse_constant=str)
    except ValueError as error:
        raise _broken(name, line) from error
    # Half of a surrogate pair is in no text that could be sent or reported.
    return None if _HALF.search(found) and not _is_text(value) else value


def _is_text(value: object) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _broken(name: str, line: int) -> InvalidInput:
    message = f"{name} line {line}: what begins here is no JSON; nothing after it is read"
    return InvalidInput(message, field="file")
