"""Signatures of the contract functions that we call, and of the errors that they revert with.

Text instead of compiled ABIs, so that neither service nor verifier needs a compiler;
tests/integration/chain/test_abi_drift.py compares them with what the compiler says.
"""

from dataclasses import dataclass

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from api.chain.abi import Function
from api.chain.structs import kind_of
from api.chain.terms import OfferedTerms
from api.domain.statements.statement import Statement

TERMS = kind_of(OfferedTerms).text
STATEMENT = kind_of(Statement).text
LINE = "(uint64,uint32,uint32,uint8,bytes32,bytes32,uint64,uint64,uint64,int128,uint64,int128)"
PROVEN_LINE = f"({LINE},bytes32[])"
PROVEN_PLEDGE = "(uint32,bytes32,bytes32,uint32,bytes32[])"
ATTESTATIONS = "(address,bytes)[]"
SIGNED = f"(bool,bytes32[],{ATTESTATIONS})"
REFUSAL = "(address,bytes32,bytes32,bytes32,uint32,uint64,uint8,bytes32,bytes)"
CREDIT = "(uint64,uint32,bytes32,address,uint64)"
SALE_TERMS = "(uint64,uint64,uint64,uint16,uint64[])"
ORDER = "(address,uint256,uint256,bytes32,uint256,uint256)"
BOND_TERMS = "(uint96,uint64)"
INVESTOR = "(uint64,uint16,bool,bool)"

FUNCTIONS = {
    "FacilityRegistry": (
        Function("offer", ("uint64", TERMS, "(uint40,uint64)[]")),
        Function("fund", ("uint64",)),
        Function("cancel", ("uint64",)),
        Function("mature", ("uint64",)),
        Function("noticeDefault", ("uint64", "uint32")),
        Function("declareDefault", ("uint64", "uint32")),
        Function("noticeUnpaid", ("uint64",)),
        Function("stop", ("uint64",)),
        Function("setLedgerKey", ("bytes32",)),
    ),
    "AttesterRegistry": (
        Function("setAttester", ("address", "bool")),
        Function("setPanel", ("uint8", "address[]")),
        Function("depositBond", ("address", "uint256")),
        Function("setUrl", ("string",)),
        Function("chargeEquivocation", (STATEMENT, SIGNED, STATEMENT, SIGNED)),
    ),
    "PledgeRegistry": (
        Function("approve", ("uint64", ATTESTATIONS)),
        Function("replace", ("uint64", "bytes32", "uint32", ATTESTATIONS)),
    ),
    "StatementRegistry": (
        Function("post", (STATEMENT, ATTESTATIONS)),
        Function("postMany", (f"{STATEMENT}[]", ATTESTATIONS)),
        Function("verifyLine", (STATEMENT, LINE, "bytes32[]"), ("bool",)),
        Function("statementDigest", (STATEMENT,), ("bytes32",)),
        Function("challengeLine", (STATEMENT, PROVEN_LINE)),
        Function("challengePair", (STATEMENT, PROVEN_LINE, PROVEN_LINE)),
        Function("challengeDevice", (STATEMENT, PROVEN_LINE, f"{PROVEN_PLEDGE}[]")),
        Function(
            "challengeDoublePledge", (STATEMENT, PROVEN_PLEDGE, "uint64", "uint32", PROVEN_PLEDGE)
        ),
        Function("publish", ("uint64", "uint32", "bytes32")),
    ),
    "TrancheToken": (
        Function("mint", ("address", "uint256", "uint256")),
        Function("claim", ("uint256[]", "address")),
        Function("safeTransferFrom", ("address", "address", "uint256", "uint256", "bytes")),
    ),
    "InvestorRegistry": (Function("setInvestor", ("address", INVESTOR)),),
    "RentLockbox": (
        Function("payRent", ("uint64", "bytes32", "uint256")),
        Function("settle", ("uint64",), ("uint256",)),
        Function("settleMany", ("uint64[]",)),
        Function("close", ("uint64",)),
        Function("payVoucher", ("uint256",), ("uint256",)),
        Function("withdraw", ("address", "address"), ("uint256",)),
    ),
    "PrimarySale": (
        Function("open", ("uint64", SALE_TERMS)),
        Function("buy", ("uint256", "uint256", "uint256"), ("uint256",)),
        Function("finalize", ("uint64",)),
        Function("release", ("uint64",), ("uint256",)),
        Function("withdraw", ("address", "address"), ("uint256",)),
    ),
    "BondVault": (
        Function("setTerms", ("uint64", BOND_TERMS)),
        Function("deposit", ("uint64", "uint256")),
        Function("release", ("uint64",), ("uint256",)),
        Function("withdraw", ("address", "address"), ("uint256",)),
    ),
    "DeliveryDesk": (
        Function("takeDelivery", (ORDER, "bytes"), ("uint256",)),
        Function("serve", ("uint256[]", STATEMENT, LINE, "bytes32[]"), ("uint256",)),
    ),
    "WalletDesk": (
        Function("proposeRecovery", ("address", "address", "uint256[]")),
        Function("confirm", ("address", "uint256")),
        Function("cancel", ()),
        Function("execute", ("address",)),
        Function("collectUnits", ("address", "uint256[]")),
        Function("collectRevenue", ("address", "uint256[]", "address"), ("uint256",)),
        Function("collectVouchers", ("address", "uint256[]")),
    ),
    "AttesterDesk": (
        Function("book", ("uint64", "uint32")),
        Function("showSignatures", (STATEMENT, SIGNED)),
        Function("refuse", ("uint64", "uint32", f"{REFUSAL}[]")),
        Function("reject", ("uint64", "uint32", "bytes32", f"{REFUSAL}[]")),
        Function("collect", ("uint64",), ("uint256",)),
        Function("pay", ("uint64", "address"), ("uint256",)),
        Function("releaseUnearned", ("uint64",), ("uint256",)),
        Function("takeFees", ("address", "address"), ("uint256",)),
        Function("withdraw", ("address", "address"), ("uint256",)),
    ),
    "RefundDesk": (
        Function("approveCredits", ("uint64", "bytes32", ATTESTATIONS)),
        Function("refundCredit", (CREDIT, "bytes32[]")),
        Function("refundShare", ("uint64", "address"), ("uint256",)),
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


@dataclass(frozen=True)
class CustomError:
    """An error of a contract, as `Name(type name, …)`."""

    text: str

    @property
    def name(self) -> str:
        """Name without arguments."""
        return self.text.partition("(")[0]

    @property
    def arguments(self) -> tuple[tuple[str, str], ...]:
        """Types and names."""
        listed = self.text.partition("(")[2].removesuffix(")")
        words = (argument.split() for argument in listed.split(",") if argument)
        return tuple((kind, name) for kind, name in words)

    @property
    def function(self) -> Function:
        """The error as a function: the ABI encodes both alike."""
        return Function(self.name, tuple(kind for kind, _ in self.arguments))


# Errors that `post`, `approve`, `settle`, `serve` and `close` can revert with, by contract.
ERRORS = {
    "AttesterRegistry": (
        CustomError("QuorumMissing(uint256 signatures, uint256 threshold)"),
        CustomError("AttestersNotAscending(address previous, address next)"),
        CustomError("NotAttester(address account)"),
        CustomError("NotOnPanel(address account, uint8 panel)"),
        CustomError("BondBelowMinimum(address account, uint256 bond, uint256 minimum)"),
        CustomError("SignatureInvalid(address attester)"),
    ),
    "PledgeRegistry": (
        CustomError("PledgeApprovedBefore(uint64 facilityId)"),
        CustomError("FacilityNotOffered(uint64 facilityId)"),
    ),
    "StatementRegistry": (
        CustomError("EpochOutOfOrder(uint64 facilityId, uint32 expected, uint32 actual)"),
        CustomError("FacilityNotDelivering(uint64 facilityId)"),
        CustomError("EpochBeyondWindow(uint64 facilityId, uint32 epoch, uint32 epochCount)"),
        CustomError("EpochBoundsWrong(uint64 expectedStart, uint64 expectedEnd)"),
        CustomError("EpochNotOver(uint64 epochEnd, uint256 blockTime)"),
        CustomError("GpuSecondsAboveCapacity(uint64 gpuSeconds, uint256 capacity)"),
        CustomError("PreviousStatementWrong(bytes32 expected, bytes32 actual)"),
        CustomError("StatementInvalid(string field)"),
        CustomError("StatementBarred(uint64 facilityId, uint32 epoch, bytes32 statementHash)"),
        CustomError("ClosingPosted(uint64 facilityId)"),
        CustomError("EnforcedPause()"),
    ),
    "RentLockbox": (
        CustomError("SettlementShort(uint256 expected, uint256 received)"),
        CustomError("NothingToSettle(uint64 facilityId)"),
        CustomError("ClosingNotOpen(uint64 facilityId, uint64 opensAt)"),
    ),
    "DeliveryDesk": (
        CustomError("VoucherUnknown(uint256 voucherId)"),
        CustomError("LineNotDelivery(uint64 facilityId, uint32 epoch, uint32 index)"),
        CustomError("LineNotForVoucher(uint256 voucherId)"),
        CustomError("LineAlreadyUsed(uint64 facilityId, uint32 epoch, uint32 index)"),
        CustomError("StatementNotFinal(uint64 facilityId, uint32 epoch)"),
        CustomError("LineNotProven(uint64 facilityId, uint32 epoch, uint32 index)"),
        CustomError("NothingToServe(uint64 facilityId)"),
        CustomError("FacilityClosed(uint64 facilityId)"),
    ),
}

_ERRORS = {e.function.selector: e for errors in ERRORS.values() for e in errors}


def decode_error(data: str) -> str | None:
    """Revert data in words, `Name(arguments)`; None if it is none of `ERRORS`."""
    try:
        raw = bytes.fromhex(data.removeprefix("0x"))
        error = _ERRORS.get(raw[:4])
        if error is None:
            return None
        values = decode(error.function.inputs, raw[4:])
    except (ValueError, DecodingError):
        return None
    shown = ("0x" + v.hex() if isinstance(v, bytes) else str(v) for v in values)
    return f"{error.name}({', '.join(shown)})"
