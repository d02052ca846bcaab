"""Golden vectors of the reference models, read by forge tests: `python -m scripts.dev.vectors`."""

import json
import random
from pathlib import Path

from api.domain.capital.accumulator import Stream

VECTORS = Path(__file__).resolve().parents[2] / "tests" / "vectors"
ACCRUE, SUPPLY, LOOK = range(3)
HISTORIES, STEPS = 40, 25
START_S = (1_800_000_000, 2**32 - 1_000_000)


def accumulator_vectors() -> dict[str, list[str]]:
    """Histories of one stream: each step is eleven numbers.

    Operation, its amount, its span, the time, then the stream after it (acc, pending, end, span,
    supply), the accumulator at that time, and what the step gave away: minor units that an accrual
    could not take, or X24 that a burn left to whoever burned. A step with operation 2 only looks; a
    history begins with a supply step, from an empty stream whose tranche was activated in second 1,
    marked by span 1. Half of the histories reach the last second that a stream can name.
    """
    dice = random.Random(7943)  # noqa: S311  repeatable, not secret
    flat: list[int] = []
    for history in range(HISTORIES):
        stream, now_s = Stream(end_s=1), START_S[history % 2]
        for step in range(STEPS):
            now_s += dice.choice((0, 1, dice.randrange(100_000)))
            operation = SUPPLY if step == 0 else dice.randrange(3)
            amount, span_s, given = 0, int(step == 0), 0
            if operation == ACCRUE and stream.supply:
                bits = dice.choice((0, 1, 20, 46, 52, 64))
                amount, span_s = dice.randrange(2**bits), dice.choice((0, 1, dice.randrange(2**24)))
                taken = min(amount, stream.room(now_s))
                stream, given = stream.accrue(taken, span_s, now_s), amount - taken
            elif operation == SUPPLY:
                amount = dice.choice((0, 1, dice.randrange(1, 10**4), dice.randrange(1, 2**40)))
                amount = amount or (1 if step == 0 else 0)
                given = stream.spare_x24(amount, now_s=now_s)
                stream = stream.with_supply(amount, now_s)
            else:
                operation = LOOK
            words = (operation, amount, span_s, now_s, stream.acc_x24, stream.pending_x24)
            flat += [*words, stream.end_s, stream.span_s, stream.supply, stream.acc_at_x24(now_s)]
            flat.append(given)
    # Strings, because a JSON number above 2^53 is no integer to many readers.
    return {"steps": [str(word) for word in flat]}


def main() -> None:
    """Write every vector file."""
    VECTORS.mkdir(parents=True, exist_ok=True)
    text = json.dumps(accumulator_vectors(), separators=(",", ":"))
    (VECTORS / "accumulator.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
