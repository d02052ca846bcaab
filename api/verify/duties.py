"""Verify, part 1d: who did which duty, how fees were split, and what attesters were paid."""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

from api.chain.client import RpcError
from api.chain.contracts import Contracts
from api.chain.contracts.settlement_token import SettlementToken
from api.chain.emitted.attester_desk import (
    AttesterPaid,
    DutyBooked,
    FeesSplit,
    FeesTaken,
    SignatureShown,
    StatementRefused,
    UnearnedReleased,
)
from api.chain.emitted.rent_lockbox import FeesPassed
from api.chain.emitted.statement_registry import StatementPosted, StatementVoided
from api.chain.events import AnyEvent, ChainEvent, Handlers
from api.domain.capital.duties import BOOKING_S, earned_micros, to_attesters_micros
from api.domain.lifecycle import is_final
from api.domain.units import Address, Bytes32, FacilityId
from api.verify.attesters import AttesterVerifier
from api.verify.endings import EndingVerifier
from api.verify.findings import Finding


def _share(fees: int, bps: int) -> int:
    return to_attesters_micros(fees, attester_fee_bps=bps)


@dataclass
class _Statement:
    """Of one number: what is posted, and what attesters said of it.

    signers: of what is posted.  shown: the statement over which each showed a signature last.
    """

    posted: Bytes32 | None = None
    posted_at_s: int = 0
    signers: tuple[str, ...] = ()
    shown: dict[str, Bytes32] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    booked: set[str] = field(default_factory=set)

    def done_by(self, attester: str) -> bool:
        """Whether an attester did its duty, by what stands, or by anything where nothing does."""
        shown = self.shown.get(attester)
        signed = shown is not None and self.posted in (None, shown)
        return signed or attester in self.refused or attester in self.signers


@dataclass
class _Pot:
    """Fees of one facility, minor units; accounts are lower-case.

    passed: left the lockbox and not split yet.  duties: parts of statements, by attester.
    """

    fees: int = 0
    passed: int = 0
    released: int = 0
    duties: dict[str, Fraction] = field(default_factory=dict)
    paid: dict[str, int] = field(default_factory=dict)


class DutyVerifier:
    """Replays AttesterDesk and collects findings."""

    def __init__(
        self,
        attesters: AttesterVerifier,
        endings: EndingVerifier,
        window_s: int,
        report: Callable[[Finding], None],
    ) -> None:
        self._attesters, self._endings, self._report = attesters, endings, report
        self._window_s = window_s
        self._statements: dict[tuple[int, int], _Statement] = {}
        self._pots: dict[int, _Pot] = {}
        # The treasury's part by token, minor units.
        self._treasury: dict[Address, int] = {}
        self._handlers = (
            Handlers()
            .on(StatementPosted, self._posted)
            .on(StatementVoided, self._voided)
            .on(SignatureShown, self._shown)
            .on(StatementRefused, self._refused)
            .on(DutyBooked, self._booked)
            .on(FeesPassed, self._passed)
            .on(FeesSplit, self._split)
            .on(AttesterPaid, self._paid)
            .on(UnearnedReleased, self._released)
            .on(FeesTaken, self._taken)
        )

    def take(self, event: AnyEvent) -> None:
        """Replay one chain event, after attesters and endings did."""
        self._handlers.take(event)

    def _require(self, facility_id: int, *rules: tuple[bool, str]) -> None:
        for holds, message in rules:
            if not holds:
                self._report(Finding(message, facility_id))

    def _statement(self, facility_id: int, epoch: int) -> _Statement:
        return self._statements.setdefault((facility_id, epoch), _Statement())

    def _pot(self, facility_id: int) -> _Pot:
        return self._pots.setdefault(facility_id, _Pot())

    def _posted(self, event: ChainEvent[StatementPosted]) -> None:
        args = event.args
        statement = self._statement(args.facility_id, args.epoch)
        statement.posted, statement.posted_at_s = args.statement_hash, event.block_time_s
        statement.signers = args.attesters

    def _voided(self, event: ChainEvent[StatementVoided]) -> None:
        for (facility_id, number), statement in self._statements.items():
            if facility_id == event.args.facility_id and number >= event.args.epoch:
                statement.posted, statement.signers = None, ()

    def _shown(self, event: ChainEvent[SignatureShown]) -> None:
        args, now_s = event.args, event.block_time_s
        statement = self._statement(args.facility_id, args.epoch)
        statement.shown[args.attester] = args.statement_hash
        at_s = (now_s,) if statement.posted is None else (now_s, statement.posted_at_s)
        self._require(
            args.facility_id,
            (
                statement.posted in (None, args.statement_hash),
                f"a signature of {args.attester} was shown over another statement than is posted",
            ),
            self._seated(args.facility_id, args.attester, *at_s),
            self._open(args.facility_id, args.epoch, now_s),
        )

    def _refused(self, event: ChainEvent[StatementRefused]) -> None:
        args, now_s = event.args, event.block_time_s
        self._statement(args.facility_id, args.epoch).refused.add(args.attester)
        self._require(
            args.facility_id,
            self._seated(args.facility_id, args.attester, now_s),
            self._open(args.facility_id, args.epoch, now_s),
        )

    def _seated(self, facility_id: int, attester: str, *times_s: int) -> tuple[bool, str]:
        seated = any(attester in self._attesters.seats_of(facility_id, at_s) for at_s in times_s)
        return seated, f"{attester} spoke for a facility whose panel has no seat for it"

    def _final(self, facility_id: int, epoch: int, now_s: int) -> bool:
        statement = self._statement(facility_id, epoch)
        return statement.posted is not None and is_final(
            statement.posted_at_s, challenge_window_s=self._window_s, now_s=now_s
        )

    def _open(self, facility_id: int, epoch: int, now_s: int) -> tuple[bool, str]:
        life = self._endings.lives[facility_id]
        open_ = life.closed_at_s == 0 and not self._final(facility_id, epoch, now_s)
        return open_, f"an attester spoke of statement {epoch} when nothing could change any more"

    def _booked(self, event: ChainEvent[DutyBooked]) -> None:
        args, now_s = event.args, event.block_time_s
        statement = self._statement(args.facility_id, args.epoch)
        life = self._endings.lives[args.facility_id]
        final = self._final(args.facility_id, args.epoch, now_s)
        never = life.closed_at_s > 0 and args.epoch < life.statements_due
        moment_s = statement.posted_at_s if final else life.due_at_s(args.epoch)
        seats = self._attesters.seats_of(args.facility_id, moment_s)
        who = f"{args.attester} was booked"
        self._require(
            args.facility_id,
            (final or never, f"{who} for epoch {args.epoch}, which can still be stated"),
            (args.attester not in statement.booked, f"{who} twice for epoch {args.epoch}"),
            (
                statement.done_by(args.attester),
                f"{who} for epoch {args.epoch}, which it neither signed nor refused",
            ),
            (args.attester in seats, f"{who} for epoch {args.epoch}, when it had no seat"),
        )
        statement.booked.add(args.attester)
        duties = self._pot(args.facility_id).duties
        part = Fraction(1, max(1, len(seats)))
        duties[args.attester] = duties.get(args.attester, Fraction(0)) + part

    def _passed(self, event: ChainEvent[FeesPassed]) -> None:
        pot = self._pot(event.args.facility_id)
        split = pot.passed == event.args.amount_micros
        message = "fees that left the lockbox are not what was split"
        self._require(event.args.facility_id, (split, message))
        pot.passed -= event.args.amount_micros

    def _split(self, event: ChainEvent[FeesSplit]) -> None:
        args = event.args
        pot = self._pot(args.facility_id)
        amount = args.to_attesters_micros + args.to_treasury_micros
        bps = self._endings.lives[args.facility_id].terms.attester_fee_bps
        due = _share(pot.fees + amount, bps) - _share(pot.fees, bps)
        message = f"{args.to_attesters_micros} micros of fees went to attesters where {due} are due"
        self._require(args.facility_id, (args.to_attesters_micros == due, message))
        pot.fees += amount
        pot.passed += amount
        held = self._treasury.get(args.token, 0)
        self._treasury[args.token] = held + args.to_treasury_micros

    def _earned(self, facility_id: int, duties: Fraction) -> int:
        life = self._endings.lives[facility_id]
        fees = _share(self._pot(facility_id).fees, life.terms.attester_fee_bps)
        return earned_micros(fees, duties=duties, statements_due=life.statements_due)

    def _paid(self, event: ChainEvent[AttesterPaid]) -> None:
        args = event.args
        pot = self._pot(args.facility_id)
        earned = self._earned(args.facility_id, pot.duties.get(args.attester, Fraction(0)))
        before = pot.paid.get(args.attester, 0)
        told = (args.earned_micros, args.amount_micros)
        message = f"{args.attester} was paid {told} where {(earned, earned - before)} are due"
        self._require(args.facility_id, (told == (earned, earned - before), message))
        pot.paid[args.attester] = before + args.amount_micros

    def _released(self, event: ChainEvent[UnearnedReleased]) -> None:
        args = event.args
        pot, life = self._pot(args.facility_id), self._endings.lives[args.facility_id]
        unearned = life.statements_due - sum(pot.duties.values(), Fraction(0))
        due = self._earned(args.facility_id, unearned) - pot.released
        message = f"{args.amount_micros} micros of pay were released where {due} are due"
        from_s = life.closed_at_s + BOOKING_S
        late = life.closed_at_s > 0 and event.block_time_s >= from_s
        self._require(
            args.facility_id,
            (args.amount_micros == due, message),
            (late, "pay was released while duties could still be booked"),
        )
        pot.released += args.amount_micros
        token = life.terms.settlement_token
        self._treasury[token] = self._treasury.get(token, 0) + args.amount_micros

    def _taken(self, event: ChainEvent[FeesTaken]) -> None:
        held = self._treasury.get(event.args.token, 0)
        if event.args.amount_micros != held:
            message = f"the treasury took {event.args.amount_micros} micros of fees, not {held}"
            self._report(Finding(message))
        self._treasury[event.args.token] = held - event.args.amount_micros

    def compare(self, contracts: Contracts, head: int) -> None:
        """Compare the replayed books with the contract's storage, and with its money."""
        desk = contracts.attester_desk
        owing = dict(self._treasury)
        parts = desk.parts_per_statement().at(block=head)
        for token, ours in self._treasury.items():
            held = desk.treasury_owed_micros(token).at(block=head)
            if held != ours:
                self._report(Finding(f"AttesterDesk owes the treasury {held} micros, not {ours}"))
        for facility_id, pot in self._pots.items():
            named = FacilityId(facility_id)
            attesters = sorted(pot.duties)
            fees, released, paid, duties = contracts.together(
                desk.fees_micros(named),
                desk.released_micros(named),
                contracts.all_of([desk.paid_micros(named, a) for a in attesters]),
                contracts.all_of([desk.duties_of(named, a) for a in attesters]),
            ).at(block=head)
            same = (fees, released) == (pot.fees, pot.released)
            same = same and list(duties) == [pot.duties[a] * parts for a in attesters]
            arrived = (pot.passed == 0, "fees were split that never left the lockbox")
            same = same and list(paid) == [pot.paid.get(a, 0) for a in attesters]
            self._require(
                facility_id,
                arrived,
                (same, "AttesterDesk holds other fees and pay than its events give"),
            )
            token = self._endings.lives[facility_id].terms.settlement_token
            bps = self._endings.lives[facility_id].terms.attester_fee_bps
            left = _share(pot.fees, bps) - pot.released - sum(pot.paid.values())
            owing[token] = owing.get(token, 0) + left
        for token, due in owing.items():
            balance = SettlementToken(contracts.client, token).balance_micros(desk.address)
            try:
                held = balance.at(block=head)
            except RpcError as error:
                self._report(Finding(f"the token {token} does not tell its balances: {error}"))
                continue
            if held < due:
                message = f"AttesterDesk holds {held} micros and owes {due}"
                self._report(Finding(message, code="balance"))
