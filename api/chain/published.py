"""`deployment.json` of the evidence root."""

from api.chain.contracts import Contracts
from api.chain.deployment import CONTRACTS
from api.chain.events import first_log_block
from api.domain.statements.evidence import canonical_json, hex32

DEPLOYMENT_FILE = "deployment.json"


def published_deployment(contracts: Contracts, *, start_block: int | None = None) -> bytes:
    """`deployment.json` of the evidence root: only what a verifier can check for itself.

    `startBlock` is the first block in which one of the contracts logged anything: asked for, unless
    it is known to be `start_block`.
    """
    deployment = contracts.deployment
    return canonical_json(
        {
            "chainId": deployment.chain_id,
            "startBlock": first_log_block(contracts) if start_block is None else start_block,
            "contracts": {
                name: {
                    "address": deployment.addresses[name],
                    "codeHash": hex32(deployment.code_hashes[name]),
                }
                for name in CONTRACTS
            },
        }
    )
