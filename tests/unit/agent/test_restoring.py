"""Giving a log back what it lost, against a service that says whatever it likes."""

import base64
import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.agent.failures import LogRefused, Unreachable
from api.agent.restoring import Kept, Stretches, give_back
from api.agent.web import Answer

JSON = {"content-type": "application/json"}


@dataclass
class Keeper:
    """Receipts by number; of some the body is kept no more."""

    numbers: list[int]
    bare: set[int] = field(default_factory=set)

    def newest(self, _facility: int) -> Kept | None:
        """The newest of them."""
        return self._kept(self.numbers[-1], b"") if self.numbers else None

    def within(self, _facility: int, stretches: Stretches) -> Iterable[Kept]:
        """Those in some stretches."""
        for first, last in stretches:
            for number in self.numbers:
                if first <= number <= last:
                    yield self._kept(number, b"" if number in self.bare else b"{}")

    def _kept(self, number: int, said: bytes) -> Kept:
        return Kept(number, str(number).encode(), said)


@dataclass
class Service:
    """A log that lost entries and takes them back in any order."""

    url: str = "http://service"
    size: int = 0
    due: int = 0
    held: set[int] = field(default_factory=set)
    shown: list[tuple[int, bool]] = field(default_factory=list)
    says: Any = None

    def ask(self, method: str, _path: str, **given: Any) -> Answer:
        """Answer a request."""
        if self.says is not None:
            return self.says
        if method == "POST":
            number = int(base64.b64decode(given["headers"]["rentroll-receipt"]))
            self.shown.append((number, bool(given["body"])))
            self.due = max(self.due, number)
            if given["body"]:
                self.held.add(number)
            while self.size + 1 in self.held:
                self.size += 1
        lacking = [n for n in range(self.size + 1, self.due + 1) if n not in self.held]
        said = {"size": self.size, "due": self.due, "missing": [[n, n] for n in lacking]}
        return Answer(200, JSON, json.dumps(said).encode())


def _give(service: Service, keeper: Keeper) -> Any:
    return give_back(service, keeper, 1)  # type: ignore[arg-type]


def test_give_back__of_a_log_that_is_whole__shows_the_newest_receipt_alone() -> None:
    service = Service(size=9)

    assert _give(service, Keeper([3, 5])) is None
    assert service.shown == [(5, False)]


def test_give_back__without_receipts__asks_and_shows_nothing() -> None:
    service = Service(size=1, due=4)

    assert _give(service, Keeper([])) is None
    assert service.shown == []


def test_give_back__of_all_that_is_lost__shows_the_newest_first_then_each_once() -> None:
    service = Service(size=3)

    given = _give(service, Keeper([2, 4, 5, 6]))

    assert service.shown == [(6, False), (4, True), (5, True), (6, True)]
    assert given.whole
    assert "3 came from here" in given.message


def test_give_back__where_others_lack__says_what_is_missing_and_shows_no_body_twice() -> None:
    service, keeper = Service(size=3), Keeper([4, 6])

    first, again = _give(service, keeper), _give(service, keeper)

    assert (first.whole, first.given, again.given) == (False, 2, 0)
    assert "missing are 5 to 5" in first.message
    assert service.shown == [(6, False), (4, True), (6, True), (6, False)]


def test_give_back__of_bodies_that_are_kept_no_more__shows_their_receipts() -> None:
    service = Service(size=3)

    given = _give(service, Keeper([4, 5], bare={4}))

    assert (given.given, given.bare, given.whole) == (1, 1, False)


@pytest.mark.parametrize(
    ("status", "failure"), [(409, LogRefused), (401, LogRefused), (503, Unreachable)]
)
def test_give_back__refused__is_said_and_nothing_counts(status: int, failure: type) -> None:
    problem = json.dumps({"code": "log_forked", "detail": "two entries"}).encode()

    with pytest.raises(failure, match=str(status)):
        _give(Service(says=Answer(status, JSON, problem)), Keeper([1]))


NONSENSE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["size", "due", "missing", "detail", "state"]), inner)
    ),
    max_leaves=8,
)


@given(said=NONSENSE, status=st.sampled_from([200, 201, 302, 404, 409, 429, 500]))
def test_give_back__answered_with_nonsense__fails_as_foreseen(said: object, status: int) -> None:
    answer = Answer(status, JSON, json.dumps(said).encode())

    with suppress(LogRefused, Unreachable):
        _give(Service(says=answer), Keeper([1]))
