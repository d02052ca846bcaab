"""Deployments for tests, kept in build/: brownie needs ten seconds of a processor for one.

What is kept is named by a hash of everything that it is made of: the contracts and what compiles
them, the deployment script, its environment, the chain. A change of any of these deploys anew.
Tests of the deployment itself do not come here.
"""

import fcntl
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from scripts.dev.devchain import ROOT, DevChain, deploy_contracts

_FOLDER = ROOT / "build" / "saved-chains"
_SOURCES = (
    "contracts/**/*.sol",
    "brownie-config.yaml",
    "package-lock.json",
    "uv.lock",
    "tools/brownie*",
    "tools/solc",
    "scripts/deploy.py",
    "scripts/deployer.py",
    "scripts/roles.py",
    "scripts/dev/devchain.py",
    "tests/saved_chain.py",
)
# Each change of a contract leaves some behind; one for each kind of test is in use.
_KEPT = 6


def _key(chain: DevChain, environment: dict[str, str]) -> str:
    first: Any = chain.rpc("eth_getBlockByNumber", "0x0", False)
    settings = json.dumps([first["timestamp"], environment], sort_keys=True)
    digest = hashlib.sha256(settings.encode())
    for pattern in _SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            digest.update(str(path.relative_to(ROOT)).encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:32]


def deploy_or_load(chain: DevChain, deployment_file: Path, environment: dict[str, str]) -> None:
    """What `deploy_contracts` does to a new chain, from the second time on without brownie."""
    saved = _FOLDER / _key(chain, environment)
    _FOLDER.mkdir(parents=True, exist_ok=True)
    # Another session waits here, rather than deploy the same.
    with (_FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if saved.is_dir():
            chain.rpc("anvil_loadState", (saved / "state").read_text())
            shutil.copyfile(saved / "deployment.json", deployment_file)
        else:
            deploy_contracts(chain, deployment_file, environment)
            _save(chain, deployment_file, saved)


def _save(chain: DevChain, deployment_file: Path, saved: Path) -> None:
    half = _FOLDER / "half"
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir()
    (half / "state").write_text(str(chain.rpc("anvil_dumpState")))
    shutil.copyfile(deployment_file, half / "deployment.json")
    # An interrupt leaves a half that nobody reads.
    half.rename(saved)
    oldest_first = sorted((p for p in _FOLDER.iterdir() if p.is_dir()), key=_age)
    for old in oldest_first[:-_KEPT]:
        shutil.rmtree(old)


def _age(path: Path) -> float:
    return path.stat().st_mtime
