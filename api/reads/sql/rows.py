"""Rows of a query as the class that names them."""

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Result

R = TypeVar("R")


def rows_as(shape: Callable[..., R], result: Result[Any]) -> list[R]:
    """All rows of a result, column by column by name. Raises TypeError if the names differ."""
    return [shape(**row) for row in result.mappings()]
