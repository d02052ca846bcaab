"""A facility whose log takes signed requests alone, registered over HTTP."""

from typing import Any

import pytest

from api.domain.metering.instants import format_instant
from tests.factories import DAY_S, START_S, device
from tests.signing import collector_of, signing_operator
from tests.world import World

pytestmark = pytest.mark.chain


def _register(world: World, **changes: Any) -> Any:
    body = {
        "name": "hall-2",
        "site": "SE-LULEA-1",
        "epoch_length_s": DAY_S,
        "gpu_class": "H100-SXM5-80GB",
        "window_start": format_instant(START_S),
        "window_end": format_instant(START_S + 3 * DAY_S),
        "tranches": [{"unit_cap": 72}],
        "devices": [device(10)],
    }
    headers = {"authorization": f"Bearer {world.ledger.api_key}"}
    return world.http.post("/v1/facilities", json=body | changes, headers=headers)


@pytest.mark.parametrize(("said", "shown"), [({}, "taken"), ({"unsigned": "refused"}, "refused")])
def test_register__says_whether_unsigned_batches_are_taken(
    world: World, said: dict[str, str], shown: str
) -> None:
    facility_id = _register(world, **said).json()["facility_id"]

    assert world.http.get(f"/v1/facilities/{facility_id}/log").json()["unsigned"] == shown


def test_register__with_another_word__is_refused(world: World) -> None:
    assert _register(world, unsigned="sometimes").status_code == 422


def test_facility__of_signed_requests_alone__takes_leases_and_use_by_keys(world: World) -> None:
    world.at(DAY_S)
    world.facility_id = world.ledger.facility_id = _register(world, unsigned="refused").json()[
        "facility_id"
    ]
    operator = signing_operator(world)
    collector = collector_of(operator)
    start = format_instant(START_S)
    price = {"from": start, "price": 2_000_000}
    terms = world.ledger.terms("lease-z", 1, 0, prices=[price])
    usage = world.ledger.usage(10, 0, 3_600, lease="lease-z")

    assert world.ledger.codes(terms, usage) == ["signature_required"] * 2
    lease = {
        "lease_id": "lease-y",
        "renter_ref": "r",
        "plan": "on_demand",
        "opened_at": start,
        "price_micros_per_gpu_hour": 1,
    }
    path = f"/v1/facilities/{world.facility_id}/leases"
    headers = {"authorization": f"Bearer {world.ledger.api_key}"}
    form = world.http.post(path, json=lease, headers=headers)
    assert form.json()["reason"] == "signature_required", form.text
    assert operator.taken(terms) == ["accepted"]
    assert collector.taken(usage) == ["accepted"]
