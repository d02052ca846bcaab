"""Refusing statements and published evidence: attesters sign, and anybody sends what they signed.

A refusal is public and paid as a signature is (`refuse`); those of enough attesters take back what
an operator published (`reject`). `rentroll attester` signs such refusals by itself.
"""

import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from eth_abi.exceptions import EncodingError

from api.chain import calldata
from api.chain.calldata import SignedRefusal
from api.chain.client import ChainClient
from api.chain.contracts import Contracts
from api.chain.panels import panel_of, require_counting
from api.cli.wiring import require_deployment
from api.domain.facility import DAY_S
from api.domain.json_text import as_bytes32, as_integer, as_object, as_text, read_json
from api.domain.statements.evidence import hex32
from api.domain.statements.refusals import (
    NO_HASH,
    Refusal,
    RefusalCode,
    check_place,
    refusal_digest,
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
    with closing(ChainClient(settings.rpc_url)) as client:
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
    desk = deployment.attester_desk
    digest = refusal_digest(refusal, chain_id=deployment.chain_id, desk=desk)
    fields = {
        "facility_id": facility_id,
        "epoch": epoch,
        "statement_hash": hex32(statement_hash),
        "evidence_hash": hex32(evidence_hash),
        "previous_statement_hash": hex32(previous),
        # Lines from before and after a rejection do not fit together.
        "rejections": openness.rejections,
        "until_s": refusal.until_s,
        "code": code.name.lower(),
        "place": place,
        "attester": signer.address,
        "signature": "0x" + signer.sign_digest(digest).hex(),
    }
    return json.dumps(fields, separators=(",", ":"))


def refusal_call(settings: Settings, lines: Sequence[str]) -> str:
    """The transaction that makes refusals public and books them. Nothing is sent.

    Raises:  InvalidInput for lines of different epochs or none, Misconfigured.
    """
    deployment = require_deployment(settings)
    try:
        facility_id, epoch, refusals = _read(lines)
        data = calldata.refuse(facility_id, epoch, refusals)
    except (KeyError, TypeError, ValueError, EncodingError) as error:
        message = "not lines of `rentroll refuse sign` about one statement"
        raise InvalidInput(message, field="lines") from error
    return json.dumps({"to": deployment.attester_desk, "data": data})


def rejection_call(settings: Settings, lines: Sequence[str]) -> str:
    """The transaction that takes published evidence back. Nothing is sent.

    Raises:  InvalidInput for lines of different epochs, evidence or rejections, or none,
             Misconfigured.
    """
    deployment = require_deployment(settings)
    try:
        facility_id, epoch, refusals = _read(lines)
        about = {(s.refusal.evidence_hash, s.refusal.rejections) for s in refusals.values()}
        ((evidence_hash, _),) = about
        data = calldata.reject(facility_id, epoch, evidence_hash, refusals)
    except (KeyError, TypeError, ValueError, EncodingError) as error:
        message = (
            "not lines of `rentroll refuse sign` about one published epoch, all of the same"
            " evidence and number of rejections"
        )
        raise InvalidInput(message, field="lines") from error
    return json.dumps({"to": deployment.attester_desk, "data": data})


def _read(lines: Sequence[str]) -> tuple[FacilityId, Epoch, dict[str, SignedRefusal]]:
    """Refusals by attester, lower-case. Raises KeyError, TypeError or ValueError."""
    refusals: dict[str, SignedRefusal] = {}
    for line in lines:
        fields = as_object(read_json(line.encode()))
        refusal = Refusal(
            FacilityId(as_integer(fields["facility_id"])),
            Epoch(as_integer(fields["epoch"])),
            as_bytes32(fields["statement_hash"]),
            as_bytes32(fields["evidence_hash"]),
            as_bytes32(fields["previous_statement_hash"]),
            as_integer(fields["rejections"]),
            as_integer(fields["until_s"]),
            RefusalCode[as_text(fields["code"]).upper()],
            check_place(as_text(fields["place"])),
        )
        signature = bytes.fromhex(as_text(fields["signature"]).removeprefix("0x"))
        refusals[as_text(fields["attester"]).lower()] = SignedRefusal(refusal, signature)
    ((facility_id, epoch),) = {(s.refusal.facility_id, s.refusal.epoch) for s in refusals.values()}
    return facility_id, epoch, refusals
