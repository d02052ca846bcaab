"""What the console reads of a facility from the chain, pinned to one block."""

from collections.abc import Iterable
from dataclasses import dataclass

from api.chain.client import ChainClient
from api.chain.deployment import Deployment
from api.domain.lifecycle import FacilityState
from api.domain.units import FacilityId, tranche_id
from api.reads.console.tasks import Bond


@dataclass(frozen=True, slots=True)
class OnChain:
    """A facility as the contracts have it; the defaults are those of one that is not there."""

    state: FacilityState = FacilityState.REGISTERED
    has_sale: bool = False
    units_issued: int = 0
    bond: Bond | None = None
    epochs_settled: int = 0
    releasable_micros: int = 0


class PinnedChain:
    """Reads at one block, so that the figures of an answer belong together."""

    def __init__(self, client: ChainClient, deployment: Deployment, block: int) -> None:
        self._client, self._deployment, self._block = client, deployment, block

    def _read(self, contract: str, name: str, *arguments: object) -> int:
        address = self._deployment.addresses[contract]
        found: int = self._client.read(contract, address, name, *arguments, block=self._block)
        return found

    def state(self, facility_id: int) -> FacilityState:
        """Where the facility is in its life."""
        return FacilityState(self._read("FacilityRegistry", "stateOf", facility_id))

    def challenge_window_s(self) -> int:
        """Seconds from posting to finality."""
        return self._read("StatementRegistry", "challengeWindow")

    def bond(self, facility_id: int) -> Bond:
        """The bond. Only asked where its terms were set."""
        vault = self._deployment.bond_vault
        terms = self._client.read("BondVault", vault, "bondTermsOf", facility_id, block=self._block)
        required, rate, grace_s, default_after = terms
        return Bond(
            self._read("BondVault", "bondOf", facility_id),
            required,
            rate,
            grace_s,
            default_after,
            self._read("BondVault", "belowSince", facility_id) or None,
            self._read("BondVault", "shortfallDue", facility_id),
        )

    def facility(self, facility_id: int, *, tranches: int, bonded: bool) -> OnChain:
        """Everything the overview shows of one facility."""
        state = self.state(facility_id)
        if state is FacilityState.REGISTERED:
            return OnChain()
        sale = self._client.read(
            "PrimarySale",
            self._deployment.primary_sale,
            "bookOf",
            facility_id,
            block=self._block,
        )
        book = self._client.read(
            "RentLockbox",
            self._deployment.rent_lockbox,
            "bookOf",
            facility_id,
            block=self._block,
        )
        ids = [tranche_id(FacilityId(facility_id), i) for i in range(tranches)]
        # Supplies matter for what is missing before funding alone.
        issued = 0
        if state is FacilityState.OFFERED:
            issued = sum(self._read("TrancheToken", "totalSupply", i) for i in ids)
        return OnChain(
            state,
            has_sale=sale[0] != 0,
            units_issued=issued,
            bond=self.bond(facility_id) if bonded else None,
            epochs_settled=int(book[2]),
            releasable_micros=self._read("PrimarySale", "releasable", facility_id)
            if sale[0] != 0
            else 0,
        )

    def owed(self, account: str, tokens: Iterable[str]) -> dict[str, int]:
        """What an account may withdraw, by token: rent nobody held units for, proceeds, bonds."""
        vaults = ("RentLockbox", "PrimarySale", "BondVault")
        return {
            token: sum(self._read(vault, "owedTo", token, account) for vault in vaults)
            for token in tokens
        }
