"""What the web application is compiled against besides docs/openapi.json: ABIs of the compiler.

Writes web/src/generated/abis.ts. It is not committed: `make check` makes it anew and then checks
every page's types, so that a page that names a function which is no longer there does not pass.
"""

import json
import sys
from pathlib import Path
from typing import Any

from scripts.dev.devchain import ROOT

GENERATED = ROOT / "web" / "src" / "generated"
_CONTRACTS = (
    "BondVault",
    "DeliveryDesk",
    "FacilityRegistry",
    "FaultRules",
    "InvestorRegistry",
    "PrimarySale",
    "RentLockbox",
    "StatementRegistry",
    "TrancheToken",
)
# Any ERC-20 with permit: signatures of the standards, as in every stablecoin.
_ERC20 = "AuthorizedStablecoin"


def _abi(name: str) -> list[dict[str, Any]]:
    artifact = json.loads((ROOT / "build" / "contracts" / f"{name}.json").read_text())
    return [_slim(entry) for entry in artifact["abi"] if entry["type"] != "constructor"]


def _slim(entry: dict[str, Any]) -> dict[str, Any]:
    """Without `internalType`, which no page reads: a third of the size."""
    found = {k: v for k, v in entry.items() if k != "internalType"}
    for part in ("inputs", "outputs", "components"):
        if part in found:
            found[part] = [_slim(item) for item in found[part]]
    return found


def abis() -> str:
    """TypeScript with one constant per contract, each in a form that viem infers types from."""
    text = "// Made by scripts/dev/web_types.py from the compiler's output.\n"
    for name in _CONTRACTS:
        text += (
            f"export const {name[0].lower() + name[1:]}Abi = {json.dumps(_abi(name))} as const;\n"
        )
    text += f"export const erc20Abi = {json.dumps(_abi(_ERC20))} as const;\n"
    return text


def write(folder: Path = GENERATED) -> None:
    """Write the file, untouched where nothing changed, so that builds stay fresh."""
    folder.mkdir(parents=True, exist_ok=True)
    path, text = folder / "abis.ts", abis()
    if not path.is_file() or path.read_text() != text:
        path.write_text(text)


if __name__ == "__main__":
    write()
    sys.exit(0)
