"""Facts that an honest log took are never complained of, however they come."""

import pytest

from api.domain.statements.told import Told
from api.verify.facts import FactJudge
from tests.ledgers import Ledger, facility, periods


@pytest.mark.parametrize("seed", range(60))
def test_judge__drawn_ledger__complains_of_nothing(seed: int) -> None:
    ledger = Ledger(seed, facility())
    judge, said = FactJudge(ledger.terms), list[tuple[str, str]]()

    def complain(_told: Told, code: str, message: str) -> None:
        said.append((code, message))

    for number, period in enumerate(periods(ledger.terms)):
        told = sorted(ledger.fill(period), key=lambda each: each.place)
        for each in told:
            judge.seal(each.recorded_at_s)
        judge.judge(told, number, complain)

    assert said == []
    assert judge.overlaps == {}
