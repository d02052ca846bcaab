"""The waterfall: conservation, order of payment, and one example by hand."""

from hypothesis import given
from hypothesis import strategies as st

from api.domain.capital.settlement import (
    Settlement,
    TrancheBook,
    TrancheSupply,
    distribute,
    excess,
    settle,
    settleable,
)

_tranche = st.builds(TrancheSupply, st.integers(0, 10**7), st.integers(0, 10**5))
_amount = st.one_of(st.integers(0, 1_000), st.integers(0, 10**13))


def _books(tranches: list[TrancheSupply]) -> list[TrancheBook]:
    return [TrancheBook() for _ in tranches]


@given(st.lists(_tranche, min_size=1, max_size=4), st.lists(_amount, max_size=12), st.data())
def test_settle__any_history__conserves_and_keeps_the_order(
    tranches: list[TrancheSupply], amounts: list[int], data: st.DataObject
) -> None:
    """Invariant 5, ATTACKS 9, 10: nothing is lost, seniors come first, units are needed."""
    tranches[-1] = TrancheSupply(0, tranches[-1].supply)
    books, count = _books(tranches), len(amounts)
    for epoch, amount in enumerate(amounts):
        fee_bps = data.draw(st.integers(0, 1_000))
        if data.draw(st.booleans()):
            victim = data.draw(st.integers(0, len(tranches) - 1))
            kept = data.draw(st.integers(0, tranches[victim].supply))
            tranches[victim] = TrancheSupply(tranches[victim].coupon_per_unit, kept)

        result = settle(
            amount,
            fee_bps=fee_bps,
            tranches=tranches,
            books=books,
            from_epochs=epoch,
            to_epochs=epoch + 1,
            epoch_count=count,
        )

        assert result.fee + sum(result.payments) + result.to_gpu_operator == amount
        assert result.fee <= amount * fee_bps / 10_000
        assert (result.to_gpu_operator == 0) or not any(t.supply for t in tranches)
        _check_order(result, tranches)
        books = list(result.books)


def _check_order(result: Settlement, tranches: list[TrancheSupply]) -> None:
    for junior, payment in enumerate(result.payments):
        assert payment == 0 or tranches[junior].supply > 0
        if payment:
            assert all(result.books[senior].arrears == 0 for senior in range(junior))


@given(st.integers(1, 10**9), st.integers(1, 10**5), st.lists(st.integers(1, 5), min_size=1))
def test_coupon__any_steps__adds_up_to_the_whole(
    coupon: int, supply: int, steps: list[int]
) -> None:
    """ATTACKS 9: parts of a rounded-down cumulative add up; settling often changes nothing."""
    count, done, books = sum(steps), 0, [TrancheBook(), TrancheBook()]
    tranches = [TrancheSupply(coupon, supply), TrancheSupply(0, 1)]
    for step in steps:
        books = list(
            settle(
                0,
                fee_bps=0,
                tranches=tranches,
                books=books,
                from_epochs=done,
                to_epochs=done + step,
                epoch_count=count,
            ).books
        )
        done += step

    assert books[0].arrears == coupon * supply


def test_settle__arrears_of_two_epochs__by_hand() -> None:
    """10 units with a coupon of 100 over 4 epochs are behind 250 each epoch; fee 1 %."""
    tranches = [TrancheSupply(100, 10), TrancheSupply(0, 5)]

    first = settle(
        100,
        fee_bps=100,
        tranches=tranches,
        books=_books(tranches),
        from_epochs=0,
        to_epochs=1,
        epoch_count=4,
    )
    second = settle(
        1_000,
        fee_bps=100,
        tranches=tranches,
        books=first.books,
        from_epochs=1,
        to_epochs=2,
        epoch_count=4,
    )

    assert (first.fee, first.payments, first.books[0].arrears) == (1, (99, 0), 151)
    assert (second.fee, second.payments, second.books[0].arrears) == (10, (401, 589), 0)


def test_distribute__after_a_lean_epoch__pays_arrears_first_without_fee() -> None:
    tranches = [TrancheSupply(100, 10), TrancheSupply(0, 5)]

    result = distribute(200, tranches=tranches, books=[TrancheBook(151), TrancheBook()])

    assert (result.fee, result.payments) == (0, (151, 49))
    no_units = [TrancheSupply(100, 0), TrancheSupply(0, 0)]
    orphan = distribute(200, tranches=no_units, books=[TrancheBook(151), TrancheBook()])
    assert (orphan.payments, orphan.to_gpu_operator) == ((0, 0), 200)
    assert orphan.books[0].arrears == 0


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_settleable_and_excess__any__part_the_rent(attested: int, collected: int) -> None:
    """Invariant 4, ATTACKS 25: rent is settleable or excess, never both."""
    due = settleable(attested=attested, collected=collected, settled=0)

    assert due + excess(posted=attested, collected=collected) == collected
    assert due <= attested
