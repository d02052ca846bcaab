"""Importing the application leaves Python's recursion limit alone (py_ecc raises it to 100,000)."""

import subprocess
import sys

CODE = """
import sys
before = sys.getrecursionlimit()
import api.main, api.cli_wiring, api.pipeline.verify
assert sys.getrecursionlimit() == before, sys.getrecursionlimit()
"""


def test_import__of_the_application__keeps_the_recursion_limit() -> None:
    """ATTACKS 35: with a high limit, deep JSON overflows the C stack and kills the process."""
    command = [sys.executable, "-c", CODE]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
