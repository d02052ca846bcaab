"""Imports point one way, and each room has its permissions: the one table that holds both."""

import ast
from pathlib import Path

import pytest

API = Path(__file__).resolve().parents[2] / "api"
DOMAIN = {"domain", "errors"}
# What a room may import of ours, besides itself.
ROOMS = {
    "errors": set(),
    "settings": set(),
    "telemetry": {"errors"},
    "clock": set(),
    "domain": {"errors"},
    "local": {"errors"},
    "agent": {"local", "telemetry", *DOMAIN},
    "evidence_store": {"errors"},
    "db": DOMAIN,
    "chain": DOMAIN,
    "access": {"db", "chain", *DOMAIN},
    "ledger": {"db", "chain", "evidence_store", "clock", *DOMAIN},
    "keys": {"local", "chain", *DOMAIN},
    "attester": {"keys", "local", "chain", "evidence_store", *DOMAIN},
    "verify": {"chain", "evidence_store", *DOMAIN},
    "reads": {"db", "chain", "ledger", "evidence_store", *DOMAIN},
    "epochs": {"db", "chain", "ledger", "evidence_store", "clock", *DOMAIN},
    "rescue": {"db", "chain", "ledger", "epochs", "evidence_store", "local", *DOMAIN},
    "routes": {
        *("epochs", "reads", "ledger", "access", "db", "chain", "evidence_store"),
        *("settings", "clock", "local", "telemetry"),
        *DOMAIN,
    },
}
# The domain is a stack: each floor rests on those before it.
STACK = (
    {"units", "json_text", "devices", "slurm", "transactions", "fees"},
    {"hashing"},
    {"eip712", "merkle", "log"},
    {"pledges"},
    {"facility", "lifecycle"},
    {"roster"},
    {"metering"},
    {"clocks", "statements"},
    {"bills"},
    {"capital"},
)
# Others' packages, and the rooms, or the folders in a room, that may import them: reads asks the
# database by the queries in its own folder alone.
PACKAGES = {
    "sqlalchemy": {
        "db",
        "access",
        "ledger",
        "epochs",
        "rescue",
        "reads/sql",
        "routes",
        "errors",
        "main",
        "cli",
    },
    "fastapi": {"routes", "main"},
    "web3": {"chain"},
    "reportlab": {"routes/operator"},
    "prometheus_client": {"telemetry"},
    "opentelemetry": {"telemetry"},
}
IMPURE = {"time", "random", "logging", "os", "socket", "pathlib", "httpx", "requests"}


def _imports(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names


def _files(room: str) -> list[Path]:
    files = [*(API / room).rglob("*.py"), *API.glob(f"{room}.py")]
    return [path for path in files if "migrations" not in path.parts]


def _room(path: Path, house: Path = API) -> str:
    return path.relative_to(house).parts[0].removesuffix(".py")


def _inside(path: Path, places: set[str]) -> bool:
    """Whether a file is in one of some rooms or folders."""
    name = path.relative_to(API).with_suffix("").as_posix()
    return any(f"{name}/".startswith(f"{place}/") for place in places)


def _ours(path: Path) -> set[str]:
    return {name.split(".")[1] for name in _imports(path) if name.startswith("api.")}


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_room__imports__only_what_its_row_allows(room: str) -> None:
    wrong = {
        f"{path.relative_to(API)} imports {name}"
        for path in _files(room)
        for name in _ours(path) - ROOMS[room] - {room}
    }

    assert not wrong


def test_rooms__every_one__stands_in_the_table() -> None:
    """Only what wires everything may import everything."""
    rooms = {path.stem for path in API.iterdir() if path.suffix == ".py" or path.is_dir()}

    assert rooms - {"__init__", "__pycache__"} == {*ROOMS, "main", "cli"}


def test_domain__floors__rest_on_those_below() -> None:
    floors = {name: floor for floor, names in enumerate(STACK) for name in names}

    wrong = {
        f"{path.relative_to(API)} imports {name}"
        for path in (API / "domain").rglob("*.py")
        if path.name != "__init__.py"
        for name in _imports(path)
        if name.startswith("api.domain.")
        and floors[name.split(".")[2]] > floors[_room(path, API / "domain")]
    }

    assert not wrong


def test_domain__imports__no_io() -> None:
    wrong = {
        f"{path.relative_to(API)}: {name}"
        for path in (API / "domain").rglob("*.py")
        for name in _imports(path)
        if name.split(".")[0] in IMPURE
    }

    assert not wrong


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_package__imported__only_where_its_row_allows(package: str) -> None:
    wrong = {
        str(path.relative_to(API))
        for path in API.rglob("*.py")
        if not _inside(path, PACKAGES[package])
        and any(name.split(".")[0] == package for name in _imports(path))
    }

    assert not wrong


def test_reads__any_module__never_writes() -> None:
    wrong = {
        str(path.relative_to(API))
        for path in _files("reads")
        if "api.db.session.transaction" in _imports(path)
    }

    assert not wrong
