"""Rejecting published evidence: attesters sign, and anybody sends what enough of them signed.

For an operator's own hash whose evidence is missing, or does not recompute: `rentroll attester`
judges statements of the service, and never this.
"""

import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from api.chain import calldata
from api.chain.client import ChainClient
from api.chain.contracts import Contracts
from api.chain.signer import load_signer
from api.cli.wiring import require_deployment
from api.domain.json_text import as_integer, as_object, as_text, read_json
from api.domain.statements.evidence import hex32
from api.domain.units import Epoch, FacilityId
from api.errors import InvalidInput
from api.settings import Settings


def sign_rejection(
    settings: Settings, key_file: Path, facility_id: FacilityId, epoch: Epoch
) -> str:
    """One line for `rejection_call`: an attester's signature over what stands published.

    Raises:  InvalidInput if nothing does, Misconfigured, ChainUnavailable.
    """
    signer = load_signer(key_file)
    assert signer is not None  # only no path gives no signer
    deployment = require_deployment(settings)
    with closing(ChainClient(settings.rpc_url)) as client:
        registry = Contracts(client, deployment).statement_registry
        block = client.head().number
        posted = registry.epochs_posted(facility_id).at(block=block)
        openness = registry.openness_of(facility_id).at(block=block)
        if not posted <= epoch < openness.first_open:
            message = f"epoch {epoch} of facility {facility_id} is not published, or is stated"
            raise InvalidInput(message, field="epoch")
        evidence_hash = registry.published_hash_of(facility_id, epoch).at(block=block)
        digest = registry.rejection_digest(facility_id, epoch, evidence_hash).at(block=block)
    fields = {
        "facility_id": facility_id,
        "epoch": epoch,
        "evidence_hash": hex32(evidence_hash),
        "attester": signer.address,
        "signature": "0x" + signer.sign_digest(digest).hex(),
    }
    return json.dumps(fields, separators=(",", ":"))


def rejection_call(settings: Settings, lines: Sequence[str]) -> str:
    """The transaction that rejects, from the lines that attesters signed. Nothing is sent.

    Raises:  InvalidInput for lines of different epochs or none, Misconfigured.
    """
    deployment = require_deployment(settings)
    about = set[tuple[int, int, str]]()
    signatures: dict[str, bytes] = {}
    try:
        for line in lines:
            fields = as_object(read_json(line.encode()))
            about.add(
                (
                    as_integer(fields["facility_id"]),
                    as_integer(fields["epoch"]),
                    as_text(fields["evidence_hash"]),
                )
            )
            signature = bytes.fromhex(as_text(fields["signature"]).removeprefix("0x"))
            signatures[as_text(fields["attester"])] = signature
        ((facility_id, epoch, evidence_hash),) = about
    except (KeyError, TypeError, ValueError) as error:
        message = "not lines of `rentroll sign-rejection` about one epoch"
        raise InvalidInput(message, field="lines") from error
    data = calldata.reject(
        facility_id, epoch, bytes.fromhex(evidence_hash.removeprefix("0x")), signatures
    )
    return json.dumps({"to": deployment.statement_registry, "data": data})
