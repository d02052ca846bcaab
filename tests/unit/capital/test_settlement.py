"""The waterfall: conservation, order of payment, and one example by hand."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from api.domain.capital.settlement import (
    Settlement,
    TrancheBook,
    TrancheSupply,
    excess,
    fee_on,
    settle,
    settleable,
    waterfall,
)

_tranche = st.builds(
    TrancheSupply, st.integers(1, 10**7), st.integers(0, 10**5), st.integers(0, 10**5)
)
_amount = st.one_of(st.integers(0, 1_000), st.integers(0, 10**13))


def _books(tranches: list[TrancheSupply]) -> list[TrancheBook]:
    return [TrancheBook() for _ in tranches]


@given(st.lists(_tranche, min_size=1, max_size=4), st.lists(_amount, max_size=12), st.data())
def test_settle__any_history__conserves_and_keeps_the_order(
    tranches: list[TrancheSupply], amounts: list[int], data: st.DataObject
) -> None:
    """Invariant 5, ATTACKS 9, 10: nothing is lost, seniors come first, units are needed."""
    tranches[-1] = replace(tranches[-1], coupon_per_unit=0)
    books, count, settled, fees = _books(tranches), len(amounts), 0, 0
    fee_bps = data.draw(st.integers(0, 1_000))
    for epoch, amount in enumerate(amounts):
        if data.draw(st.booleans()):
            victim = data.draw(st.integers(0, len(tranches) - 1))
            kept = data.draw(st.integers(0, tranches[victim].supply))
            tranches[victim] = replace(tranches[victim], supply=kept)

        result = settle(
            amount,
            fee_bps=fee_bps,
            settled=settled,
            tranches=tranches,
            books=books,
            from_epochs=epoch,
            to_epochs=epoch + 1,
            epoch_count=count,
        )

        assert result.fee + sum(result.payments) + result.to_gpu_operator == amount
        settled, fees = settled + amount, fees + result.fee
        assert fees == settled * fee_bps // 10_000
        sold_out = all(t.supply and not t.unsold for t in tranches)
        assert (result.to_gpu_operator == 0) or not sold_out
        _check_order(result, tranches)
        books = list(result.books)


def _check_order(result: Settlement, tranches: list[TrancheSupply]) -> None:
    for junior, payment in enumerate(result.payments):
        assert payment == 0 or tranches[junior].supply > 0
        if payment:
            seniors = result.books[:junior]
            assert all(book.arrears == book.unsold_arrears == 0 for book in seniors)


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
                settled=0,
                tranches=tranches,
                books=books,
                from_epochs=done,
                to_epochs=done + step,
                epoch_count=count,
            ).books
        )
        done += step

    assert books[0].arrears == coupon * supply


def _settle(amount: int, tranches: list[TrancheSupply], epoch: int, **changes: Any) -> Settlement:
    """One epoch of four; fee 1 %."""
    given = {"fee_bps": 100, "settled": 0, "books": _books(tranches), **changes}
    return settle(
        amount,
        tranches=tranches,
        from_epochs=epoch,
        to_epochs=epoch + 1,
        epoch_count=4,
        **given,
    )


def test_settle__arrears_of_two_epochs__by_hand() -> None:
    """10 units with a coupon of 100 over 4 epochs are behind 250 each epoch; fee 1 %."""
    tranches = [TrancheSupply(100, 10), TrancheSupply(0, 5)]

    first = _settle(100, tranches, 0)
    second = _settle(1_000, tranches, 1, settled=100, books=first.books)

    assert (first.fee, first.payments, first.books[0].arrears) == (1, (99, 0), 151)
    assert (second.fee, second.payments, second.books[0].arrears) == (10, (401, 589), 0)


def test_settle__half_of_the_units_burned__half_of_their_arrears_lapse() -> None:
    first = _settle(0, [TrancheSupply(100, 10), TrancheSupply(0, 5)], 0)

    second = _settle(1_000, [TrancheSupply(100, 5), TrancheSupply(0, 5)], 1, books=first.books)

    assert first.books[0] == TrancheBook(250, 0, 10)
    assert second.payments == (250 // 2 + 5 * 25, 990 - 250)


def test_settle__unsold_units__rank_behind_the_bought_and_share_the_residual() -> None:
    """Bought seniors 250, unsold ones 50, and 2 of 5 juniors unsold; what is unsold is the
    operator's."""
    tranches = [TrancheSupply(100, 10, 2), TrancheSupply(0, 3, 2)]

    lean = _settle(260, tranches, 0, fee_bps=0)
    rich = _settle(1_000, tranches, 1, fee_bps=0, books=lean.books)

    assert (lean.payments, lean.to_gpu_operator) == ((250, 0), 10)
    assert lean.books[0] == TrancheBook(0, 40, 10)
    residual = 1_000 - 250 - (40 + 50)
    assert rich.payments == (250, residual * 3 // 5)
    assert rich.to_gpu_operator == 90 + residual * 2 // 5


def test_settle__many_small_ones__pay_the_fee_of_a_large_one() -> None:
    """Twenty times 99 once paid nothing."""
    fees = [_settle(99, [TrancheSupply(0, 1)], 0, settled=99 * n).fee for n in range(20)]

    assert sum(fees) == 20 * 99 // 100


def test_waterfall__nobody_to_pay__is_the_operators() -> None:
    """A tranche without units gets nothing, and a unit that is not there no residual."""
    due = [TrancheBook(), TrancheBook()]

    nobody = waterfall(200, due=due, last=TrancheSupply(0, 0))
    unsold = waterfall(200, due=[TrancheBook(0, 40), TrancheBook()], last=TrancheSupply(0, 0, 5))

    assert nobody == ((0, 0), (TrancheBook(), TrancheBook()), 200)
    assert unsold == ((0, 0), (TrancheBook(), TrancheBook()), 200)


@given(_amount, _amount, st.integers(0, 1_000))
def test_fee_on__two_payments__is_that_of_one(first: int, second: int, fee_bps: int) -> None:
    fees = [
        fee_on(first, settled=0, fee_bps=fee_bps),
        fee_on(second, settled=first, fee_bps=fee_bps),
    ]

    assert sum(fees) == fee_on(first + second, settled=0, fee_bps=fee_bps)


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_settleable_and_excess__any__part_the_rent(attested: int, collected: int) -> None:
    """Invariant 4, ATTACKS 25: rent is settleable or excess, never both."""
    due = settleable(attested=attested, collected=collected, settled=0)

    assert due + excess(posted=attested, collected=collected) == collected
    assert due <= attested
