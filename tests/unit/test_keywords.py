"""Two arguments of one type are given by name: a swap of two numbers passes every other check.

Held in the rooms where money is computed and kept. Types that differ by name, as `NewType`s do,
are different types here, as they are for mypy.
"""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

API = Path(__file__).resolve().parents[2] / "api"
ROOMS = ("ledger", "db", "domain", "epochs", "keys", "attester")
# Functions that keep their order, and why.
EXCEPTIONS = {
    # Called by others, who name nothing.
    "db/session.py:configure",
    # Called for every event of a batch: a keyword costs more than the comparison itself.
    "domain/metering/occupancy.py:add",
    "domain/metering/occupancy.py:drop",
    "domain/metering/occupancy.py:peak",
    "domain/metering/judge.py:_require_free",
    # As HTTP writes a request: method, then path.
    "attester/client.py:_request",
    "keys/web3signer.py:_ask",
    # First and last of a range of blocks, as `eth_getLogs` and SQL's BETWEEN have them.
    "db/index_store.py:logs_between",
    "db/index_store.py:block_numbers",
    "epochs/index.py:_range",
    "epochs/index_reading.py:of_range",
    # The lower end of a log, then the higher.
    "attester/wiring.py:extends",
    # Status, then code, as an answer has them. Signature, then message, as Ed25519 is written.
    "domain/log/answers.py:answer_byte",
    "domain/log/answers.py:answer_says",
    "domain/log/ed25519.py:holds",
    # Digest, then signature, as ERC-1271 asks.
    "attester/account.py:accepts",
    # Beside many calls that read as a list of rules: field, then sentence.
    "domain/facility.py:require",
    "domain/metering/lease_terms.py:require",
    # The same either way.
    "domain/metering/intervals.py:overlap",
    # Two of one kind, and their order says which is which.
    "domain/statements/faults.py:pair_fault",
    # The model of the token takes its arguments in the order of the contract's functions.
    "domain/capital/accumulator.py:accrue",
    "domain/capital/accumulator.py:with_supply",
    "domain/capital/accumulator.py:mint",
    "domain/capital/accumulator.py:burn",
    "domain/capital/accumulator.py:transfer",
    "domain/capital/accumulator.py:forced_transfer",
    "domain/capital/accumulator.py:_check_units",
    "domain/capital/accumulator.py:_move",
}


def _alike(source: str) -> Iterator[str]:
    """Names of functions that take two positional parameters of one type."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            positional = (*node.args.posonlyargs, *node.args.args)
            kinds = Counter(ast.unparse(a.annotation) for a in positional if a.annotation)
            if any(count > 1 for count in kinds.values()):
                yield node.name


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def f(a: int, b: int): ...", ["f"]),
        ("def f(a: int, /, b: int): ...", ["f"]),
        ("def f(a: int, *, b: int): ...", []),
        ("def f(a: Epoch, b: FacilityId): ...", []),
        ("class C:\n def m(self, a: str | None, b: str | None): ...", ["m"]),
    ],
)
def test_alike__some_signature__is_named_if_a_swap_could_pass(
    source: str, found: list[str]
) -> None:
    assert [*_alike(source)] == found


def test_functions__of_the_money_rooms__take_arguments_of_one_type_by_name() -> None:
    files = [path for room in ROOMS for path in (API / room).rglob("*.py")]

    found = {
        f"{path.relative_to(API)}:{name}"
        for path in files
        if "migrations" not in path.parts
        for name in _alike(path.read_text())
    }

    assert found == EXCEPTIONS
