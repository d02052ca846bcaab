"""Calls of view functions: typed, composable, each read at one block that the caller names."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Generic, TypeVar, cast

from eth_abi.exceptions import DecodingError

from api.chain.abi import Function
from api.chain.client import READ_ATTEMPTS, ChainClient, EthCall
from api.chain.structs import Kind, kind_of, to_abi
from api.chain.words import decode_words
from api.domain.units import Address
from api.errors import ChainRejected

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


# Without slots: a cached property keeps its value in the instance's own dict.
@dataclass(frozen=True)
class View(Generic[T]):
    """A view function that returns one value, or several as the fields of one dataclass.

    kind: ABI type of a returned integer, whose width the Python type does not state.
    several: the fields are values of their own, not members of one struct.
    """

    name: str
    inputs: tuple[str, ...]
    returns: type[T]
    kind: str | None = None
    several: bool = False

    @cached_property
    def answer(self) -> Kind:
        """ABI type of what is returned."""
        return kind_of(self.returns, self.kind)

    @cached_property
    def function(self) -> Function:
        """Signature, for calldata and its answer."""
        values = self.answer.members if self.several else ()
        outputs = tuple(value.kind.text for value in values) or (self.answer.text,)
        return Function(self.name, self.inputs, outputs)

    def decode(self, data: bytes) -> T:
        """Answer of the function; what is no UTF-8 in a string becomes U+FFFD.

        Raises:  ValueError, TypeError or DecodingError.
        """
        values = decode_words(self.function.outputs, data)
        return cast("T", self.answer.read(values if self.several else values[0]))


@dataclass(frozen=True, slots=True)
class Call(Generic[T_co]):
    """One view function or several to call, and how their answers become one value."""

    client: ChainClient
    asked: tuple[EthCall, ...]
    parse: Callable[[Sequence[bytes]], T_co]

    def at(self, *, block: int, attempts: int = READ_ATTEMPTS) -> T_co:
        """Answer at a block; several view functions travel in one request.

        Raises:  ChainUnavailable when the node does not answer, ChainRejected when it refuses or a
                 contract answers something else.
        """
        return self.parse(self.client.call(self.asked, block=block, attempts=attempts))


class Contract:
    """One deployed contract: its view functions as methods, each of which makes a call."""

    name: ClassVar[str]

    def __init__(self, client: ChainClient, address: Address) -> None:
        self.client, self.address = client, address

    def _call(self, view: View[T], *arguments: object) -> Call[T]:
        data = view.function.encode(*(to_abi(argument) for argument in arguments))

        def parse(answers: Sequence[bytes]) -> T:
            try:
                # An address without a contract answers with no bytes, which do not decode.
                (answer,) = answers
                return view.decode(answer)
            except (ValueError, TypeError, ArithmeticError, DecodingError) as error:
                message = f"{self.name} at {self.address} does not answer {view.name}"
                raise ChainRejected(message, contract=self.name, address=self.address) from error

        return Call(self.client, (EthCall(self.address, data),), parse)
