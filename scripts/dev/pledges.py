"""Attesters of a local chain approve a pledge at once, where no process of theirs is part of it."""

from collections.abc import Callable, Sequence

from api.chain import calldata
from api.chain.contracts import Contracts
from api.chain.signer import LocalSigner
from api.domain.pledges import OFFER_EPOCH
from api.domain.units import FacilityId
from scripts.dev.stack import wallet


def approve_pledge(
    contracts: Contracts,
    facility_id: FacilityId,
    attesters: Sequence[int],
    send: Callable[[str, str], object],
) -> None:
    """Sign the pledge of an offer with the keys of well-known accounts, and send the approval.

    Args:    attesters: places of the accounts.  send: sends `(to, data)` from any account.
    """
    block = contracts.client.head().number
    root = contracts.facility_registry.terms_of(facility_id).at(block=block).pledge_root
    registry = contracts.pledge_registry
    digest = registry.pledge_digest(facility_id, root, OFFER_EPOCH).at(block=block)
    signers = [LocalSigner(wallet(index).key.hex()) for index in attesters]
    signatures = {signer.address: signer.sign_digest(digest) for signer in signers}
    send(registry.address, calldata.approve(facility_id, signatures))
