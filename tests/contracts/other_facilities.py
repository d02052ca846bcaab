"""Facilities beside the one of the world, on the same contracts."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from api.domain.facility import FacilityTerms
from api.domain.hashing import device_hash
from api.domain.units import Bytes32, FacilityId
from tests.contracts.model import World
from tests.contracts.pledges import Pledge, pledge


def spare_devices(count: int) -> list[Bytes32]:
    """Devices that no facility here pledged."""
    return [device_hash(f"SPARE-{i}") for i in range(count)]


def other_facility(world: World, facility_id: int, **changes: Any) -> World:
    """Another facility with the same devices, unless they change."""
    contracts = {
        "FacilityRegistry": world.facilities,
        "StatementRegistry": world.statements,
        "TrancheToken": world.token,
        "RentLockbox": world.lockbox,
        "PrimarySale": world.sale,
        "BondVault": world.vault,
        "DeliveryDesk": world.desk,
        "WalletDesk": world.wallets,
        "AttesterRegistry": world.registry,
        "PledgeRegistry": world.pledges,
        "AttesterDesk": world.attester_desk,
        "RefundDesk": world.refund_desk,
        "AccessManager": world.authority,
        "SettlementToken": world.dollar,
    }
    terms: FacilityTerms = replace(world.terms, facility_id=FacilityId(facility_id), **changes)
    return World(contracts, terms, world.accounts, world.attesters)


def with_a_spare(world: World, out: int, from_epoch: int, name: str = "NEW") -> Pledge:
    """The pledge with one card less and another one from an epoch on."""
    devices = [d.device for i, d in enumerate(world.pledge.devices) if i != out]
    return pledge(7, devices, later={device_hash(name): from_epoch})


def sliced(
    terms: FacilityTerms, cards: Sequence[Bytes32], profile: str = "3g.40gb"
) -> FacilityTerms:
    """The same terms with two slices of each of these cards in place of its devices."""
    pairs = sorted((device_hash(f"MIG-{i}-{card.hex()}"), card) for card in cards for i in range(2))
    return replace(
        terms,
        devices=tuple(device for device, _ in pairs),
        cards=tuple(card for _, card in pairs),
        profile="3g.40gb",
        gpu_class=f"{terms.gpu_class}/3g.40gb",
    )
