"""Finding refusals that take published evidence back: at the service, and at URLs of attesters."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from api.chain import calldata
from api.chain.client import ChainClient
from api.chain.contracts import Contracts
from api.chain.panels import panel_of
from api.cli.wiring import require_deployment
from api.domain.json_text import as_list, as_object, as_text, read_json
from api.domain.statements.refusal_files import SignedRefusal, refusal_from
from api.domain.statements.refusals import NO_HASH
from api.domain.units import Bytes32, Epoch, FacilityId
from api.errors import AppError, ChainRejected, Conflict
from api.settings import Settings

_TIMEOUT_S = 10.0
# A file has some two kilobytes, a list of all refusals of an attester more.
_MOST_BYTES = 4 << 20
_MOST_FILES = 100
_BROKEN = (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, LookupError, TypeError)


@dataclass(frozen=True, slots=True)
class Rejection:
    """What was found, in words, and the transaction; None where refusals are too few."""

    told: tuple[str, ...]
    call: str | None


def find_rejection(
    settings: Settings, facility_id: FacilityId, epoch: Epoch, *, service: str | None
) -> Rejection:
    """Look everywhere for refusals of what stands published, and put those together that count.

    Raises:  Conflict where nothing stands published, Misconfigured, ChainUnavailable.
    """
    deployment = require_deployment(settings)
    with closing(ChainClient(settings.rpc_url)) as client, httpx.Client(timeout=_TIMEOUT_S) as web:
        contracts = Contracts(client, deployment)
        head = client.head()
        registry = contracts.statement_registry
        published = registry.published_hash_of(facility_id, epoch).at(block=head.number)
        rejections = registry.openness_of(facility_id).at(block=head.number).rejections
        if published == NO_HASH:
            raise Conflict(f"facility {facility_id} has no evidence of epoch {epoch} published")
        panel = panel_of(contracts, facility_id, block=head.number)
        told: list[str] = []
        counting: dict[str, SignedRefusal] = {}
        places = list(_places(contracts, sorted(panel.attesters), head.number, service))
        for place, attester in places:
            try:
                if attester is None:
                    shown = list(_of_service(web, place, facility_id, epoch))
                else:
                    shown = list(_of_attester(web, place, facility_id, epoch))
            except _BROKEN as error:
                told.append(f"{place} cannot be read: {error!r}"[:300])
                continue
            for signed in shown:
                said = signed.refusal
                fits = (
                    (said.facility_id, said.epoch) == (facility_id, epoch)
                    and _about(signed) == (published, rejections)
                    and said.until_s >= head.time_s
                    and panel.seats(signed.attester)
                )
                if fits and signed.attester.lower() not in counting:
                    refused = _refused(client, contracts, signed)
                    if refused is None:
                        counting[signed.attester.lower()] = signed
                    else:
                        told.append(f"{signed.attester} at {place}: {refused}")
    named = ", ".join(sorted(signed.attester for signed in counting.values())) or "nobody"
    told.append(f"{len(counting)} of {panel.threshold} refuse it: {named}")
    if not panel.threshold or len(counting) < panel.threshold:
        return Rejection(tuple(told), None)
    data = calldata.reject(facility_id, epoch, published, counting.values())
    return Rejection(tuple(told), json.dumps({"to": deployment.attester_desk, "data": data}))


def _about(signed: SignedRefusal) -> tuple[Bytes32, int] | None:
    said = signed.refusal
    # One of a statement says nothing of what an operator publishes.
    return None if said.statement_hash != NO_HASH else (said.evidence_hash, said.rejections)


def _refused(client: ChainClient, contracts: Contracts, signed: SignedRefusal) -> str | None:
    """Why the chain would not take a refusal; None if it would."""
    desk, said = contracts.deployment.attester_desk, signed.refusal
    try:
        signed.require_for(chain_id=contracts.deployment.chain_id, desk=desk)
        data = calldata.refuse(said.facility_id, said.epoch, [signed])
        client.request("eth_call", {"to": desk, "data": data}, "latest")
    except ChainRejected as error:
        return f"the chain does not take it: {error.message}"
    except AppError as error:
        return error.message
    return None


def _places(
    contracts: Contracts, attesters: list[str], block: int, service: str | None
) -> Iterator[tuple[str, str | None]]:
    """The service, then URLs of attesters, with whose each is."""
    if service is not None:
        yield service.rstrip("/"), None
    if attesters:
        asked = [contracts.attester_registry.url_of(attester) for attester in attesters]
        urls = contracts.all_of(asked).at(block=block)
        for attester, url in zip(attesters, urls, strict=True):
            if urlsplit(url).scheme in ("http", "https"):
                yield url.rstrip("/"), attester


def _of_service(
    web: httpx.Client, url: str, facility_id: FacilityId, epoch: Epoch
) -> Iterator[SignedRefusal]:
    path = f"{url}/v1/facilities/{facility_id}/refusals?epoch={epoch}&limit=500"
    for row in as_list(as_object(_get(web, path))["refusals"]):
        yield from _signed(as_object(row).get("refusal"))


def _of_attester(
    web: httpx.Client, url: str, facility_id: FacilityId, epoch: Epoch
) -> Iterator[SignedRefusal]:
    listed = map(as_text, as_list(as_object(_get(web, f"{url}/index.json"))["refusals"]))
    begins = f"facility-{facility_id}-epoch-{epoch}-"
    names = [name for name in listed if name.startswith(begins) and name[len(begins) :].isascii()]
    for name in names[:_MOST_FILES]:
        yield from _signed(_get(web, f"{url}/{name}"))


def _signed(document: object) -> Iterator[SignedRefusal]:
    """One that cannot be read counts for nothing, and hides no other."""
    try:
        yield refusal_from(as_object(document))
    except (AppError, TypeError):
        return


def _get(web: httpx.Client, url: str) -> object:
    data = bytearray()
    with web.stream("GET", url) as answer:
        answer.raise_for_status()
        for part in answer.iter_bytes():
            data += part
            if len(data) > _MOST_BYTES:
                raise ValueError("the answer has no end")
    return read_json(bytes(data))
