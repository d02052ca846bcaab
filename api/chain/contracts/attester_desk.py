"""AttesterDesk: which seat did its duty for which statement, and what it earned by that."""

from api.chain.contracts.call import Call, Contract, View
from api.domain.units import Bytes32, Epoch, FacilityId, Micros


class AttesterDesk(Contract):
    """View functions of AttesterDesk."""

    name = "AttesterDesk"
    _is_booked = View("isBooked", ("uint64", "uint32"), bool)
    _shown_by = View("shownBy", ("uint64", "uint32", "address"), Bytes32)
    _has_refused = View("hasRefused", ("uint64", "uint32", "address"), bool)
    _duties_of = View("dutiesOf", ("uint64", "address"), int, "uint256")
    _parts = View("partsPerStatement", (), int, "uint256")
    _statements_due = View("statementsDue", ("uint64",), int, "uint32")
    _earned_of = View("earnedOf", ("uint64", "address"), Micros, "uint256")
    _paid_to = View("paidTo", ("uint64", "address"), Micros, "uint256")
    _fees_of = View("feesOf", ("uint64",), Micros, "uint256")
    _released_of = View("releasedOf", ("uint64",), Micros, "uint256")
    _treasury_owed = View("treasuryOwed", ("address",), Micros, "uint256")
    _owed_to = View("owedTo", ("address", "address"), Micros, "uint256")

    def is_booked(self, facility_id: FacilityId, epoch: Epoch) -> Call[bool]:
        """Whether the duties for a statement are booked."""
        return self._call(self._is_booked, facility_id, epoch)

    def shown_by(self, facility_id: FacilityId, epoch: Epoch, attester: str) -> Call[Bytes32]:
        """Hash of the statement over which an attester showed a signature; zero for none."""
        return self._call(self._shown_by, facility_id, epoch, attester)

    def has_refused(self, facility_id: FacilityId, epoch: Epoch, attester: str) -> Call[bool]:
        """Whether an attester refused a statement of a number."""
        return self._call(self._has_refused, facility_id, epoch, attester)

    def duties_of(self, facility_id: FacilityId, attester: str) -> Call[int]:
        """Duties of an attester that are booked, in parts of a statement."""
        return self._call(self._duties_of, facility_id, attester)

    def parts_per_statement(self) -> Call[int]:
        """Parts in which duties are counted."""
        return self._call(self._parts)

    def statements_due(self, facility_id: FacilityId) -> Call[int]:
        """Statements that are due in all, the closing one with them."""
        return self._call(self._statements_due, facility_id)

    def earned_micros(self, facility_id: FacilityId, attester: str) -> Call[Micros]:
        """All that an attester earned of a facility's fees."""
        return self._call(self._earned_of, facility_id, attester)

    def paid_micros(self, facility_id: FacilityId, attester: str) -> Call[Micros]:
        """What of it was credited to the attester."""
        return self._call(self._paid_to, facility_id, attester)

    def fees_micros(self, facility_id: FacilityId) -> Call[Micros]:
        """Fees of a facility that came from the lockbox."""
        return self._call(self._fees_of, facility_id)

    def released_micros(self, facility_id: FacilityId) -> Call[Micros]:
        """Pay of duties that nobody did, which went to the treasury."""
        return self._call(self._released_of, facility_id)

    def treasury_owed_micros(self, token: str) -> Call[Micros]:
        """The treasury's part of fees that it did not take."""
        return self._call(self._treasury_owed, token)

    def owed_micros(self, token: str, account: str) -> Call[Micros]:
        """What an account may withdraw."""
        return self._call(self._owed_to, token, account)
