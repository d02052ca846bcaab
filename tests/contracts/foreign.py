"""Contracts of others, as they published them compiled: a Safe (LGPL-3.0) and Seaport (MIT).

They are installed from npm below `tools/foreign`, and nothing of them is in this repository.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from brownie import Contract, chain, web3
from eth_abi.abi import encode
from eth_account import Account
from eth_account.messages import encode_typed_data

from tests.contracts.attesting import by_address

_PACKAGES = Path(__file__).resolve().parents[2] / "tools" / "foreign" / "node_modules"
_SAFE = _PACKAGES / "@safe-global" / "safe-contracts" / "build" / "artifacts" / "contracts"
_SEAPORT = _PACKAGES / "@opensea" / "seaport-js" / "src" / "artifacts" / "seaport" / "contracts"
ZERO = "0x" + "00" * 20
# Safe's `Enum.Operation`.
_CALL, _DELEGATE_CALL = 0, 1


def _deploy(artifact_file: Path, sender: Any, *arguments: Any) -> Any:
    """A contract by its compiler's output."""
    if not artifact_file.exists():
        raise RuntimeError(f"{artifact_file} is missing: run `make foreign`")
    artifact = json.loads(artifact_file.read_text())
    abi = artifact["abi"]
    factory = web3.eth.contract(abi=abi, bytecode=artifact["bytecode"])
    done = sender.transfer(data=factory.constructor(*arguments).data_in_transaction)
    return Contract.from_abi(artifact["contractName"], done.contract_address, abi, persist=False)


def deploy_seaport(sender: Any) -> Any:
    """Seaport with a controller of conduits; nobody here uses any."""
    conduits = _SEAPORT / "conduit" / "ConduitController.sol" / "LocalConduitController.json"
    controller = _deploy(conduits, sender)
    return _deploy(_SEAPORT / "Seaport.sol" / "Seaport.json", sender, controller.address)


class AllowList:
    """The list of investors, which from now on says who holds or moves units."""

    def __init__(self, contracts: dict[str, Any], owner: Any) -> None:
        self._investors, self._by_owner = contracts["InvestorRegistry"], {"from": owner}
        token = contracts["TrancheToken"]
        token.setInvestorRegistry(self._investors, self._by_owner)
        self._investors.linkMirror(token, self._by_owner)

    def enter(self, *accounts: Any, allowed: bool = True) -> None:
        """Let accounts send and receive, or do neither: without end, Sweden (ISO 3166-1)."""
        for account in accounts:
            entry = (2**64 - 1, 752, allowed, allowed)
            self._investors.setInvestor(account, entry, self._by_owner)


class SafeFactory:
    """What Safes are made of, deployed once: the singleton, the factory of proxies, the handler."""

    def __init__(self, deployer: Any) -> None:
        self.deployer = deployer
        self._singleton = _deploy(_SAFE / "Safe.sol" / "Safe.json", deployer)
        proxies = _SAFE / "proxies" / "SafeProxyFactory.sol" / "SafeProxyFactory.json"
        self._proxies = _deploy(proxies, deployer)
        handlers = _SAFE / "handler" / "CompatibilityFallbackHandler.sol"
        self.handler = _deploy(handlers / "CompatibilityFallbackHandler.json", deployer)
        batches = _SAFE / "libraries" / "MultiSendCallOnly.sol" / "MultiSendCallOnly.json"
        self.batches = _deploy(batches, deployer)
        self._made = 0

    def make(self, owners: Sequence[Any], threshold: int, *, handler: bool = True) -> "Safe":
        """A new Safe. Args: handler: whether it answers ERC-1155's and ERC-1271's questions."""
        names = [owner.address for owner in owners]
        answers = self.handler.address if handler else ZERO
        terms = (names, threshold, ZERO, b"", answers, ZERO, 0, ZERO)
        setup = self._singleton.setup.encode_input(*terms)
        self._made += 1
        arguments = (self._singleton, setup, self._made)
        done = self._proxies.createProxyWithNonce(*arguments, {"from": self.deployer})
        address = done.events["ProxyCreation"][0]["proxy"]
        wallet = Contract.from_abi("Safe", address, self._singleton.abi, persist=False)
        return Safe(self, wallet, by_address(owners)[:threshold])


class Safe:
    """A Safe whose first owners by address sign all that it does."""

    def __init__(self, factory: SafeFactory, wallet: Any, signers: Sequence[Any]) -> None:
        self._factory, self._wallet, self.signers = factory, wallet, signers
        self.address: str = wallet.address

    def call(self, *calls: tuple[Any, str], signers: Sequence[Any] | None = None) -> Any:
        """Let anybody send a transaction of the Safe: one call, or several at once.

        Args:    calls: contract and data of each.  signers: in ascending order of address.
        """
        if len(calls) == 1:
            (to, data), operation = calls[0], _CALL
        else:
            to, operation = self._factory.batches, _DELEGATE_CALL
            data = to.multiSend.encode_input(b"".join(_packed(*one) for one in calls))
        # No value, and nobody is paid back for gas.
        what = (to.address, 0, data, operation, 0, 0, 0, ZERO, ZERO)
        digest = bytes(self._wallet.getTransactionHash(*what, self._wallet.nonce()))
        signatures = _signatures(digest, self.signers if signers is None else signers)
        return self._wallet.execTransaction(*what, signatures, {"from": self._factory.deployer})

    def sign(self, digest: bytes, signers: Sequence[Any] | None = None) -> bytes:
        """What the Safe takes for its own signature over a digest (ERC-1271)."""
        place = {"chainId": chain.id, "verifyingContract": self.address}
        types = {"SafeMessage": [{"name": "message", "type": "bytes"}]}
        message = {"message": encode(["bytes32"], [digest])}
        signable = encode_typed_data(place, types, message)
        by = self.signers if signers is None else signers
        return b"".join(Account.sign_message(signable, o.private_key).signature for o in by)


def _packed(to: Any, data: str) -> bytes:
    """A call as MultiSend reads it: operation, contract, value, length and data."""
    given = bytes.fromhex(data.removeprefix("0x"))
    address = bytes.fromhex(to.address.removeprefix("0x"))
    head = _CALL.to_bytes(1, "big") + address + bytes(32)
    return head + len(given).to_bytes(32, "big") + given


def _signatures(digest: bytes, signers: Sequence[Any]) -> bytes:
    return b"".join(Account.unsafe_sign_hash(digest, o.private_key).signature for o in signers)
