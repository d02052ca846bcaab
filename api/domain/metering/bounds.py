"""Where an interval that an event speaks of may lie: window, pledge of its device, and clock."""

from api.domain.facility import FacilityTerms
from api.domain.metering.instants import format_instant, format_span
from api.domain.metering.intervals import Span
from api.domain.roster import Roster
from api.domain.units import Bytes32
from api.errors import EventRejected

MAX_FUTURE_S = 5 * 60


def recorded_from_s(start_s: int) -> int:
    """Earliest recorded time of an interval that begins at a second or later."""
    # It ends no earlier than it begins, and no more than so far ahead.
    return start_s - MAX_FUTURE_S


def require_inside(terms: FacilityTerms, span: Span, *, recorded_at_s: int) -> None:
    """Refuse an interval outside of the window, or one that ends ahead. Raises EventRejected."""
    start_s, end_s = span
    if not (terms.window_start_s <= start_s and end_s <= terms.window_end_s):
        raise EventRejected(
            "outside_window",
            "interval is outside the delivery window"
            f" {format_span((terms.window_start_s, terms.window_end_s))}",
        )
    if end_s > recorded_at_s + MAX_FUTURE_S:
        raise EventRejected("in_the_future", "interval ends more than 5 minutes in the future")


def require_pledged(roster: Roster, device: Bytes32, span: Span) -> None:
    """Refuse time in which a device is not pledged: as a whole, as behind the window's end.

    Of an interval over a replacement one part is wrong, and only its collector knows what the card
    did: nothing is taken of it, and the message says where to cut.
    Raises:  EventRejected.
    """
    since_s = roster.uncovered_s(device, start_s=span[0], end_s=span[1])
    if since_s is None:
        return
    bounds = map(format_span, roster.spans(device))
    message = (
        f"device is not pledged at {format_instant(since_s)}, but from {', '.join(bounds)}:"
        " a replacement takes effect at the start of an epoch"
    )
    raise EventRejected("outside_pledge", message)
