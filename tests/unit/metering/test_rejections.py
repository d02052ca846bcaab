"""The one table of rejection codes holds what the source says, and nothing else."""

import ast
from pathlib import Path

from api.domain.metering.rejections import REJECTIONS, TO_DO

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


def test_rejections__each__says_what_to_do():
    assert TO_DO.keys() == REJECTIONS.keys()
    assert all(sentence.endswith(".") and "|" not in sentence for sentence in TO_DO.values())
