"""Events that the service reads: a dataclass each, named and ordered as the contract emits them."""

from api.chain.emitted.args import EventArgs
from api.chain.emitted.attester_desk import (
    AttesterPaid,
    DutyBooked,
    FeesSplit,
    FeesTaken,
    SignatureShown,
    StatementRefused,
    UnearnedReleased,
)
from api.chain.emitted.attester_registry import (
    AttesterBondDeposited,
    AttesterBondWithdrawn,
    AttesterPeriodSet,
    AttesterSlashed,
    AttesterUrlSet,
    PanelSet,
    SignedFaultProven,
    SlashedTaken,
)
from api.chain.emitted.bond_vault import (
    BondDeposited,
    BondReleased,
    BondSurrendered,
    BondTermsSet,
)
from api.chain.emitted.delivery_desk import (
    VoucherIssued,
    VoucherMoved,
    VoucherServed,
)
from api.chain.emitted.facility_registry import (
    DefaultDeclared,
    DefaultNoticed,
    FacilityOffered,
    FacilityStateChanged,
    LedgerKeySet,
    ReceivableWrittenOff,
    UnpaidNoticed,
)
from api.chain.emitted.pledge_registry import PledgeApproved
from api.chain.emitted.primary_sale import (
    ProceedsReleased,
    ProceedsSurrendered,
    SaleFailed,
    SaleOpened,
    SaleSucceeded,
    UnitsRefunded,
    UnitsSold,
)
from api.chain.emitted.refund_desk import CreditRefunded, CreditsApproved, ShareRefunded
from api.chain.emitted.rent_lockbox import (
    FacilityClosed,
    FeesPassed,
    LateRentShared,
    RentPaid,
    RentRefunded,
    ResidualOwed,
    Settled,
    VoucherPaid,
)
from api.chain.emitted.statement_registry import (
    EvidencePublished,
    EvidenceRejected,
    StatementPosted,
    StatementVoided,
)
from api.chain.emitted.tranche_token import (
    RevenueAccrued,
    RevenueClaimed,
    RevenueClaimedBatch,
    RevenueFlowedOn,
    TransferBatch,
    TransferSingle,
)
from api.chain.emitted.wallet_desk import (
    BeneficiaryNamed,
    BeneficiaryProposed,
    BeneficiaryRemoved,
    ProposalConfirmed,
    ProposalRejected,
    ProposalVoided,
    RecoveryProposed,
    WalletRecovered,
)

EVENTS: dict[str, tuple[type[EventArgs], ...]] = {
    "FacilityRegistry": (
        FacilityOffered,
        FacilityStateChanged,
        DefaultNoticed,
        DefaultDeclared,
        UnpaidNoticed,
        ReceivableWrittenOff,
        LedgerKeySet,
    ),
    "AttesterRegistry": (
        AttesterPeriodSet,
        PanelSet,
        AttesterUrlSet,
        AttesterBondDeposited,
        AttesterBondWithdrawn,
        AttesterSlashed,
        SlashedTaken,
        SignedFaultProven,
    ),
    "PledgeRegistry": (PledgeApproved,),
    "StatementRegistry": (
        StatementPosted,
        StatementVoided,
        EvidencePublished,
        EvidenceRejected,
    ),
    "TrancheToken": (
        RevenueAccrued,
        RevenueClaimed,
        RevenueClaimedBatch,
        RevenueFlowedOn,
        TransferSingle,
        TransferBatch,
    ),
    "RentLockbox": (
        RentPaid,
        RentRefunded,
        Settled,
        FacilityClosed,
        LateRentShared,
        VoucherPaid,
        ResidualOwed,
        FeesPassed,
    ),
    "PrimarySale": (
        SaleOpened,
        UnitsSold,
        UnitsRefunded,
        SaleSucceeded,
        SaleFailed,
        ProceedsReleased,
        ProceedsSurrendered,
    ),
    "BondVault": (
        BondTermsSet,
        BondDeposited,
        BondReleased,
        BondSurrendered,
    ),
    "DeliveryDesk": (
        VoucherIssued,
        VoucherMoved,
        VoucherServed,
    ),
    "WalletDesk": (
        RecoveryProposed,
        BeneficiaryProposed,
        ProposalConfirmed,
        ProposalVoided,
        ProposalRejected,
        WalletRecovered,
        BeneficiaryNamed,
        BeneficiaryRemoved,
    ),
    "AttesterDesk": (
        StatementRefused,
        SignatureShown,
        DutyBooked,
        FeesSplit,
        AttesterPaid,
        UnearnedReleased,
        FeesTaken,
    ),
    "RefundDesk": (CreditsApproved, CreditRefunded, ShareRefunded),
}
