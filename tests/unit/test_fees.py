"""What is offered for gas: enough for nodes, never above the caps."""

from hypothesis import given
from hypothesis import strategies as st

from api.domain.fees import Caps, Fee, Prices, first_fee, market_price, raised, replacing_fee

GWEI = 10**9
wei = st.integers(0, 2_000 * GWEI)
prices = st.builds(Prices, base_fee=st.none() | wei, tip=wei)
caps = st.builds(Caps, max_fee=st.integers(1, 1_000 * GWEI), times_market=st.integers(1, 20))


@given(prices, wei, caps)
def test_first_fee__any_market__is_within_the_cap(now: Prices, floor: int, limits: Caps) -> None:
    fee = first_fee(now, floor=floor, caps=limits)

    assert 0 < fee.tip <= fee.max_fee <= limits.max_fee


def test_first_fee__room_for_rising_base_fee_and_the_tip_that_nodes_want() -> None:
    limits = Caps(1_000 * GWEI, 10)

    assert first_fee(Prices(20 * GWEI, GWEI), floor=0, caps=limits) == Fee(41 * GWEI, GWEI)
    assert first_fee(Prices(1, 0), floor=25 * GWEI, caps=limits) == Fee(25 * GWEI + 2, 25 * GWEI)
    # A rollup's fees, of which a fixed tip of a gwei would be a hundred times too much.
    assert first_fee(Prices(5_000_000, 1_000), floor=0, caps=limits) == Fee(10_001_000, 1_000)
    # One price where there is no EIP-1559.
    assert first_fee(Prices(None, 3 * GWEI), floor=0, caps=limits) == Fee(3 * GWEI, 3 * GWEI)


@given(prices, wei, caps, st.integers(1, 1_000 * GWEI), st.data())
def test_replacing_fee__any_offer__is_taken_by_nodes_and_within_caps(
    now: Prices, floor: int, limits: Caps, max_fee: int, data: st.DataObject
) -> None:
    old = Fee(max_fee, data.draw(st.integers(1, max_fee)))

    fee = replacing_fee(old, now, floor=floor, caps=limits)

    if fee is not None:
        assert 10 * fee.max_fee >= 11 * old.max_fee
        assert 10 * fee.tip >= 11 * old.tip
        assert fee.tip <= fee.max_fee <= limits.max_fee


def test_replacing_fee__bidding_against_nobody__ends_at_a_multiple_of_the_market() -> None:
    """A transaction that is stuck for another reason must not climb for ever."""
    now, limits = Prices(10 * GWEI, GWEI), Caps(1_000 * GWEI, 10)
    fee, offered = first_fee(now, floor=0, caps=limits), 0
    while (more := replacing_fee(fee, now, floor=0, caps=limits)) is not None:
        fee, offered = more, offered + 1

    assert offered > 5
    assert fee.max_fee <= 10 * market_price(now)
    assert market_price(Prices(None, 7)) == 7


@given(st.integers(1, 10**18))
def test_raised__any_fee__is_an_eighth_more(fee: int) -> None:
    assert 8 * raised(fee) >= 9 * fee
    assert raised(fee) - fee <= fee // 8 + 1
