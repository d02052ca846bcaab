"""`deployment.json` of the evidence root."""

from api.chain.client import ChainClient
from api.chain.deployment import CONTRACTS, Deployment
from api.chain.events import first_log_block
from api.domain.statements.evidence import canonical_json, hex32

DEPLOYMENT_FILE = "deployment.json"


def published_deployment(client: ChainClient, deployment: Deployment) -> bytes:
    """`deployment.json` of the evidence root: only what a verifier can check for itself.

    `startBlock` is the first block in which one of the contracts logged anything.
    """
    return canonical_json(
        {
            "chainId": deployment.chain_id,
            "startBlock": first_log_block(client, deployment),
            "contracts": {
                name: {
                    "address": deployment.addresses[name],
                    "codeHash": hex32(deployment.code_hashes[name]),
                }
                for name in CONTRACTS
            },
        }
    )
