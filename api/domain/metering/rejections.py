"""Why an event is rejected: every code that an answer can carry, with its sentence.

The one place of the list; `POST /v1/events` prints it in the OpenAPI document, and a test holds
it against every `EventRejected` in the source.
"""

from collections.abc import Mapping

REJECTIONS: Mapping[str, str] = {
    # The event itself.
    "malformed_event": "A field is missing or not of its type; nothing is coerced.",
    "duplicate_key": "The event's JSON names a key twice.",
    "event_too_large": "The event is larger than 64 KiB as compact JSON.",
    "nested_too_deep": "The event is nested deeper than 12 levels.",
    "broken_text": "A text of the event holds half of a surrogate pair, which no UTF-8 can carry.",
    "bad_attribute": "An extension attribute is no short text, boolean or 32-bit integer, or there"
    " are too many.",
    "not_a_number": "The event holds NaN, Infinity or a number that no double holds.",
    "unknown_type": "The event type is none of ours.",
    "unknown_field": "`data` has a field that its type does not know, or an attribute is misspelt.",
    "number_out_of_range": "A number is outside its bounds, such as DCGM's blank.",
    "invalid_time": "A time is not RFC 3339 with an explicit offset and whole seconds.",
    "interval_empty": "The interval ends at or before its start.",
    "checksum_mismatch": "`gpu_seconds` is not the length of the interval.",
    "id_conflict": "This `source` and `id` already bill something else; both are kept.",
    # Where it belongs.
    "facility_unknown": "The facility is not one of the caller's.",
    "facility_closed": "The facility's books are closed: its closing statement is made.",
    "device_unknown": "The device is not pledged to the facility.",
    "outside_pledge": "The device is not pledged throughout the interval: it was replaced, or comes"
    " later.",
    "pledge_fixed": "Attesters approve a facility's devices: no collector adds one.",
    "gpu_class_mismatch": "The facility holds another GPU class.",
    "outside_window": "The interval is outside the facility's delivery window.",
    "in_the_future": "The interval ends more than 5 minutes in the future.",
    "sealed": "The month of the event is sealed: only an adjustment can still be made.",
    # What is already taken.
    "overlap": "The device is already in use in the interval.",
    "outage_overlap": "An outage is known in the interval, or a delivery is, which is no outage.",
    "over_capacity": "The lease would use more GPUs at once than it covers, or commit more than"
    " the facility has.",
    # Leases.
    "lease_unknown": "The facility has no such lease.",
    "lease_not_open": "The lease does not run throughout the interval.",
    "lease_exists": "The lease exists with other terms.",
    "lease_closed": "The lease would close before it opened.",
    "invalid_input": "The terms of the lease contradict each other.",
    "terms_invalid": "The version of a lease's terms contradicts itself, or does not follow the one"
    " before.",
    "terms_unsupported": "The terms say what no component of ours does, such as tax or a billing"
    " increment.",
    # Allocations.
    "allocation_unknown": "No such allocation was opened in the facility.",
    "allocation_ended": "The end of the allocation is known.",
    # Corrections.
    "correction_target_unknown": "There is no such event of this operator in the facility.",
    "not_correctable": "Only usage, allocations, outages, and deliveries that are in no statement"
    " yet, can be taken back.",
    "already_voided": "The event is already voided.",
}
