"""Refusing statements and published evidence: attesters sign, and anybody sends what they signed.

A refusal is public and paid as a signature is (`refuse`); those of enough attesters take back what
an operator published (`reject`). `rentroll attester` signs such refusals by itself.
"""

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from eth_abi.exceptions import EncodingError

from api.chain import calldata
from api.chain.client import ChainClient
from api.chain.contracts import Contracts
from api.chain.deployment import Deployment
from api.chain.panels import panel_of, require_counting
from api.cli.wiring import require_deployment
from api.domain.facility import DAY_S
from api.domain.json_text import as_object, read_json
from api.domain.statements.refusal_files import SignedRefusal, refusal_document, refusal_from
from api.domain.statements.refusals import (
    NO_HASH,
    Refusal,
    RefusalCode,
    check_place,
)
from api.domain.units import Bytes32, Epoch, FacilityId
from api.errors import InvalidInput
from api.keys.keystore import raw_key
from api.settings import Settings


def sign_refusal(
    settings: Settings,
    key_file: Path,
    facility_id: FacilityId,
    epoch: Epoch,
    *,
    code: RefusalCode,
    place: str = "",
    days: int = 7,
    evidence_hash: Bytes32 | None = None,
    statement_hash: Bytes32 = NO_HASH,
) -> str:
    """One line for `refusal_call` and `rejection_call`: an attester's signed refusal.

    days: so long it can take back what is published.
    evidence_hash: of what is refused; None is what stands published on-chain.
    Raises:  InvalidInput if nothing does, or if the attester's word does not count for this
             facility, KeyFileWrong, Misconfigured, ChainUnavailable.
    """
    check_place(place)
    signer = raw_key(key_file)
    deployment = require_deployment(settings)
    with closing(ChainClient(settings.rpc_urls)) as client:
        contracts = Contracts(client, deployment)
        registry = contracts.statement_registry
        head = client.head()
        block = head.number
        panel = panel_of(contracts, facility_id, block=block)
        require_counting(contracts, panel, signer.address, block=block)
        posted = registry.epochs_posted(facility_id).at(block=block)
        openness = registry.openness_of(facility_id).at(block=block)
        if evidence_hash is None:
            if not posted <= epoch < openness.first_open:
                message = f"epoch {epoch} of facility {facility_id} is not published, or is stated"
                raise InvalidInput(message, field="epoch")
            evidence_hash = registry.published_hash_of(facility_id, epoch).at(block=block)
        previous = NO_HASH
        if epoch > 0:
            before = registry.statement_of(facility_id, Epoch(epoch - 1)).at(block=block)
            previous = before.statement_hash
    refusal = Refusal(
        facility_id,
        epoch,
        statement_hash,
        evidence_hash,
        previous,
        openness.rejections,
        head.time_s + days * DAY_S,
        code,
        place,
    )
    unsigned = SignedRefusal(
        refusal=refusal,
        attester=signer.address,
        signature=b"",
        chain_id=deployment.chain_id,
        desk=deployment.attester_desk,
        signed_at_s=head.time_s,
    )
    signed = replace(unsigned, signature=signer.sign_digest(unsigned.digest))
    return json.dumps(refusal_document(signed), separators=(",", ":"))


def refusal_call(settings: Settings, lines: Sequence[str]) -> str:
    """The transaction that makes refusals public and books them. Nothing is sent.

    Raises:  InvalidInput for lines of different epochs or none, Misconfigured.
    """
    deployment = require_deployment(settings)
    try:
        refusals = _read(lines, deployment)
        ((facility_id, epoch),) = {_of(signed) for signed in refusals}
        data = calldata.refuse(facility_id, epoch, refusals)
    except (TypeError, ValueError, EncodingError) as error:
        message = f"not lines of `rentroll refuse sign` about one statement: {error}"
        raise InvalidInput(message, field="lines") from error
    return json.dumps({"to": deployment.attester_desk, "data": data})


def rejection_call(settings: Settings, lines: Sequence[str]) -> str:
    """The transaction that takes published evidence back. Nothing is sent.

    Raises:  InvalidInput for lines of different epochs, evidence or rejections, or none,
             Misconfigured.
    """
    deployment = require_deployment(settings)
    try:
        refusals = _read(lines, deployment)
        about = {(*_of(s), s.refusal.evidence_hash, s.refusal.rejections) for s in refusals}
        ((facility_id, epoch, evidence_hash, _),) = about
        data = calldata.reject(facility_id, epoch, evidence_hash, refusals)
    except (TypeError, ValueError, EncodingError) as error:
        message = (
            "not lines of `rentroll refuse sign` about one published epoch, all of the same"
            f" evidence and number of rejections: {error}"
        )
        raise InvalidInput(message, field="lines") from error
    return json.dumps({"to": deployment.attester_desk, "data": data})


def _of(signed: SignedRefusal) -> tuple[FacilityId, Epoch]:
    return signed.refusal.facility_id, signed.refusal.epoch


def _read(lines: Sequence[str], deployment: Deployment) -> list[SignedRefusal]:
    """One refusal an attester, the last that is given. Raises TypeError, ValueError, InvalidInput
    for one that is signed for another desk."""
    refusals: dict[str, SignedRefusal] = {}
    for line in lines:
        try:
            signed = refusal_from(as_object(read_json(line)))
        except InvalidInput as error:
            raise ValueError(error.message) from error
        signed.require_for(chain_id=deployment.chain_id, desk=deployment.attester_desk)
        refusals[signed.attester.lower()] = signed
    return list(refusals.values())
