"""The closing: the deal's table to the micro, an exact model beside it, and what nobody gains."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.domain.capital.closing import (
    SERVING_S,
    Shares,
    closable_from_s,
    missing_gpu_seconds,
    share_late,
    voucher_share,
)
from api.domain.units import BPS
from tests.unit.capital import deal_rows as deal
from tests.unit.capital.deal_rows import Row
from tests.unit.capital.exact_deal import Epoch, Exact, Part, Story
from tests.unit.capital.played import Played

HOUR_S, DAY_S = 3_600, 86_400
# Each step of a history rounds by a few minor units: an epoch, the closing, late rent.
ROUNDING = 16


def _story(row: Row) -> Story:
    """A row of the table, its vouchers issued before the window and never served."""
    caps, prices = deal.CAPS, deal.UNIT_PRICES
    senior_s = row.burned * HOUR_S * deal.COUPON // deal.RATE
    parts = (
        Part(
            row.bought[0] - row.burned,
            caps[0] - row.bought[0],
            prices[0],
            deal.COUPON,
            senior_s,
            row.burned * HOUR_S,
        ),
        Part(row.bought[1], caps[1] - row.bought[1], prices[1], 0),
    )
    unpaid = row.paid_late or row.never_paid
    return Story(
        parts,
        [
            Epoch(hours * HOUR_S, rent, 0 if unpaid else rent)
            for hours, rent in zip(row.hours, row.rents, strict=True)
        ],
        deal.EPOCHS if row.published else 0,
        deal.EPOCHS,
        deal.GPUS * deal.EPOCH_S * row.promised_ppm // 1_000_000,
        deal.RATE,
        Fraction(0),
        Fraction(deal.UP_FRONT_BPS, BPS),
        row.bond,
        sum(n * price for n, price in zip(row.bought, prices, strict=True)),
    )


@pytest.mark.parametrize("row", deal.ROWS, ids=lambda row: row.name)
def test_close__rows_of_the_deal__to_the_micro(row: Row) -> None:
    """Evidence published once a facility has ended counts for nothing: tests/contracts shows it."""
    story = _story(row)
    played, exact = Played(story), Exact(story)
    exact.close()
    if row.paid_late:
        played.late(played.billed)
        exact.late(played.billed)

    assert (played.units, played.operator) == ([row.senior, row.junior], row.gpu_operator)
    assert played.vouchers == [row.vouchers, 0]
    assert (exact.piles.units, exact.piles.operator) == (played.units, played.operator)


@st.composite
def _stories(draw: st.DrawFn) -> Story:
    """Any facility: coupons that divide by epochs, prices up to the coupon."""
    epochs, seconds = draw(st.integers(1, 5)), draw(st.integers(0, 400_000))
    count = draw(st.integers(1, 4))
    rate = draw(st.integers(1, 5_000_000))
    parts = []
    for i in range(count):
        last = i + 1 == count
        coupon = 0 if last else draw(st.integers(1, 600_000)) * epochs
        bought, unsold = draw(st.integers(0, 30)), draw(st.integers(0, 30))
        price = draw(st.integers(1, 3_000_000 if last else coupon))
        burned = draw(st.integers(0, bought))
        owed_s = burned * HOUR_S if last else burned * HOUR_S * min(rate, coupon) // rate
        open_s = draw(st.integers(0, owed_s))
        worth_s = burned * HOUR_S * open_s // owed_s if owed_s else 0
        part = Part(bought - burned, unsold, price, coupon, open_s, worth_s, owed_s - open_s)
        parts.append((part, bought))
    stated = draw(st.integers(0, epochs))
    sold = draw(st.booleans())
    proceeds = sum(part.price * bought for part, bought in parts) if sold else 0
    return Story(
        [part for part, _ in parts],
        _epochs(draw, stated, seconds, rate),
        draw(st.integers(0, epochs - stated)),
        epochs,
        seconds + 1,
        rate,
        Fraction(draw(st.sampled_from([0, 1, 100, 1_000])), BPS),
        Fraction(draw(st.integers(0, BPS)), BPS),
        draw(st.integers(0, 300_000_000)),
        proceeds,
        draw(st.integers(0, proceeds)) if draw(st.booleans()) else 0,
    )


def _epochs(draw: st.DrawFn, count: int, seconds: int, rate: int) -> list[Epoch]:
    """Stated epochs: some hours, any rent, of which what is collected so far is paid."""
    epochs, owed = [], 0
    for _ in range(count):
        there_s = draw(st.integers(0, 2 * seconds))
        billed = draw(st.sampled_from([there_s * rate // HOUR_S, 0, 40_000_001]))
        owed += billed
        paid = draw(st.sampled_from([owed, owed // 3, 0]))
        owed -= paid
        epochs.append(Epoch(there_s, billed, paid))
    return epochs


@given(_stories(), st.integers(0, 10**9), st.integers(0, 10**9))
def test_close__any_history__is_the_exact_deal_but_for_rounding(
    story: Story, early: int, late: int
) -> None:
    played, exact = Played(story), Exact(story)
    exact.close()
    _check_same(played, exact)
    owed = played.billed - played.collected
    early = min(early, owed)
    for amount in (early, min(late, owed - early)):
        played.late(amount)
        exact.late(amount)
        _check_same(played, exact)


def _check_same(played: Played, exact: Exact) -> None:
    pairs = [
        *zip(played.units, exact.piles.units, strict=True),
        *zip(played.vouchers, exact.piles.vouchers, strict=True),
        *zip(played.claims.units, exact.demand.units, strict=True),
        *zip(played.claims.vouchers, exact.demand.vouchers, strict=True),
        (played.treasury, exact.piles.treasury),
        (played.operator, exact.piles.operator),
        (played.claims.treasury, exact.demand.treasury),
    ]
    assert max(abs(ours - theirs) for ours, theirs in pairs) < ROUNDING


@given(_stories(), st.integers(0, 10**9))
def test_close__any_history__shares_everything(story: Story, late: int) -> None:
    """ATTACKS 9: bond, proceeds and rent come out to the last minor unit, and nothing else."""
    played = Played(story)
    closing = played.closing
    escrow = story.proceeds - max(story.released, _kept(story)) if story.proceeds else 0

    assert story.bond + escrow == closing.advance.amount + closing.paid.total
    assert min((*closing.paid.units, *closing.paid.vouchers, closing.paid.gpu_operator)) >= 0
    rent = sum(epoch.paid for epoch in story.stated)
    assert played.total == rent + story.bond + story.proceeds

    late = min(late, played.billed - rent)
    played.late(late)

    assert played.total == rent + late + story.bond + story.proceeds


def _kept(story: Story) -> int:
    up_front = int(story.proceeds * story.up_front)
    stated_s = story.promise_s * len(story.stated)
    there_s = min(stated_s, sum(epoch.there_s for epoch in story.stated))
    return up_front + (story.proceeds - up_front) * there_s // (story.promise_s * story.epochs)


def _delivering(story: Story, hours: list[int]) -> Story:
    """The same facility with other epochs, all at the rate and paid at once."""
    rents = [there_s * story.rate // HOUR_S for there_s in hours]
    stated = [Epoch(s, rent, rent) for s, rent in zip(hours, rents, strict=True)]
    return replace(story, stated=stated, published=0, released=0)


@given(_stories(), st.data())
def test_close__hours_more__never_cost_the_operator(story: Story, data: st.DataObject) -> None:
    """Rule 1 of the deal, for every mix of bought units and every bond: what is delivered and
    stated is worth it, in an epoch that was stated already and in one that was not."""
    hours = st.integers(0, 2 * story.promise_s)
    before = data.draw(st.lists(hours, max_size=story.epochs))
    place = data.draw(st.integers(0, min(len(before), story.epochs - 1)))
    least = before[place] if place < len(before) else 0
    more = data.draw(st.integers(least, 2 * story.promise_s))
    after = [*before[:place], more, *before[place + 1 :]]

    lazy, busy = (Played(_delivering(story, hours)) for hours in (before, after))

    assert busy.operator + ROUNDING >= lazy.operator


@given(_stories(), st.data())
def test_close__published_epochs__never_pay_more_than_stated_ones(
    story: Story, data: st.DataObject
) -> None:
    """Rule 8: published and unsigned is no default, and earns no proceeds."""
    hours = [story.promise_s] * data.draw(st.integers(0, story.epochs))
    stated = data.draw(st.integers(0, len(hours)))
    signed = _delivering(story, hours)
    silent = replace(_delivering(story, hours[:stated]), published=len(hours) - stated)

    assert Played(silent).operator <= Played(signed).operator + ROUNDING


@given(_stories(), st.integers(0, 10**9), st.integers(0, 10**9))
def test_share_late__any_rent__pays_claims_by_rank_then_the_rest(
    story: Story, amount: int, more: int
) -> None:
    """Rule 4e: in two parts as at once, but for rounding; nobody after the operator."""
    claims = Played(story).claims

    shares, left, rent = share_late(amount, claims)
    second, _, _ = share_late(more, left)

    assert (shares.total, rent) == (amount, 0)
    _check_ranks(shares, left)
    at_once, left_at_once, _ = share_late(amount + more, claims)
    together = [a + b for a, b in zip(_flat(shares), _flat(second), strict=True)]
    gaps = [abs(a - b) for a, b in zip(together, _flat(at_once), strict=True)]
    assert max(gaps) <= 2
    assert [a + b for a, b in zip(_flat(at_once)[:-1], _flat(left_at_once)[:-1], strict=True)] == (
        _flat(claims)[:-1]
    )


@st.composite
def _leases(draw: st.DrawFn) -> tuple[Story, Story]:
    """A facility whose hours are rented at the bond's rate or above, paid or not, and the same with
    a made-up lease more in one statement."""
    story = draw(_stories().filter(_fully_rented))
    place = draw(st.integers(0, len(story.stated) - 1))
    epoch = story.stated[place]
    more = replace(epoch, billed=epoch.billed + draw(st.integers(1, 10**15)))
    return story, replace(story, stated=[*story.stated[:place], more, *story.stated[place + 1 :]])


def _fully_rented(story: Story) -> bool:
    there_s = sum(epoch.there_s for epoch in story.stated)
    billed = sum(epoch.billed for epoch in story.stated)
    return len(story.stated) > 0 and billed >= there_s * story.rate // HOUR_S


@given(_leases())
def test_close__made_up_lease_that_nobody_pays__takes_nothing_from_seniors(
    stories: tuple[Story, Story],
) -> None:
    honest, made_up = map(Played, stories)

    assert made_up.units[0] + ROUNDING >= honest.units[0]


@given(_leases())
def test_close__made_up_lease_that_nobody_pays__gives_the_operator_nothing(
    stories: tuple[Story, Story],
) -> None:
    honest, made_up = map(Played, stories)

    assert made_up.operator <= honest.operator + ROUNDING


@given(_leases(), st.lists(st.integers(0, 10**9), max_size=4))
def test_late__made_up_lease_that_is_paid__seniors_get_their_coupon_at_most(
    stories: tuple[Story, Story], amounts: list[int]
) -> None:
    made_up = Played(stories[1])
    for amount in amounts:
        made_up.late(min(amount, made_up.billed - made_up.collected))

    for part, paid in zip(made_up.story.parts[:-1], made_up.units, strict=False):
        assert paid <= part.live * part.coupon + ROUNDING


def _flat(shares: Shares) -> list[int]:
    return [*shares.units, *shares.vouchers, shares.treasury, shares.gpu_operator]


def _check_ranks(shares: Shares, left: Shares) -> None:
    for rank, (units, vouchers) in enumerate(zip(left.units, left.vouchers, strict=True)):
        if units + vouchers:
            assert sum(shares.units[rank + 1 :]) + sum(shares.vouchers[rank + 1 :]) == 0
            assert shares.treasury == shares.gpu_operator == 0
    if left.treasury:
        assert shares.gpu_operator == 0


def test_share_late__by_hand() -> None:
    """Three to one inside a rank, the odd unit to the voucher; then the fee, then the operator."""
    claims = Shares((300, 50), (100, 0), treasury=7)

    lean, left, _ = share_late(203, claims)
    rich, nothing, _ = share_late(300, left)

    assert lean == Shares((152, 0), (51, 0))
    assert left == Shares((148, 50), (49, 0), 7)
    assert rich == Shares((148, 50), (49, 0), 7, 46)
    assert nothing == Shares((0, 0), (0, 0))


def test_share_late__further_by_hand__claims_first_and_the_rest_is_rent() -> None:
    """It pays no fee of missing hours: what claims leave is rent, which bears a fee of its own."""
    claims = Shares((300, 50), (100, 0), treasury=7)

    paid, left, rent = share_late(203, claims, further=300)

    assert (paid, left, rent) == (Shares((300, 50), (100, 0)), Shares((0, 0), (0, 0), 7), 53)


def test_missing_gpu_seconds__surplus_of_stated_epochs__makes_good_no_dark_one() -> None:
    known = {"promised_stated": 100, "promised_known": 150, "promised_all": 400}

    assert missing_gpu_seconds(available=70, **known) == 30 + 250
    assert missing_gpu_seconds(available=999, **known) == 250


def test_closable_from__each_ending__to_the_second() -> None:
    """A day after the last posting could come and is final; after maturity a day."""
    ended = {"ended_at_s": 1_000_000, "epoch_length_s": HOUR_S}

    def of(*, matured: bool = False, voided_at_s: int = 0, last_final_at_s: int = 0) -> int:
        times = {"voided_at_s": voided_at_s, "last_final_at_s": last_final_at_s}
        return closable_from_s(matured=matured, **ended, **times)

    last_word_s = 1_000_000 + HOUR_S + DAY_S
    assert of(matured=True, last_final_at_s=900_000) == 1_000_000 + DAY_S
    assert of() == last_word_s + SERVING_S
    assert of(voided_at_s=900_000) == last_word_s + SERVING_S
    assert of(voided_at_s=1_000_050) == last_word_s + 50 + SERVING_S
    assert of(voided_at_s=2**40) == last_word_s + 30 * DAY_S + SERVING_S
    assert of(last_final_at_s=last_word_s + 600) == last_word_s + 600 + SERVING_S


@given(st.integers(0, 10**12), st.lists(st.integers(0, 10**6), min_size=1, max_size=6))
def test_voucher_share__all_vouchers__get_the_pool_but_for_rounding(
    pool: int, opened: list[int]
) -> None:
    whole = sum(opened)
    # A pool is filled only for open vouchers.
    pool = pool if whole else 0

    shares = [voucher_share(pool, open_gpu_seconds=s, all_open_gpu_seconds=whole) for s in opened]

    assert 0 <= pool - sum(shares) < len(opened)
    assert all(share == 0 for share, s in zip(shares, opened, strict=True) if s == 0)
