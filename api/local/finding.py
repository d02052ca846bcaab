"""What a check of settings and surroundings found."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: `ok`, `warn` or `fail`, and what to do."""

    name: str
    level: str
    message: str
    advice: str = ""
