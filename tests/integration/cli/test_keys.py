"""`rentroll keys`: keys of everybody, at the machine of the service."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from sqlalchemy import update
from typer.testing import CliRunner

from api.access.key_text import id_of
from api.access.keys import KeyUses, caller_of_key
from api.chain.calldata import checksum
from api.cli.commands import app
from api.db.session import open_engine, transaction
from api.db.tables.access import api_keys
from api.errors import Unauthorized
from tests.integration.service import NO_CHAIN

ADDRESS = checksum("0x" + "a" * 40)
_SPEAKS = ("--attester", ADDRESS)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs `rentroll` in an empty folder, without a chain."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RENTROLL_RPC_URL", NO_CHAIN)
    # Keys live by this machine's clock, whatever chain there is.
    monkeypatch.setenv("RENTROLL_CLOCK", "chain")
    monkeypatch.delenv("DATABASE_URL", raising=False)

    def call(*arguments: str, code: int = 0) -> Result:
        result = CliRunner().invoke(app, list(arguments))
        assert result.exit_code == code, result.output
        return result

    return call


def _json(run: Any, *arguments: str) -> Any:
    return json.loads(run(*arguments, "--json").stdout)


def _works(folder: Path, key: str) -> bool:
    engine = open_engine(f"sqlite:///{folder}/var/rentroll.db")
    uses, now_s = KeyUses(engine), int(time.time())
    try:
        caller_of_key(engine, uses, text=key, admin_key=None, now_s=now_s)
    except Unauthorized:
        return False
    finally:
        uses.close()
    return True


def test_keys__made_rotated_revoked__are_listed_with_who_did_it(run: Any, tmp_path: Path) -> None:
    first = _json(run, "register", "operator", "Aurora", ADDRESS)["api_key"]
    made = _json(
        run, "keys", "create", "collector", "--operator", "1", "--scope", "events:write",
        "--days", "90",
    )  # fmt: skip

    rotated = _json(run, "keys", "rotate", made["key_id"], "--overlap-hours", "0")
    ended = _json(run, "keys", "revoke", id_of(first))
    again = run("keys", "revoke", id_of(first)).output

    assert (made["scopes"], made["role"], made["operator_id"]) == ("events:write", "operator", 1)
    assert rotated["replaces"] == made["key_id"]
    assert (ended["changed"], ended["state"]) == (True, "revoked")
    assert "nothing changed" in again
    working = [_works(tmp_path, key) for key in (first, made["api_key"], rotated["api_key"])]
    assert working == [False, False, True]
    listed = _json(run, "keys", "list", "--operator", "1")
    assert [(k["key_id"], k["created_by"]) for k in listed] == [(rotated["key_id"], "command line")]
    assert len(_json(run, "keys", "list", "--ended")) == 3
    changes = [(c["change"], c["name"]) for c in _json(run, "keys", "changes")]
    assert changes == [
        ("revoked", "first"), ("rotated", "collector"), ("created", "collector"),
        ("created", "collector"), ("created", "first"),
    ]  # fmt: skip


def test_keys__for_people__shows_whose_and_until_when_and_a_secret_once(run: Any) -> None:
    run("register", "operator", "Aurora", ADDRESS)
    made = run("keys", "create", "clerk", "--role", "admin", "--days", "1").output
    run("keys", "create", "a-1", "--role", "attester", "--attester", ADDRESS.lower())
    key_id = next(line for line in made.splitlines() if "key_id" in line).split()[1]
    secret = next(line for line in made.splitlines() if "api_key" in line).split()[1]

    rotated = run("keys", "rotate", key_id).output
    listed = run("keys", "list", "--role", "admin").output
    changes = run("keys", "changes", "--limit", "2").output

    assert "never shown again" in made
    assert f"replaces: {key_id}" in rotated
    assert f"{key_id}  ending  admin  clerk" in listed
    assert "may: keys:write operators:write read" in listed
    assert "replaced by rr_ad_" in listed
    assert "2 keys" in listed
    assert f"live  attester {ADDRESS}  a-1" in run("keys", "list").output
    assert changes.splitlines()[0].endswith("Z")
    assert "rotated" in changes
    assert secret not in listed + changes + rotated


@pytest.mark.parametrize(
    "arguments",
    [
        ("create", "n"), ("create", "n", "--role", "operator"), ("create", "n", "--role", "x"),
        ("create", "n", "--role", "attester", "--operator", "1"), ("revoke", "first"),
        ("create", "n", "--role", "attester"), ("create", "n", "--role", "admin", *_SPEAKS),
        ("create", "n", "--role", "attester", "--attester", "0x1"), ("register", "attester", "n"),
        ("create", "n", "--operator", "1", "--scope", "all"), ("rotate", "rr_op_short"),
        ("create", "a\nb", "--operator", "1"), ("rotate", "rr_op_" + "a" * 61),
    ],
)  # fmt: skip
def test_keys__wrong_usage__exits_2(run: Any, arguments: tuple[str, ...]) -> None:
    assert run("keys", *arguments, code=2).stderr


def test_keys__what_is_not_there_or_taken__exits_1_with_a_sentence(run: Any) -> None:
    run("register", "attester", "a-1", ADDRESS)
    cases = [
        (("create", "n", "--operator", "9"), "there is no operator 9"),
        (("create", "a-1", "--role", "attester", *_SPEAKS), "a live key has this name"),
        (
            ("create", "n", "--role", "attester", *_SPEAKS, "--scope", "keys:write"),
            "attest, read",
        ),
        (("revoke", "rr_op_" + "a" * 12), "there is no key"),
    ]

    for arguments, sentence in cases:
        assert sentence in run("keys", *arguments, code=1).stderr


def test_doctor__key_that_expires_soon__warns_until_it_is_rotated(run: Any, tmp_path: Path) -> None:
    run("register", "operator", "Aurora", ADDRESS)
    made = _json(run, "keys", "create", "soon", "--operator", "1", "--days", "10")
    _json(run, "keys", "create", "later", "--operator", "1", "--days", "20")

    before = run("doctor", code=1).output
    run("keys", "rotate", made["key_id"])
    engine = open_engine(f"sqlite:///{tmp_path}/var/rentroll.db")
    with transaction(engine) as connection:
        successor = update(api_keys).where(api_keys.c.name == "soon")
        connection.execute(successor.values(expires_at_s=int(time.time()) + 20 * 86_400))
    after = run("doctor", code=1).output

    assert "warn  API key" in before
    assert f"{made['key_id']} (soon) expires" in before
    assert "later" not in before
    assert "none expires within 14 days" in after
