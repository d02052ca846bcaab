"""Terms of facilities as the market needs them, kept in memory: they never change."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock

from api.db.session import Connection
from api.domain.facility import FacilityTerms, TrancheTerms
from api.domain.statements.evidence_reader import terms_from_bytes
from api.domain.units import Bytes32, FacilityId
from api.reads.sql.facilities import ListedFacilityRow, terms_documents

# A document lists up to all devices of a facility: some megabytes of them at a time are enough.
_DOCUMENTS_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class ShortTerms:
    """What the market needs of `facility.json`, without its devices."""

    tranches: tuple[TrancheTerms, ...]
    promised_availability_ppm: int
    fee_bps: int
    attester_fee_bps: int
    patience_s: int
    seal_s: int
    long_stop_s: int
    silence: str


def silence_word(terms: FacilityTerms) -> str:
    """What a device counts as, of which nothing was told: `available` or `unavailable`."""
    return "available" if terms.silence_available else "unavailable"


def _short(terms: FacilityTerms) -> ShortTerms:
    return ShortTerms(
        terms.tranches,
        terms.promised_availability_ppm,
        terms.fee_bps,
        terms.attester_fee_bps,
        terms.patience_s,
        terms.seal_s,
        terms.long_stop_s,
        silence_word(terms),
    )


class TermsCache:
    """Terms by terms hash, which names the facility and every term. Threads share it.

    Documents list all devices, and reading those of hundreds of facilities for every answer would
    take most of its time.
    """

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._kept: dict[Bytes32, ShortTerms] = {}
        self._lock = Lock()

    def terms_of(
        self,
        hashes: Collection[Bytes32],
        load: Callable[[Sequence[Bytes32]], Mapping[Bytes32, ShortTerms]],
    ) -> dict[Bytes32, ShortTerms]:
        """Terms by hash: those kept, and the others from `load`, which are kept from then on."""
        with self._lock:
            known = {h: self._kept[h] for h in hashes if h in self._kept}
        # Outside of the lock: a slow read holds nobody up, and two that load the same are harmless.
        loaded = load([h for h in hashes if h not in known])
        with self._lock:
            if len(self._kept) + len(loaded) > self._most:
                self._kept.clear()
            self._kept.update(loaded)
        return {**known, **loaded}


_CACHE = TermsCache(most=20_000)


def short_terms(
    connection: Connection, listed: Sequence[ListedFacilityRow]
) -> dict[FacilityId, ShortTerms]:
    """Terms by facility."""
    facility_by_hash = {facility.terms_hash: facility.facility_id for facility in listed}
    hash_by_facility = {facility.facility_id: facility.terms_hash for facility in listed}

    def load(hashes: Sequence[Bytes32]) -> dict[Bytes32, ShortTerms]:
        ids, loaded = [facility_by_hash[h] for h in hashes], {}
        for first in range(0, len(ids), _DOCUMENTS_AT_ONCE):
            documents = terms_documents(connection, ids[first : first + _DOCUMENTS_AT_ONCE])
            for facility_id, document in documents.items():
                loaded[hash_by_facility[facility_id]] = _short(terms_from_bytes(document))
        return loaded

    terms = _CACHE.terms_of(facility_by_hash.keys(), load)
    return {facility.facility_id: terms[facility.terms_hash] for facility in listed}
