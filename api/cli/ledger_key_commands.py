"""`rentroll ledger-key`: the operator's own key in the logs of its facilities."""

import json
from pathlib import Path
from typing import Annotated

import typer

from api.cli import arguments, output
from api.cli.arguments import ApiKey, ApiUrl, Facility, Json
from api.domain.units import Bytes32, FacilityId

ledger_key = typer.Typer(
    no_args_is_help=True,
    help="The operator's ledger key: name it on-chain, let it name collectors' keys, sign events.",
)
KeyFile = Annotated[
    Path, typer.Option("--ledger-key", exists=True, dir_okay=False, help="The ledger key's file.")
]
# One key in 64 begins with "-", and is no option for that.
_KEYS = {"ignore_unknown_options": True}
PublicKey = Annotated[
    str,
    typer.Argument(
        callback=arguments.matching("[A-Za-z0-9_-]{43}", "43 characters of base64url"),
        help="Public key, as `rentroll agent init` prints it.",
    ),
]


def _key(text: str) -> Bytes32:
    from api.domain.log.requests import key_from

    try:
        return key_from(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


@ledger_key.command("init")
def init(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="File to write; none is replaced.")],
) -> None:
    """Make a ledger key and print its public half."""
    from api.local.key_file import make_key_file

    with output.failing():
        public = make_key_file(file)
        typer.echo(f"key: {file}")
        typer.echo(f"public key: {public}")
        typer.echo("Keep the file where few can read it, with a copy elsewhere. Next:")
        typer.echo(f"  rentroll ledger-key name {file} --facility NUMBER")


@ledger_key.command("name")
def name(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The key's file.")],
    facility: Annotated[int, typer.Option(min=1, help="Any facility of the operator.")],
    api_url: ApiUrl = None,
) -> None:
    """Print the transaction by which the operator's wallet names the key on-chain.

    Nothing is sent. Logs take the key once its block is final; the key that was named before signs
    nothing more from then on, and those that it brought go on.
    """
    from api.chain import calldata
    from api.cli.environment import settings
    from api.domain.json_text import as_object, as_text, read_json
    from api.domain.log.entry import log_name
    from api.local.key_file import read_key_file

    with output.failing():
        import httpx

        from api.errors import ChainUnavailable, NotFound

        url = (api_url or settings().api_url).rstrip("/")
        try:
            answer = httpx.get(f"{url}/v1/facilities/{facility}/log")
            if answer.status_code == httpx.codes.NOT_FOUND:
                raise NotFound(f"{url} says no log of facility {facility}: check the number")
            said = log_name(as_text(as_object(read_json(answer.content))["log"]))
        except (httpx.HTTPError, ValueError, TypeError, KeyError) as error:
            message = f"{url} says no log of facility {facility}: check --api-url"
            raise ChainUnavailable(message) from error
        public = read_key_file(file).public_key().public_bytes_raw()
        call = {
            "to": calldata.checksum(said.registry),
            "data": calldata.call("FacilityRegistry", "setLedgerKey", public),
        }
        typer.echo(json.dumps(call))


@ledger_key.command("bring", context_settings=_KEYS)
def bring(
    facility: Facility,
    key: PublicKey,
    label: Annotated[str, typer.Argument(help="Name of the collector, such as rack-12.")],
    file: KeyFile,
    api_key: ApiKey,
    api_url: ApiUrl = None,
) -> None:
    """Let a collector's key sign in a facility's log, from this entry on.

    The ledger key brings itself first, where the log does not know it. Needs an API key with the
    scope keys:write beside the signature. Run it once a facility.
    """
    from api.cli.ledger_key import LedgerKey
    from api.cli.operator_client import operator_client

    public = _key(key)
    with output.failing(), operator_client(api_url, api_key=api_key) as client:
        receipt = LedgerKey(client, file, FacilityId(facility)).bring(public, name=label)
        typer.echo(f"{label} signs from entry {receipt.entry.number} of log {receipt.entry.log} on")


@ledger_key.command("end", context_settings=_KEYS)
def end(
    facility: Facility, key: PublicKey, file: KeyFile, api_key: ApiKey, api_url: ApiUrl = None
) -> None:
    """End a key in a facility's log: it signs nothing more, and never again."""
    from api.cli.ledger_key import LedgerKey
    from api.cli.operator_client import operator_client

    public = _key(key)
    with output.failing(), operator_client(api_url, api_key=api_key) as client:
        receipt = LedgerKey(client, file, FacilityId(facility)).end(public)
        typer.echo(f"{key} is ended by entry {receipt.entry.number} of log {receipt.entry.log}")


@ledger_key.command("log-key", context_settings=_KEYS)
def log_key(
    facility: Facility, key: PublicKey, file: KeyFile, api_key: ApiKey, api_url: ApiUrl = None
) -> None:
    """Name the key that signs a log's receipts in place of one that the service lost.

    KEY is what `rentroll log rotate-key` says where the service is; it takes no other, and none
    while it has the log's own. Agents believe it once their settings name it ([service] log_key).
    """
    from api.cli.ledger_key import LedgerKey
    from api.cli.operator_client import operator_client

    public = _key(key)
    with output.failing(), operator_client(api_url, api_key=api_key) as client:
        receipt = LedgerKey(client, file, FacilityId(facility)).name_log_key(public)
        typer.echo(
            f"{key} signs receipts of log {receipt.entry.log} from entry {receipt.entry.number} on"
        )


@ledger_key.command("give-back")
def give_back(facility: Facility, file: KeyFile, api_key: ApiKey, api_url: ApiUrl = None) -> None:
    """Give a log back what it lost of this key's entries, after its database was restored.

    Receipts stand beside the key, with what they are for. Exit code 1 if the log still lacks
    entries: other keys', which their agents give back, or some that nobody signed.
    """
    from api.cli.ledger_key import LedgerKey
    from api.cli.operator_client import operator_client

    with output.failing(), operator_client(api_url, api_key=api_key) as client:
        count, standing = LedgerKey(client, file, FacilityId(facility)).give_back()
        typer.echo(f"{count} entries were given back; the log has {standing['size']}")
        if standing["missing"]:
            typer.echo(f"Nobody has shown: {json.dumps(standing['missing'])}")
            raise typer.Exit(output.EXIT_FOUND)


@ledger_key.command("list")
def list_keys(
    facility: Facility, api_key: ApiKey, api_url: ApiUrl = None, as_json: Json = False
) -> None:
    """Show the keys of a facility's log, and when each signed last."""
    from api.cli.operator_client import operator_client
    from api.domain.json_text import as_integer, as_list, as_object
    from api.domain.metering.instants import format_instant

    with output.failing(), operator_client(api_url, api_key=api_key) as client:
        rows = as_list(client.get(f"/v1/facilities/{facility}/log/keys"))
        if as_json:
            typer.echo(json.dumps(rows))
            return
        if not rows:
            typer.echo("no key: nothing of this log is signed")
        for row in map(as_object, rows):
            state = "counts" if row["ended"] is None else f"ended by entry {row['ended']}"
            used = format_instant(as_integer(row["used_at_s"]))
            typer.echo(f"{row['key']}  {row['role']}  {row['name']}  {state}, last used {used}")


@ledger_key.command("sign")
def sign(
    facility: Facility,
    events: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="JSON array, or an event a line.")
    ],
    file: KeyFile,
    api_key: ApiKey,
    api_url: ApiUrl = None,
    as_json: Json = False,
) -> None:
    """Sign events and send them: prices, leases, corrections, adjustments.

    At most 1,000 of them. Exit code 1 if one was rejected.
    """
    from api.cli.ledger_key import LedgerKey, read_events_file
    from api.cli.operator_client import operator_client
    from api.domain.json_text import as_list, as_object

    with output.failing(), operator_client(api_url, api_key=api_key) as client:
        body = read_events_file(events)
        answer = LedgerKey(client, file, FacilityId(facility)).send(body)
        results = [as_object(row) for row in as_list(answer["results"])]
        if as_json:
            typer.echo(json.dumps(answer))
        else:
            for row in results:
                code = f": {row['code']}, {row['detail']}" if row.get("code") else ""
                typer.echo(f"{row['id']}  {row['status']}{code}")
        if any(row["status"] == "rejected" for row in results):
            raise typer.Exit(output.EXIT_FOUND)
