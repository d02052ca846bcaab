"""Files in the console: leases are judged row by row and recorded, devices fill an offer."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from api.domain.metering.instants import format_instant
from tests.browser.console import fit, shot, signed_in
from tests.browser.stage import Stage

pytestmark = [pytest.mark.slow, pytest.mark.chain]
DEVICE = "GPU-0b9f1a52-3c1d-4e5f-8a6b-7c8d9e0f1a2b"
OTHER = "GPU-1c0a2b63-4d2e-4f60-9b7c-8d9e0f1a2b3c"


def test_leases__of_a_file__are_shown_row_by_row_and_recorded_once(
    browser: Browser, stage: Stage, tmp_path: Path
) -> None:
    facility = stage.offer("filed")
    begins = format_instant(stage.window_start_s(facility))
    file = tmp_path / "leases.csv"
    file.write_text(
        "lease_id;renter_ref;from;price_micros_per_gpu_hour;max_gpus\r\n"
        f"lease-7;renter-7;{begins};2490000;2\r\n"
        f"lease-8;renter-8;{begins};2.49;\r\n"
        f"lease-9;renter-9;{begins};1990000;\r\n"
    )
    found, page = signed_in(browser, stage, 0)
    found.open(f"/operator/{facility.facility_id}?section=leases")
    page.get_by_role("button", name="Import from a file").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Check the file").click()
    expect(dialog.get_by_text("Choose a file.")).to_be_visible()
    fit(found)

    dialog.get_by_label("File").set_input_files(file)
    shot(page, "leases-file")
    dialog.get_by_role("button", name="Check the file").click()
    said = dialog.get_by_role("status").filter(has_text="would be recorded")
    expect(said).to_have_text(
        "2 leases would be recorded, 0 there already, 1 refused. Nothing is recorded yet."
    )
    rows = dialog.get_by_role("table", name="Rows of the file")
    refused = rows.get_by_role("row").filter(has_text="lease-8")
    expect(refused).to_contain_text("not_a_number")
    fit(found)
    shot(page, "leases-checked")
    dialog.get_by_role("button", name="Record 2 leases").click()
    expect(dialog.get_by_text("2 leases recorded, 0 there already, 1 refused.")).to_be_visible()
    fit(found)
    shot(page, "leases-recorded")

    # Put right, and sent again as a whole: what is there stays.
    file.write_text(file.read_text().replace("2.49;", "2490000;"))
    dialog.get_by_role("button", name="Another file").click()
    dialog.get_by_label("File").set_input_files(file)
    dialog.get_by_role("button", name="Check the file").click()
    expect(dialog.get_by_text("1 lease would be recorded, 2 there already")).to_be_visible()
    dialog.get_by_role("button", name="Record 1 lease").click()
    expect(dialog.get_by_text("1 lease recorded, 2 there already")).to_be_visible()
    dialog.get_by_role("button", name="Done").click()
    leases = page.get_by_role("table", name="Leases")
    for name in ("lease-7", "lease-8", "lease-9"):
        expect(leases.get_by_text(name, exact=True)).to_be_visible()


def test_devices__of_a_file__fill_the_list_of_an_offer_all_or_none(
    browser: Browser, stage: Stage, tmp_path: Path
) -> None:
    wrong, right = tmp_path / "wrong.csv", tmp_path / "hall.csv"
    wrong.write_text(f"device\n{DEVICE}\ngpu-1\n{DEVICE}\n")
    right.write_text(f"device\n{DEVICE}\n{OTHER}\n")
    found, page = signed_in(browser, stage, 0)
    found.open("/operator?offer")
    choose = page.get_by_label("Devices from a file")
    devices = page.get_by_role("textbox", name="Devices", exact=True)

    choose.set_input_files(wrong)

    rows = page.get_by_role("table", name="Refused rows of the file")
    expect(rows.get_by_role("row")).to_have_count(3)
    expect(rows).to_contain_text("device_refused")
    expect(devices).to_have_value("")
    fit(found)
    shot(page, "devices-refused")
    choose.set_input_files(right)
    expect(page.get_by_text("2 devices of hall.csv stand in the list.")).to_be_visible()
    expect(devices).to_have_value(f"{DEVICE}\n{OTHER}")
    expect(page.get_by_text("2 devices read")).to_be_visible()
    fit(found)
    shot(page, "devices-read")
