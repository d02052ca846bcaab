"""`GET /v1/status` says why nothing is sent, and nothing of where the key is."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from api.cli.relayer import noted_relayer, open_relayer
from api.db.outbox import save_relayer
from api.db.session import transaction
from api.db.tables.outbox import RelayerRow
from api.epochs.times import Times
from api.epochs.worker import Worker
from api.settings import Settings
from scripts.dev.stack import RELAYER
from tests.factories import DAY_S, HOUR_S
from tests.integration.keys.signers import web3signer
from tests.integration.telemetry.processes import process, until
from tests.world import World, wallet

pytestmark = pytest.mark.chain


def _stopped(world: World) -> dict[str, Any] | None:
    found: dict[str, Any] | None = world.http.get("/v1/status").json()["relayer"]
    return found


def _closed_and_signed(world: World) -> None:
    world.at(DAY_S)
    world.ledger.ingest(world.ledger.usage(0, 0, 2 * HOUR_S))
    world.at_cut_off(0)


def test_status__key_file_that_others_may_read__says_key_until_it_is_mended(
    world: World, around: dict[str, str], tmp_path: Path
) -> None:
    """The worker ends: it must not begin without the key that it was told of."""
    key = Path(around["RENTROLL_RELAYER_KEY_FILE"])
    key.chmod(0o644)
    before = _stopped(world)

    with process(tmp_path / "first.log", "worker", **around) as first:
        code = first.wait(60)
    stopped = _stopped(world)
    key.chmod(0o600)
    with process(tmp_path / "second.log", "worker", **around):
        until(lambda: _stopped(world) is None)

    assert before is None
    assert code == 2
    assert stopped is not None
    assert (stopped["problem"], stopped["detail"]) == ("key", "the relayer's key cannot be opened")
    assert stopped["since_s"] > 1_700_000_000
    assert key.name not in str(stopped)


def test_status__relayer_without_money__says_no_funds_until_it_has_some(world: World) -> None:
    _closed_and_signed(world)
    relayer = wallet(RELAYER).address
    world.round()
    world.attest()
    before: Any = world.chain.rpc("eth_getBalance", relayer, "latest")
    world.chain.rpc("anvil_setBalance", relayer, "0x1")

    world.worker().run_once()
    stopped = _stopped(world)
    world.chain.rpc("anvil_setBalance", relayer, before)
    world.round()

    assert stopped is not None
    assert stopped["problem"] == "no_funds"
    assert relayer not in str(stopped)
    assert world.posted == 1
    assert _stopped(world) is None


def test_status__problem_of_a_key_that_was_replaced__is_none_any_more(
    world: World, around: dict[str, str]
) -> None:
    with transaction(world.engine) as connection:
        save_relayer(connection, RelayerRow("0x" + "1" * 40, 0, 0, "not enough funds", 7))
    before = _stopped(world)
    key = Path(around["RENTROLL_RELAYER_KEY_FILE"])
    settings = Settings(_env_file=None, relayer_key_file=key)  # type: ignore[call-arg]

    with noted_relayer(settings, world.engine):
        after = _stopped(world)

    assert before is not None
    assert (before["problem"], before["since_s"]) == ("no_funds", 7)
    assert after is None


def test_status__remote_signer_down__says_signer_and_not_where_it_is(world: World) -> None:
    _closed_and_signed(world)
    with ExitStack() as running, ExitStack() as exits:
        remote = running.enter_context(web3signer(wallet(RELAYER).key.hex()))
        settings = Settings(
            _env_file=None,  # type: ignore[call-arg]
            relayer_signer_url=remote.url,
            relayer_address=wallet(RELAYER).address,
        )
        key = exits.enter_context(open_relayer(settings))
        times = Times(world.client, wall=None)
        worker = Worker(world.engine, world.contracts, world.evidence, key, times)
        worker.run_once()
        world.attest()
        running.close()
        worker.run_once()
        stopped = _stopped(world)

    assert stopped is not None
    assert stopped["problem"] == "signer"
    assert "127.0.0.1" not in str(stopped)
    assert world.posted == 0
