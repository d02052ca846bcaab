"""Closing: from facts to statements that follow each other, and what they say by hand."""

import json
from dataclasses import replace

import pytest

from api.domain.facility import Period
from api.domain.hashing import keccak, sha256
from api.domain.log.entry import end_of
from api.domain.metering.usage import LineKind
from api.domain.statements.batches import decode_entries
from api.domain.statements.closing import Followed, OpenBooks
from api.domain.statements.evidence import (
    BATCHES_FILE,
    COMMITTED_FILES,
    CREDITS_FILE,
    FACTS_FILE,
    LINES_FILE,
    MANIFEST_FILE,
    TERMS_FILE,
    Follows,
    hex32,
)
from api.domain.statements.evidence_reader import decode_lines, follows_of
from api.domain.statements.lines import usage_tree
from api.domain.statements.statement import statement_hash
from api.domain.statements.told import decode_told
from api.domain.units import Epoch
from tests.ledgers import Ledger, facility, periods, signed_numbers
from tests.logs import secret_names
from tests.unit.payloads import (
    DEVICES,
    LEASE,
    TERMS,
    adjusted,
    agreed,
    at,
    delivery,
    lease_closed,
    outage,
    usage,
    void,
)
from tests.unit.statements.lives import DOLLAR, Life, charges, days
from tests.unit.values import DAY_S, START_S

HOUR_S = 3_600
USE, LATE, BACK = LineKind.USAGE, LineKind.LATE, LineKind.VOID
USE_DIFFERENCE = LineKind.USAGE_DIFFERENCE


# --- statements that follow each other ------------------------------------------------------------


def test_close__random_ledger__binds_lines_evidence_and_the_statement_before():
    ledger = Ledger(5, facility())
    books, previous = OpenBooks(ledger.terms), Followed()

    for period in periods(ledger.terms):
        told = ledger.fill(period)
        part = ledger.log_after(books.follows.log.size)
        closed = books.close(period, told, **part)
        statement, files = closed.statement, closed.files

        assert (statement.epoch, statement.epoch_start_s, statement.epoch_end_s) == (
            *(period.epoch, period.start_s, period.end_s),
        )
        assert set(files) == {*COMMITTED_FILES, MANIFEST_FILE}
        assert statement.previous_statement_hash == previous.statement_hash
        assert statement.evidence_hash == sha256(files[MANIFEST_FILE])
        log = end_of(part["entries"], previous.log)
        assert follows_of(files[MANIFEST_FILE]) == Follows(
            log, previous.manifest_hash, closed.signed
        )
        shown = decode_entries(
            files[BATCHES_FILE], log=ledger.terms.log, before=previous.log, recorded_at_s=0
        )
        assert shown.entries == part["entries"]
        assert shown.about_keys == part["about_keys"]
        tree = usage_tree(ledger.terms.facility_id, period.epoch, closed.lines)
        assert statement.usage_root == closed.tree.root == tree.root
        assert statement.line_count == len(closed.lines)
        assert decode_lines(files[LINES_FILE]) == list(closed.lines)
        told_again = [decode_told(files[name], name=name) for name in (FACTS_FILE, TERMS_FILE)]
        assert sorted([*told_again[0], *told_again[1]], key=lambda x: x.place) == told
        previous = closed.followed
        hashes = statement_hash(statement), statement.evidence_hash
        assert previous == Followed(*hashes, log) == books.follows
        assert books.next_number == period.epoch + 1


@pytest.mark.parametrize("from_number", range(5))
def test_replay__of_statements_before__goes_on_with_the_same_bytes(from_number):
    ledger = Ledger(6, facility())
    books, rebuilt = OpenBooks(ledger.terms), OpenBooks(ledger.terms)

    for period in periods(ledger.terms):
        told = ledger.fill(period)
        log = ledger.log_after(books.follows.log.size)
        closed = books.close(period, told, **log)
        if period.epoch < from_number:
            signed = signed_numbers(log["entries"])
            rebuilt.replay(period, told, follows=closed.followed, signed=signed)
        else:
            again = rebuilt.close(period, told, **log)
            assert (again.statement, again.files) == (closed.statement, closed.files)
        assert (rebuilt.follows, rebuilt.next_number) == (books.follows, books.next_number)


def test_close__nothing_told__is_a_zero_statement_of_its_epoch():
    life = Life()
    life.close()

    closed = life.close()

    statement = closed.statement
    assert (statement.epoch_start_s, statement.epoch_end_s) == (
        *(START_S + DAY_S, START_S + 2 * DAY_S),
    )
    assert (statement.gross_revenue_micros, statement.line_count) == (0, 0)
    assert (statement.available_gpu_seconds, statement.billed_gpu_seconds) == (0, 0)
    assert (statement.top_renter_bps, statement.committed_bps) == (0, 0)
    assert closed.files[FACTS_FILE] == closed.files[TERMS_FILE] == b""
    silent = Life(terms=replace(TERMS, silence_available=True)).close()
    assert silent.statement.available_gpu_seconds == 4 * DAY_S


def test_close__availability__counts_what_was_seen_or_held_and_not_out():
    life = Life(agreed("l"), usage("a", 0, 0, HOUR_S), outage("b", 0, HOUR_S - 600, 2 * HOUR_S))

    assert life.close().statement.available_gpu_seconds == HOUR_S - 600
    # Told late, of a day that is stated: an hour more of another card, and ten minutes back.
    life.tell(usage("c", 1, 0, HOUR_S), void("v", "b"))
    statement = life.close().statement
    assert (statement.available_gpu_seconds, statement.available_adjustment) == (0, HOUR_S + 600)


# --- lines, by hand -------------------------------------------------------------------------------


def test_close__neighbours_of_one_device__are_one_line():
    """However a collector cut the time: what follows at once in one lease is one use."""
    life = Life(agreed("l"), usage("a", 0, 0, HOUR_S), usage("b", 0, HOUR_S, 2 * HOUR_S))

    closed = life.close()

    assert days(closed) == [(USE, 0, 2)]
    assert closed.lines[0].subject == DEVICES[0]
    assert charges(closed) == [(USE, 2 * DOLLAR)]
    assert closed.statement.billed_gpu_seconds == 2 * HOUR_S


def test_close__late_usage_and_voids__are_intervals_and_one_difference_a_month():
    """Three hours late and one taken back, of two epochs: money once for the month."""
    life = Life(agreed("l"), usage("a", 2, 0, HOUR_S))
    life.close()
    life.close()
    life.tell(
        usage("b", 0, 0, HOUR_S),
        usage("c", 1, HOUR_S, 2 * HOUR_S),
        void("d", "a"),
        usage("e", 2, DAY_S, DAY_S + HOUR_S),
        delivery("f", 3, DAY_S, DAY_S + HOUR_S),
    )

    closed = life.close()

    assert sorted(days(closed)) == [
        *((LATE, 0, 1), (LATE, 1, 2), (LATE, 24, 25)),
        (LineKind.LATE_DELIVERY, 24, 25),
        (BACK, 0, 1),
        (USE_DIFFERENCE, 0, 72),
    ]
    assert {(x.charge_micros, x.gpu_seconds) for x in closed.lines[:5]} == {(0, 0)}
    assert (closed.lines[5].subject, closed.lines[5].charge_micros) == (
        keccak(b"usage"),
        2 * DOLLAR,
    )


def test_close__late_over_two_epochs__is_a_line_of_each():
    """A line of late time lies in one epoch: another would be a fault."""
    life = Life(agreed("l"))
    life.close()
    life.close()
    life.tell(usage("a", 0, DAY_S - HOUR_S, DAY_S + HOUR_S))

    assert days(life.close())[:2] == [(LATE, 23, 24), (LATE, 24, 25)]


def test_close__void_and_the_same_hour_again__is_no_difference():
    life = Life(agreed("l"), usage("a", 0, 0, HOUR_S))
    life.close()
    life.tell(void("v", "a"), usage("b", 0, 0, HOUR_S))

    assert charges(life.close()) == []


def test_close__outage_told_late__takes_usage_back():
    """Half of a stated hour was an outage: that half is void."""
    life = Life(agreed("l"), usage("a", 0, 0, HOUR_S))
    life.close()
    life.tell(usage("b", 1, DAY_S, DAY_S + HOUR_S), outage("c", 0, HOUR_S // 2, HOUR_S))

    closed = life.close()

    assert charges(closed) == [(USE, DOLLAR), (BACK, 0), (USE_DIFFERENCE, -DOLLAR // 2)]
    assert (closed.lines[1].end_s - closed.lines[1].start_s) == HOUR_S // 2


def test_close__void_beyond_the_revenue__is_shortened_and_the_rest_waits():
    """A void of two hours, where one was used: an hour back now, the other when there is some."""
    life = Life(agreed("l"), usage("a", 0, 0, 2 * HOUR_S))
    life.close()
    life.tell(void("v", "a"), usage("b", 1, DAY_S, DAY_S + HOUR_S))

    first = life.close()
    life.tell(usage("c", 1, 2 * DAY_S, 2 * DAY_S + 3 * HOUR_S))
    later = life.close()

    assert [x.cumulative_charge_micros for x in first.lines] == [DOLLAR, DOLLAR, 0]
    assert charges(first) == [(USE, DOLLAR), (BACK, 0), (USE_DIFFERENCE, -DOLLAR)]
    assert charges(later) == [(USE, 3 * DOLLAR), (USE_DIFFERENCE, -DOLLAR)]
    assert charges(life.end()) == []


def test_close__credit_of_one_component_and_charge_of_another__the_total_bears_it():
    """Kinds are in order of lines, yet what adds counts before what takes: a prefix dips."""
    life = Life(agreed("l"), usage("a", 0, 0, 2 * HOUR_S))
    life.close()
    life.tell(void("v", "a"), adjusted("b", 5 * DOLLAR))

    closed = life.close()

    sums = [0, -2 * DOLLAR, 3 * DOLLAR]
    assert [x.cumulative_charge_micros for x in closed.lines] == sums
    assert closed.statement.gross_revenue_micros == 3 * DOLLAR


def test_close__closing_statement__states_everything_also_below_zero():
    """Two hours void where one was used: what waited is stated at last, and is a credit."""
    life = Life(agreed("l"), usage("a", 0, 0, 2 * HOUR_S))
    life.close()
    life.close()
    life.tell(void("v", "a"), usage("b", 1, 2 * DAY_S, 2 * DAY_S + HOUR_S))
    assert life.close().statement.gross_revenue_micros == 0
    other = agreed("m", lease="m", fixed=[{"id": "end", "at": at(3 * DAY_S), "amount": 7}])
    life.tell(delivery("d", 3, 0, HOUR_S), other)
    assert life.period == Period(Epoch(3), TERMS.window_end_s, TERMS.sealed_at_s, closing=True)

    closed = life.close()

    assert charges(closed) == [
        *((LineKind.LATE_DELIVERY, 0), (USE_DIFFERENCE, -DOLLAR), (LineKind.FIXED_DIFFERENCE, 7)),
    ]
    statement = closed.statement
    assert (statement.gross_revenue_micros, statement.epoch) == (7 - DOLLAR, 3)
    assert (statement.available_gpu_seconds, statement.billed_gpu_seconds) == (0, 0)
    # By lease: the other owes, and is credited nothing.
    rows = closed.files[CREDITS_FILE].decode().splitlines()
    assert rows == ["lease,amount", f"{hex32(LEASE)},{DOLLAR}"]


def test_close__ended_early__states_nothing_of_the_epoch_cut_short():
    life = Life(
        agreed("l"), usage("a", 0, 0, HOUR_S), delivery("b", 1, 0, HOUR_S),
        ended_at_s=START_S + DAY_S + 9 * HOUR_S,
    )  # fmt: skip
    life.close()
    life.tell(usage("c", 0, DAY_S, DAY_S + HOUR_S), usage("d", 2, DAY_S - 60, DAY_S + 60))

    closed = life.close()

    assert days(closed, of_s=60) == [(LATE, 24 * 60 - 1, 24 * 60), (USE_DIFFERENCE, 0, 24 * 60)]
    assert closed.statement.epoch_start_s == START_S + DAY_S
    assert closed.statement.epoch_end_s == START_S + DAY_S + 9 * HOUR_S + TERMS.grace_s


def test_close__lease_that_ends_behind_the_last_epoch__changes_no_closing_statement():
    """But for the terms that say so: no line, and so no byte of a file that any line makes."""

    def closing(*more):
        committed = agreed("l", commitment=[{"from": at(0), "gpus": 1}])
        life = Life(committed, usage("a", 0, 0, HOUR_S), ended_at_s=START_S + DAY_S + 9 * HOUR_S)
        life.close()
        life.tell(usage("b", 1, 0, HOUR_S), *more)
        return life.close()

    usual, ended = closing(), closing(lease_closed("c", DAY_S + HOUR_S))

    assert [x for x in usual.files if usual.files[x] != ended.files[x]] == [
        BATCHES_FILE,
        TERMS_FILE,
        MANIFEST_FILE,
    ]
    assert usual.lines == ended.lines != ()


@pytest.mark.parametrize(
    ("ended_at_s", "expected"),
    [
        (0, None),
        (DAY_S - 1, None),
        (DAY_S, (1, DAY_S, DAY_S + 60)),
        (3 * DAY_S - 1, (2, 2 * DAY_S, 3 * DAY_S + 59)),
        (4 * DAY_S, (3, 3 * DAY_S, 4 * DAY_S + 60)),
        (90 * DAY_S, (3, 3 * DAY_S, 3 * DAY_S + TERMS.seal_s)),
    ],
)
def test_closing_period__of_a_facility_that_ended__follows_the_last_epoch_over(
    ended_at_s: int, expected: tuple[int, int, int] | None
) -> None:
    found = TERMS.closing_period(ended_at_s=START_S + ended_at_s, grace_s=60)

    assert (found is None) == (expected is None)
    if found and expected:
        epoch, start_s, end_s = expected
        early = ended_at_s < 90 * DAY_S
        assert found == Period(
            Epoch(epoch),
            START_S + start_s,
            START_S + end_s,
            closing=True,
            ended_at_s=START_S + ended_at_s if early else None,
        )
        assert found.over_s == START_S + (ended_at_s if early else end_s)


# --- concentration --------------------------------------------------------------------------------


def _shares(*payloads):
    statement = Life(*payloads).close().statement
    return statement.top_renter_bps, statement.committed_bps


def test_shares__two_renters__by_hand():
    """X pays 2 and 1 on two leases, Y pays 1; one of X's is committed, and a gift counts not."""
    committed = {"commitment": [{"from": at(0), "gpus": 1}], "until": at(HOUR_S)}
    leases = [
        agreed("l"),
        agreed("m", lease="m", **committed),
        agreed("n", lease="n", renter_ref="y"),
    ]
    used = [
        usage("a", 0, 0, 2 * HOUR_S),
        usage("b", 1, 0, HOUR_S, lease="m"),
        usage("c", 2, 0, HOUR_S, lease="n"),
    ]

    assert _shares(*leases, *used) == (7_500, 2_500)
    gift = adjusted("d", -DOLLAR // 2, lease="n")
    assert _shares(*leases, *used, gift) == (7_500, 2_500)
    # A positive adjustment is a charge, and of no commitment.
    assert _shares(*leases, *used, adjusted("d", 4 * DOLLAR, lease="n")) == (6_250, 1_250)


def test_shares__shortfall_and_minimum__are_committed():
    last = at(2 * DAY_S)
    commitment = {"commitment": [{"from": last, "gpus": 1}]}
    minimum = {"minimum": 31_000 * DOLLAR, "renter_ref": "y"}
    life = Life(
        agreed("l", from_s=2 * DAY_S, **commitment),
        agreed("m", lease="m", from_s=2 * DAY_S, **minimum),
    )
    life.close()
    life.close()

    closed = life.close()

    assert charges(closed) == [
        (LineKind.SHORTFALL_DIFFERENCE, 24 * DOLLAR),
        (LineKind.MINIMUM_DIFFERENCE, 1_000 * DOLLAR),
    ]
    assert closed.statement.committed_bps == 10_000
    assert closed.statement.top_renter_bps == 10_000 * 1_000 // 1_024


def test_evidence__of_a_statement__shows_hashes_and_no_names():
    closed = Life(agreed("l"), usage("a", 0, 0, HOUR_S)).close()

    everything = b"".join(closed.files.values())

    assert b'"l"' not in everything
    assert b"GPU-" not in everything
    [terms] = [json.loads(x) for x in closed.files[TERMS_FILE].splitlines()]
    assert terms["terms"]["lease"] == hex32(LEASE)
    assert terms["terms"]["party"] == hex32(secret_names(TERMS).party("l", renter_ref="r"))
