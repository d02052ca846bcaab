"""Settings of the public routes: what is wrong is said at the start."""

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, insert, text

from api.chain.deployment import CONTRACTS
from api.db.migrate import upgrade
from api.db.session import open_engine, reading, transaction
from api.db.tables.chain import chain_blocks, chain_events
from api.errors import Misconfigured
from api.main import create_app
from api.settings import Settings
from tests.integration.service import NO_CHAIN, deployment_document

_ACCOUNT = {"role": "investor", "address": "0x" + "a" * 40, "name": "Ann", "note": "Holds units."}


def _app(folder: Path, **changes: Any) -> Any:
    values: dict[str, Any] = {
        "database_url": f"sqlite:///{folder}/x.db",
        "rpc_url": NO_CHAIN,
        "deployment_file": folder / "deployment.json",
        "evidence_dir": folder / "evidence",
    }
    return create_app(Settings(_env_file=None, **(values | changes)))


def test_config__settings_for_browsers__are_shown(tmp_path: Path) -> None:
    file = tmp_path / "demo.json"
    file.write_text(json.dumps([_ACCOUNT]))
    changes = {"public_rpc_url": "https://rpc.example", "explorer_url": "https://scan.example"}

    with TestClient(_app(tmp_path, demo_accounts_file=file, **changes)) as client:
        found = client.get("/v1/config").json()

    assert found["demo_accounts"] == [_ACCOUNT]
    assert found["rpc_url"] == "https://rpc.example"
    assert found["explorer_url"] == "https://scan.example"
    assert (found["contracts"], found["settlement_token"], found["chain_id"]) == ({}, None, None)


def test_config__node_does_not_answer__is_there_without_its_facts(tmp_path: Path) -> None:
    (tmp_path / "deployment.json").write_bytes(deployment_document())

    with TestClient(_app(tmp_path)) as client:
        found = client.get("/v1/config").json()

    assert found["chain_id"] == 1
    assert found["contracts"].keys() == set(CONTRACTS)
    assert found["settlement_token"]["decimals"] is None
    assert found["challenge_window_s"] is None


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("{", "JSON"),
        ("{}", "array"),
        (json.dumps([_ACCOUNT | {"address": "0x1"}]), "0.address"),
        (json.dumps([_ACCOUNT | {"key": "secret"}]), "0.key"),
        (json.dumps([{k: v for k, v in _ACCOUNT.items() if k != "role"}]), "0.role"),
        (None, "cannot be read"),
    ],
)
def test_demo_accounts__wrong_file__stops_the_start(
    tmp_path: Path, content: str | None, place: str
) -> None:
    file = tmp_path / "demo.json"
    if content is not None:
        file.write_text(content)

    with pytest.raises(Misconfigured, match=place) as caught:
        _app(tmp_path, demo_accounts_file=file)

    assert "RENTROLL_DEMO_ACCOUNTS_FILE" in caught.value.message
    assert "secret" not in caught.value.message


def _as_before(engine: Engine) -> None:
    """The schema without what the migration adds, and with an index of before."""
    upgrade(engine, "0002")
    with transaction(engine) as connection:
        for index in ("event_token_id", "account_block_number", "counterparty_block_number"):
            connection.execute(text(f"DROP INDEX ix_chain_events_{index}"))
        block = {"number": 5, "block_hash": bytes(32), "time_s": 5}
        connection.execute(insert(chain_blocks), block)
        event = {
            "block_number": 5,
            "log_index": 0,
            "part": 0,
            "block_time_s": 5,
            "tx_hash": bytes(32),
            "contract": "TrancheToken",
            "event": "TransferBatch",
            "payload": "{}",
        }
        connection.execute(insert(chain_events), event)


@pytest.mark.both_databases
def test_migration__index_of_before__is_forgotten_and_gets_its_indexes(
    empty_database_url: str,
) -> None:
    engine = open_engine(empty_database_url)
    _as_before(engine)

    upgrade(engine)

    with reading(engine) as connection:
        assert connection.execute(chain_events.select()).all() == []
        assert connection.execute(chain_blocks.select()).all() == []
    with transaction(engine) as connection:
        connection.execute(text("DROP INDEX ix_chain_events_event_token_id"))
    engine.dispose()
