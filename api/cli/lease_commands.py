"""`rentroll lease`: what an operator hands on of a lease, over the API."""

import json
from typing import Annotated

import typer

from api.cli import output
from api.cli.arguments import ApiKey, ApiUrl, Facility, Json

lease = typer.Typer(no_args_is_help=True, help="What a renter or an auditor is given of a lease.")


@lease.command("secret")
def show_secret(
    facility: Facility,
    lease_id: Annotated[str, typer.Argument(metavar="LEASE", help="Your id of the lease.")],
    api_key: ApiKey,
    renter: Annotated[
        bool, typer.Option("--renter", help="The secret of its renter: of all its leases there.")
    ] = False,
    api_url: ApiUrl = None,
    as_json: Json = False,
) -> None:
    """Print the secret of a lease's name, with which its lines are found in public evidence.

    It shows nothing of other leases or renters, and cannot be taken back. The key needs the scope
    ledger:write.
    """
    from api.cli.operator_client import operator_client

    path = f"/v1/console/facilities/{facility}/secrets/{'renter' if renter else 'lease'}"
    with output.failing(), operator_client(api_url, api_key=api_key) as api:
        found = api.post(path, {"lease_id": lease_id})
        if as_json:
            typer.echo(json.dumps(found))
            return
        option = "--renter" if renter else "--lease"
        for field in ("name", "hash", "secret"):
            typer.echo(f"{field:7} {output.plain(str(found.get(field)))}")
        typer.echo(
            f"Hand on name and secret: `rentroll verify RPC_URL EVIDENCE {option} NAME --secret"
            " SECRET` shows the lines."
        )
