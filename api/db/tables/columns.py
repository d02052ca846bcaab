"""What columns are declared with, so that a misspelt or a mistaken one is a type error."""

from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Integer, LargeBinary, String, TypedColumns
from sqlalchemy.types import TypeEngine


class Columns(TypedColumns):
    """Columns of a table, each with the type of its values; only these can be asked for."""

    if TYPE_CHECKING:
        # The base answers any name with a column of `Any`: a misspelt one would fail at run time.
        __getattr__: None  # type: ignore[assignment, misc]


# The annotation of a column says which of our types its 64 bits, 32 bytes or text are.
INT64: TypeEngine[Any] = BigInteger()
RAW32: TypeEngine[Any] = LargeBinary(32)
KEY_ID: TypeEngine[Any] = String(32)
# SQLite gives rowids only to columns declared INTEGER; PostgreSQL needs 64 bits.
PRIMARY_KEY: TypeEngine[Any] = BigInteger().with_variant(Integer(), "sqlite")
