"""Comments and documents cite only what is in the repository."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Papers of the workshop that are not here, numbers of a tracker, and paths of one machine.
FOREIGN = [
    r"\bDESIGN\b",
    r"\b(?:DEAL|LEDGER|SOURCE) ?(?:§|\d)",
    r"\b(?:SOURCE|TOOLCHAIN)\.md\b",
    r"\bCONVENTIONS ?(?:§|\d)",
    r"\bissues? #?\d+\b",
    r"\bfindings/\w",
    r"(?<![\w/.])/work/",
    r"\bshared/\w",
]
TEXT = ("*.py", "*.sol", "*.ts", "*.tsx", "*.md", "*.toml", "*.yaml", "Makefile", "tools/*")
# Folders of ours; what stands before them may be a package, as in @openzeppelin/contracts/.
_PATH = re.compile(
    r"(?<![\w/.-])((?:api|contracts|docs|examples|scripts|tests|tools|web)/[\w./-]+\.(?:py|sol|md|ts|tsx|toml))\b"
)
_ANCHOR = re.compile(r"\]\(([^)\s#]*\.md)?#([\w-]+)\)|docs/(\w+\.md)#([\w-]+)")
_SECTION = re.compile(r"(ARCHITECTURE|CONVENTIONS|TRUST)\.md §(\d+)")


def _texts() -> dict[str, str]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *TEXT]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = [name for name in listed.splitlines() if (ROOT / name).is_file()]
    texts = {name: (ROOT / name).read_bytes() for name in names if "solc-v" not in name}
    del texts["tests/unit/test_citations.py"]
    return {name: data.decode() for name, data in texts.items() if b"\0" not in data}


@pytest.mark.parametrize("pattern", FOREIGN)
def test_citations__of_foreign_papers__are_none(pattern: str) -> None:
    found = {
        f"{name}: {cited[0]}"
        for name, text in _texts().items()
        for cited in re.finditer(pattern, text)
    }

    assert found == set()


def test_paths__named_anywhere__exist() -> None:
    gone = {
        f"{name}: {path}"
        for name, text in _texts().items()
        for path in _PATH.findall(text)
        if not (ROOT / path).exists() and not (ROOT / name).parent.joinpath(path).exists()
    }

    assert gone == set()


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def test_anchors__of_documents__exist() -> None:
    texts = _texts()
    wrong = set()
    for name, text in texts.items():
        for here, anchor, there, other in _ANCHOR.findall(text):
            target = f"docs/{there}" if there else str(Path(name).parent / here) if here else name
            headings = re.findall(r"^#+ (.+)$", texts.get(target, ""), re.MULTILINE)
            if (anchor or other) not in map(_anchor, headings):
                wrong.add(f"{name}: {target}#{anchor or other}")

    assert wrong == set()


def test_sections__cited_by_number__exist() -> None:
    texts = _texts()
    wrong = {
        f"{name}: {document} §{number}"
        for name, text in texts.items()
        for document, number in _SECTION.findall(text)
        if f"\n## {number}. " not in texts[f"docs/{document}.md"]
    }

    assert wrong == set()


def test_links__of_documents__lead_somewhere() -> None:
    wrong = {
        f"{name}: {link}"
        for name, text in _texts().items()
        if name.endswith(".md")
        for link in re.findall(r"\]\(([^)\s#]+)\)", text)
        if not link.startswith("https://") and not (ROOT / name).parent.joinpath(link).exists()
    }

    assert wrong == set()
