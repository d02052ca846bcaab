"""An auditor's check of one line, from the line up to what the contract stores.

    python examples/auditor.py API_URL RPC_URL REGISTRY FACILITY_ID EPOCH LINE [BLOCK]

The API is asked for a statement, a line and its proof. Leaf, root and statement hash are then
computed here, and the hash is compared with the one that StatementRegistry holds, read from a node
of your choice. Take the registry's address from a source that you trust, not from the API that you
audit. BLOCK is `finalized` unless named. `rentroll verify` does this for everything; here are the
steps for one line.
"""

import sys

import httpx
from eth_account import Account
from eth_account.messages import SignableMessage
from eth_utils import keccak

from api.domain.statements.evidence_reader import read_attestations

# What attesters sign and the contract stores: IStatementRegistry.Statement as an EIP-712 type.
STATEMENT = (
    "Statement(uint64 facilityId,uint32 epoch,uint64 epochStart,uint64 epochEnd,"
    "uint64 availableGpuSeconds,int64 availableAdjustment,uint64 billedGpuSeconds,"
    "int128 grossRevenue,uint32 lineCount,"
    "bytes32 usageRoot,bytes32 evidenceHash,bytes32 previousStatementHash,"
    "uint16 topRenterBps,uint16 committedBps)"
)
STATEMENT_FIELDS = [
    "facility_id",
    "epoch",
    "epoch_start_s",
    "epoch_end_s",
    "available_gpu_seconds",
    "available_adjustment",
    "billed_gpu_seconds",
    "gross_revenue_micros",
    "line_count",
    "usage_root",
    "evidence_hash",
    "previous_statement_hash",
    "top_renter_bps",
    "committed_bps",
]
LINE_FIELDS = [
    "index",
    "kind",
    "subject",
    "lease",
    "start_s",
    "end_s",
    "gpu_seconds",
    "charge_micros",
    "cumulative_gpu_seconds",
    "cumulative_charge_micros",
]
KINDS = (
    *("usage", "delivery", "late", "late_delivery", "void"),
    *("usage_difference", "tier_difference", "shortfall_difference", "minimum_difference"),
    *("sla_difference", "fixed_difference", "adjustment_difference"),
)
DOMAIN = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"


def word(value: int | str) -> bytes:
    """32 bytes as the ABI encodes a number, negative ones too, or a hash or address in hex."""
    if isinstance(value, str):
        return bytes.fromhex(value.removeprefix("0x")).rjust(32, b"\0")
    return (value % 2**256).to_bytes(32, "big")


def leaf_of(facility_id: int, epoch: int, line: dict[str, int | str]) -> bytes:
    """Leaf of a line: hashed twice, so that no inner node of the tree can pass for one."""
    line = line | {"kind": KINDS.index(str(line["kind"]))}
    words = [facility_id, epoch, *(line[name] for name in LINE_FIELDS)]
    return keccak(keccak(b"".join(map(word, words))))


def root_of(leaf: bytes, proof: list[str]) -> bytes:
    """Root that a leaf and its siblings lead to; each pair is hashed in ascending order."""
    node = leaf
    for sibling in map(word, proof):
        node = keccak(min(node, sibling) + max(node, sibling))
    return node


def statement_hash(statement: dict[str, int | str]) -> bytes:
    """EIP-712 struct hash of a statement."""
    return keccak(
        keccak(text=STATEMENT) + b"".join(word(statement[name]) for name in STATEMENT_FIELDS)
    )


def rpc(url: str, method: str, *params: object) -> str:
    """Result of a JSON-RPC call."""
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    answer = httpx.post(url, json=body, timeout=30).raise_for_status().json()
    if "error" in answer:
        raise SystemExit(f"{method}: {answer['error']}")
    return str(answer["result"])


def stored_hash(rpc_url: str, registry: str, facility_id: int, epoch: int, block: str) -> bytes:
    """Hash of the statement that stands in the contract: first word of `statementOf`."""
    selector = keccak(text="statementOf(uint64,uint32)")[:4]
    data = "0x" + (selector + word(facility_id) + word(epoch)).hex()
    call = {"to": registry, "data": data}
    return bytes.fromhex(rpc(rpc_url, "eth_call", call, block)[2:66])


def main(
    api_url: str,
    rpc_url: str,
    registry: str,
    facility: str,
    epoch: str,
    line: str,
    block: str = "finalized",
) -> int:
    """Check and say what was found; 1 if something does not hold."""
    api = httpx.Client(base_url=api_url, timeout=30)
    where = f"/v1/facilities/{facility}/epochs/{epoch}"
    statement = api.get(where).raise_for_status().json()
    proven = api.get(f"{where}/lines/{line}/proof").raise_for_status().json()

    root = root_of(leaf_of(int(facility), int(epoch), proven["line"]), proven["proof"])
    computed = statement_hash(statement)
    stored = stored_hash(rpc_url, registry, int(facility), int(epoch), block)

    chain_id = int(rpc(rpc_url, "eth_chainId"), 16)
    names = (keccak(text=DOMAIN), keccak(text="Rentroll Statements"), keccak(text="1"))
    separator = keccak(b"".join(names) + word(chain_id) + word(registry))
    signed = SignableMessage(b"\x01", separator, computed)
    file = api.get(f"/v1/evidence/{statement['evidence']}/attestations.json").raise_for_status()
    signatures = read_attestations(file.content)
    signers = [Account.recover_message(signed, signature=s) for s in signatures.values()]
    genuine = [a.lower() for a in signers] == [a.lower() for a in signatures]

    checks = {
        f"line {line} leads to the statement's root": root == word(statement["usage_root"]),
        "the statement hashes to what the contract stores": computed == stored,
        f"{len(signatures)} attesters signed it": bool(signatures) and genuine,
    }
    for what, holds in checks.items():
        print("holds" if holds else "WRONG", what)
    return int(not all(checks.values()))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
