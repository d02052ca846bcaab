"""Signing pledges: of offers, and in the place of those in force."""

from collections.abc import Iterator
from functools import partial

from api.attester.account import AttesterAccount
from api.attester.chain_facts import ChainFacts
from api.attester.client import HttpAttesterApi
from api.attester.requirements import require_offered
from api.attester.verdict import Verdict, verdict_of
from api.domain.capital.duties import require_pay
from api.domain.facility import FacilityTerms, check_terms, require_own_log
from api.domain.pledges import OFFER_EPOCH, PledgeApproval, approval_preimage
from api.domain.statements.evidence import FACILITY_FILE, facility_folder
from api.domain.statements.evidence_reader import decode_facility
from api.domain.units import Bytes32, Epoch, FacilityId
from api.errors import EvidenceInvalid
from api.evidence_store import EvidenceSource


def read_terms(evidence: EvidenceSource, facility_id: FacilityId) -> FacilityTerms:
    """Published terms of a facility."""
    return decode_facility(evidence.read(f"{facility_folder(facility_id)}/{FACILITY_FILE}"))


def require_log_of(terms: FacilityTerms, facts: ChainFacts) -> None:
    """Refuse terms that name the log of another chain or registry. Raises EvidenceInvalid."""
    require_own_log(terms, chain_id=facts.chain_id, registry=facts.facility_registry)


class PledgeSigner:
    """Signs the pledges that clash with none."""

    def __init__(
        self,
        api: HttpAttesterApi,
        evidence: EvidenceSource,
        account: AttesterAccount,
        facts: ChainFacts,
        *,
        least_pay_bps: int,
    ) -> None:
        """Args: least_pay_bps: least attesters' part of rent for which it approves a pledge."""
        self._api, self._evidence, self._account, self._facts = api, evidence, account, facts
        self._least_pay_bps = least_pay_bps

    def pending(self) -> Iterator[Verdict]:
        """Verdicts on what waits, of facilities on whose panel the account sits."""
        account = self._account.address
        pledges = self._api.pending_pledges(account)
        replacements = self._api.pending_replacements(account)
        ids = {*pledges, *(facility_id for facility_id, _, _ in replacements)}
        seated = self._facts.seated(ids, account)
        for facility_id in filter(seated.__contains__, pledges):
            yield verdict_of(facility_id, None, partial(self._sign_pledge, facility_id))
        for facility_id, epoch, root in replacements:
            if facility_id in seated:
                act = partial(self._sign_replacement, facility_id, epoch, root)
                yield verdict_of(facility_id, None, act)

    def _sign_pledge(self, facility_id: FacilityId) -> None:
        waiting = self._facts.waiting_offer(facility_id)
        if not waiting.waits:
            raise EvidenceInvalid("the pledge waits for no approval on-chain")
        terms = read_terms(self._evidence, facility_id)
        require_offered(terms, waiting.offered)
        require_log_of(terms, self._facts)
        check_terms(terms)
        require_pay(terms, least_bps=self._least_pay_bps)
        self._facts.require_free(terms, approvals=waiting.approvals)
        approval = PledgeApproval(
            facility_id,
            waiting.offered.pledge_root,
            waiting.offered.device_count,
            OFFER_EPOCH,
            waiting.approvals,
        )
        preimage = approval_preimage(
            approval, chain_id=self._facts.chain_id, registry=self._facts.pledge_registry
        )
        self._api.submit_pledge(
            facility_id,
            self._account.address,
            approvals=waiting.approvals,
            signature=self._account.sign(preimage),
        )

    def _sign_replacement(self, facility_id: FacilityId, from_epoch: Epoch, root: Bytes32) -> None:
        terms = read_terms(self._evidence, facility_id)
        require_offered(terms, self._facts.offered(facility_id))
        approvals = self._facts.require_replaceable(facility_id, terms, from_epoch)
        self._facts.require_replacement_free(
            terms, root=root, from_epoch=from_epoch, approvals=approvals
        )
        approval = PledgeApproval(facility_id, root, terms.device_count, from_epoch, approvals)
        preimage = approval_preimage(
            approval, chain_id=self._facts.chain_id, registry=self._facts.pledge_registry
        )
        self._api.submit_replacement(
            facility_id,
            root,
            self._account.address,
            approvals=approvals,
            signature=self._account.sign(preimage),
        )
