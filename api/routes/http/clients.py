"""Who a client is, by its address, and what each path costs it."""

import re
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from api.errors import Misconfigured

Network = IPv4Network | IPv6Network
# A customer of a provider gets a /64 at least, and all of its addresses are one client.
# Source: RFC 6177 §2.
_ONE_CLIENT_BITS = 64
_UNKNOWN = "unknown"
# More hops than this are nobody's proxies.
_MOST_HOPS = 20
# What a request costs in reads. One is a page of rows by an index: some 5 ms of a processor, and
# the others as much more, by docs/BENCHMARKS.md, "What a stranger can take".
PAGE, READ, HEAVY, HEAVIEST = 0.2, 1.0, 5.0, 20.0
# By path; the first that fits. docs/OPERATE.md, "What callers may ask", says the same in words.
COSTS = (
    # The whole market or everything that a wallet holds, in one answer.
    (re.compile(r"/v1/tranches(\.csv)?|/v1/portfolio/.*"), HEAVIEST),
    # Sums over many rows; a wallet's signature, which a contract may have to judge.
    (re.compile(r"/v1/(reconciliation|facilities|attesters|session)"), HEAVY),
    (re.compile(r"/v1/tranches/[^/]+(/(holders|series|waterfall|documents))?"), HEAVY),
    # What goes through the books or the log of a facility, makes a document, or judges a body.
    (re.compile(r"/v1/console/.*(bills|preview|escrow).*|/v1/events.*"), HEAVY),
    (re.compile(r"/openapi\.json"), HEAVY),
    (re.compile(r"/v1/.*|/health"), READ),
)


def read_networks(text: str) -> tuple[Network, ...]:
    """Networks of a setting, with commas between them. Raises Misconfigured."""
    try:
        return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise Misconfigured(f"RENTROLL_TRUSTED_PROXIES: {error}") from error


def cost_of(path: str) -> float:
    """What a request to a path costs, in reads."""
    return next((cost for pattern, cost in COSTS if pattern.fullmatch(path)), PAGE)


def client_of(peer: str | None, *, forwarded: str, trusted: tuple[Network, ...]) -> str:
    """Name of the client: its address, or of IPv6 its /64.

    Args:    peer: who connected.  forwarded: X-Forwarded-For, to which each proxy appends who
             connected to it: only what proxies of ours appended is believed, from the right.
    """
    address = _address(peer)
    if address is None:
        return _UNKNOWN
    for hop in reversed(forwarded.split(",")[-_MOST_HOPS:]):
        found = _address(hop)
        if found is None or not any(address in network for network in trusted):
            break
        address = found
    if isinstance(address, IPv6Address):
        return str(ip_network((address, _ONE_CLIENT_BITS), strict=False))
    return str(address)


def _address(text: str | None) -> IPv4Address | IPv6Address | None:
    """An address as peers and proxies write it, some with a port; None of anything else."""
    text = (text or "").strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    # A socket for both versions shows IPv4 in IPv6's clothes.
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
