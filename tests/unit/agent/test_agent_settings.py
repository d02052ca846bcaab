"""Settings and secrets of the agent: read strictly, written once, closed to others."""

import os
from pathlib import Path

import pytest

from api.agent.clock import AgentClock
from api.agent.settings import read_settings
from api.agent.spool import Spool
from api.agent.wiring import make_signer
from api.local.key_file import make_key_file, public_key, read_key_file
from api.local.secret_file import KeyFileWrong, read_secret
from api.local.settings_table import SettingsWrong
from tests.factories import device

SERVICE = '[service]\nurl = "https://rentroll.example"\nfacility = 1\n'


def _read(folder: Path, text: str) -> object:
    file = folder / "agent.toml"
    file.write_text(text)
    return read_settings(file)


def test_settings__with_nothing_but_a_service__have_defaults(tmp_path: Path) -> None:
    (tmp_path / "agent.toml").write_text(SERVICE)

    read = read_settings(tmp_path / "agent.toml")

    assert read.spool == tmp_path / "spool.db"
    assert (read.confirm_every_s, read.seen_every_s) == (300, 600)
    assert read.nvml is read.dcgm is read.slurm is read.kubernetes is read.csv is None
    assert read.facility_of(device(0)) == 1


def test_settings__of_every_source__are_read(tmp_path: Path) -> None:
    (tmp_path / "agent.toml").write_text(
        f"""
[agent]
name = "n1"
{SERVICE}
[devices]
"{device(1)}" = 2
"{device(2)}" = "-"
[[lease]]
id = "lease-a"
account = "physics"
[[lease]]
id = "lease-b"
labels = {{ tenant = "acme" }}
[nvml]
[dcgm]
urls = "http://127.0.0.1:9400/metrics"
allocations = "pod"
[slurm]
command = ["ssh", "head", "sacct"]
[kubernetes]
claims = true
[csv]
file = "use.csv"
columns = {{ device = "GPU" }}
"""
    )

    read = read_settings(tmp_path / "agent.toml")

    assert [read.facility_of(device(i)) for i in range(3)] == [1, 2, None]
    assert [row.lease for row in read.leases.rows] == ["lease-a", "lease-b"]
    assert read.dcgm is not None
    assert read.dcgm.urls == ("http://127.0.0.1:9400/metrics",)
    assert read.kubernetes is not None
    assert str(read.kubernetes.token_file).endswith("serviceaccount/token")
    assert read.csv is not None
    assert read.csv.file == tmp_path / "use.csv"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"\[service\] is missing"),
        ("[service]\nfacility = 1\n", r"\[service\] url: must be text"),
        ('[service]\nurl = "u"\nfacility = 0\n', r"facility: must be 1 to"),
        ('[service]\nurl = "u"\nfacility = true\n', r"facility: must be a whole number"),
        (SERVICE + "[nvlm]\n", r"nvlm: no such setting"),
        (SERVICE + "[nvml]\npol_s = 3\n", r"\[nvml\] pol_s: no such setting"),
        (SERVICE + '[nvml]\noutages = "yes"\n', r"outages: must be true or false"),
        (SERVICE + '[dcgm]\nallocations = "all"\n', r'must be "none"'),
        (SERVICE + '[devices]\n"gpu-1" = 2\n', r"\[devices\] gpu-1: "),
        (SERVICE + f'[devices]\n"{device(0)}" = "two"\n', r"must be the number of a facility"),
        (SERVICE + "[lease]\nid = 1\n", r"write \[\[lease\]\]"),
        (SERVICE + "[[lease]]\nid = 1\n", r"\[lease, row 1\] id: must be text"),
        (SERVICE + '[[lease]]\nid = "a"\nlabels = { x = 1 }\n', r"must be a table of texts"),
        (SERVICE + '[[lease]]\nid = "a"\nsource = "slrum"\n', r"must be one of slurm, kub"),
        (SERVICE + '[csv]\nfile = "f"\nseparator = "ab"\n', r"must be one character"),
        (SERVICE + "[dcgm]\nurls = [1]\n", r"must be a list of texts"),
        (SERVICE + "nvml = 3\n", r"\[service\] nvml: no such"),
        ("x = [", r"is no TOML"),
    ],
)
def test_settings__that_break_a_rule__name_the_key(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SettingsWrong, match=message):
        _read(tmp_path, text)


def test_settings__that_are_not_there__are_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingsWrong, match="cannot be read"):
        read_settings(tmp_path / "agent.toml")


def test_key_file__made__is_closed_to_others_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "agent.key"

    shown = make_key_file(path)

    assert path.stat().st_mode & 0o777 == 0o600
    assert public_key(read_key_file(path)) == shown
    assert len(shown) == 43
    with pytest.raises(KeyFileWrong, match="not written over"):
        make_key_file(path)


def test_key_file__that_others_may_read__is_refused(tmp_path: Path) -> None:
    path = tmp_path / "agent.key"
    make_key_file(path)
    path.chmod(0o640)

    with pytest.raises(KeyFileWrong, match="chmod 600"):
        read_key_file(path)


@pytest.mark.parametrize("content", [b"", b"-----BEGIN PRIVATE KEY-----\nx\n"])
def test_key_file__that_holds_no_key__is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "agent.key"
    with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "wb") as file:
        file.write(content)

    with pytest.raises(KeyFileWrong, match="holds no private key"):
        read_key_file(path)
    with pytest.raises(KeyFileWrong, match="cannot be read"):
        read_secret(tmp_path / "absent")
    with pytest.raises(KeyFileWrong, match="cannot be written"):
        make_key_file(tmp_path / "absent" / "agent.key")


def test_signer__without_a_key__is_a_sentence(tmp_path: Path) -> None:
    spool, clock = Spool(Path(":memory:"), most_mib=1), AgentClock(lambda: 0)
    (tmp_path / "agent.toml").write_text(SERVICE + 'api_key_file = "api.key"\n')
    (tmp_path / "api.key").write_text("\n")
    (tmp_path / "api.key").chmod(0o600)

    with pytest.raises(KeyFileWrong, match="holds no API key"):
        make_signer(read_settings(tmp_path / "agent.toml"), spool, clock)
    (tmp_path / "agent.toml").write_text(SERVICE)
    with pytest.raises(KeyFileWrong, match=r"agent\.key cannot be read"):
        make_signer(read_settings(tmp_path / "agent.toml"), spool, clock)
    key = make_key_file(tmp_path / "agent.key")
    assert make_signer(read_settings(tmp_path / "agent.toml"), spool, clock).author == key
