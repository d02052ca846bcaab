"""Answers to the events of an entry, a byte each: what a receipt says of them.

They follow from the entries before, the entry's second and its body alone, so that whoever has the
log can recompute them. Numbers never change; new codes come at the end.
"""

from collections.abc import Mapping

ACCEPTED = 0
DUPLICATE = 1
# Accepted, and it said what was known: a lease that was opened so before.
KNOWN = 2
_FIRST_CODE = 16

# Codes of rejections in the order of their numbers.
_CODES = (
    *("malformed_event", "duplicate_key", "event_too_large", "nested_too_deep", "broken_text"),
    *("bad_attribute", "not_a_number", "unknown_type", "unknown_field", "number_out_of_range"),
    *("invalid_time", "interval_empty", "checksum_mismatch", "id_conflict", "facility_unknown"),
    *("facility_closed", "device_unknown", "outside_pledge", "pledge_fixed", "gpu_class_mismatch"),
    *("outside_window", "in_the_future", "sealed", "overlap", "outage_overlap", "over_capacity"),
    *("lease_unknown", "lease_not_open", "lease_exists", "lease_closed", "invalid_input"),
    *("terms_invalid", "terms_unsupported", "allocation_unknown", "allocation_ended"),
    *("correction_target_unknown", "not_correctable", "already_voided"),
)
REJECTED: Mapping[str, int] = {code: _FIRST_CODE + i for i, code in enumerate(_CODES)}
_NAMES = {number: code for code, number in REJECTED.items()}


def answer_name(answer: int) -> str:
    """`accepted`, `duplicate`, `known`, or the code of a rejection; `answer 99` for no answer."""
    known = {ACCEPTED: "accepted", DUPLICATE: "duplicate", KNOWN: "known"}
    return known.get(answer) or _NAMES.get(answer) or f"answer {answer}"
