"""Signatures of the contract functions and errors that the service uses.

Text instead of compiled ABIs, so that neither service nor verifier needs a compiler;
tests/integration/chain/test_abi_drift.py compares them with what the compiler says.
"""

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from api.chain.abi import Function

TERMS = (
    "(address,address,bytes32,bytes32,uint64,uint64,uint32,uint32,uint32,uint16,bytes32,bytes32)"
)
STATEMENT = (
    "(uint64,uint32,uint64,uint64,uint64,uint64,uint128,uint32,bytes32,bytes32,bytes32,"
    "uint16,uint16)"
)
LINE = "(uint64,uint32,uint32,uint8,bytes32,bytes32,uint64,uint64,uint64,int128,uint64,int128)"
SALE_TERMS = "(uint64,uint64,uint40,uint16,uint64[])"
BOND_TERMS = "(uint96,uint64,uint32,uint16)"
INVESTOR = "(uint64,uint16,bool,bool)"

FUNCTIONS = {
    "FacilityRegistry": (
        Function("offer", ("uint64", TERMS, "(uint40,uint64)[]")),
        Function("fund", ("uint64",)),
        Function("mature", ("uint64",)),
        Function("declareDefault", ("uint64",)),
    ),
    "StatementRegistry": (
        Function("post", (STATEMENT, "(address,bytes)[]")),
        Function("verifyLine", (STATEMENT, LINE, "bytes32[]"), ("bool",)),
        Function("statementDigest", (STATEMENT,), ("bytes32",)),
        Function("challengeLine", (STATEMENT, f"({LINE},bytes32[])")),
    ),
    "TrancheToken": (
        Function("mint", ("address", "uint256", "uint256")),
        Function("claim", ("uint256[]", "address")),
        Function("takeDelivery", ("uint256", "uint256", "bytes32")),
        Function("safeTransferFrom", ("address", "address", "uint256", "uint256", "bytes")),
    ),
    "InvestorRegistry": (Function("setInvestor", ("address", INVESTOR)),),
    "RentLockbox": (
        Function("payRent", ("uint64", "bytes32", "uint256")),
        Function("settle", ("uint64", "uint32"), ("uint256",)),
    ),
    "PrimarySale": (
        Function("open", ("uint64", SALE_TERMS)),
        Function("buy", ("uint256", "uint256", "uint256"), ("uint256",)),
        Function("finalize", ("uint64",)),
        Function("release", ("uint64",), ("uint256",)),
        Function("seize", ("uint64",), ("uint256",)),
        Function("withdraw", ("address", "address"), ("uint256",)),
    ),
    "BondVault": (
        Function("setTerms", ("uint64", BOND_TERMS)),
        Function("deposit", ("uint64", "uint256")),
        Function("payShortfall", ("uint64",), ("uint256",)),
        Function("release", ("uint64",), ("uint256",)),
        Function("withdraw", ("address", "address"), ("uint256",)),
    ),
    "SettlementToken": (
        Function("approve", ("address", "uint256"), ("bool",)),
        Function("mint", ("address", "uint256")),
    ),
}

_BY_NAME = {(c, f.name): f for c, functions in FUNCTIONS.items() for f in functions}


def function(contract: str, name: str) -> Function:
    """A function by contract and name."""
    return _BY_NAME[contract, name]


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
        Function("StatementBarred", ("uint64", "uint32", "bytes32")),
        Function("EpochNotFinal", ("uint64", "uint32")),
        Function("EnforcedPause"),
    ),
    "RentLockbox": (
        Function("SettlementShort", ("uint256", "uint256")),
        Function("EpochAlreadySettled", ("uint64", "uint32")),
        Function("FacilitiesNotAscending", ("uint64", "uint64")),
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
