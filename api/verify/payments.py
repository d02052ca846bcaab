"""Verify, part 2c: who paid and who got, by the settlement tokens' own Transfer logs.

Our contracts say in events what came and what left. The token says it again, and says who: for
each transaction and token both must agree. What an account may withdraw is what it was credited
less what it withdrew; what a contract holds is what came less what left.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from eth_abi.exceptions import DecodingError

from api.chain.answers import Log, Logged
from api.chain.contracts import Contracts
from api.chain.contracts.call import Call
from api.chain.contracts.settlement_token import SettlementToken
from api.chain.emitted.args import EventArgs, read_log, topic_of
from api.chain.emitted.attester_desk import AttesterPaid, FeesTaken
from api.chain.emitted.attester_registry import (
    AttesterBondDeposited,
    AttesterBondWithdrawn,
    AttesterSlashed,
    SlashedTaken,
)
from api.chain.emitted.bond_vault import BondDeposited, BondReleased, BondSurrendered
from api.chain.emitted.facility_registry import FacilityOffered
from api.chain.emitted.primary_sale import (
    ProceedsReleased,
    ProceedsSurrendered,
    UnitsRefunded,
    UnitsSold,
)
from api.chain.emitted.rent_lockbox import (
    FacilityClosed,
    FeesPassed,
    LateRentShared,
    RentPaid,
    RentRefunded,
    ResidualOwed,
    Settled,
    VoucherPaid,
)
from api.chain.emitted.tranche_token import RevenueAccrued, RevenueClaimed
from api.chain.events import LOG_RANGE, AnyEvent
from api.domain.units import Address, Bytes32, FacilityId, Micros, split_tranche_id
from api.evidence_store import HOSTILE
from api.verify.findings import Finding, Report


@dataclass(frozen=True, slots=True)
class Withdrawn(EventArgs):
    """`IPayouts.Withdrawn`: an account took what it was owed."""

    token: Annotated[Address, "indexed"]
    account: Annotated[Address, "indexed"]
    to: Annotated[Address, "indexed"]
    amount_micros: Annotated[Micros, "uint256"]


@dataclass(frozen=True, slots=True)
class Transfer(EventArgs):
    """ERC-20: tokens moved."""

    from_: Annotated[Address, "indexed"]
    to: Annotated[Address, "indexed"]
    value: Annotated[int, "uint256"]


E = TypeVar("E", bound=EventArgs)
# Logs by which payments are judged.
TOPICS = frozenset((topic_of(Transfer), topic_of(Withdrawn)))
# Token, payer, payee.
_Way = tuple[str, str, str]
_OWED_BY = ("RentLockbox", "PrimarySale", "BondVault", "AttesterDesk", "AttesterRegistry")
_HOLDERS = (*_OWED_BY, "TrancheToken")


class PaymentVerifier:
    """Collects what events say of money, and compares it with what the tokens logged."""

    def __init__(self, contracts: Contracts, *, head: int, report: Report) -> None:
        self._contracts, self._head, self._report = contracts, head, report
        self._at = {n: a.lower() for n, a in contracts.deployment.addresses.items()}
        self._ours = {self._at[name] for name in _HOLDERS}
        self._bond_token = contracts.attester_registry.bond_token().at(block=head).lower()
        self._tokens: dict[int, str] = {}
        self._expected: dict[Bytes32, Counter[_Way]] = {}
        # What accounts were credited and did not withdraw, by contract, token and account.
        self._credits: Counter[tuple[str, str, str]] = Counter()
        self._fees: Counter[int] = Counter()
        self._rent: Counter[tuple[int, str]] = Counter()

    # --- what events say -------------------------------------------------------------------------

    def take(self, event: AnyEvent) -> None:
        """Note what an event says of money."""
        take = _TAKES.get(type(event.args))
        if take is not None:
            take(self, event, event.args)

    def _token(self, facility_id: int) -> str:
        return self._tokens[facility_id]

    def _moved(self, event: AnyEvent, token: str, source: str, target: str, amount: int) -> None:
        source, target = self._at.get(source, source), self._at.get(target, target)
        if amount:
            way = (token.lower(), source.lower(), target.lower())
            self._expected.setdefault(event.tx_hash, Counter())[way] += amount

    def _credit(self, contract: str, token: str, account: str, amount: int) -> None:
        self._credits[contract, token.lower(), account.lower()] += amount

    def _offered(self, _event: AnyEvent, args: FacilityOffered) -> None:
        self._tokens[args.facility_id] = args.terms.settlement_token.lower()

    def _rent_paid(self, event: AnyEvent, args: RentPaid) -> None:
        token = self._token(args.facility_id)
        self._moved(event, token, args.payer, "RentLockbox", args.amount_micros)
        self._rent[args.facility_id, args.payer] += args.amount_micros

    def _rent_refunded(self, _event: AnyEvent, args: RentRefunded) -> None:
        token = self._token(args.facility_id)
        self._credit("RentLockbox", token, args.payer, args.amount_micros)
        self._rent[args.facility_id, args.payer] -= args.amount_micros

    def _settled(self, _event: AnyEvent, args: Settled) -> None:
        self._fees[args.facility_id] += args.fee_micros

    def _closed(self, _event: AnyEvent, args: FacilityClosed) -> None:
        self._fees[args.facility_id] += args.closing.to_treasury_micros

    def _late(self, _event: AnyEvent, args: LateRentShared) -> None:
        self._fees[args.facility_id] += args.to_treasury_micros

    def _passed(self, event: AnyEvent, args: FeesPassed) -> None:
        self._moved(event, args.token, "RentLockbox", "AttesterDesk", args.amount_micros)
        self._fees[args.facility_id] -= args.amount_micros

    def _residual(self, _event: AnyEvent, args: ResidualOwed) -> None:
        token = self._token(args.facility_id)
        self._credit("RentLockbox", token, args.gpu_operator, args.amount_micros)

    def _voucher(self, _event: AnyEvent, args: VoucherPaid) -> None:
        token = self._token(args.facility_id)
        self._credit("RentLockbox", token, args.holder, args.amount_micros)

    def _accrued(self, event: AnyEvent, args: RevenueAccrued) -> None:
        token = self._token(split_tranche_id(args.id)[0])
        self._moved(event, token, args.source, "TrancheToken", args.amount_micros)

    def _claimed(self, event: AnyEvent, args: RevenueClaimed) -> None:
        token = self._token(split_tranche_id(args.id)[0])
        self._moved(event, token, "TrancheToken", args.to, args.amount_micros)

    def _sold(self, event: AnyEvent, args: UnitsSold) -> None:
        token = self._token(args.facility_id)
        self._moved(event, token, args.buyer, "PrimarySale", args.cost_micros)

    def _units_refunded(self, event: AnyEvent, args: UnitsRefunded) -> None:
        token = self._token(args.facility_id)
        self._moved(event, token, "PrimarySale", args.to, args.amount_micros)

    def _proceeds(self, _event: AnyEvent, args: ProceedsReleased) -> None:
        token = self._token(args.facility_id)
        self._credit("PrimarySale", token, args.gpu_operator, args.amount_micros)

    def _proceeds_surrendered(self, event: AnyEvent, args: ProceedsSurrendered) -> None:
        token = self._token(args.facility_id)
        self._moved(event, token, "PrimarySale", "RentLockbox", args.amount_micros)

    def _bonded(self, event: AnyEvent, args: BondDeposited) -> None:
        token = self._token(args.facility_id)
        self._moved(event, token, args.payer, "BondVault", args.amount_micros)

    def _bond_released(self, _event: AnyEvent, args: BondReleased) -> None:
        token = self._token(args.facility_id)
        self._credit("BondVault", token, args.gpu_operator, args.amount_micros)

    def _bond_surrendered(self, event: AnyEvent, args: BondSurrendered) -> None:
        token = self._token(args.facility_id)
        self._moved(event, token, "BondVault", "RentLockbox", args.amount_micros)

    def _attester_bonded(self, event: AnyEvent, args: AttesterBondDeposited) -> None:
        self._moved(event, self._bond_token, args.payer, "AttesterRegistry", args.amount_micros)

    def _attester_left(self, event: AnyEvent, args: AttesterBondWithdrawn | SlashedTaken) -> None:
        self._moved(event, self._bond_token, "AttesterRegistry", args.to, args.amount_micros)

    def _slashed(self, _event: AnyEvent, args: AttesterSlashed) -> None:
        amount = args.challenger_amount_micros
        self._credit("AttesterRegistry", self._bond_token, args.challenger, amount)

    def _attester_paid(self, _event: AnyEvent, args: AttesterPaid) -> None:
        token = self._token(args.facility_id)
        self._credit("AttesterDesk", token, args.attester, args.amount_micros)

    def _fees_taken(self, event: AnyEvent, args: FeesTaken) -> None:
        self._moved(event, args.token, "AttesterDesk", args.to, args.amount_micros)

    # --- what the tokens say ---------------------------------------------------------------------

    def compare(self, receipts: Mapping[Bytes32, Logged]) -> None:
        """Compare events with transfers, and what is owed and held with storage.

        Args:    receipts: of every transaction in which one of our contracts logged something, with
                 its logs of `TOPICS`.
        """
        tokens = {*self._tokens.values(), self._bond_token}
        ranged = self._ranged(sorted(tokens))
        received = {
            (log.block_number, log.log_index): (tx_hash, log)
            for tx_hash, receipt in receipts.items()
            for log in receipt.logs
            if log.address in tokens and self._touches(log)
        }
        for place in sorted(ranged.keys() | received.keys()):
            tx_hash, log = received.get(place) or (ranged[place].tx_hash, ranged[place])
            seen = ranged.get(place)
            if tx_hash not in receipts:
                continue
            if seen is None or (seen.topics, seen.data) != (log.topics, log.data):
                message = "a transfer is in the receipt of its transaction, and not in its block"
                self._found("transfer_unreceipted", message, tx_hash, place)
        self._compare_moves(receipts, ranged, received)
        self._compare_owed()

    def _ranged(self, tokens: list[str]) -> dict[tuple[int, int], Log]:
        ours = [bytes(12) + bytes.fromhex(address[2:]) for address in sorted(self._ours)]
        found: dict[tuple[int, int], Log] = {}
        client, topic = self._contracts.client, topic_of(Transfer)
        for first in range(self._contracts.deployment.start_block, self._head + 1, LOG_RANGE):
            last = min(self._head, first + LOG_RANGE - 1)
            for indexed in ([ours], [None, ours]):
                logs = client.logs(tokens, first, last, topic=topic, indexed=indexed)
                for log in logs:
                    if log.address in tokens and self._touches(log):
                        found[log.block_number, log.log_index] = log
        return found

    def _touches(self, log: Log) -> bool:
        """Whether a log is a transfer to or from one of our contracts."""
        moved = _read(Transfer, log)
        return moved is not None and bool({moved.from_, moved.to} & self._ours)

    def _found(
        self, code: str, message: str, tx_hash: Bytes32, place: tuple[int, int | None]
    ) -> None:
        block, index = place
        self._report(Finding(message, code=code, block=block, tx_hash=tx_hash, log_index=index))

    def _compare_moves(
        self,
        receipts: Mapping[Bytes32, Logged],
        ranged: Mapping[tuple[int, int], Log],
        received: Mapping[tuple[int, int], tuple[Bytes32, Log]],
    ) -> None:
        actual: dict[Bytes32, Counter[_Way]] = {}
        blocks = {tx_hash: receipt.block_number for tx_hash, receipt in receipts.items()}
        for place in sorted(ranged.keys() | received.keys()):
            tx_hash, log = received.get(place) or (ranged[place].tx_hash, ranged[place])
            moved = _read(Transfer, log)
            assert moved is not None  # `_touches` read it before
            way = str(log.address), str(moved.from_), str(moved.to)
            actual.setdefault(tx_hash, Counter())[way] += moved.value
            blocks[tx_hash] = log.block_number
        for receipt_hash, receipt in receipts.items():
            self._take_withdrawals(receipt_hash, receipt)
        for tx_hash in sorted(
            actual.keys() | self._expected.keys(), key=lambda h: (blocks.get(h, 0), h)
        ):
            said = self._expected.get(tx_hash, Counter())
            logged = actual.get(tx_hash, Counter())
            self._compare_one(tx_hash, blocks.get(tx_hash, 0), said, logged)
        self._compare_held(actual)

    def _take_withdrawals(self, tx_hash: Bytes32, receipt: Logged) -> None:
        for log in receipt.logs:
            name = next((n for n in _OWED_BY if self._at[n] == log.address), None)
            taken = None if name is None else _read(Withdrawn, log)
            if name is None or taken is None:
                continue
            token = str(taken.token)
            self._credits[name, token, str(taken.account)] -= taken.amount_micros
            way = token, str(log.address), str(taken.to)
            self._expected.setdefault(tx_hash, Counter())[way] += taken.amount_micros

    def _compare_one(
        self, tx_hash: Bytes32, block: int, said: Counter[_Way], logged: Counter[_Way]
    ) -> None:
        for way in sorted(said.keys() | logged.keys()):
            _token, source, target = way
            if source in self._ours and logged[way] > said[way]:
                message = f"{logged[way]} micros went from {source} to {target}, and events name"
                message = f"{message} {said[way]}"
                self._found("payout_unexplained", message, tx_hash, (block, None))
            if logged[way] < said[way]:
                code = "payout_missing" if source in self._ours else "payment_missing"
                message = f"events name {said[way]} micros from {source} to {target}, and the token"
                message = f"{message} moved {logged[way]}"
                self._found(code, message, tx_hash, (block, None))

    def _compare_held(self, actual: Mapping[Bytes32, Counter[_Way]]) -> None:
        held: Counter[tuple[str, str]] = Counter()
        for ways in actual.values():
            for (token, source, target), amount in ways.items():
                held[token, target] += amount
                held[token, source] -= amount
        for (token, account), amount in sorted(held.items()):
            if account not in self._ours:
                continue
            contract = SettlementToken(self._contracts.client, Address(token))
            balance = contract.balance_micros(account).at(block=self._head)
            # What came before the first block of ours is no transfer that we read: never less.
            if balance < amount:
                message = f"{account} holds {balance} micros of {token}, {amount} came and stayed"
                self._report(Finding(message, code="balance"))

    def _compare_owed(self) -> None:
        contracts = self._contracts
        asks: dict[str, Callable[[str, str], Call[Micros]]] = {
            "RentLockbox": lambda t, a: contracts.rent_lockbox.owed_micros(token=t, account=a),
            "PrimarySale": lambda t, a: contracts.primary_sale.owed_micros(token=t, account=a),
            "BondVault": lambda t, a: contracts.bond_vault.owed_micros(token=t, account=a),
            "AttesterDesk": contracts.attester_desk.owed_micros,
            "AttesterRegistry": lambda t, a: contracts.attester_registry.owed_micros(
                token=t, account=a
            ),
        }
        known = sorted(self._credits)
        calls = [asks[name](token, account) for name, token, account in known]
        for key, stored in zip(known, contracts.all_of(calls).at(block=self._head), strict=True):
            if stored != self._credits[key]:
                name, _, account = key
                message = f"{name} owes {account} {stored} micros, not {self._credits[key]}"
                self._report(Finding(message, code="owed"))
        lockbox = contracts.rent_lockbox
        for facility_id, fees in sorted(self._fees.items()):
            stored = lockbox.fees_owed_micros(FacilityId(facility_id)).at(block=self._head)
            if stored != fees:
                message = f"RentLockbox owes {stored} micros of fees, not {fees}"
                self._report(Finding(message, facility_id, code="fees_owed"))
        for (facility_id, payer), paid in sorted(self._rent.items()):
            call = lockbox.paid_by_micros(FacilityId(facility_id), payer)
            stored = call.at(block=self._head)
            if stored != paid:
                message = f"RentLockbox took {stored} micros of rent from {payer}, not {paid}"
                self._report(Finding(message, facility_id, code="rent_by_payer"))


def _read(kind: type[E], log: Log) -> E | None:
    """Arguments of a log, if it is of a kind; None otherwise."""
    if log.topics[:1] != (topic_of(kind),):
        return None
    try:
        return read_log(kind, log.topics, log.data)
    except (DecodingError, StopIteration, *HOSTILE):
        return None


_TAKES: dict[type[EventArgs], Callable[[PaymentVerifier, AnyEvent, Any], None]] = {
    FacilityOffered: PaymentVerifier._offered,
    RentPaid: PaymentVerifier._rent_paid,
    RentRefunded: PaymentVerifier._rent_refunded,
    Settled: PaymentVerifier._settled,
    FacilityClosed: PaymentVerifier._closed,
    LateRentShared: PaymentVerifier._late,
    FeesPassed: PaymentVerifier._passed,
    ResidualOwed: PaymentVerifier._residual,
    VoucherPaid: PaymentVerifier._voucher,
    RevenueAccrued: PaymentVerifier._accrued,
    RevenueClaimed: PaymentVerifier._claimed,
    UnitsSold: PaymentVerifier._sold,
    UnitsRefunded: PaymentVerifier._units_refunded,
    ProceedsReleased: PaymentVerifier._proceeds,
    ProceedsSurrendered: PaymentVerifier._proceeds_surrendered,
    BondDeposited: PaymentVerifier._bonded,
    BondReleased: PaymentVerifier._bond_released,
    BondSurrendered: PaymentVerifier._bond_surrendered,
    AttesterBondDeposited: PaymentVerifier._attester_bonded,
    AttesterBondWithdrawn: PaymentVerifier._attester_left,
    SlashedTaken: PaymentVerifier._attester_left,
    AttesterSlashed: PaymentVerifier._slashed,
    AttesterPaid: PaymentVerifier._attester_paid,
    FeesTaken: PaymentVerifier._fees_taken,
}
