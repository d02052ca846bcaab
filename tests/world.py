"""A small world around one facility: real database, real contracts, the service's own steps."""

import json
import time
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

from fastapi.testclient import TestClient
from sqlalchemy import Engine

from api.attester.account import AttesterAccount
from api.attester.attest import Attester
from api.attester.chain_facts import ChainFacts
from api.attester.memory import SignedMemory
from api.attester.memory_rows import Bound
from api.attester.verdict import Verdict
from api.chain import calldata
from api.chain.answers import Receipt, to_bytes
from api.chain.client import ChainClient, chain_clock
from api.chain.contracts import Contracts
from api.chain.contracts.call import Call
from api.chain.deployment import Deployment, load_deployment
from api.chain.signer import LocalSigner
from api.db import chain_store
from api.db.facilities import facility_row, facility_rows
from api.db.session import reading
from api.db.statements import signatures_of, statement_row, to_statement
from api.domain.capital.orders import DeliveryOrder, order_digest
from api.domain.capital.reconciliation import Reconciliation
from api.domain.facility import FacilityTerms, TrancheTerms
from api.domain.statements.evidence import FACILITY_FILE, facility_folder
from api.domain.statements.evidence_reader import decode_facility
from api.domain.statements.statement import Statement
from api.domain.units import Address, Bytes32, FacilityId, TrancheId, tranche_id
from api.epochs.index import Indexer
from api.epochs.outbox import Intent, Outbox
from api.epochs.queue import Step
from api.epochs.times import Times
from api.epochs.worker import Round, Worker
from api.evidence_store import EvidenceFolder
from api.ledger.facilities import LogHome
from api.local.key_file import load_or_make_key
from api.main import create_app
from api.reads.reconcile import reconcile_facility
from api.routes.service import service_of
from api.settings import Settings
from api.verify.verify import VerifyReport, verify
from examples import verifier as second_verifier
from scripts.dev.devchain import DevChain
from scripts.dev.pledges import approve_pledge
from scripts.dev.stack import (
    ATTESTER_ACCOUNTS,
    CHALLENGE_WINDOW_S,
    OPERATORS,
    RELAYER,
    RENTER,
    THRESHOLD,
)
from scripts.dev.stack import wallet as wallet_of
from tests.at_once import AtOnce
from tests.attester_clients import AttesterClients
from tests.factories import DAY_S, GRACE_S, SEAL_S, START_S, Ledger

T = TypeVar("T")

# Stretching the mnemonic takes longer than a transaction.
wallet = cache(wallet_of)

HOLDERS = tuple(wallet(i).address for i in (10, 11))
RENT_FUNDS = 10**12
# Blocks behind the head that count as final, for the worker and for the service.
CONFIRMATIONS = 2
# Whole coupons an epoch, and holdings that divide everything: figures that a person can check.
TRANCHES = (TrancheTerms(10, 300_000), TrancheTerms(20))
HOLDINGS = ((6, 4), (5, 15))


@dataclass(frozen=True)
class Deployed:
    """A running chain with the contracts on it."""

    chain: DevChain
    deployment_file: Path

    @property
    def deployment(self) -> Deployment:
        """Where the contracts are."""
        found = load_deployment(self.deployment_file)
        assert found is not None
        return found


def signer_of(index: int) -> LocalSigner:
    """Signer with the key of a well-known account."""
    return LocalSigner(wallet(index).key.hex())


def send(client: ChainClient, sender: str, to: str, data: str) -> Receipt:
    """Send from an unlocked account; returns the receipt of a transaction that succeeded."""
    call = {"from": sender, "to": to, "data": data, "gas": hex(3_000_000)}
    tx_hash = client.request("eth_sendTransaction", call, attempts=1)
    receipt = None
    while receipt is None:
        time.sleep(0.002)
        receipt = client.receipt(to_bytes("eth_sendTransaction", tx_hash))
    assert receipt.succeeded, client.request("eth_call", call, "latest")
    return receipt


class World:
    """One operator, facility and pair of holders, registered, offered, minted and funded."""

    def __init__(self, engine: Engine, folder: Path, deployed: Deployed, **terms: Any) -> None:
        self.engine, self.folder, self.chain = engine, folder, deployed.chain
        self.deployed, self.deployment = deployed, deployed.deployment
        self.client = AtOnce(deployed.chain.rpc_url)
        self.contracts = Contracts(self.client, self.deployment)
        self.clock = chain_clock(self.client)
        self.operator = wallet(OPERATORS[0]).address
        self.ledger = Ledger(
            engine,
            folder,
            address=self.operator,
            home=self._log_home(folder),
            settlement_token=self.deployment.settlement_token,
            tranches=TRANCHES,
            **terms,
        )
        self.ledger.clock = self.clock  # type: ignore[assignment]
        self.evidence: EvidenceFolder = self.ledger.evidence
        self.facility_id = self.ledger.facility_id
        self.app = create_app(self.settings())
        self.http = TestClient(self.app)
        self.attesters = AttesterClients(engine, self.app)
        self.fund(self.facility_id)

    def _log_home(self, folder: Path) -> LogHome:
        """Logs of this chain and registry; receipts by the key that the application will have."""
        key = load_or_make_key(folder / "log-key.pem").public_key().public_bytes_raw()
        return LogHome(self.deployment.chain_id, self.deployment.facility_registry, Bytes32(key))

    def settings(self, **changes: Any) -> Settings:
        """Settings of the HTTP application."""
        values: dict[str, Any] = {
            "database_url": self.engine.url.render_as_string(hide_password=False),
            "rpc_url": self.chain.rpc_url,
            "deployment_file": self.deployed.deployment_file,
            "evidence_dir": self.evidence.root,
            "clock": "chain",
            "confirmations": CONFIRMATIONS,
            "public_url": "http://testserver",
        }
        return Settings(_env_file=None, **(values | changes))

    def close(self) -> None:
        """Let go of connections: the application's, and those to it and to the chain."""
        service = service_of(self.app)
        service.engine.dispose()
        service.client.close()
        self.client.close()

    def offer(self, facility_id: int) -> FacilityTerms:
        """Publish the terms of a registered facility, and offer it on-chain."""
        with reading(self.engine) as connection:
            document = facility_row(connection, facility_id).terms_json
        self.evidence.write(f"{facility_folder(FacilityId(facility_id))}/{FACILITY_FILE}", document)
        terms = decode_facility(document)
        offer = calldata.offer(terms)
        send(self.client, self.operator, self.deployment.facility_registry, offer)
        return terms

    def fund(self, facility_id: int) -> None:
        """Offer a registered facility, with a bond, mint its units, and start it."""
        registry = self.deployment.facility_registry
        self.offer(facility_id)
        bond = calldata.call("BondVault", "setTerms", facility_id, (0, 1_000_000))
        send(self.client, self.operator, self.deployment.bond_vault, bond)
        for index, units in enumerate(HOLDINGS):
            token_id = tranche_id(FacilityId(facility_id), index)
            for holder, held in zip(HOLDERS, units, strict=True):
                mint = calldata.call("TrancheToken", "mint", holder, token_id, held)
                send(self.client, self.operator, self.deployment.tranche_token, mint)
        self.approve_pledge(facility_id)
        fund = calldata.call("FacilityRegistry", "fund", facility_id)
        send(self.client, self.operator, registry, fund)

    def approve_pledge(self, facility_id: int) -> None:
        """Let the first two attesters approve the pledge of an offer."""
        sender = partial(send, self.client, wallet(RENTER).address)
        accounts = ATTESTER_ACCOUNTS[:THRESHOLD]
        approve_pledge(self.contracts, FacilityId(facility_id), accounts, sender)

    def refill_bonds(self) -> None:
        """Give every attester that was slashed the least bond again."""
        registry, token = self.contracts.attester_registry, self.deployment.settlement_token
        payer = wallet(RENTER).address
        for account in (wallet(i).address for i in ATTESTER_ACCOUNTS):
            missing = self.now(registry.minimum_bond_micros()) - self.now(
                registry.bond_micros(account)
            )
            if missing > 0:
                mint = calldata.call("SettlementToken", "mint", payer, missing)
                send(self.client, payer, token, mint)
                allow = calldata.call("SettlementToken", "approve", registry.address, missing)
                send(self.client, payer, token, allow)
                deposit = calldata.call("AttesterRegistry", "depositBond", account, missing)
                send(self.client, payer, registry.address, deposit)

    @property
    def token_ids(self) -> list[int]:
        """Tranches, most senior first."""
        return [tranche_id(FacilityId(self.facility_id), i) for i in range(len(TRANCHES))]

    # --- time ---------------------------------------------------------------------------------

    def at(self, offset_s: int) -> None:
        """Let the chain's time be `offset_s` after the window's start."""
        self.chain.set_time(START_S + offset_s)

    def at_cut_off(self, epoch: int) -> None:
        """The second at which an epoch can be closed."""
        self.at((epoch + 1) * DAY_S + GRACE_S)

    def at_finality(self, epoch: int) -> None:
        """The end of the challenge window of a statement that was posted at its cut-off."""
        self.at((epoch + 1) * DAY_S + GRACE_S + CHALLENGE_WINDOW_S)

    # --- the service's steps --------------------------------------------------------------------

    def worker(
        self, client: ChainClient | None = None, *, times: Times | None = None, **more: Any
    ) -> Worker:
        """A worker like a fresh process; by the chain's time alone, unless told otherwise."""
        return Worker(
            self.engine,
            Contracts(client or self.client, self.deployment),
            self.evidence,
            signer_of(RELAYER),
            times or Times(client or self.client, wall=None),
            **{"confirmations": CONFIRMATIONS, **more},
        )

    def outbox(self, client: ChainClient | None = None, **more: Any) -> Outbox:
        """An outbox with the relayer's key."""
        chain_id = self.deployment.chain_id
        client = client or self.client
        signer = more.pop("signer", None) or signer_of(RELAYER)
        return Outbox(self.engine, client, signer, chain_id=chain_id, **more)

    def indexer(self, client: ChainClient | None = None, **more: Any) -> Indexer:
        """An indexer like a fresh process."""
        contracts = Contracts(client or self.client, self.deployment)
        return Indexer(self.engine, contracts, **{"confirmations": CONFIRMATIONS, **more})

    def intents(self, step: Step[Any]) -> list[Intent]:
        """What a step of the worker would send now, of all facilities."""
        with reading(self.engine) as connection:
            ids = [row.facility_id for row in facility_rows(connection)]
        read = step.read(ids, self.client.head())
        return [intent for i in ids for intent in step.one(i, read).intents]

    def round(self) -> Round:
        """One round of a fresh worker; its transactions must succeed."""
        done = self.worker().run_once()
        assert [o.error for o in done.outcomes if o.error] == []
        assert done.not_done == ()
        return done

    def as_attester(self, account: str | None = None) -> dict[str, str]:
        """Header with the API key of an account's attester; of the first one unless named."""
        key = self.attesters.key_of(account or self.bound(0).attester)
        return {"Authorization": f"Bearer {key}"}

    def bound(self, number: int) -> Bound:
        """Whose memory an attester's is."""
        account = wallet(ATTESTER_ACCOUNTS[number]).address
        return Bound(account, self.deployment.chain_id, self.deployment.statement_registry)

    def attester(self, number: int, **more: Any) -> Attester:
        """An attester like a fresh process, over HTTP through the application."""
        api, evidence = self.attesters.of(self.bound(number).attester)
        return Attester(
            api,
            evidence,
            AttesterAccount(signer_of(ATTESTER_ACCOUNTS[number])),
            ChainFacts(self.contracts, evidence),
            SignedMemory(None, self.bound(number)),
            **more,
        )

    def attest(self, *numbers: int) -> list[Verdict]:
        """Let attesters judge what is pending; the first two unless named."""
        return [v for n in numbers or (0, 1) for v in self.attester(n).run_once()]

    def post(self, epoch: int) -> None:
        """Close an epoch at its cut-off, attest it twice and post it."""
        self.at_cut_off(epoch)
        self.round()
        assert all(v.signed for v in self.attest())
        self.round()
        assert self.posted == epoch + 1

    def post_closing(self) -> None:
        """Close the books after seal and grace, attest and post that, and let it be final."""
        self.at(3 * DAY_S + SEAL_S + GRACE_S)
        self.round()
        assert all(v.signed for v in self.attest())
        self.round()
        assert self.now(self.contracts.statement_registry.is_closing_posted(self.facility_id))
        self.at(3 * DAY_S + SEAL_S + GRACE_S + CHALLENGE_WINDOW_S)
        self.round()

    # --- renters and holders --------------------------------------------------------------------

    def pay(self, amount: int, *, facility_id: int | None = None) -> None:
        """Pay rent."""
        whose = facility_id or self.facility_id
        pay = calldata.call("RentLockbox", "payRent", whose, b"\1" * 32, amount)
        send(self.client, wallet(RENTER).address, self.deployment.rent_lockbox, pay)

    def take_delivery(
        self, holder: str, token_id: int, units: int, lease: bytes, *, nonce: int = 1
    ) -> int:
        """The operator signs an order, the holder burns units on it; returns the voucher."""
        now_s = self.client.head().time_s
        values = (Address(holder), TrancheId(token_id), units, Bytes32(lease))
        order = DeliveryOrder(*values, nonce=nonce, deadline_s=now_s + DAY_S)
        desk = self.deployment.delivery_desk
        digest = order_digest(order, chain_id=self.deployment.chain_id, desk=desk)
        signature = signer_of(OPERATORS[0]).sign_digest(digest)
        send(self.client, holder, desk, calldata.take_delivery(order, signature))
        return self.now(self.contracts.delivery_desk.voucher_count())

    def claim(self, holder: str) -> None:
        """Claim both tranches."""
        data = calldata.claim(self.token_ids, holder)
        send(self.client, holder, self.deployment.tranche_token, data)

    # --- looking --------------------------------------------------------------------------------

    def now(self, call: Call[T]) -> T:
        """What contracts answer at the newest block."""
        return call.at(block=self.client.head().number)

    @property
    def posted(self) -> int:
        """Statements on-chain."""
        return self.now(self.contracts.statement_registry.epochs_posted(self.facility_id))

    @property
    def settled(self) -> int:
        """Money settled on-chain, micros."""
        return self.now(self.contracts.rent_lockbox.book_of(self.facility_id)).settled_micros

    def events(self, name: str) -> list[Any]:
        """Indexed events."""
        with reading(self.engine) as connection:
            return chain_store.events_named(connection, name, facility_id=self.facility_id)

    def statement(self, epoch: int) -> Statement:
        """A closed statement."""
        with reading(self.engine) as connection:
            return to_statement(statement_row(connection, self.facility_id, epoch))

    def signatures(self, epoch: int) -> dict[str, bytes]:
        """Signatures of a statement."""
        with reading(self.engine) as connection:
            return signatures_of(connection, self.facility_id, epoch)

    def reconcile(self) -> Reconciliation:
        """Five numbers of the facility."""
        return reconcile_facility(self.engine, self.contracts, self.facility_id)

    def verify(self, **more: Any) -> VerifyReport:
        """Verify from chain and evidence alone; what holds, holds by the second verifier too."""
        with ChainClient(self.chain.rpc_url) as client:
            report = verify(client, EvidenceFolder(self.evidence.root), **more)
        if report.ok and "at" not in more:
            assert self.verify_again() == []
        return report

    def verify_again(self) -> list[str]:
        """What the second verifier says."""
        root = self.evidence.root
        deployment = json.loads((root / "deployment.json").read_bytes())
        chain = second_verifier.Chain(deployment, self.chain.rpc_url)
        folders = sorted(root.glob("facility-*"))
        return [said for each in folders for said in second_verifier.verify_facility(each, chain)]
