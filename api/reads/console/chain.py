"""What the console reads of a facility from the chain, pinned to one block."""

from collections.abc import Iterable
from dataclasses import dataclass

from api.chain.contracts import Contracts
from api.domain.capital.sale import SaleState
from api.domain.lifecycle import FacilityState, notice_counts
from api.domain.units import FacilityId, tranche_id
from api.reads.console.tasks import ConsoleBondView, OpenEpochView


@dataclass(frozen=True, slots=True)
class OnChainView:
    """A facility as the contracts store it; the defaults are those of one not offered yet."""

    state: FacilityState = FacilityState.REGISTERED
    has_sale: bool = False
    units_issued: int = 0
    bond: ConsoleBondView | None = None
    open_epoch: OpenEpochView | None = None
    epochs_settled: int = 0
    releasable_micros: int = 0


class PinnedChain:
    """Reads at one block, so that the figures of an answer belong together."""

    def __init__(self, contracts: Contracts, block: int) -> None:
        self._contracts, self._block = contracts, block

    def state(self, facility_id: FacilityId) -> FacilityState:
        """Where the facility is in its life."""
        return self._contracts.facility_registry.state_of(facility_id).at(block=self._block)

    def challenge_window_s(self) -> int:
        """Seconds from posting to finality."""
        return self._contracts.statement_registry.challenge_window_s().at(block=self._block)

    def bond(self, facility_id: FacilityId) -> ConsoleBondView:
        """The bond. Only asked where its terms were set."""
        vault = self._contracts.bond_vault
        held, terms = self._contracts.together(
            vault.bond_micros(facility_id), vault.bond_terms_of(facility_id)
        ).at(block=self._block)
        return ConsoleBondView(
            bond_micros=held,
            required_bond_micros=terms.required_bond_micros,
            rate_micros_per_gpu_hour=terms.rate_micros_per_gpu_hour,
        )

    def open_epoch(self, facility_id: FacilityId) -> OpenEpochView:
        """The first epoch that is neither stated nor published; asked of one that delivers."""
        registry = self._contracts.facility_registry
        openness, ending = self._contracts.together(
            self._contracts.statement_registry.openness_of(facility_id),
            registry.ending_of(facility_id),
        ).at(block=self._block)
        epoch = openness.first_open
        noticed_at_s = registry.default_noticed_at_s(facility_id, epoch).at(block=self._block)
        counts = notice_counts(
            noticed_at_s,
            voided_at_s=openness.voided_at_s,
            rejected_at_s=openness.rejected_at_s,
        )
        return OpenEpochView(
            epoch,
            max(ending.funded_at_s, openness.voided_at_s),
            openness.rejected_at_s,
            noticed_at_s if counts else None,
        )

    def facility(self, facility_id: FacilityId, *, tranches: int, bonded: bool) -> OnChainView:
        """Everything the overview shows of one facility."""
        state = self.state(facility_id)
        if state is FacilityState.REGISTERED:
            return OnChainView()
        # Only the task before funding needs supplies: elsewhere the calls are saved.
        counted = range(tranches if state is FacilityState.OFFERED else 0)
        token, sales = self._contracts.tranche_token, self._contracts.primary_sale
        sale, rent, supplies = self._contracts.together(
            sales.book_of(facility_id),
            self._contracts.rent_lockbox.book_of(facility_id),
            self._contracts.all_of(
                [token.total_supply(tranche_id(facility_id, i)) for i in counted]
            ),
        ).at(block=self._block)
        has_sale = sale.state is not SaleState.NONE
        releasable = sales.releasable_micros(facility_id)
        return OnChainView(
            state,
            has_sale=has_sale,
            units_issued=sum(supplies),
            bond=self.bond(facility_id) if bonded else None,
            open_epoch=(
                self.open_epoch(facility_id) if state is FacilityState.DELIVERING else None
            ),
            epochs_settled=rent.settled_epochs,
            releasable_micros=releasable.at(block=self._block) if has_sale else 0,
        )

    def owed(self, account: str, tokens: Iterable[str]) -> dict[str, int]:
        """What an account may withdraw, by token: rent nobody held units for, proceeds, bonds."""
        rent, sale = self._contracts.rent_lockbox, self._contracts.primary_sale
        vaults = (rent, sale, self._contracts.bond_vault)
        named = list(tokens)
        owed = self._contracts.all_of(
            [
                self._contracts.all_of([v.owed_micros(token=t, account=account) for v in vaults])
                for t in named
            ]
        ).at(block=self._block)
        return {token: sum(parts) for token, parts in zip(named, owed, strict=True)}
