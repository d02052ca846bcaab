"""Published evidence that a takeover reads: of all of it only hashes are believed."""

from collections.abc import Iterator

from api.chain.calldata import checksum
from api.chain.erc1271 import signed_by
from api.domain.statements.evidence import FACILITY_FILE
from api.domain.statements.evidence_reader import read_attestations
from api.domain.statements.statement import Statement, statement_digest
from api.domain.units import Epoch, FacilityId
from api.errors import EvidenceInvalid, EvidenceUnreachable, NotFound
from api.evidence_store import HOSTILE
from api.rescue.published import is_named, named_in
from api.rescue.taken import Site, refused


def read_or_none(site: Site, path: str) -> bytes | None:
    """A published file, if it is there. Raises EvidenceUnreachable."""
    try:
        return site.source.read(path)
    except EvidenceUnreachable:
        # Nobody can tell whether it is there: nothing is made again in its place.
        raise
    except NotFound:
        return None


def read_published(site: Site, facility_id: FacilityId, path: str) -> bytes:
    """A published file. Raises TakeoverRefused where it is missing."""
    found = read_or_none(site, path)
    if found is None:
        raise refused(facility_id, "is not among the published evidence", file=path)
    return found


def named_files(
    site: Site, facility_id: FacilityId, epoch: Epoch, folder: str, manifest: bytes
) -> Iterator[tuple[str, bytes]]:
    """Files that a manifest names, each by its hash. Raises TakeoverRefused."""
    for name, named in named_in(manifest).items():
        if name == FACILITY_FILE:
            continue
        path = f"{folder}/{name}"
        data = read_published(site, facility_id, path)
        if not is_named(data, named):
            why = "has other bytes than were published"
            raise refused(facility_id, why, epoch=epoch, file=path)
        yield name, data


def signatures_in(site: Site, statement: Statement, data: bytes, path: str) -> dict[str, bytes]:
    """Signatures of a statement by account, each the account's over it.

    Of a contract that judges otherwise by now they are left out.
    Raises:  TakeoverRefused.
    """
    client, deployment = site.contracts.client, site.contracts.deployment
    digest = statement_digest(
        statement, chain_id=deployment.chain_id, registry=deployment.statement_registry
    )
    facility_id, epoch = statement.facility_id, statement.epoch
    try:
        found = {checksum(account): each for account, each in read_attestations(data).items()}
    except (EvidenceInvalid, *HOSTILE) as error:
        raise refused(facility_id, f"{error}", epoch=epoch, file=path) from error
    holding: dict[str, bytes] = {}
    for account, signature in found.items():
        if signed_by(client, account, digest, signature):
            holding[account] = signature
        elif not client.code(account):
            why = f"the signature of {account} is not its own over the statement"
            raise refused(facility_id, why, epoch=epoch, file=path)
    return holding
