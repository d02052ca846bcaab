"""Random lives of a ledger against a reference that counts tick by tick."""

import os
import random

import pytest

from tests.unit.statements.histories import MINUTES, MONTHS, History
from tests.unit.statements.history_checks import check

HISTORIES = int(os.environ.get("HISTORIES", "60"))


@pytest.mark.parametrize("scale", [MONTHS, MINUTES], ids=["months", "minutes"])
def test_books__random_histories__state_what_the_reference_counts(scale):
    """Facts of all kinds, in any order, cut and lateness, with corrections of corrections."""
    seed = int(os.environ.get("SEED", "0")) or random.randrange(1 << 40)
    told = statements = 0
    for number in range(HISTORIES):
        history = History(seed + number, scale)
        try:
            history.play()
            check(history)
        except Exception as error:
            raise AssertionError(f"SEED={seed + number}") from error
        told += history.told
        statements += len(history.stated)
    print(f"{HISTORIES} histories, {told} facts, {statements} statements")
    # Facts were told, not only refused.
    assert told > HISTORIES * 5
