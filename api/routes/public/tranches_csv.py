"""The market as CSV: the fields of its JSON, those of operator and sale with their prefix."""

from collections.abc import Sequence
from dataclasses import fields

from api.reads.export import Cell, encode_csv
from api.reads.listing import OperatorView, SaleView, TrancheView

_NESTED = {"operator": OperatorView, "sale": SaleView}


def _header() -> list[tuple[str, str | None]]:
    """`(field, inner field)` of every column."""
    columns: list[tuple[str, str | None]] = []
    for field in fields(TrancheView):
        inner = _NESTED.get(field.name)
        columns += [(field.name, f.name) for f in fields(inner)] if inner else [(field.name, None)]
    return columns


def _value(row: TrancheView, name: str, inner: str | None) -> Cell:
    value: Cell = getattr(row, name)
    if inner is not None and value is not None:
        value = getattr(value, inner)
    return value


def tranches_csv(rows: Sequence[TrancheView]) -> bytes:
    """All rows, one a tranche."""
    columns = _header()
    names = [name if inner is None else f"{name}_{inner}" for name, inner in columns]
    return encode_csv(names, ([_value(row, *column) for column in columns] for row in rows))
