"""Calldata of every transaction that operators, renters, holders and the relayer send."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from eth_utils.address import to_checksum_address

from api.chain.signatures import function
from api.chain.structs import read_struct, to_abi
from api.chain.terms import offered_terms
from api.domain.capital.orders import DeliveryOrder
from api.domain.facility import FacilityTerms
from api.domain.pledges import PledgedDevice
from api.domain.statements.lines import Line
from api.domain.statements.refusal_files import SignedRefusal
from api.domain.statements.statement import Statement
from api.domain.units import Address

# Calls in one transaction that are looked at.
_MOST_CALLS = 64


def checksum(address: str) -> Address:
    """EIP-55 form of an address."""
    return Address(to_checksum_address(address))


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def offer(terms: FacilityTerms) -> str:
    """`FacilityRegistry.offer`."""
    tranches = [(t.unit_cap, t.coupon_micros_per_unit) for t in terms.tranches]
    encoder = function("FacilityRegistry", "offer")
    return _hex(encoder.encode(terms.facility_id, to_abi(offered_terms(terms)), tranches))


def post(statement: Statement, signatures: Mapping[str, bytes]) -> str:
    """`StatementRegistry.post`, attesters in ascending order."""
    encoder = function("StatementRegistry", "post")
    return _hex(encoder.encode(statement.as_abi_tuple(), _ordered(signatures)))


def post_many(statements: Sequence[Statement], signatures: Mapping[str, bytes]) -> str:
    """`StatementRegistry.postMany`; statements in ascending order of their leaves."""
    encoder = function("StatementRegistry", "postMany")
    return _hex(encoder.encode([s.as_abi_tuple() for s in statements], _ordered(signatures)))


@dataclass(frozen=True, slots=True)
class Batch:
    """What `postMany` was called with. signatures: by attester, lower-case."""

    statements: tuple[Statement, ...]
    signatures: Mapping[str, bytes]


def read_post_many(data: bytes) -> Batch | None:
    """Arguments of a `postMany`; None if the data calls something else."""
    read = function("StatementRegistry", "postMany").read(data)
    if read is None:
        return None
    statements, attestations = read
    rows = cast("Sequence[object]", statements)
    return Batch(tuple(read_struct(Statement, row) for row in rows), _by_attester(attestations))


def find_post_many(data: bytes) -> list[Batch]:
    """Every `postMany` inside calldata, also of a contract that calls the registry.

    What is found is what somebody wrote there: its signatures say whether it is true.
    """
    selector, found, start = function("StatementRegistry", "postMany").selector, list[Batch](), -1
    for _ in range(_MOST_CALLS):
        start = data.find(selector, start + 1)
        if start < 0:
            break
        batch = read_post_many(data[start:])
        found += [] if batch is None else [batch]
    return found


@dataclass(frozen=True, slots=True)
class Signed:
    """`ISignerCharges.Signed`. signatures: by attester, lower-case."""

    batched: bool
    path: tuple[bytes, ...]
    signatures: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Equivocation:
    """What `chargeEquivocation` was called with."""

    first: Statement
    first_signed: Signed
    second: Statement
    second_signed: Signed


def read_equivocation(data: bytes) -> Equivocation | None:
    """Arguments of a `chargeEquivocation`; None if the data calls something else."""
    read = function("AttesterRegistry", "chargeEquivocation").read(data)
    if read is None:
        return None
    first, first_signed, second, second_signed = read
    return Equivocation(
        read_struct(Statement, first),
        _signed(first_signed),
        read_struct(Statement, second),
        _signed(second_signed),
    )


def _signed(value: object) -> Signed:
    batched, path, attestations = cast("tuple[bool, Sequence[bytes], object]", value)
    return Signed(batched, tuple(path), _by_attester(attestations))


def _by_attester(attestations: object) -> dict[str, bytes]:
    return {a.lower(): s for a, s in cast("Sequence[tuple[str, bytes]]", attestations)}


def approve(facility_id: int, signatures: Mapping[str, bytes]) -> str:
    """`PledgeRegistry.approve`, attesters in ascending order."""
    encoder = function("PledgeRegistry", "approve")
    return _hex(encoder.encode(facility_id, _ordered(signatures)))


def replace(facility_id: int, root: bytes, from_epoch: int, signatures: Mapping[str, bytes]) -> str:
    """`PledgeRegistry.replace`, attesters in ascending order; sent by the facility's operator."""
    encoder = function("PledgeRegistry", "replace")
    return _hex(encoder.encode(facility_id, root, from_epoch, _ordered(signatures)))


def _ordered(signatures: Mapping[str, bytes]) -> list[tuple[str, bytes]]:
    # The contract refuses any other order: so it finds duplicates with one comparison each. As
    # numbers, because capitals of a checksum would sort before small letters.
    return sorted(signatures.items(), key=lambda item: int(item[0], 16))


def refuse(facility_id: int, epoch: int, refusals: Iterable[SignedRefusal]) -> str:
    """`AttesterDesk.refuse`: public, and paid as a signature is. One refusal an attester."""
    encoder = function("AttesterDesk", "refuse")
    return _hex(encoder.encode(facility_id, epoch, _refusals(refusals)))


def reject(
    facility_id: int, epoch: int, evidence_hash: bytes, refusals: Iterable[SignedRefusal]
) -> str:
    """`AttesterDesk.reject`: takes published evidence back. One refusal an attester."""
    encoder = function("AttesterDesk", "reject")
    return _hex(encoder.encode(facility_id, epoch, evidence_hash, _refusals(refusals)))


def _refusals(refusals: Iterable[SignedRefusal]) -> list[tuple[object, ...]]:
    """In ascending order of attester."""
    return [
        (
            signed.attester,
            signed.refusal.statement_hash,
            signed.refusal.evidence_hash,
            signed.refusal.previous_statement_hash,
            signed.refusal.rejections,
            signed.refusal.until_s,
            int(signed.refusal.code),
            signed.refusal.place_word,
            signed.signature,
        )
        for signed in sorted(refusals, key=lambda signed: int(signed.attester, 16))
    ]


def challenge_line(statement: Statement, line: Line, proof: Sequence[bytes]) -> str:
    """`StatementRegistry.challengeLine`: a line that breaks a rule, alone or with the totals."""
    encoder = function("StatementRegistry", "challengeLine")
    return _hex(encoder.encode(statement.as_abi_tuple(), _proven(statement, (line, proof))))


# A line of a statement with its proof.
ProvenLine = tuple[Line, Sequence[bytes]]


def challenge_pair(statement: Statement, first: ProvenLine, second: ProvenLine) -> str:
    """`StatementRegistry.challengePair`: two lines that break a rule together."""
    encoder = function("StatementRegistry", "challengePair")
    proven = (_proven(statement, first), _proven(statement, second))
    return _hex(encoder.encode(statement.as_abi_tuple(), *proven))


@dataclass(frozen=True, slots=True)
class ProvenPledge:
    """A device of a pledge, at its place, with its proof."""

    index: int
    pledged: PledgedDevice
    proof: Sequence[bytes]


def challenge_device(
    statement: Statement, line: ProvenLine, neighbours: Sequence[ProvenPledge]
) -> str:
    """`StatementRegistry.challengeDevice`: a line of a device that no pledge of its time holds."""
    encoder = function("StatementRegistry", "challengeDevice")
    around = [_pledge(neighbour) for neighbour in neighbours]
    return _hex(encoder.encode(statement.as_abi_tuple(), _proven(statement, line), around))


def challenge_double_pledge(
    statement: Statement,
    own: ProvenPledge,
    *,
    other_id: int,
    other_epoch: int,
    other: ProvenPledge,
) -> str:
    """`StatementRegistry.challengeDoublePledge`: an earlier pledge has the card for that time."""
    encoder = function("StatementRegistry", "challengeDoublePledge")
    proofs = _pledge(own), other_id, other_epoch, _pledge(other)
    return _hex(encoder.encode(statement.as_abi_tuple(), *proofs))


def _pledge(proven: ProvenPledge) -> tuple[object, ...]:
    pledged = proven.pledged
    return proven.index, pledged.device, pledged.card, pledged.from_epoch, list(proven.proof)


def _proven(statement: Statement, proven: ProvenLine) -> tuple[object, ...]:
    line, proof = proven
    return line.as_abi_tuple(statement.facility_id, statement.epoch), list(proof)


def settle(facility_id: int) -> str:
    """`RentLockbox.settle`."""
    return _hex(function("RentLockbox", "settle").encode(facility_id))


def settle_many(facility_ids: Sequence[int]) -> str:
    """`RentLockbox.settleMany`: one that cannot be settled stops no other."""
    return _hex(function("RentLockbox", "settleMany").encode(list(facility_ids)))


def close(facility_id: int) -> str:
    """`RentLockbox.close`."""
    return _hex(function("RentLockbox", "close").encode(facility_id))


def serve(
    voucher_ids: Sequence[int], statement: Statement, line: Line, proof: Sequence[bytes]
) -> str:
    """`DeliveryDesk.serve`: a delivery line counts towards vouchers, in this order."""
    leaf = line.as_abi_tuple(statement.facility_id, statement.epoch)
    encoder = function("DeliveryDesk", "serve")
    return _hex(encoder.encode(list(voucher_ids), statement.as_abi_tuple(), leaf, list(proof)))


def take_delivery(order: DeliveryOrder, signature: bytes) -> str:
    """`DeliveryDesk.takeDelivery`, for the order's holder."""
    return _hex(function("DeliveryDesk", "takeDelivery").encode(to_abi(order), signature))


def call(contract: str, name: str, *arguments: object) -> str:
    """Any function of `api.chain.signatures.FUNCTIONS`."""
    return _hex(function(contract, name).encode(*arguments))


def claim(token_ids: Sequence[int], to: str) -> str:
    """`TrancheToken.claim`."""
    return _hex(function("TrancheToken", "claim").encode(list(token_ids), to))
