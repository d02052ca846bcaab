"""How far back a batch looks for what holds its devices: as far as the longest fact, no farther."""

from typing import Any

from api.db.facilities import known_facility_row
from api.db.session import reading
from api.domain.metering.events import ALLOCATION_ENDED, ALLOCATION_OPENED, SEEN
from api.domain.metering.instants import format_instant
from tests.factories import HOUR_S, START_S, Ledger, device


def _longest_s(ledger: Ledger) -> int:
    with reading(ledger.engine) as connection:
        return known_facility_row(connection, ledger.facility_id).longest_s


def _opened(ledger: Ledger) -> dict[str, Any]:
    data = {"device": device(0), "lease": "lease-a", "start": format_instant(START_S)}
    return ledger.event(ALLOCATION_OPENED, "job", data)


def _ended(ledger: Ledger, until_s: int) -> dict[str, Any]:
    allocation = {"source": "collector/1", "id": "job"}
    data = {"allocation": allocation, "until": format_instant(START_S + until_s)}
    return ledger.event(ALLOCATION_ENDED, None, data)


def test_overlap__allocation_opened_and_ended_in_one_batch__holds_its_device(
    ledger: Ledger,
) -> None:
    assert ledger.codes(_opened(ledger), _ended(ledger, 9 * HOUR_S)) == ["accepted"] * 2

    beside = ledger.codes(ledger.usage(0, 8 * HOUR_S, 8 * HOUR_S + 60))

    assert beside == ["overlap"]
    assert _longest_s(ledger) == 9 * HOUR_S


def test_longest__a_day_seen__does_not_lengthen_the_look_back(ledger: Ledger) -> None:
    span = {"start": format_instant(START_S), "end": format_instant(START_S + 20 * HOUR_S)}
    seen = ledger.event(SEEN, None, {"device": device(0), **span})

    codes = ledger.codes(seen, ledger.usage(0, 0, HOUR_S))

    assert codes == ["accepted"] * 2
    assert _longest_s(ledger) == HOUR_S
