"""ABI of functions, events and errors: encoding calls, decoding results, logs and reverts."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from eth_abi.abi import decode, encode

from api.domain.hashing import keccak


@dataclass(frozen=True)
class Function:
    """A contract function, or an error: name, argument types, result types."""

    name: str
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()

    @cached_property
    def signature(self) -> str:
        """Canonical signature."""
        return f"{self.name}({','.join(self.inputs)})"

    @cached_property
    def selector(self) -> bytes:
        """First four bytes of the signature's hash."""
        return keccak(self.signature.encode())[:4]

    def encode(self, *arguments: object) -> bytes:
        """Calldata."""
        return self.selector + encode(self.inputs, arguments)

    def decode(self, data: bytes) -> tuple[Any, ...]:
        """Results of a call."""
        return tuple(decode(self.outputs, data))


@dataclass(frozen=True)
class Event:
    """A contract event: indexed and plain arguments as `(name, type)`."""

    name: str
    arguments: tuple[tuple[str, str, bool], ...]

    @cached_property
    def signature(self) -> str:
        """Canonical signature."""
        return f"{self.name}({','.join(kind for _, kind, _ in self.arguments)})"

    @cached_property
    def topic(self) -> bytes:
        """First topic of its logs."""
        return keccak(self.signature.encode())

    @cached_property
    def _indexed(self) -> tuple[tuple[str, str], ...]:
        return tuple((name, kind) for name, kind, indexed in self.arguments if indexed)

    @cached_property
    def _plain(self) -> tuple[tuple[str, str], ...]:
        return tuple((name, kind) for name, kind, indexed in self.arguments if not indexed)

    def decode(self, topics: list[bytes], data: bytes) -> dict[str, Any]:
        """Arguments by name. Raises ValueError or eth_abi errors for foreign data."""
        found: dict[str, Any] = {}
        for (name, kind), topic in zip(self._indexed, topics[1:], strict=True):
            found[name] = decode([kind], topic)[0]
        values = decode([kind for _, kind in self._plain], data)
        found.update({name: value for (name, _), value in zip(self._plain, values, strict=True)})
        return found
