"""Gas of what one would pick instead: the peers, deployed and brought to a steady state."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from eth_abi.abi import encode
from eth_account.messages import encode_defunct
from web3 import Web3

from scripts.bench.gas_yard import Yard, hash_pair, word

_ZERO = "0x" + "00" * 20
_NO_HASH = bytes(32)
_SWEDEN = 752
_CLAIM_TOPIC = 7
_HOLDERS = 1_024
# What a statement takes when it is encoded: thirteen words.
_STATEMENT_BYTES = 13 * 32


class Peers:
    """Each method measures one peer and returns its figures by name."""

    def __init__(self, yard: Yard, artifacts: Path, dollar: Any) -> None:
        self._yard = yard
        self._artifacts = artifacts
        self._dollar = dollar
        self._ann, self._bob = yard.accounts[20], yard.accounts[21]
        for account in (0, 20, 21):
            yard.send(dollar.functions.mint(yard.accounts[account], 10**15))

    def _deploy(self, name: str, *arguments: Any) -> Any:
        return self._yard.deploy(self._artifacts / f"{name}.json", *arguments)

    def plain_erc1155(self) -> dict[str, int]:
        """OpenZeppelin's ERC1155 as it comes: both parties hold all ten ids."""
        return self._transfers(self._deploy("PlainERC1155"), lambda token, ids: None)

    def accumulator_erc1155(self) -> dict[str, int]:
        """The same with a textbook accumulator in its hook, revenue new to both parties."""
        yard = self._yard
        token = self._deploy("AccumulatorERC1155", self._dollar.address)
        yard.send(self._dollar.functions.approve(token.address, 2**255))

        def accrue(token: Any, ids: list[int]) -> None:
            for number in ids:
                yard.send(token.functions.accrue(number, 1_000_003))

        found = self._transfers(token, accrue)
        accrue(token, [1])
        found["claim"] = yard.send(token.functions.claim([1]), sender=self._ann)
        accrue(token, list(range(1, 11)))
        found["claim_ten"] = yard.send(token.functions.claim(list(range(1, 11))), sender=self._ann)
        return found

    def _transfers(self, token: Any, before: Callable[[Any, list[int]], None]) -> dict[str, int]:
        yard, ids = self._yard, list(range(1, 11))
        for number in ids:
            yard.send(token.functions.mint(self._ann, number, 1_000))
            yard.send(token.functions.mint(self._bob, number, 1_000))
        move = token.functions.safeTransferFrom
        batch = token.functions.safeBatchTransferFrom
        found: dict[str, int] = {}
        # Twice: the first time takes place for what later transfers only change.
        for _ in range(2):
            before(token, [1])
            found["transfer"] = yard.send(move(self._ann, self._bob, 1, 10, b""), sender=self._ann)
            before(token, ids)
            found["batch_ten"] = yard.send(
                batch(self._ann, self._bob, ids, [1] * 10, b""), sender=self._ann
            )
        return found

    def synthetix(self) -> dict[str, int]:
        """StakingRewards, the second time of everything."""
        yard, dollar = self._yard, self._dollar
        staking = self._deploy(
            "StakingRewards", yard.accounts[0], yard.accounts[0], dollar.address, dollar.address
        )
        for holder in (self._ann, self._bob):
            yard.send(dollar.functions.approve(staking.address, 2**255), sender=holder)
            yard.send(staking.functions.stake(1_000_000), sender=holder)
        found: dict[str, int] = {}
        for _ in range(2):
            fund = yard.send(dollar.functions.transfer(staking.address, 10**10))
            found["fund"] = fund + yard.send(staking.functions.notifyRewardAmount(10**10))
            yard.wait(86_400)
            found["claim"] = yard.send(staking.functions.getReward(), sender=self._ann)
        return found

    def uniswap(self) -> dict[str, int]:
        """MerkleDistributor of one epoch and 1,024 holders: first claim of a bitmap word, later."""
        yard = self._yard
        holders = [
            self._ann,
            self._bob,
            *(Web3.to_checksum_address(word(n + 1)[12:]) for n in range(_HOLDERS - 2)),
        ]
        amount = 1_000_003
        level = [
            bytes(Web3.keccak(word(n) + bytes.fromhex(holder[2:]) + word(amount)))
            for n, holder in enumerate(holders)
        ]
        proofs: list[list[bytes]] = [[], []]
        places = [0, 1]
        while len(level) > 1:
            for proof, place in zip(proofs, places, strict=True):
                proof.append(level[place ^ 1])
            places = [place // 2 for place in places]
            level = [hash_pair(level[n], level[n + 1]) for n in range(0, len(level), 2)]
        distributor = self._deploy("MerkleDistributor", self._dollar.address, level[0])
        yard.send(self._dollar.functions.transfer(distributor.address, 10**12))
        first, later = (
            yard.send(
                distributor.functions.claim(n, holders[n], amount, proofs[n]), sender=holders[n]
            )
            for n in range(2)
        )
        return {"claim_first": first, "claim": later}

    def eas(self) -> dict[str, int]:
        """One attestation by one attester: of a hash alone, and of a whole statement."""
        yard = self._yard
        registry = self._deploy("SchemaRegistry")
        eas = self._deploy("EAS", registry.address)
        found: dict[str, int] = {}
        for name, schema, data in (
            ("attest_hash", "bytes32 statement", word(1)),
            ("attest_statement", "bytes statement", b"\x01" * _STATEMENT_BYTES),
        ):
            yard.send(registry.functions.register(schema, _ZERO, False))
            uid = Web3.solidity_keccak(["string", "address", "bool"], [schema, _ZERO, False])
            request = (uid, (_ZERO, 0, False, _NO_HASH, data, 0))
            for _ in range(2):
                found[name] = yard.send(eas.functions.attest(request))
        return found

    def t_rex(self) -> dict[str, int]:
        """Transfers of T-REX 4.1.6: without any rule, then with one claim and one country rule."""
        suite = _TRexSuite(self._yard, self._deploy)
        for holder in (self._ann, self._bob):
            suite.register(holder)
        transfer = suite.token.functions.transfer(self._bob, 10)
        found = {"transfer_no_rule": self._yard.send(transfer, sender=self._ann)}
        suite.require_claim()
        suite.require_country()
        found["transfer"] = self._yard.send(transfer, sender=self._ann)
        return found


class _TRexSuite:
    """Token, registries and compliance behind their proxies, as the T-REX factory wires them."""

    def __init__(self, yard: Yard, deploy: Callable[..., Any]) -> None:
        self._yard, self._deploy = yard, deploy
        self._identities: dict[str, Any] = {}
        names = (
            "Token",
            "ClaimTopicsRegistry",
            "IdentityRegistry",
            "IdentityRegistryStorage",
            "TrustedIssuersRegistry",
            "ModularCompliance",
        )
        logic = {name: deploy(name) for name in names}
        authority = deploy("TREXImplementationAuthority", True, _ZERO, _ZERO)
        addresses = tuple(logic[name].address for name in names)
        yard.send(authority.functions.addAndUseTREXVersion((4, 1, 6), addresses))

        def proxy(name: str, *arguments: Any) -> Any:
            made = deploy(f"{name}Proxy", authority.address, *arguments)
            return yard.at(made.address, logic[name])

        self._topics = proxy("ClaimTopicsRegistry")
        self._issuers = proxy("TrustedIssuersRegistry")
        storage = proxy("IdentityRegistryStorage")
        self._registry = proxy(
            "IdentityRegistry", self._issuers.address, self._topics.address, storage.address
        )
        self._compliance = proxy("ModularCompliance")
        self.token = proxy(
            "Token", self._registry.address, self._compliance.address, "T", "T", 6, _ZERO
        )
        yard.send(storage.functions.bindIdentityRegistry(self._registry.address))
        for target in (self.token, self._registry):
            yard.send(target.functions.addAgent(yard.accounts[0]))
        yard.send(self.token.functions.unpause())
        identity_logic = deploy("Identity", yard.accounts[0], True)
        self._identity_authority = deploy("ImplementationAuthority", identity_logic.address)
        self._identity_logic = identity_logic

    def register(self, holder: str) -> None:
        """Give `holder` an identity, a country and units."""
        made = self._deploy(
            "IdentityProxy", self._identity_authority.address, self._yard.accounts[0]
        )
        identity = self._yard.at(made.address, self._identity_logic)
        self._identities[holder] = identity
        self._yard.send(
            self._registry.functions.registerIdentity(holder, identity.address, _SWEDEN)
        )
        self._yard.send(self.token.functions.mint(holder, 1_000))

    def require_claim(self) -> None:
        """From now on every receiver needs a claim of one issuer; all get one."""
        yard, owner = self._yard, self._yard.key(0)
        issuer = self._deploy("ClaimIssuer", owner.address)
        for identity in self._identities.values():
            data = b"kyc"
            digest = Web3.keccak(
                encode(["address", "uint256", "bytes"], [identity.address, _CLAIM_TOPIC, data])
            )
            signature = bytes(owner.sign_message(encode_defunct(digest)).signature)
            add = identity.functions.addClaim(_CLAIM_TOPIC, 1, issuer.address, signature, data, "")
            yard.send(add)
        yard.send(self._topics.functions.addClaimTopic(_CLAIM_TOPIC))
        yard.send(self._issuers.functions.addTrustedIssuer(issuer.address, [_CLAIM_TOPIC]))

    def require_country(self) -> None:
        """From now on receivers must live in Sweden; all do."""
        logic = self._deploy("CountryAllowModule")
        start = logic.encode_abi("initialize", [])
        module = self._deploy("ModuleProxy", logic.address, start)
        self._yard.send(self._compliance.functions.addModule(module.address))
        allow = logic.encode_abi("batchAllowCountries", [[_SWEDEN]])
        self._yard.send(self._compliance.functions.callModuleFunction(allow, module.address))
