"""The npm package as a stranger has it: packed, installed into an empty folder, and used by Node.

The program beside this file reads a proof from a running service and checks it through a node.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from scripts.dev.npm_package import build
from tests.factories import HOUR_S
from tests.integration.attester.site import served
from tests.world import World

pytestmark = [pytest.mark.chain, pytest.mark.slow]
ROOT = Path(__file__).resolve().parents[3]
PROGRAM = Path(__file__).with_name("verify_proof.ts")
NEEDED = ("viem", "@noble/hashes", "typescript", "@types/node")
STRICT = ["--strict", "--module", "nodenext", "--target", "es2023", "--types", "node"]


def _done(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _lock() -> dict[str, object]:
    """What npm's cache has since the pages were set up: the packages needed, and what they need."""
    packages = json.loads((ROOT / "web" / "package-lock.json").read_text())["packages"]
    wanted: dict[str, object] = {}

    def add(name: str) -> None:
        for path, entry in packages.items():
            if re.fullmatch(rf"node_modules/{name}(/node_modules/.+)?", path):
                known, wanted[path] = path in wanted, entry | {"dev": False, "peer": False}
                for needed in () if known else entry.get("dependencies", ()):
                    add(needed)

    for name in NEEDED:
        add(name)
    versions = {name: packages[f"node_modules/{name}"]["version"] for name in NEEDED}
    return {
        "name": "stranger",
        "lockfileVersion": 3,
        "requires": True,
        "packages": {"": {"dependencies": versions}, **wanted},
    }


@pytest.fixture
def stranger(world: World, tmp_path: Path) -> Path:
    """A folder with the package installed. It knows the deployment of this chain."""
    if shutil.which("npm") is None or not (ROOT / "web" / "node_modules").is_dir():
        pytest.skip("npm, or the web application's packages, are not there")
    records, folder = tmp_path / "records", tmp_path / "stranger"
    for made in (records, folder):
        made.mkdir()
    shutil.copy(world.deployed.deployment_file, records / "31337.json")
    build(tmp_path / "built", records)
    [packed] = _done("npm", "pack", "--silent", tmp_path / "built", cwd=tmp_path).split()
    lock = _lock()
    (folder / "package-lock.json").write_text(json.dumps(lock))
    dependencies = lock["packages"][""]  # type: ignore[index]
    manifest = {"name": "stranger", "private": True, "type": "module", **dependencies}
    (folder / "package.json").write_text(json.dumps(manifest))
    quiet = ("--offline", "--ignore-scripts", "--no-audit", "--no-fund")
    cached = subprocess.run(
        ["npm", "ci", *quiet], cwd=folder, capture_output=True, text=True, check=False
    )
    if "ENOTCACHED" in cached.stderr:
        pytest.skip(f"viem is not in npm's cache: {cached.stderr[-300:]}")
    assert cached.returncode == 0, cached.stderr
    # Offline npm cannot ask which versions of a peer there are; it is installed, above.
    _done("npm", "install", *quiet, "--legacy-peer-deps", tmp_path / packed, cwd=folder)
    return folder


def test_package__installed_by_a_stranger__checks_a_proof_against_a_node(
    stranger: Path, world: World
) -> None:
    world.at(HOUR_S)
    world.ledger.ingest(world.ledger.usage(0, 0, HOUR_S))
    world.post(0)
    shutil.copy(PROGRAM, stranger)
    path = f"/v1/facilities/{world.facility_id}/epochs/0/lines/0/proof"

    _done("node_modules/.bin/tsc", *STRICT, PROGRAM.name, cwd=stranger)
    with served(world) as url:
        program = ("node", PROGRAM.with_suffix(".js").name, url, world.client.rpc_url, path)
        honest = json.loads(_done(*program, cwd=stranger))
        forged = json.loads(_done(*program, "1", cwd=stranger))

    assert honest["outcome"] == "equal"
    assert dict(honest["checks"])["contract"] == "equal"
    assert forged["outcome"] == "different"
    # The chain's own refusal, by name and with its argument's type.
    assert honest["who"] == "0x" + "0" * 39 + "1"
    assert honest["unknown"] == 1
    wrong = PROGRAM.read_text().replace("refused.args[0]", "refused.args[0] + 1n")
    (stranger / "wrong.ts").write_text(wrong)
    said = subprocess.run(
        ["node_modules/.bin/tsc", *STRICT, "--noEmit", "wrong.ts"],
        cwd=stranger,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "wrong.ts" in said.stdout
    assert said.returncode != 0


def test_package__what_is_packed__is_modules_readme_and_licence(stranger: Path) -> None:
    installed = stranger / "node_modules" / "rentroll"
    manifest = json.loads((installed / "package.json").read_text())
    files = {path.relative_to(installed).as_posix() for path in installed.rglob("*.*")}

    assert {"dist/npm/index.js", "dist/npm/index.d.ts", "dist/npm/verify.js"} <= files
    assert not [name for name in files if ".test." in name or name.endswith((".tsx", ".map"))]
    assert (installed / "LICENSE").exists()
    assert list(manifest["peerDependencies"]) == ["viem"]
    # Whoever reads a module finds what it imports.
    for path in installed.rglob("*.[jt]s"):
        for name in re.findall(r"""(?:from|import|URL\() ?\(?["'](\.[^"']+)""", path.read_text()):
            assert (path.parent / name).exists(), f"{path.name}: {name}"
