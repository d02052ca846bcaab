"""What attesters and holders sign, by a wallet library beside ours."""

from collections.abc import Sequence
from typing import Any

from brownie import chain
from eth_account import Account
from eth_account.messages import encode_typed_data

from api.domain.hashing import keccak
from api.domain.merkle import MerkleTree, leaf_hash
from api.domain.units import ZERO32, Bytes32

_APPROVAL = (
    ("facilityId", "uint64"),
    ("pledgeRoot", "bytes32"),
    ("deviceCount", "uint32"),
    ("fromEpoch", "uint32"),
    ("approvals", "uint64"),
)


def signed(digest: bytes, attesters: Sequence[Any]) -> list[tuple[str, bytes]]:
    """`Attestation` of each, in the order given."""
    return [
        (a.address, bytes(Account.unsafe_sign_hash(digest, a.private_key).signature))
        for a in attesters
    ]


def by_address(accounts: Any) -> list[Any]:
    """Accounts, or their addresses, in ascending order."""
    return sorted(accounts, key=lambda a: int(getattr(a, "address", a), 16))


def refusals(
    desk: Any,
    facility_id: int,
    epoch: int,
    evidence: bytes,
    attesters: Sequence[Any],
    *,
    count: int,
) -> list[tuple[Any, ...]]:
    """`Refusal` of each, in order of address. Args: count: how often the facility was rejected."""
    given = []
    for attester in by_address(attesters):
        words = (
            attester.address,
            ZERO32,
            evidence,
            ZERO32,
            count,
            2**40,
            1,
            b"lines.csv:1".ljust(32, b"\0"),
        )
        digest = bytes(desk.refusalDigest(facility_id, epoch, (*words, b"")))
        signature = bytes(Account.unsafe_sign_hash(digest, attester.private_key).signature)
        given.append((*words, signature))
    return given


def approval_digest(
    pledges: Any, facility_id: int, root: bytes, *, devices: int, from_epoch: int, approvals: int
) -> bytes:
    """What attesters of a panel sign over a pledge. Args: approvals: how many there were before."""
    values = (facility_id, root, devices, from_epoch, approvals)
    message = dict(zip((name for name, _ in _APPROVAL), values, strict=True))
    return typed_digest(pledges.address, "Rentroll Pledges", "PledgeApproval", _APPROVAL, message)


def batch_tree(statement_hashes: Sequence[bytes]) -> MerkleTree:
    """Tree over the struct hashes of a batch's statements."""
    return MerkleTree([leaf_hash(given) for given in statement_hashes])


def batch_digest(registry: Any, root: bytes) -> bytes:
    """What attesters of a panel sign over a batch of statements."""
    members = (("root", "bytes32"),)
    return typed_digest(
        registry.address, "Rentroll Statements", "StatementBatch", members, {"root": root}
    )


def in_batch_order(statement_hashes: Sequence[Bytes32]) -> list[int]:
    """Places of the statements in ascending order of their leaves."""
    leaves = [leaf_hash(given) for given in statement_hashes]
    return sorted(range(len(leaves)), key=leaves.__getitem__)


def typed_digest(
    contract: str,
    domain: str,
    kind: str,
    members: Sequence[tuple[str, str]],
    message: dict[str, Any],
) -> bytes:
    """What is signed over a struct of one of our contracts. Args: members: names and types."""
    place = {"name": domain, "version": "1", "chainId": chain.id, "verifyingContract": contract}
    types = {kind: [{"name": name, "type": type_} for name, type_ in members]}
    signable = encode_typed_data(place, types, message)
    return keccak(b"\x19" + signable.version + signable.header + signable.body)
