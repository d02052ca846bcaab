"""Which of the signatures that count are sent: keys first, contracts only where keys lack."""

import pytest

from api.chain.panels import Counting

KEYS = {f"0x{n:040x}": bytes([n]) for n in (3, 1, 9)}
CONTRACTS = {f"0x{n:040x}": bytes([n]) for n in (7, 2)}


def _numbers(signatures: dict[str, bytes]) -> list[int]:
    return [signature[0] for signature in signatures.values()]


@pytest.mark.parametrize(
    ("threshold", "posted", "least"),
    [
        (1, [3, 1, 9], [1]),
        (3, [3, 1, 9], [1, 3, 9]),
        (4, [3, 1, 9, 2], [1, 3, 9, 2]),
        (5, [3, 1, 9, 2, 7], [1, 3, 9, 2, 7]),
    ],
)
def test_counting__keys_and_contracts__asks_no_contract_that_is_not_needed(
    threshold: int, posted: list[int], least: list[int]
) -> None:
    counted = Counting(KEYS, CONTRACTS)

    assert len(counted) == 5
    assert _numbers(counted.for_posting(threshold)) == posted
    assert _numbers(counted.least(threshold)) == least
