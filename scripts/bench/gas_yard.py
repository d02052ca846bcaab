"""One anvil for the gas table: deploys, sends, and reads what receipts say."""

import json
from pathlib import Path
from typing import Any

from eth_account import Account
from web3 import Web3

from scripts.dev.devchain import MNEMONIC, DevChain

_MINED_TIMEOUT_S = 60


def word(value: int) -> bytes:
    """32 bytes, big endian."""
    return value.to_bytes(32, "big")


def hash_pair(left: bytes, right: bytes) -> bytes:
    """Inner node of OpenZeppelin's and Uniswap's trees: the smaller child first."""
    return bytes(Web3.keccak(min(left, right) + max(left, right)))


class Yard:
    """A chain with unlocked accounts. Every figure is `gasUsed` of a whole transaction."""

    def __init__(self, chain: DevChain) -> None:
        self.chain = chain
        self.web3 = Web3(Web3.HTTPProvider(chain.rpc_url))
        self.accounts: list[Any] = list(self.web3.eth.accounts)

    def key(self, index: int) -> Any:
        """Account `index` with its well-known private key."""
        Account.enable_unaudited_hdwallet_features()
        return Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}")

    def deploy(self, artifact: Path, *arguments: Any) -> Any:
        """Deploy what a compiler left in `artifact`, from account 0."""
        found = json.loads(artifact.read_text())
        factory = self.web3.eth.contract(abi=found["abi"], bytecode=found["bytecode"])
        sent = factory.constructor(*arguments).transact({"from": self.accounts[0]})
        receipt = self._receipt(sent, artifact.stem)
        return self.web3.eth.contract(address=receipt["contractAddress"], abi=found["abi"])

    def at(self, address: str, like: Any) -> Any:
        """The interface of `like` at the address of a proxy."""
        return self.web3.eth.contract(address=Web3.to_checksum_address(address), abi=like.abi)

    def send(self, function: Any, *, sender: int | str = 0) -> int:
        """Send one call, wait for its receipt, return the gas of the transaction.

        Raises: RuntimeError if it reverted.
        """
        origin = self.accounts[sender] if isinstance(sender, int) else sender
        return int(self._receipt(function.transact({"from": origin}), str(function))["gasUsed"])

    def _receipt(self, sent: Any, what: str) -> Any:
        # anvil mines a moment after it answered: the receipt can still be missing.
        receipt = self.web3.eth.wait_for_transaction_receipt(
            sent, timeout=_MINED_TIMEOUT_S, poll_latency=0.005
        )
        if receipt["status"] != 1:
            raise RuntimeError(f"{what} reverted")
        return receipt

    def now_s(self) -> int:
        """Time of the last block."""
        return int(self.web3.eth.get_block("latest")["timestamp"])

    def wait(self, seconds: int) -> None:
        """Let chain time pass."""
        self.chain.set_time(self.now_s() + seconds)
