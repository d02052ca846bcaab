"""Compiles the stand-in for NVML, once a run, and says what it should say."""

import shutil
import subprocess
from pathlib import Path

import pytest

_SOURCE = Path(__file__).with_name("nvml_stand_in.c")


def compiled(folder: Path) -> Path:
    """The library. Skips, and says so, where there is no compiler of C."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler (cc): NVML's stand-in cannot be built")
    library = folder / "libnvidia-ml.so.1"
    command = [compiler, "-shared", "-fPIC", "-O1", "-Wall", "-Werror"]
    # By its soname the loader finds it again as the driver's library.
    command += ["-Wl,-soname,libnvidia-ml.so.1", "-o", str(library), str(_SOURCE)]
    subprocess.run(command, check=True)
    return library


def card(
    uuid: str, energy_mj: int, *, busy: int = 0, ecc: int = 0, result: int = 0, mig: int = 0
) -> str:
    """A line of a card."""
    return f"card {uuid} {energy_mj} {busy} {ecc} {result} {mig} NVIDIA H100 80GB HBM3"
