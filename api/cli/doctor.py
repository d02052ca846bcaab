"""Doctor: what is set up, what is not, and what to do about it."""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from api.access.key_list import expiring_keys
from api.chain.client import ChainClient
from api.chain.deployment import code_problems, load_deployment
from api.cli.relayer import open_relayer
from api.clock import AHEAD_S
from api.db import outbox as outbox_rows
from api.db.session import opened, ping, reading
from api.domain.metering.instants import format_instant
from api.domain.transactions import FRESH_S
from api.epochs.index import state_of
from api.errors import AppError, DatabaseUnavailable
from api.settings import ClockSource, Settings

# Time to bring a successor to where the old key is.
_EXPIRES_SOON_S = 14 * 86_400


@dataclass(frozen=True, slots=True)
class Check:
    """One finding: `ok`, `warn` or `fail`, and what to do."""

    name: str
    level: str
    message: str
    advice: str | None = None


_NO_GAS = "`rentroll intents list` shows what waits for it"


def diagnose(settings: Settings) -> list[Check]:
    """Run every check; none of them changes anything."""
    areas: tuple[Callable[[Settings], list[Check]], ...] = (
        _tools,
        _database,
        _api_keys,
        _chain,
        _contracts,
        _index,
        _evidence,
        _keys,
        _transactions,
        _proxies,
    )
    return [check for area in areas for check in area(settings)]


def _proxies(settings: Settings) -> list[Check]:
    public = settings.public_url or ""
    if not public.startswith("https://") or settings.trusted_proxies:
        return []
    message = "nobody's X-Forwarded-For is believed: all who come through a proxy share one limit"
    advice = "name the proxy that speaks TLS in RENTROLL_TRUSTED_PROXIES"
    return [Check("proxies", "warn", message, advice)]


def _tools(_settings: Settings) -> list[Check]:
    checks = [Check("python", "ok", ".".join(map(str, sys.version_info[:3])))]
    node = shutil.which("node")
    if node is None:
        advice = "install Node 20+ to compile contracts and run a local chain"
        return [*checks, Check("node", "warn", "not found", advice)]
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    return [*checks, Check("node", "ok", version.stdout.strip())]


def _database(settings: Settings) -> list[Check]:
    try:
        url = make_url(settings.database_url)
        if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
            # Opening would make it, and doctor changes nothing.
            return [Check("database", "ok", f"{url.database} will be made")]
        with opened(settings.database_url) as engine:
            ping(engine)
    except (DatabaseUnavailable, SQLAlchemyError, OSError, ValueError) as error:
        message = type(error).__name__
        return [Check("database", "fail", message, "check DATABASE_URL and that it runs")]
    return [Check("database", "ok", settings.database_url.split(":", 1)[0] + " answers")]


def _api_keys(settings: Settings) -> list[Check]:
    """Keys that stop working soon. Without a database of now there is nothing to say."""
    now_s = int(time.time())
    try:
        url = make_url(settings.database_url)
        if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
            return []
        with opened(settings.database_url) as engine, reading(engine) as connection:
            keys = expiring_keys(connection, now_s=now_s, until_s=now_s + _EXPIRES_SOON_S)
    except (DatabaseUnavailable, SQLAlchemyError, OSError, ValueError):
        return []
    advice = "rentroll keys rotate KEY, or the console: the old key works on for a day"
    return [
        Check(
            "API key",
            "warn",
            f"{key.key_id} ({key.name}) expires {format_instant(key.expires_at_s or 0)}",
            advice,
        )
        for key in keys
    ] or [Check("API keys", "ok", "none expires within 14 days")]


def _chain(settings: Settings) -> list[Check]:
    try:
        with ChainClient(settings.rpc_urls) as client:
            chain_id, head = client.chain_id(), client.head()
    except AppError as error:
        advice = "start a node, or set RENTROLL_RPC_URL"
        return [Check("chain", "fail", error.message, advice)]
    checks = [Check("chain", "ok", f"chain {chain_id}, block {head.number}")]
    ahead_s = int(time.time()) - head.time_s
    if settings.clock is ClockSource.CHAIN:
        checks.append(Check("clock", "ok", "follows the newest block"))
    elif ahead_s > AHEAD_S:
        message = f"this machine is {ahead_s} s ahead of the newest block: records follow the block"
        advice = "check this machine's time and the node; a simulated chain wants"
        checks.append(Check("clock", "warn", message, f"{advice} RENTROLL_CLOCK=chain"))
    elif ahead_s < -AHEAD_S:
        message = f"this machine is {-ahead_s} s behind the newest block: epochs close late"
        checks.append(Check("clock", "warn", message, "check this machine's time and the node"))
    else:
        checks.append(Check("clock", "ok", f"within {abs(ahead_s)} s of the newest block"))
    return checks


def _contracts(settings: Settings) -> list[Check]:
    try:
        deployment = load_deployment(settings.deployment_file)
    except AppError as error:
        return [Check("contracts", "fail", error.message, "deploy again")]
    if deployment is None:
        advice = "deploy (`tools/brownie run deploy --network rentroll`)"
        return [Check("contracts", "fail", f"no {settings.deployment_file}", advice)]
    try:
        with ChainClient(settings.rpc_urls) as client:
            problems = code_problems(client, deployment)
    except AppError as error:
        return [Check("contracts", "fail", error.message, "the chain must answer first")]
    if problems:
        advice = "is this the right node and deployment file?"
        return [Check("contracts", "fail", problem, advice) for problem in problems]
    return [Check("contracts", "ok", f"bytecode as deployed on chain {deployment.chain_id}")]


def _index(settings: Settings) -> list[Check]:
    """How the copy of the chain stands. Without a database of now there is nothing to say."""
    try:
        url = make_url(settings.database_url)
        if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
            return []
        with opened(settings.database_url) as engine:
            state = state_of(engine)
    except (DatabaseUnavailable, SQLAlchemyError, OSError, ValueError):
        return []
    if state is None:
        return [Check("index", "ok", "nothing is read yet: `rentroll worker` does")]
    since = f"since {format_instant(state.since_s)}"
    said = f"{state.state} {since}, final up to block {state.final_number}"
    if state.reason is None:
        return [Check("index", "ok", said)]
    level = "fail" if state.state in {"halted", "incomplete"} else "warn"
    return [Check("index", level, f"{said}: {state.reason}", "the reason names the way out")]


def _evidence(settings: Settings) -> list[Check]:
    folder = settings.evidence_dir
    if folder.exists() and not folder.is_dir():
        return [Check("evidence", "fail", f"{folder} is no folder", "set RENTROLL_EVIDENCE_DIR")]
    present = "exists" if folder.exists() else "will be made"
    return [Check("evidence", "ok", f"{folder} {present}")]


def _keys(settings: Settings) -> list[Check]:
    try:
        with open_relayer(settings) as key:
            address = None if key is None else key.address
    except AppError as error:
        return [Check("relayer key", "fail", error.message, "nothing is posted or settled")]
    if address is None:
        advice = "set RENTROLL_RELAYER_KEY_FILE where the worker should post and settle"
        return [Check("relayer key", "warn", "none: the worker is a dry run", advice)]
    return [Check("relayer key", "ok", f"of {address}")]


def _due_since_s(settings: Settings) -> int:
    """Since when something was found due that still is. A simulated chain's time tells nothing."""
    return 0 if settings.clock is ClockSource.CHAIN else int(time.time()) - FRESH_S


def _transactions(settings: Settings) -> list[Check]:
    """What the relayer cannot send, and why. Without a database of now there is nothing to say."""
    try:
        url = make_url(settings.database_url)
        if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
            return []
        with opened(settings.database_url) as engine, reading(engine) as connection:
            problems = outbox_rows.relayer_problems(connection)
            refused = outbox_rows.refused_count(connection, due_since_s=_due_since_s(settings))
            waiting = outbox_rows.open_count(connection)
    except (DatabaseUnavailable, SQLAlchemyError, OSError, ValueError):
        return []
    checks = [
        Check("transactions", "fail", f"nothing is sent: {row.problem}", _NO_GAS)
        for row in problems
    ]
    if refused:
        message = f"{refused} would revert, and are tried again later"
        checks.append(Check("transactions", "warn", message, "rentroll intents list says why"))
    return checks or [Check("transactions", "ok", f"{waiting} under way, none refused")]
