"""Settlement: what may be paid, and the waterfall (invariants 4 and 5)."""

from hypothesis import given
from hypothesis import strategies as st

from api.domain.settlement import (
    TrancheBook,
    TrancheSupply,
    coupon_per_unit_through,
    settle,
    settleable,
)

_MONEY = st.integers(0, 10**15)
_TRANCHES = st.lists(
    st.tuples(st.integers(0, 10**7), st.integers(0, 10**6)), min_size=1, max_size=4
)


@given(_MONEY, _MONEY, _MONEY)
def test_settleable__any_numbers__never_beyond_attested_or_collected(
    attested: int, collected: int, settled: int
) -> None:
    amount = settleable(attested=attested, collected=collected, settled=settled)

    assert amount >= 0
    if amount:
        assert settled + amount == min(attested, collected)


@given(
    _TRANCHES,
    st.lists(st.tuples(_MONEY, st.integers(0, 3)), min_size=1, max_size=8),
    st.integers(0, 1_000),
)
def test_settle__any_history__conserves_and_pays_seniors_first(
    terms: list[tuple[int, int]], steps: list[tuple[int, int]], fee_bps: int
) -> None:
    tranches = [TrancheSupply(coupon, supply) for coupon, supply in terms]
    books: tuple[TrancheBook, ...] = (TrancheBook(),) * len(tranches)
    epoch_count, epochs = 24, 0

    for amount, step in steps:
        done = settle(
            amount,
            fee_bps=fee_bps,
            tranches=tranches,
            books=books,
            from_epochs=epochs,
            to_epochs=epochs + step,
            epoch_count=epoch_count,
        )
        assert done.fee + sum(done.payments) == amount
        assert done.fee * 10_000 <= amount * fee_bps
        assert all(payment >= 0 for payment in done.payments)
        for seniority, book in enumerate(done.books[:-1]):
            assert book.paid <= book.coupon_due
            if book.paid < book.coupon_due:
                assert not any(done.payments[seniority + 1 :])
        books, epochs = done.books, epochs + step


@given(st.integers(0, 10**12), st.integers(1, 500), st.data())
def test_coupon__in_any_steps__adds_up_to_the_whole(
    coupon: int, epoch_count: int, data: st.DataObject
) -> None:
    cuts = [*sorted(data.draw(st.sets(st.integers(0, epoch_count)))), epoch_count]
    through = [coupon_per_unit_through(coupon, epochs=e, epoch_count=epoch_count) for e in cuts]

    assert through == sorted(through)
    assert through[-1] == coupon


def test_settle__100_dollars_two_tranches__by_hand() -> None:
    """1 % fee leaves 99. Senior: 50 units x 1.20 x 1/2 of the window = 30 due. Rest: 69."""
    tranches = [TrancheSupply(1_200_000, 50), TrancheSupply(0, 10)]

    done = settle(
        100_000_000,
        fee_bps=100,
        tranches=tranches,
        books=[TrancheBook(), TrancheBook()],
        from_epochs=0,
        to_epochs=1,
        epoch_count=2,
    )

    assert (done.fee, done.payments) == (1_000_000, (30_000_000, 69_000_000))


def test_settle__too_little__leaves_the_senior_behind_and_catches_up() -> None:
    tranches = [TrancheSupply(1_000, 10), TrancheSupply(0, 1)]
    more = {"fee_bps": 0, "tranches": tranches, "epoch_count": 1}

    first = settle(4_000, books=[TrancheBook()] * 2, from_epochs=0, to_epochs=1, **more)  # type: ignore[arg-type]
    second = settle(7_000, books=first.books, from_epochs=1, to_epochs=1, **more)  # type: ignore[arg-type]

    assert first.payments == (4_000, 0)
    assert second.payments == (6_000, 1_000)
