"""What a transaction offers for its gas, and what its replacement does, within limits."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Prices:
    """What the chain asks now, in wei per gas. base_fee: None on a chain without EIP-1559."""

    base_fee: int | None
    tip: int


@dataclass(frozen=True, slots=True)
class Fee:
    """What a transaction offers, in wei per gas; equal where the chain knows one price only."""

    max_fee: int
    tip: int


@dataclass(frozen=True, slots=True)
class Caps:
    """Limits of what is offered. max_fee: wei per gas. times_market: of what the chain asks."""

    max_fee: int
    times_market: int


def first_fee(prices: Prices, *, floor: int, caps: Caps) -> Fee:
    """What a new transaction offers: room for six full blocks, under the cap.

    Args:    floor: lowest tip that nodes were seen to take.
    """
    tip = max(prices.tip, floor, 1)
    if prices.base_fee is None:
        price = min(tip, caps.max_fee)
        return Fee(price, price)
    max_fee = min(2 * prices.base_fee + tip, caps.max_fee)
    return Fee(max_fee, min(tip, max_fee))


def raised(fee: int) -> int:
    """An eighth more: nodes take a replacement only if both fees rise by a tenth."""
    return -(-fee * 9 // 8)


def replacing_fee(old: Fee, prices: Prices, *, floor: int, caps: Caps) -> Fee | None:
    """What a replacement offers; None where the caps leave no room for what nodes would take."""
    wanted = first_fee(prices, floor=floor, caps=caps)
    max_fee, tip = max(wanted.max_fee, raised(old.max_fee)), max(wanted.tip, raised(old.tip))
    # Never below what a first offer may be: there the market itself is the limit.
    most = min(caps.max_fee, max(caps.times_market * market_price(prices), wanted.max_fee))
    max_fee = max(max_fee, tip)
    return None if max_fee > most else Fee(max_fee, tip)


def market_price(prices: Prices) -> int:
    """What a gas costs now."""
    return (prices.base_fee or 0) + prices.tip
