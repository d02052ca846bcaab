"""What an attester did for a facility, what it earned, and the transactions that bring its pay."""

import json
from contextlib import closing
from dataclasses import dataclass

from api.chain import calldata
from api.chain.client import ChainClient
from api.chain.contracts import Contracts
from api.cli.wiring import require_deployment
from api.domain.units import Address, Epoch, FacilityId, Micros
from api.settings import Settings


@dataclass(frozen=True, slots=True)
class Duties:
    """Of one attester and facility, at the newest block; amounts in micros.

    due: statements of the facility in all.  booked, unbooked: numbers of the statements whose duty
    it did and that are booked, or can be: signed, posted and final.
    withdrawable: what `withdraw` pays now, of all facilities in that token.
    calls: transactions that book and pay, in order, as `{"to", "data"}`; anybody may send them.
    """

    facility_id: FacilityId
    attester: Address
    due: int
    booked: tuple[int, ...]
    unbooked: tuple[int, ...]
    earned_micros: Micros
    paid_micros: Micros
    withdrawable_micros: Micros
    calls: tuple[str, ...]


def duties_of(settings: Settings, facility_id: FacilityId, attester: str) -> Duties:
    """Read duties from the chain. Nothing is sent. Raises Misconfigured, ChainUnavailable."""
    deployment = require_deployment(settings)
    account = calldata.checksum(attester)
    with closing(ChainClient(settings.rpc_urls)) as client:
        contracts = Contracts(client, deployment)
        desk, statements = contracts.attester_desk, contracts.statement_registry
        block = client.head().number
        terms, final, closed = contracts.together(
            contracts.facility_registry.terms_of(facility_id),
            statements.epochs_final(facility_id),
            statements.is_closing_final(facility_id),
        ).at(block=block)
        numbers = [Epoch(number) for number in range(final + closed)]
        due, earned, paid, owed = contracts.together(
            desk.statements_due(facility_id),
            desk.earned_micros(facility_id, account),
            desk.paid_micros(facility_id, account),
            desk.owed_micros(terms.settlement_token, account),
        ).at(block=block)
        booked, signers, shown, refused = contracts.together(
            contracts.all_of([desk.is_booked(facility_id, n) for n in numbers]),
            contracts.all_of([statements.signers_of(facility_id, n) for n in numbers]),
            contracts.all_of([desk.shown_by(facility_id, n, account) for n in numbers]),
            contracts.all_of([desk.has_refused(facility_id, n, account) for n in numbers]),
        ).at(block=block)
        posted = contracts.all_of([statements.statement_of(facility_id, n) for n in numbers])
        stated = posted.at(block=block)
    did = [
        account.lower() in signers[n] or shown[n] == stated[n].statement_hash or refused[n]
        for n in numbers
    ]
    unbooked = tuple(n for n in numbers if did[n] and not booked[n])
    calls: list[tuple[str, tuple[object, ...]]]
    calls = [("book", (facility_id, n)) for n in unbooked]
    if unbooked or earned > paid:
        calls.append(("collect", (facility_id,)))
        calls.append(("pay", (facility_id, account)))
    return Duties(
        facility_id,
        account,
        due,
        tuple(n for n in numbers if did[n] and booked[n]),
        unbooked,
        earned,
        paid,
        owed,
        tuple(
            json.dumps(
                {
                    "to": deployment.attester_desk,
                    "data": calldata.call("AttesterDesk", name, *arguments),
                }
            )
            for name, arguments in calls
        ),
    )
