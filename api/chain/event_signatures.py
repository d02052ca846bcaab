"""Signatures of the contract events that the service reads, as text like those of functions."""

from api.chain.abi import Event
from api.chain.signatures import BOND_TERMS, SALE_TERMS, STATEMENT, TERMS


def _event(text: str) -> Event:
    """Event of `Name(type indexed name, …)`."""
    name, _, rest = text.partition("(")
    parts, depth, start = [], 0, 0
    for i, letter in enumerate(rest):
        depth += (letter == "(") - (letter == ")")
        if depth < 0 or (letter == "," and depth == 0):
            parts.append(rest[start:i].strip())
            start = i + 1
    words = [part.split(" ") for part in parts]
    return Event(name, tuple((w[-1], w[0], w[1] == "indexed") for w in words))


EVENTS = {
    "FacilityRegistry": (
        _event(
            "FacilityOffered(uint64 indexed facilityId, address indexed gpuOperator,"
            f" {TERMS} terms, (uint40,uint64)[] tranches)"
        ),
        _event("FacilityStateChanged(uint64 indexed facilityId, uint8 state)"),
        _event("DefaultDeclared(uint64 indexed facilityId, address indexed caller, uint8 reason)"),
        _event("ReceivableWrittenOff(uint64 indexed facilityId, uint256 amount)"),
    ),
    "StatementRegistry": (
        _event(
            "StatementPosted(uint64 indexed facilityId, uint32 indexed epoch,"
            f" bytes32 indexed statementHash, {STATEMENT} statement, address[] attesters,"
            " uint128 cumulativeGross)"
        ),
        _event(
            "StatementVoided(uint64 indexed facilityId, uint32 indexed epoch, uint8 fault,"
            " address indexed challenger, uint32 epochsPostedBefore)"
        ),
        _event(
            "AttesterPeriodSet(address indexed attester, uint40 activeFrom, uint40 activeUntil)"
        ),
        _event("ThresholdSet(uint8 threshold)"),
    ),
    "TrancheToken": (
        _event(
            "RevenueAccrued(uint256 indexed id, address indexed source, uint256 amount,"
            " uint256 unvested, uint64 streamEnd)"
        ),
        _event(
            "RevenueClaimed(address indexed holder, address indexed to, uint256 indexed id,"
            " uint256 amount)"
        ),
        _event(
            "RevenueClaimedBatch(address indexed holder, address indexed to, uint256[] ids,"
            " uint256[] amounts)"
        ),
        _event("StreamVested(uint256 indexed id, uint256 amount)"),
        _event(
            "TransferSingle(address indexed operator, address indexed from, address indexed to,"
            " uint256 id, uint256 value)"
        ),
        _event(
            "TransferBatch(address indexed operator, address indexed from, address indexed to,"
            " uint256[] ids, uint256[] values)"
        ),
    ),
    "RentLockbox": (
        _event(
            "RentPaid(uint64 indexed facilityId, bytes32 indexed lease, address indexed payer,"
            " uint256 amount, uint256 cumulativeCollected)"
        ),
        _event(
            "RentRefunded(uint64 indexed facilityId, address indexed payer, uint256 amount,"
            " uint256 cumulativeCollected)"
        ),
        _event(
            "Settled(uint64 indexed facilityId, uint32 settledEpochs, uint256 amount, uint256 fee,"
            " uint256 cumulativeSettled)"
        ),
        _event("Distributed(uint64 indexed facilityId, address indexed source, uint256 amount)"),
        _event(
            "ResidualOwed(uint64 indexed facilityId, address indexed gpuOperator, uint256 amount)"
        ),
        _event(
            "FeesPaid(uint64 indexed facilityId, address indexed token, address indexed to,"
            " uint256 amount)"
        ),
    ),
    "PrimarySale": (
        _event(f"SaleOpened(uint64 indexed facilityId, {SALE_TERMS} terms)"),
        _event(
            "UnitsSold(uint64 indexed facilityId, address indexed buyer, uint256 indexed id,"
            " uint256 units, uint256 cost, uint256 proceeds)"
        ),
        _event(
            "UnitsRefunded(uint64 indexed facilityId, address indexed holder, uint256 indexed id,"
            " uint256 units, uint256 amount, address to)"
        ),
        _event(
            "SaleSucceeded(uint64 indexed facilityId, uint256 soldUnits, uint256 proceeds,"
            " uint256 upFront)"
        ),
        _event("SaleFailed(uint64 indexed facilityId, uint256 soldUnits, uint256 floorUnits)"),
        _event(
            "UnitsRetained(uint64 indexed facilityId, address indexed gpuOperator,"
            " uint256 indexed id, uint256 units)"
        ),
        _event(
            "ProceedsReleased(uint64 indexed facilityId, address indexed gpuOperator,"
            " uint256 amount, uint256 released)"
        ),
        _event("ProceedsSeized(uint64 indexed facilityId, uint256 amount)"),
    ),
    "BondVault": (
        _event(f"BondTermsSet(uint64 indexed facilityId, {BOND_TERMS} terms)"),
        _event(
            "BondDeposited(uint64 indexed facilityId, address indexed payer, uint256 amount,"
            " uint256 bond)"
        ),
        _event(
            "ShortfallPaid(uint64 indexed facilityId, uint32 epochs, uint256 gpuSeconds,"
            " uint256 amount, uint256 bond)"
        ),
        _event(
            "UnservedPaid(uint64 indexed facilityId, address indexed holder, uint256 gpuSeconds,"
            " uint256 amount, uint256 bond)"
        ),
        _event(
            "BondReleased(uint64 indexed facilityId, address indexed gpuOperator, uint256 amount)"
        ),
        _event("BondSeized(uint64 indexed facilityId, uint256 amount)"),
        _event("SlashedDistributed(uint64 indexed facilityId, uint256 amount)"),
    ),
    "DeliveryDesk": (
        _event(
            "VoucherIssued(uint256 indexed voucherId, uint64 indexed facilityId,"
            " address indexed holder, uint256 id, uint256 units, bytes32 deliveryRef)"
        ),
        _event(
            "VoucherServed(uint256 indexed voucherId, uint32 indexed epoch, uint32 index,"
            " uint64 gpuSeconds)"
        ),
        _event(
            "VoucherPaid(uint256 indexed voucherId, address indexed holder, uint64 gpuSeconds,"
            " uint256 amount)"
        ),
    ),
}
