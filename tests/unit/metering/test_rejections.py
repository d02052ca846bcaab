"""The one table of rejection codes holds what the source says, and nothing else."""

import ast
from pathlib import Path

from api.domain.metering.rejections import REJECTIONS

API = Path(__file__).resolve().parents[3] / "api"
# Codes that a call takes from a variable: of a lease's own rules, and of time that is taken.
HANDED_ON = {"lease_exists", "lease_closed", "terms_invalid", "overlap", "outage_overlap"}


def test_rejections__of_the_source__are_those_of_the_table():
    calls = [
        node
        for path in API.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "EventRejected"
    ]

    told = {call.args[0].value for call in calls if isinstance(call.args[0], ast.Constant)}

    assert told | HANDED_ON == set(REJECTIONS)
    assert all(sentence.endswith(".") for sentence in REJECTIONS.values())
