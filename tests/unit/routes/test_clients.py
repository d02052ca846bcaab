"""Who a client is, and what paths cost."""

import pytest
from fastapi.routing import APIRoute

from api.errors import Misconfigured
from api.main import _ROUTES
from api.routes.http.clients import COSTS, PAGE, READ, client_of, cost_of, read_networks

_OURS = read_networks("10.0.0.0/8, 2001:db8:ffff::/48")


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("198.51.100.7", "", "198.51.100.7"),
        ("198.51.100.7", "203.0.113.1", "198.51.100.7"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.1", "203.0.113.1"),
        ("10.0.0.1", "1.1.1.1,203.0.113.1", "203.0.113.1"),
        ("10.0.0.1", "1.1.1.1, 203.0.113.1 ,10.9.9.9", "203.0.113.1"),
        ("10.0.0.1", "203.0.113.1:8080", "203.0.113.1"),
        ("10.0.0.1", "[2001:db8:1::5]:443", "2001:db8:1::/64"),
        ("10.0.0.1", "10.0.0.2, 10.0.0.3", "10.0.0.2"),
        ("10.0.0.1", "203.0.113.1, unknown", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.1, , 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "_hidden, 10.0.0.4", "10.0.0.4"),
        ("::ffff:10.0.0.1", "::ffff:203.0.113.1", "203.0.113.1"),
        ("2001:db8:ffff::1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "", "fe80::/64"),
        ("testclient", "203.0.113.1", "unknown"),
        (None, "203.0.113.1", "unknown"),
        ("", "", "unknown"),
    ],
)
def test_client__peer_and_header__is_named(peer: str | None, forwarded: str, client: str) -> None:
    assert client_of(peer, forwarded=forwarded, trusted=_OURS) == client


def test_client__a_thousand_hops_of_ours__are_not_all_read() -> None:
    forwarded = "203.0.113.1," + ",".join(["10.0.0.9"] * 1_000)

    assert client_of("10.0.0.1", forwarded=forwarded, trusted=_OURS) == "10.0.0.9"


@pytest.mark.parametrize("text", ["localhost", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.1;10.0.0.2"])
def test_networks__not_readable__are_refused(text: str) -> None:
    with pytest.raises(Misconfigured, match="RENTROLL_TRUSTED_PROXIES"):
        read_networks(text)


def test_networks__none__is_nobody() -> None:
    assert read_networks(" , ") == ()


def test_costs__every_route_of_the_api__costs_a_read_at_least() -> None:
    routes = [r for part in _ROUTES for r in part.router.routes if isinstance(r, APIRoute)]
    paths = {r.path for r in routes} - {"/livez", "/readyz"}

    assert len(paths) > 50
    assert {path for path in paths if cost_of(path) < READ} == set()
    # A row of the table that no path meets says what is not so.
    assert all(any(pattern.fullmatch(path) for path in paths) for pattern, _ in COSTS[:-2])


@pytest.mark.parametrize("path", ["/", "/market", "/assets/index-1a2b.js", "/v1", "/v1.json"])
def test_costs__page_or_its_file__is_little(path: str) -> None:
    assert cost_of(path) == PAGE
