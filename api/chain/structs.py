"""ABI structs as dataclasses: a class states names and ABI types, and values are read into it.

A field states what its Python type cannot: the width of an integer, `Annotated[Micros, "uint96"]`,
and that an event's argument is indexed, `Annotated[Address, "indexed"]`. Its name is Solidity's
name with units added: `collected_micros` is `collected`, `posted_at_s` is `postedAt`.
tests/integration/chain/test_abi_drift.py compares all of it with what the compiler says.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from enum import IntEnum
from functools import cache
from typing import Annotated, Any, NewType, TypeVar, cast, get_args, get_origin, get_type_hints

from api.domain.facility import TrancheTerms
from api.domain.statements.statement import Statement
from api.domain.units import Address

T = TypeVar("T")

_INDEXED = "indexed"
# Units that our names carry and Solidity's do not.
_UNITS = {"micros", "s"}
# Structs of the domain, which knows no ABI: ABI types in the order of their fields.
_DOMAIN_KINDS: dict[type, tuple[str, ...]] = {
    Statement: (
        *("uint64", "uint32", "uint64", "uint64", "uint64", "int64", "uint64", "int128", "uint32"),
        *("bytes32", "bytes32", "bytes32", "uint16", "uint16"),
    ),
    TrancheTerms: ("uint40", "uint64"),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """An ABI type: its canonical text, how its decoded values are read, a struct's members."""

    text: str
    read: Callable[[object], object]
    members: tuple["Member", ...] = ()


@dataclass(frozen=True, slots=True)
class Member:
    """A field of a struct or an argument of an event, in Python and in Solidity."""

    field: str
    name: str
    kind: Kind
    indexed: bool


def solidity_name(field: str) -> str:
    """Name in Solidity of a field: camelCase, without units."""
    # `from` is a keyword of Python: such a field ends in an underscore, which leaves an empty word.
    first, *others = (word for word in field.split("_") if word and word not in _UNITS)
    return first + "".join(word.capitalize() for word in others)


def members(struct: type) -> tuple[Member, ...]:
    """Fields of a struct, in order. Raises TypeError for one whose kind contradicts its type."""
    # `cache` takes any arguments in mypy's eyes: this function keeps them typed.
    return _members(struct)


@cache
def _members(struct: type) -> tuple[Member, ...]:
    hints = get_type_hints(struct, include_extras=True)
    foreign = _DOMAIN_KINDS.get(struct)
    struct_members = []
    for i, field in enumerate(fields(struct)):
        hint, words = hints[field.name], list[str]()
        if get_origin(hint) is Annotated:
            hint, *notes = get_args(hint)
            words = " ".join(notes).split()
        stated = [word for word in words if word != _INDEXED]
        kind = kind_of(hint, foreign[i] if foreign else next(iter(stated), None))
        struct_members.append(
            Member(field.name, solidity_name(field.name), kind, _INDEXED in words)
        )
    return tuple(struct_members)


def read_struct(struct: type[T], values: object) -> T:
    """Decoded values, in order, as a struct. Raises ValueError or TypeError."""
    if not isinstance(values, (tuple, list)):
        raise TypeError(f"{struct.__name__} is read from {type(values).__name__}")
    make = cast("Callable[..., T]", struct)
    pairs = zip(members(struct), values, strict=True)
    return make(**{member.field: member.kind.read(value) for member, value in pairs})


def to_abi(value: object) -> object:
    """A value as calls take it: structs as tuples in the contract's order."""
    if is_dataclass(value) and not isinstance(value, type):
        return tuple(to_abi(getattr(value, field.name)) for field in fields(value))
    if isinstance(value, (tuple, list)):
        return [to_abi(item) for item in value]
    return int(value) if isinstance(value, IntEnum) else value


def kind_of(hint: Any, stated: str | None = None) -> Kind:
    """ABI type of a Python type.

    Args:    stated: canonical text where the Python type does not tell it, as for integers.
    Raises:  TypeError if both contradict each other.
    """
    if get_origin(hint) is tuple:
        items = get_args(hint)
        # `tuple[X, ...]` has any length; a tuple that names its items has that many, of one type.
        length = "[]" if Ellipsis in items else f"[{len(items)}]"
        inner = kind_of(items[0], None if stated is None else stated.removesuffix(length))
        return Kind(
            inner.text + length,
            lambda value: tuple(inner.read(v) for v in _of(tuple, list)(value)),
            inner.members,
        )
    if is_dataclass(hint):
        struct = cast("type", hint)
        parts = members(struct)
        text = f"({','.join(member.kind.text for member in parts)})"
        return Kind(text, lambda value: read_struct(struct, value), parts)
    kind = _scalar(hint, stated)
    if stated not in (None, kind.text):
        raise TypeError(f"{hint} is {kind.text}, not {stated}")
    return kind


def _scalar(hint: Any, stated: str | None) -> Kind:
    if hint is Address:
        return Kind("address", _of(str))
    base = hint
    while isinstance(base, NewType):
        base = base.__supertype__
    if isinstance(base, type) and issubclass(base, IntEnum):
        # The ABI writes an enum as uint8; reading a number that is no member raises ValueError.
        return Kind("uint8", base)
    if base is int and stated is not None and stated.lstrip("u").startswith("int"):
        return Kind(stated, _of(int))
    known = {bool: "bool", bytes: "bytes32", str: "string"}
    if base in known:
        return Kind(known[base], _of(base))
    raise TypeError(f"{hint} is no {stated or 'value of the ABI'}")


def _of(*kinds: type) -> Callable[[object], Any]:
    """Check that a decoded value is of a Python type."""

    def check(value: object) -> object:
        # In Python a bool is an int: True must not pass for the number 1.
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise TypeError(f"{value!r} is no {kinds[0].__name__}")
        return value

    return check
