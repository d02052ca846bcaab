"""What a deployment would do and cost: `python -m scripts.dry_deploy --rpc URL --deployer 0x…`.

Nothing is sent to the chain. A local anvil forks it, the deployment itself runs there as it would
on it, from the same environment, and its transactions are counted. What is printed: who deploys and
can pay for it, each transaction with its gas, the roles afterwards, the cost at today's fee.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx

from scripts.dev.devchain import DevChain, deploy_contracts, dev_chain

_ETHER, _GWEI = 10**18, 10**9
# Of the fork: what the deployment costs is found out here, not what the deployer has.
_PLENTY = hex(1_000 * _ETHER)


def _call(url: str, method: str, *params: object) -> Any:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
    answer = httpx.post(url, json=body, timeout=30).json()
    if "error" in answer:
        raise SystemExit(f"{method}: {answer['error']['message']}")
    return answer["result"]


def _transactions(chain: DevChain, start_block: int, sender: str) -> list[tuple[str, int]]:
    """Address and gas of what the deployer sent since a block, in order."""
    found = []
    head = int(str(chain.rpc("eth_blockNumber")), 16)
    for number in range(start_block + 1, head + 1):
        receipts: Any = chain.rpc("eth_getBlockReceipts", hex(number))
        for receipt in receipts:
            if receipt["from"].lower() == sender.lower():
                target = receipt["contractAddress"] or receipt["to"]
                found.append((target.lower(), int(receipt["gasUsed"], 16)))
    return found


def rehearse(rpc_url: str, deployer: str) -> dict[str, Any]:
    """Run the deployment on a fork.

    Returns: the deployment file, what was printed, and each transaction's contract and gas.
    Raises:  RuntimeError with brownie's words if it fails.
    """
    chain_id, fork_block = (
        int(_call(rpc_url, name), 16) for name in ("eth_chainId", "eth_blockNumber")
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        dev_chain(fork_url=rpc_url, chain_id=chain_id) as chain,
    ):
        chain.rpc("anvil_autoImpersonateAccount", True)
        chain.rpc("anvil_setBalance", deployer, _PLENTY)
        file = Path(folder) / "deployment.json"
        environment = {"RENTROLL_CHAIN_ID": str(chain_id), "RENTROLL_DEPLOYER": deployer}
        # A rehearsal needs no key, and gets none.
        kept = {"RENTROLL_DEPLOYER_KEY_FILE": "", "RENTROLL_DEPLOYER_PASSWORD_FILE": ""}
        said = deploy_contracts(chain, file, environment | kept)
        document = json.loads(file.read_text())
        names = {c["address"].lower(): name for name, c in document["contracts"].items()}
        sent = [
            (names.get(address, address), gas)
            for address, gas in _transactions(chain, fork_block, deployer)
        ]
    return {"document": document, "said": said, "sent": sent, "chainId": chain_id}


def report(rpc_url: str, deployer: str) -> str:
    """The rehearsal in words, beside what the deployer has and the chain asks."""
    found = rehearse(rpc_url, deployer)
    balance = int(_call(rpc_url, "eth_getBalance", deployer, "latest"), 16)
    head = _call(rpc_url, "eth_getBlockByNumber", "latest", False)
    base_fee = int(head.get("baseFeePerGas", "0x0"), 16)
    # Twice the base fee lasts for six full blocks in a row.
    fee = 2 * base_fee + _GWEI
    gas = sum(used for _, used in found["sent"])
    rows = [
        f"chain {found['chainId']}, deployer {deployer}, commit {found['document']['gitCommit']}"
    ]
    rows += [f"{name:20} {used:>10,} gas" for name, used in found["sent"]]
    roles = [line for line in found["said"].splitlines() if " after " in line and "0x" in line]
    rows += ["roles afterwards, and the delay of each:", *roles]
    rows.append(
        f"{len(found['sent'])} transactions, {gas:,} gas, at most {gas * fee / _ETHER:.6f} at"
        f" {fee / _GWEI:.2f} gwei; the deployer has {balance / _ETHER:.6f}"
    )
    if balance < gas * fee:
        rows.append("that is too little")
    return "\n".join(rows)


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(
        description="Rehearse a deployment on a fork; RENTROLL_* as for tools/brownie run deploy."
    )
    parser.add_argument("--rpc", default=os.environ.get("RENTROLL_RPC_URL"), help="node to fork")
    parser.add_argument("--deployer", required=True, help="address that will deploy")
    options = parser.parse_args()
    if not options.rpc:
        parser.error("no node: --rpc, or RENTROLL_RPC_URL")
    print(report(options.rpc, options.deployer))
    return 0


if __name__ == "__main__":
    sys.exit(main())
