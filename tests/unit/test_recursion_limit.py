"""Importing the application leaves Python's recursion limit alone (py_ecc raises it to 100,000)."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["api.main", "api.cli_wiring", "api.pipeline.verify"])
def test_import__of_the_application__keeps_the_recursion_limit(module: str) -> None:
    """ATTACKS 35: with a high limit, deep JSON overflows the C stack and kills the process."""
    code = f"import sys; before = sys.getrecursionlimit(); import {module}"
    code += "; assert sys.getrecursionlimit() == before, sys.getrecursionlimit()"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
