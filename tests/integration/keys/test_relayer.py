"""The relayer's key wherever it can be: named by settings, and posting on a real chain."""

import json
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from api.cli.doctor import diagnose
from api.cli.relayer import open_relayer, relayer_settings
from api.epochs.times import Times
from api.epochs.worker import Worker
from api.errors import AppError, Misconfigured
from api.local.secret_file import KeyFileWrong, write_secret
from api.settings import Settings
from scripts.dev.stack import RELAYER
from tests.factories import DAY_S, HOUR_S
from tests.integration.keys.signers import web3signer
from tests.integration.service import NO_CHAIN
from tests.world import World, wallet


def _settings(**named: Any) -> Settings:
    return Settings(_env_file=None, **named)


def _files(folder: Path) -> dict[str, Any]:
    """A keystore with the relayer's key, and its password."""
    document = Account.encrypt(wallet(RELAYER).key, "secret", kdf="pbkdf2", iterations=2)
    write_secret(folder / "relayer.json", json.dumps(document).encode())
    write_secret(folder / "relayer.password", b"secret\n")
    return {
        "relayer_key_file": folder / "relayer.json",
        "relayer_password_file": folder / "relayer.password",
    }


@pytest.mark.chain
def test_worker__key_at_a_remote_signer__posts(world: World) -> None:
    with web3signer(wallet(RELAYER).key.hex()) as remote:
        named = {"relayer_signer_url": remote.url, "relayer_address": wallet(RELAYER).address}
        with open_relayer(_settings(**named)) as key:
            world.at(DAY_S)
            world.ledger.ingest(world.ledger.usage(0, 0, 2 * HOUR_S))
            world.at_cut_off(0)
            times = Times(world.client, wall=None)
            worker = Worker(world.engine, world.contracts, world.evidence, key, times)
            worker.run_once()
            world.attest()
            worker.run_once()

    assert world.posted == 1
    assert remote.asked


def test_relayer__keystore_with_its_password__is_the_key(tmp_path: Path) -> None:
    with open_relayer(_settings(**_files(tmp_path))) as key:
        assert key is not None
        assert key.address == wallet(RELAYER).address


def test_relayer__none_named__is_a_dry_run() -> None:
    with open_relayer(_settings()) as key:
        assert key is None


def test_relayer__file_that_others_may_read__is_refused(tmp_path: Path) -> None:
    file = tmp_path / "relayer.key"
    file.write_text(wallet(RELAYER).key.hex())

    for mode in (0o640, 0o604, 0o660):
        file.chmod(mode)
        with (
            pytest.raises(KeyFileWrong, match="others may read"),
            open_relayer(_settings(relayer_key_file=file)),
        ):
            pytest.fail("it was opened")


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"relayer_key_file": "a", "relayer_kms_key_id": "b"}, "more than one"),
        (
            {
                "relayer_signer_url": "http://s",
                "relayer_address": "0x" + "1" * 40,
                "relayer_kms_key_id": "b",
            },
            "RENTROLL_RELAYER_SIGNER_URL and RENTROLL_RELAYER_KMS_KEY_ID",
        ),
        ({"relayer_password_file": "a"}, "needs RENTROLL_RELAYER_KEY_FILE"),
        ({"relayer_signer_url": "http://s"}, "given together"),
        ({"relayer_address": "0x" + "1" * 40}, "given together"),
        ({"relayer_signer_url": "ftp://s", "relayer_address": "0x" + "1" * 40}, "http"),
        ({"relayer_signer_url": "http://s", "relayer_address": "0x12"}, "40 hex digits"),
    ],
)
def test_relayer__two_places_or_half_of_one__is_said(named: dict[str, Any], message: str) -> None:
    with pytest.raises(Misconfigured, match=message):
        relayer_settings(_settings(**named))


@pytest.mark.chain
def test_round__signer_away__closes_and_indexes_and_says_so(world: World) -> None:
    """A signer that does not answer holds up what needs it, and nothing else."""
    with web3signer(wallet(RELAYER).key.hex()) as remote:
        named = {"relayer_signer_url": remote.url, "relayer_address": wallet(RELAYER).address}
    with open_relayer(_settings(**named)) as key:
        world.at_cut_off(0)
        times = Times(world.client, wall=None)
        worker = Worker(world.engine, world.contracts, world.evidence, key, times)
        assert worker.run_once().closed == 1
        world.attest()
        told, again = worker.run_once(), worker.run_once()
    assert "does not answer" in str(told.outcomes[0].error)
    assert again.outcomes == ()

    assert world.posted == 0
    world.round()
    assert world.posted == 1


def test_doctor__relayer_key__is_named_by_its_address_and_never_shown(tmp_path: Path) -> None:
    good = _settings(rpc_url=NO_CHAIN, **_files(tmp_path))
    (tmp_path / "relayer.json").chmod(0o600)

    found = {check.name: check for check in diagnose(good)}["relayer key"]

    assert (found.level, found.message) == ("ok", f"of {wallet(RELAYER).address}")
    (tmp_path / "relayer.json").chmod(0o644)
    wrong = {check.name: check for check in diagnose(good)}["relayer key"]
    assert wrong.level == "fail"
    assert "others may read" in wrong.message
    for text in (found.message, wrong.message):
        assert wallet(RELAYER).key.hex()[2:] not in text


def test_relayer__key_in_no_error(tmp_path: Path) -> None:
    """No secret in an error, whatever is wrong with the file (ATTACKS 38)."""
    file = tmp_path / "relayer.key"
    secret = wallet(RELAYER).key.hex().removeprefix("0x")
    for text in (secret[:-1], secret + "0", "z" + secret[1:], "0" * 64, f"key={secret}"):
        file.unlink(missing_ok=True)
        write_secret(file, text.encode())
        with (
            pytest.raises(AppError) as refused,
            open_relayer(_settings(relayer_key_file=file)),
        ):
            pytest.fail("it was opened")
        assert secret[:16] not in str(refused.value)
