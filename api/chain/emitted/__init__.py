"""Events that the service reads: a dataclass each, named and ordered as the contract emits them."""

from api.chain.emitted.args import EventArgs
from api.chain.emitted.bond_vault import (
    BondDeposited,
    BondReleased,
    BondSeized,
    BondTermsSet,
    ShortfallPaid,
    SlashedDistributed,
    UnservedPaid,
)
from api.chain.emitted.delivery_desk import (
    VoucherIssued,
    VoucherPaid,
    VoucherServed,
)
from api.chain.emitted.facility_registry import (
    DefaultDeclared,
    FacilityOffered,
    FacilityStateChanged,
    ReceivableWrittenOff,
)
from api.chain.emitted.primary_sale import (
    ProceedsReleased,
    ProceedsSeized,
    SaleFailed,
    SaleOpened,
    SaleSucceeded,
    UnitsRefunded,
    UnitsSold,
)
from api.chain.emitted.rent_lockbox import (
    Distributed,
    FeesPaid,
    RentPaid,
    RentRefunded,
    ResidualOwed,
    Settled,
)
from api.chain.emitted.statement_registry import (
    AttesterPeriodSet,
    StatementPosted,
    StatementVoided,
    ThresholdSet,
)
from api.chain.emitted.tranche_token import (
    RevenueAccrued,
    RevenueClaimed,
    RevenueClaimedBatch,
    RevenueFlowedOn,
    TransferBatch,
    TransferSingle,
)

EVENTS: dict[str, tuple[type[EventArgs], ...]] = {
    "FacilityRegistry": (
        FacilityOffered,
        FacilityStateChanged,
        DefaultDeclared,
        ReceivableWrittenOff,
    ),
    "StatementRegistry": (
        StatementPosted,
        StatementVoided,
        AttesterPeriodSet,
        ThresholdSet,
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
        Distributed,
        ResidualOwed,
        FeesPaid,
    ),
    "PrimarySale": (
        SaleOpened,
        UnitsSold,
        UnitsRefunded,
        SaleSucceeded,
        SaleFailed,
        ProceedsReleased,
        ProceedsSeized,
    ),
    "BondVault": (
        BondTermsSet,
        BondDeposited,
        ShortfallPaid,
        UnservedPaid,
        BondReleased,
        BondSeized,
        SlashedDistributed,
    ),
    "DeliveryDesk": (
        VoucherIssued,
        VoucherServed,
        VoucherPaid,
    ),
}
