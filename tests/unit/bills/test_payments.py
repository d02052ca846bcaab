"""Rent and credits pay documents: nothing is lost, nothing is paid twice."""

from hypothesis import given
from hypothesis import strategies as st

from api.domain.bills.payments import Allocation, Billed, Settlement, allocate

MARCH, APRIL = 24_302, 24_303
AMOUNTS = st.integers(-(10**6), 10**6)


def _documents(*amounts):
    return [Billed(n, month, amount) for n, (month, amount) in enumerate(amounts, 1)]


@given(st.lists(st.tuples(st.integers(0, 3), AMOUNTS)), st.integers(0, 5 * 10**6))
def test_allocate__any_documents__sums_meet(rows, paid):
    documents = _documents(*rows)

    shared = allocate(documents, paid=paid)

    asked = sum(d.amount for d in documents if d.amount > 0)
    credit = -sum(d.amount for d in documents if d.amount < 0)
    of = shared.of.values()
    assert sum(s.credited + s.paid + s.open for s in of) == asked
    assert sum(s.credited for s in of) + shared.credit_left == credit
    assert sum(s.paid for s in of) + shared.prepaid_left == paid
    assert all(min(s.credited, s.paid, s.open) >= 0 for s in of)
    for document in documents:
        settled = shared.of[document.number]
        assert settled.credited + settled.paid + settled.open == max(0, document.amount)
    # Money lies idle only where nothing is open.
    assert not any(s.open for s in of) or (shared.prepaid_left, shared.credit_left) == (0, 0)


@given(st.lists(st.integers(0, 1_000), min_size=2), st.integers(0, 10_000))
def test_allocate__rent__pays_the_oldest_first(amounts, paid):
    shared = allocate(_documents(*enumerate(amounts)), paid=paid)

    # Once a document is open, none behind it has got anything.
    numbers = sorted(shared.of)
    first_open = next((n for n in numbers if shared.of[n].open), numbers[-1])
    assert all(shared.of[n].paid == 0 for n in numbers if n > first_open)


def test_allocate__credit_note__lowers_its_own_month_before_an_older_one():
    documents = _documents((MARCH, 100), (APRIL, 80), (APRIL, -30))

    shared = allocate(documents, paid=120)

    assert shared == Allocation(
        {1: Settlement(0, 100, 0), 2: Settlement(30, 20, 30), 3: Settlement(0, 0, 0)}, 0, 0
    )


def test_allocate__credit_beyond_its_month__goes_to_what_is_open():
    shared = allocate(_documents((MARCH, 100), (APRIL, 10), (APRIL, -30)), paid=0)

    assert (shared.of[1], shared.of[2]) == (Settlement(20, 0, 80), Settlement(10, 0, 0))
    assert shared.credit_left == 0


def test_allocate__bill_paid_before_its_credit_note__leaves_the_rent_prepaid():
    """200 paid, 84 too much billed: 84 of the rent are for what comes; sent back, they are gone."""
    documents = _documents((MARCH, 200), (MARCH, -84))

    before, after = allocate(documents, paid=200), allocate(documents, paid=116)

    assert (before.of[1], before.prepaid_left) == (Settlement(84, 116, 0), 84)
    assert (after.of[1], after.prepaid_left) == (Settlement(84, 116, 0), 0)
