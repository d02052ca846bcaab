"""What attesters earn of a facility's fees: by duties done, whatever others did (docs/DEAL.md).

The same rules as `AttesterDesk.sol`.
"""

from fractions import Fraction

from api.domain.facility import DAY_S, FacilityTerms
from api.domain.units import Micros
from api.errors import EvidenceInvalid

_BPS = 10_000
# From the closing to the end of bookings.
BOOKING_S = 90 * DAY_S


def to_attesters_micros(fees_micros: int, *, attester_fee_bps: int) -> Micros:
    """Attesters' part of all fees so far, rounded down."""
    return Micros(fees_micros * attester_fee_bps // _BPS)


def require_pay(terms: FacilityTerms, *, least_bps: int) -> None:
    """Raise EvidenceInvalid for an offer that leaves attesters less than a part of rent.

    Its operator alone names the fee and their share of it: they can only decline its pledge.
    """
    # A ten-thousandth of a ten-thousandth: so nothing is rounded.
    pay = terms.fee_bps * terms.attester_fee_bps
    if pay < least_bps * _BPS:
        told = f"{pay // _BPS}.{pay % _BPS:04}"
        message = f"the offer leaves attesters {told} basis points of rent, not {least_bps}"
        raise EvidenceInvalid(message)


def earned_micros(to_attesters: int, *, duties: Fraction, statements_due: int) -> Micros:
    """What duties earn: their part of all statements that are due, rounded down.

    to_attesters: attesters' part of all fees, micros.
    duties: statements, a seat of five adds a fifth for each.
    statements_due: of the facility in all, the closing one with them.
    """
    return Micros(int(to_attesters * duties / statements_due))
