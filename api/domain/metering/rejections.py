"""Why an event is rejected: every code that an answer can carry, with its sentence.

The one place of the list; `POST /v1/events` prints it in the OpenAPI document, and a test holds
it against every `EventRejected` in the source.
"""

from collections.abc import Mapping

REJECTIONS: Mapping[str, str] = {
    # The event itself.
    "malformed_event": "A field is missing or not of its type; nothing is coerced.",
    "duplicate_key": "The event's JSON names a key twice.",
    "not_a_number": "The event holds NaN, Infinity or a number that no double holds.",
    "unknown_type": "The event type is none of ours.",
    "unknown_field": "`data` has a field that its type does not know, or an attribute is misspelt.",
    "number_out_of_range": "A number is outside its bounds, such as DCGM's blank.",
    "invalid_time": "A time is not RFC 3339 with an explicit offset and whole seconds.",
    "interval_empty": "The interval ends at or before its start.",
    "checksum_mismatch": "`gpu_seconds` is not the length of the interval.",
    "id_conflict": "This `source` and `id` already carry another payload; both are kept.",
    # Where it belongs.
    "facility_unknown": "The facility is not one of the caller's.",
    "facility_closed": "The facility's books are closed: its closing statement is made.",
    "device_unknown": "The device is not pledged to the facility.",
    "pledge_fixed": "A facility's devices are fixed when it is registered.",
    "gpu_class_mismatch": "The facility holds another GPU class.",
    "outside_window": "The interval is outside the facility's delivery window.",
    "crosses_epoch": "The interval crosses an epoch boundary: split it there.",
    "in_the_future": "The interval ends more than 5 minutes in the future.",
    "too_old": "The interval starts more than 35 days in the past.",
    "epoch_closed": "It would change an epoch that is closed, and cannot be stated late.",
    # What is already taken.
    "overlap": "The device is already in use in the interval.",
    "outage_overlap": "The interval is both usage and outage, or an outage twice.",
    "over_capacity": "The lease would use more GPUs at once than it covers.",
    # Leases.
    "lease_unknown": "The facility has no such lease.",
    "lease_not_open": "The lease is not open throughout the interval.",
    "lease_exists": "The lease exists with other terms.",
    "lease_closed": "The lease is closed at another time, or would close before it opened.",
    "lease_in_use": "The lease has usage after the time at which it would close.",
    "invalid_input": "The terms of the lease contradict each other.",
    # Corrections.
    "correction_target_unknown": "There is no such event of this operator in the facility.",
    "not_correctable": "Only usage, and deliveries that are in no statement yet, can be voided.",
    "already_voided": "The event is already voided.",
    "sealed": "The month of the event is sealed: what was stated of it stays.",
}
