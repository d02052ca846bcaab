"""Evidence: the exact bytes that are published for every statement.

One folder an epoch, `facility-<id>/epoch-<n>/`, holds `batches.jsonl` (the entries of the
facility's log since the statement before), `facts.jsonl` and `terms.jsonl` (what they told),
`lines.csv`, `credits.csv`, `state.jsonl` (of the books, where a month ended) and `manifest.json`
(size and SHA-256 of the others and of `../facility.json`, the log's size and head, and the
manifest before).
The statement's `evidenceHash` is the SHA-256 of the manifest, so every byte is bound to the chain.
`statement.json` and `attestations.json` come later and are checked against the chain instead.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from api.domain.facility import FacilityTerms
from api.domain.hashing import sha256
from api.domain.log.entry import LogEnd
from api.domain.statements.lines import Line
from api.domain.statements.statement import Statement, statement_hash
from api.domain.units import Bytes32, Epoch, FacilityId

FACILITY_FILE = "facility.json"
MANIFEST_FILE = "manifest.json"
STATEMENT_FILE = "statement.json"
ATTESTATIONS_FILE = "attestations.json"
LINES_FILE = "lines.csv"
BATCHES_FILE = "batches.jsonl"
FACTS_FILE = "facts.jsonl"
TERMS_FILE = "terms.jsonl"
CREDITS_FILE = "credits.csv"
STATE_FILE = "state.jsonl"
# Of the whole folder. Readers refuse another by its name.
FORMAT = "rentroll-evidence-5"
# Files that the manifest commits to, in its order; facility.json lies one folder up.
COMMITTED_FILES = (
    *(FACILITY_FILE, BATCHES_FILE, FACTS_FILE, TERMS_FILE),
    *(LINES_FILE, CREDITS_FILE, STATE_FILE),
)

LINES_HEADER = (
    "index,kind,subject,lease,start_s,end_s,gpu_seconds,charge_micros,"
    "cumulative_gpu_seconds,cumulative_charge_micros"
)
CREDITS_HEADER = "lease,amount"


@dataclass(frozen=True, slots=True)
class SignedShare:
    """What of a statement rests on signed entries alone: of the sum of its charges without their
    signs, and of its GPU-seconds."""

    charge: int = 0
    gpu_seconds: int = 0


@dataclass(frozen=True, slots=True)
class Follows:
    """What a manifest says beside its files: where its statement ends in the log, what is before.

    previous: SHA-256 of the manifest before, 32 zero bytes for the first.
    signed: what of the statement rests on signed entries alone.
    """

    log: LogEnd
    previous: Bytes32
    signed: SignedShare = SignedShare()


def facility_folder(facility_id: FacilityId) -> str:
    """Folder of a facility below the evidence root."""
    return f"facility-{facility_id}"


def epoch_folder(facility_id: FacilityId, epoch: Epoch) -> str:
    """Folder of one epoch below the evidence root."""
    return f"{facility_folder(facility_id)}/epoch-{epoch:05d}"


def superseded_folder(facility_id: FacilityId, epoch: Epoch, statement_hash: bytes) -> str:
    """Folder that keeps the evidence of a statement that was replaced after a proven fault."""
    home = f"{facility_folder(facility_id)}/superseded"
    return f"{home}/epoch-{epoch:05d}-{statement_hash.hex()}"


def canonical_json(value: object) -> bytes:
    """One canonical encoding: sorted keys, two-space indent, ASCII, one newline at the end."""
    text = json.dumps(value, sort_keys=True, indent=2, ensure_ascii=True, allow_nan=False)
    return text.encode("ascii") + b"\n"


def hex32(value: bytes) -> str:
    """0x-prefixed lower-case hex."""
    return "0x" + value.hex()


def encode_facility(terms: FacilityTerms) -> bytes:
    """`facility.json`: the terms document whose SHA-256 is `FacilityTerms.termsHash` on-chain."""
    return canonical_json(
        {
            "facility_id": terms.facility_id,
            "gpu_operator": terms.gpu_operator,
            "settlement_token": terms.settlement_token,
            "gpu_class": terms.gpu_class,
            "site": terms.site,
            "window_start_s": terms.window_start_s,
            "window_end_s": terms.window_end_s,
            "expires_at_s": terms.expires_at_s,
            "epoch_length_s": terms.epoch_length_s,
            "promised_availability_ppm": terms.promised_availability_ppm,
            "fee_bps": terms.fee_bps,
            "attester_fee_bps": terms.attester_fee_bps,
            "patience_s": terms.patience_s,
            "grace_s": terms.grace_s,
            "seal_s": terms.seal_s,
            "long_stop_s": terms.long_stop_s,
            "silence": "available" if terms.silence_available else "unavailable",
            "log": {
                "chain_id": terms.chain_id,
                "registry": terms.registry,
                "key": hex32(terms.log_key),
                "unsigned": "taken" if terms.unsigned_taken else "refused",
            },
            "tranches": [
                {
                    "unit_cap": t.unit_cap,
                    "coupon_micros_per_unit": t.coupon_micros_per_unit,
                }
                for t in terms.tranches
            ],
            "devices": _devices(terms),
        }
    )


def _devices(terms: FacilityTerms) -> list[str] | list[dict[str, str]]:
    """Whole cards by their hash; a slice with its card and profile."""
    if terms.profile is None:
        return [hex32(d) for d in terms.devices]
    return [
        {"device": hex32(p.device), "card": hex32(p.card), "profile": terms.profile}
        for p in terms.pledge
    ]


def encode_lines(lines: Sequence[Line]) -> bytes:
    """`lines.csv`: one row a line, integers and 0x-hex only, LF line ends."""
    names: dict[bytes, str] = {}

    def name(value: bytes) -> str:
        text = names.get(value)
        if text is None:
            text = names[value] = "0x" + value.hex()
        return text

    rows = [LINES_HEADER]
    rows.extend(
        f"{x.index},{x.kind.value},{name(x.subject)},{name(x.lease)},{x.start_s},{x.end_s},"
        f"{x.gpu_seconds},{x.charge_micros},{x.cumulative_gpu_seconds},{x.cumulative_charge_micros}"
        for x in lines
    )
    rows.append("")
    return "\n".join(rows).encode("ascii")


def encode_credits(lines: Sequence[Line]) -> bytes:
    """`credits.csv`: what a closing statement states below zero, by lease; of others, nothing.

    Rent that was paid above it goes back, by these credits and who paid for the lease.
    """
    stated: dict[bytes, int] = {}
    for line in lines:
        stated[line.lease] = stated.get(line.lease, 0) + line.charge_micros
    owed = sorted((lease, -amount) for lease, amount in stated.items() if amount < 0)
    rows = [CREDITS_HEADER, *(f"{hex32(lease)},{amount}" for lease, amount in owed), ""]
    return "\n".join(rows).encode("ascii")


def encode_manifest(
    facility_id: FacilityId,
    epoch: Epoch,
    files: Mapping[str, bytes],
    *,
    said: Follows,
) -> bytes:
    """`manifest.json`; its SHA-256 is the statement's evidence hash."""
    return canonical_json(
        {
            "format": FORMAT,
            "facility_id": facility_id,
            "epoch": epoch,
            "log_size": said.log.size,
            "log_head": hex32(said.log.head),
            "previous": hex32(said.previous),
            "signed": {"charge": said.signed.charge, "gpu_seconds": said.signed.gpu_seconds},
            "files": [
                {"name": n, "bytes": len(files[n]), "sha256": sha256(files[n]).hex()}
                for n in COMMITTED_FILES
            ],
        }
    )


def encode_statement(statement: Statement) -> bytes:
    """`statement.json`: the statement as posted, with its hash."""
    return canonical_json(
        {
            "facility_id": statement.facility_id,
            "epoch": statement.epoch,
            "epoch_start_s": statement.epoch_start_s,
            "epoch_end_s": statement.epoch_end_s,
            "available_gpu_seconds": statement.available_gpu_seconds,
            "available_adjustment": statement.available_adjustment,
            "billed_gpu_seconds": statement.billed_gpu_seconds,
            "gross_revenue_micros": statement.gross_revenue_micros,
            "line_count": statement.line_count,
            "usage_root": hex32(statement.usage_root),
            "evidence_hash": hex32(statement.evidence_hash),
            "previous_statement_hash": hex32(statement.previous_statement_hash),
            "top_renter_bps": statement.top_renter_bps,
            "committed_bps": statement.committed_bps,
            "statement_hash": hex32(statement_hash(statement)),
        }
    )


def encode_attestations(signatures: Mapping[str, bytes]) -> bytes:
    """`attestations.json`: signature by attester address (lower-case hex), ascending."""
    rows = [{"attester": a, "signature": hex32(s)} for a, s in sorted(signatures.items())]
    return canonical_json(rows)
