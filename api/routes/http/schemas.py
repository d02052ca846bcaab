"""What bodies and answers have in common: strict bases, bounded texts, times."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.config import JsonValue

from api.domain.metering.instants import parse_instant
from api.errors import InvalidInput

# Unit of amounts in descriptions.
MICROS = "micros of the settlement token"
# States of a facility in descriptions.
STATE = (
    "registered (not on-chain), offered, funded, delivering, matured, cancelled, defaulted or"
    " stopped"
)


def _instant(value: object) -> int:
    if not isinstance(value, str):
        raise ValueError("must be RFC 3339 text with an explicit offset")
    try:
        return parse_instant(value, field="time")
    except InvalidInput as error:
        raise ValueError(error.message) from error


Instant = Annotated[
    int,
    BeforeValidator(_instant, json_schema_input_type=str),
    Field(examples=["2026-12-01T00:00:00Z"]),
]
# Control characters are refused: PostgreSQL cannot store NUL, and logs and pages should not show
# the others.
_NO_CONTROLS = r"^[^\x00-\x1f\x7f]+$"
Name = Annotated[str, Field(min_length=1, max_length=80, pattern=_NO_CONTROLS)]
Text = Annotated[str, Field(min_length=1, max_length=120, pattern=_NO_CONTROLS)]
Address = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{40}$")]


def example(**values: JsonValue) -> ConfigDict:
    """Configuration of a body with an example for the OpenAPI document."""
    return ConfigDict(json_schema_extra={"examples": [values]})


class Strict(BaseModel):
    """Base of request bodies."""

    model_config = ConfigDict(strict=True, extra="forbid")
