"""Imports point one way: cli, main → routes → pipeline → db, chain → domain → errors."""

import ast
from pathlib import Path

import pytest

API = Path(__file__).resolve().parents[2] / "api"
# What a layer may import of ours, besides itself.
ALLOWED = {
    "errors": set(),
    "domain": {"errors"},
    "clock": set(),
    "settings": set(),
    "chain": {"domain", "errors"},
    "db": {"domain", "errors"},
    "pipeline": {"db", "chain", "domain", "errors", "clock"},
    "importers": {"domain", "errors"},
    "auth": {"db", "domain", "errors"},
    "routes": {"pipeline", "db", "chain", "domain", "errors", "auth"},
}


def _layer(module: str) -> str:
    return module.split(".")[1] if module.count(".") else ""


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            if node.module == "api":
                found |= {alias.name for alias in node.names}
            elif node.module.startswith("api."):
                found.add(_layer(node.module))
        elif isinstance(node, ast.Import):
            found |= {_layer(a.name) for a in node.names if a.name.startswith("api.")}
    return found


@pytest.mark.parametrize("layer", sorted(ALLOWED))
def test_layer__imports__point_inward_only(layer: str) -> None:
    files = list((API / layer).rglob("*.py")) or [API / f"{layer}.py"]

    wrong = {
        f"{path.relative_to(API)} imports {name}"
        for path in files
        if "migrations" not in path.parts
        for name in _imports(path) - ALLOWED[layer] - {layer}
    }

    assert not wrong


def test_domain__imports__no_io() -> None:
    forbidden = {"time", "random", "logging", "os", "socket", "pathlib", "sqlalchemy", "httpx"}
    wrong = set()
    for path in (API / "domain").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            wrong |= {f"{path.name}: {n}" for n in names if n.split(".")[0] in forbidden}

    assert not wrong


def test_verify__imports__neither_database_nor_service() -> None:
    seen: set[str] = set()
    todo = [API / "pipeline" / "verify.py"]
    while todo:
        path = todo.pop()
        text = path.read_text()
        assert "sqlalchemy" not in text, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("api."):
                name = node.module or ""
                if name not in seen:
                    seen.add(name)
                    todo.append(API.parent / (name.replace(".", "/") + ".py"))
    assert not {n for n in seen if n.startswith("api.db")}
