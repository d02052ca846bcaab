"""Rejecting published evidence: attesters sign, and anybody sends what enough of them signed.

For an operator's own hash whose evidence is missing, or does not recompute: `rentroll attester`
judges statements of the service, and never this.
"""

import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from eth_abi.exceptions import EncodingError

from api.chain import calldata
from api.chain.client import ChainClient
from api.chain.contracts import Contracts
from api.chain.signer import load_signer
from api.cli.wiring import require_deployment
from api.domain.json_text import as_bytes32, as_integer, as_object, as_text, read_json
from api.domain.statements.evidence import hex32
from api.domain.units import Epoch, FacilityId
from api.epochs.panels import panel_of, require_counting
from api.errors import InvalidInput
from api.settings import Settings


def sign_rejection(
    settings: Settings, key_file: Path, facility_id: FacilityId, epoch: Epoch
) -> str:
    """One line for `rejection_call`: an attester's signature over what stands published.

    Raises:  InvalidInput if nothing does, or if the attester's signatures do not count for this
             facility, Misconfigured, ChainUnavailable.
    """
    signer = load_signer(key_file)
    assert signer is not None  # only no path gives no signer
    deployment = require_deployment(settings)
    with closing(ChainClient(settings.rpc_url)) as client:
        contracts = Contracts(client, deployment)
        registry = contracts.statement_registry
        block = client.head().number
        panel = panel_of(contracts, facility_id, block=block)
        require_counting(contracts, panel, signer.address, block=block)
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
        # It counts the facility's rejections: lines from before and after one do not fit together.
        "digest": hex32(digest),
        "attester": signer.address,
        "signature": "0x" + signer.sign_digest(digest).hex(),
    }
    return json.dumps(fields, separators=(",", ":"))


def rejection_call(settings: Settings, lines: Sequence[str]) -> str:
    """The transaction that rejects, from the lines that attesters signed. Nothing is sent.

    Raises:  InvalidInput for lines of different epochs or none, Misconfigured.
    """
    deployment = require_deployment(settings)
    about = set[tuple[int, int, bytes, bytes]]()
    signatures: dict[str, bytes] = {}
    try:
        for line in lines:
            fields = as_object(read_json(line.encode()))
            about.add(
                (
                    as_integer(fields["facility_id"]),
                    as_integer(fields["epoch"]),
                    as_bytes32(fields["evidence_hash"]),
                    as_bytes32(fields["digest"]),
                )
            )
            signatures[as_text(fields["attester"]).lower()] = bytes.fromhex(
                as_text(fields["signature"]).removeprefix("0x")
            )
        ((facility_id, epoch, evidence_hash, _),) = about
        data = calldata.reject(FacilityId(facility_id), Epoch(epoch), evidence_hash, signatures)
    except (KeyError, TypeError, ValueError, EncodingError) as error:
        message = "not lines of `rentroll sign-rejection` about one epoch, all of one digest"
        raise InvalidInput(message, field="lines") from error
    return json.dumps({"to": deployment.statement_registry, "data": data})
