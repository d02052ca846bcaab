"""Every part of the contracts is described, down to each parameter, return value, error and field.

The compiler parses the sources, and its syntax tree is read. Mocks need only a title and a notice.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
CONTRACTS = ROOT / "contracts"
KINDS = {
    "ContractDefinition": "contract",
    "FunctionDefinition": "function",
    "ModifierDefinition": "modifier",
    "EventDefinition": "event",
    "ErrorDefinition": "error",
    "StructDefinition": "struct",
    "EnumDefinition": "enum",
    "VariableDeclaration": "variable",
}
IMPORT = re.compile(r"^import [^;]*;", re.MULTILINE)
PLANTED = """// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;
/// @title A thing
/// @notice Has holes on purpose.
interface Planted {
    /// @notice An event without its second parameter.
    /// @param first The first.
    event Half(uint256 first, uint256 second);
    error Bare();
    /// @notice A struct without its member.
    struct Box { uint256 content; }
    /// @notice An enum without its second value.
    /// @param One The first.
    enum Step { One, Two }
    /// @notice Returns something. Caller: anybody.
    /// @param amount
    function act(uint256 amount) external returns (uint256);
    /// @notice Says not who may call it.
    function go() external;
}
contract Naked {
    uint256 public count;
    function _inner() private {}
}
"""
PLANTED_HOLES = {
    "event Half: @param second",
    "error Bare: @notice",
    "struct Box: @param content",
    "enum Step: @param Two",
    "function act: @param amount",
    "function act: @return 1 of 1",
    "function go: who may call",
    "contract Naked: @title",
    "contract Naked: @notice",
    "variable count: @notice",
    "function _inner: @notice",
}


def _blank(match: re.Match[str]) -> str:
    return " " * len(match.group())


def _parse(sources: dict[str, str]) -> dict[str, Any]:
    """Syntax trees. Imports are blanked out: a parser does not miss them, and it is much faster."""
    request = {
        "language": "Solidity",
        "sources": {name: {"content": IMPORT.sub(_blank, text)} for name, text in sources.items()},
        "settings": {"stopAfter": "parsing", "outputSelection": {"*": {"": ["ast"]}}},
    }
    command = [str(ROOT / "tools" / "solc"), "--standard-json"]
    answer = subprocess.run(
        command, input=json.dumps(request), capture_output=True, text=True, check=True
    )
    output = json.loads(answer.stdout)
    assert not output.get("errors"), output["errors"]
    return {name: output["sources"][name]["ast"] for name in sources}


def _nodes(tree: dict[str, Any], owner: str = "") -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(kind, kind of the contract around it, node) of everything that can be described."""
    for node in tree["nodes"]:
        kind = KINDS.get(node["nodeType"])
        if kind is None or (kind == "variable" and node["visibility"] != "public"):
            continue
        yield kind, owner, node
        if kind == "contract":
            yield from _nodes(node, node["contractKind"])


def _tags(kind: str, node: dict[str, Any], source: str) -> list[tuple[str, str]]:
    """(tag, text) in order. A parsed tree holds no comments of state variables: see the source."""
    if kind == "variable":
        above = source.encode()[: int(node["src"].split(":")[0])].decode().splitlines()[:-1]
        lines: list[str] = []
        while above and above[-1].strip().startswith("//"):
            lines.insert(0, above.pop().strip().removeprefix("///"))
        text = "\n".join(lines)
    else:
        text = node.get("documentation", {}).get("text", "")
    return [(tag, " ".join(words.split())) for tag, words in re.findall(r"@(\w+)\s*([^@]*)", text)]


def _wanted(kind: str, node: dict[str, Any]) -> list[str]:
    if kind in ("struct", "enum"):
        return [member["name"] for member in node["members"]]
    if kind in ("contract", "variable"):
        return []
    return [part["name"] for part in node["parameters"]["parameters"] if part["name"]]


def _check(kind: str, owner: str, node: dict[str, Any], source: str) -> Iterator[tuple[str, bool]]:
    """(what must be there, whether it is) for one node."""
    tags = _tags(kind, node, source)
    said = {tag for tag, text in tags if text}
    if "inheritdoc" in said:
        yield "@inheritdoc", True
        return
    if kind == "contract":
        yield "@title", "title" in said
    yield "@notice", "notice" in said
    # A parameter's text begins with its name; a bare name says nothing.
    described = {text.split()[0] for tag, text in tags if tag == "param" and len(text.split()) > 1}
    for name in _wanted(kind, node):
        yield f"@param {name}", name in described
    if kind != "function":
        return
    returned = len(node["returnParameters"]["parameters"])
    count = sum(1 for tag, text in tags if tag == "return" and text)
    for number in range(1, returned + 1):
        yield f"@return {number} of {returned}", count >= number
    if owner == "interface" and node["stateMutability"] not in ("view", "pure"):
        yield "who may call", any("Caller: " in text for _, text in tags)


def _judge(tree: dict[str, Any], source: str) -> list[tuple[str, bool]]:
    return [
        (f"{kind} {node.get('name') or node['kind']}: {part}", there)
        for kind, owner, node in _nodes(tree)
        for part, there in _check(kind, owner, node, source)
    ]


@pytest.fixture(scope="module")
def sources() -> dict[str, str]:
    files = {
        str(path.relative_to(ROOT)): path.read_text() for path in sorted(CONTRACTS.rglob("*.sol"))
    }
    return files | {"planted.sol": PLANTED}


@pytest.fixture(scope="module")
def trees(sources: dict[str, str]) -> dict[str, Any]:
    return _parse(sources)


def test_natspec__every_part_of_the_contracts__is_described(trees, sources, record_property):
    judged = [
        (f"{name}: {part}", there)
        for name, tree in trees.items()
        if name.startswith("contracts/") and "/mocks/" not in name
        for part, there in _judge(tree, sources[name])
    ]

    holes = [part for part, there in judged if not there]
    share = 100 * (len(judged) - len(holes)) / len(judged)
    print(
        f"NatSpec: {len(judged) - len(holes):,} of {len(judged):,} parts described ({share:.1f} %)"
    )

    assert len(judged) > 1_000
    assert holes == []


def test_natspec__mocks__have_a_title_and_a_notice(trees, sources):
    mocks = {name: tree for name, tree in trees.items() if "/mocks/" in name}

    holes = [
        f"{name}: {part}"
        for name, tree in mocks.items()
        for part, there in _judge(tree, sources[name])
        if part.startswith("contract ") and not there
    ]

    assert mocks
    assert holes == []


def test_natspec__planted_holes__are_found(trees):
    holes = {part for part, there in _judge(trees["planted.sol"], PLANTED) if not there}

    assert holes == PLANTED_HOLES
