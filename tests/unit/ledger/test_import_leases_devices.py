"""Reading leases and devices from CSV: a lease a row, devices all or none."""

from pathlib import Path

import pytest

from api.domain.devices import DeviceName
from api.domain.metering.event_types import TermsEvent
from api.domain.metering.events import parse_event
from api.domain.metering.instants import parse_instant
from api.domain.units import FacilityId
from api.errors import InvalidInput
from api.ledger.importers.devices_csv import read_devices, read_offer
from api.ledger.importers.leases_csv import LeasesReader
from api.ledger.importers.pipeline import Told
from api.ledger.importers.rows import REFUSALS, Refused
from api.ledger.importers.tables import open_source
from tests.factories import device
from tests.unit.ledger.reading import written

LEASES = "lease_id,renter_ref,from,price_micros_per_gpu_hour"
SLICE, OTHER = "MIG" + device(7)[3:], "MIG" + device(8)[3:]


def _leases(folder: Path, text: str, zone: str | None = None) -> list[Told | Refused]:
    reader = LeasesReader(FacilityId(7), zone=zone)
    with open_source(written(folder, "leases.csv", text)) as source:
        return list(reader.rows(source))


def test_leases__row__is_the_first_version_of_its_terms(tmp_path: Path) -> None:
    text = f"{LEASES},until,max_gpus,committed_gpus,minimum_micros_per_month\n"
    text += "lease-7,renter-7,2026-12-01,2490000,2027-06-01,16,8,5000000\n"
    text += "lease-8,renter-8,2026-12-01T00:00:00Z,0,,,,\n"

    told = _leases(tmp_path, text, "Europe/Oslo")

    events = [parse_event(dict(x.event)) for x in told if isinstance(x, Told)]
    first, second = (e for e in events if isinstance(e, TermsEvent))
    terms = first.terms
    assert (first.lease_id, first.renter_ref, terms.version) == ("lease-7", "renter-7", 1)
    assert terms.from_s == parse_instant("2026-11-30T23:00:00Z", field="utc")
    assert terms.until_s == parse_instant("2027-05-31T22:00:00Z", field="utc")
    assert [(p.price, p.gpus) for p in terms.prices] == [(2_490_000, 1)]
    assert [(c.from_s, c.gpus) for c in terms.commitment] == [(terms.from_s, 8)]
    assert (terms.max_gpus, terms.minimum) == (16, 5_000_000)
    assert (second.terms.until_s, second.terms.commitment, second.terms.max_gpus) == (None, (), 0)
    assert first.envelope.id != second.envelope.id


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("l,r,2026-12-01T00:00:00Z,2.49", "not_a_number"),
        ('l,r,2026-12-01T00:00:00Z,"2,490,000"', "not_a_number"),
        ("l,r,2026-12-01T00:00:00Z,-1", "not_a_number"),
        ("l,r,2026-12-01T00:00:00Z,", "field_missing"),
        ("l,,2026-12-01T00:00:00Z,1", "field_missing"),
        (",r,2026-12-01T00:00:00Z,1", "field_missing"),
        ("l,r,2026-12-01,1", "time_without_zone"),
        ("l,r,01/12/2026,1", "time_unreadable"),
        ("l,r,1", "row_malformed"),
    ],
)
def test_leases__row_that_is_not_clear__is_refused(tmp_path: Path, row: str, reason: str) -> None:
    good = "lease-8,renter-8,2026-12-01T00:00:00Z,1"

    told = _leases(tmp_path, f"{LEASES}\n{good}\n{row}\n")

    assert isinstance(told[0], Told)
    assert [(x.line, x.reason) for x in told[1:] if isinstance(x, Refused)] == [(3, reason)]
    assert reason in REFUSALS


def test_leases__column_nobody_knows__is_named(tmp_path: Path) -> None:
    """What is not read must not look as if it were agreed."""
    with pytest.raises(InvalidInput, match="has column 'tax_bps'; known are lease_id"):
        _leases(tmp_path, f"{LEASES},tax_bps\n")


def _devices(folder: Path, text: str) -> list[DeviceName | Refused]:
    with open_source(written(folder, "devices.csv", text)) as source:
        return list(read_devices(source))


def test_devices__cards_and_slices__are_read_by_their_names(tmp_path: Path) -> None:
    cards = _devices(tmp_path, f"device,card\r\n{device(0)},\r\n,\r\n{device(1)},\r\n")
    slices = _devices(tmp_path, f"device;card;profile\n{SLICE};{device(0)};1g.10gb\n")

    assert cards == [DeviceName(device(i), card=device(i)) for i in (0, 1)]
    assert slices == [DeviceName(SLICE, card=device(0), profile="1g.10gb")]


@pytest.mark.parametrize(
    ("row", "detail"),
    [
        ("12aa7c89-39f6-43ed-a5b3-4c6e5e9d1c31,,", "write GPU-12aa7c89"),
        (f"{device(1)[4:]},,", "is not the name of a device"),
        (f"{device(0)},,", "stands on line 2 already"),
        (f"MIG-{device(0)[4:]},{device(1)},1g.10gb", "stands on line 2 already"),
        (f"{OTHER},,", "is a slice: name it with its card and profile"),
        (f"{OTHER},{device(1)},big", "is not a profile of slices"),
        ("GPU-00000000-0000-0000-0000-000000000000,,", "placeholder"),
        (f"{device(1)}", "1 fields, the header has 3"),
    ],
)
def test_devices__row_that_names_none__is_refused_with_its_line(
    tmp_path: Path, row: str, detail: str
) -> None:
    found = _devices(tmp_path, f"device,card,profile\n{device(0)},,\n{row}\n")

    [only] = [x for x in found if isinstance(x, Refused)]
    assert only.line == 3
    assert detail in only.detail


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "is no JSON object"),
        ("{", "is no JSON object"),
        ('{"devices": []}', "devices come from the other file"),
        ('{"name": "hall-1"}', "gpu_class must be text"),
    ],
)
def test_offer__that_is_wrong__is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        read_offer(written(tmp_path, "offer.json", text))
