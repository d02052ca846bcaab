"""The cache of terms that threads share."""

import random
import threading
from collections.abc import Sequence

from api.domain.facility import TrancheTerms
from api.domain.units import Bytes32
from api.reads.terms import ShortTerms, TermsCache

MOST, ASKED, THREADS, ROUNDS = 50, 40, 8, 300


def _hash(number: int) -> Bytes32:
    return Bytes32(number.to_bytes(32, "big"))


def _load(hashes: Sequence[Bytes32]) -> dict[Bytes32, ShortTerms]:
    """Terms that tell whose they are by their fee."""
    return {
        h: ShortTerms((TrancheTerms(1),), 0, int.from_bytes(h, "big"), 0, 0, 0, 0, "")
        for h in hashes
    }


def test_terms_of__more_than_are_kept_and_many_threads__finds_all_that_each_asked() -> None:
    cache, wrong = TermsCache(most=MOST), []

    def ask(seed: int) -> None:
        rng = random.Random(seed)
        for _ in range(ROUNDS):
            numbers = rng.sample(range(4 * MOST), ASKED)
            try:
                found = cache.terms_of([_hash(n) for n in numbers], _load)
                fees = {h: terms.fee_bps for h, terms in found.items()}
                assert fees == {_hash(n): n for n in numbers}
            except (AssertionError, KeyError) as error:
                wrong.append(error)

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


def test_terms_of__asked_again__loads_only_what_is_new() -> None:
    cache, loads = TermsCache(most=MOST), []

    def load(hashes: Sequence[Bytes32]) -> dict[Bytes32, ShortTerms]:
        loads.append(list(hashes))
        return _load(hashes)

    cache.terms_of([_hash(1), _hash(2)], load)
    found = cache.terms_of([_hash(2), _hash(3)], load)

    assert loads == [[_hash(1), _hash(2)], [_hash(3)]]
    assert set(found) == {_hash(2), _hash(3)}
