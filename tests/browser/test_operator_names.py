"""Secrets of names in the console: asked for, shown, and the ones that evidence was made with."""

import pytest
from playwright.sync_api import Browser, expect

from api.domain.metering.names import lease_hash, party_hash
from api.domain.units import Bytes32, FacilityId
from tests.browser.console import fit, shot, signed_in
from tests.browser.stage import Stage

pytestmark = [pytest.mark.slow, pytest.mark.chain]


def test_secrets__of_a_lease_and_its_renter__are_shown_to_be_handed_on(
    browser: Browser, stage: Stage
) -> None:
    facility = stage.offer("names")
    lease = facility.plan.leases[0]["lease_id"]
    found, page = signed_in(browser, stage, 0)
    found.open(f"/operator/{facility.facility_id}?section=leases")
    page.get_by_role("button", name=f"Secrets of {lease}").click()
    dialog = page.get_by_role("dialog")
    fit(found)

    shown = []
    for whose, label in (("the lease", "Lease"), ("its renter", "Renter")):
        dialog.get_by_role("button", name=f"Show {whose}'s secret").click()
        expect(dialog.get_by_label(label, exact=True)).to_be_visible()
        fields = (label, "Its hash in evidence", "Secret")
        shown.append([dialog.get_by_label(each, exact=True).input_value() for each in fields])
        fit(found)
        shot(page, f"names-{label}")

    hashes = []
    for make, (name, _, secret) in zip((lease_hash, party_hash), shown, strict=True):
        known = Bytes32(bytes.fromhex(secret[2:]))
        hashes.append("0x" + make(FacilityId(facility.facility_id), name, secret=known).hex())
    assert [hashed for _, hashed, _ in shown] == hashes
    assert shown[0][0] == lease
