"""What to deploy, and the deployment file: each contract and transaction of it once."""

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rlp
from brownie import Contract, chain, web3
from eth_account import Account

from api.keys.keystore import password_of, raw_key
from api.local.secret_file import read_secret


def _addresses(name: str) -> tuple[str, ...]:
    """Accounts of a setting, separated by commas. Raises ValueError for what is none."""
    words = [word.strip() for word in os.environ.get(name, "").split(",") if word.strip()]
    wrong = [word for word in words if not web3.is_address(word)]
    if wrong:
        raise ValueError(f"{name}: {wrong[0]} is no address")
    return tuple(str(web3.to_checksum_address(word)) for word in words)


def _address(name: str) -> str | None:
    found = _addresses(name)
    if len(found) > 1:
        raise ValueError(f"{name} names {len(found)} accounts; it is one")
    return found[0] if found else None


LOCAL_CHAIN = 31_337
# Of the compiler's metadata at the end of code, in hex: 51 bytes, and their length in two.
_METADATA_DIGITS = 106
TWO_DAYS_S = 2 * 86_400
# 1,000 and 100 of a token with six decimals.
MINIMUM_BOND = 1_000_000_000
SLASH_AMOUNT = 100_000_000


@dataclass(frozen=True)
class Plan:
    """What to deploy, from the environment.

    admin: multisig that gets every role; None leaves them with the deployer (local chains).
    admin_delay_s: how long the admin's governance, treasury and admin actions wait.
    allow_list: whether units may move only between accounts of InvestorRegistry.
    attesters: the seats of the first panel, an odd number 2k - 1 of accounts; k must sign.
    activation_delay_s, removal_delay_s: how long a change of the attesters waits, a change of
    seats as long as the first.
    minimum_bond, slash_amount: least bond of an attester whose signatures count, and what a fault
    costs each one that signed, minor units of the bond token; fixed for ever.
    """

    deployment_file: Path
    settlement_token: str | None
    attesters: tuple[str, ...]
    gpu_operators: tuple[str, ...]
    challenge_window_s: int
    admin: str | None
    base_uri: str
    admin_delay_s: int = 0
    allow_list: bool = True
    activation_delay_s: int = 0
    removal_delay_s: int = 0
    minimum_bond: int = MINIMUM_BOND
    slash_amount: int = SLASH_AMOUNT

    @classmethod
    def from_environment(cls) -> "Plan":
        """Read RENTROLL_* variables; the defaults suit a local chain."""
        attesters = _addresses("RENTROLL_ATTESTERS")
        if attesters and len(attesters) % 2 == 0:
            raise ValueError(
                f"RENTROLL_ATTESTERS names {len(attesters)} accounts; a panel has an odd number"
            )
        # Whoever hands roles to a multisig is on no local chain: there every change waits.
        delay_s = str(TWO_DAYS_S) if os.environ.get("RENTROLL_ADMIN") else "0"
        return cls(
            Path(os.environ.get("RENTROLL_DEPLOYMENT_FILE") or _record_of(int(chain.id))),
            _address("RENTROLL_SETTLEMENT_TOKEN"),
            attesters,
            _addresses("RENTROLL_OPERATORS"),
            int(os.environ.get("RENTROLL_CHALLENGE_WINDOW_S", "86400")),
            _address("RENTROLL_ADMIN"),
            os.environ.get("RENTROLL_BASE_URI", "/v1/tranches/{id}.json"),
            int(os.environ.get("RENTROLL_ADMIN_DELAY_S", delay_s)),
            os.environ.get("RENTROLL_ALLOW_LIST", "1") != "0",
            int(os.environ.get("RENTROLL_ACTIVATION_DELAY_S", delay_s)),
            int(os.environ.get("RENTROLL_REMOVAL_DELAY_S", delay_s)),
            int(os.environ.get("RENTROLL_MINIMUM_BOND", str(MINIMUM_BOND))),
            int(os.environ.get("RENTROLL_SLASH_AMOUNT", str(SLASH_AMOUNT))),
        )


def _record_of(chain_id: int) -> str:
    """Where a deployment is recorded: that of a public chain is kept with the sources."""
    return "var/deployment.json" if chain_id == LOCAL_CHAIN else f"deployments/{chain_id}.json"


def deployer_key(key_file: Path, password_file: Path | None) -> str:
    """The key that deploys, from a keystore, or without a password from a file of hex.

    Raises:  KeyFileWrong if others may read a file, or it is none.
    """
    if password_file is None:
        raw_key(key_file)
        return read_secret(key_file).decode().strip()
    document = json.loads(read_secret(key_file))
    return bytes(Account.decrypt(document, password_of(password_file))).hex()


def created_address(sender: str, nonce: int) -> str:
    """Where a contract comes to be: the sender's address and nonce decide."""
    digest = web3.keccak(rlp.encode([bytes.fromhex(sender[2:]), nonce]))
    return str(web3.to_checksum_address(digest[-20:].hex()))


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _commit() -> str:
    """The sources' commit; `+changes` where they are not quite that."""
    changed = _git("status", "--porcelain", "--", "contracts", "scripts", "brownie-config.yaml")
    return (_git("rev-parse", "HEAD") or "unknown") + ("+changes" if changed else "")


class Deployer:
    """Deploys what the deployment file does not name yet, and remembers each contract at once.

    `after_step` is called after every transaction (and its record): tests stop there.
    """

    def __init__(
        self, plan: Plan, contracts: Any, sender: Any, after_step: Callable[[], None]
    ) -> None:
        self.plan = plan
        self.contracts = contracts
        self._sender = sender
        self._after_step = after_step
        self.document: dict[str, Any] = {
            "chainId": int(chain.id),
            "startBlock": int(web3.eth.block_number),
            "deployer": str(sender),
            "admin": plan.admin or str(sender),
            "gitCommit": _commit(),
            "challengeWindowS": plan.challenge_window_s,
            "contracts": {},
        }
        if plan.deployment_file.exists():
            found = json.loads(plan.deployment_file.read_text())
            if found["chainId"] == chain.id and self._alive(found):
                self.document = found

    @property
    def sender(self) -> dict[str, Any]:
        """Who sends, and with which nonce: the first that no block has.

        A transaction that a crash or a low fee left waiting has this very nonce: it is replaced,
        and nothing is sent beside it.
        """
        nonce = int(web3.eth.get_transaction_count(str(self._sender), "latest"))
        return {"from": self._sender, "nonce": nonce}

    @staticmethod
    def _alive(document: dict[str, Any]) -> bool:
        """Whether every named contract still has code: a fresh local chain has none."""
        named = document["contracts"].values()
        return all(len(web3.eth.get_code(c["address"])) > 0 for c in named)

    def save(self) -> None:
        """Write the deployment file whole or not at all."""
        target = self.plan.deployment_file
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_suffix(".partial")
        partial.write_text(json.dumps(self.document, indent=2, sort_keys=True) + "\n")
        partial.replace(target)

    def deploy(self, name: str, artifact: str, *arguments: Any) -> Any:
        """The contract `name`: as recorded, or deployed now."""
        container = getattr(self.contracts, artifact)
        recorded = self.document["contracts"].get(name)
        if recorded is not None:
            return self._at(artifact, recorded["address"])
        contract = self._left(name, artifact, arguments)
        if contract is None:
            sender = self.sender
            # Before it is sent: whoever comes after a crash finds it by this.
            self.document["sent"] = self._sending(name, arguments, sender["nonce"])
            self.save()
            contract = container.deploy(*arguments, sender)
        self._record(name, contract, arguments, artifact)
        self._after_step()
        return contract

    def _sending(self, name: str, arguments: tuple[Any, ...], nonce: int) -> dict[str, Any]:
        return {
            "name": name,
            "address": created_address(str(self._sender), nonce),
            "arguments": [str(a) for a in arguments],
        }

    def _left(self, name: str, artifact: str, arguments: tuple[Any, ...]) -> Any:
        """The contract that an earlier run sent and did not record; None if there is none."""
        sent = self.document.get("sent")
        if sent is None or (sent["name"], sent["arguments"]) != (name, [str(a) for a in arguments]):
            return None
        # The end of its code is the hash of its sources: something else may have taken the nonce.
        ours = getattr(self.contracts, artifact)._build["deployedBytecode"][-_METADATA_DIGITS:]
        code = bytes(web3.eth.get_code(sent["address"])).hex()
        return self._at(artifact, sent["address"]) if code.endswith(ours) else None

    def adopt(self, name: str, artifact: str, address: str) -> Any:
        """Record a contract that others deployed."""
        contract = self._at(artifact, address)
        if name not in self.document["contracts"]:
            self._record(name, contract, (), artifact)
        return contract

    def _at(self, artifact: str, address: str) -> Any:
        # `container.at` raises in brownie 1.22 on live networks; an unpersisted Contract does not.
        abi = getattr(self.contracts, artifact).abi
        return Contract.from_abi(artifact, address, abi, persist=False)

    def _record(self, name: str, contract: Any, arguments: tuple[Any, ...], artifact: str) -> None:
        built = getattr(self.contracts, artifact)
        compiler = built._build["compiler"]
        self.document["compiler"] = {
            "version": compiler["version"],
            "evmVersion": compiler["evm_version"],
            "optimizer": dict(compiler["optimizer"]),
        }
        self.document.pop("sent", None)
        encoded = built.deploy.encode_input(*arguments)[len(built.bytecode) :] if arguments else ""
        abi = json.dumps(contract.abi, sort_keys=True, separators=(",", ":"))
        self.document["contracts"][name] = {
            "address": str(contract.address),
            "artifact": artifact,
            "abiHash": web3.keccak(text=abi).to_0x_hex(),
            "codeHash": web3.keccak(web3.eth.get_code(contract.address)).to_0x_hex(),
            "constructorArguments": [str(a) for a in arguments],
            # As explorers ask for them.
            "constructorData": encoded.removeprefix("0x"),
            "block": int(web3.eth.block_number),
        }
        self.save()

    def ensure(self, done: bool, action: Callable[..., Any], *arguments: Any) -> None:
        """Send a transaction unless its effect is already there."""
        if not done:
            action(*arguments, self.sender)
            self._after_step()
