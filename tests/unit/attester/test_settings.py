"""The settings file: read strictly, each key once, and all that `init` writes is right."""

import re
from pathlib import Path

import pytest

from api.attester.settings import (
    AttesterSettings,
    KeystoreSettings,
    RawKeySettings,
    read_settings,
)
from api.attester.settings_text import settings_text
from api.keys.kms import KmsSettings
from api.keys.web3signer import Web3SignerSettings
from api.local.settings_table import SettingsWrong

REGISTRY = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
WRITTEN = settings_text(url="https://s.example/", rpc_url="http://n", registry=REGISTRY.lower())


def _read(folder: Path, text: str) -> AttesterSettings:
    file = folder / "attester.toml"
    file.write_text(text)
    return read_settings(file)


def test_settings__as_init_writes_them__are_the_defaults(tmp_path: Path) -> None:
    read = _read(tmp_path, WRITTEN)

    assert read.memory == tmp_path.resolve() / "memory.jsonl"
    assert (read.contract, read.poll_s, read.least_pay_bps) == (None, 10.0, 0)
    assert (read.service.url, read.service.ca_file) == ("https://s.example", None)
    assert (read.chain.registry, read.chain.confirmations) == (REGISTRY, 12)
    assert isinstance(read.key, KeystoreSettings)
    assert (read.refusals.host, read.refusals.port, read.refusals.days) == ("127.0.0.1", 9_466, 7)


def test_settings__every_default_that_is_shown__is_the_default(tmp_path: Path) -> None:
    """What begins with # is taken in, but for the other kinds of keys and for examples."""
    shown = re.sub(r"^# (?=[a-z_]+ = (\d|true|false|\"127))", "", WRITTEN, flags=re.MULTILINE)

    assert shown != WRITTEN
    assert _read(tmp_path, shown) == _read(tmp_path, WRITTEN)


def _with_key(text: str) -> str:
    start, end = WRITTEN.index("[key]"), WRITTEN.index("# Refusals, in public")
    return WRITTEN[:start] + "[key]\n" + text + "\n" + WRITTEN[end:]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('kind = "raw"\nfile = "k"', RawKeySettings),
        (f'kind = "web3signer"\nurl = "http://s:9"\naddress = "{REGISTRY}"', Web3SignerSettings),
        ('kind = "kms"\nkey_id = "alias/a"', KmsSettings),
        ("", KeystoreSettings),
    ],
)
def test_settings__each_kind_of_key__is_read(tmp_path: Path, text: str, kind: type) -> None:
    assert isinstance(_read(tmp_path, _with_key(text)).key, kind)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"\[service\] is missing"),
        ("[", "no TOML"),
        (WRITTEN.replace("[key]", "[keys]"), r"\[key\] is missing"),
        (WRITTEN.replace("[attester]", "[attester]\nmemroy = 1"), "memroy: no such setting"),
        (WRITTEN.replace("[chain]", '[chain]\nconfirmations = "1"'), "must be a whole number"),
        (WRITTEN.replace(REGISTRY.lower(), "0x12"), "registry: must be an address"),
        (WRITTEN.replace("http://n", "n:8545"), "rpc_url: must begin with http"),
        (WRITTEN.replace("[attester]", '[attester]\ncontract = "x"'), "contract: must be"),
        (WRITTEN.replace("[refusals]", "[refusals]\ndays = 0"), "days: must be 1 to 90"),
        (WRITTEN.replace("[refusals]", "[refusals]\nport = true"), "port: must be a whole"),
        (_with_key('kind = "paper"'), "kind: must be"),
        (_with_key('kind = "raw"'), "file: must be text"),
        (_with_key('kind = "kms"\nkey_id = "a"\nfile = "b"'), "file: no such setting"),
        (_with_key('kind = "web3signer"\nurl = "http://s"'), "address: must be"),
    ],
)
def test_settings__that_break_a_rule__are_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SettingsWrong, match=message):
        _read(tmp_path, text)


def test_settings__not_there__is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsWrong, match="cannot be read"):
        read_settings(tmp_path / "absent.toml")
