"""`rentroll challenge` and `rentroll watch`: proving faults of posted statements."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli import arguments, output
from api.cli.arguments import Facility, Json
from api.cli.stopping import end_in_time, stop_event
from api.telemetry.logs import log, start_logging

if TYPE_CHECKING:
    from api.attester.challenge import Challenge, Challenger
    from api.attester.transact import Sent

Rpc = Annotated[str, typer.Option(envvar="RENTROLL_RPC_URL", help="A node of your own.")]
Evidence = Annotated[str, typer.Option(help="Evidence folder or http(s) URL.")]
Registry = Annotated[
    str, typer.Option(callback=arguments.address, help="StatementRegistry that you trust.")
]
KeyFile = Annotated[
    Path | None,
    typer.Option("--key", dir_okay=False, help="Key that sends and is paid: hex, or a keystore."),
]
PasswordFile = Annotated[
    Path | None, typer.Option("--password", dir_okay=False, help="Password of the keystore.")
]


@contextmanager
def _opened(
    rpc: str, evidence: str, registry: str, files: tuple[Path | None, Path | None]
) -> Iterator[tuple["Challenger", "Callable[[Challenge], Sent] | None"]]:
    """What looks for faults, and what sends a challenge; None without a key.

    files: of the key, and of its password.
    """
    from api.attester.challenge import Challenger
    from api.attester.transact import send_call
    from api.chain.client import ChainClient
    from api.chain.contracts import Contracts
    from api.chain.linked import linked_deployment
    from api.domain.units import Address
    from api.evidence_store import open_evidence
    from api.keys.keystore import local_key

    key, password = files
    signer = None if key is None else local_key(key, password_file=password)
    with ChainClient(rpc) as client, open_evidence(evidence) as source:
        contracts = Contracts(client, linked_deployment(client, Address(registry)))

        def send(challenge: "Challenge") -> "Sent":
            assert signer is not None
            return send_call(client, signer, to=challenge.to, data=challenge.data)

        yield Challenger(contracts, source), None if signer is None else send


def challenge(
    facility: Facility,
    epoch: Annotated[int, typer.Argument(min=0, help="Epoch, or the number of the closing.")],
    evidence: Evidence,
    registry: Registry,
    rpc: Rpc = "http://127.0.0.1:8545",
    key: KeyFile = None,
    password: PasswordFile = None,
    as_json: Json = False,
) -> None:
    """Look for a fault of a posted statement that its evidence proves, and print the transaction.

    With a key the transaction is sent: whoever proves a fault gets half of what its signers lose.
    The chain is asked first whether it takes the proof. Exit code 1: there is no such fault.
    """
    from api.domain.units import Epoch, FacilityId

    with (
        output.failing(),
        _opened(rpc, evidence, registry, (key, password)) as (found, send),
    ):
        posted = found.of(FacilityId(facility), Epoch(epoch))
        fault = found.look(posted.statement)
        if fault is None:
            typer.echo("no fault that can be proven on-chain", err=True)
            raise typer.Exit(output.EXIT_FOUND)
        sent = None if send is None else send(fault)
        said = {
            "fault": fault.kind.name.lower(),
            "lines": list(fault.lines),
            "until_s": posted.final_s,
            "to": fault.to,
            "data": fault.data,
        }
        if sent is not None:
            said |= {"transaction": "0x" + sent.tx_hash.hex(), "succeeded": sent.succeeded}
        if as_json:
            typer.echo(json.dumps(said))
        else:
            typer.echo(fault.sentence(), err=True)
            shown = ("transaction", "succeeded") if sent else ("to", "data")
            typer.echo(json.dumps({name: said[name] for name in shown}))
        if sent is not None and not sent.succeeded:
            raise typer.Exit(output.EXIT_FOUND)


def watch(
    evidence: Evidence,
    registry: Registry,
    rpc: Rpc = "http://127.0.0.1:8545",
    key: KeyFile = None,
    password: PasswordFile = None,
    every: Annotated[int, typer.Option(min=1, max=86_400, help="Seconds between rounds.")] = 60,
    once: Annotated[bool, typer.Option("--once", help="One round, then exit.")] = False,
) -> None:
    """Look at every posted statement of every facility, and challenge faults that can be proven.

    Without a key it says what it would do. What no proof on-chain shows, `rentroll verify` finds.
    Exit codes of --once: 0 fine, 1 there is a fault, or a statement that cannot be judged.
    """
    from api.attester.watching import Watcher
    from api.errors import AppError

    stop = stop_event()
    with (
        output.failing(),
        _opened(rpc, evidence, registry, (key, password)) as (found, send),
    ):
        start_logging("watch")
        end_in_time(stop, "watch", once=once)
        watcher = Watcher(found, send=send, log=log)
        if once:
            look = watcher.one()
            raise typer.Exit(output.EXIT_FOUND if look.faults or look.unjudged else 0)
        log("watch", registry=registry, sends=send is not None)
        while not stop.is_set():
            try:
                watcher.one()
            except AppError as error:
                log("watch", error=error.message)
            stop.wait(every)
