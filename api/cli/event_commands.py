"""`rentroll events`: an operator's accepted events, and putting them right, over the API."""

import json
import sys
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli import event_output, output
from api.cli.arguments import ApiKey, ApiUrl, Facility, Json, MaybeReason, OnlyLease, Reason

if TYPE_CHECKING:
    from api.cli.facility_events import FacilityEvents

events = typer.Typer(
    no_args_is_help=True,
    help="Search accepted events; void, replace and tell what is wrong or missing. What changes is"
    " shown first, and asked.",
)

EventId = Annotated[str, typer.Argument(help="Id of the event.")]
Lease = Annotated[str, typer.Argument(help="Your id of the lease.")]
Source = Annotated[str | None, typer.Option(help="Its source, where several have that id.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]
Instant = Annotated[
    str, typer.Argument(metavar="TIME", help="RFC 3339, like 2026-12-01T00:00:00Z.")
]
File = Annotated[Path, typer.Argument(help="JSON; `-` is standard input.")]


class Kind(StrEnum):
    """As `kind` of the API, which starts no command."""

    usage = "usage"
    allocation = "allocation"
    seen = "seen"
    outage = "outage"
    correction = "correction"
    terms = "terms"
    adjustment = "adjustment"


class Cause(StrEnum):
    """Why a device was out of service."""

    fault = "fault"
    planned = "planned"


def _seconds(text: str | None) -> int | None:
    from api.domain.metering.instants import parse_instant

    return None if text is None else parse_instant(text, field="time")


def _text(path: Path) -> str:
    from api.errors import InvalidInput

    try:
        return sys.stdin.read() if str(path) == "-" else path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} cannot be read: {error}", field="file") from error


def _act(
    preview: Mapping[str, object],
    do: Callable[[], Mapping[str, object]],
    *,
    yes: bool,
    as_json: bool,
) -> None:
    """Show what changes, ask, do it. As JSON nothing is asked: without --yes it is only shown."""
    if not as_json:
        event_output.show_preview(preview)
    refused = event_output.refused(preview)
    done: Mapping[str, object] | None = None
    if not refused and (yes or not as_json):
        if not yes:
            typer.confirm("Do it?", abort=True)
        done = do()
    if as_json:
        typer.echo(json.dumps({"preview": preview, "done": done}))
    elif done is not None:
        typer.echo("done")
    rejected = done is not None and done.get("rejected", 0) != 0
    if rejected and not as_json:
        typer.echo(f"error: it was refused meanwhile: {json.dumps(done)}", err=True)
    if refused or rejected:
        raise typer.Exit(output.EXIT_FOUND)


def _tell(
    client: "FacilityEvents",
    facility: int,
    event_type: str,
    data: Mapping[str, object],
    *,
    yes: bool,
    as_json: bool,
) -> None:
    from api.cli.facility_events import new_event

    given = {name: value for name, value in data.items() if value is not None}
    event = new_event(event_type, facility, given)
    _act(client.preview([event]), lambda: client.send([event]), yes=yes, as_json=as_json)


@events.command("list")
def list_events(
    facility: Facility,
    api_key: ApiKey,
    device: Annotated[str | None, typer.Option(help="Name of a device.")] = None,
    lease: OnlyLease = None,
    kind: Annotated[Kind | None, typer.Option(help="Only events of this kind.")] = None,
    after: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="What lasts beyond, RFC 3339.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="What begins before, RFC 3339.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 50,
    api_url: ApiUrl = None,
    as_json: Json = False,
) -> None:
    """List accepted events: of a device, a lease, a time, or the newest.

    Without a device or lease, --from and --to are at most seven days apart.
    """
    from api.cli.facility_events import facility_events

    with output.failing():
        wanted = {
            "device": device,
            "lease": lease,
            "kind": None if kind is None else kind.value,
            "from_s": _seconds(after),
            "to_s": _seconds(until),
        }
        with facility_events(facility, api_url=api_url, api_key=api_key) as client:
            event_output.show_events(client.search(wanted, limit=limit), as_json=as_json)


@events.command("show")
def show_event(
    facility: Facility,
    event_id: EventId,
    api_key: ApiKey,
    source: Source = None,
    api_url: ApiUrl = None,
    as_json: Json = False,
) -> None:
    """Show an accepted event as it was sent, and what became of it."""
    from api.cli.facility_events import facility_events

    with (
        output.failing(),
        facility_events(facility, api_url=api_url, api_key=api_key) as client,
    ):
        event_output.show_event(client.named(event_id, source), as_json=as_json)


@events.command("preview")
def preview_events(
    facility: Facility,
    file: File,
    api_key: ApiKey,
    api_url: ApiUrl = None,
    as_json: Json = False,
) -> None:
    """Show what the events of a file would change, in the next statements too. Nothing is sent."""
    from api.cli.facility_events import facility_events, read_events

    with output.failing():
        told = read_events(_text(file))
        with facility_events(facility, api_url=api_url, api_key=api_key) as client:
            found = client.preview(told)
        if as_json:
            typer.echo(json.dumps(found))
        else:
            event_output.show_preview(found)
        raise typer.Exit(output.EXIT_FOUND if event_output.refused(found) else 0)


@events.command("send")
def send_events(
    facility: Facility,
    file: File,
    api_key: ApiKey,
    yes: Yes = False,
    api_url: ApiUrl = None,
    as_json: Json = False,
) -> None:
    """Show what the events of a file would change, ask, and send them. None if one is refused."""
    from api.cli.facility_events import facility_events, read_events

    with output.failing():
        told = read_events(_text(file))
        with facility_events(facility, api_url=api_url, api_key=api_key) as client:
            _act(client.preview(told), lambda: client.send(told), yes=yes, as_json=as_json)


@events.command("void")
def void_event(
    facility: Facility,
    event_id: EventId,
    api_key: ApiKey,
    source: Source = None,
    reason: MaybeReason = None,
    yes: Yes = False,
    api_url: ApiUrl = None,
    as_json: Json = False,
) -> None:
    """Take an event back: usage, an allocation, an outage, or a delivery before its statement."""
    from api.cli.facility_events import facility_events
    from api.domain.metering.events import CORRECTION

    with (
        output.failing(),
        facility_events(facility, api_url=api_url, api_key=api_key) as client,
    ):
        found = client.named(event_id, source)
        corrects = {"source": found["source"], "id": event_id}
        data = {"corrects": corrects, "action": "void", "reason": reason}
        _tell(client, facility, CORRECTION, data, yes=yes, as_json=as_json)


@events.command("replace")
def replace_event(
    facility: Facility,
    event_id: EventId,
    file: File,
    api_key: ApiKey,
    source: Source = None,
    reason: MaybeReason = None,
    yes: Yes = False,
    api_url: ApiUrl = None,
    as_json: Json = False,
) -> None:
    """Put another use or outage in the place of an event: one act, taken whole or not at all.

    The file has the data of usage or an outage, without facility_id.
    """
    from api.cli.facility_events import facility_events, read_data
    from api.domain.metering.events import CORRECTION

    with output.failing():
        replacement = read_data(_text(file))
        with facility_events(facility, api_url=api_url, api_key=api_key) as client:
            found = client.named(event_id, source)
            corrects = {"source": found["source"], "id": event_id}
            data = {"corrects": corrects, "action": "replace", "replacement": replacement}
            _tell(
                client, facility, CORRECTION, {**data, "reason": reason}, yes=yes, as_json=as_json
            )


@events.command("outage")
def tell_outage(
    facility: Facility,
    device: Annotated[str, typer.Argument(help="Name of the device.")],
    start: Instant,
    end: Instant,
    api_key: ApiKey,
    cause: Annotated[Cause, typer.Option(help="A planned one counts for no SLA.")] = Cause.fault,
    lease: Annotated[
        str | None, typer.Option(help="Lease that it was kept from, if none held it.")
    ] = None,
    reason: MaybeReason = None,
    yes: Yes = False,
    api_url: ApiUrl = None,
    as_json: Json = False,
) -> None:
    """Tell that a device could not be used, also over usage that was stated."""
    from api.cli.facility_events import facility_events
    from api.domain.metering.events import AVAILABILITY

    with (
        output.failing(),
        facility_events(facility, api_url=api_url, api_key=api_key) as client,
    ):
        data = {"device": device, "start": start, "end": end, "cause": cause.value}
        more = {"lease": lease, "reason": reason}
        _tell(client, facility, AVAILABILITY, {**data, **more}, yes=yes, as_json=as_json)


@events.command("adjust")
def adjust(
    facility: Facility,
    lease: Lease,
    api_key: ApiKey,
    reason: Reason,
    back: Annotated[int, typer.Option(min=0, help="Micros that go back to the renter.")] = 0,
    charge: Annotated[int, typer.Option(min=0, help="Micros that the renter owes.")] = 0,
    yes: Yes = False,
    api_url: ApiUrl = None,
    as_json: Json = False,
) -> None:
    """Charge a lease, or give back to it, with a reason: also for time that is sealed."""
    from api.cli.facility_events import facility_events
    from api.domain.metering.events import ADJUSTMENT

    if (back == 0) == (charge == 0):
        raise typer.BadParameter("say one of --back and --charge")
    with (
        output.failing(),
        facility_events(facility, api_url=api_url, api_key=api_key) as client,
    ):
        data = {"lease_id": lease, "amount": charge - back, "reason": reason}
        _tell(client, facility, ADJUSTMENT, data, yes=yes, as_json=as_json)


@events.command("price")
def set_price(
    facility: Facility,
    lease: Lease,
    price: Annotated[int, typer.Argument(min=0, help="Micros per GPU-hour.")],
    start: Instant,
    api_key: ApiKey,
    yes: Yes = False,
    api_url: ApiUrl = None,
    as_json: Json = False,
) -> None:
    """Set the price of a lease from an instant on, also one that is past: a wrong price."""
    from api.cli.facility_events import facility_events

    body = {"effective_from": start, "price_micros_per_gpu_hour": price}
    with (
        output.failing(),
        facility_events(facility, api_url=api_url, api_key=api_key) as client,
    ):
        shown = client.preview_price(lease, body)
        _act(shown, lambda: client.set_price(lease, body), yes=yes, as_json=as_json)
