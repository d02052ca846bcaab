"""Forks of a log, proven: the end that was signed over, and what stands there now, both signed."""

from dataclasses import replace

from api.attester.client import HttpAttesterApi
from api.attester.failures import NotYet
from api.attester.memory import SignedMemory
from api.attester.pledge_signing import read_terms
from api.attester.refusing import Found
from api.domain.log.entry import LogEnd, entry_hash
from api.domain.log.receipts import SignedEntry
from api.domain.log.signers import LogSigners, only
from api.domain.statements.refusals import RefusalCode
from api.domain.units import ZERO32, FacilityId
from api.errors import AppError
from api.evidence_store import HOSTILE, EvidenceSource


class Forks:
    """Asks the service to sign each end of a log that is signed over: it cannot deny it later."""

    def __init__(
        self, api: HttpAttesterApi, evidence: EvidenceSource, memory: SignedMemory
    ) -> None:
        self._api, self._evidence, self._memory = api, evidence, memory

    def signed_end(
        self, facility_id: FacilityId, end: LogEnd, signers: LogSigners
    ) -> SignedEntry | None:
        """The entry at the end of a log, signed by its key; None of an empty log, or one without
        a key.

        Args:    signers: keys of the log, as far as it was read.

        Raises:  NotYet if what the service signs is another or nothing; ServiceAway.
        """
        if signers.present == ZERO32 or not end.size:
            return None
        signed = self._api.signed_entry(facility_id, end.size)
        if entry_hash(signed.entry) != end.head:
            raise NotYet(f"the service signs another entry {end.size} of the log than it shows")
        try:
            signed.require_signed(signers)
        except AppError as error:
            raise NotYet(error.message) from error
        return signed

    def proven(self, facility_id: FacilityId, found: Found) -> Found:
        """What was found, as a fork where the log's key signed both entries."""
        number = found.place.removeprefix("log:")
        if found.code is not RefusalCode.MEMORY_CONTRADICTED or not number.isdecimal():
            return found
        ours = self._memory.signed_end(facility_id, int(number))
        if ours is None:
            return found
        try:
            theirs = self._api.signed_entry(facility_id, int(number))
            signers = self._signers(facility_id)
            for each in (ours, theirs):
                signers.require_signer(each.entry, each.signature, where=each.where)
        except (AppError, *HOSTILE):
            # Without both it is a contradiction, which nobody else can check.
            return found
        if not ours.forks(theirs):
            return found
        message = f"the log was forked: its key signed two entries {number}"
        return replace(found, code=RefusalCode.LOG_FORKED, message=message, fork=(ours, theirs))

    def _signers(self, facility_id: FacilityId) -> LogSigners:
        """Keys of the log, as the service shows them: each is proven by the one before. One that
        the ledger key names proves nothing here, and the fork stays a contradiction."""
        terms = read_terms(self._evidence, facility_id)
        signers = only(terms.log_key)
        for logged in self._api.successors(facility_id):
            signers = signers.followed(logged, log=terms.log, believes=lambda _author, _key: False)
        return signers
