"""`rentroll index`: the index as a process of its own; `rentroll reindex`: the index made anew."""

import json
import threading
from typing import Annotated

import typer

from api.cli import output
from api.cli.arguments import Json
from api.cli.collecting import rarely_collecting
from api.cli.environment import settings as _settings
from api.cli.stopping import end_in_time, stop_event
from api.errors import AppError
from api.telemetry.logs import log


def index(
    once: Annotated[bool, typer.Option("--once", help="Up to the head, then exit.")] = False,
) -> None:
    """Follow the chain into the database, until told to stop: the index as its own process.

    `rentroll worker --no-index` leaves it to this one. Both at once do no harm. The state of the
    index is shown by `GET /v1/status` and `rentroll doctor`.
    """
    from api.cli import wiring as cli_wiring
    from api.cli.monitoring import watched
    from api.db.migrate import database_problems

    with output.failing():
        settings, stop = _settings(), stop_event()
        end_in_time(stop, "index", once=once)
        rarely_collecting()
        with (
            cli_wiring.open_indexer(settings, stop) as running,
            watched(settings, "index", lambda: database_problems(running.engine)) as pulse,
        ):
            # Also at its start: whoever indexed last may have ended before it published.
            unpublished = True
            while not stop.is_set():
                pulse.beat()
                try:
                    done = running.indexer.advance()
                    unpublished = unpublished or done.added > 0
                    if unpublished:
                        # It asks the node too, which may fail at this very moment.
                        running.publish()
                        unpublished = False
                except AppError as error:
                    if once:
                        raise
                    log("index", error=error.message)
                else:
                    if done.added or done.rolled_back:
                        log(
                            "index",
                            events=done.added,
                            behind=done.behind,
                            rolled_back=done.rolled_back,
                        )
                    if once:
                        raise typer.Exit(1 if done.behind else 0)
                stop.wait(settings.poll_s)


def reindex(
    from_chain: Annotated[
        bool,
        typer.Option(
            "--from-chain",
            help="Forget all and read the chain from the deployment on: after a halt, or where logs"
            " are missing. Pages show what is read so far.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Make the index anew from the logs that are kept; no node is asked.

    Needed after an upgrade that reads more of the logs, or where rows were damaged. With
    `--from-chain` it is also the way out of a halt, once you know that the node's chain is right.
    """
    from api.cli import wiring as cli_wiring
    from api.epochs.reindex import decode_again, read_again

    with output.failing():
        settings, stop = _settings(), stop_event() if from_chain else threading.Event()
        rarely_collecting()
        with (
            cli_wiring.open_indexer(settings, stop) as running,
            output.progress("blocks" if from_chain else "logs", quiet=as_json) as advance,
        ):
            if from_chain:
                count = read_again(running.engine, running.indexer, advance)
            else:
                count = decode_again(running.engine, running.contracts, advance)
            state = running.state()
        said = {
            "block" if from_chain else "logs": count,
            "state": None if state is None else state.state,
            "reason": None if state is None else state.reason,
        }
        if as_json:
            typer.echo(json.dumps(said))
        else:
            typer.echo(", ".join(f"{name} {value}" for name, value in said.items() if value))
        well = state is None or state.state in {"following", "catching_up"}
        raise typer.Exit(0 if well and not stop.is_set() else 1)
