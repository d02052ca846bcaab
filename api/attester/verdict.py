"""What became of a thing to sign."""

from collections.abc import Callable
from dataclasses import dataclass

from api.attester.refusing import Found, found_by
from api.domain.statements.refusals import RefusalCode
from api.domain.units import Epoch, FacilityId
from api.errors import AppError
from api.evidence_store import HOSTILE


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an attester decided: signed, or refused with a reason.

    epoch: of the statement; None for the pledge of an offer, or one in its place.
    found: what a statement is refused for; None for what cannot be judged yet, and for pledges.
    refusal: file of the signed refusal.
    """

    facility_id: FacilityId
    epoch: Epoch | None
    signed: bool
    reason: str | None = None
    found: Found | None = None
    refusal: str | None = None


def verdict_of(facility_id: FacilityId, epoch: Epoch | None, act: Callable[[], None]) -> Verdict:
    """What became of one thing to sign; what is wrong with one keeps no other waiting."""
    try:
        act()
    except AppError as error:
        found = None if epoch is None else found_by(error)
        return Verdict(facility_id, epoch, signed=False, reason=error.message, found=found)
    except HOSTILE as error:
        # A service that hands out nonsense gets no signature, and does not stop us.
        what = "pledge" if epoch is None else "statement"
        reason = f"the input of the {what} is not readable: {error!r}"
        found = None if epoch is None else Found(RefusalCode.NOT_RECOMPUTED, "", reason)
        return Verdict(facility_id, epoch, signed=False, reason=reason, found=found)
    except Exception as error:
        # A fault of ours says nothing of the statement.
        reason = f"this attester failed at it: {error!r}"
        return Verdict(facility_id, epoch, signed=False, reason=reason)
    return Verdict(facility_id, epoch, signed=True)
