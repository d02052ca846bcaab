"""The command line: help, exit codes and sentences. 0 fine, 1 found, 2 usage, 3 not reachable."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from click.testing import Result
from sqlalchemy import select
from typer.testing import CliRunner

from api.chain.signer import LocalSigner, recover
from api.cli.commands import app
from api.db.migrate import upgrade
from api.db.session import open_engine, reading
from api.db.tables.access import api_keys
from api.domain.capital.orders import DeliveryOrder, order_digest
from api.domain.hashing import sha256
from api.domain.units import Bytes32, TrancheId
from scripts.dev.devchain import dev_chain
from tests.factories import HOUR_S, Ledger
from tests.integration.service import NO_CHAIN, deployment_document
from tests.launching import note_funded

ADDRESS = "0x" + "a" * 40


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs `rentroll` in an empty folder; keywords are settings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RENTROLL_RPC_URL", NO_CHAIN)
    monkeypatch.delenv("DATABASE_URL", raising=False)

    def call(*arguments: str, **settings: str) -> Result:
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        return CliRunner().invoke(app, list(arguments))

    return call


def _sentence(result: Result, exit_code: int) -> str:
    """Standard error of a failed run: sentences, never a stack trace."""
    assert result.exit_code == exit_code, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert result.stderr
    return result.stderr


def _commands(command: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = [path]
    for name, inner in getattr(command, "commands", {}).items():
        found += _commands(inner, (*path, name))
    return found


def test_help__of_every_command__explains_it(run: Any) -> None:
    paths = _commands(typer.main.get_command(app))

    assert len(paths) == 99
    for path in paths:
        result = run(*path, "--help")
        assert result.exit_code == 0
        assert "Usage:" in result.output
    assert "Exit codes: 0 fine, 1" in run("--help").output


def test_usage_errors__exit_2(run: Any, tmp_path: Path) -> None:
    helios = ("import", "helios", str(tmp_path))
    cases = [
        ("nonsense",), ("verify",), ("verify", "x"), ("close", "--facility", "x"),
        ("register", "operator", "n", "no-address"), ("register", "operator", "", ADDRESS),
        ("register", "attester", "a\0b", ADDRESS), ("serve", "--port", "x"), helios,
        ("import", "helios", "absent", "--api-key", "k"),
        (*helios, "--api-key", "k", "--utc-offset", "Berlin"),
    ]  # fmt: skip

    for arguments in cases:
        _sentence(run(*arguments), 2)


def test_settings__that_are_wrong__exit_2_naming_them_without_values(run: Any) -> None:
    for command in ("doctor", "close", "worker", "serve"):
        error = _sentence(run(command, RENTROLL_PORT="secret-value"), 2)
        assert "RENTROLL_PORT" in error
        assert "secret-value" not in error
    run("doctor", RENTROLL_PORT="0")
    error = _sentence(run("close", DATABASE_URL="nonsense-secret"), 2)
    assert "DATABASE_URL" in error
    assert "secret" not in error


def test_doctor__nothing_set_up__says_what_to_do_and_changes_nothing(
    run: Any, tmp_path: Path
) -> None:
    text, machine = run("doctor"), run("doctor", "--json")

    assert text.exit_code == machine.exit_code == 1
    assert "start a node, or set RENTROLL_RPC_URL" in text.output
    assert "deploy" in text.output
    checks = json.loads(machine.stdout)
    levels = {check["name"]: check["level"] for check in checks}
    assert levels["chain"] == levels["contracts"] == "fail"
    assert levels["database"] == levels["evidence"] == "ok"
    assert all(c["advice"] for c in checks if c["level"] != "ok")
    assert list(tmp_path.iterdir()) == []


def test_database__not_reachable__exits_3_without_its_password(run: Any) -> None:
    url = "postgresql://u:c0ffee@127.0.0.1:1/x"

    for command in ("close", "worker", "serve"):
        arguments = (command, "--once") if command == "worker" else (command,)
        error = _sentence(run(*arguments, DATABASE_URL=url), 3)
        assert "DATABASE_URL" in error
        assert "c0ffee" not in error
    assert "fail  database" in run("doctor").output


def test_close__json__is_a_list_of_epochs(run: Any, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/rentroll.db"
    engine = open_engine(url)
    upgrade(engine)
    ledger = Ledger(engine, tmp_path)
    ledger.ingest(ledger.usage(0, 0, HOUR_S))
    ledger.add_facility(range(10, 11))  # never offered on-chain: nothing of it is closed
    note_funded(ledger)

    # No chain, no time: a cut-off is past when a block is.
    assert "does not answer" in _sentence(run("close", DATABASE_URL=url), 3)
    with dev_chain() as chain:
        first = run("close", "--json", RENTROLL_RPC_URL=chain.rpc_url)
        other = run("close", "--json", "--facility", "77")
        text = run("close")

    assert first.exit_code == other.exit_code == text.exit_code == 0
    rows = json.loads(first.stdout)
    assert [(r["epoch"], r["closing"]) for r in rows] == [
        *((0, False), (1, False), (2, False)),
        (3, True),
    ]
    assert rows[0] == {
        "facility_id": 1, "epoch": 0, "closing": False, "line_count": 1,
        "gross_revenue_micros": 1_000_000,
    }  # fmt: skip
    assert json.loads(other.stdout) == []
    assert "0 epochs closed" in text.output


def test_register__keys__are_shown_once_and_stored_hashed(run: Any, tmp_path: Path) -> None:
    first = run("register", "operator", "Aurora", ADDRESS, "--json")
    attester = run("register", "attester", "a-1", ADDRESS)
    again = run("register", "operator", "Aurora", ADDRESS)

    key = json.loads(first.stdout)["api_key"]
    assert attester.exit_code == 0
    assert "exists" in _sentence(again, 1)
    with reading(open_engine(f"sqlite:///{tmp_path}/var/rentroll.db")) as connection:
        stored = connection.execute(select(api_keys.c.key_hash)).scalars().all()
    assert sha256(key.encode()) in stored
    assert len(stored) == 2


def _evidence(folder: Path) -> Path:
    (folder / "deployment.json").write_bytes(deployment_document())
    return folder


def test_verify__rpc_not_reachable__exits_3(run: Any, tmp_path: Path) -> None:
    for rpc_url in (NO_CHAIN, "no-url"):
        error = _sentence(run("verify", rpc_url, str(_evidence(tmp_path))), 3)
        assert error.startswith("error: the chain's RPC endpoint does not answer")


def test_verify__no_or_broken_evidence__exits_1(run: Any, tmp_path: Path) -> None:
    assert "no evidence" in _sentence(run("verify", NO_CHAIN, str(tmp_path)), 1)
    (tmp_path / "deployment.json").write_text("{")
    error = _sentence(run("verify", NO_CHAIN, str(tmp_path), "--json"), 1)
    assert "deployment.json" in error


def test_worker_and_attester__once__tell_failure_by_exit_code(run: Any, tmp_path: Path) -> None:
    assert "deploy" in _sentence(run("worker", "--once"), 1)
    assert "attester.toml cannot be read" in _sentence(run("attester", "run", "--once"), 2)
    settings = {"RENTROLL_DEPLOYMENT_FILE": str(_evidence(tmp_path) / "deployment.json")}
    assert run("attester", "init", "--rpc", NO_CHAIN).exit_code == 0
    (tmp_path / "api.key").touch(mode=0o600)
    (tmp_path / "api.key").write_text("k")

    assert "does not answer" in _sentence(run("worker", "--once", **settings), 3)
    assert "does not answer" in _sentence(run("attester", "run", "--once"), 3)


def test_sign_order__key_in_a_file__prints_what_the_contract_takes(
    run: Any, tmp_path: Path
) -> None:
    """An operator without a browser signs offline: the key's file and the deployment are enough."""
    key = tmp_path / "operator.key"
    key.write_text("0x" + "11" * 32)
    key.chmod(0o600)
    deployment = tmp_path / "deployment.json"
    deployment.write_bytes(deployment_document())
    lease = "0x" + "5a" * 32
    arguments = (str(key), "0x" + "a1" * 20, str(7 << 8 | 1), "12", lease)
    settings = {"RENTROLL_DEPLOYMENT_FILE": str(deployment)}

    result = run("sign-order", *arguments, "--days", "2", **settings)
    again = run("sign-order", *arguments, **settings)

    assert result.exit_code == 0, result.output
    text = json.loads(result.stdout)
    signature = bytes.fromhex(text.pop("signature")[2:])
    order = DeliveryOrder(
        holder=text["holder"],
        id=TrancheId(int(text["id"])),
        units=int(text["units"]),
        lease=Bytes32(bytes.fromhex(text["lease"][2:])),
        nonce=int(text["nonce"]),
        deadline_s=int(text["deadline"]),
    )
    digest = order_digest(order, chain_id=1, desk=ADDRESS)
    assert recover(digest, signature) == LocalSigner("0x" + "11" * 32).address
    assert (order.id, order.units, text["lease"]) == (7 << 8 | 1, 12, lease)
    assert json.loads(again.stdout)["nonce"] != text["nonce"]


@pytest.mark.parametrize(("place", "value"), [(1, "0x12"), (3, "0"), (4, "lease-a"), (2, "-1")])
def test_sign_order__argument_that_is_none__is_wrong_usage(
    run: Any, place: int, value: str
) -> None:
    arguments = ["key", "0x" + "a1" * 20, "1793", "12", "0x" + "5a" * 32]
    arguments[place] = value

    _sentence(run("sign-order", "--", *arguments), 2)


def test_sign_order__no_key_file__says_which(run: Any) -> None:
    result = run("sign-order", "nowhere", "0x" + "a1" * 20, "1793", "12", "0x" + "5a" * 32)

    assert "nowhere" in _sentence(result, 2)
