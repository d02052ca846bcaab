"""`verify` finds vouchers that owe, were served or are stored otherwise than the rules say."""

from dataclasses import replace
from typing import Any, cast

import pytest

from api.chain.contracts import Contracts
from api.chain.contracts.bond_vault import BondTerms
from api.chain.contracts.delivery_desk import Voucher
from api.chain.emitted.args import EventArgs
from api.chain.emitted.bond_vault import BondTermsSet
from api.chain.emitted.delivery_desk import VoucherIssued, VoucherMoved, VoucherServed
from api.chain.emitted.rent_lockbox import VoucherPaid
from api.chain.events import ChainEvent
from api.domain.metering.usage import LineKind
from api.domain.statements.lines import Line
from api.domain.units import ZERO32, Address, Epoch, FacilityId, GpuSeconds, Micros, tranche_id
from api.verify.epoch import VerifiedFacility
from api.verify.vouchers import VoucherVerifier
from tests.unit.values import LEASE, START_S, TERMS

HOLDER = Address("0x" + "a1" * 20)
NEW_HOLDER = Address("0x" + "c3" * 20)
F = FacilityId(7)
RATE = Micros(1_800_000)
# A senior: a coupon of 0.90 at a rate of 1.80 is half an hour.
OWED = 2 * 1_800
_S, _NONE = GpuSeconds(5_000), Micros(0)
LINE = Line(4, LineKind.DELIVERY, ZERO32, LEASE, START_S, START_S + 5_000, _S, _NONE, _S, _NONE)
# The only voucher gets what the closing gave to vouchers of its tranche.
POOL = Micros(50_000)
STORED = Voucher(HOLDER, F, 0, OWED, 3_000, 2, START_S - 1, LEASE)


def _events(**changes: dict[str, Any]) -> list[EventArgs]:
    """An honest history, with arguments of events changed by the name of their class."""
    terms = BondTerms(Micros(0), RATE)
    token_id = tranche_id(F, 0)
    history = [
        BondTermsSet(F, terms),
        VoucherIssued(1, F, HOLDER, token_id, 2, OWED, LEASE, 9),
        VoucherServed(1, F, Epoch(0), 4, 3_000),
        VoucherPaid(1, F, HOLDER, POOL),
    ]
    return [
        cast("EventArgs", replace(cast("Any", e), **changes.get(type(e).__name__, {})))
        for e in history
    ]


class _Answers:
    """Desk and lockbox that answer for one voucher, as `Contracts` and as the call's block."""

    def __init__(self, stored: Voucher, paid: Micros) -> None:
        self._stored, self._paid = stored, paid
        self.delivery_desk = self.rent_lockbox = self

    def voucher_of(self, _: int) -> Voucher:
        return self._stored

    def paid_to_voucher_micros(self, _: int) -> Micros:
        return self._paid

    def all_of(self, calls: list[Voucher] | list[Micros]) -> "_Answers":
        self._calls = calls
        return self

    def at(self, *, block: int) -> list[Voucher] | list[Micros]:
        assert block == 5
        return self._calls


def _found(
    events: list[EventArgs],
    *,
    stored: Voucher = STORED,
    lines: dict[int, Line] | None = None,
    known: bool = True,
    paid: Micros = POOL,
) -> list[str]:
    facility = VerifiedFacility(TERMS, deliveries={0: {4: LINE} if lines is None else lines})
    findings: list[str] = []
    facilities = {int(F): facility} if known else {}
    verifier = VoucherVerifier(facilities, lambda f: findings.append(f.message))
    for event in events:
        if isinstance(event, VoucherPaid):
            verifier.share(F, (POOL, 0, 0, 0))
        verifier.take(ChainEvent(1, START_S - 1, 0, ZERO32, "DeliveryDesk", event))
    verifier.compare(cast("Contracts", _Answers(stored, paid)), 5)
    return findings


def test_vouchers__honest_history__gives_no_finding() -> None:
    assert _found(_events()) == []


def test_vouchers__of_a_recovered_wallet__are_the_new_ones() -> None:
    moved = VoucherMoved(1, F, HOLDER, NEW_HOLDER)
    *before, paid = _events(VoucherPaid={"holder": NEW_HOLDER})
    stored = replace(STORED, holder=NEW_HOLDER)

    assert _found([*before, moved, paid], stored=stored) == []
    assert _found([*before, moved, paid]) == [
        "DeliveryDesk holds another voucher 1 than its events give"
    ]
    assert _found([moved]) == ["voucher 1 moves, never issued"]
    assert _found([*before, replace(moved, holder=NEW_HOLDER), paid], stored=stored) == [
        f"voucher 1 moves from {NEW_HOLDER}, not from its holder"
    ]


def test_vouchers__facility_without_a_statement__is_compared_by_storage_alone() -> None:
    assert _found(_events(), known=False) == []


def test_vouchers__lines_that_could_not_be_read__are_not_judged() -> None:
    served = {"epoch": Epoch(1)}

    assert _found(_events(VoucherServed=served)) == []


@pytest.mark.parametrize(
    ("changes", "stored", "lines", "expected"),
    [
        (
            {"VoucherIssued": {"owed_gpu_seconds": OWED + 1}},
            replace(STORED, owed_gpu_seconds=OWED + 1),
            None,
            "voucher 1 owes 3601 GPU-seconds, its units give 3600",
        ),
        (
            {"BondTermsSet": {"terms": BondTerms(Micros(0), Micros(0))}},
            STORED,
            None,
            "voucher 1 owes 3600 GPU-seconds, its units give 0",
        ),
        (
            {},
            replace(STORED, served_gpu_seconds=2_999),
            None,
            "DeliveryDesk holds another voucher 1 than its events give",
        ),
        (
            {},
            replace(STORED, lease=ZERO32),
            None,
            "DeliveryDesk holds another voucher 1 than its events give",
        ),
        ({}, STORED, {}, "line 4 serves voucher 1, and is no delivery of it"),
        (
            {},
            STORED,
            {4: replace(LINE, lease=ZERO32)},
            "line 4 serves voucher 1, and is no delivery of it",
        ),
        (
            {},
            STORED,
            {4: replace(LINE, start_s=START_S - 2)},
            "line 4 serves voucher 1, and is no delivery of it",
        ),
        (
            {},
            STORED,
            {4: replace(LINE, end_s=START_S + 2_999)},
            "line 4 gave vouchers more GPU-seconds than it has",
        ),
        (
            {"VoucherServed": {"gpu_seconds": OWED + 1}, "VoucherPaid": {"amount_micros": POOL}},
            replace(STORED, served_gpu_seconds=OWED + 1),
            {4: replace(LINE, end_s=START_S + OWED + 1)},
            "voucher 1 was served more than it was owed",
        ),
        (
            {"VoucherPaid": {"amount_micros": Micros(POOL - 1)}},
            STORED,
            None,
            "voucher 1 was paid 49999, due were 50000",
        ),
    ],
)
def test_vouchers__something_else_than_the_rule__is_named(
    changes: dict[str, dict[str, Any]],
    stored: Voucher,
    lines: dict[int, Line] | None,
    expected: str,
) -> None:
    assert _found(_events(**changes), stored=stored, lines=lines) == [expected]


def test_vouchers__never_issued__are_named() -> None:
    events = _events()

    found = _found([events[0], events[2], events[3]])

    assert found == ["voucher 1 is served, never issued", "voucher 1 is paid, never issued"]


def test_vouchers__credited_otherwise_than_the_event_says__are_named() -> None:
    found = _found(_events(), paid=Micros(POOL + 1))

    assert found == ["RentLockbox credited voucher 1 otherwise than its events say"]
