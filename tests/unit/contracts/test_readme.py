"""`contracts/README.md` tells the truth where it can be compared: folders, contracts, roles."""

import re
from pathlib import Path

from scripts.roles import ADMIN, ROLE_FUNCTIONS, ROLES

CONTRACTS = Path(__file__).resolve().parents[3] / "contracts"
TEXT = (CONTRACTS / "README.md").read_text()
_ROLE_ROW = re.compile(r"^\| (\d) \| (\w+) \| (yes|no) \| (.*) \|$", re.MULTILINE)


def test_readme__roles__are_those_that_deployment_sets():
    written = {}
    for number, name, delayed, calls in _ROLE_ROW.findall(TEXT):
        functions: dict[str, set[str]] = {}
        for part in calls.split(";") if int(number) != ADMIN else ():
            names = re.findall(r"`(\w+)`", part)
            if names and names[0] in ROLE_FUNCTIONS:
                functions[names[0]] = set(names[1:])
        written[int(number)] = (name, delayed == "yes", functions)

    expected = {
        number: (
            role.name,
            role.delayed,
            {
                contract: set(by_role[number])
                for contract, by_role in ROLE_FUNCTIONS.items()
                if number in by_role
            },
        )
        for number, role in ROLES.items()
    }
    assert written == expected


def test_readme__folders_and_files__are_all_named():
    folders = {path.name for path in CONTRACTS.iterdir() if path.is_dir()}
    named = set(re.findall(r"^\| `(\w+)/` \|", TEXT, re.MULTILINE))
    files = {
        path.stem
        for path in CONTRACTS.rglob("*.sol")
        if path.parent.name not in ("interfaces", "mocks")
    }

    assert named == folders
    assert {name for name in files if f"`{name}`" not in TEXT} == set()


def test_readme__decisions_and_documents__are_there():
    paths = re.findall(r"`((?:docs|api|tests|scripts)/[\w./-]+)`", TEXT)

    assert paths
    assert [path for path in paths if not (CONTRACTS.parent / path).exists()] == []
