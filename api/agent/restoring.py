"""Giving a log back what it lost with an older copy of its database: receipts, and their bodies.

The service appends each as the entry that it was, and writes nothing new before it has all.
"""

import base64
import http
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from api.agent.failures import LogRefused, Unreachable
from api.agent.web import BROKEN, Answer, Web
from api.domain.json_text import as_integer, as_list, as_object, read_json

PATH = "/v1/log/entries"
_BUSY = frozenset({http.HTTPStatus.REQUEST_TIMEOUT, http.HTTPStatus.TOO_MANY_REQUESTS})
Stretches = Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Kept:
    """A receipt that was kept, and what it was for.

    number: of its entry.  packed: as the spool keeps it.
    said: JSON of body and signed request; nothing of one whose body is kept no more.
    """

    number: int
    packed: bytes
    said: bytes


class Keeper(Protocol):
    """Who keeps receipts of a log."""

    def newest(self, facility: int) -> Kept | None:
        """The newest receipt of a log, without its body."""

    def within(self, facility: int, stretches: Stretches) -> Iterable[Kept]:
        """Receipts of entries of some stretches, by number, with their bodies."""


@dataclass(frozen=True, slots=True)
class LogStanding:
    """Where a log stands by the service's word: `missing` of what it had nobody has shown."""

    size: int
    due: int
    missing: Stretches


@dataclass(slots=True)
class Given:
    """What became of it.

    given: entries that were shown with their bodies.  bare: of which only the receipt is kept.
    """

    standing: LogStanding
    given: int = 0
    bare: int = 0

    @property
    def whole(self) -> bool:
        """Whether the log has all that it is known to have had."""
        return self.standing.size >= self.standing.due

    @property
    def message(self) -> str:
        """The same for people."""
        standing = self.standing
        if self.whole:
            return f"the log has its {standing.size} entries again; {self.given} came from here"
        lacking = ", ".join(f"{a} to {b}" for a, b in standing.missing) or "none that is not shown"
        return (
            f"the log has {standing.size} of {standing.due} entries; {self.given} were given back"
            f" from here; missing are {lacking}"
        )


def give_back(web: Web, keeper: Keeper, facility: int) -> Given | None:
    """Show a log what it lost of what is kept here; None if it lost nothing of it.

    Raises:  Unreachable; LogRefused if the service has another log, or refuses the entry.
    """
    standing = _standing(_ask(web, "GET", f"/v1/facilities/{facility}/log"))
    newest = keeper.newest(facility)
    if newest is None:
        return None
    if newest.number <= standing.size:
        # Where it has another one, the service says so, and keeps the proof for everybody.
        _show(web, Kept(newest.number, newest.packed, b""))
        return None
    if standing.due < newest.number:
        # First of all, so that nothing new takes the place of what is lost.
        standing = _show(web, Kept(newest.number, newest.packed, b""))
    given = Given(standing)
    shown: set[int] = set()
    while True:
        fresh = False
        for kept in _not_shown(keeper.within(facility, given.standing.missing), shown):
            given.standing = _show(web, kept)
            given.given, given.bare = given.given + bool(kept.said), given.bare + (not kept.said)
            fresh = True
        if not fresh:
            break
    if not given.given and not given.whole:
        # What waits there for others may have all by now.
        given.standing = _show(web, Kept(newest.number, newest.packed, b""))
    return given


def _not_shown(kept: Iterable[Kept], shown: set[int]) -> Iterator[Kept]:
    for each in kept:
        if each.number not in shown:
            shown.add(each.number)
            yield each


def _show(web: Web, kept: Kept) -> LogStanding:
    headers = {
        "rentroll-receipt": base64.b64encode(kept.packed).decode("ascii"),
        "content-type": "application/json",
    }
    answer = _ask(web, "POST", PATH, body=kept.said, headers=headers)
    detail = answer.get("detail")
    if isinstance(detail, str):
        raise LogRefused(f"entry {kept.number} cannot be given back: {detail[:400]}")
    if answer.get("state") == "noted" and kept.said:
        raise Unreachable("the service holds as many lost entries as it can: shown again later")
    return _standing(answer)


def _ask(
    web: Web,
    method: str,
    path: str,
    *,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> dict[str, object]:
    try:
        answer = web.ask(method, path, body=body, headers=headers)
    except BROKEN as error:
        raise Unreachable(f"no answer from {web.url}: {error}") from error
    if answer.status == http.HTTPStatus.OK:
        return _document(web, answer)
    if answer.status in _BUSY or answer.status >= http.HTTPStatus.INTERNAL_SERVER_ERROR:
        raise Unreachable(f"{answer.status} for {path}")
    said = ""
    if "json" in answer.headers.get("content-type", ""):
        problem = _document(web, answer)
        said = f" {problem.get('code')} {problem.get('detail')}"
    raise LogRefused(f"what the log lost cannot be given back: {answer.status}{said[:400]}")


def _document(web: Web, answer: Answer) -> dict[str, object]:
    try:
        return as_object(read_json(answer.body))
    except (ValueError, TypeError) as error:
        raise Unreachable(f"{web.url} answers what no Rentroll would") from error


def _standing(said: dict[str, object]) -> LogStanding:
    try:
        pairs = [as_list(pair) for pair in as_list(said["missing"])]
        missing = [(as_integer(first), as_integer(last)) for first, last in pairs]
        return LogStanding(as_integer(said["size"]), as_integer(said["due"]), missing)
    except (KeyError, TypeError, ValueError) as error:
        raise LogRefused("the service does not say what its log lacks: is it too old?") from error
