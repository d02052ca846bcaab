"""Entries of a log as the database keeps them: whole again, in parts that memory holds."""

import pytest

from api.db.log import logged_after, payloads_at
from api.db.session import reading
from api.domain.log.entry import NO_LOG, LogName, end_of, require_follows
from api.domain.log.logged import events_of
from api.domain.metering.facts import Place
from api.domain.units import ZERO_ADDRESS, FacilityId
from tests.factories import HOUR_S, Ledger

pytestmark = pytest.mark.both_databases


def test_logged__in_parts__is_the_log_that_was_told(ledger: Ledger) -> None:
    sent = [[ledger.usage(gpu, n * HOUR_S, (n + 1) * HOUR_S) for gpu in (0, 2)] for n in range(5)]
    for batch in sent:
        ledger.ingest(*batch)
    log = LogName(0, ZERO_ADDRESS, FacilityId(ledger.facility_id))

    with reading(ledger.engine) as connection:
        whole = logged_after(connection, log, after=0, most=100)
        sizes = {}
        for most_bytes in (1, 400, 10**9):
            parts, after = [], 0
            while part := logged_after(connection, log, after=after, most=3, most_bytes=most_bytes):
                parts.append(part)
                after = part[-1].entry.number
            assert [each for part in parts for each in part] == whole
            sizes[most_bytes] = max(map(len, parts))
        last = whole[-1].entry
        told = payloads_at(connection, log.facility_id, {Place(last.number, 1): last.recorded_at_s})

    assert sizes[1] == 1 <= sizes[400] <= sizes[10**9] == 3
    end, at_s = NO_LOG, 0
    for logged in whole:
        require_follows(logged.entry, log=log, end=end, at_s=at_s)
        logged.require_whole()
        end, at_s = end_of([logged.entry], end), logged.entry.recorded_at_s
    assert [
        event for logged in whole[-5:] for event in events_of(logged.body, logged.entry.author)
    ] == [event for batch in sent for event in batch]
    assert list(told.values()) == [sent[-1][1]]
