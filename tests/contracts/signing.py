"""Facilities in another settlement token, and buyers who sign for it (ERC-2612, ERC-3009)."""

from typing import Any

import brownie
from brownie import chain
from eth_account import Account
from eth_account.messages import encode_typed_data

from tests.contracts.conftest import facility_terms
from tests.contracts.model import World


def world_with(coin_name: str, deployed: Any, accounts: Any) -> World:
    """The deployed contracts with a facility, not offered yet, that settles in another mock."""
    contracts, attesters = deployed
    owner = {"from": accounts[0]}
    coin = brownie.project.get_loaded_projects()[0][coin_name].deploy(owner)
    contracts["FacilityRegistry"].setSettlementToken(coin, True, owner)
    changed = {**contracts, "SettlementToken": coin}
    return World(changed, facility_terms(changed, accounts), accounts, attesters)


def new_buyer(world: World) -> Any:
    """A buyer with a key of its own, gas and ten dollars."""
    buyer = world.accounts.add()
    world.accounts[0].transfer(buyer, 10**18)
    world.dollar.mint(buyer, 10_000_000, {"from": buyer})
    return buyer


def sign_typed(signer: Any, coin: Any, kind: str, fields: dict[str, tuple[str, Any]]) -> bytes:
    """What a wallet signs over a struct of the token: 65 bytes."""
    domain = {"name": "Authorized Dollar", "version": "1", "chainId": chain.id}
    domain["verifyingContract"] = coin.address
    types = {kind: [{"name": name, "type": type_} for name, (type_, _) in fields.items()]}
    message = {name: value for name, (_, value) in fields.items()}
    signed = Account.sign_message(encode_typed_data(domain, types, message), signer.private_key)
    return bytes(signed.signature)
