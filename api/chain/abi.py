"""Signatures of functions and errors: selectors, and calldata."""

from dataclasses import dataclass
from functools import cached_property

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

from api.domain.hashing import keccak


# Without slots: a cached property keeps its value in the instance's own dict.
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

    def read(self, data: bytes) -> tuple[object, ...] | None:
        """Arguments of calldata; None if it calls another function or is malformed."""
        if data[:4] != self.selector:
            return None
        try:
            return tuple(decode(self.inputs, data[4:]))
        except (DecodingError, ValueError):
            return None
