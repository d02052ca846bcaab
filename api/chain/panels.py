"""Panels: which attesters' signatures count for a facility, as the contracts say in one block."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from api.chain.client import ChainClient
from api.chain.contracts import Contracts
from api.chain.contracts.attester_registry import Seats
from api.chain.erc1271 import accepts_signature
from api.chain.packed import packed
from api.chain.signer import recover
from api.domain.units import FacilityId
from api.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class PanelOfFacility:
    """The panel of a facility. attesters: accounts in its seats, lower-case."""

    facility_id: FacilityId
    number: int
    threshold: int
    attesters: frozenset[str]

    def seats(self, account: str) -> bool:
        """Whether an account has one of its seats."""
        return account.lower() in self.attesters


def panel_of(contracts: Contracts, facility_id: FacilityId, *, block: int) -> PanelOfFacility:
    """Panel of a facility; without seats for one that was never offered."""
    terms = contracts.facility_registry.epoch_terms_of(facility_id).at(block=block)
    if terms.panel == 0:
        return seated(facility_id, 0, None)
    seats = contracts.attester_registry.panel_of(terms.panel).at(block=block)
    return seated(facility_id, terms.panel, seats)


def facilities_of(
    contracts: Contracts, facility_ids: Sequence[FacilityId], account: str, *, block: int
) -> list[FacilityId]:
    """Those of some facilities on whose panel an account sits, read with few requests for all."""
    terms_of = contracts.facility_registry.epoch_terms_of
    terms = packed(contracts.all_of([terms_of(i) for i in facility_ids]), block=block)
    numbers = sorted({each.panel for each in terms} - {0})
    seats_of = contracts.attester_registry.panel_of
    seats = packed(contracts.all_of([seats_of(number) for number in numbers]), block=block)
    panels = dict(zip(numbers, seats, strict=True))
    return [
        facility_id
        for facility_id, each in zip(facility_ids, terms, strict=True)
        if seated(facility_id, each.panel, panels.get(each.panel)).seats(account)
    ]


def seated(facility_id: FacilityId, number: int, seats: Seats | None) -> PanelOfFacility:
    """A panel of a facility with the seats that the contracts say; None for no panel."""
    if seats is None:
        return PanelOfFacility(facility_id, 0, 0, frozenset())
    attesters = frozenset(account.lower() for account in seats.attesters)
    return PanelOfFacility(facility_id, number, seats.threshold, attesters)


def require_counting(
    contracts: Contracts, panel: PanelOfFacility, attester: str, *, block: int
) -> None:
    """Refuse an account whose signatures do not count for a facility. Raises InvalidInput."""
    if not panel.seats(attester):
        message = (
            f"{attester} has no seat on panel {panel.number} of facility {panel.facility_id}"
            if panel.number
            else f"facility {panel.facility_id} was not offered: it has no panel of attesters"
        )
        raise InvalidInput(message, field="attester")
    if not contracts.attester_registry.is_attester(attester).at(block=block):
        message = (
            f"signatures of {attester} do not count: it is no active member of the attester set,"
            " or its bond is below the minimum"
        )
        raise InvalidInput(message, field="attester")


@dataclass(frozen=True, slots=True)
class Counting:
    """Signatures that count, of keys and of contracts, each by account.

    Whether a contract signed is its own to say, at any time and for any gas: where keys are enough,
    none is asked on-chain. One that is left out is paid for what anybody shows of it later.
    """

    by_key: Mapping[str, bytes]
    by_contract: Mapping[str, bytes]

    def __len__(self) -> int:
        return len(self.by_key) + len(self.by_contract)

    def for_posting(self, threshold: int) -> dict[str, bytes]:
        """All of keys, and of contracts as many as those lack of a quorum."""
        lacking = max(0, threshold - len(self.by_key))
        return dict([*self.by_key.items(), *_first(self.by_contract, lacking)])

    def least(self, threshold: int) -> dict[str, bytes]:
        """As many as a quorum takes, keys first: each costs gas."""
        keys = _first(self.by_key, threshold)
        return dict([*keys, *_first(self.by_contract, threshold - len(keys))])


def _first(signatures: Mapping[str, bytes], count: int) -> list[tuple[str, bytes]]:
    return sorted(signatures.items(), key=lambda signed: int(signed[0], 16))[:count]


def counting(
    contracts: Contracts,
    panel: PanelOfFacility,
    signatures: Mapping[str, bytes],
    *,
    digest: bytes,
    block: int,
) -> Counting:
    """Of some signatures over a digest those that count: the contracts refuse all for one that does
    not. A contract that signed may have changed its mind since, and is asked again."""
    on_panel = [attester for attester in signatures if panel.seats(attester)]
    asked = [contracts.attester_registry.is_attester(attester) for attester in on_panel]
    answers = contracts.all_of(asked).at(block=block) if asked else []
    members = {a for a, counts in zip(on_panel, answers, strict=True) if counts}
    return counted(contracts.client, panel, signatures, members=members, digest=digest, block=block)


def counted(
    client: ChainClient,
    panel: PanelOfFacility,
    signatures: Mapping[str, bytes],
    *,
    members: Collection[str],
    digest: bytes,
    block: int,
) -> Counting:
    """The same, where it is known who of all that signed is an active member with its bond."""
    by_key, by_contract = {}, {}
    for attester in [a for a in signatures if a in members and panel.seats(a)]:
        signature = signatures[attester]
        if recover(digest, signature) == attester:
            by_key[attester] = signature
        elif accepts_signature(client, attester, digest, signature, block=block):
            by_contract[attester] = signature
    return Counting(by_key, by_contract)


def attester_warnings(contracts: Contracts, account: str) -> list[str]:
    """What keeps signatures of an account from counting at the newest block, in words.

    Raises:  ChainUnavailable.
    """
    block, registry = contracts.client.head().number, contracts.attester_registry
    bond, minimum, counts, panels = contracts.together(
        registry.bond_micros(account),
        registry.minimum_bond_micros(),
        registry.is_attester(account),
        registry.panel_count(),
    ).at(block=block)
    numbers = range(1, panels + 1)
    seats = contracts.all_of([registry.panel_of(number) for number in numbers]).at(block=block)
    found = []
    if bond < minimum:
        found.append(f"the bond of {account} is {bond} micros, below the minimum of {minimum}")
    elif not counts:
        found.append(f"{account} is no active member of the attester set")
    if not any(account.lower() in map(str.lower, panel.attesters) for panel in seats):
        found.append(f"{account} sits on no panel")
    return found
