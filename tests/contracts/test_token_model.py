"""TrancheToken against the reference model over random histories, and what wallets see of it."""

import base64
import json
import random

import brownie
import pytest
from brownie import chain
from eth_account import Account
from eth_account.messages import encode_typed_data

from api.domain.capital.accumulator import Position, Stream, TrancheModel
from tests.contracts.model import accruals

FACILITY, JUNIOR, SENIOR = 7, 7 << 8 | 1, 7 << 8
GOVERNANCE, PAUSER, COMPLIANCE, ENFORCER = 1, 4, 5, 6
OFFERED, FUNDED, CANCELLED = 1, 2, 5
ZERO = "0x" + "00" * 20
FOREVER = 2**64 - 1


class Desk:
    """The token with its registry and desk around a facility set by hand."""

    def __init__(self, project, accounts) -> None:
        self.owner, self.operator = accounts[0], accounts[1]
        self.ann, self.bob, self.cleo = accounts[3], accounts[4], accounts[5]
        self.by_owner = {"from": self.owner}
        deploy = self.by_owner
        self.authority = project.Authority.deploy(self.owner, deploy)
        self.facilities = project.TokenFacilityStub.deploy(deploy)
        self.wallets = project.WalletDesk.deploy(self.authority, self.facilities, deploy)
        arguments = (self.authority, self.facilities, self.wallets, "ipfs://{id}")
        self.token = project.TrancheToken.deploy(*arguments, deploy)
        self.investors = project.InvestorRegistry.deploy(self.authority, deploy)
        self.desk = accounts[6]
        self.metadata = project.TrancheMetadata.deploy(self.facilities, deploy)
        self.dollar = project.MockStablecoin.deploy(deploy)
        self.facilities.link(self.token, ZERO, ZERO, self.desk, ZERO, deploy)
        self.now_s = chain[-1].timestamp
        self.offer("H100-SXM5-80GB", "SE-LULEA-1")
        self._configure()

    def offer(self, gpu_class: str | bytes, site: str | bytes) -> None:
        """Set the facility's terms and its state to Offered."""
        texts = [t.encode() if isinstance(t, str) else t for t in (gpu_class, site)]
        padded = [t.ljust(32, b"\0") for t in texts]
        window = (self.now_s, self.now_s + 10**8, self.now_s + 86_400, 86_400)
        ends = (7 * 86_400, 35 * 86_400, 180 * 86_400)
        rest = (100, 990_000, 100, 4_000, *ends, b"\x01" * 32, b"\x02" * 32)
        terms = (self.operator, self.dollar, *padded, *window, *rest)
        tranches = [(1_000, 1_500_000), (10**9, 0)]
        self.facilities.setFacility(FACILITY, terms, tranches, self.by_owner)
        self.activated_s = self.facilities.activate(FACILITY, self.by_owner).timestamp

    def _configure(self) -> None:
        for role in (GOVERNANCE, PAUSER, COMPLIANCE, ENFORCER):
            self.authority.grantRole(role, self.owner, 0, self.by_owner)
        token, investors = self.token, self.investors
        functions = {
            token.setRevenueSource: GOVERNANCE,
            token.setInvestorRegistry: GOVERNANCE,
            token.setMetadata: GOVERNANCE,
            token.forcedTransfer: ENFORCER,
            token.setFrozenTokens: ENFORCER,
            investors.setInvestor: COMPLIANCE,
            investors.linkMirror: GOVERNANCE,
        }
        for function, role in functions.items():
            arguments = (function._address, [function.signature], role)
            self.authority.setTargetFunctionRole(*arguments, self.by_owner)
        investors.linkMirror(token, self.by_owner)
        token.setInvestorRegistry(investors, self.by_owner)
        token.setMetadata(self.metadata, self.by_owner)
        token.setRevenueSource(self.owner, True, self.by_owner)
        for account in (self.ann, self.bob, self.cleo):
            investors.setInvestor(account, (FOREVER, 752, True, True), self.by_owner)
        self.dollar.mint(self.owner, 10**24, self.by_owner)
        self.dollar.approve(token, 10**24, self.by_owner)


@pytest.fixture
def desk(accounts):
    return Desk(brownie.project.get_loaded_projects()[0], accounts)


def _compare(desk, model, holders) -> None:
    now_s, token = chain[-1].timestamp, desk.token
    assert Stream(*token.trancheOf(JUNIOR)) == model.stream
    for holder in holders:
        stored = token.positionOf(holder, JUNIOR)
        assert Position(*stored[:3]) == model.positions.get(holder.address, Position())
        assert token.claimable(holder, JUNIOR) == model.claimable(holder.address, now_s)
        frozen = model.frozen.get(holder.address, 0)
        assert token.getFrozenTokens(holder, JUNIOR) == frozen
        # Other bits say whether it is watched, and whether it was claimed.
        assert stored[3] & 1 == (1 if frozen else 0)
    assert model.unaccounted_x24(now_s) == 0
    burned = token.burnedOf(JUNIOR)
    assert model.minted == model.stream.supply + sum(burned)
    assert desk.dollar.balanceOf(token) == model.received - model.paid


class History:
    """Random actions, each done on the chain and on the model."""

    def __init__(self, desk, seed: int) -> None:
        self.desk, self.dice, self.model = desk, random.Random(seed), TrancheModel()
        self.model.activate(desk.activated_s)
        self.flowed_on = 0
        self.holders = [desk.ann, desk.bob, desk.cleo]

    def step(self) -> None:
        """One action."""
        chain.sleep(self.dice.randrange(1, 5_000))
        names = ("mint", "accrue", "batch", "claim", "freeze", "force", "deliver", "expire")
        names += ("mint", "accrue", "clear")
        getattr(self, self.dice.choice(names))(self.dice.choice(self.holders))

    def _units(self, holder) -> int:
        """Some of what the holder may move, often all of it."""
        free = self.model.unfrozen(holder.address, chain[-1].timestamp)
        return self.dice.choice((free, self.dice.randrange(free + 1)))

    def mint(self, holder) -> None:
        units = self.dice.randrange(1, 50)
        self.desk.facilities.setState(FACILITY, OFFERED, self.desk.by_owner)
        done = self.desk.token.mint(holder, JUNIOR, units, {"from": self.desk.operator})
        self.model.mint(holder.address, units, done.timestamp)

    def accrue(self, _) -> None:
        amount, span = self.dice.randrange(10**9), self.dice.randrange(50_000)
        # Now and then more than units can earn.
        amount = self.dice.choice((amount, amount, 2**62))
        done = self.desk.token.accrue(accruals(JUNIOR, amount, span), self.desk.by_owner)
        flowed_on = self.model.accrue(amount, span, done.timestamp)
        told = [event["amount"] for event in done.events if event.name == "RevenueFlowedOn"]
        assert sum(told) == flowed_on
        self.flowed_on += flowed_on > 0

    def batch(self, sender) -> None:
        receiver, units = self.dice.choice(self.holders), self._units(sender)
        parts = [units // 2, units - units // 2]
        arguments = (sender, receiver, [JUNIOR, JUNIOR], parts, b"", {"from": sender})
        done = self.desk.token.safeBatchTransferFrom(*arguments)
        for part in parts:
            self.model.transfer(sender.address, receiver.address, part, done.timestamp)

    def claim(self, holder) -> None:
        done = self.desk.token.claim([JUNIOR, JUNIOR], self.desk.operator, {"from": holder})
        if self.model.claimable(holder.address, done.timestamp):
            self.model.claim(holder.address, done.timestamp)

    def freeze(self, holder) -> None:
        units = self.dice.choice((0, self.dice.randrange(60)))
        self.desk.token.setFrozenTokens(holder, JUNIOR, units, self.desk.by_owner)
        self.model.freeze(holder.address, units)

    def force(self, holder) -> None:
        receiver = self.dice.choice([h for h in self.holders if h != holder])
        held = self.model.position(holder.address, chain[-1].timestamp).units
        units = self.dice.randrange(held + 1)
        arguments = (holder, receiver, JUNIOR, units, self.desk.by_owner)
        done = self.desk.token.forcedTransfer(*arguments)
        self.model.forced_transfer(holder.address, receiver.address, units, done.timestamp)

    def deliver(self, holder) -> None:
        units = self._units(holder)
        if not units:
            return
        self.desk.facilities.setState(FACILITY, FUNDED, self.desk.by_owner)
        as_desk = {"from": self.desk.desk}
        done = self.desk.token.burnForDelivery(holder, JUNIOR, units, as_desk)
        self.model.burn(holder.address, units, done.timestamp)

    def expire(self, holder) -> None:
        units = self._units(holder)
        if not units:
            return
        self.desk.facilities.setState(FACILITY, CANCELLED, self.desk.by_owner)
        done = self.desk.token.burnExpired(JUNIOR, units, {"from": holder})
        self.model.burn(holder.address, units, done.timestamp)

    def clear(self, _) -> None:
        """Thaw and burn everything, often while revenue still streams."""
        self.desk.facilities.setState(FACILITY, CANCELLED, self.desk.by_owner)
        for holder in self.holders:
            self.desk.token.setFrozenTokens(holder, JUNIOR, 0, self.desk.by_owner)
            self.model.freeze(holder.address, 0)
            units = self.model.positions.get(holder.address, Position()).units
            if units:
                done = self.desk.token.burnExpired(JUNIOR, units, {"from": holder})
                self.model.burn(holder.address, units, done.timestamp)


@pytest.mark.parametrize("seed", [3, 11])
def test_units__random_history__equal_the_model(desk, seed):
    """ATTACKS 1-4, 8-10, 17: repeated ids, self moves, freezes, forced moves, burns to zero."""
    history = History(desk, seed)
    history.mint(desk.ann)
    emptied = 0

    for _ in range(45):
        history.step()
        emptied += history.model.stream.supply == 0
        _compare(desk, history.model, history.holders)
    assert emptied > 0
    assert history.flowed_on > 0


def test_claim_by_sig__signed_by_a_wallet_library__pays(desk):
    """ATTACKS 18: what eth_account signs as EIP-712 typed data is what the contract checks."""
    signer = Account.create()
    desk.investors.setInvestor(signer.address, (FOREVER, 752, True, True), desk.by_owner)
    desk.token.mint(signer.address, JUNIOR, 4, {"from": desk.operator})
    desk.token.accrue(accruals(JUNIOR, 1_000, 0), desk.by_owner)
    domain = {"name": "Rentroll Wallets", "version": "1", "chainId": chain.id}
    domain["verifyingContract"] = desk.wallets.address
    names = (("holder", "address"), ("ids", "uint256[]"), ("to", "address"))
    names += (("nonce", "uint256"), ("deadline", "uint256"))
    types = {"Claim": [{"name": n, "type": t} for n, t in names]}
    deadline = chain[-1].timestamp + 1_000
    message = {"holder": signer.address, "ids": [JUNIOR, SENIOR], "to": desk.cleo.address}
    message |= {"nonce": 0, "deadline": deadline}
    signature = signer.sign_message(encode_typed_data(domain, types, message)).signature

    arguments = (signer.address, [JUNIOR, SENIOR], desk.cleo, deadline, bytes(signature))
    done = desk.wallets.claimBySig(*arguments, {"from": desk.bob})

    assert desk.dollar.balanceOf(desk.cleo) == 1_000
    assert list(done.events["RevenueClaimedBatch"]["amounts"]) == [1_000, 0]
    with brownie.reverts(revert_pattern="SignatureInvalid.*"):
        desk.wallets.claimBySig(*arguments, {"from": desk.bob})


def test_grant__signed_by_a_wallet_library__onboards(desk, accounts):
    """ATTACKS 18."""
    agent = Account.create()
    desk.authority.grantRole(COMPLIANCE, agent.address, 0, desk.by_owner)
    domain = {"name": "Rentroll Investors", "version": "1", "chainId": chain.id}
    domain["verifyingContract"] = desk.investors.address
    names = (("account", "address"), ("expiresAt", "uint64"), ("country", "uint16"))
    names += (("canSend", "bool"), ("canReceive", "bool"))
    names += (("nonce", "uint256"), ("deadline", "uint64"))
    types = {"Grant": [{"name": n, "type": t} for n, t in names]}
    values = (accounts[6].address, FOREVER, 246, True, True, 0, chain[-1].timestamp + 1_000)
    message = dict(zip((n for n, _ in names), values, strict=True))
    signature = agent.sign_message(encode_typed_data(domain, types, message)).signature

    grant = (values, agent.address, bytes(signature), {"from": accounts[6]})
    desk.investors.onboard(*grant)

    assert desk.token.canReceive(accounts[6])


def _json(uri: str) -> dict:
    head, _, body = uri.partition(",")
    assert head == "data:application/json;base64"
    return json.loads(base64.b64decode(body, validate=True))


def test_metadata__plain_terms__are_what_wallets_show(desk):
    found = _json(desk.token.uri(SENIOR))
    whole = _json(desk.token.contractURI())

    attributes = {a["trait_type"]: a["value"] for a in found["attributes"]}
    assert found["name"] == "H100-SXM5-80GB hours, facility 7, tranche 0"
    assert found["decimals"] == 0
    assert attributes["Operator"] == desk.operator.address
    assert attributes["GPU class"] == "H100-SXM5-80GB"
    assert attributes["Site"] == "SE-LULEA-1"
    assert (attributes["Window start"], attributes["Seniority"]) == (desk.now_s, 0)
    assert attributes["Coupon per unit (minor units)"] == 1_500_000
    assert attributes["Unit cap"] == 1_000
    assert "residual" in _json(desk.token.uri(JUNIOR))["description"]
    assert whole["name"] == "Rentroll units"


@pytest.mark.parametrize(
    "text", ['"},{"x":"', "</script><b>'&`", "a\\u0022\\", "\x01\n\t\r\x1f\x7f", "ordinary"]
)
def test_metadata__hostile_text__stays_inside_its_string(desk, text):
    """ATTACKS 39: the JSON parses to exactly the text, and holds no tag as it stands."""
    desk.offer(text, b"\xff\xc3(" + text.encode()[:20])

    uri = desk.token.uri(JUNIOR)

    raw = base64.b64decode(uri.partition(",")[2]).decode("ascii")
    attributes = {a["trait_type"]: a["value"] for a in json.loads(raw)["attributes"]}
    assert attributes["GPU class"] == text
    assert attributes["Site"] == "??(" + text[:20]
    assert not set("<>&'`") & set(raw)
