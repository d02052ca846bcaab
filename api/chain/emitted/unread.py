"""Events of our contracts that nothing reads: of OpenZeppelin's bases and of configuration.

What they change is read from storage, or said by an event beside them. A reader of all logs knows
by them that a log that it cannot decode is none of our contracts' own.
"""

from api.domain.hashing import keccak

_AUTHORITY = "AuthorityUpdated(address)"
_DOMAIN = "EIP712DomainChanged()"
_PAUSES = ("Paused(address,uint256)", "Unpaused(address)")

UNREAD: dict[str, tuple[str, ...]] = {
    "FacilityRegistry": (
        _AUTHORITY,
        "FacilityReserved(uint64,address)",
        # FacilityStateChanged says the same.
        "OfferRemoved(uint64)",
        "SettlementTokenAllowed(address,bool)",
    ),
    "AttesterRegistry": (
        _AUTHORITY,
        # AttesterPeriodSet, emitted with it, says from and until when.
        "AttesterSet(address,bool)",
        # FacilityOffered names the panel that an offer was given.
        "OfferPanelSet(uint8)",
        "SlotTaken(uint8,address,address)",
        "Withdrawn(address,address,address,uint256)",
    ),
    "PledgeRegistry": (_DOMAIN,),
    # StatementSkipped, of a batch: what was not posted changed nothing.
    "StatementRegistry": (
        _AUTHORITY,
        _DOMAIN,
        *_PAUSES,
        "StatementSkipped(uint64,uint32,bytes)",
    ),
    "TrancheToken": (
        _AUTHORITY,
        *_PAUSES,
        "ApprovalForAll(address,address,bool)",
        "ContractURIUpdated()",
        "ForcedTransfer(address,address,uint256,uint256)",
        "Frozen(address,uint256,uint256)",
        "InvestorRegistrySet(address)",
        "RevenueSourceSet(address,bool)",
        "URI(string,uint256)",
        "UnitsBurned(address,uint256,uint256,uint8)",
    ),
    "RentLockbox": ("SettlementSkipped(uint64)", "Withdrawn(address,address,address,uint256)"),
    "PrimarySale": ("Withdrawn(address,address,address,uint256)",),
    "BondVault": ("Withdrawn(address,address,address,uint256)",),
    "DeliveryDesk": (_DOMAIN, "OrderCancelled(address,uint256)"),
    "WalletDesk": (
        _AUTHORITY,
        _DOMAIN,
        "ContractTookMoney(address)",
        "PositionsWatched(address,uint256[])",
        "UnitsRecovered(address,address,uint256,uint256,uint256)",
        "WalletActed(address)",
    ),
    "AttesterDesk": (_AUTHORITY, _DOMAIN, "Withdrawn(address,address,address,uint256)"),
    "RefundDesk": (_DOMAIN,),
}
UNREAD_TOPICS = {(c, keccak(text.encode())) for c, texts in UNREAD.items() for text in texts}
