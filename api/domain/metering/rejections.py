"""Why an event is rejected: every code that an answer can carry, with its sentence.

The one place of the list; `POST /v1/events` prints it in the OpenAPI document, and a test holds
it against every `EventRejected` in the source. Beside it, what the sender can do about each.
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
    "key_forbidden": "A collector's key signs metering; leases, terms and adjustments are signed by"
    " the operator's ledger key.",
    "signature_required": "The facility's terms take no event that nobody signed.",
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

TO_DO: Mapping[str, str] = {
    "malformed_event": "Put the named field right; the schema of the type has all of them.",
    "duplicate_key": "Write each key once.",
    "event_too_large": "Leave out what is not metering, or cut the event in two.",
    "nested_too_deep": "Send data as flat as its schema.",
    "broken_text": "Send whole characters, in UTF-8.",
    "bad_attribute": "Shorten the attribute, or leave it out.",
    "not_a_number": "Send a number, or leave the field out where nothing was measured.",
    "unknown_type": "Send one of the types listed here.",
    "unknown_field": "Take the field out, or spell it as the schema does.",
    "number_out_of_range": "Send a number within the bounds, or leave an optional field out.",
    "invalid_time": "Write it like 2026-12-01T00:00:00Z.",
    "interval_empty": "Send no event of a use that took no second; else put start or end right.",
    "checksum_mismatch": "Find out which of the three is wrong: start, end or gpu_seconds.",
    "id_conflict": "If the new one is right, send a correction that names this source and id; else"
    " give the other use an id of its own.",
    "facility_unknown": "Name a facility of the operator whose key this is.",
    "facility_closed": "Nothing: what the books say is final.",
    "device_unknown": "Use the device's one name, or name the facility that pledges it.",
    "outside_pledge": "Cut the interval where the message says, and send each part under the device"
    " that ran.",
    "pledge_fixed": "Ask for a replacement of a failed card; others go into another facility.",
    "gpu_class_mismatch": "Name the facility's class, or leave gpu_class out.",
    "outside_window": "Send what lies inside the window; the rest is of no facility.",
    "in_the_future": "Send it again when it is past; check the collector's clock.",
    "sealed": "Send an adjustment of the lease in its place.",
    "key_forbidden": "Sign it with the ledger key.",
    "signature_required": "Send it signed: by a collector's key, or by the ledger key.",
    "overlap": "Void or replace the other use if that one is wrong, then send this one again.",
    "outage_overlap": "Void the outage or delivery that is wrong, then send this one again.",
    "over_capacity": "Agree a version of the terms with more GPUs, or send it under another lease.",
    "lease_unknown": "Open the lease first, or send its terms before this event in the batch.",
    "lease_not_open": "Agree a version of the terms that runs then, or name the lease that does.",
    "lease_exists": "Agree a new version of its terms.",
    "lease_closed": "Name an end behind its beginning.",
    "invalid_input": "Put the named terms right.",
    "terms_invalid": "Put the named terms right: each version follows the one before, by number.",
    "terms_unsupported": "Leave the field out, and say its money as an adjustment or fixed item.",
    "allocation_unknown": "Send the event that opens it first; check its source and id.",
    "allocation_ended": "Correct the allocation as a whole if its end was wrong.",
    "correction_target_unknown": "Check source and id of the event, and its facility.",
    "not_correctable": "Send terms as a new version, an adjustment as its contrary.",
    "already_voided": "Nothing: it counts no more. Send a use that was right as a new event.",
}
