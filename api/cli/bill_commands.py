"""`rentroll bills`: list, issue and save bills of a facility, at the machine of the service."""

import re
from pathlib import Path
from typing import Annotated

import typer

from api.cli import bill_output, output
from api.cli.arguments import Facility, Json, OnlyLease
from api.cli.environment import settings
from api.domain.units import FacilityId

bills = typer.Typer(
    no_args_is_help=True, help="List, issue and save bills, from statements that are final."
)


def _month(value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", value):
        raise typer.BadParameter("must be a UTC month such as 2026-12")
    return value


@bills.command("list")
def show(facility: Facility, as_json: Json = False) -> None:
    """Show every month and lease: state, stated, billed, paid and open."""
    from api.cli import bill_wiring

    with output.failing():
        found = bill_wiring.list_bills(settings(), FacilityId(facility))
        bill_output.show_bills(found, as_json=as_json)


@bills.command("issue")
def issue(
    facility: Facility,
    month: Annotated[
        str | None, typer.Option(callback=_month, help="Only this UTC month, such as 2026-12.")
    ] = None,
    lease: OnlyLease = None,
    due_days: Annotated[int, typer.Option(min=0, max=366, help="Days until they are due.")] = 14,
    as_json: Json = False,
) -> None:
    """Issue bills of months that are stated whole, and notes of what was stated since.

    Again, it issues nothing. What is issued has a number and never changes.
    """
    from api.cli import bill_wiring

    with output.failing():
        issued = bill_wiring.issue_bills(
            settings(), FacilityId(facility), month=month, lease_id=lease, due_days=due_days
        )
        bill_output.show_issued(issued, as_json=as_json)


@bills.command("save")
def save(
    facility: Facility,
    number: Annotated[int, typer.Argument(min=1, help="Number of the document.")],
    file: Annotated[
        Path, typer.Argument(dir_okay=False, help="File; ends with .html, .pdf, .csv or .json.")
    ],
) -> None:
    """Write a document to a file, in the form that its name ends with."""
    from api.cli import bill_wiring

    form = file.suffix.removeprefix(".")
    if form not in bill_wiring.FORMS:
        raise typer.BadParameter("the file's name ends with .html, .pdf, .csv or .json")
    with output.failing():
        file.write_bytes(
            bill_wiring.bill_bytes(settings(), FacilityId(facility), number, form=form)
        )
