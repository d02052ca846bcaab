"""Our own site: where its pages live, and requests that a page of another site makes."""

from api.access.siwe import Origin, origin_of
from api.errors import CsrfRefused, Misconfigured

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def own_origin(*, public_url: str | None, asked_url: str) -> Origin:
    """Where our pages live: the setting, or the URL that was asked for on this machine.

    Anywhere else a Host header proves nothing: a site that relays its visitors' signatures
    would name itself in it. Raises Misconfigured.
    """
    if public_url is not None:
        origin = origin_of(public_url)
    else:
        asked = origin_of(asked_url)
        origin = asked if asked is not None and asked.host in _LOOPBACK else None
    if origin is None:
        raise Misconfigured("set RENTROLL_PUBLIC_URL to where this service is reached")
    return origin


def require_own_site(own: Origin, *, sent: str) -> None:
    """Refuse a request whose `Origin` header names another site than ours. Raises CsrfRefused."""
    if origin_of(sent) != own:
        raise CsrfRefused("the request comes from another site's page")
