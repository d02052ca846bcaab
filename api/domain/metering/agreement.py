"""Whether a lease's next terms follow the last, and can be kept by their facility. No I/O."""

from api.domain.facility import FacilityTerms
from api.domain.metering.event_types import LeaseClosedEvent, LeaseEvent
from api.domain.metering.lease import Lease
from api.domain.metering.lease_terms import TermsVersion, check_terms_version
from api.domain.metering.names import Names
from api.errors import EventRejected, InvalidInput


def agreed(
    event: LeaseEvent, lease: Lease | None, *, facility: FacilityTerms, names: Names
) -> Lease:
    """The lease with the version that an event says; the same lease, if it says what is known.

    Args:    lease: of the event's code, None without one.
    Raises:  EventRejected.
    """
    if lease is None and isinstance(event, LeaseClosedEvent):
        raise EventRejected("lease_unknown", f"no lease {event.lease_id!r}", field="lease_id")
    try:
        terms = event.version_after(lease, names)
        if terms is None:
            assert lease is not None  # only what exists can be known
            return lease
        check_terms_version(terms)
        if lease is None:
            after = Lease(names.lease(event.lease_id), (terms,))
        else:
            after = lease.followed_by(terms)
    except InvalidInput as error:
        reason = str(error.context.get("reason", "terms_invalid"))
        raise EventRejected(reason, error.message) from error
    require_keepable(terms, facility)
    return after


def require_keepable(terms: TermsVersion, facility: FacilityTerms) -> None:
    """Refuse terms that their facility cannot keep. Raises EventRejected."""
    window = facility.window_start_s, facility.window_end_s
    if terms.version == 1 and terms.from_s >= window[1]:
        raise EventRejected("outside_window", "it begins behind the delivery window")
    if any(step.gpus > facility.device_count for step in terms.commitment):
        raise EventRejected("over_capacity", "more GPUs are committed than pledged")
    if any(not window[0] <= item.at_s <= window[1] for item in terms.fixed):
        raise EventRejected("outside_window", "a fixed item is outside the delivery window")
