"""The account of a month: for any history it gives what was stated, and what is still to come."""

import os
import random

import pytest

from api.domain.bills.documents import open_credit
from api.domain.metering.calendar import month_of
from api.domain.metering.usage import LineKind
from tests.unit.bills.recorded import RecordedBooks
from tests.unit.statements.histories import MINUTES, MONTHS, History

HISTORIES = int(os.environ.get("HISTORIES", "60")) // 2


class _Recorded(History):
    def __init__(self, seed, scale):
        super().__init__(seed, scale)
        self.books = RecordedBooks(self.terms, entry=lambda: self.entry)


@pytest.mark.parametrize("scale", [MONTHS, MINUTES], ids=["months", "minutes"])
def test_account__random_histories__owes_what_was_stated_less_its_open_credit(scale):
    """After any statement, whatever came late, was voided, sealed or cut short."""
    seed = int(os.environ.get("SEED", "0")) or random.randrange(1 << 40)
    looked_at = credits_seen = 0
    for number in range(HISTORIES):
        history = _Recorded(seed + number, scale)
        history.play()
        statements = len(history.books.cuts)
        for upto in sorted({statements, history.dice.randint(1, statements)} if statements else ()):
            for month in {
                month_of(line.start_s) for lines in history.books.lines for line in lines
            }:
                account = history.books.account(month, statements=upto)
                for lease in account.money.leases:
                    stated = history.books.stated(lease, month, statements=upto)
                    credit = open_credit(stated, account.owed(lease))
                    assert credit is not None, f"SEED={seed + number}"
                    if history.books.cuts[upto - 1].period.closing:
                        assert credit == 0, f"SEED={seed + number}"
                    _check_figures(account, lease, stated)
                    looked_at += 1
                    credits_seen += credit > 0
    print(f"{looked_at} accounts, {credits_seen} with an open credit")
    assert looked_at > HISTORIES


def _check_figures(account, lease, stated):
    """Figures of one explanation agree with each other and with what is owed."""
    shown = account.explained(lease)
    owed = {kind: amount for (kind, _), amount in account.owed(lease).items()}
    charged = owed.get(LineKind.USAGE_DIFFERENCE, 0)
    assert sum(priced.charge for priced in shown.priced) == charged
    assert sum(p.billed_gpu_seconds for p in shown.priced) == shown.billed_gpu_seconds
    assert shown.used_gpu_seconds >= shown.billed_gpu_seconds
    short = owed.get(LineKind.SHORTFALL_DIFFERENCE, 0)
    assert short in (0, shown.committed - shown.excused - charged)
    assert sum(tier.gpu_seconds for tier in shown.tiers) <= shown.billed_gpu_seconds
