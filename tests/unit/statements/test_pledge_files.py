"""Published pledges: only what the chain's root names is read, whatever else the file says."""

import json

import pytest

from api.domain.hashing import keccak
from api.domain.pledges import Pledge, PledgedDevice, pledge_tree, whole_cards
from api.domain.roster import Roster, replaced
from api.domain.statements.closing import OpenBooks
from api.domain.statements.pledge_files import (
    decode_pledge,
    encode_pledge,
    pledge_path,
    with_replacement,
)
from api.domain.units import Bytes32, Epoch
from api.errors import EvidenceInvalid
from tests.unit.values import TERMS

NEW = PledgedDevice(keccak(b"new"), keccak(b"new"), Epoch(1))
PLEDGE = replaced(Roster(TERMS), old=TERMS.devices[0], new=NEW, number=2)
ROOT = pledge_tree(TERMS.facility_id, PLEDGE.devices).root
FILE = encode_pledge(TERMS.facility_id, PLEDGE)


def _read(
    data: bytes, *, root: Bytes32 = ROOT, from_epoch: Epoch = PLEDGE.from_epoch, number: int = 2
) -> Roster:
    return with_replacement(Roster(TERMS), data, root=root, from_epoch=from_epoch, number=number)


def test_pledge_file__as_published__gives_the_roster_back() -> None:
    assert decode_pledge(FILE, number=2) == (TERMS.facility_id, PLEDGE)
    assert _read(FILE) == Roster(TERMS, (PLEDGE,))
    assert pledge_path(TERMS.facility_id, ROOT) == f"facility-7/pledges/{ROOT.hex()}.json"


@pytest.mark.parametrize(
    "change",
    [
        {"facility_id": 8},
        {"from_epoch": 2},
        {"devices": []},
        {"devices": json.loads(FILE)["devices"][:3]},
        {"devices": [1, 2]},
        {"from_epoch": "1"},
        {"more": 1},
    ],
)
def test_pledge_file__other_contents__is_refused_naming_it(change: dict[str, object]) -> None:
    data = json.dumps(json.loads(FILE) | change).encode()

    with pytest.raises(EvidenceInvalid, match=r"facility-7/pledges/") as found:
        _read(data)
    assert found.value.context["file"] == pledge_path(TERMS.facility_id, ROOT)


@pytest.mark.parametrize("field", ["device", "card", "from_epoch"])
@pytest.mark.parametrize("value", ["0x" + "11" * 32, 7, -1, 2**300, None])
def test_pledge_file__device_changed__is_not_what_the_root_names(field: str, value: object) -> None:
    document = json.loads(FILE)
    document["devices"][1][field] = value

    with pytest.raises(EvidenceInvalid):
        _read(json.dumps(document).encode())


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"devices": NaN}', b"\xff", b"[" * 9_999])
def test_pledge_file__no_pledge_at_all__is_refused(data: bytes) -> None:
    with pytest.raises(EvidenceInvalid):
        _read(data)


def test_pledge_file__approved_from_another_epoch__is_refused() -> None:
    with pytest.raises(EvidenceInvalid, match="does not hold the pledge of facility 7 from 2"):
        _read(FILE, from_epoch=Epoch(2))


def test_pledge_file__more_than_one_device_changed__is_refused_though_it_is_approved() -> None:
    """Attesters of other software approved it: nothing is computed from it here."""
    devices = tuple(
        sorted(whole_cards([keccak(b"%d" % i) for i in range(4)]), key=lambda d: d.device)
    )
    pledge = Pledge(2, Epoch(1), devices)
    root = pledge_tree(TERMS.facility_id, devices).root

    with pytest.raises(EvidenceInvalid, match="one is replaced by one other, not 4 by 4"):
        _read(encode_pledge(TERMS.facility_id, pledge), root=root)


def test_decode_pledge__device_with_another_field__is_refused() -> None:
    document = json.loads(FILE)
    document["devices"][0]["note"] = "x"

    with pytest.raises(ValueError, match="a device has the fields"):
        decode_pledge(json.dumps(document).encode(), number=2)


def test_books__told_of_a_replacement__know_it_and_so_do_their_copies() -> None:
    assert OpenBooks(TERMS).replacements == ()
    books = OpenBooks(TERMS)
    books.repledge([PLEDGE])
    assert books.replacements == books.copied().replacements == (PLEDGE,)
