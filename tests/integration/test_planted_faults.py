"""Wrong lines at the borders that once passed every check, kept planted: mypy must see each one.

The lines go into copies that mypy reads in place of the files; the tree stays as it is.
"""

from dataclasses import dataclass
from pathlib import Path

import pytest
from mypy import api

ROOT = Path(__file__).resolve().parents[2]
# Kept between runs: only what changed is looked at again.
CACHE = ROOT / "build" / "mypy-planted"


@dataclass(frozen=True)
class Plant:
    """A line of a file, the wrong one in its place, and what mypy must say of it."""

    file: str
    right: str
    wrong: str
    complaint: str


PLANTS = (
    Plant(
        "api/epochs/settle.py",
        "book.settled_epochs < final",
        "book[9] < final",
        'Value of type "RentBook" is not indexable',
    ),
    Plant(
        "api/reads/console/chain.py",
        "rent.settled_epochs",
        "rent.settled_epoch",
        '"RentBook" has no attribute "settled_epoch"',
    ),
    # The address of the challenger is as true as the flag that is meant.
    Plant(
        "api/epochs/post.py",
        "return verdict.barred or",
        "return verdict.challenger or",
        'expected "bool"',
    ),
    Plant(
        "api/routes/public/status.py",
        "service.facts.read()",
        "service.fatcs.read()",
        '"Service" has no attribute "fatcs"',
    ),
    # A row that was read, and a column that is asked for.
    Plant(
        "api/epochs/sending/sign.py",
        "old.priority_fee_wei",
        "old.priority_fee",
        '"TxRow" has no attribute "priority_fee"',
    ),
    Plant(
        "api/db/outbox.py",
        "intents.c.state.in_(DONE)",
        "intents.c.stage.in_(DONE)",
        'has no attribute "stage"',
    ),
)


@pytest.mark.slow
def test_mypy__wrong_line_at_a_border__is_an_error_of_that_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    arguments = ["--cache-dir", str(CACHE), "--no-error-summary", "--no-pretty"]
    expected = []
    for i, plant in enumerate(PLANTS):
        source = Path(plant.file).read_text()
        assert source.count(plant.right) >= 1, f"{plant.file} no longer says {plant.right!r}"
        copy = tmp_path / f"{i}.py"
        copy.write_text(source.replace(plant.right, plant.wrong, 1))
        line = source[: source.index(plant.right)].count("\n") + 1
        expected.append((f"{plant.file}:{line}: error: ", plant.complaint))
        arguments += ["--shadow-file", plant.file, str(copy)]

    found, problems, _ = api.run([*arguments, *(plant.file for plant in PLANTS)])

    assert problems == ""
    lines = found.splitlines()
    for place, complaint in expected:
        assert any(line.startswith(place) and complaint in line for line in lines), found
    # Nothing else is wrong with these files: it is the plants that mypy complains about.
    assert all(any(line.startswith(place) for place, _ in expected) for line in lines), found
