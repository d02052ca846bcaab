"""RefundDesk: to whom rent above what is attested goes back."""

from api.chain.contracts.call import Call, Contract, View
from api.domain.units import Bytes32, FacilityId


class RefundDesk(Contract):
    """View functions of RefundDesk."""

    name = "RefundDesk"
    _credits_digest = View("creditsDigest", ("uint64", "bytes32"), Bytes32)
    _credits_root_of = View("creditsRootOf", ("uint64",), Bytes32)
    _shares_from = View("sharesFrom", ("uint64",), int, "uint64")

    def credits_digest(self, facility_id: FacilityId, root: bytes) -> Call[Bytes32]:
        """What attesters sign of a facility's credits."""
        return self._call(self._credits_digest, facility_id, root)

    def credits_root_of(self, facility_id: FacilityId) -> Call[Bytes32]:
        """Root over the credits that the panel signed; zero if none is approved."""
        return self._call(self._credits_root_of, facility_id)

    def shares_from_s(self, facility_id: FacilityId) -> Call[int]:
        """From when what is left goes back pro rata, UTC second; 0 until the closing."""
        return self._call(self._shares_from, facility_id)
