"""What the command line prints of bills: amounts in the smallest units of the settlement token."""

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from api.routes.operator.console.bills import BillsOut, IssuedBillsOut


def show_bills(bills: "BillsOut", *, as_json: bool) -> None:
    """Print months, newest first, and what is left of rent and credits."""
    if as_json:
        typer.echo(bills.model_dump_json())
        return
    for month in bills.months:
        numbers = ", ".join(f"{number:06d}" for number in month.numbers) or "none yet"
        typer.echo(f"{month.month}  {month.state}  {month.lease_id}  documents: {numbers}")
        typer.echo(
            f"  stated {month.stated_micros:,}, billed {month.billed_micros:,}, credited"
            f" {month.credited_micros:,}, paid {month.paid_micros:,}, open {month.open_micros:,}"
        )
    for lease in bills.leases:
        if lease.prepaid_left_micros or lease.credit_left_micros:
            typer.echo(
                f"{lease.lease_id}: prepaid {lease.prepaid_left_micros:,} and credit"
                f" {lease.credit_left_micros:,} are left"
            )
    block = "nothing is indexed" if bills.block_number is None else f"block {bills.block_number}"
    typer.echo(f"{len(bills.documents)} documents; smallest units of the token, as of {block}")


def show_issued(out: "IssuedBillsOut", *, as_json: bool) -> None:
    """Print what was issued."""
    if as_json:
        typer.echo(out.model_dump_json())
        return
    for document in out.issued:
        corrects = "" if document.corrects is None else f" of {document.corrects:06d}"
        kind = document.kind.replace("_", " ")
        typer.echo(
            f"{document.number:06d} {kind}{corrects} {document.month}: {document.amount_micros:,}"
        )
    typer.echo(f"{len(out.issued)} documents issued")
