"""Signatures of the contract functions, events and errors that the service uses.

Text instead of compiled ABIs, so that neither service nor verifier needs a compiler;
tests/integration/test_abi_drift.py compares them with what the compiler says.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

from api.domain.hashing import keccak

TERMS = (
    "(address,address,bytes32,bytes32,uint64,uint64,uint32,uint32,uint32,uint16,bytes32,bytes32)"
)
STATEMENT = (
    "(uint64,uint32,uint64,uint64,uint64,uint64,uint128,uint32,bytes32,bytes32,bytes32,"
    "uint16,uint16)"
)
LINE = "(uint64,uint32,uint32,uint8,bytes32,bytes32,uint64,uint64,uint64,int128,uint64,int128)"


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

    def encode(self, *arguments: Any) -> bytes:
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


def _event(name: str, *arguments: str) -> Event:
    parts = []
    for argument in arguments:
        kind, *indexed, label = argument.split(" ")
        parts.append((label, kind, bool(indexed)))
    return Event(name, tuple(parts))


FUNCTIONS = {
    "FacilityRegistry": (
        Function("offer", ("uint64", TERMS, "(uint40,uint64)[]")),
        Function("fund", ("uint64",)),
        Function("mature", ("uint64",)),
        Function("stateOf", ("uint64",), ("uint8",)),
        Function("termsOf", ("uint64",), (TERMS,)),
        Function("tranchesOf", ("uint64",), ("(uint40,uint64)[]",)),
        Function("epochCountOf", ("uint64",), ("uint32",)),
    ),
    "StatementRegistry": (
        Function("post", (STATEMENT, "(address,bytes)[]")),
        Function("statementOf", ("uint64", "uint32"), ("(bytes32,uint64,uint128)",)),
        Function("epochsPosted", ("uint64",), ("uint32",)),
        Function("epochsFinal", ("uint64",), ("uint32",)),
        Function("isAttester", ("address",), ("bool",)),
        Function("threshold", (), ("uint8",)),
        Function("challengeWindow", (), ("uint64",)),
        Function("verifyLine", (STATEMENT, LINE, "bytes32[]"), ("bool",)),
        Function("statementDigest", (STATEMENT,), ("bytes32",)),
    ),
    "TrancheToken": (
        Function("mint", ("address", "uint256", "uint256")),
        Function("claim", ("uint256[]", "address")),
        Function("safeTransferFrom", ("address", "address", "uint256", "uint256", "bytes")),
        Function("claimable", ("address", "uint256"), ("uint256",)),
        Function("unvested", ("uint256",), ("uint256",)),
        Function("totalSupply", ("uint256",), ("uint256",)),
        Function("trancheOf", ("uint256",), ("(uint72,uint88,uint32,uint24,uint40)",)),
        Function("positionOf", ("address", "uint256"), ("(uint72,uint96,uint40,uint8)",)),
    ),
    "RentLockbox": (
        Function("payRent", ("uint64", "bytes32", "uint256")),
        Function("settle", ("uint64", "uint32"), ("uint256",)),
        Function("bookOf", ("uint64",), ("(uint96,uint96,uint32)",)),
        Function("trancheBookOf", ("uint256",), ("(uint128,uint128)",)),
        Function("settleable", ("uint64",), ("uint256",)),
        Function("feesOwed", ("address",), ("uint256",)),
    ),
    "SettlementToken": (
        Function("approve", ("address", "uint256"), ("bool",)),
        Function("mint", ("address", "uint256")),
        Function("balanceOf", ("address",), ("uint256",)),
    ),
}

# Errors that `post` and `settle` can end in, by contract.
ERRORS = {
    "StatementRegistry": (
        Function("EpochOutOfOrder", ("uint64", "uint32", "uint32")),
        Function("FacilityNotDelivering", ("uint64",)),
        Function("EpochBeyondWindow", ("uint64", "uint32", "uint32")),
        Function("EpochBoundsWrong", ("uint64", "uint64")),
        Function("EpochNotOver", ("uint64", "uint256")),
        Function("GpuSecondsAboveCapacity", ("uint64", "uint256")),
        Function("PreviousStatementWrong", ("bytes32", "bytes32")),
        Function("StatementInvalid", ("string",)),
        Function("QuorumMissing", ("uint256", "uint256")),
        Function("AttestersNotAscending", ("address", "address")),
        Function("NotAttester", ("address",)),
        Function("SignatureInvalid", ("address",)),
        Function("EnforcedPause"),
    ),
    "RentLockbox": (
        Function("SettlementShort", ("uint256", "uint256")),
        Function("EpochNotFinal", ("uint64", "uint32")),
        Function("EpochAlreadySettled", ("uint64", "uint32")),
        Function("NothingToSettle", ("uint64",)),
    ),
}

_ERRORS = {error.selector: error for errors in ERRORS.values() for error in errors}


def decode_error(data: str) -> str | None:
    """Revert data in words, `Name(arguments)`; None if it is none of `ERRORS`."""
    try:
        raw = bytes.fromhex(data.removeprefix("0x"))
        error = _ERRORS.get(raw[:4])
        if error is None:
            return None
        values = decode(error.inputs, raw[4:])
    except (ValueError, DecodingError):
        return None
    shown = ("0x" + v.hex() if isinstance(v, bytes) else str(v) for v in values)
    return f"{error.name}({', '.join(shown)})"


_BY_NAME = {(c, f.name): f for c, functions in FUNCTIONS.items() for f in functions}


def function(contract: str, name: str) -> Function:
    """A function by contract and name."""
    return _BY_NAME[contract, name]


EVENTS = {
    "FacilityRegistry": (
        _event(
            "FacilityOffered",
            "uint64 indexed facilityId",
            "address indexed gpuOperator",
            f"{TERMS} terms",
            "(uint40,uint64)[] tranches",
        ),
        _event("FacilityStateChanged", "uint64 indexed facilityId", "uint8 state"),
    ),
    "StatementRegistry": (
        _event(
            "StatementPosted",
            "uint64 indexed facilityId",
            "uint32 indexed epoch",
            "bytes32 indexed statementHash",
            f"{STATEMENT} statement",
            "address[] attesters",
            "uint128 cumulativeGross",
        ),
        _event("AttesterSet", "address indexed attester", "bool member"),
        _event("ThresholdSet", "uint8 threshold"),
    ),
    "TrancheToken": (
        _event(
            "RevenueAccrued",
            "uint256 indexed id",
            "address indexed source",
            "uint256 amount",
            "uint256 unvested",
            "uint64 streamEnd",
        ),
        _event(
            "RevenueClaimed",
            "address indexed holder",
            "address indexed to",
            "uint256 indexed id",
            "uint256 amount",
        ),
        _event("StreamVested", "uint256 indexed id", "uint256 amount"),
        _event(
            "TransferSingle",
            "address indexed operator",
            "address indexed from",
            "address indexed to",
            "uint256 id",
            "uint256 value",
        ),
        _event(
            "TransferBatch",
            "address indexed operator",
            "address indexed from",
            "address indexed to",
            "uint256[] ids",
            "uint256[] values",
        ),
    ),
    "RentLockbox": (
        _event(
            "RentPaid",
            "uint64 indexed facilityId",
            "bytes32 indexed lease",
            "address indexed payer",
            "uint256 amount",
            "uint256 cumulativeCollected",
        ),
        _event(
            "Settled",
            "uint64 indexed facilityId",
            "uint32 settledEpochs",
            "uint256 amount",
            "uint256 fee",
            "uint256 cumulativeSettled",
        ),
        _event("FeesPaid", "address indexed token", "address indexed to", "uint256 amount"),
    ),
}
