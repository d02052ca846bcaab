"""An attester's site: a folder with settings and secrets, beside a service that really serves."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import Result
from typer.testing import CliRunner

from api.attester.settings import AttesterSettings, read_settings
from api.cli.commands import app
from scripts.dev.attester_file import write_attester_file
from scripts.dev.devchain import free_port
from tests.integration.service import serving
from tests.world import World, wallet


@dataclass(frozen=True)
class Site:
    """Where an attester runs."""

    world: World
    folder: Path
    url: str
    name: str

    @property
    def file(self) -> Path:
        """The settings."""
        return self.folder / f"{self.name}.toml"

    @property
    def settings(self) -> AttesterSettings:
        """The settings, read."""
        return read_settings(self.file)

    def change(self, old: str, new: str) -> None:
        """Change the settings' text."""
        text = self.file.read_text()
        assert old in text
        self.file.write_text(text.replace(old, new))

    def command(self, *arguments: str) -> Result:
        """Run `rentroll attester … --settings FILE` in this process."""
        return CliRunner().invoke(app, ["attester", *arguments, "--settings", str(self.file)])

    def findings(self) -> dict[str, tuple[str, str]]:
        """What `check` says: level and message by name; the last of each."""
        result = self.command("check", "--json")
        return {f["name"]: (f["level"], f["message"]) for f in json.loads(result.stdout)}


def make_site(
    world: World,
    folder: Path,
    url: str,
    index: int,
    *,
    name: str = "attester",
    account: str | None = None,
) -> Site:
    """Settings of an attester with the key of a well-known account.

    account: for whom its API key speaks, where that is another, a contract.
    """
    key = folder / f"{name}.key"
    key.touch(mode=0o600)
    key.write_text(wallet(index).key.hex())
    write_attester_file(
        folder,
        name,
        key_file=key,
        api_key=world.attesters.key_of(account or wallet(index).address),
        url=url,
        rpc_url=world.chain.rpc_url,
        registry=world.deployment.statement_registry,
    )
    return Site(world, folder, url, name)


@contextmanager
def served(world: World) -> Iterator[str]:
    """The world's service, behind HTTP on a free port. Yields its URL."""
    with serving(world.app) as port:
        yield f"http://127.0.0.1:{port}"


def logged(result: Result) -> list[Any]:
    """Lines that a command logged."""
    return [json.loads(line) for line in result.stderr.splitlines() if line.startswith("{")]


def spare_port() -> int:
    """A port that nobody listens on just now."""
    return free_port()
