"""The reconciliation of everything: made once for all who ask, and anew once something changed."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine

from api.errors import DatabaseUnavailable
from api.reads import kept_reconciliation
from api.reads.kept_reconciliation import AllReconciled, KeptReconciliation
from tests.factories import HOUR_S, Ledger


class _Counted:
    """The real computing, counted; it can be held up and made to fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls, self.error = 0, False
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()
        real: Callable[..., Any] = kept_reconciliation.reconcile_all

        def counted(*given: Any) -> Any:
            self.calls += 1
            self.begun.set()
            assert self.go_on.wait(20)
            if self.error:
                raise DatabaseUnavailable("the database does not answer")
            return real(*given)

        monkeypatch.setattr(kept_reconciliation, "reconcile_all", counted)


@pytest.fixture
def computing(monkeypatch: pytest.MonkeyPatch) -> _Counted:
    """Counts how often everything is gone through."""
    return _Counted(monkeypatch)


def _metered(answer: AllReconciled) -> int:
    return sum(each.metered_gpu_seconds for each in answer.facilities)


@pytest.mark.both_databases
def test_reconciliation__nothing_changed__is_made_once_and_anew_with_an_event(
    engine: Engine, ledger: Ledger, computing: _Counted
) -> None:
    kept = KeptReconciliation()
    answers = [kept.read(engine, None) for _ in range(5)]
    once = computing.calls
    ledger.ingest(ledger.usage(0, 0, HOUR_S))

    newest = kept.read(engine, None)

    assert once == 1
    assert {_metered(answer) for answer in answers} == {0}
    assert _metered(newest) == HOUR_S
    assert computing.calls == 2


def test_reconciliation__asked_while_it_is_made__is_the_one_before(
    engine: Engine, ledger: Ledger, computing: _Counted
) -> None:
    kept = KeptReconciliation()
    kept.read(engine, None)
    ledger.ingest(ledger.usage(0, 0, HOUR_S))
    computing.begun.clear()
    computing.go_on.clear()
    slow = threading.Thread(target=kept.read, args=(engine, None))
    slow.start()
    assert computing.begun.wait(20)

    began = time.monotonic()
    meanwhile = [kept.read(engine, None) for _ in range(10)]
    took_s = time.monotonic() - began
    computing.go_on.set()
    slow.join(20)

    assert {_metered(answer) for answer in meanwhile} == {0}
    assert took_s < 5
    assert _metered(kept.read(engine, None)) == HOUR_S
    assert computing.calls == 2


def test_reconciliation__a_crowd_for_the_first_that_fails__fails_together_and_is_tried_again(
    engine: Engine, ledger: Ledger, computing: _Counted
) -> None:
    """Each after the other would keep a thread for as long as all together."""
    kept, computing.error = KeptReconciliation(), True
    computing.go_on.clear()
    failed: list[DatabaseUnavailable] = []

    def ask() -> None:
        try:
            kept.read(engine, None)
        except DatabaseUnavailable as error:
            failed.append(error)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    threads[0].start()
    assert computing.begun.wait(20)
    for thread in threads[1:]:
        thread.start()
    # All of them wait for the first by now, or very soon.
    time.sleep(0.3)
    computing.go_on.set()
    for thread in threads:
        thread.join(20)
    together = computing.calls
    computing.error = False

    assert len(failed) == 6
    assert together <= 2
    assert _metered(kept.read(engine, None)) == 0


def test_reconciliation__that_takes_long__rests_three_times_as_long(
    engine: Engine, ledger: Ledger, computing: _Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks come faster than it is made: a quarter of a processor, and no more."""
    now_s = 0.0

    def clock() -> float:
        return now_s

    def slow(*_: object) -> list[Any]:
        nonlocal now_s
        computing.calls += 1
        now_s += 2
        return []

    monkeypatch.setattr(kept_reconciliation, "reconcile_all", slow)
    kept = KeptReconciliation(clock)
    kept.read(engine, None)
    ledger.ingest(ledger.usage(0, 0, HOUR_S))

    counts = []
    for at_s in (2.1, 5.0, 7.9, 8.1):
        now_s = at_s
        kept.read(engine, None)
        counts.append(computing.calls)

    assert counts == [1, 1, 1, 2]
