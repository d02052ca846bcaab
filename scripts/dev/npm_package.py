"""Builds the npm package: `python -m scripts.dev.npm_package FOLDER` writes what `npm pack` takes.

The web application's own modules, one file each and as they are, after tsc: what a stranger
verifies with is what the pages verify with. Version, and versions of what it needs, are the
project's.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from scripts.dev.devchain import ROOT
from scripts.dev.web_types import DEPLOYMENTS, write

_WEB = ROOT / "web"
# Node and the types of a stranger's program find modules by their whole name.
_RELATIVE = re.compile(r"""((?:from|import|URL\() ?\(?)(["'])(\.{1,2}/[^"']+?)(?:\.ts)?\2""")
# One copy of viem: values and types of the program that uses the package must be the same.
_PEERS, _DEPENDENCIES = ("viem",), ("@noble/hashes",)


def build(target: Path, records: Path = DEPLOYMENTS) -> None:
    """Write the package into a folder, anew.

    Args:    records: folder of deployment files, whose addresses the package knows.
    Raises:  RuntimeError with what tsc says.
    """
    shutil.rmtree(target, ignore_errors=True)
    work = target / "work"
    work.mkdir(parents=True)
    for name in ("verify", "chain", "format", "npm"):
        ignored = shutil.ignore_patterns("tests", "*.test.ts", "*.test.tsx")
        shutil.copytree(_WEB / "src" / name, work / "src" / name, ignore=ignored)
    shutil.copy(_WEB / "src" / "vite-env.d.ts", work / "src")
    write(work / "src" / "generated", records)
    # Types that no module of the package asks for, but sources that tsc looks through do.
    shutil.copy(_WEB / "tsconfig.json", work)
    (work / "npm").mkdir()
    shutil.copy(_WEB / "npm" / "tsconfig.json", work / "npm")
    (work / "node_modules").symlink_to(_WEB / "node_modules")
    done = subprocess.run(
        [_WEB / "node_modules" / ".bin" / "tsc", "-p", "npm", "--outDir", target / "dist"],
        cwd=work,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"the package does not compile:\n{done.stdout}")
    shutil.rmtree(work)
    for path in (target / "dist").rglob("*.[jt]s"):
        path.write_text(_RELATIVE.sub(r"\1\2\3.js\2", path.read_text()))
    (target / "package.json").write_text(json.dumps(_manifest(), indent=2) + "\n")
    shutil.copy(_WEB / "npm" / "README.md", target)
    for name in ("LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, target)


def _manifest() -> dict[str, object]:
    manifest: dict[str, object] = json.loads((_WEB / "npm" / "package.json").read_text())
    versions = json.loads((_WEB / "package.json").read_text())["dependencies"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return manifest | {
        "version": project["version"],
        "dependencies": {name: f"^{versions[name]}" for name in _DEPENDENCIES},
        "peerDependencies": {name: f"^{versions[name]}" for name in _PEERS},
    }


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description="Build the npm package; then: npm pack FOLDER")
    parser.add_argument("folder", type=Path, help="where to, such as build/npm; emptied first")
    parser.add_argument(
        "--deployments", type=Path, default=DEPLOYMENTS, help="folder of deployment files"
    )
    options = parser.parse_args()
    build(options.folder.resolve(), options.deployments)
    print(f"{options.folder}: npm pack {options.folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
