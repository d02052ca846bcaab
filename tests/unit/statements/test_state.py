"""State of the books: whoever begins with it comes to the same statements as who read all."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.domain.facility import Period
from api.domain.statements.closing import Followed, OpenBooks
from api.domain.statements.evidence import STATE_FILE
from api.domain.statements.lines import numbered
from api.domain.statements.state import decode_state, encode_state, publishes_state
from api.domain.units import Epoch
from api.errors import EvidenceInvalid
from tests.ledgers import Ledger, facility, periods, signed_numbers


@settings(max_examples=40)
@given(st.integers(0, 2**32))
def test_state__of_any_books__goes_on_with_the_same_bytes(seed: int) -> None:
    """Behind each statement, not only where it is published."""
    ledger = Ledger(seed, facility())
    books, begun = OpenBooks(ledger.terms), OpenBooks(ledger.terms)

    for period in periods(ledger.terms):
        told = ledger.fill(period)
        log = ledger.log_after(books.follows.log.size)
        closed = books.close(period, told, **log)
        again = begun.close(period, told, **log)
        assert (again.statement, again.files) == (closed.statement, closed.files)
        kept = books.kept
        assert decode_state(encode_state(kept)) == kept
        begun = OpenBooks.behind(ledger.terms, kept, books.follows, ())


@pytest.mark.parametrize("seed", range(3))
def test_copy__told_nothing__leaves_the_books_as_they_were(seed):
    ledger = Ledger(seed, facility())
    books = OpenBooks(ledger.terms)
    went = []

    for period in periods(ledger.terms):
        told = ledger.fill(period)
        log = ledger.log_after(books.follows.log.size)
        alone, twin = books.copied(), books.copied()
        without = numbered(alone.replay(period, [], follows=Followed()).items)
        closed = books.close(period, told, **log)

        signed = signed_numbers(log["entries"])
        replayed = twin.replay(period, told, follows=closed.followed, signed=signed)
        assert numbered(replayed.items) == closed.lines
        assert twin.kept == books.kept
        assert (twin.follows, twin.next_number) == (books.follows, books.next_number)
        went.append(without != closed.lines)

    assert any(went)


def test_state__is_published_by_the_statement_that_ends_a_month_alone() -> None:
    ledger = Ledger(3, facility())
    books, published = OpenBooks(ledger.terms), []

    for period in periods(ledger.terms):
        told = ledger.fill(period)
        log = ledger.log_after(books.follows.log.size)
        closed = books.close(period, told, **log)
        published.append(closed.files[STATE_FILE] != b"")
        assert published[-1] == publishes_state(period)
        if published[-1]:
            assert closed.files[STATE_FILE] == encode_state(books.kept)

    # Two hours of the old year, two of the new one, and the closing statement.
    assert published == [False, True, False, False, False]


def test_publishes__epoch_over_the_turn_of_a_month__does() -> None:
    turn_s = 1_767_225_600  # 2026-01-01
    assert publishes_state(Period(Epoch(0), turn_s - 60, turn_s + 60))
    assert not publishes_state(Period(Epoch(0), turn_s, turn_s + 60))
    assert not publishes_state(Period(Epoch(0), turn_s - 60, turn_s + 60, closing=True))


def _state() -> bytes:
    ledger = Ledger(9, facility())
    books = OpenBooks(ledger.terms)
    for period in periods(ledger.terms)[:3]:
        told = ledger.fill(period)
        books.close(period, told, **ledger.log_after(books.follows.log.size))
    return encode_state(books.kept)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("next_epoch", True), ("sealed_month", None), ("fact", "nothing"), ("device", "0x12")),
        *(("entry", "1"), ("stated", []), ("owing", [1, 2]), ("due", [[99, "0x", 1]]), ("due", 7)),
    ],
)
def test_decode__other_state__is_refused_naming_the_line(name: str, value: object) -> None:
    lines = [json.loads(line) for line in _state().splitlines()]
    if name == "owing":
        lines.append({"owing": []})
    at = next(i for i, line in enumerate(lines) if name in line)
    lines[at][name] = value

    with pytest.raises(EvidenceInvalid, match=rf"state\.jsonl line {at + 1}: "):
        decode_state(b"".join(json.dumps(line).encode() + b"\n" for line in lines))


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"next_epoch": 1}'])
def test_decode__no_state__is_refused(data: bytes) -> None:
    with pytest.raises(EvidenceInvalid, match=r"state\.jsonl line 1"):
        decode_state(data)
