"""`rentroll queue`: what the worker has to do and could not, in the service's database."""

from enum import StrEnum
from typing import Annotated

import typer

from api.cli import output
from api.cli.arguments import Facility, Json
from api.cli.environment import settings
from api.domain.units import FacilityId

queue = typer.Typer(
    no_args_is_help=True,
    help="Show what the worker could not do and why; try it again at once; let go what is held.",
)


class Step(StrEnum):
    """Steps of a facility."""

    APPROVE = "approve"
    CLOSE = "close"
    POST = "post"
    SETTLE = "settle"
    SERVE = "serve"
    FINISH = "finish"


OfFacility = Annotated[int | None, typer.Option("--facility", min=1, help="Only of this facility.")]


@queue.command("list")
def list_work(facility: OfFacility = None, as_json: Json = False) -> None:
    """Show steps that are held, fail or wait, each with its reason and its next try.

    held: a person is asked first, `rentroll queue release`. failing: it is tried again by itself.
    waiting: something else comes first, such as signatures. Exit code 1 if anything is held or
    failing.
    """
    from api.cli import queue_wiring

    with output.failing():
        rows = queue_wiring.shown(settings(), None if facility is None else FacilityId(facility))
        queue_wiring.show(rows, as_json=as_json)
        raise typer.Exit(1 if any(row["state"] in ("held", "failing") for row in rows) else 0)


@queue.command("retry")
def retry(
    facility: OfFacility = None,
    step: Annotated[Step | None, typer.Option(help="Only this step.")] = None,
) -> None:
    """Let what fails or waits be tried at once, all of it or of one facility.

    The service's own steps are tried again within seconds anyway.
    """
    from api.cli import queue_wiring

    with output.failing():
        only = None if facility is None else FacilityId(facility)
        typer.echo(f"{queue_wiring.retry(settings(), only, step)} steps are due now")


@queue.command("release")
def release(facility: Facility) -> None:
    """Let what is held of a facility go on: so many due epochs are right, and are closed.

    What is closed takes no records any more. Look at the time first: this machine's, and that of
    the newest block (`rentroll doctor`).
    """
    from api.cli import queue_wiring

    with output.failing():
        count = queue_wiring.release(settings(), FacilityId(facility))
        typer.echo(f"{count} steps of facility {facility} go on" if count else "nothing was held")
        raise typer.Exit(0 if count else 1)
