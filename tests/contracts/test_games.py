"""Games that random players played at the table of tests/games, made again on the contracts."""

import os
from collections import Counter
from dataclasses import replace

import pytest

from tests.contracts.replay import Replay
from tests.games.game import DUST, random_game

# `make games` plays more of them.
HISTORIES = int(os.environ.get("RENTROLL_GAMES", "8"))
SEED = int(os.environ.get("SEED", "0"))
COUNTS: Counter = Counter()


@pytest.mark.parametrize("number", range(HISTORIES))
def test_game__on_the_contracts__everybody_has_its_entitlement(deployed, accounts, number):
    """No call that the table refused is made, none is refused that it made; and nothing is left."""
    contracts, attesters = deployed
    game = random_game(SEED * 1_000_003 + number)
    played = Replay(contracts, attesters, accounts, game.deal)

    for move, done in game.history:
        played.play(move, done=done)

    COUNTS.update(played.counts)
    found, table = played.totals(), game.table
    # The table pays vouchers a tranche at a time: each of them keeps less than one minor unit.
    burned = sum(len(vouchers) for vouchers in table.vouchers)
    assert 0 <= table.totals().vouchers - found.vouchers <= burned
    assert replace(found, vouchers=table.totals().vouchers) == table.totals()
    gains = zip(found.each(), game.entitled.totals().each(), strict=True)
    assert max(abs(have - due) for have, due in gains) <= DUST
    # Rent that exceeds what was attested waits for its payer; else each stream keeps a remainder.
    excess = max(0, table.collected - max(table.billed, table.settled))
    assert 0 <= sum(played.left()) - excess <= 6 + burned


def test_games__taken_together__refuse_and_make_calls_of_most_kinds():
    """Else they would show little."""
    made = {name for name, done in COUNTS if done}
    refused = {name for name, done in COUNTS if not done}

    print(f"{sum(COUNTS.values())} calls in {HISTORIES} games: {dict(COUNTS)}")
    assert len(made) >= 8, COUNTS
    assert len(refused) >= 5, COUNTS
