"""What a process remembers of ledgers changes no answer, whoever else writes."""

import os
import random
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from api.db.migrate import upgrade
from api.db.session import open_engine, reading
from api.db.tables.ledger import facts
from api.ledger import ingest as module
from api.ledger import kept as kept_module
from api.ledger.ingest import ingest
from api.ledger.kept import KeptLedgers
from tests.factories import DAY_S, HOUR_S, START_S, Ledger

pytestmark = pytest.mark.both_databases

SLOT_S = 900


class Story:
    """Random batches about four devices and two leases, corrections of what came before too."""

    def __init__(self, ledger: Ledger, seed: int) -> None:
        self.ledger, self.dice = ledger, random.Random(seed)
        self.targets: list[dict[str, Any]] = []
        self.opened: list[dict[str, Any]] = []
        self.versions = {"lease-a": 1, "lease-b": 1}

    def batch(self) -> list[dict[str, Any]]:
        """Some events, most of them about one stretch of time."""
        about_s = self.dice.randrange(0, 3 * DAY_S - 4 * HOUR_S, SLOT_S)
        return [self._event(about_s) for _ in range(self.dice.randint(1, 6))]

    def _event(self, about_s: int) -> dict[str, Any]:
        dice, ledger = self.dice, self.ledger
        gpu = dice.randrange(4)
        start_s = about_s + dice.randrange(8) * SLOT_S
        end_s = start_s + dice.choice((1, 1, 2, 5)) * SLOT_S
        lease = dice.choice(("lease-a", "lease-b"))
        draw = dice.random()
        if draw < 0.08 and self.targets:
            return ledger.void(dice.choice(self.targets))
        if draw < 0.12 and self.targets:
            other = ledger.usage(gpu, start_s, end_s, lease=lease)
            return ledger.replace(dice.choice(self.targets), other)
        if draw < 0.24 and self.opened:
            news = dice.choice((ledger.confirmed, ledger.confirmed, ledger.ended))
            return news(dice.choice(self.opened), end_s)
        if draw < 0.32:
            event = ledger.allocation(gpu, start_s, lease=lease)
            self.opened.append(event)
        elif draw < 0.4:
            event = ledger.outage(gpu, start_s, end_s)
        elif draw < 0.43:
            self.versions[lease] += 1
            prices = [{"from": "2026-01-01T00:00:00Z", "price": 5, "gpus": 1}]
            most = dice.choice((0, 1, 2))
            return ledger.terms(lease, self.versions[lease], 0, prices=prices, max_gpus=most)
        else:
            kind = dice.choice(("usage", "usage", "delivery"))
            event = ledger.usage(gpu, start_s, end_s, lease=lease, kind=kind)
        self.targets.append(event)
        return event


def _facts(ledger: Ledger) -> list[tuple[Any, ...]]:
    """Without names: each facility has a secret of its own."""
    told = (facts.c.entry, facts.c.place, facts.c.part, facts.c.kind, facts.c.device)
    stands = (facts.c.start_s, facts.c.end_s, facts.c.until_s, facts.c.ended, facts.c.voided)
    with reading(ledger.engine) as connection:
        rows = connection.execute(select(*told, *stands).order_by(*told[:3]))
        return [tuple(row) for row in rows]


@pytest.fixture
def twin(tmp_path: Path) -> Ledger:
    """The same ledger in a database of its own, which nobody remembers anything of."""
    engine = open_engine(f"sqlite:///{tmp_path}/twin.db")
    upgrade(engine)
    return Ledger(engine, tmp_path / "twin")


@pytest.mark.parametrize("few", [False, True], ids=["wide", "narrow"])
def test_kept__random_batches_of_two_processes__answers_are_those_of_who_reads_all(
    ledger: Ledger, twin: Ledger, few: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if few:
        # What is kept is forgotten again and again.
        limits = {"KEPT_DEVICES": 3, "_SPANS": 2, "_STEPS": 6, "AHEAD_S": 2 * HOUR_S}
        for name, value in limits.items():
            monkeypatch.setattr(kept_module, name, value)
    seed = int(os.environ.get("SEED", "0")) or random.randrange(1 << 40)
    story = Story(ledger, seed)
    ledger.clock.now_s = twin.clock.now_s = START_S + 3 * DAY_S
    processes = KeptLedgers(), KeptLedgers()
    codes: set[str] = set()

    for _ in range(120):
        events = story.batch()
        kept = processes[story.dice.random() < 0.2]
        mine = ingest(ledger.engine, ledger.operator_id, events, clock=ledger.clock, kept=kept)
        theirs = twin.ingest(*events)
        assert mine == theirs, f"SEED={seed}"
        codes |= {result.code or result.status for result in mine}

    assert _facts(ledger) == _facts(twin), f"SEED={seed}"
    assert {"accepted", "overlap", "over_capacity", "already_voided"} <= codes, f"SEED={seed}"


class Process:
    """A process that writes to a ledger and remembers it."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger, self.kept = ledger, KeptLedgers()

    def codes(self, *events: dict[str, Any]) -> list[str]:
        """Answers to one batch."""
        ledger = self.ledger
        results = ingest(
            ledger.engine, ledger.operator_id, events, clock=ledger.clock, kept=self.kept
        )
        return [r.code or r.status for r in results]


def test_kept__time_is_read_on__nothing_is_taken_twice(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is here twice would stay taken after a void."""
    monkeypatch.setattr(kept_module, "AHEAD_S", 2 * HOUR_S)
    one, other = Process(ledger), Process(ledger)
    hours = lambda gpu, a, b: ledger.usage(gpu, a * HOUR_S, b * HOUR_S)  # noqa: E731
    at_the_edge, inside = hours(0, 4, 5), hours(2, 4, 5)
    assert one.codes(at_the_edge) == ["accepted"]
    assert other.codes(hours(1, 0, 1)) == ["accepted"]
    # Read up to the fourth hour, then on from it.
    assert one.codes(hours(0, 1, 2)) == ["accepted"]
    assert one.codes(hours(0, 5, 6)) == ["accepted"]
    # Two devices that are known up to different hours are read on together.
    assert one.codes(hours(3, 0, 1)) == ["accepted"]
    assert one.codes(hours(2, 2, 3)) == one.codes(inside) == ["accepted"]
    assert one.codes(hours(2, 5, 6), hours(3, 3, 4)) == ["accepted"] * 2

    assert one.codes(ledger.void(at_the_edge), ledger.void(inside)) == ["accepted"] * 2
    assert one.codes(hours(0, 4, 5), hours(2, 4, 5)) == ["accepted"] * 2


def test_kept__batch_that_was_not_committed__is_forgotten(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = Process(ledger)
    assert process.codes(ledger.usage(0, 0, HOUR_S)) == ["accepted"]
    with monkeypatch.context() as patch:

        def crash(*_arguments: object) -> None:
            raise ZeroDivisionError

        patch.setattr(module.Batch, "keep_others", crash)
        with pytest.raises(ZeroDivisionError):
            process.codes(ledger.usage(0, HOUR_S, 2 * HOUR_S))

    assert process.codes(ledger.usage(0, HOUR_S, 2 * HOUR_S)) == ["accepted"]


def test_kept__another_was_quicker__is_judged_anew(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = iter([IntegrityError("", {}, Exception())])
    write = module.LedgerWriter.finish

    def clash(writer: Any, operator_id: Any, **more: Any) -> None:
        write(writer, operator_id, **more)
        for failure in failures:
            raise failure

    monkeypatch.setattr(module.LedgerWriter, "finish", clash)
    codes = Process(ledger).codes(ledger.usage(0, 0, HOUR_S), ledger.usage(0, 0, HOUR_S))

    assert codes == ["accepted", "overlap"]


def test_allocation__ended_in_the_batch_that_opens_it__is_judged_to_its_end(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A collector that catches up tells a job of days in one batch."""
    monkeypatch.setattr(kept_module, "AHEAD_S", 0)
    ledger.clock.now_s = START_S + 3 * DAY_S
    ledger.codes(ledger.usage(0, 2 * DAY_S, 2 * DAY_S + HOUR_S))
    ledger.codes(ledger.usage(1, 2 * DAY_S, 2 * DAY_S + HOUR_S, lease="lease-b"))
    same_card = ledger.allocation(0, 0)
    same_lease = ledger.allocation(2, 0, lease="lease-b")
    until_s = 2 * DAY_S + 60

    codes = ledger.codes(
        *(same_card, ledger.ended(same_card, until_s)),
        *(same_lease, ledger.confirmed(same_lease, until_s)),
    )

    assert codes == ["accepted", "overlap", "accepted", "over_capacity"]


def test_limit__refused_version__leaves_no_count_behind(ledger: Ledger) -> None:
    """What is counted of a lease is complete, or is not kept."""
    process = Process(ledger)
    hour = lambda gpu, at: ledger.usage(gpu, at * HOUR_S, (at + 1) * HOUR_S)  # noqa: E731
    ledger.clock.now_s = START_S + 3 * DAY_S
    known = hour(1, 36)
    assert process.codes(known) == ["accepted"]
    refused = ledger.terms("lease-a", 9, 0, max_gpus=2)
    assert process.codes(refused, hour(0, 0)) == ["terms_invalid", "accepted"]
    assert process.codes(ledger.void(known)) == ["accepted"]
    prices = [{"from": "2026-01-01T00:00:00Z", "price": 5, "gpus": 1}]
    limited = ledger.terms("lease-a", 2, 0, prices=prices, max_gpus=1)

    assert process.codes(limited, hour(2, 36), hour(1, 36)) == [
        *("accepted", "accepted", "over_capacity"),
    ]
