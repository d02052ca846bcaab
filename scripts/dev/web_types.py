"""What the web application is compiled against besides docs/openapi.json: ABIs, states and pages.

Writes web/src/generated/{abis,states,pages,deployments}.ts: ABIs of the compiler, the lists of
states of the domain, the addresses that the service answers with a page, and where `deployments/`
says that the contracts are. None is committed: `make check`
makes them anew and then checks every page's types, so that a page that names a function, state or
address which is no longer there does not pass.
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from api.chain.deployment import CONTRACTS, load_deployment
from api.domain.capital.sale import SaleState
from api.domain.lifecycle import EpochState, FacilityState, StatementState
from api.routes.http.pages import PAGES
from scripts.dev.devchain import ROOT

DEPLOYMENTS = ROOT / "deployments"
GENERATED = ROOT / "web" / "src" / "generated"
_CONTRACTS = (
    "AttesterDesk",
    "AttesterRegistry",
    "BondVault",
    "DeliveryDesk",
    "FacilityRegistry",
    "FaultRules",
    "InvestorRegistry",
    "PledgeRegistry",
    "PrimarySale",
    "RefundDesk",
    "RentLockbox",
    "StatementRegistry",
    "TrancheToken",
    "WalletDesk",
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


def _states(constant: str, type_name: str, words: Iterable[str], about: str) -> str:
    return (
        f"/** {about} */\n"
        f"export const {constant} = {json.dumps(list(words))} as const;\n"
        f"export type {type_name} = (typeof {constant})[number];\n"
    )


def states() -> str:
    """TypeScript with every list of states: the domain's words, in the domain's order."""
    live = json.dumps([state.word for state in FacilityState if state.live])
    return (
        "// Made by scripts/dev/web_types.py from api/domain.\n"
        + _states(
            "FACILITY_STATES",
            "FacilityState",
            (state.word for state in FacilityState),
            "By the numbers of `IFacilityRegistry.FacilityState`, of which 0 is not on-chain.",
        )
        + "/** Offered on-chain, and not ended. */\n"
        + f"export const LIVE_FACILITY_STATES: ReadonlySet<string> = new Set({live});\n"
        + _states(
            "SALE_STATES",
            "SaleState",
            (state.name.lower() for state in SaleState),
            "By the numbers of `IPrimarySale.SaleState`.",
        )
        + _states("STATEMENT_STATES", "StatementState", StatementState, "In their order.")
        + _states("EPOCH_STATES", "EpochState", EpochState, "In their order.")
    )


def pages() -> str:
    """TypeScript with the address of every page, as the router writes it."""
    return (
        "// Made by scripts/dev/web_types.py from api/routes/http/pages.py.\n"
        f"export type Page = {' | '.join(json.dumps(page) for page in PAGES)};\n"
    )


def deployments(records: Path = DEPLOYMENTS) -> str:
    """TypeScript with the addresses of every recorded deployment, by chain."""
    found: dict[int, object] = {}
    for path in sorted(records.glob("*.json")):
        deployment = load_deployment(path)
        assert deployment is not None  # the file is there
        found[deployment.chain_id] = {
            "chainId": deployment.chain_id,
            "startBlock": deployment.start_block,
            "addresses": {name: deployment.addresses[name] for name in CONTRACTS},
        }
    return (
        "// Made by scripts/dev/web_types.py from the records in deployments/.\n"
        f"export const CONTRACT_NAMES = {json.dumps(CONTRACTS)} as const;\n"
        f"export const DEPLOYMENTS = {json.dumps(found)} as const;\n"
    )


def write(folder: Path = GENERATED, records: Path = DEPLOYMENTS) -> None:
    """Write all files, untouched where nothing changed, so that builds stay fresh."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (
        ("abis.ts", abis()),
        ("states.ts", states()),
        ("pages.ts", pages()),
        ("deployments.ts", deployments(records)),
    ):
        path = folder / name
        if not path.is_file() or path.read_text() != text:
            path.write_text(text)


if __name__ == "__main__":
    write()
    sys.exit(0)
