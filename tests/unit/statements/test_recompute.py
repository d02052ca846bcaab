"""Recompute: from a log alone an attester comes to the bytes of the close, or refuses."""

import json
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.domain.hashing import keccak
from api.domain.lifecycle import Reopening
from api.domain.log.entry import NO_LOG, EntryKind, LogEnd, end_of
from api.domain.log.logged import LoggedEntry, entry_document, logged_entry
from api.domain.metering.facts import Place
from api.domain.metering.usage import LineKind
from api.domain.pledges import PledgedDevice
from api.domain.roster import Roster, replaced
from api.domain.statements.closing import ClosedEpoch
from api.domain.statements.faults import FaultKind, find_faults
from api.domain.statements.recompute import (
    RawInput,
    Recomputation,
    read_input,
    recompute,
    told_document,
)
from api.domain.units import ZERO32, Epoch, FacilityId
from api.errors import EvidenceInvalid, InvalidInput
from tests.ledgers import EPOCH_S, Ledger, closed_books, facility, periods
from tests.logs import SentEvent, log_of, secret_names, told_leases
from tests.unit.payloads import (
    HOUR_S,
    TERMS,
    Payload,
    agreed,
    delivery,
    lease_closed,
    lease_opened,
    outage,
    usage,
    void,
)
from tests.unit.values import DAY_S, START_S


def _raw(*events: tuple[int, Payload], **changes: Any) -> RawInput:
    """A log of events, each recorded so many seconds after the start, an entry each."""
    sent = [
        SentEvent(Place(i, 0), START_S + at_s, payload)
        for i, (at_s, payload) in enumerate(((0, agreed("l")), *events), 1)
    ]
    entries = log_of(TERMS, sent)
    leases = told_leases(secret_names(TERMS), entries)
    known = {"grace_s": TERMS.grace_s, "entries": entries, "leases": leases}
    return RawInput(**{**known, **changes})


def _kinds(raw: RawInput, epoch: int = 0) -> list[LineKind]:
    closed = recompute(TERMS, TERMS.period(Epoch(epoch)), raw)
    return [line.kind for line in closed.lines]


def _same(ours: ClosedEpoch, theirs: ClosedEpoch) -> None:
    assert (ours.statement, ours.lines, ours.files) == (
        theirs.statement,
        theirs.lines,
        theirs.files,
    )
    assert ours.log == theirs.log


@settings(max_examples=30)
@given(
    st.integers(0, 2**32),
    st.none() | st.integers(EPOCH_S, 6 * EPOCH_S),
    st.integers(1, 7),
)
def test_recompute__any_log__gives_the_bytes_of_the_close(
    seed: int, ended_s: int | None, step: int
) -> None:
    """Read at once or a few entries at a time, as it grows; the closing statement too."""
    terms = facility()
    ended_at_s = None if ended_s is None else terms.window_start_s + ended_s
    ledger = Ledger(seed, terms, ended_at_s)
    closed = closed_books(ledger)
    log, due = ledger.entries, periods(terms, ended_at_s=ended_at_s)
    raw = RawInput(terms.grace_s, ended_at_s, named=ledger.named, entries=log)
    raw.leases = told_leases(secret_names(terms), log)

    _same(recompute(terms, due[-1], raw), closed[-1])

    raw.leases = []
    rebuilt = Recomputation(terms, raw)
    for i in range(0, len(log), step):
        rebuilt.learn(told_leases(secret_names(terms), log[i : i + step]))
        rebuilt.read(log[i : i + step])
    assert rebuilt.end == closed[-1].log
    for period, theirs in zip(due, closed, strict=True):
        _same(rebuilt.close(period), theirs)
    assert rebuilt.books.next_number == len(due)


def test_recompute__last_second_of_grace__is_in_time_and_the_next_is_late() -> None:
    cut_s = DAY_S + TERMS.grace_s

    for at_s, first, second in (
        (cut_s - 1, [LineKind.USAGE], []),
        (cut_s, [], [LineKind.LATE, LineKind.USAGE_DIFFERENCE]),
    ):
        raw = _raw((at_s, usage("a", 0, 0, HOUR_S)))
        assert (_kinds(raw), _kinds(raw, 1)) == (first, second)


def test_recompute__facts_of_later__wait_for_their_epoch() -> None:
    """Told in the grace of the day before: that says nothing of them."""
    raw = _raw((DAY_S + HOUR_S - 1, usage("a", 0, DAY_S, DAY_S + HOUR_S)))

    assert (_kinds(raw), _kinds(raw, 1)) == ([], [LineKind.USAGE])


def test_recompute__void__in_its_own_epoch_vanishes_and_later_is_a_line() -> None:
    first, late = (HOUR_S, usage("a", 0, 0, HOUR_S)), (2 * DAY_S, usage("b", 1, 0, 2 * HOUR_S))
    soon = _raw(first, (HOUR_S + 20, void("v", "a")))
    later = _raw(first, late, (2 * DAY_S + 20, void("v", "a")))

    assert _kinds(soon) == []
    assert _kinds(later, 0) == [LineKind.USAGE]
    assert _kinds(later, 1) == [LineKind.LATE, LineKind.VOID, LineKind.USAGE_DIFFERENCE]
    assert _kinds(later, 2) == []


def test_recompute__closing_of_an_ended_facility__takes_what_was_late_in_time() -> None:
    """Ended in epoch 1; its usage and outages are stated nowhere, nor what came after the grace."""
    ended_s = DAY_S + HOUR_S
    terms = replace(TERMS, grace_s=60)
    raw = _raw(
        (DAY_S + 70, usage("cut short", 0, DAY_S, DAY_S + 60)),
        (DAY_S + 70, outage("out", 1, DAY_S, DAY_S + 60)),
        (DAY_S + 70, usage("late", 1, 0, HOUR_S)),
        # The service heard late of the end, and took what was too late.
        (ended_s + 60, usage("too late", 2, 0, HOUR_S)),
        (ended_s + 70, usage("nonsense", 2, 0, 90 * DAY_S)),
        ended_at_s=START_S + ended_s,
    )
    period = terms.closing_period(ended_at_s=START_S + ended_s, grace_s=60)
    assert period is not None

    closed = recompute(terms, period, raw)

    assert [line.kind for line in closed.lines] == [LineKind.LATE, LineKind.USAGE_DIFFERENCE]
    assert closed.statement.available_gpu_seconds == 0
    assert closed.log.size == 4


def test_recompute__reopened_epoch__takes_records_of_its_own_time_again() -> None:
    late = (DAY_S + 2 * HOUR_S + 20, usage("a", 0, 0, HOUR_S))
    reopened = _raw(late, reopenings=(Reopening(Epoch(0), START_S + DAY_S + 2 * HOUR_S),))

    assert _kinds(_raw(late)) == []
    assert _kinds(reopened) == [LineKind.USAGE]


def test_recompute__lease_opened_again__says_nothing_and_follows() -> None:
    raw = _raw((5, lease_opened("again")), (DAY_S, usage("a", 0, 0, HOUR_S)))

    assert _kinds(raw) == [LineKind.USAGE]


@pytest.mark.parametrize(
    ("events", "message"),
    [
        ([(60, usage("a", 0, 0, 60)), (61, usage("a", 1, 0, 60))], "repeated or of another"),
        ([(60, usage("a", 0, 0, 60, facility_id=8))], "repeated or of another"),
        ([(60, usage("a", 0, 0, 60)), (60, usage("b", 0, 0, 60))], "entry 3 .* already in use"),
        ([(60, usage("a", 0, 0, 60, lease="other"))], "entry 2 .* no such lease"),
        ([(60, void("v", "a"))], "no such event"),
        ([(60, outage("a", 0, 0, 60)), (60, delivery("d", 0, 0, 60))], "outage is known"),
        (
            [(60, delivery("d", 0, 0, 60)), (DAY_S + 2 * HOUR_S, void("v", "d"))],
            "in no statement",
        ),
        ([(60, usage("a", 0, 0, 60)), (60, {"type": "nonsense"})], "entry 3 of the log breaks"),
        ([(60, 7)], "not of its type"),
        (
            [(60, usage("a", 0, 0, 60)), (59, usage("b", 1, 0, 60))],
            "entry 3 .* recorded before",
        ),
    ],
)
def test_recompute__log_that_breaks_a_rule__is_refused(
    events: list[tuple[int, Any]], message: str
) -> None:
    with pytest.raises(EvidenceInvalid, match=message):
        _kinds(_raw(*events))


def _wrong(entry: LoggedEntry, **changes: Any) -> LoggedEntry:
    return replace(entry, entry=replace(entry.entry, **changes))


_OTHER = replace(TERMS.log, facility_id=FacilityId(8))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"log": _OTHER}, "of another log, 0:0x0{40}:8"),
        ({"log": replace(TERMS.log, chain_id=1)}, "of another log"),
        ({"number": 1}, "entry 2 comes next"),
        ({"number": 3}, "entry 2 comes next"),
        ({"previous": ZERO32}, "does not name the hash of the entry before"),
        ({"recorded_at_s": START_S - 1}, "recorded before the entry before"),
        ({"body": keccak(b"other")}, "its body is another"),
        ({"answers": keccak(b"other")}, "its answers are others"),
        ({"author": keccak(b"somebody")}, "its author did not sign"),
    ],
)
def test_read__entry_that_is_not_the_next_of_its_log__is_refused(
    changes: dict[str, Any], message: str
) -> None:
    raw = _raw((60, usage("a", 0, 0, 60)))
    first, second = raw.entries
    rebuilt = Recomputation(TERMS, raw)
    rebuilt.read([first])

    with pytest.raises(EvidenceInvalid, match=message):
        rebuilt.read([_wrong(second, **changes)])
    assert rebuilt.end.size == 1 or "body" in message or "answers" in message


def test_read__log_that_was_another_before__is_refused_at_that_entry() -> None:
    raw = _raw((60, usage("a", 0, 0, 60)))
    first, second = raw.entries
    same = replace(raw, seen=end_of([first.entry], NO_LOG))
    other = replace(raw, seen=LogEnd(1, ZERO32))

    Recomputation(TERMS, same).read([first, second])
    with pytest.raises(EvidenceInvalid, match="entry 1 of the log is another than the one seen"):
        Recomputation(TERMS, other).read([first, second])


@pytest.mark.parametrize("body", [b"{}", b"[", b"\xff", b"7"])
def test_read__body_that_is_no_list__is_refused(body: bytes) -> None:
    entry = logged_entry(
        TERMS.log, LogEnd(), EntryKind.BATCH, body, answers=b"", recorded_at_s=9, blind=bytes(16)
    )
    with pytest.raises(EvidenceInvalid, match="entry 1 of the log"):
        Recomputation(TERMS, RawInput()).read([entry])


@pytest.mark.parametrize("answers", [b"", b"\x01", b"\x00\x00"])
def test_read__answers_that_do_not_fit__are_refused(answers: bytes) -> None:
    """What nobody signed holds accepted events alone."""
    body = orjson.dumps([agreed("l")])
    entry = logged_entry(
        TERMS.log, LogEnd(), EntryKind.BATCH, body, answers=answers, recorded_at_s=9,
        blind=bytes(16),
    )  # fmt: skip
    with pytest.raises(EvidenceInvalid, match="answers are not those of its events"):
        Recomputation(TERMS, RawInput()).read([entry])


def test_recompute__void_of_a_sealed_record__is_refused() -> None:
    terms = replace(TERMS, window_end_s=START_S + 45 * DAY_S, seal_s=DAY_S)
    raw = _raw((HOUR_S, usage("a", 0, 0, HOUR_S)), (33 * DAY_S, void("v", "a")))

    with pytest.raises(EvidenceInvalid, match="sealed"):
        recompute(terms, terms.period(Epoch(32)), raw)


def test_read_input__of_every_kind_of_line__keeps_them_apart() -> None:
    facility_row = {
        "type": "facility", "grace_s": 5, "reopenings": [[1, 9]]
    }  # fmt: skip
    known = _raw((60, usage("a", 0, 0, 60)))

    told = [*map(told_document, known.leases), *map(entry_document, known.entries)]
    rows = [facility_row, *told]
    raw = read_input(json.dumps(row) for row in rows)

    assert (raw.grace_s, raw.reopenings) == (5, (Reopening(Epoch(1), 9),))
    assert (raw.entries, raw.leases) == (known.entries, known.leases)
    assert read_input([]) == RawInput()
    del facility_row["reopenings"]
    assert read_input([json.dumps(facility_row)]).reopenings == ()


@pytest.mark.parametrize(
    "line",
    [
        *("{", "{}", "[]", '{"type": "facility"}', '{"type": "facility", "grace_s": "5"}'),
        '{"type": "facility", "grace_s": 5, "reopenings": [[1, 2, 3]]}',
        '{"type": "lease", "lease_id": "l", "secret": "0x00", "party": "0x%s"}' % ("11" * 32),
        '{"type": "lease", "lease_id": "l", "secret": "0x%s"}' % ("11" * 32),
        '{"type": "lease", "lease_id": 7, "secret": "0x%s", "party": "0x%s"}' % (("11" * 32,) * 2),
        r'{"type": "lease", "lease_id": "\ud800", "secret": "0x%s", "party": "0x%s"}'
        % (("11" * 32,) * 2),
        '{"type": "entry", "entry": "0x00", "blind": "0x00", "answers": "0x", "packed": ""}',
    ],
)
def test_read_input__that_is_none__is_refused(line: str) -> None:
    with pytest.raises(EvidenceInvalid, match="not readable"):
        read_input([line])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            ("blind", "0x" + "00" * 15),
            ("blind", 7),
            ("packed", "a"),
            ("packed", "é"),
            ("answers", "0"),
        ),
        *(("entry", 7), ("packed", None)),
    ],
)
def test_read_input__entry_that_is_not_readable__is_refused(name: str, value: object) -> None:
    [entry] = _raw().entries
    with pytest.raises(EvidenceInvalid, match="not readable"):
        read_input([json.dumps({**entry_document(entry), name: value})])


@pytest.mark.parametrize("data", ["0x" + "00" * 197, "0x" + b"rentroll/entry/1".hex()])
def test_read_input__entry_of_another_form__says_which(data: str) -> None:
    [entry] = _raw().entries
    with pytest.raises(EvidenceInvalid, match="an entry has 197 bytes and begins"):
        read_input([json.dumps({**entry_document(entry), "entry": data})])


def _overlapping() -> list[tuple[int, Payload]]:
    """Two uses of one device in one second: the second was taken by a mistake of the code."""
    return [(HOUR_S, usage(name, 0, at_s, HOUR_S)) for name, at_s in (("a", 0), ("b", 60))]


def test_recompute__taken_by_mistake_and_back_in_time__goes_on() -> None:
    raw = _raw(*_overlapping(), (HOUR_S, void("v", "b")))

    assert _kinds(raw) == [LineKind.USAGE]


def test_recompute__taken_by_mistake_and_back_too_late__is_refused() -> None:
    """Who signs two lines that overlap loses its bond."""
    raw = _raw(*_overlapping(), (2 * DAY_S, void("v", "b")))

    with pytest.raises(EvidenceInvalid, match="in use"):
        recompute(TERMS, TERMS.period(Epoch(0)), _raw(*_overlapping()))
    with pytest.raises(InvalidInput, match="billed twice"):
        recompute(TERMS, TERMS.period(Epoch(0)), raw)


def test_recompute__correction_that_names_nothing__is_refused() -> None:
    told = void("v", "a")
    nonsense = {**told, "data": {**told["data"], "corrects": {"source": 1, "id": 2}}}

    with pytest.raises(EvidenceInvalid, match="breaks a rule"):
        recompute(TERMS, TERMS.period(Epoch(0)), _raw((HOUR_S, nonsense)))


def test_recompute__service_heard_late_of_a_replacement__leaves_out_what_is_not_pledged() -> None:
    """The old card's hour behind the replacement is in the log, and in no statement."""
    new = PledgedDevice(keccak(b"new"), keccak(b"new"), Epoch(1))
    pledge = replaced(Roster(TERMS), old=TERMS.devices[0], new=new, number=2)
    across = (DAY_S + HOUR_S - 1, usage("a", 0, DAY_S - HOUR_S, DAY_S + HOUR_S - 1))
    raw = _raw(across, replacements=(pledge,))

    closed = [recompute(TERMS, TERMS.period(Epoch(e)), raw) for e in (0, 1)]

    assert [[x.end_s - x.start_s for x in c.lines if x.gpu_seconds] for c in closed] == [
        [HOUR_S],
        [],
    ]
    for each in closed:
        assert find_faults(TERMS, each.statement, each.lines, raw.replacements) == ()
    # Who does not know of the replacement comes to a statement that can be proven wrong.
    unaware = recompute(TERMS, TERMS.period(Epoch(1)), _raw(across))
    found = find_faults(TERMS, unaware.statement, unaware.lines, raw.replacements)
    assert [fault.kind for fault in found] == [FaultKind.DEVICE_NOT_PLEDGED]


def test_recompute__rule_that_is_broken_about_a_name__names_nobody() -> None:
    """A refusal is public, and what was wrong with a lease is told without its code."""
    secret = "acme-secret-lease"
    lies = [
        usage("a", 0, 0, 60, lease=secret),
        outage("b", 0, 0, 60, lease=secret),
        lease_closed("c", 60, lease=secret),
        agreed("d", 3, lease=secret),
        lease_opened("e", price_micros_per_gpu_hour=2),
        agreed("f", 2, renter_ref=secret),
        {**usage("g", 0, 0, 60), "source": secret, "type": secret},
    ]
    for lie in lies:
        with pytest.raises(EvidenceInvalid, match="entry 2 of the log breaks a rule") as found:
            _kinds(_raw((60, lie)))
        assert secret not in str(found.value)
