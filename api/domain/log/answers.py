"""Answers to the events of a request, as its entry holds them: one byte an event.

Numbers never change: an entry commits to them for ever.
"""

from collections.abc import Mapping
from typing import Final

# Recorded.
ACCEPTED: Final = 0
# The same is recorded under its identity.
DUPLICATE: Final = 1
# Nothing is recorded: it says of a lease what is agreed already.
KNOWN: Final = 2

REJECTED: Final[Mapping[str, int]] = {
    "malformed_event": 16,
    "duplicate_key": 17,
    "event_too_large": 18,
    "nested_too_deep": 19,
    "broken_text": 20,
    "bad_attribute": 21,
    "not_a_number": 22,
    "unknown_type": 23,
    "unknown_field": 24,
    "number_out_of_range": 25,
    "invalid_time": 26,
    "interval_empty": 27,
    "checksum_mismatch": 28,
    "id_conflict": 29,
    "facility_unknown": 30,
    "facility_closed": 31,
    "device_unknown": 32,
    "outside_pledge": 33,
    "pledge_fixed": 34,
    "gpu_class_mismatch": 35,
    "outside_window": 36,
    "in_the_future": 37,
    "sealed": 38,
    "overlap": 39,
    "outage_overlap": 40,
    "over_capacity": 41,
    "lease_unknown": 42,
    "lease_not_open": 43,
    "lease_exists": 44,
    "lease_closed": 45,
    "invalid_input": 46,
    "terms_invalid": 47,
    "terms_unsupported": 48,
    "allocation_unknown": 49,
    "allocation_ended": 50,
    "correction_target_unknown": 51,
    "not_correctable": 52,
    "already_voided": 53,
    "key_forbidden": 54,
    "signature_required": 55,
}
# Of an event that is recorded, or was.
TAKEN: Final = frozenset({ACCEPTED, DUPLICATE, KNOWN})
REASONS: Final[Mapping[int, str]] = {number: reason for reason, number in REJECTED.items()}


def answer_byte(status: str, code: str, *, known: bool) -> int:
    """The byte that a log holds of an answer as it is said over HTTP; -1 for one that is none.

    Args:    status: accepted, duplicate or rejected.  code: of a rejection.
             known: whether an accepted event says what is agreed already.
    """
    if status == "rejected":
        return REJECTED.get(code, -1)
    if status == "duplicate":
        return DUPLICATE
    if status != "accepted":
        return -1
    return KNOWN if known else ACCEPTED


def answer_says(byte: int, status: str, code: str, *, known: bool) -> bool:
    """Whether a byte of a log is what was said over HTTP.

    A newer service has reasons that this version does not know: a byte that it does not know either
    is one of them. Never is one taken for another that is known.
    """
    told = answer_byte(status, code, known=known)
    if told < 0:
        return byte not in TAKEN and byte not in REASONS
    return byte == told
