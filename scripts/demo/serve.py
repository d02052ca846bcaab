"""`make serve`: the web application on a filled, living demo.

A finished story of four facilities first, then facilities whose epochs last two minutes: metering
keeps arriving, epochs close, rent is paid, revenue streams, and a sale is always open. Stops with
Ctrl-C; nothing is kept.
"""

import argparse
import json
import shutil
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from rich.console import Console

from api.chain import calldata
from scripts.demo.living import Living
from scripts.demo.simulate import DAY_S
from scripts.demo.sources import SimulationSource
from scripts.demo.story import Story
from scripts.demo.trouble import CLOSING_DAYS
from scripts.dev.devchain import ROOT
from scripts.dev.stack import (
    ACCOUNTS_FILE,
    ATTESTER_ACCOUNTS,
    COMPLIANCE,
    HOLDERS,
    INVESTOR,
    OPERATORS,
    RENTER,
    Stack,
    wallet,
)

SEED, DAYS, PORT = 20_261_124, 5, 8_000
CHALLENGE_WINDOW_S, GRACE_S = 120, 90
NEWCOMER, STRANGER = 15, 16
_MICROS = 1_000_000
_LEAD_S = 7_200


def accounts() -> list[dict[str, str]]:
    """Test accounts by role, as the pages explain them."""
    roles = [
        (
            NEWCOMER,
            "investor",
            "New investor",
            "On the allow-list, 50,000 test dollars, no units yet: buy with it.",
        ),
        (
            HOLDERS[0],
            "investor",
            "Investor with units",
            "Holds units of every facility: claim with it.",
        ),
        (
            STRANGER,
            "investor",
            "Not on the allow-list",
            "Has 50,000 test dollars, and is refused by name.",
        ),
        *(
            (index, "operator", f"Operator {number}", "Sign in to the operator console with it.")
            for number, index in enumerate(OPERATORS, start=1)
        ),
        (RENTER, "renter", "Renter", "Pays the rent of all leases, by itself."),
        *(
            (index, "attester", f"Attester {number}", "Recomputes and signs, by itself.")
            for number, index in enumerate(ATTESTER_ACCOUNTS, start=1)
        ),
        (
            COMPLIANCE,
            "compliance",
            "Compliance",
            "Keeps the allow-list and every role of the contracts.",
        ),
    ]
    return [
        {"role": role, "address": wallet(index).address, "name": name, "note": note}
        for index, role, name, note in roles
    ]


def _newcomers(stack: Stack) -> None:
    """Dollars for both, and a place on the allow-list for one of them."""
    token = stack.deployment.settlement_token
    for index in (NEWCOMER, STRANGER):
        account = wallet(index).address
        stack.send(
            account, token, calldata.call("SettlementToken", "mint", account, 50_000 * _MICROS)
        )
    enter = calldata.call("InvestorRegistry", "setInvestor", wallet(NEWCOMER).address, INVESTOR)
    stack.send(wallet(COMPLIANCE).address, stack.deployment.investor_registry, enter)


def _history(stack: Stack, source: SimulationSource, console: Console) -> Story:
    """The story of `make demo`, in a few minutes of work."""
    stack.deploy()
    stack.start_api()
    stack.start_attesters()
    stack.start_worker()
    story = Story(stack, source, console)
    story.register()
    for day in range(source.days):
        story.push(day)
        story.close(day, kill_worker=False)
        story.money(day)
    story.finish()
    return story


def _begin_s(now_s: int, days: int) -> int:
    """Start of a story that is over, with its default and closing, by now."""
    return now_s // DAY_S * DAY_S - (days + CLOSING_DAYS + 2) * DAY_S


def serve(folder: Path, *, days: int, port: int, console: Console) -> None:
    """Fill the stack, then keep it alive until interrupted."""
    now_s = int(time.time())
    source = SimulationSource(SEED, days, start_s=_begin_s(now_s, days))
    folder.mkdir(parents=True)
    (folder / ACCOUNTS_FILE).write_text(json.dumps(accounts()))
    stack = Stack(
        folder,
        start_s=source.start_s - _LEAD_S,
        challenge_window_s=CHALLENGE_WINDOW_S,
        grace_s=GRACE_S,
        port=port,
    )
    with stack:
        console.print(f"{source.about}: a minute or two, then the pages open")
        story = _history(stack, source, console)
        _newcomers(stack)
        stack.chain.set_time(int(time.time()))
        # The story ends without them.
        stack.start_attesters()
        living = Living(stack, story, console)
        living.start()
        console.print(f"\n[bold]Open {stack.api_url}[/bold]", highlight=False)
        console.print(f"Chain (JSON-RPC): {stack.chain.rpc_url}, chain id 31337", highlight=False)
        console.print("Test accounts are explained on the page. Running until you press Ctrl-C.")
        try:
            living.run()
        finally:
            living.stop()


def main() -> int:
    """Read arguments and run."""
    parser = argparse.ArgumentParser(prog="make serve", description=__doc__)
    parser.add_argument("--port", type=int, default=PORT, help="of pages and API; 0: a free one")
    parser.add_argument("--days", type=int, default=DAYS, help="days of finished history")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "serve")
    arguments = parser.parse_args()
    console = Console(width=150)

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    shutil.rmtree(arguments.folder, ignore_errors=True)
    try:
        serve(arguments.folder, days=arguments.days, port=arguments.port, console=console)
    except KeyboardInterrupt:
        return 130
    except RuntimeError as error:
        console.print(f"[red]the demo stopped:[/red] {error}", highlight=False)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
