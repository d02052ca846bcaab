"""Verify replays what a tranche could not take: it must be exactly what no unit could earn."""

from dataclasses import replace

import pytest

from api.chain.emitted.args import EventArgs
from api.chain.emitted.facility_registry import FacilityStateChanged
from api.chain.emitted.rent_lockbox import RentPaid, ResidualOwed, Settled
from api.chain.emitted.tranche_token import RevenueAccrued, RevenueFlowedOn, TransferSingle
from api.chain.events import ChainEvent
from api.domain.facility import TrancheTerms
from api.domain.lifecycle import FacilityState
from api.domain.units import ZERO32, ZERO_ADDRESS, Address, FacilityId, Micros, tranche_id
from api.verify.epoch import PostedTotals, VerifiedFacility
from api.verify.findings import Finding
from api.verify.money import MoneyVerifier
from tests.unit.values import TERMS

FACILITY, ONE_UNIT = FacilityId(1), TrancheTerms(1, Micros(0))
ANN, LOCKBOX, OPERATOR = (Address("0x" + digit * 40) for digit in "123")
ID = tranche_id(FACILITY, 0)
MOST, SENT = Micros(2**48 - 1), Micros(2**48 + 4)


def _findings(*, taken: Micros, flowed_on: Micros, owed: Micros) -> list[str]:
    """What verify says of a settlement that pays a tranche of one unit."""
    terms = replace(TERMS, facility_id=FACILITY, tranches=(ONE_UNIT,), fee_bps=0)
    findings: list[Finding] = []
    stated = VerifiedFacility(terms, posted={0: PostedTotals(SENT, 1_000, 0, closing=False)})
    money = MoneyVerifier({1: stated}, 0, findings.append)
    end_s = 1_000 + terms.epoch_length_s
    events: list[EventArgs] = [
        TransferSingle(OPERATOR, ZERO_ADDRESS, ANN, ID, 1),
        FacilityStateChanged(FACILITY, FacilityState.FUNDED),
        RentPaid(FACILITY, ZERO32, ANN, SENT, SENT),
        Settled(FACILITY, 1, SENT, Micros(0), SENT),
        RevenueAccrued(ID, LOCKBOX, taken, taken, end_s),
        RevenueFlowedOn(ID, LOCKBOX, flowed_on),
        ResidualOwed(FACILITY, OPERATOR, owed),
    ]
    for block, args in enumerate(events):
        money.take(ChainEvent(block, 1_000, 0, ZERO32, LOCKBOX, args))
    return [finding.message for finding in findings]


def test_flowed_on__what_no_unit_can_earn__is_right() -> None:
    assert _findings(taken=MOST, flowed_on=Micros(5), owed=Micros(5)) == []


@pytest.mark.parametrize(
    ("taken", "flowed_on", "owed", "message"),
    [
        (Micros(MOST - 9), Micros(14), Micros(14), "not its due payment"),
        (MOST, Micros(6), Micros(6), "6 micros went past tranche 256"),
        (MOST, Micros(5), Micros(4), "the gpuOperator is owed 4 micros"),
    ],
)
def test_flowed_on__anything_else__is_a_finding(
    taken: Micros, flowed_on: Micros, owed: Micros, message: str
) -> None:
    found = _findings(taken=taken, flowed_on=flowed_on, owed=owed)

    assert any(message in said for said in found), found
