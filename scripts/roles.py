"""Who may call what: the table that deployment sets and tests compare with every compiled function.

Every external function that changes state stands in exactly one of two places: under a role, or
in `OPEN_FUNCTIONS`, where the contract itself checks the caller or lets everybody in.
"""

from dataclasses import dataclass

ADMIN, GOVERNANCE, GPU_OPERATOR, TREASURY, PAUSER, COMPLIANCE, ENFORCER, RESUMER = range(8)
# AccessManager's own: everybody has it. No function of ours is ever bound to it.
PUBLIC = 2**64 - 1


@dataclass(frozen=True)
class Role:
    """A role: its name, whether its actions wait for the configured delay, who may cancel them."""

    name: str
    delayed: bool
    guardian: int | None = None


# What changes rules or takes money waits; what protects holders acts at once.
ROLES: dict[int, Role] = {
    ADMIN: Role("admin", delayed=True),
    GOVERNANCE: Role("governance", delayed=True, guardian=PAUSER),
    GPU_OPERATOR: Role("gpuOperator", delayed=False),
    TREASURY: Role("treasury", delayed=True, guardian=PAUSER),
    PAUSER: Role("pauser", delayed=False),
    COMPLIANCE: Role("compliance", delayed=False),
    ENFORCER: Role("enforcer", delayed=False),
    # At once, and without a guardian: a pauser must not be able to keep its own pause.
    RESUMER: Role("resumer", delayed=False),
}
# Contracts of ours that hold a role, for one narrow purpose each. Nobody hands them over.
CONTRACT_ROLES: dict[str, int] = {"WalletDesk": ENFORCER}
# Roles that the configured admin gets; operators get theirs one by one.
HANDED_OVER = (GOVERNANCE, TREASURY, PAUSER, COMPLIANCE, ENFORCER, RESUMER, ADMIN)

# By name: all overloads of a name are bound alike.
ROLE_FUNCTIONS: dict[str, dict[int, tuple[str, ...]]] = {
    "FacilityRegistry": {
        GOVERNANCE: ("link", "remove", "setSettlementToken"),
        GPU_OPERATOR: ("offer", "reserve"),
    },
    "AttesterRegistry": {
        GOVERNANCE: ("setAttester", "setOfferPanel", "setPanel"),
        TREASURY: ("takeSlashed",),
    },
    "StatementRegistry": {PAUSER: ("pause",), RESUMER: ("unpause",)},
    "TrancheToken": {
        GOVERNANCE: ("setInvestorRegistry", "setMetadata", "setRevenueSource"),
        PAUSER: ("pause",),
        RESUMER: ("unpause",),
        ENFORCER: ("forcedTransfer", "setFrozenTokens"),
    },
    "InvestorRegistry": {
        GOVERNANCE: ("linkMirror", "setIdentityRegistry"),
        COMPLIANCE: ("setInvestor",),
    },
    "WalletDesk": {
        COMPLIANCE: ("proposeBeneficiary", "proposeRecovery"),
        ENFORCER: ("confirm", "reject", "removeBeneficiary"),
    },
    "AttesterDesk": {TREASURY: ("takeFees",)},
}

# Takes the authority alone as its caller (OpenZeppelin AccessManaged).
AUTHORITY_ONLY = ("setAuthority",)

OPEN_FUNCTIONS: dict[str, tuple[str, ...]] = {
    "FacilityRegistry": (
        "cancel",
        "declareDefault",
        "expire",
        "fund",
        "markClosed",
        "mature",
        "noticeDefault",
        "noticeUnpaid",
        "setLedgerKey",
        "stop",
    ),
    "PledgeRegistry": ("approve", "replace"),
    "AttesterRegistry": (
        "chargeEquivocation",
        "chargeShown",
        "chargeSigners",
        "depositBond",
        "setUrl",
        "slash",
        "withdraw",
        "withdrawBond",
        "withdrawFor",
    ),
    "StatementRegistry": (
        "bar",
        "challengeDevice",
        "challengeDoublePledge",
        "challengeLine",
        "challengePair",
        "post",
        "postMany",
        "postSigned",
        "postTogether",
        "publish",
        "takeBack",
    ),
    "TrancheToken": (
        "accrue",
        "activate",
        "burnExpired",
        "burnForDelivery",
        "burnForRefund",
        "claim",
        "claimFor",
        "mint",
        "mirrorInvestor",
        "safeBatchTransferFrom",
        "safeTransferFrom",
        "setApprovalForAll",
        "watch",
    ),
    "InvestorRegistry": ("onboard", "resync"),
    "WalletDesk": (
        "cancel",
        "cancelBySig",
        "claimBySig",
        "collectPayout",
        "collectRevenue",
        "collectUnits",
        "collectVouchers",
        "execute",
        "multicall",
        "noteAct",
        "refundBySig",
        "retract",
        "watch",
        "withdrawBySig",
    ),
    "DeliveryDesk": ("cancelOrder", "moveVouchers", "serve", "takeDelivery"),
    "TrancheMetadata": (),
    "AttesterDesk": (
        "book",
        "collect",
        "pay",
        "refuse",
        "reject",
        "releaseUnearned",
        "showSignatures",
        "withdraw",
        "withdrawFor",
    ),
    "RefundDesk": ("approveCredits", "refundCredit", "refundShare"),
    "RentLockbox": (
        "close",
        "passFees",
        "payRent",
        "payVoucher",
        "refundExcess",
        "settle",
        "settleMany",
        "settleTogether",
        "withdraw",
        "withdrawFor",
    ),
    "PrimarySale": (
        "buy",
        "buyWithAuthorization",
        "buyWithPermit",
        "finalize",
        "open",
        "refund",
        "refundFor",
        "refundTo",
        "release",
        "surrender",
        "withdraw",
        "withdrawFor",
    ),
    "BondVault": ("deposit", "release", "setTerms", "surrender", "withdraw", "withdrawFor"),
}
