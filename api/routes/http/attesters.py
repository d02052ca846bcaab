"""For whom an attester's key speaks, and what it may read: every attester's route asks here."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query, Security

from api.access.keys import Caller
from api.access.scopes import Scope
from api.chain.calldata import checksum
from api.db.session import reading
from api.errors import Forbidden
from api.reads.seats import seat_of
from api.routes.http.credentials import attester
from api.routes.http.parameters import FacilityPath
from api.routes.http.schemas import Address
from api.routes.service import ServiceDep


@dataclass(frozen=True, slots=True)
class Speaker:
    """An attester's process that calls. account: that of its key, with its EIP-55 checksum."""

    account: str

    def require_own(self, named: str) -> str:
        """The account that a request names, which must be the key's own.

        Raises:  Forbidden, `other_account`.
        """
        account = checksum(named)
        if account != self.account:
            message = f"this API key speaks for {self.account}, not for {account}"
            raise Forbidden(message, reason="other_account", attester=self.account)
        return account


def speaker(caller: Annotated[Caller, Depends(attester)]) -> Speaker:
    """Dependency: for whom an attester's key speaks. One of before names nobody and may nothing."""
    if caller.attester is None:
        message = (
            "this API key is older than keys that name an attester's account: have the service's"
            " admin make one that names yours (`rentroll keys create NAME --role attester"
            " --attester 0x…`)"
        )
        raise Forbidden(message, reason="no_account")
    return Speaker(caller.attester)


_Speaker = Annotated[Speaker, Depends(speaker)]


def own_account(
    speaker: _Speaker,
    attester: Annotated[Address, Query(description="Signing account: the API key's own.")],
) -> str:
    """Dependency: the account that is asked for, which must be the key's own."""
    return speaker.require_own(attester)


def seated(service: ServiceDep, speaker: _Speaker, facility_id: FacilityPath) -> Speaker:
    """Dependency: who has a seat on the facility's panel, now or announced."""
    now_s = service.clock()
    with reading(service.engine) as connection:
        seat = seat_of(connection, facility_id, speaker.account, now_s=now_s)
    obstacle = seat.obstacle(speaker.account, facility_id)
    if obstacle is not None:
        raise Forbidden(obstacle, reason="no_seat")
    return speaker


# Like those of `credentials`, each with the scope that it needs; there is no caller without one.
OwnAccount = Annotated[str, Security(own_account, scopes=[Scope.READ])]
SeatedReader = Annotated[Speaker, Security(seated, scopes=[Scope.READ])]
AttesterSigner = Annotated[Speaker, Security(speaker, scopes=[Scope.ATTEST])]
