"""What contract tests share: sending as the right account, statements signed by attesters."""

from dataclasses import replace
from typing import Any

from brownie import chain, web3
from eth_abi.abi import encode

from api.chain.structs import to_abi
from api.chain.terms import offered_terms
from api.domain.capital.orders import DeliveryOrder
from api.domain.facility import DAY_S, FacilityTerms, Period
from api.domain.merkle import leaf_hash
from api.domain.statements.statement import Statement, statement_digest, statement_hash
from api.domain.units import (
    ZERO32,
    Bytes32,
    Epoch,
    GpuSeconds,
    Micros,
    TrancheId,
    split_tranche_id,
    tranche_id,
)
from tests.contracts.attesting import refusals, signed
from tests.contracts.facility_model import GRACE_S
from tests.contracts.pledges import Pledge, pledge_of


def _members(names: tuple[str, ...], kinds: tuple[str, ...]) -> list[dict[str, str]]:
    return [{"name": name, "type": kind} for name, kind in zip(names, kinds, strict=True)]


# Minor units for an hour that is missing. All promised hours leave a junior less than that.
RATE = 700_001

_DOMAIN = _members(
    ("name", "version", "chainId", "verifyingContract"),
    ("string", "string", "uint256", "address"),
)


def accruals(token_id: int, amount: int, span_s: int) -> list[tuple[int, int, list[int]]]:
    """What `TrancheToken.accrue` takes, for one tranche."""
    facility_id, seniority = split_tranche_id(token_id)
    amounts = [amount if place == seniority else 0 for place in range(4)]
    return [(facility_id, span_s, amounts)]


class World:
    """Contracts with one facility of two tranches."""

    def __init__(
        self, contracts: dict[str, Any], terms: FacilityTerms, accounts: Any, attesters: list[Any]
    ) -> None:
        self.facilities = contracts["FacilityRegistry"]
        self.statements = contracts["StatementRegistry"]
        self.token = contracts["TrancheToken"]
        self.lockbox = contracts["RentLockbox"]
        self.sale = contracts["PrimarySale"]
        self.vault = contracts["BondVault"]
        self.desk = contracts["DeliveryDesk"]
        self.wallets = contracts["WalletDesk"]
        self.registry = contracts["AttesterRegistry"]
        self.pledges = contracts["PledgeRegistry"]
        self.attester_desk = contracts["AttesterDesk"]
        self.refund_desk = contracts["RefundDesk"]
        self.authority = contracts["AccessManager"]
        self.dollar = contracts["SettlementToken"]
        self.terms, self.accounts, self.attesters = terms, accounts, attesters
        self.operator, self.renter = accounts[1], accounts[2]
        self.ann, self.bob, self.cleo = accounts[3], accounts[4], accounts[5]
        self.pledge = pledge_of(terms)
        self.senior = tranche_id(terms.facility_id, 0)
        self.junior = tranche_id(terms.facility_id, 1)
        self.previous = ZERO32
        self.funded_s = 0
        self.orders = 0
        self.pausers: tuple[Any, ...] = (accounts[0],)

    def offer(self, terms: FacilityTerms | None = None) -> Any:
        """Offer the facility."""
        return self.facilities.offer(*self.offered(terms), {"from": self.operator})

    def offered(self, terms: FacilityTerms | None = None) -> tuple[Any, ...]:
        """What an operator offers: the arguments of `offer`."""
        terms = terms or self.terms
        self.pledge = pledge_of(terms)
        tranches = [(t.unit_cap, t.coupon_micros_per_unit) for t in terms.tranches]
        offered = replace(offered_terms(terms), pledge_root=self.pledge.root)
        return (terms.facility_id, to_abi(offered), tranches)

    def sign_pledge(
        self, pledge: Pledge, from_epoch: int = 0, attesters: list[Any] | None = None
    ) -> list[Any]:
        """Attestations that a pledge holds from an epoch on, as long as no other is approved."""
        digest = self.pledges.pledgeDigest(pledge.facility_id, pledge.root, from_epoch)
        return signed(bytes(digest), self.attesters[:2] if attesters is None else attesters)

    def approve(self) -> Any:
        """Attesters approve the pledge of the offer."""
        attested = self.sign_pledge(self.pledge)
        return self.pledges.approve(self.terms.facility_id, attested, {"from": self.cleo})

    def reject(self, epoch: int, evidence: bytes, attesters: list[Any] | None = None) -> Any:
        """Attesters refuse what stands published, and with that take it back."""
        facility_id, registry = self.terms.facility_id, self.statements
        count = registry.opennessOf(facility_id)["rejections"]
        attesters = self.attesters[:2] if attesters is None else attesters
        given = refusals(self.attester_desk, facility_id, epoch, evidence, attesters, count=count)
        arguments = (facility_id, epoch, evidence, given)
        return self.attester_desk.reject(*arguments, {"from": self.cleo})

    def refund(self, payer: Any, amount: int) -> Any:
        """Attesters sign that rent goes back to a payer: the facility's only credit."""
        facility_id, desk = self.terms.facility_id, self.refund_desk
        credit = (facility_id, 0, b"\7" * 32, payer.address, amount)
        kinds = ("uint64", "uint32", "bytes32", "address", "uint64")
        root = leaf_hash(encode(kinds, credit))
        digest = bytes(desk.creditsDigest(facility_id, root))
        by_anybody = {"from": self.cleo}
        if desk.creditsRootOf(facility_id) == "0x" + "00" * 32:
            desk.approveCredits(facility_id, root, signed(digest, self.attesters[:2]), by_anybody)
        return desk.refundCredit(credit, [], by_anybody)

    def take_fees(self, to: Any, **transaction: Any) -> Any:
        """The treasury takes its part of all fees of the facility's token."""
        self.attester_desk.collect(self.terms.facility_id, {"from": self.cleo})
        return self.attester_desk.takeFees(
            self.terms.settlement_token, to, {"from": self.accounts[0], **transaction}
        )

    def replace_devices(self, pledge: Pledge, from_epoch: int) -> Any:
        """The operator pledges other devices from an epoch on."""
        attested = self.sign_pledge(pledge, from_epoch)
        arguments = (self.terms.facility_id, pledge.root, from_epoch, attested)
        done = self.pledges.replace(*arguments, {"from": self.operator})
        self.pledge = pledge
        return done

    def fund(self, *, offer: bool = True) -> "World":
        """Offer, approve, mint everything to ann and bob, fund; rent can be paid."""
        if offer:
            self.offer()
        as_operator = {"from": self.operator}
        self.need_no_bond()
        if not self.pledges.isApproved(self.terms.facility_id):
            self.approve()
        self.token.mint(self.ann, self.senior, 16, as_operator)
        self.token.mint(self.ann, self.junior, 13, as_operator)
        self.token.mint(self.bob, self.junior, 11, as_operator)
        self.funded_s = self.facilities.fund(self.terms.facility_id, as_operator).timestamp
        self.dollar.mint(self.renter, 10**15, {"from": self.renter})
        self.dollar.approve(self.lockbox, 10**15, {"from": self.renter})
        return self

    def statement(self, epoch: int, gross: int, **changes: Any) -> Statement:
        """A consistent statement of an epoch."""
        return replace(self._stated(self.terms.period(Epoch(epoch)), gross), **changes)

    def closing_statement(
        self, gross: int = 0, *, ended_at_s: int | None = None, **changes: Any
    ) -> Statement:
        """A consistent closing statement. Args: ended_at_s: None while the facility delivers."""
        period = self.terms.closing_period(ended_at_s=ended_at_s, grace_s=GRACE_S)
        assert period is not None
        return replace(self._stated(period, gross), **changes)

    def _stated(self, period: Period, gross: int) -> Statement:
        return Statement(
            facility_id=self.terms.facility_id,
            epoch=period.epoch,
            epoch_start_s=period.start_s,
            epoch_end_s=period.end_s,
            available_gpu_seconds=GpuSeconds(
                0 if period.closing else self.terms.capacity_gpu_seconds()
            ),
            available_adjustment=GpuSeconds(0),
            billed_gpu_seconds=GpuSeconds(3_600 if gross and not period.closing else 0),
            gross_revenue_micros=Micros(gross),
            line_count=1 if gross else 0,
            usage_root=Bytes32(b"\x11" * 32) if gross else ZERO32,
            evidence_hash=Bytes32(b"\x22" * 32),
            previous_statement_hash=self.previous,
            top_renter_bps=5_000,
            committed_bps=0,
        )

    def sign(self, statement: Statement, attesters: list[Any] | None = None) -> list[Any]:
        """Attestations in ascending order of attester."""
        digest = statement_digest(statement, chain_id=chain.id, registry=self.statements.address)
        return signed(digest, self.attesters[:2] if attesters is None else attesters)

    def post(self, epoch: int, gross: int, **changes: Any) -> Statement:
        """Pass the epoch's end and post its statement."""
        return self.post_statement(self.statement(epoch, gross, **changes))

    def seal(self, gross: int = 0, **changes: Any) -> Statement:
        """Post the closing statement and pass its challenge window: nothing matures before."""
        statement = self.post_statement(self.closing_statement(gross, **changes))
        self.wait_until(chain[-1].timestamp + 600)
        return statement

    def post_statement(self, statement: Statement) -> Statement:
        """Pass the end of a statement's time and post it."""
        self.wait_until(statement.epoch_end_s)
        signed = self.sign(statement)
        self.statements.post(statement.as_abi_tuple(), signed, {"from": self.cleo})
        self.previous = statement_hash(statement)
        return statement

    def set_bond(self, amount: int, *, required: int = 1_000_000, rate: int = RATE) -> None:
        """Set bond terms and deposit."""
        terms, as_operator = (required, rate), {"from": self.operator}
        self.vault.setTerms(self.terms.facility_id, terms, as_operator)
        if amount:
            self.deposit(amount)

    def need_no_bond(self) -> None:
        """Set terms that ask for no bond, unless a test set others."""
        if not self.vault.hasTerms(self.terms.facility_id):
            terms, as_operator = (0, RATE), {"from": self.operator}
            self.vault.setTerms(self.terms.facility_id, terms, as_operator)

    def deposit(self, amount: int) -> int:
        """Add to the bond."""
        as_operator = {"from": self.operator}
        self.dollar.mint(self.operator, amount, as_operator)
        self.dollar.approve(self.vault, amount, as_operator)
        self.vault.deposit(self.terms.facility_id, amount, as_operator)
        return amount

    def order(
        self, holder: Any, token_id: int, units: int, lease: bytes, **changes: Any
    ) -> DeliveryOrder:
        """A delivery order with a nonce of its own that counts for a year."""
        self.orders += 1
        deadline_s = chain[-1].timestamp + 365 * 86_400
        values = (holder.address, TrancheId(token_id), units, Bytes32(lease))
        order = DeliveryOrder(*values, nonce=self.orders, deadline_s=deadline_s)
        return replace(order, **changes)

    def sign_order(self, order: DeliveryOrder, signer: Any = None) -> str:
        """What the operator's wallet, here the node, signs over the typed data."""
        fields = ("holder", "id", "units", "lease", "nonce", "deadline")
        words = dict(zip(fields, to_abi(order), strict=True))
        words["lease"] = "0x" + order.lease.hex()
        kinds = ("address", "uint256", "uint256", "bytes32", "uint256", "uint256")
        domain = {"name": "Rentroll Deliveries", "version": "1", "chainId": chain.id}
        typed = {
            "types": {"DeliveryOrder": _members(fields, kinds), "EIP712Domain": _DOMAIN},
            "primaryType": "DeliveryOrder",
            "domain": {**domain, "verifyingContract": self.desk.address},
            "message": {k: str(v) if isinstance(v, int) else v for k, v in words.items()},
        }
        by = (signer or self.operator).address
        answer = web3.provider.make_request("eth_signTypedData_v4", [by, typed])
        return answer["result"]

    def take_delivery(self, holder: Any, token_id: int, units: int, lease: bytes) -> Any:
        """The operator signs an order and the holder burns on it."""
        order = self.order(holder, token_id, units, lease)
        return self.desk.takeDelivery(to_abi(order), self.sign_order(order), {"from": holder})

    def open_sale(
        self,
        floor: int = 1_000_000,
        up_front_bps: int = 2_500,
        *,
        closes_before_s: int = 10,
        approved: bool = True,
    ) -> tuple[int, int]:
        """Open a sale until shortly before the window, the pledge approved; returns the prices."""
        self.need_no_bond()
        if approved and not self.pledges.isApproved(self.terms.facility_id):
            self.approve()
        prices = (60_000, 50_001)
        opens_s, closes_s = chain[-1].timestamp, self.terms.window_start_s - closes_before_s
        sale_terms = (opens_s, closes_s, floor, up_front_bps, prices)
        self.sale.open(self.terms.facility_id, sale_terms, {"from": self.operator})
        return prices

    def buy(self, buyer: Any, token_id: int, units: int) -> Any:
        """Buy by allowance."""
        self.dollar.mint(buyer, 10**12, {"from": buyer})
        self.dollar.approve(self.sale, 10**12, {"from": buyer})
        return self.sale.buy(token_id, units, 10**12, {"from": buyer})

    def pay(self, amount: int) -> None:
        """Pay rent."""
        lease = b"\x33" * 32
        self.lockbox.payRent(self.terms.facility_id, lease, amount, {"from": self.renter})

    def settle(self) -> Any:
        """Pass the challenge window and settle."""
        chain.sleep(601)
        chain.mine()
        return self.lockbox.settle(self.terms.facility_id, {"from": self.cleo})

    def publish(self, epoch: int) -> Any:
        """The operator publishes evidence of an epoch that is over."""
        arguments = (self.terms.facility_id, epoch, b"\x44" * 32)
        return self.statements.publish(*arguments, {"from": self.operator})

    def default(self, epoch: int) -> Any:
        """Let the patience with an epoch run out, give notice, let the cure pass, declare."""
        terms, by_anybody = self.terms, {"from": self.cleo}
        self.wait_until(terms.epoch_bounds(Epoch(epoch))[1] + terms.patience_s)
        self.facilities.noticeDefault(terms.facility_id, epoch, by_anybody)
        self.wait_until(chain[-1].timestamp + terms.epoch_length_s + DAY_S)
        return self.facilities.declareDefault(terms.facility_id, epoch, by_anybody)

    def stop(self) -> Any:
        """Wait for the long stop, and stop."""
        self.wait_until(self.terms.sealed_at_s + self.terms.long_stop_s)
        return self.facilities.stop(self.terms.facility_id, {"from": self.cleo})

    def close(self) -> Any:
        """Wait until the ended facility can be closed, and close it."""
        self.wait_until(self.lockbox.closableFrom(self.terms.facility_id))
        return self.lockbox.close(self.terms.facility_id, {"from": self.cleo})

    @staticmethod
    def wait_until(instant_s: int) -> None:
        """Mine a block at or after an instant."""
        left_s = instant_s - chain[-1].timestamp
        if left_s > 0:
            chain.sleep(left_s)
            chain.mine()
