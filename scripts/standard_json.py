"""What explorers verify contracts by: for each contract the compiler's input, as solc took it.

`python -m scripts.standard_json FOLDER --deployment FILE` writes one `NAME.json` a contract, with
its sources and nothing else, and compiles each again: it must give the bytecode that is deployed,
to the last byte. Sourcify and explorers take these files, with the record's compiler.
"""

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from scripts.dev.devchain import ROOT

_BUILT = ROOT / "build" / "contracts"
_IMPORT = re.compile(r"""^\s*import\s+(?:[^"';]*?from\s+)?["']([^"']+)["']""", re.MULTILINE)


class NotTheSame(Exception):
    """What the input gives is not what is deployed."""


def artifact(name: str) -> dict[str, Any]:
    """What brownie made of a contract. Raises FileNotFoundError before `make contracts`."""
    found: dict[str, Any] = json.loads((_BUILT / f"{name}.json").read_text())
    return found


def _remappings() -> dict[str, str]:
    """Of brownie-config.yaml: the beginnings of imports, and the folders that they stand for."""
    text = (ROOT / "brownie-config.yaml").read_text()
    return dict(re.findall(r'^\s+- "(@[^="]+)=([^"]+)"$', text, re.MULTILINE))


def _place(imported: str, importer: str) -> str:
    """Path of an imported file from the project's root."""
    if imported.startswith("."):
        path = (ROOT / importer).parent / imported
        return path.resolve().relative_to(ROOT.resolve()).as_posix()
    for prefix, folder in _remappings().items():
        if imported.startswith(f"{prefix}/"):
            return folder + imported[len(prefix) :]
    return imported


def _sources(first: str) -> dict[str, dict[str, str]]:
    """A file and all that it imports, by path."""
    found: dict[str, dict[str, str]] = {}
    waiting = [first]
    while waiting:
        path = waiting.pop()
        if path not in found:
            text = (ROOT / PurePosixPath(path)).read_text()
            found[path] = {"content": text}
            waiting += [_place(name, path) for name in _IMPORT.findall(text)]
    return dict(sorted(found.items()))


def standard_json(name: str) -> dict[str, Any]:
    """The compiler's input for one contract."""
    built = artifact(name)
    compiler = built["compiler"]
    return {
        "language": "Solidity",
        "sources": _sources(built["sourcePath"]),
        "settings": {
            "optimizer": compiler["optimizer"],
            "evmVersion": compiler["evm_version"],
            "remappings": [f"{prefix}={folder}" for prefix, folder in _remappings().items()],
            "outputSelection": {
                "*": {"*": ["abi", "evm.bytecode", "evm.deployedBytecode", "metadata"]}
            },
        },
    }


def compiled(name: str, document: dict[str, Any]) -> str:
    """Creation bytecode of a contract by its input alone, in hex; no file of ours is read."""
    done = subprocess.run(
        # The folder has no sources: an import that the input lacks is an error.
        [ROOT / "tools" / "solc", "--standard-json", "--base-path", ROOT / "tools" / "solcx"],
        input=json.dumps(document),
        cwd=ROOT / "tools" / "solcx",
        capture_output=True,
        text=True,
        check=True,
    )
    answer = json.loads(done.stdout)
    wrong = [e["formattedMessage"] for e in answer.get("errors", ()) if e["severity"] == "error"]
    if wrong:
        raise NotTheSame(f"{name} does not compile: {wrong[0]}")
    path = artifact(name)["sourcePath"]
    bytecode: str = answer["contracts"][path][name]["evm"]["bytecode"]["object"]
    return bytecode


def deployed_names(record: Path) -> list[str]:
    """Names of the sources of a deployment's contracts."""
    contracts = json.loads(record.read_text())["contracts"].values()
    return sorted({contract["artifact"] for contract in contracts})


def write(folder: Path, names: Iterable[str]) -> None:
    """Write and check one file a contract. Raises NotTheSame."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        document = standard_json(name)
        if compiled(name, document) != artifact(name)["bytecode"]:
            raise NotTheSame(f"{name}: its own sources give other bytecode than is deployed")
        (folder / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n")


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description="Write the compiler's inputs for explorers.")
    parser.add_argument("folder", type=Path, help="where to, such as build/sourcify")
    parser.add_argument("--deployment", type=Path, help="record of whose contracts; else name some")
    parser.add_argument("names", nargs="*", help="contracts, such as TrancheToken")
    options = parser.parse_args()
    if not options.names and options.deployment is None:
        parser.error("whose contracts: --deployment, or names")
    names = options.names or deployed_names(options.deployment)
    write(options.folder, names)
    print(f"{len(names)} written to {options.folder}, each compiled to what is deployed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
