"""Terms of a facility as FacilityRegistry stores them."""

from dataclasses import dataclass
from typing import Annotated

from api.domain.facility import FacilityTerms
from api.domain.hashing import ascii_word, sha256
from api.domain.statements.evidence import encode_facility
from api.domain.units import Address, Bytes32


@dataclass(frozen=True, slots=True)
class OfferedTerms:
    """`IFacilityRegistry.FacilityTerms`: addresses are lower-case hex, names ASCII in a word."""

    gpu_operator: Address
    settlement_token: Address
    gpu_class: Bytes32
    site: Bytes32
    window_start_s: Annotated[int, "uint64"]
    window_end_s: Annotated[int, "uint64"]
    expires_at_s: Annotated[int, "uint64"]
    epoch_length_s: Annotated[int, "uint32"]
    device_count: Annotated[int, "uint32"]
    promised_availability_ppm: Annotated[int, "uint32"]
    fee_bps: Annotated[int, "uint16"]
    attester_fee_bps: Annotated[int, "uint16"]
    patience_seconds: Annotated[int, "uint32"]
    seal_seconds: Annotated[int, "uint32"]
    long_stop_seconds: Annotated[int, "uint32"]
    pledge_root: Bytes32
    terms_hash: Bytes32


def offered_terms(terms: FacilityTerms) -> OfferedTerms:
    """Terms as an offer of them names them on-chain."""
    # Lower case, as eth_abi decodes addresses: ours and the chain's are compared as wholes.
    return OfferedTerms(
        gpu_operator=Address(terms.gpu_operator.lower()),
        settlement_token=Address(terms.settlement_token.lower()),
        gpu_class=ascii_word(terms.gpu_class),
        site=ascii_word(terms.site),
        window_start_s=terms.window_start_s,
        window_end_s=terms.window_end_s,
        expires_at_s=terms.expires_at_s,
        epoch_length_s=terms.epoch_length_s,
        device_count=terms.device_count,
        promised_availability_ppm=terms.promised_availability_ppm,
        fee_bps=terms.fee_bps,
        attester_fee_bps=terms.attester_fee_bps,
        patience_seconds=terms.patience_s,
        seal_seconds=terms.seal_s,
        long_stop_seconds=terms.long_stop_s,
        pledge_root=terms.pledge_tree.root,
        terms_hash=sha256(encode_facility(terms)),
    )
