"""Cards that another facility pledged first, by all pledges of both: what the console warns of."""

from collections.abc import Sequence

import pytest
from sqlalchemy import update

from api.chain.emitted.args import write_payload
from api.chain.emitted.pledge_registry import PledgeApproved
from api.db.facilities import known_facility_row
from api.db.replacements import insert_replacement
from api.db.session import reading, transaction
from api.db.tables.facilities import facilities
from api.db.tables.replacements import NewReplacement
from api.domain.hashing import device_hash
from api.domain.lifecycle import FacilityState
from api.domain.pledges import Pledge, PledgedDevice, pledge_tree
from api.domain.statements.evidence_reader import terms_from_bytes
from api.domain.statements.pledge_files import encode_pledge
from api.domain.units import Bytes32, Epoch, FacilityId
from api.ledger import facilities as registering
from api.reads.pledged_before import devices_pledged_before
from tests.factories import DAY_S, START_S, Ledger, device
from tests.launching import note_event

pytestmark = pytest.mark.both_databases


@pytest.fixture
def double(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """A service that takes every pledge: one that looks for doubles has none to show."""
    monkeypatch.setattr(registering, "_require_unpledged", lambda *_: None)
    return ledger


def _told(ledger: Ledger, facility_id: int) -> list[Bytes32]:
    with reading(ledger.engine) as connection:
        row = known_facility_row(connection, FacilityId(facility_id))
        return devices_pledged_before(connection, row)


def _both(ledger: Ledger, *ids: int) -> list[list[Bytes32]]:
    return [_told(ledger, facility_id) for facility_id in ids]


def _approve(
    ledger: Ledger, facility_id: int, number: int, *, replaced: Pledge | None = None
) -> None:
    """Index the approval of an offer's pledge, or of one in its place."""
    with reading(ledger.engine) as connection:
        row = known_facility_row(connection, FacilityId(facility_id))
    root, first = row.pledge_root, Epoch(0)
    if replaced is not None:
        root, first = pledge_tree(row.facility_id, replaced.devices).root, replaced.from_epoch
    approved = PledgeApproved(row.facility_id, first, root, number, ())
    note_event(
        ledger, "PledgeApproved", facility_id, block=10 + number, payload=write_payload(approved)
    )


def _replace(ledger: Ledger, facility_id: int, old: int, new: int, number: int) -> None:
    """Put a device in the place of another from the second epoch on, by an approval."""
    with reading(ledger.engine) as connection:
        row = known_facility_row(connection, FacilityId(facility_id))
    gone, name = device_hash(device(old)), device_hash(device(new))
    stays = [each for each in terms_from_bytes(row.terms_json).pledge if each.device != gone]
    came = PledgedDevice(name, name, Epoch(1))
    pledge = Pledge(number, Epoch(1), tuple(sorted((*stays, came), key=lambda d: d.device)))
    asked = NewReplacement(
        row.facility_id, Epoch(1), pledge_tree(row.facility_id, pledge.devices).root,
        device(old), device(new), device(new), "RMA", encode_pledge(row.facility_id, pledge),
        START_S,
    )  # fmt: skip
    with transaction(ledger.engine) as connection:
        insert_replacement(connection, asked)
    _approve(ledger, facility_id, number, replaced=pledge)


def _hashes(numbers: Sequence[int]) -> list[Bytes32]:
    return sorted(device_hash(device(number)) for number in numbers)


def test_devices__approved_in_another_order_than_registered__are_the_later_approved_ones(
    double: Ledger,
) -> None:
    """ATTACKS 23: before, who registered first was believed to have pledged first."""
    first, second = double.facility_id, double.add_facility(range(2, 6))
    waiting = _both(double, first, second)
    _approve(double, second, 1)
    half = _both(double, first, second)
    _approve(double, first, 2)

    assert waiting == [[], _hashes([2, 3])]
    assert half == _both(double, first, second) == [_hashes([2, 3]), []]


def test_devices__came_by_a_replacement__are_told_like_those_of_an_offer(double: Ledger) -> None:
    """ATTACKS 23: of either side, and for the epochs of the replacement alone."""
    first, second = double.facility_id, double.add_facility(range(10, 12))
    _approve(double, first, 1)
    _approve(double, second, 2)
    before = _both(double, first, second)
    _replace(double, second, 10, 0, number=3)
    came = _both(double, first, second)
    _replace(double, first, 1, 11, number=4)

    assert before == [[], []]
    assert came == [[], _hashes([0])]
    assert _both(double, first, second) == [_hashes([11]), _hashes([0])]


def test_devices__went_by_a_replacement__are_free_from_then_on(double: Ledger) -> None:
    first = double.facility_id
    later = {"window_start_s": START_S + DAY_S, "window_end_s": START_S + 3 * DAY_S}
    second = double.add_facility(range(2), **later)
    _approve(double, first, 1)
    _approve(double, second, 2)
    before = _told(double, second)
    _replace(double, first, 0, 20, number=3)

    assert (before, _told(double, second)) == (_hashes([0, 1]), _hashes([1]))


def test_devices__asked_for_and_never_approved__are_pledged_nowhere(double: Ledger) -> None:
    first, second = double.facility_id, double.add_facility(range(10, 12))
    _approve(double, first, 1)
    _approve(double, second, 2)
    asked = NewReplacement(
        FacilityId(second), Epoch(1), Bytes32(b"\x01" * 32), device(10), device(0), device(0),
        "RMA", b"{}", START_S,
    )  # fmt: skip
    with transaction(double.engine) as connection:
        insert_replacement(connection, asked)

    assert _both(double, first, second) == [[], []]


def test_devices__other_facility_ended_before__are_free(double: Ledger) -> None:
    first = double.facility_id
    later = {"window_start_s": START_S + DAY_S, "window_end_s": START_S + 3 * DAY_S}
    second = double.add_facility(range(1), **later)
    _approve(double, first, 1)
    _approve(double, second, 2)
    before = _told(double, second)
    note_event(
        double, "FacilityStateChanged", first, block=30, extra=FacilityState.DEFAULTED,
        time_s=START_S + DAY_S,
    )  # fmt: skip

    assert (before, _told(double, second)) == (_hashes([0]), [])


@pytest.mark.parametrize("cancelled", [0, 1])
def test_devices__one_of_both_is_cancelled__are_no_double_of_either(
    double: Ledger, cancelled: int
) -> None:
    """What is given up is no double pledge, of whichever side."""
    ids = double.facility_id, double.add_facility(range(4))
    note_event(
        double, "FacilityStateChanged", ids[cancelled], block=30, extra=FacilityState.CANCELLED
    )

    assert _both(double, *ids) == [[], []]


def test_devices__another_offer_has_the_number_on_the_chain__are_not_known(double: Ledger) -> None:
    """Whoever offers a number first has it: what was registered here is not what was approved."""
    first, second = double.facility_id, double.add_facility(range(4))
    _approve(double, first, 1)
    with transaction(double.engine) as connection:
        mine = facilities.c.facility_id == first
        connection.execute(update(facilities).where(mine).values(pledge_root=b"\x05" * 32))

    assert _both(double, first, second) == [[], []]
