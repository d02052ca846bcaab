"""Replacing a card, step by step, in a small world."""

from typing import Any

from api.attester.verdict import Verdict
from tests.factories import device
from tests.world import World, send

OLD, NEW = device(0), device(50)


def ask(world: World, **changes: Any) -> Any:
    body = {"old": OLD, "new": NEW, "reason": "RMA: memory errors"} | changes
    path = f"/v1/facilities/{world.facility_id}/replacements"
    return world.http.post(path, json=body, headers=auth(world))


def listed(world: World) -> list[Any]:
    path = f"/v1/facilities/{world.facility_id}/replacements"
    rows: list[Any] = world.http.get(path, headers=auth(world)).json()
    return rows


def auth(world: World) -> dict[str, str]:
    return {"Authorization": f"Bearer {world.ledger.api_key}"}


def devices_in_force(world: World) -> tuple[str, list[str]]:
    """Root and devices of the pledge in force, as anybody sees it."""
    shown = world.http.get(f"/v1/facilities/{world.facility_id}/devices").json()
    return shown["pledge_root"], [row["device"][2:] for row in shown["devices"]]


def console_devices(world: World) -> list[Any]:
    path = f"/v1/console/facilities/{world.facility_id}/devices"
    rows: list[Any] = world.http.get(path, headers=auth(world)).json()
    return rows


def send_shown(world: World) -> None:
    """The operator's wallet sends what it is shown; the index follows."""
    (sent,) = [r["transaction"] for r in listed(world) if r["state"] == "pending"]
    send(world.client, world.operator, sent["to"], sent["data"])
    world.indexer().advance()


def signed_or_refused(verdicts: list[Verdict]) -> list[str | None]:
    """Why replacements were refused; None for signed."""
    return [v.reason for v in verdicts if v.epoch is None]


def replaced(world: World, **changes: Any) -> Any:
    """Asked for, signed and sent."""
    asked = ask(world, **changes)
    world.attest()
    send_shown(world)
    return asked.json()["from_epoch"]


def sent_unheard(world: World) -> None:
    """A replacement is approved in a block that is not indexed yet."""
    ask(world)
    world.attest()
    (sent,) = [r["transaction"] for r in listed(world)]
    send(world.client, world.operator, sent["to"], sent["data"])
