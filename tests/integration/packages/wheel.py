"""The wheel, built and installed into an environment of its own, for tests of what it brings."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
UV = ROOT / "build" / "uv" / "bin" / "uv"


def done(*command: str, cwd: Path, **environment: str) -> str:
    """Standard output of a command that must succeed. It inherits nothing but where things are."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    ended = subprocess.run(
        command, cwd=cwd, env=kept | environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


def installed(folder: Path) -> Path:
    """`rentroll` of a wheel, in an environment of its own: the locked packages, from uv's cache."""
    if not UV.exists():
        pytest.skip("no build/uv: the wheel cannot be installed")
    for name in ("pyproject.toml", "uv.lock"):
        shutil.copy(ROOT / name, folder / name)
    environment = folder / "venv"
    packages = subprocess.run(
        [
            *(UV, "sync", "--project", folder, "--offline", "--frozen"),
            *("--no-dev", "--no-install-project", "--quiet"),
        ],
        env=os.environ | {"UV_PROJECT_ENVIRONMENT": str(environment)},
        capture_output=True,
        text=True,
        check=False,
    )
    if packages.returncode != 0:
        pytest.skip(f"packages are not in uv's cache: {packages.stderr[-300:]}")
    built = subprocess.run(
        [UV, "build", "--wheel", "--offline", "--quiet", "--out-dir", folder / "dist", ROOT],
        capture_output=True,
        text=True,
        check=False,
    )
    if built.returncode != 0 and "offline" in built.stderr + built.stdout:
        pytest.skip(f"the wheel's builder is not in uv's cache: {built.stderr[-300:]}")
    assert built.returncode == 0, built.stderr
    [wheel] = (folder / "dist").glob("*.whl")
    python = str(environment / "bin" / "python")
    install = ["pip", "install", "--offline", "--no-deps", "--quiet", "--python", python]
    done(str(UV), *install, str(wheel), cwd=folder)
    return environment / "bin" / "rentroll"
