"""deploy/Containerfile and compose.yaml: no root, no secret in a layer, the release alone."""

import importlib.machinery
import importlib.util
import re
import shlex
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from api.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "deploy"
TRY = DEPLOY / "try-container"
SECRET = re.compile(r"KEY|PASSWORD|SECRET|TOKEN")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The script that runs the Containerfile's steps: it reads the file as it is run."""
    loader = importlib.machinery.SourceFileLoader("try_container", str(TRY))
    spec = importlib.util.spec_from_loader("try_container", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def steps(script: ModuleType) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = script.instructions((DEPLOY / "Containerfile").read_text())
    return found


def _settings() -> set[str]:
    return {f"RENTROLL_{name.upper()}" for name in Settings.model_fields} | {"DATABASE_URL"}


def _variables(steps: list[tuple[str, str]]) -> dict[str, str]:
    words = [word for name, rest in steps if name == "ENV" for word in shlex.split(rest)]
    return dict(word.split("=", 1) for word in words)


def _compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return document


def test_steps__read_by_the_script__are_every_instruction(script: ModuleType) -> None:
    text = '# no\nARG BASE\n\nRUN one && \\\n    two\n  # no\nCMD ["serve"]\n'

    found = [(name, " ".join(rest.split())) for name, rest in script.instructions(text)]

    assert found == [("ARG", "BASE"), ("RUN", "one && two"), ("CMD", '["serve"]')]


def test_image__is_built_on_a_base_that_the_builder_names(steps: list[tuple[str, str]]) -> None:
    """No default: a tag alone would be another image tomorrow."""
    assert steps[:2] == [("ARG", "BASE"), ("FROM", "${BASE}")]


def test_image__runs_as_nobody_special__from_packages_by_hash(
    steps: list[tuple[str, str]],
) -> None:
    names = [name for name, _ in steps]
    [user] = [rest for name, rest in steps if name == "USER"]
    [health] = [rest for name, rest in steps if name == "HEALTHCHECK"]
    installs = [rest for _, rest in steps if "pip install" in rest]

    assert int(user) > 0
    assert names.index("USER") > max(i for i, name in enumerate(names) if name == "RUN")
    assert installs
    assert all("--require-hashes" in rest for rest in installs)
    assert "/livez" in health


def test_image__variables__are_settings_of_ours_and_no_secret(
    steps: list[tuple[str, str]],
) -> None:
    variables = _variables(steps)

    assert set(variables) <= _settings()
    files = {name for name in variables if name.endswith(("_FILE", "_DIR"))}
    assert not [name for name in variables if SECRET.search(name) and name not in files]


def test_image__copies__come_from_the_release_alone(steps: list[tuple[str, str]]) -> None:
    """A folder with keys or a database beside the sources cannot come into a layer."""
    sources = [word for name, rest in steps if name == "COPY" for word in rest.split()[:-1]]

    assert sources
    assert all(source.startswith("build/release/") for source in sources)


def test_compose__settings_and_secrets__are_there_and_come_by_files() -> None:
    compose = _compose()
    asked = set(re.findall(r"\$\{([A-Z_]+)", (DEPLOY / "compose.yaml").read_text()))
    given = set(re.findall(r"^([A-Z_]+)=", (DEPLOY / "compose.env").read_text(), re.MULTILINE))

    assert asked == given
    for name in ("api", "worker", "index"):
        service = compose["services"][name]
        assert set(service["environment"]) <= _settings()
        assert service["read_only"] is True
        for setting, value in service["environment"].items():
            assert not SECRET.search(setting) or value.startswith("/run/secrets/")
        assert set(service["secrets"]) <= set(compose["secrets"])
    # Only the proxy on this machine reaches the API.
    assert compose["services"]["api"]["ports"] == ["127.0.0.1:8000:8000"]
    assert "ports" not in compose["services"]["database"]


def test_compose__grace__fits_what_processes_take_to_end() -> None:
    for name in ("api", "worker", "index"):
        assert _compose()["services"][name]["stop_grace_period"] == "20s"


def test_try_container__without_what_it_needs__says_so_and_is_skipped(tmp_path: Path) -> None:
    """Exit code 77, and the reason: never a silent success."""
    python = tmp_path / "python3"
    python.symlink_to("/usr/bin/python3" if Path("/usr/bin/python3").exists() else "/bin/python3")

    done = subprocess.run(
        [python, TRY], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )

    assert done.returncode == 77
    assert done.stdout.startswith("try-container: skipped: ")
