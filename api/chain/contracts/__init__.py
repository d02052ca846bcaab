"""The deployed contracts: one class each, whose methods are typed calls at a named block."""

from collections.abc import Sequence
from itertools import islice
from typing import TypeVar, overload

from api.chain.client import ChainClient
from api.chain.contracts.attester_desk import AttesterDesk
from api.chain.contracts.attester_registry import AttesterRegistry
from api.chain.contracts.bond_vault import BondVault
from api.chain.contracts.call import Call, Contract
from api.chain.contracts.delivery_desk import DeliveryDesk
from api.chain.contracts.facility_registry import FacilityRegistry
from api.chain.contracts.investor_registry import InvestorRegistry
from api.chain.contracts.pledge_registry import PledgeRegistry
from api.chain.contracts.primary_sale import PrimarySale
from api.chain.contracts.refund_desk import RefundDesk
from api.chain.contracts.rent_lockbox import RentLockbox
from api.chain.contracts.settlement_token import SettlementToken
from api.chain.contracts.statement_registry import StatementRegistry
from api.chain.contracts.tranche_token import TrancheToken
from api.chain.contracts.wallet_desk import WalletDesk
from api.chain.deployment import Deployment

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")

CLASSES: tuple[type[Contract], ...] = (
    FacilityRegistry,
    AttesterRegistry,
    PledgeRegistry,
    StatementRegistry,
    TrancheToken,
    InvestorRegistry,
    RentLockbox,
    PrimarySale,
    BondVault,
    DeliveryDesk,
    WalletDesk,
    AttesterDesk,
    RefundDesk,
    SettlementToken,
)


class Contracts:
    """A deployment, and the node that answers for it.

    contracts.rent_lockbox.book_of(facility_id).at(block=head.number).settled_micros
    """

    def __init__(self, client: ChainClient, deployment: Deployment) -> None:
        self.client, self.deployment = client, deployment
        self.facility_registry = FacilityRegistry(client, deployment.facility_registry)
        self.attester_registry = AttesterRegistry(client, deployment.attester_registry)
        self.pledge_registry = PledgeRegistry(client, deployment.pledge_registry)
        self.statement_registry = StatementRegistry(client, deployment.statement_registry)
        self.tranche_token = TrancheToken(client, deployment.tranche_token)
        self.investor_registry = InvestorRegistry(client, deployment.investor_registry)
        self.rent_lockbox = RentLockbox(client, deployment.rent_lockbox)
        self.primary_sale = PrimarySale(client, deployment.primary_sale)
        self.bond_vault = BondVault(client, deployment.bond_vault)
        self.delivery_desk = DeliveryDesk(client, deployment.delivery_desk)
        self.wallet_desk = WalletDesk(client, deployment.wallet_desk)
        self.attester_desk = AttesterDesk(client, deployment.attester_desk)
        self.refund_desk = RefundDesk(client, deployment.refund_desk)
        self.settlement_token = SettlementToken(client, deployment.settlement_token)

    def all_of(self, calls: Sequence[Call[A]]) -> Call[list[A]]:
        """Any number of calls of one kind as one, answers in their order."""
        asked = tuple(eth_call for call in calls for eth_call in call.asked)

        def parse(answers: Sequence[bytes]) -> list[A]:
            # One iterator for all: each call takes as many answers as it asked questions.
            remaining = iter(answers)
            return [call.parse(list(islice(remaining, len(call.asked)))) for call in calls]

        return Call(self.client, asked, parse)

    @overload
    def together(self, a: Call[A], b: Call[B], /) -> Call[tuple[A, B]]: ...
    @overload
    def together(self, a: Call[A], b: Call[B], c: Call[C], /) -> Call[tuple[A, B, C]]: ...
    @overload
    def together(
        self, a: Call[A], b: Call[B], c: Call[C], d: Call[D], /
    ) -> Call[tuple[A, B, C, D]]: ...
    def together(self, *calls: Call[object]) -> Call[tuple[object, ...]]:
        """Calls of different kinds as one, answers as a tuple."""
        parts = self.all_of(calls)
        return Call(self.client, parts.asked, lambda answers: tuple(parts.parse(answers)))
