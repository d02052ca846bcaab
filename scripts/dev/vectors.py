"""Golden vectors of the reference models, read by forge tests: `python -m scripts.dev.vectors`."""

import json
import random
from pathlib import Path

from api.domain.capital.accumulator import Stream

VECTORS = Path(__file__).resolve().parents[2] / "tests" / "vectors"
ACCRUE, SUPPLY, LOOK = range(3)
HISTORIES, STEPS = 40, 25


def accumulator_vectors() -> dict[str, list[str]]:
    """Histories of one stream: each step is eleven numbers.

    Operation, its amount, its span, the time, then the stream after it (acc, pending, end, span,
    supply), the accumulator at that time, and what the step took out of the stream for whoever
    burned units. A step with operation 2 only looks; a history begins with a supply step, from an
    empty stream, marked by span 1.
    """
    dice = random.Random(7943)  # noqa: S311  repeatable, not secret
    flat: list[int] = []
    for _ in range(HISTORIES):
        stream, now_s = Stream(), 1_800_000_000
        for step in range(STEPS):
            now_s += dice.choice((0, 1, dice.randrange(100_000)))
            operation = SUPPLY if step == 0 else dice.randrange(3)
            amount, span_s, spare_x24 = 0, int(step == 0), 0
            if operation == ACCRUE and stream.supply:
                amount = dice.choice((0, 1, dice.randrange(10**6), dice.randrange(2**46)))
                span_s = dice.choice((0, 1, dice.randrange(2**24)))
                stream = stream.accrue(amount, span_s, now_s)
            elif operation == SUPPLY:
                amount = dice.choice((0, 1, dice.randrange(1, 10**4), dice.randrange(1, 2**40)))
                amount = amount or (1 if step == 0 else 0)
                spare_x24 = stream.spare_x24(amount, now_s)
                stream = stream.with_supply(amount, now_s)
            else:
                operation = LOOK
            words = (operation, amount, span_s, now_s, stream.acc_x24, stream.pending_x24)
            flat += [*words, stream.end_s, stream.span_s, stream.supply, stream.acc_at_x24(now_s)]
            flat.append(spare_x24)
    # Strings, because a JSON number above 2^53 is no integer to many readers.
    return {"steps": [str(word) for word in flat]}


def main() -> None:
    """Write every vector file."""
    VECTORS.mkdir(parents=True, exist_ok=True)
    text = json.dumps(accumulator_vectors(), separators=(",", ":"))
    (VECTORS / "accumulator.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
