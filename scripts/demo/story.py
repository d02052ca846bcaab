"""The story that the demo tells, step by step: operators, renters, holders, time."""

import csv
import io
from typing import Any

from rich.console import Console

from api.chain import calldata
from api.cli.output import micros
from api.domain.metering.events import LEASE_OPENED, LEASE_TERMS
from api.domain.metering.usage import LineKind
from api.domain.statements.evidence import LINES_FILE, epoch_folder
from api.domain.units import Epoch, FacilityId
from scripts.demo.keys import Keys
from scripts.demo.market import SALE_CLOSES_BEFORE_S, Market, operator_of
from scripts.demo.simulate import DAY_S
from scripts.demo.sources import SEAL_S, Facility, Source
from scripts.demo.trouble import Trouble
from scripts.dev.stack import (
    HOLDERS,
    OPERATORS,
    RENTER,
    Stack,
    wallet,
)

_EPOCH_TIMEOUT_S = 300.0
# How many epochs later the late payer pays.
LATE_EPOCHS = 2


def line_charges(stack: Stack, facility_id: FacilityId, epoch: Epoch) -> dict[str, int]:
    """Micros by lease that the lines of a published statement charge."""
    data = stack.evidence_file(f"{epoch_folder(facility_id, epoch)}/{LINES_FILE}")
    found: dict[str, int] = {}
    for row in csv.DictReader(io.StringIO(data)):
        found[row["lease"]] = found.get(row["lease"], 0) + int(row["charge_micros"])
    return found


def _facility_of(events: list[dict[str, Any]]) -> FacilityId:
    """The facility that a batch of events speaks of."""
    return FacilityId(events[0]["data"]["facility_id"])


class Story:
    """Drives a stack through the delivery window of a source."""

    def __init__(self, stack: Stack, source: Source, console: Console) -> None:
        self._stack, self._source, self._console = stack, source, console
        # By operator: its API key, which may do everything but sign.
        self.keys: list[str] = []
        self.signers = Keys(stack, self.keys)
        stack.on_exit(self.signers.close)
        self._facilities: list[Facility] = []
        self._holders = [wallet(i).address for i in HOLDERS]
        self._renter = wallet(RENTER).address
        self.market = Market(stack, self._holders, console)
        self._trouble = Trouble(stack, self.market, console)

    def register(self) -> None:
        """Investors, operators, facilities, keys, leases; wallets offer, sell or mint, fund."""
        self.market.onboard()
        for number, index in enumerate(OPERATORS, start=1):
            body = {"name": f"operator-{number}", "address": wallet(index).address}
            self.keys.append(self._stack.admin("/v1/operators", body)["api_key"])
            self.signers.name(number - 1)
        self._say(f"{len(OPERATORS)} operators named their ledger keys on-chain")
        for number, plan in enumerate(self._source.plans()):
            key = self.keys[plan.operator]
            answer = self._stack.post("/v1/facilities", plan.facility, key)
            facility = Facility(answer["facility_id"], plan)
            self.signers.bring(facility.facility_id, name=facility.name, operator=plan.operator)
            self.open_leases(facility)
            if plan.terms:
                self.signers.agree(facility.facility_id, self._agreed(facility))
            self._offer(facility, answer["offer"])
            self._facilities.append(facility)
            self._source.registered(number, facility.facility_id)
        self._fill_renter()
        if self._sold:
            self._stack.chain.set_time(self._source.start_s - SALE_CLOSES_BEFORE_S)
        for facility in self._sold:
            self.market.finalize(facility)
            if facility.plan.delivers_under is not None:
                self.market.take_delivery(facility, lease_id=facility.plan.delivers_under)
        minted = len(self._facilities) - len(self._sold)
        self._console.print(f"{minted} facilities offered, minted and funded without a sale")

    def open_leases(self, facility: Facility) -> None:
        """Leases that the ledger key signs; or by the console's forms, which nobody signs."""
        plan, key = facility.plan, self.keys[facility.plan.operator]
        path = f"/v1/facilities/{facility.facility_id}/leases"
        if plan.forms:
            for lease in plan.leases:
                self._stack.post(path, lease, key)
        else:
            opened = [
                {
                    "specversion": "1.0",
                    "id": f"{lease['lease_id']}-opened",
                    "source": f"contracts/{facility.name}",
                    "type": LEASE_OPENED,
                    "data": {"facility_id": facility.facility_id, **lease},
                }
                for lease in plan.leases
            ]
            self.signers.agree(facility.facility_id, opened)
        listed = f"/v1/console/facilities/{facility.facility_id}/leases"
        for row in self._stack.get(listed, key):
            facility.leases[row["lease_id"]] = row["lease"]

    def _agreed(self, facility: Facility) -> list[dict[str, Any]]:
        """Events of what leases say beyond their first terms."""
        return [
            {
                "specversion": "1.0",
                "id": f"{data['lease_id']}-terms-{data['version']}",
                "source": f"contracts/{facility.name}",
                "type": LEASE_TERMS,
                "data": {"facility_id": facility.facility_id, **data},
            }
            for data in facility.plan.terms
        ]

    def _push(self, events: list[dict[str, Any]]) -> int:
        """A collector sends events of which none may be rejected; returns how many are new."""
        results = self.signers.meter(_facility_of(events), events)
        rejected = [result for result in results if result.status == "rejected"]
        if rejected:
            raise RuntimeError(f"an event was rejected: {rejected[0]}")
        return sum(result.status == "accepted" for result in results)

    def _offer(self, facility: Facility, offer: dict[str, str]) -> None:
        self._stack.send(operator_of(facility), offer["to"], offer["data"])
        if facility.plan.sale is None:
            self.market.mint(facility)
        else:
            closes_at_s = self._source.start_s - SALE_CLOSES_BEFORE_S
            self.market.open(facility, facility.plan.sale, closes_at_s=closes_at_s)

    @property
    def _sold(self) -> list[Facility]:
        """Facilities with a sale and a bond."""
        return [f for f in self._facilities if f.plan.sale is not None]

    def _fill_renter(self) -> None:
        token = self._stack.deployment.settlement_token
        amount = 10**15
        lockbox = self._stack.deployment.rent_lockbox
        mint = calldata.call("SettlementToken", "mint", self._renter, amount)
        approve = calldata.call("SettlementToken", "approve", lockbox, amount)
        self._stack.send(self._renter, token, mint)
        self._stack.send(self._renter, token, approve)

    def push(self, day: int) -> None:
        """Push the day's metering after its end, within the grace; bad events must be rejected."""
        end_s = self._source.start_s + (day + 1) * DAY_S
        self._stack.chain.set_time(end_s + 60)
        accepted = 0
        for batch in self._source.events(day):
            accepted += self._push(batch)
        for place, lease_id, body in self._source.prices_put_right(day):
            facility = self._facilities[place]
            path = f"/v1/facilities/{facility.facility_id}/leases/{lease_id}/prices"
            self._stack.post(path, body, self.keys[facility.plan.operator])
            self._console.print(
                f"{facility.name}: the price of {lease_id} was typed wrong, and is put right from"
                " its first second on",
                highlight=False,
            )
        rejected = 0
        for bad in self._source.bad(day):
            events = [event for event, _ in bad]
            results = self.signers.meter(_facility_of(events), events)
            for (_, code), result in zip(bad, results, strict=True):
                if result.code != code:
                    raise RuntimeError(f"expected {code}, got {result}")
            rejected += len(bad)
        self._console.print(
            f"day {day + 1}: {accepted:,} events accepted, {rejected} bad ones rejected by name"
        )

    def close(self, day: int, *, kill_worker: bool) -> None:
        """Pass the cut-off and wait until every facility's epoch is on-chain."""
        end_s = self._source.start_s + (day + 1) * DAY_S
        if day == 0:
            # Before the honest statement can be made; it is posted in the false one's place.
            self._trouble.false_statement(self._facilities[-1], start_s=self._source.start_s)
        self._stack.chain.set_time(end_s + self._stack.grace_s)
        if kill_worker:
            self._wait_closed(day, facilities=1)
            self._stack.kill_worker()
            self._console.print("worker killed with SIGKILL in mid-epoch, and started again")
            self._stack.start_worker()
        contracts = self._stack.contracts
        registry = contracts.statement_registry
        counts = [registry.epochs_posted(f.facility_id) for f in self._facilities]

        def posted() -> bool:
            return min(self._stack.now(contracts.all_of(counts))) > day

        self._stack.wait(f"epoch {day} on-chain", posted, timeout_s=_EPOCH_TIMEOUT_S)
        if day:
            told = "; ".join(filter(None, (self._differences(f, day) for f in self._facilities)))
            self._say(f"day {day + 1}, what is due now and was not stated: {told or 'nothing'}")
        if day == self._source.days - 1:
            self._push_late()

    def _push_late(self) -> None:
        """Push what comes after the last statement: the closing statement says so."""
        end_s = self._source.start_s + self._source.days * DAY_S
        self._stack.chain.set_time(end_s + self._stack.grace_s + 60)
        for batch in self._source.late():
            accepted = self._push(batch)
            self._say(f"a collector was cut off: {accepted} events come after the last statement")

    def _differences(self, facility: Facility, number: int) -> str:
        """Sums of a statement's differences by component, in words."""
        folder = epoch_folder(FacilityId(facility.facility_id), Epoch(number))
        data = self._stack.evidence_file(f"{folder}/{LINES_FILE}")
        sums: dict[LineKind, int] = {}
        for row in csv.DictReader(io.StringIO(data)):
            kind = LineKind(int(row["kind"]))
            if kind > LineKind.VOID:
                sums[kind] = sums.get(kind, 0) + int(row["charge_micros"])
        told = [
            f"{kind.name.removesuffix('_DIFFERENCE').lower()} {micros(sums[kind])}"
            for kind in sorted(sums)
        ]
        return f"{facility.name} {', '.join(told)}" if told else ""

    def _say(self, sentence: str) -> None:
        self._console.print(sentence, highlight=False)

    def _wait_closed(self, day: int, *, facilities: int) -> None:
        def closed() -> bool:
            rows = self._stack.get("/v1/facilities")
            return bool(sum(row["epochs_closed"] > day for row in rows) >= facilities)

        self._stack.wait("a closed epoch", closed, timeout_s=_EPOCH_TIMEOUT_S, pause_s=0.01)

    def money(self, day: int) -> None:
        """Rent for the day's statement; what became final settles; units move; holders claim."""
        for facility in self._facilities:
            statement_day = day - LATE_EPOCHS if facility.plan.pays_late else day
            if statement_day >= 0:
                for lease, amount in line_charges(
                    self._stack, FacilityId(facility.facility_id), Epoch(statement_day)
                ).items():
                    facility.due[lease] = facility.due.get(lease, 0) + amount
                self._pay(facility)
        # Late rent is for epochs that are final: the worker settles it at once. Waiting for that
        # before time goes on fixes when its stream begins.
        self._wait_settled()
        end_s = self._source.start_s + (day + 1) * DAY_S
        self._stack.chain.set_time(end_s + self._stack.grace_s + self._stack.challenge_window_s)
        self._wait_settled()
        for facility in self._sold:
            self.market.release(facility)
        # Six hours later the streams are a quarter through: units change hands in mid-stream.
        self._stack.chain.set_time(
            end_s + self._stack.grace_s + self._stack.challenge_window_s + DAY_S // 4
        )
        for facility in self._facilities:
            self._move(facility, day)
        if day % 2:
            self._claim(self._holders[day % len(self._holders)])

    def _pay(self, facility: Facility) -> None:
        lockbox = self._stack.deployment.rent_lockbox
        for lease, amount in sorted(facility.due.items()):
            if amount <= 0:
                continue
            reference = bytes.fromhex(lease[2:])
            pay = calldata.call("RentLockbox", "payRent", facility.facility_id, reference, amount)
            self._stack.send(self._renter, lockbox, pay)
            facility.due[lease] = 0

    def _wait_settled(self) -> None:
        contracts = self._stack.contracts
        lockbox = contracts.rent_lockbox
        waiting = [lockbox.settleable_micros(f.facility_id) for f in self._facilities]

        def settled() -> bool:
            return not any(self._stack.now(contracts.all_of(waiting)))

        self._stack.wait("settlements", settled, timeout_s=_EPOCH_TIMEOUT_S)

    def _move(self, facility: Facility, day: int) -> None:
        token = self._stack.contracts.tranche_token
        sender = self._holders[day % 3]
        receiver = self._holders[3 + day % 2]
        for token_id in facility.token_ids:
            units = self._stack.now(token.position_of(sender, token_id)).units // 5
            if units:
                data = calldata.call(
                    "TrancheToken", "safeTransferFrom", sender, receiver, token_id, units, b""
                )
                self._stack.send(sender, token.address, data)

    def _claim(self, holder: str) -> None:
        ids = [token_id for f in self._facilities for token_id in f.token_ids]
        data = calldata.claim(ids, holder)
        self._stack.send(holder, self._stack.deployment.tranche_token, data)

    def finish(self) -> None:
        """Facilities mature, default and are closed; all but one holder claim."""
        self._await_closing_statements()
        if any(f.plan.abandoned_days for f in self._facilities):
            # Before the first epoch that nobody metered is over: else they state that it was idle.
            self._stack.stop_attesters()
        last_s = self._source.start_s + self._source.days * DAY_S + DAY_S
        self._stack.chain.set_time(last_s)
        self._wait_settled()
        matured = [f for f in self._facilities if self._mature(f)]
        for facility in matured:
            if facility.voucher:
                self.market.served(facility)
        # A day for deliveries of the last statements, then the worker closes what matured.
        self._stack.chain.set_time(last_s + DAY_S)
        for facility in matured:
            self._trouble.await_closing(facility)
        for facility in self._facilities:
            if facility.plan.abandoned_days:
                self._default(facility)
        self.market.pay_attesters(self._facilities)
        # A last claim in mid-stream of the last closing.
        now_s = self._stack.client.head().time_s
        for holder in (*self._holders[:-1], *(operator_of(f) for f in self._sold)):
            self._claim(holder)
        self._stack.chain.set_time(now_s + DAY_S // 4)
        self._claim(self._holders[-1])
        head = self._stack.client.head().number

        def indexed() -> bool:
            block = self._stack.get("/v1/status")["indexed_block"]
            return bool(block is not None and block >= head)

        self._stack.wait("the index", indexed)

    def _await_closing_statements(self) -> None:
        """After the seal the books of every facility that was delivered whole are closed."""
        sealed_s = self._source.start_s + self._source.days * DAY_S + SEAL_S + self._stack.grace_s
        if self._stack.client.head().time_s < sealed_s:
            self._stack.chain.set_time(sealed_s)
        whole = [f for f in self._facilities if not f.plan.abandoned_days]
        contracts = self._stack.contracts
        stands = [contracts.statement_registry.is_closing_posted(f.facility_id) for f in whole]

        def posted() -> bool:
            return all(self._stack.now(contracts.all_of(stands)))

        self._stack.wait("closing statements on-chain", posted, timeout_s=_EPOCH_TIMEOUT_S)
        names = ", ".join(f.name for f in whole)
        self._say(f"{names}: the seal is over, and the closing statement says what came late")
        told = filter(None, (self._differences(f, self._source.days) for f in whole))
        self._say(f"closing statements: {'; '.join(told) or 'nothing'}")

    def _mature(self, facility: Facility) -> bool:
        """Anybody ends a facility whose epochs are all settled and paid; whether it was this."""
        book = self._stack.now(self._stack.contracts.rent_lockbox.book_of(facility.facility_id))
        plan, days = facility.plan, self._source.days
        if plan.pays_late or plan.abandoned_days or book.settled_epochs < days:
            return False
        data = calldata.call("FacilityRegistry", "mature", facility.facility_id)
        self._stack.send(self._renter, self._stack.deployment.facility_registry, data)
        return True

    def _default(self, facility: Facility) -> None:
        """Its operator publishes one epoch that nobody states, and leaves before the next."""
        self._trouble.publish(facility, Epoch(self._source.days))
        epoch = Epoch(self._source.days + 1)
        epoch_end_s = self._source.start_s + (epoch + 1) * DAY_S
        self._trouble.default(facility, epoch=epoch, epoch_end_s=epoch_end_s)
        self.market.pay_voucher(facility)
        self.market.withdraw(facility)
