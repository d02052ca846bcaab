"""The stack that browser tests play on, and the hands of everybody who is not in the browser."""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from api.chain import calldata
from api.chain.abi import Function
from api.chain.signer import LocalSigner
from api.domain.capital.orders import DeliveryOrder, order_digest
from api.domain.metering.events import USAGE
from api.domain.metering.instants import format_instant
from api.domain.units import Address, Bytes32, TrancheId
from scripts.demo.market import operator_of
from scripts.demo.serve import accounts
from scripts.demo.simulate import HOUR_S
from scripts.demo.sources import SEAL_S, Facility, Plan, SaleAndBond, SimulationSource
from scripts.demo.story import Story, line_charges
from scripts.dev.stack import (
    ACCOUNTS_FILE,
    COMPLIANCE,
    INVESTOR,
    OPERATORS,
    RENTER,
    Stack,
    wallet,
)
from tests.saved_chain import deploy_or_load

# A past whose days lie before any clock; the chain's clock is the stack's.
START_S = 1_790_000_000 // 86_400 * 86_400
DAYS = 2
CHALLENGE_WINDOW_S, GRACE_S = 600, 120
MICROS = 1_000_000
EPOCH_S = HOUR_S
_EPOCHS = 3


@dataclass
class Stage:
    """The running stack."""

    stack: Stack
    story: Story

    @property
    def url(self) -> str:
        """Origin of pages and API."""
        return self.stack.api_url

    @property
    def rpc_url(self) -> str:
        """The chain's node."""
        return self.stack.chain.rpc_url

    @property
    def now_s(self) -> int:
        """Time of the newest block."""
        return self.stack.client.head().time_s

    def rpc(self, method: str, *params: object) -> Any:
        """A call of the node, anvil's own methods included."""
        return self.stack.chain.rpc(method, *params)

    def call(self, sender: str, contract: str, name: str, *arguments: Any) -> None:
        """A transaction of somebody outside of the browser."""
        self.story.market.call(sender, contract, name, *arguments)

    def onboard(self, account: str) -> None:
        """Compliance enters an account in the allow-list."""
        self.call(wallet(COMPLIANCE).address, "InvestorRegistry", "setInvestor", account, INVESTOR)

    def give_dollars(self, account: str, dollars: int) -> None:
        """The stablecoin of the local chain, which anybody mints."""
        self.call(account, "SettlementToken", "mint", account, dollars * MICROS)

    def offer(self, name: str, *, operator: int = 0, gpus: int = 4) -> Facility:
        """Register and offer a facility of three hourly epochs, with one lease over all of it."""
        start_s = (self.now_s // HOUR_S + 3) * HOUR_S
        body = {
            "name": name,
            "gpu_class": "H100-SXM5-80GB",
            "site": "SE-LULEA-1",
            "window_start": format_instant(start_s),
            "window_end": format_instant(start_s + _EPOCHS * EPOCH_S),
            "epoch_length_s": EPOCH_S,
            "seal_s": SEAL_S,
            # Nothing is said of devices that are idle.
            "silence": "available",
            "tranches": [{"unit_cap": gpus * _EPOCHS}],
            "devices": [_device(name, i) for i in range(gpus)],
        }
        key = self.story.keys[operator]
        answer = self.stack.post("/v1/facilities", body, key)
        lease = {
            "lease_id": f"{name}-lease",
            "renter_ref": "renter-of-tests",
            "plan": "on_demand",
            "opened_at": format_instant(start_s),
            "price_micros_per_gpu_hour": 2_500_000,
        }
        self.stack.post(f"/v1/facilities/{answer['facility_id']}/leases", lease, key)
        facility = Facility(answer["facility_id"], Plan(operator, body, [lease], pays_late=False))
        self.stack.send(operator_of(facility), answer["offer"]["to"], answer["offer"]["data"])
        return facility

    def open_sale(self, facility: Facility, *, price_micros: int = 1_500_000) -> None:
        """Bond the facility and open its sale until its window begins; nobody buys yet."""
        sale = SaleAndBond((price_micros,), 1, 2_000, 10 * MICROS, 20 * MICROS, 1_500_000)
        closes_at_s = self.window_start_s(facility) - 600
        self.story.market.open(facility, sale, closes_at_s=closes_at_s, sold_permille=0)

    def window_start_s(self, facility: Facility) -> int:
        """First second of the delivery window."""
        return int(self.facility(facility)["window_start_s"])

    def facility(self, facility: Facility) -> Any:
        """What the API says of it."""
        return self.stack.get(f"/v1/facilities/{facility.facility_id}")

    def finalize(self, facility: Facility) -> None:
        """Pass the end of the sale and finalize it."""
        self.stack.chain.set_time(self.window_start_s(facility) - 300)
        self.story.market.finalize(facility)

    def meter(self, facility: Facility, epoch: int, *, shorter_s: int = 0) -> None:
        """Use of every device for an epoch, of each one so much shorter; it is just over."""
        start_s = self.window_start_s(facility) + epoch * EPOCH_S
        self.stack.chain.set_time(start_s + EPOCH_S + 5)
        body = facility.plan.facility
        events = [
            {
                "specversion": "1.0",
                "id": f"{body['name']}-{epoch}-{i}",
                "source": "collector/tests",
                "type": USAGE,
                "data": {
                    "facility_id": facility.facility_id,
                    "device": device,
                    "lease": facility.plan.leases[0]["lease_id"],
                    "gpu_class": body["gpu_class"],
                    "start": format_instant(start_s),
                    "end": format_instant(start_s + EPOCH_S - shorter_s * i),
                    "gpu_seconds": EPOCH_S - shorter_s * i,
                },
            }
            for i, device in enumerate(body["devices"])
        ]
        answer = self.stack.post("/v1/events", events, self.story.keys[facility.plan.operator])
        assert answer["accepted"] == len(events), answer

    def deliver(self, facility: Facility, epoch: int) -> None:
        """One epoch: metering of every device, then everything until it is posted."""
        self.meter(facility, epoch, shorter_s=100)
        self._cut_off(facility, epoch)
        self.wait_posted(facility, epoch)

    def state(self, facility: Facility, epoch: int) -> None:
        """Pass the cut-off of an epoch and wait for its statement, on-chain or not."""
        self._cut_off(facility, epoch)

        def stated() -> bool:
            path = f"/v1/facilities/{facility.facility_id}/statements"
            return int(self.stack.get(path)["total"]) > epoch

        self.stack.wait(f"statement {epoch}", stated)

    def _cut_off(self, facility: Facility, epoch: int) -> None:
        end_s = self.window_start_s(facility) + (epoch + 1) * EPOCH_S
        self.stack.chain.set_time(end_s + GRACE_S + 5)

    def wait_posted(self, facility: Facility, epoch: int) -> None:
        """Wait until a statement of the epoch stands on-chain."""
        count = self.stack.contracts.statement_registry.epochs_posted(facility.facility_id)

        def posted() -> bool:
            return self.stack.now(count) > epoch

        self.stack.wait(f"epoch {epoch} on-chain", posted, timeout_s=180)

    def pay_rent(self, facility: Facility, epoch: int) -> int:
        """The renter pays what the statement charges. Returns micros."""
        paid = 0
        renter = wallet(RENTER).address
        for lease, micros in line_charges(self.stack, facility.facility_id, epoch).items():
            reference = bytes.fromhex(lease[2:])
            self.call(renter, "RentLockbox", "payRent", facility.facility_id, reference, micros)
            paid += micros
        return paid

    def settle(self, facility: Facility) -> None:
        """Pass the challenge window, wait for the worker's settlement, let half of it stream."""
        self.stack.chain.set_time(self.now_s + CHALLENGE_WINDOW_S + 5)
        waiting = self.stack.contracts.rent_lockbox.settleable_micros(facility.facility_id)

        def settled() -> bool:
            return self.stack.now(waiting) == 0

        self.stack.wait("the settlement", settled, timeout_s=180)

    def pass_time(self, seconds: int) -> None:
        """Mine a block so much later."""
        self.stack.chain.set_time(self.now_s + seconds)

    def indexed(self) -> None:
        """Wait until the index has the newest block."""
        head = self.stack.client.head().number

        def done() -> bool:
            block = self.stack.get("/v1/status")["indexed_block"]
            return bool(block is not None and block >= head)

        self.stack.wait("the index", done)

    def sell(self, facility: Facility, *, floor_micros: int = 1, opens_in_s: int = 0) -> None:
        """Bond the facility and announce its sale, at 1.50 a unit; until its window begins."""
        sale = SaleAndBond((1_500_000,), floor_micros, 2_000, 10 * MICROS, 20 * MICROS, 1_500_000)
        self.story.market.open(
            facility,
            sale,
            opens_at_s=self.now_s + opens_in_s,
            closes_at_s=self.window_start_s(facility) - 600,
            sold_permille=0,
        )

    def buy(self, account: str, facility: Facility, units: int) -> None:
        """A purchase of somebody outside of the browser, who is entered in the allow-list first."""
        self.onboard(account)
        cost = units * 1_500_000
        self.story.market.fill(account, self.stack.deployment.primary_sale, cost)
        self.call(account, "PrimarySale", "buy", facility.token_ids[0], units, cost)

    def fund(self, name: str, holder: str, units: int) -> Facility:
        """A funded facility of which one account holds so many units."""
        facility = self.offer(name)
        self.sell(facility)
        self.buy(holder, facility, units)
        self.finalize(facility)
        return facility

    def run_out(self, facility: Facility) -> None:
        """Nothing is metered: all epochs and the books close empty, get final; then it matures."""
        end_s = self.window_start_s(facility) + _EPOCHS * EPOCH_S
        self.stack.chain.set_time(end_s + GRACE_S + 5)
        self.wait_posted(facility, _EPOCHS - 1)
        self.stack.chain.set_time(max(self.now_s, end_s + SEAL_S + GRACE_S + 5))
        registry = self.stack.contracts.statement_registry
        stands = registry.is_closing_posted(facility.facility_id)
        self.stack.wait("the closing statement on-chain", lambda: self.stack.now(stands))
        self.stack.chain.set_time(self.now_s + CHALLENGE_WINDOW_S + 5)

        book = self.stack.contracts.rent_lockbox.book_of(facility.facility_id)

        def counted() -> bool:
            return self.stack.now(book).settled_epochs == _EPOCHS

        self.stack.wait("all epochs settled", counted, timeout_s=180)
        self.call(wallet(RENTER).address, "FacilityRegistry", "mature", facility.facility_id)

    def wait_closed(self, facility: Facility) -> None:
        """Pass what must pass after the end, and wait until the worker closed it."""
        opens_at = self.stack.contracts.rent_lockbox.closable_from_s(facility.facility_id)
        self.stack.chain.set_time(max(self.stack.now(opens_at), self.now_s) + 5)
        ending = self.stack.contracts.facility_registry.ending_of(facility.facility_id)

        def closed() -> bool:
            return self.stack.now(ending).closed_at_s > 0

        self.stack.wait("the closing", closed, timeout_s=180)

    def place_and_cancel(self, name: str, holder: str, units: int) -> Facility:
        """A cancelled offer without a sale, of which one account holds so many units."""
        facility = self.offer(name)
        operator = operator_of(facility)
        self.onboard(holder)
        self.call(operator, "BondVault", "setTerms", facility.facility_id, (0, MICROS))
        self.call(operator, "TrancheToken", "mint", holder, facility.token_ids[0], units)
        cancel = Function("cancel", ("uint64",))
        self.do(operator, "FacilityRegistry", cancel, facility.facility_id)
        return facility

    def do(self, sender: str, contract: str, function: Function, *arguments: Any) -> None:
        """A transaction that calls a function of which the service has no use."""
        data = "0x" + function.encode(*arguments).hex()
        self.stack.send(sender, self.stack.deployment.addresses[contract], data)

    def order(
        self, facility: Facility, holder: str, units: int, lease: str
    ) -> tuple[DeliveryOrder, bytes]:
        """A delivery order of the facility's operator that counts for a day."""
        deployment = self.stack.deployment
        order = DeliveryOrder(
            holder=Address(holder),
            id=TrancheId(facility.token_ids[0]),
            units=units,
            lease=Bytes32(bytes.fromhex(lease[2:])),
            nonce=uuid.uuid4().int,
            deadline_s=self.now_s + 86_400,
        )
        desk = deployment.delivery_desk
        digest = order_digest(order, chain_id=deployment.chain_id, desk=desk)
        key = wallet(OPERATORS[facility.plan.operator]).key.hex()
        return order, LocalSigner(key).sign_digest(digest)

    def take_delivery(self, facility: Facility, holder: str, units: int, lease: str) -> None:
        """A holder burns units on such an order."""
        order, signature = self.order(facility, holder, units, lease)
        desk = self.stack.deployment.delivery_desk
        self.stack.send(holder, desk, calldata.take_delivery(order, signature))

    def units(self, account: str, facility: Facility) -> int:
        """Units of the first tranche that an account holds."""
        token = self.stack.contracts.tranche_token
        return self.stack.now(token.position_of(account, facility.token_ids[0])).units

    def dollars(self, account: str) -> int:
        """Micros of the stablecoin that an account has."""
        return self.stack.now(self.stack.contracts.settlement_token.balance_micros(account))


def _device(facility: str, index: int) -> str:
    return f"GPU-{uuid.uuid5(uuid.NAMESPACE_URL, f'{facility}/{index}')}"


@contextmanager
def open_stage(folder: Path) -> Iterator[Stage]:
    """Start everything, play the story, hand over."""
    console = Console(quiet=True)
    folder.mkdir(parents=True)
    (folder / ACCOUNTS_FILE).write_text(json.dumps(accounts()))
    source = SimulationSource(1, DAYS, start_s=START_S)
    stack = Stack(
        folder,
        start_s=START_S - 7_200,
        challenge_window_s=CHALLENGE_WINDOW_S,
        grace_s=GRACE_S,
    )
    with stack:
        stack.deploy(deploy_or_load)
        stack.start_api()
        stack.start_attesters()
        stack.start_worker()
        story = Story(stack, source, console)
        story.register()
        for day in range(DAYS):
            story.push(day)
            story.close(day, kill_worker=False)
            story.money(day)
        story.finish()
        # The story ends with attesters that are silent.
        stack.start_attesters()
        yield Stage(stack, story)
