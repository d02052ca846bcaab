"""What to deploy, and the deployment file: each contract and transaction of it once."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brownie import Contract, chain, web3


def _addresses(name: str) -> tuple[str, ...]:
    return tuple(a.strip() for a in os.environ.get(name, "").split(",") if a.strip())


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
            Path(os.environ.get("RENTROLL_DEPLOYMENT_FILE", "var/deployment.json")),
            os.environ.get("RENTROLL_SETTLEMENT_TOKEN") or None,
            attesters,
            _addresses("RENTROLL_OPERATORS"),
            int(os.environ.get("RENTROLL_CHALLENGE_WINDOW_S", "86400")),
            os.environ.get("RENTROLL_ADMIN") or None,
            os.environ.get("RENTROLL_BASE_URI", "/v1/tranches/{id}.json"),
            int(os.environ.get("RENTROLL_ADMIN_DELAY_S", delay_s)),
            os.environ.get("RENTROLL_ALLOW_LIST", "1") != "0",
            int(os.environ.get("RENTROLL_ACTIVATION_DELAY_S", delay_s)),
            int(os.environ.get("RENTROLL_REMOVAL_DELAY_S", delay_s)),
            int(os.environ.get("RENTROLL_MINIMUM_BOND", str(MINIMUM_BOND))),
            int(os.environ.get("RENTROLL_SLASH_AMOUNT", str(SLASH_AMOUNT))),
        )


class Deployer:
    """Deploys what the deployment file does not name yet, and remembers each contract at once.

    `after_step` is called after every transaction (and its record): tests stop there.
    """

    def __init__(
        self, plan: Plan, contracts: Any, sender: Any, after_step: Callable[[], None]
    ) -> None:
        self.plan = plan
        self.contracts = contracts
        self.sender = {"from": sender}
        self._after_step = after_step
        self.document: dict[str, Any] = {
            "chainId": int(chain.id),
            "startBlock": int(web3.eth.block_number),
            "challengeWindowS": plan.challenge_window_s,
            "contracts": {},
        }
        if plan.deployment_file.exists():
            found = json.loads(plan.deployment_file.read_text())
            if found["chainId"] == chain.id and self._alive(found):
                self.document = found

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
        contract = container.deploy(*arguments, self.sender)
        self._record(name, contract, arguments)
        self._after_step()
        return contract

    def adopt(self, name: str, artifact: str, address: str) -> Any:
        """Record a contract that others deployed."""
        contract = self._at(artifact, address)
        if name not in self.document["contracts"]:
            self._record(name, contract, ())
        return contract

    def _at(self, artifact: str, address: str) -> Any:
        # `container.at` raises in brownie 1.22 on live networks; an unpersisted Contract does not.
        abi = getattr(self.contracts, artifact).abi
        return Contract.from_abi(artifact, address, abi, persist=False)

    def _record(self, name: str, contract: Any, arguments: tuple[Any, ...]) -> None:
        abi = json.dumps(contract.abi, sort_keys=True, separators=(",", ":"))
        self.document["contracts"][name] = {
            "address": str(contract.address),
            "abiHash": web3.keccak(text=abi).to_0x_hex(),
            "codeHash": web3.keccak(web3.eth.get_code(contract.address)).to_0x_hex(),
            "constructorArguments": [str(a) for a in arguments],
            "block": int(web3.eth.block_number),
        }
        self.save()

    def ensure(self, done: bool, action: Callable[..., Any], *arguments: Any) -> None:
        """Send a transaction unless its effect is already there."""
        if not done:
            action(*arguments, self.sender)
            self._after_step()
