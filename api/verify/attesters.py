"""Verify, part 1b: replay attesters, panels, bonds and charges; judge who could sign when."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from api.chain import calldata
from api.chain.contracts import Contracts
from api.chain.contracts.settlement_token import SettlementToken
from api.chain.emitted.attester_registry import (
    AttesterBondDeposited,
    AttesterBondWithdrawn,
    AttesterPeriodSet,
    AttesterSlashed,
    PanelSet,
    SignedFaultProven,
    SlashedTaken,
)
from api.chain.emitted.facility_registry import FacilityOffered
from api.chain.emitted.statement_registry import StatementPosted, StatementVoided
from api.chain.events import AnyEvent, ChainEvent, Handlers
from api.domain.capital.bond import slash
from api.domain.merkle import root_of_proof
from api.domain.statements.statement import (
    Statement,
    batch_digest,
    batch_leaf,
    statement_digest,
    statement_hash,
)
from api.domain.units import Bytes32, FacilityId
from api.verify.findings import Finding, Report
from api.verify.signers import Signers


@dataclass
class _Panel:
    """Seats of a panel: those that hold since before the newest change, and that change."""

    current: PanelSet | None
    coming: PanelSet

    def at(self, now_s: int) -> PanelSet | None:
        """Seats that hold at a time."""
        return self.coming if now_s >= self.coming.from_s else self.current


@dataclass
class _Books:
    """Money of attesters, minor units; accounts are lower-case."""

    bonds: dict[str, int] = field(default_factory=dict)
    rewards: dict[str, int] = field(default_factory=dict)
    for_treasury: int = 0


class AttesterVerifier:
    """Replays AttesterRegistry and collects findings."""

    def __init__(
        self, contracts: Contracts, *, head: int, signers: Signers, report: Report
    ) -> None:
        self._contracts, self._report, self._signers = contracts, report, signers
        registry = contracts.attester_registry
        # Fixed for ever by the constructor.
        self._minimum, self._slash_amount = contracts.together(
            registry.minimum_bond_micros(), registry.slash_amount_micros()
        ).at(block=head)
        self._periods: dict[str, AttesterPeriodSet] = {}
        self._panels: dict[int, _Panel] = {}
        # Seats that held or will hold, by panel and in order of time.
        self._seatings: dict[int, list[PanelSet]] = {}
        # Panel by facility.
        self._given: dict[int, int] = {}
        self._books = _Books()
        self._posted: dict[tuple[int, int], Bytes32] = {}
        # Statements with a proven fault, and who was charged for which.
        self._faulty: set[bytes] = set()
        self._charged: set[tuple[bytes, str]] = set()
        self._handlers = (
            Handlers()
            .on(AttesterPeriodSet, self._period_set)
            .on(PanelSet, self._panel_set)
            .on(FacilityOffered, self._offered)
            .on(AttesterBondDeposited, self._deposited)
            .on(AttesterBondWithdrawn, self._withdrawn)
            .on(StatementPosted, self._posted_statement)
            .on(StatementVoided, self._voided)
            .on(SignedFaultProven, self._proven)
            .on(AttesterSlashed, self._slashed)
            .on(SlashedTaken, self._taken)
        )

    def take(self, event: AnyEvent) -> None:
        """Replay one chain event."""
        self._handlers.take(event)

    def was_member(self, account: str) -> bool:
        """Whether an account ever was an attester."""
        return account in self._periods

    def seats_of(self, facility_id: int, now_s: int) -> tuple[str, ...]:
        """Accounts in the seats of a facility's panel at a time that is over, or now."""
        seatings = self._seatings.get(self._given.get(facility_id, 0), [])
        held = [seating for seating in seatings if seating.from_s <= now_s]
        return held[-1].attesters if held else ()

    def problems(self, facility_id: int, attesters: Sequence[str], now_s: int) -> list[str]:
        """What forbids some attesters to speak for a facility at a time.

        By its panel, their membership and their bonds as of then: all of these change later.
        """
        panel = self._panels.get(self._given.get(facility_id, 0))
        seats = None if panel is None else panel.at(now_s)
        if seats is None:
            return [f"facility {facility_id} had no panel of attesters"]
        # Ascending means without repeats.
        numbers, found = [int(a, 16) for a in attesters], []
        if len(attesters) < seats.threshold or numbers != sorted(set(numbers)):
            needed = seats.threshold
            found.append(f"{len(attesters)} attesters do not make a quorum of {needed}")
        if not all(self._active(attester, now_s) for attester in attesters):
            found.append("an attester was not in the attester set")
        if not set(attesters) <= set(seats.attesters):
            found.append(f"an attester had no seat on panel {seats.panel}")
        if any(self._books.bonds.get(a, 0) < self._minimum for a in attesters):
            found.append("the bond of an attester was below the minimum")
        return found

    def _active(self, attester: str, now_s: int) -> bool:
        period = self._periods.get(attester)
        return period is not None and period.active_from_s <= now_s < period.active_until_s

    def _require(
        self, holds: bool, message: str, facility_id: int | None = None, *, code: str = ""
    ) -> None:
        if not holds:
            self._report(Finding(message, facility_id, code=code))

    def _period_set(self, event: ChainEvent[AttesterPeriodSet]) -> None:
        self._periods[event.args.attester] = event.args

    def _panel_set(self, event: ChainEvent[PanelSet]) -> None:
        args = event.args
        before = self._panels.get(args.panel)
        current = None if before is None else before.at(event.block_time_s)
        self._panels[args.panel] = _Panel(current, args)
        # Seats that waited, and that these replace, never held.
        seatings = self._seatings.get(args.panel, [])
        held = [seating for seating in seatings if seating.from_s <= event.block_time_s]
        self._seatings[args.panel] = [*held, args]
        odd = len(args.attesters) == 2 * args.threshold - 1
        self._require(odd, f"panel {args.panel} has not one seat less than twice its quorum")

    def _offered(self, event: ChainEvent[FacilityOffered]) -> None:
        self._given[event.args.facility_id] = event.args.panel

    def _deposited(self, event: ChainEvent[AttesterBondDeposited]) -> None:
        args, bonds = event.args, self._books.bonds
        bonds[args.attester] = bonds.get(args.attester, 0) + args.amount_micros
        self._require(
            bonds[args.attester] == args.bond_micros,
            f"the bond of {args.attester} is {args.bond_micros} where"
            f" {bonds[args.attester]} should be held",
        )

    def _withdrawn(self, event: ChainEvent[AttesterBondWithdrawn]) -> None:
        held = self._books.bonds.pop(event.args.attester, 0)
        same = event.args.amount_micros == held
        self._require(same, f"{event.args.attester} withdrew another bond than {held}")

    def _posted_statement(self, event: ChainEvent[StatementPosted]) -> None:
        self._posted[event.args.facility_id, event.args.epoch] = event.args.statement_hash

    def _voided(self, event: ChainEvent[StatementVoided]) -> None:
        hashed = self._posted.get((event.args.facility_id, event.args.epoch))
        if hashed is not None:
            self._faulty.add(hashed)

    def _proven(self, event: ChainEvent[SignedFaultProven]) -> None:
        self._faulty.add(event.args.statement_hash)

    def _slashed(self, event: ChainEvent[AttesterSlashed]) -> None:
        args, books = event.args, self._books
        charge = (bytes(args.statement_hash), str(args.attester))
        once = charge not in self._charged
        self._charged.add(charge)
        held = books.bonds.get(args.attester, 0)
        cost = slash(held=held, slash_amount=self._slash_amount)
        books.bonds[args.attester] = held - args.amount_micros
        reward = args.challenger_amount_micros
        books.rewards[args.challenger] = books.rewards.get(args.challenger, 0) + reward
        books.for_treasury += args.amount_micros - reward
        due = (args.amount_micros, reward) == (cost.taken, cost.to_challenger)
        who = f"{args.attester} was charged"
        self._require(once, f"{who} twice for one statement", args.facility_id)
        self._require(due, f"{who} another amount than a fault costs", args.facility_id)
        reason = args.statement_hash in self._faulty or self._equivocated(event)
        self._require(reason, f"{who} for a statement without a fault", args.facility_id)

    def _taken(self, event: ChainEvent[SlashedTaken]) -> None:
        held = self._books.for_treasury
        same = event.args.amount_micros == held
        self._require(same, f"the treasury took another amount of slashed bonds than {held}")
        self._books.for_treasury -= event.args.amount_micros

    def _equivocated(self, event: ChainEvent[AttesterSlashed]) -> bool:
        """Whether the transaction of a charge shows two rival statements that the attester signed.

        No event names the first of them: it is read from the call. A call that went through
        another contract shows nothing, and passes: the registry itself has judged it.
        """
        sent = self._contracts.client.sent(event.tx_hash)
        if sent is None or sent.data_to(self._contracts.statement_registry.address) is not None:
            # A challenge voids the statement that it charges for.
            return False
        data = sent.data_to(self._contracts.attester_registry.address)
        if data is None:
            return True
        shown = calldata.read_equivocation(data)
        if shown is None:
            return False
        first, second = shown.first, shown.second
        rivals = (first.facility_id, first.epoch, first.previous_statement_hash) == (
            second.facility_id,
            second.epoch,
            second.previous_statement_hash,
        ) and statement_hash(first) != statement_hash(second) == event.args.statement_hash
        attester = str(event.args.attester)
        pairs = ((first, shown.first_signed), (second, shown.second_signed))
        block = event.block_number
        return rivals and all(self._signed(attester, *pair, block=block) for pair in pairs)

    def _signed(
        self, attester: str, statement: Statement, signed: calldata.Signed, *, block: int
    ) -> bool:
        """Whether an attester signed a statement, alone or in a batch."""
        deployment = self._contracts.deployment
        chain_id, registry = deployment.chain_id, deployment.statement_registry
        digest = statement_digest(statement, chain_id=chain_id, registry=registry)
        if signed.batched:
            root = root_of_proof(signed.path, leaf=batch_leaf(statement_hash(statement)))
            digest = batch_digest(root, chain_id=chain_id, registry=registry)
        signature = signed.signatures.get(attester, b"")
        return self._signers.signed(attester, digest, signature, block=block)

    def compare(self, head: int, now_s: int) -> None:
        """Compare what was replayed with the contract's storage, and with its money."""
        self._compare_seats(head, now_s)
        self._compare_books(head)

    def _compare_seats(self, head: int, now_s: int) -> None:
        """Members, panels and who has which: a log that is missing would lower a quorum."""
        registry, facilities = self._contracts.attester_registry, self._contracts.facility_registry
        panels = range(1, registry.panel_count().at(block=head) + 1)
        unknown = sorted(set(self._panels) ^ set(panels))
        self._require(not unknown, f"AttesterRegistry has other panels than logged: {unknown}")
        numbers = [panel for panel in panels if panel in self._panels]
        seats = self._contracts.all_of([registry.panel_of(n) for n in numbers]).at(block=head)
        for panel, stored in zip(numbers, seats, strict=True):
            ours = self._panels[panel].at(now_s)
            same = ours is not None and (set(ours.attesters), ours.threshold) == (
                set(stored.attesters),
                stored.threshold,
            )
            message = f"panel {panel} has {len(stored.attesters)} seats and a quorum of"
            self._require(same, f"{message} {stored.threshold} on-chain, its events say otherwise")
        members = sorted(self._periods)
        asked = [registry.period_of(attester) for attester in members]
        for attester, period in zip(
            members, self._contracts.all_of(asked).at(block=head), strict=True
        ):
            known = self._periods[attester]
            same = (period.active_from_s, period.active_until_s) == (
                known.active_from_s,
                known.active_until_s,
            )
            self._require(same, f"AttesterRegistry holds another membership of {attester}")
        given = sorted(self._given)
        terms = self._contracts.all_of(
            [facilities.epoch_terms_of(FacilityId(facility_id)) for facility_id in given]
        ).at(block=head)
        for facility_id, held in zip(given, terms, strict=True):
            message = f"FacilityRegistry gives it panel {held.panel}, its event {{}}"
            same = held.panel == self._given[facility_id]
            self._require(same, message.format(self._given[facility_id]), facility_id)

    def _compare_books(self, head: int) -> None:
        registry, books = self._contracts.attester_registry, self._books
        token = registry.bond_token().at(block=head)
        attesters, challengers = sorted(books.bonds), sorted(books.rewards)
        bonds, for_treasury, owed, balance = self._contracts.together(
            self._contracts.all_of([registry.bond_micros(a) for a in attesters]),
            registry.slashed_for_treasury_micros(),
            self._contracts.all_of(
                [registry.owed_micros(token=token, account=a) for a in challengers]
            ),
            SettlementToken(self._contracts.client, token).balance_micros(registry.address),
        ).at(block=head)
        for attester, bond in zip(attesters, bonds, strict=True):
            ours = books.bonds[attester]
            message = f"AttesterRegistry holds a bond of {bond} for {attester}, not {ours}"
            self._require(bond == ours, message)
        message = f"AttesterRegistry keeps {for_treasury} for the treasury, not"
        same = for_treasury == books.for_treasury
        self._require(same, f"{message} {books.for_treasury}")
        for challenger, left in zip(challengers, owed, strict=True):
            earned = books.rewards[challenger]
            message = f"AttesterRegistry owes {challenger} {left}, more than the {earned} it earned"
            self._require(left <= earned, message)
        # Anybody can send a contract money: more than it owes is no fault.
        due = sum(bonds) + for_treasury + sum(owed)
        message = f"{registry.address} holds {balance} micros and owes {due}"
        self._require(balance >= due, message, code="balance")
