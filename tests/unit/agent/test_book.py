"""The book: allocations are opened, confirmed and ended once, whatever happens between."""

from pathlib import Path

import pytest

from api.agent.failures import SpoolFailed
from api.agent.leases import Holder
from api.agent.spool import Spool, cursor_of
from api.domain.metering.events import parse_event
from tests.factories import START_S, device
from tests.unit.agent.desk import (
    PHYSICS,
    SOURCE,
    kinds,
    make_book,
    open_spool,
    said,
    spooled,
    use,
)


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    """An empty spool."""
    return open_spool(tmp_path)


def test_job__from_start_to_end__is_opened_confirmed_and_ended(spool: Spool) -> None:
    book = make_book(spool)

    for at_s in (10, 100, 310, 620, 700):
        book.take(said(at_s, use("7", 0, 0)), now_s=START_S + at_s)
    book.take(said(900, use("7", 0, 0, 800)), now_s=START_S + 900)

    told = spooled(spool)
    assert kinds(spool) == ["opened", "confirmed", "confirmed", "ended"]
    assert told[0]["id"] == f"7/{device(0)}/2026-01-01T00:00:00Z"
    assert [e["data"].get("until") for e in told[1:]] == [
        *("2026-01-01T00:05:10Z", "2026-01-01T00:10:20Z", "2026-01-01T00:13:20Z"),
    ]
    assert all(e["data"]["allocation"]["id"] == told[0]["id"] for e in told[1:])
    for event in told:
        parse_event(event)


def test_round__said_again_after_a_restart__spools_nothing_more(
    spool: Spool, tmp_path: Path
) -> None:
    first = said(400, use("7", 0, 0), use("8", 1, 0, 50))
    make_book(spool).take(first, now_s=START_S + 400)
    before = spooled(spool)
    spool.close()

    again = open_spool(tmp_path)
    make_book(again).take(first, now_s=START_S + 400)

    assert spooled(again) == before


def test_job__ended_while_the_agent_was_away__ends_when_its_source_says(
    spool: Spool, tmp_path: Path
) -> None:
    make_book(spool).take(said(400, use("7", 0, 0)), now_s=START_S + 400)
    spool.close()

    again = open_spool(tmp_path)
    make_book(again).take(said(9_000, use("7", 0, 0, 5_000)), now_s=START_S + 9_000)

    assert spooled(again)[-1]["data"]["until"] == "2026-01-01T01:23:20Z"


def test_job__whose_source_forgot_it__is_billed_as_far_as_it_was_seen(spool: Spool) -> None:
    book = make_book(spool, absent_s=60)
    book.take(said(400, use("7", 0, 0)), now_s=START_S + 400)
    book.take(said(450, use("7", 0, 0)), now_s=START_S + 450)

    book.take(said(480), now_s=START_S + 480)
    assert kinds(spool)[-1] == "confirmed"
    book.take(said(520), now_s=START_S + 520)

    assert spooled(spool)[-1]["data"]["until"] == "2026-01-01T00:07:30Z"
    assert [p.kind for p in spool.problems(since_s=0)] == ["end_unknown"]


def test_job__silent_for_a_moment__goes_on(spool: Spool) -> None:
    book = make_book(spool, absent_s=60)
    book.take(said(400, use("7", 0, 0)), now_s=START_S + 400)

    book.take(said(430), now_s=START_S + 430)
    book.take(said(800, use("7", 0, 0)), now_s=START_S + 800)

    assert kinds(spool) == ["opened", "confirmed", "confirmed"]


def test_round__that_is_not_complete__ends_nothing(spool: Spool) -> None:
    book = make_book(spool)
    book.take(said(400, use("7", 0, 0)), now_s=START_S + 400)

    book.take(said(900, complete=False), now_s=START_S + 900)

    assert kinds(spool) == ["opened", "confirmed"]


def test_end__of_a_job_whose_devices_are_forgotten__is_told_for_each(spool: Spool) -> None:
    book = make_book(spool)
    book.take(said(400, use("7", 0, 0), use("7", 1, 0)), now_s=START_S + 400)

    book.take(said(900, ends={"7": START_S + 600}), now_s=START_S + 900)

    untils = [e["data"]["until"] for e in spooled(spool)[-2:]]
    assert untils == ["2026-01-01T00:10:00Z"] * 2


def test_device__handed_from_job_to_job_in_one_round__ends_before_it_opens(spool: Spool) -> None:
    book = make_book(spool)
    book.take(said(100, use("7", 0, 0)), now_s=START_S + 100)

    book.take(said(200, use("8", 0, 150), use("7", 0, 0, 150)), now_s=START_S + 200)

    assert kinds(spool) == ["opened", "ended", "opened"]


def test_device__held_by_two_jobs_at_once__bills_the_first_and_reports_the_other(
    spool: Spool,
) -> None:
    book = make_book(spool)

    book.take(said(100, use("7", 0, 0), use("8", 0, 50)), now_s=START_S + 100)

    assert kinds(spool) == ["opened"]
    assert [p.kind for p in spool.problems(since_s=0)] == ["device_shared"]


def test_job__that_no_lease_fits__is_reported_with_its_holder_and_not_billed(
    spool: Spool,
) -> None:
    book = make_book(spool)
    strange = use("9", 0, 0, holder=Holder(account="chem", user="bo"))

    for at_s in (100, 200):
        book.take(said(at_s, strange), now_s=START_S + at_s)

    [problem] = spool.problems(since_s=0)
    assert spooled(spool) == []
    assert (problem.kind, problem.times) == ("unmapped", 2)
    assert problem.subject == "account=chem user=bo"


def test_job__of_nobody__is_left_out_without_a_word(spool: Spool) -> None:
    mine = use("9", 0, 0, holder=Holder(account="physics", user="root"))

    make_book(spool).take(said(100, mine), now_s=START_S + 100)

    assert spooled(spool) == []
    assert spool.problems(since_s=0) == []


def test_time__ahead_of_the_service__is_never_billed(spool: Spool) -> None:
    """A source's clock that is ahead: nothing is told before its time has come."""
    book = make_book(spool)
    ahead = said(4_000, use("7", 0, 0), use("8", 1, 3_900), use("9", 2, 0, 3_950))

    book.take(ahead, now_s=START_S + 1_000)
    assert kinds(spool) == ["opened", "confirmed"] * 2
    untils = [e["data"]["until"] for e in spooled(spool) if "until" in e["data"]]
    assert set(untils) == {"2026-01-01T00:16:40Z"}
    book.take(ahead, now_s=START_S + 4_000)

    assert kinds(spool)[4:] == ["ended", "confirmed", "opened"]


def test_cursor__and_events__are_kept_together_or_not_at_all(tmp_path: Path) -> None:
    small = open_spool(tmp_path, most_mib=1)
    book = make_book(small)
    uses = [use(f"job-{i}", i, 0) for i in range(3_000)]
    book.take(said(10, uses[0], cursor="before"), now_s=START_S + 10)

    with pytest.raises(SpoolFailed, match="full"):
        book.take(said(20, *uses, cursor="after"), now_s=START_S + 20)

    with small.read() as db:
        assert cursor_of(db, SOURCE) == "before"
    assert len(spooled(small)) == 1
    book.take(said(30, *uses[:100], cursor="after"), now_s=START_S + 30)
    assert len(spooled(small)) == 100


def test_job__with_an_endless_name__has_an_id_that_the_service_takes(spool: Spool) -> None:
    long = use("x" * 500, 0, 0)
    other = use("x" * 501, 1, 0)

    make_book(spool).take(said(400, long, other), now_s=START_S + 400)

    ids = [e["id"] for e in spooled(spool)]
    assert len(set(ids)) == 4
    assert max(map(len, ids)) <= 200
    for event in spooled(spool):
        parse_event(event)


def test_lease__of_a_running_job__stays_what_it_was_opened_with(spool: Spool) -> None:
    book = make_book(spool)
    book.take(said(100, use("7", 0, 0, holder=PHYSICS)), now_s=START_S + 100)

    book.take(said(500, use("7", 0, 0, holder=Holder(account="chem"))), now_s=START_S + 500)

    assert kinds(spool) == ["opened", "confirmed"]
