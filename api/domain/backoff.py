"""How long to wait before something is tried again."""

# Doubled up to ten minutes: a fault that lasts is looked at often enough, and costs little.
FIRST_S, MOST_S = 2.0, 600.0


def backoff_s(
    attempts: int, *, share: float, first_s: float = FIRST_S, most_s: float = MOST_S
) -> float:
    """Seconds until the next try; longer with every failure.

    Args:    attempts: failures in a row, 1 or more.
             share: drawn from [0, 1): between half and all of it, so that not all try at once.
    """
    doubled_s = first_s * float(1 << min(attempts - 1, 30))
    return min(most_s, doubled_s) * (1 + share) / 2
