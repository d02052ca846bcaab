"""`rentroll`: the service, its worker and attesters, import, closing, verification, doctor."""

from pathlib import Path
from typing import Annotated

import typer

from api.cli import (
    agent_commands,
    arguments,
    attester_commands,
    bill_commands,
    escrow_commands,
    event_commands,
    import_commands,
    index_commands,
    intent_commands,
    key_commands,
    lease_commands,
    ledger_key_commands,
    log_commands,
    output,
    queue_commands,
    refusal_commands,
    replace_commands,
    rescue_commands,
    takeover_commands,
    watch_commands,
)
from api.cli.arguments import Facility, Json
from api.cli.collecting import rarely_collecting
from api.cli.environment import settings as _settings
from api.cli.stopping import stop_event
from api.domain.units import FacilityId

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Metered GPU rental, attested on-chain. Settings come from the environment and .env:"
    " DATABASE_URL and RENTROLL_*.",
    epilog="Exit codes: 0 fine, 1 something does not hold, 2 wrong usage, 3 not reachable.",
)
app.add_typer(agent_commands.agent, name="agent")
app.add_typer(attester_commands.attester, name="attester")
app.add_typer(key_commands.register, name="register")
app.add_typer(key_commands.keys, name="keys")
app.add_typer(ledger_key_commands.ledger_key, name="ledger-key")
app.add_typer(log_commands.log, name="log")
app.add_typer(lease_commands.lease, name="lease")
app.add_typer(bill_commands.bills, name="bills")
app.add_typer(rescue_commands.evidence, name="evidence")
app.add_typer(escrow_commands.escrow, name="escrow")
app.add_typer(event_commands.events, name="events")
app.add_typer(import_commands.importers, name="import")
app.add_typer(intent_commands.intents, name="intents")
app.add_typer(queue_commands.queue, name="queue")
app.add_typer(refusal_commands.refuse, name="refuse")
app.add_typer(replace_commands.replace, name="replace")
app.command("backup")(rescue_commands.backup)
app.command("restore")(rescue_commands.restore)
app.command("takeover")(takeover_commands.takeover)
app.command("challenge")(watch_commands.challenge)
app.command("watch")(watch_commands.watch)
app.command("index")(index_commands.index)
app.command("reindex")(index_commands.reindex)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to bind.")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 picks a free one.")] = None,
) -> None:
    """Serve the HTTP API; migrates the database first."""
    from api.cli.server import run_server
    from api.db.migrate import upgrade
    from api.main import create_app
    from api.routes.service import service_of

    settings = _settings()
    with output.failing():
        application = create_app(settings)
        service = service_of(application)
        # Here, and not only when the server starts: its failure would be a stack trace.
        upgrade(service.engine)
        rarely_collecting()
        run_server(application, service.readiness.problems, settings, host=host, port=port)


@app.command()
def worker(
    once: Annotated[bool, typer.Option("--once", help="One round, then exit.")] = False,
    index: Annotated[
        bool, typer.Option("--index/--no-index", help="Index too, or leave it to `rentroll index`.")
    ] = True,
) -> None:
    """Close epochs, post statements, settle and index, until told to stop.

    What fails is tried again later; `rentroll queue list` says what and why.
    """
    from api.cli.worker_process import run_worker

    with output.failing():
        settings = _settings()
        stop = stop_event()
        rarely_collecting()
        run_worker(settings, stop, once=once, index=index)


@app.command()
def close(
    facility: Annotated[int | None, typer.Option(help="Only this facility.")] = None,
    as_json: Json = False,
) -> None:
    """Close every epoch whose cut-off has passed, now: by this clock, and by final blocks."""
    from api.cli import wiring as cli_wiring

    with output.failing():
        with output.progress("epochs", quiet=as_json) as advance:
            rarely_collecting()
            only = None if facility is None else FacilityId(facility)
            closed = cli_wiring.close_now(_settings(), only, on_progress=advance)
        output.show_closed(closed, as_json=as_json)


@app.command()
def verify(
    rpc_url: Annotated[str, typer.Argument(help="JSON-RPC of the chain.")],
    evidence: Annotated[str, typer.Argument(help="Evidence folder or http(s) URL.")],
    registry: Annotated[
        str | None, typer.Option(help="StatementRegistry that you trust; else the evidence's.")
    ] = None,
    at: Annotated[int | None, typer.Option(min=0, help="Verify as of this block.")] = None,
    max_age: Annotated[
        int, typer.Option(min=0, help="Oldest newest block of a node that is up to date, seconds.")
    ] = 600,
    any_age: Annotated[
        bool, typer.Option("--any-age", help="Of chains whose time is simulated: any age will do.")
    ] = False,
    receipts: Annotated[
        Path | None,
        typer.Option(help="Receipts that the service gave you, a file or a folder: JSON."),
    ] = None,
    lease: arguments.OneLease = None,
    renter: arguments.OneRenter = None,
    secret: arguments.NameSecret = None,
    as_json: Json = False,
) -> None:
    """Verify every statement, settlement and claim from chain and evidence alone.

    Exit codes: 0 verified; 1 something does not hold, or the evidence is none; 2 wrong use;
    3 the node does not answer, or answers nonsense. docs/EVIDENCE.md lists the codes of findings.

    Example: rentroll verify https://rpc.example https://gpu.example/v1/evidence --registry 0x…
    """
    from api.chain.client import ChainClient
    from api.cli.verify_output import show_report
    from api.clock import system_clock
    from api.evidence_store import open_evidence
    from api.verify.names import ShownName
    from api.verify.receipt_files import read_receipts
    from api.verify.verify import verify as run

    named = arguments.named(lease, renter, secret)
    with output.failing():
        with (
            ChainClient(rpc_url) as client,
            open_evidence(evidence) as source,
            output.progress("verifying blocks", quiet=as_json) as advance,
        ):
            rarely_collecting()
            report = run(
                client,
                source,
                registry=registry,
                at=at,
                now_s=None if any_age else system_clock(),
                max_age_s=max_age,
                shown=None if named is None else ShownName(*named),
                receipts=() if receipts is None else read_receipts(receipts),
                on_progress=advance,
            )
        show_report(report, as_json=as_json)
        raise typer.Exit(0 if report.ok else 1)


@app.command()
def doctor(as_json: Json = False) -> None:
    """Check tools, database, chain, contracts, evidence and clock, and say what to do."""
    from api.cli.doctor import diagnose

    checks = diagnose(_settings())
    output.show_checks(checks, as_json=as_json)
    raise typer.Exit(1 if any(c.level == "fail" for c in checks) else 0)


@app.command("sign-order")
def sign_order(
    key_file: Annotated[Path, typer.Argument(help="Key of the facility's gpuOperator, hex.")],
    holder: Annotated[str, typer.Argument(callback=arguments.address, help="Who may burn units.")],
    token_id: Annotated[int, typer.Argument(min=0, help="Tranche: facility x 256 + rank.")],
    units: Annotated[int, typer.Argument(min=1, max=2**40 - 1, help="Units to burn.")],
    lease: Annotated[
        str, typer.Argument(callback=arguments.hash_hex, help="Lease hash that will deliver.")
    ],
    days: Annotated[int, typer.Option(min=1, max=366, help="How long the order counts.")] = 7,
) -> None:
    """Sign a delivery order and print the text that its holder pastes. Nothing is sent.

    Needs the deployment file, and no service. Cancel with `DeliveryDesk.cancelOrder`.
    """
    from api.cli import wiring as cli_wiring

    with output.failing():
        values = (holder, token_id, units, bytes.fromhex(lease[2:]))
        typer.echo(cli_wiring.sign_order(_settings(), key_file, *values, days=days))


@app.command("duties")
def duties(
    facility: Facility,
    attester: Annotated[str, typer.Argument(callback=arguments.address, help="Attester.")],
    as_json: Json = False,
) -> None:
    """Show what an attester did and earned, and print the transactions that bring its pay.

    Anybody may send them; nothing is. The attester then takes it with `AttesterDesk.withdraw`.
    """
    from api.cli.duties import duties_of

    with output.failing():
        output.show_duties(duties_of(_settings(), FacilityId(facility), attester), as_json=as_json)


def main() -> None:
    """Entry point."""
    app()


if __name__ == "__main__":
    main()
