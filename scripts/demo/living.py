"""The living part of `make serve`: facilities whose epochs last minutes, metered while you watch.

One facility delivers for days. Beside it a new one is offered every quarter of an hour: its sale is
open until then, afterwards it delivers for an hour and matures. So every state can be seen, and
who buys in the browser sees revenue within minutes.
"""

import random
import threading
import uuid
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from api.chain import calldata
from api.domain.metering.instants import format_instant
from api.domain.units import Epoch
from api.errors import ChainRejected
from scripts.demo.market import Market, operator_of
from scripts.demo.simulate import SimulatedFacility, SimulatedLease, Simulation
from scripts.demo.sources import Facility, Plan, SaleAndBond
from scripts.demo.story import Story, line_charges
from scripts.dev.stack import OPERATORS, RENTER, Stack, wallet

EPOCH_S = 120
SALE_S = 900
_LEAD_S = 60
_TICK_S = 30
_LIVE_EPOCHS, _SOLD_EPOCHS = 3_600, 30
_CLAIM_EVERY_TICKS, _BAD_EVERY_TICKS, _LOGS_EVERY_TICKS = 8, 5, 4


def _lease(name: str, plan: str, place: tuple[int, int], price: int, busy: int) -> SimulatedLease:
    committed = place[1] // 2 if plan == "take_or_pay" else 0
    return SimulatedLease(f"{name}-1", f"renter-{name}", plan, *place, price, committed, busy)


# Prices are illustrative, as in scripts/demo/simulate.py.
_DELIVERING = SimulatedFacility(
    "dawn",
    "H200-SXM-141GB",
    "NO-OSL-1",
    8,
    50,
    1_200_000,
    (
        _lease("heron", "reserved", (0, 4), 3_490_000, 980),
        _lease("ibis", "take_or_pay", (4, 4), 2_990_000, 700),
    ),
)


def _for_sale(number: int) -> SimulatedFacility:
    return SimulatedFacility(
        f"ember-{number}",
        "B200-SXM-192GB",
        "FI-HEL-3",
        24,
        50,
        3_000_000,
        (
            _lease("jay", "reserved", (0, 15), 4_250_000, 990),
            _lease("kite", "on_demand", (15, 9), 4_990_000, 800),
        ),
    )


@dataclass
class _Live:
    """A facility of short epochs, and how far it was metered."""

    facility: Facility
    simulated: SimulatedFacility
    simulation: Simulation
    start_s: int
    end_s: int
    metered_until_s: int
    charged_epochs: int = 0
    sold: bool = False
    funded: bool = False
    ended: bool = False
    # Events that the service did not take.
    refused: int = 0


class Living:
    """Keeps a stack alive, tick by tick, in the chain's time."""

    def __init__(self, stack: Stack, story: Story, console: Console) -> None:
        self._stack, self._story, self._console = stack, story, console
        self._market: Market = story.market
        self._random = random.Random(7)  # noqa: S311
        self._lives: list[_Live] = []
        self._sales = 0
        self._stop = threading.Event()
        self._miner = threading.Thread(target=self._mine, daemon=True)

    def start(self) -> None:
        """Let the chain's clock run with this machine's, and open the first facilities."""
        self._stack.chain.rpc("anvil_removeBlockTimestampInterval")
        self._miner.start()
        self._deliver()
        self._sell()

    def stop(self) -> None:
        """End the miner."""
        self._stop.set()
        self._miner.join(timeout=10)

    def _mine(self) -> None:
        # Calls mine their own blocks at once; these let time pass when nobody calls.
        while not self._stop.wait(3):
            self._stack.chain.rpc("evm_mine")

    @property
    def _now_s(self) -> int:
        return self._stack.client.head().time_s

    def _open(
        self, simulated: SimulatedFacility, operator: int, start_s: int, epochs: int
    ) -> tuple[_Live, dict[str, str]]:
        """Register a facility with its leases; its offer is for the wallet to send."""
        units = max(2, simulated.gpus * epochs * EPOCH_S // 3_600)
        senior = units * simulated.senior_share_percent // 100
        body = {
            "name": simulated.name,
            "gpu_class": simulated.gpu_class,
            "site": simulated.site,
            "window_start": format_instant(start_s),
            "window_end": format_instant(start_s + epochs * EPOCH_S),
            "epoch_length_s": EPOCH_S,
            "seal_s": EPOCH_S,
            "tranches": [
                {"unit_cap": senior, "coupon_micros_per_unit": simulated.coupon_micros_per_unit},
                {"unit_cap": units - senior},
            ],
            "devices": [simulated.device(i) for i in range(simulated.gpus)],
        }
        answer = self._stack.post("/v1/facilities", body, self._story.keys[operator])
        facility_id = answer["facility_id"]
        leases: list[dict[str, Any]] = [
            {
                "lease_id": lease.lease_id,
                "renter_ref": lease.renter_ref,
                "plan": lease.plan,
                "committed_gpus": lease.committed_gpus,
                "opened_at": format_instant(start_s),
                "price_micros_per_gpu_hour": lease.price_micros_per_gpu_hour,
            }
            for lease in simulated.leases
        ]
        facility = Facility(facility_id, Plan(operator, body, leases, pays_late=False))
        self._story.signers.bring(facility_id, name=facility.name, operator=operator)
        self._story.open_leases(facility)
        live = _Live(
            facility,
            simulated,
            Simulation(simulated, facility_id, start_s, 0),
            start_s,
            start_s + epochs * EPOCH_S,
            start_s,
        )
        self._lives.append(live)
        return live, answer["offer"]

    def _deliver(self) -> None:
        """The facility that delivers for days: minted to holders, without a sale."""
        live, offer = self._open(_DELIVERING, 0, self._now_s + _LEAD_S, _LIVE_EPOCHS)
        self._stack.send(operator_of(live.facility), offer["to"], offer["data"])
        self._market.mint(live.facility)
        live.funded = True
        self._say(f"{live.facility.name}: delivering from now on, {EPOCH_S} s an epoch")

    def _sell(self) -> None:
        """The next facility for sale; simulated holders buy a part of it at once."""
        self._sales += 1
        now_s = self._now_s
        closes_at_s = now_s + SALE_S
        operator = self._sales % len(OPERATORS)
        live, offer = self._open(
            _for_sale(self._sales), operator, closes_at_s + _LEAD_S, _SOLD_EPOCHS
        )
        live.sold = True
        self._stack.send(operator_of(live.facility), offer["to"], offer["data"])
        # Rent of about 4 a unit pays a senior its 3.00 and a junior about 5.00.
        sale = SaleAndBond((2_600_000, 4_200_000), 1, 2_000, 50_000_000, 80_000_000, 3_000_000)
        self._market.open(live.facility, sale, closes_at_s=closes_at_s, sold_permille=300)
        self._say(f"{live.facility.name}: on sale for {SALE_S // 60} minutes, then delivering")

    def run(self) -> None:
        """Tick until interrupted."""
        tick = 0
        while True:
            self._stack.wait("a tick", self._elapsed(_TICK_S), timeout_s=10**6, pause_s=1)
            tick += 1
            for live in list(self._lives):
                self._live(live, tick)
            if all(live.funded for live in self._lives if live.sold):
                self._sell()
            if tick % _CLAIM_EVERY_TICKS == 0:
                self._claim()
            if tick % _LOGS_EVERY_TICKS == 0:
                self._say_logs()

    def _elapsed(self, seconds: int) -> Any:
        until_s = self._now_s + seconds
        return lambda: self._now_s >= until_s

    def _live(self, live: _Live, tick: int) -> None:
        now_s = self._now_s
        if live.ended:
            return
        if live.sold and not live.funded:
            if now_s >= live.start_s - _LEAD_S:
                self._market.finalize(live.facility)
                live.funded = True
            return
        self._meter(live, min(now_s, live.end_s), tick)
        self._pay(live)
        if now_s > live.end_s:
            self._end(live)

    def _meter(self, live: _Live, until_s: int, tick: int) -> None:
        """Push what was used since the last push, to the second, and that every GPU was seen."""
        from_s, live.metered_until_s = live.metered_until_s, max(live.metered_until_s, until_s)
        if until_s <= from_s:
            return
        simulation, gpus = live.simulation, range(live.simulated.gpus)
        events = [simulation.seen(gpu, from_s, until_s) for gpu in gpus]
        events += [
            simulation.usage(lease, gpu, from_s, until_s)
            for lease in live.simulated.leases
            for gpu in range(lease.first_gpu, lease.first_gpu + lease.gpus)
            if self._random.randrange(1_000) < lease.busy_permille
        ]
        if tick % _BAD_EVERY_TICKS == 0:
            data = {**events[-1]["data"], "device": f"GPU-{uuid.uuid4()}"}
            events.append({**events[-1], "id": f"bad-{until_s}", "data": data})
        results = self._story.signers.meter(live.facility.facility_id, events)
        live.refused += sum(result.status == "rejected" for result in results)

    def _pay(self, live: _Live) -> None:
        """The renter pays what each newly posted statement charges."""
        facility = live.facility
        registry = self._stack.contracts.statement_registry
        posted = self._stack.now(registry.epochs_posted(facility.facility_id))
        if self._stack.now(registry.is_closing_posted(facility.facility_id)):
            posted += 1
        for epoch in map(Epoch, range(live.charged_epochs, posted)):
            for lease, micros in line_charges(self._stack, facility.facility_id, epoch).items():
                facility.due[lease] = facility.due.get(lease, 0) + micros
        live.charged_epochs = max(live.charged_epochs, posted)
        lockbox = self._stack.deployment.rent_lockbox
        for lease, due in sorted(facility.due.items()):
            if due <= 0:
                continue
            reference = bytes.fromhex(lease[2:])
            pay = calldata.call("RentLockbox", "payRent", facility.facility_id, reference, due)
            self._stack.send(wallet(RENTER).address, lockbox, pay)
            facility.due[lease] = 0

    def _end(self, live: _Live) -> None:
        """Mature as soon as everything is final, settled and paid."""
        registry = self._stack.deployment.facility_registry
        facility_id = live.facility.facility_id
        data = calldata.call("FacilityRegistry", "mature", facility_id)
        sender = wallet(RENTER).address
        try:
            call = {"from": sender, "to": registry, "data": data}
            self._stack.client.request("eth_call", call, "latest")
        except ChainRejected:
            # Not yet: an epoch is still in its challenge window, or rent is on its way.
            return
        self._stack.send(sender, registry, data)
        live.ended = True
        self._say(f"{live.facility.name}: matured, closed in a day")

    def _say_logs(self) -> None:
        """How the logs grew, and whether all receipts are in them."""
        lives = {x.facility.facility_id: x for x in self._lives if x.funded and not x.ended}
        for row in self._story.signers.logs(list(lives)):
            live = lives[row.facility_id]
            self._say(
                f"{live.facility.name}: {row.entries} entries published, {row.signed} signed;"
                f" {row.held.found} of {row.receipts} receipts found in them,"
                f" {row.held.waiting} newer than they are, {len(row.held.findings)} differ;"
                f" {live.refused} events refused"
            )

    def _claim(self) -> None:
        ids = [i for live in self._lives if live.funded for i in live.facility.token_ids]
        holder = self._random.choice(self._market.holders)
        claim = calldata.claim(ids, holder)
        self._stack.send(holder, self._stack.deployment.tranche_token, claim)

    def _say(self, sentence: str) -> None:
        self._console.print(sentence, highlight=False)
