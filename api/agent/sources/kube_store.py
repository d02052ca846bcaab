"""A copy of one kind of Kubernetes' objects: listed once, then kept by a watch.

Source: Kubernetes, "Kubernetes API Concepts" (list, watch, bookmarks, 410 Gone), v1.34, read
2026-11-30.
"""

import http
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Generic, TypeVar
from urllib.parse import quote, urlencode

from api.agent.web import BROKEN, Answer, Web
from api.domain.json_text import as_list, as_object, as_text, read_json

_PAGE = 500
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 30.0
T = TypeVar("T")


class _Gone(Exception):
    """The server no longer knows what happened since our version: list anew."""


class _Absent(Exception):
    """The server has no such path."""


class KubeStore(Generic[T]):
    """Objects by uid. `fresh_s` is the time up to which nothing is missing."""

    def __init__(
        self,
        web: Web,
        paths: Sequence[str],
        *,
        read: Callable[[Mapping[str, object]], T],
        now: Callable[[], int],
        chance: Callable[[], float],
        watch_s: int,
        token_file: Path | None = None,
        field_selector: str = "",
    ) -> None:
        """paths: versions of one resource, newest first; the first that is there counts.

        read: what is kept of an object.
        """
        self._web, self._paths, self._read = web, list(paths), read
        self._now, self._chance, self._watch_s = now, chance, watch_s
        self._token_file, self._selector = token_file, field_selector
        self._lock = threading.Lock()
        self._objects: dict[str, T] = {}
        # Objects as they were when they were deleted, and when we were told.
        self._deleted: dict[str, tuple[T, int]] = {}
        self._version: str | None = None
        self._failures = 0
        # Objects that cannot be read, and why: they cost themselves alone.
        self.unreadable: dict[str, str] = {}
        self.fresh_s: int | None = None
        self.failure: str | None = "not listed yet"
        self.lists = 0
        self.watches = 0

    def objects(self) -> tuple[dict[str, T], dict[str, tuple[T, int]], int | None]:
        """Objects that are there, those that were deleted, and up to when both hold."""
        with self._lock:
            return dict(self._objects), dict(self._deleted), self.fresh_s

    def forget(self, *, before_s: int) -> None:
        """Forget objects that were deleted before then."""
        with self._lock:
            gone = [uid for uid, (_, at_s) in self._deleted.items() if at_s < before_s]
            for uid in gone:
                del self._deleted[uid]

    def run(self, stop: threading.Event) -> None:
        """List and watch until told to stop."""
        while not stop.is_set():
            pause_s = self.step()
            if pause_s:
                stop.wait(pause_s)

    def abort(self) -> None:
        """From another thread: a watch that waits ends at once."""
        self._web.abort()

    def close(self) -> None:
        """Close the connection, once nobody follows any more."""
        self._web.close()

    def step(self) -> float:
        """One list, or one watch to its end. Returns seconds to wait before the next."""
        try:
            if self._version is None:
                self._list()
            else:
                self._watch()
        except _Gone:
            self._version = None
            return 0.0
        except _Absent:
            self._web.close()
            if len(self._paths) > 1:
                self._paths.pop(0)
                self._version = None
                return 0.0
            return self._failed(f"{self._paths[0]} is not served")
        except (*BROKEN, KeyError, TypeError) as error:
            self._web.close()
            return self._failed(str(error)[:200] or type(error).__name__)
        self._failures, self.failure = 0, None
        return 0.0

    def _failed(self, message: str) -> float:
        self.failure = message
        longest_s = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(self._failures, 10))
        self._failures += 1
        return longest_s * (0.5 + 0.5 * self._chance())

    # --- list -----------------------------------------------------------------------------------

    def _list(self) -> None:
        """All objects, page by page, as of one version."""
        began_s = self._now()
        found: dict[str, T] = {}
        more = ""
        self.lists += 1
        self.unreadable = {}
        while True:
            asked = {"limit": str(_PAGE)} | ({"continue": more} if more else {})
            answer = self._web.ask("GET", self._path(asked), headers=self._headers())
            _require_ok(answer.status, answer)
            page = as_object(read_json(answer.body))
            for item in as_list(page.get("items") or []):
                uid, kept = self._kept(as_object(item))
                if kept is not None:
                    found[uid] = kept
            about = as_object(page["metadata"])
            more = str(about.get("continue") or "")
            if not more:
                break
        with self._lock:
            # What is gone was deleted while nobody watched: when, is not known.
            self._objects = found
            self._version = as_text(about["resourceVersion"])
            self.fresh_s = max(began_s, self.fresh_s or began_s)

    # --- watch ----------------------------------------------------------------------------------

    def _watch(self) -> None:
        """Follow changes from our version on, until the server ends the stream."""
        assert self._version is not None
        asked = {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": self._version,
            "timeoutSeconds": str(self._watch_s),
        }
        self.watches += 1
        lines = self._web.lines(self._path(asked), self._headers())
        if lines.status != http.HTTPStatus.OK:
            list(lines)
            _require_ok(lines.status, None)
        self._failures, self.failure = 0, None
        began_s = self._now()
        for line in lines:
            self._change(as_object(read_json(line)))
        # A stream that ran its time has told everything up to its end. One that broke early has
        # not: the next begins at the last version that we know.
        ended_s = self._now()
        if ended_s - began_s >= self._watch_s:
            self._freshen(ended_s)

    def _change(self, event: Mapping[str, object]) -> None:
        kind, item = as_text(event["type"]), as_object(event["object"])
        if kind == "ERROR":
            if item.get("code") == http.HTTPStatus.GONE:
                raise _Gone
            raise ValueError(f"watch: {item.get('message')}")
        about = as_object(item["metadata"])
        version = as_text(about["resourceVersion"])
        now_s = self._now()
        if kind != "BOOKMARK":
            uid, kept = self._kept(item)
            with self._lock:
                if kind == "DELETED":
                    self.unreadable.pop(uid, None)
                    before = self._objects.pop(uid, None)
                    last = before if kept is None else kept
                    if last is not None:
                        self._deleted[uid] = last, now_s
                elif kept is not None:
                    self._objects[uid] = kept
        self._version = version
        self._freshen(now_s)

    def _freshen(self, now_s: int) -> None:
        with self._lock:
            self.fresh_s = max(now_s, self.fresh_s or now_s)

    # --- asking ---------------------------------------------------------------------------------

    def _kept(self, item: Mapping[str, object]) -> tuple[str, T | None]:
        """An object's uid, and what is kept of it; nothing of one that cannot be read."""
        uid = as_text(as_object(item["metadata"])["uid"])
        try:
            kept = self._read(item)
        except (KeyError, TypeError, ValueError) as error:
            self.unreadable[uid] = str(error)[:200]
            return uid, None
        self.unreadable.pop(uid, None)
        return uid, kept

    def _path(self, asked: Mapping[str, str]) -> str:
        values = dict(asked)
        if self._selector:
            values["fieldSelector"] = self._selector
        return f"{self._paths[0]}?{urlencode(values, quote_via=quote)}"

    def _headers(self) -> Mapping[str, str]:
        headers = {"Accept": "application/json"}
        if self._token_file is not None:
            # Read each time: Kubernetes puts a new one there before the old one ends.
            headers["Authorization"] = f"Bearer {self._token_file.read_text().strip()}"
        return headers


def _require_ok(status: int, answer: Answer | None) -> None:
    if status == http.HTTPStatus.OK:
        return
    if status == http.HTTPStatus.GONE:
        raise _Gone
    if status == http.HTTPStatus.NOT_FOUND:
        raise _Absent
    said = "" if answer is None else answer.body[:200].decode(errors="replace")
    raise ValueError(f"the API server answers {status} {said}".strip())
