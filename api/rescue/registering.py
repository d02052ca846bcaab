"""A facility from its escrow into a new database: operator, terms, names, replacements, reopenings.

Whatever the chain or a hash says of it is compared; the rest is the operator's word on its own.
"""

from sqlalchemy import Connection, select

from api.chain.emitted.args import read_payload
from api.chain.emitted.facility_registry import FacilityOffered
from api.chain.emitted.pledge_registry import PledgeApproved
from api.db.chain_store import events_named
from api.db.reopenings import add_reopening
from api.db.replacements import insert_replacement, replacements_of, withdraw
from api.db.rows import first_as, insert_record, insert_records, new_key
from api.db.tables.facilities import DeviceRow, FacilityRow, NewOperator, OperatorRow, operators
from api.db.tables.history import NewSuperseded
from api.domain.facility import FacilityTerms
from api.domain.hashing import device_hash, sha256
from api.domain.pledges import pledge_tree
from api.domain.statements.evidence import (
    ATTESTATIONS_FILE,
    FACILITY_FILE,
    MANIFEST_FILE,
    STATEMENT_FILE,
    facility_folder,
    superseded_folder,
)
from api.domain.statements.pledge_files import decode_pledge, pledge_path
from api.domain.statements.statement import statement_hash
from api.domain.statements.statement_file import read_statement
from api.domain.units import ZERO32, OperatorId
from api.errors import EvidenceInvalid
from api.evidence_store import HOSTILE
from api.ledger.escrow import Asked, EscrowState, Reopened, Replaced
from api.rescue.source import named_files, read_or_none, read_published, signatures_in
from api.rescue.taken import OnChain, Site, refused


def register_again(
    connection: Connection,
    site: Site,
    state: EscrowState,
    terms: FacilityTerms,
    chain: OnChain,
    *,
    offered: bool,
) -> OperatorId:
    """Write a facility as its escrow has it, with an empty log. Returns whose it is.

    Raises:  TakeoverRefused.
    """
    _require_ours(connection, site, state, terms, offered=offered)
    path = f"{facility_folder(state.facility_id)}/{FACILITY_FILE}"
    if read_or_none(site, path) not in (None, state.terms_json):
        raise refused(state.facility_id, "is not the terms of its escrow", file=path)
    site.evidence.write(path, state.terms_json)
    operator_id = _operator(connection, state)
    insert_record(connection, _facility(state, terms, operator_id))
    named = {device_hash(uuid): (uuid, card) for uuid, card in state.devices}
    pledge = [
        DeviceRow(
            facility_id=state.facility_id,
            device=device.device,
            uuid=named[device.device][0],
            card=device.card,
            card_uuid=named[device.device][1],
        )
        for device in terms.pledge
    ]
    insert_records(connection, pledge)
    _replacements(connection, site, state)
    _reopenings(connection, site, state, chain)
    return operator_id


def _require_ours(
    connection: Connection, site: Site, state: EscrowState, terms: FacilityTerms, *, offered: bool
) -> None:
    """Refuse terms of another deployment, or other ones than were offered."""
    facility_id, deployment = state.facility_id, site.contracts.deployment
    of = terms.chain_id, terms.registry.lower()
    if of != (deployment.chain_id, deployment.facility_registry.lower()):
        why = f"its escrow is of another deployment: chain {terms.chain_id}, {terms.registry}"
        raise refused(facility_id, why)
    if not offered:
        return
    row = events_named(connection, "FacilityOffered", facility_id=facility_id)[-1]
    on_chain = read_payload(FacilityOffered, row.payload).terms.terms_hash
    if on_chain != sha256(state.terms_json):
        why = "the facility.json of its escrow is not the one that was offered on-chain"
        raise refused(facility_id, why)


def _operator(connection: Connection, state: EscrowState) -> OperatorId:
    """Its operator, written with the first of its facilities."""
    address, name = state.operator_address, state.operator_name
    query = select(operators).where((operators.c.address == address) | (operators.c.name == name))
    known = first_as(OperatorRow, connection.execute(query))
    if known is None:
        new = NewOperator(name=name, address=address, created_at_s=state.created_at_s)
        return OperatorId(new_key(insert_record(connection, new)))
    if (known.address, known.name) != (address, name):
        why = (
            f"its operator is {name!r} ({address}), and another escrow's is {known.name!r}"
            f" ({known.address}): one name an address"
        )
        raise refused(state.facility_id, why)
    return known.operator_id


def _facility(state: EscrowState, terms: FacilityTerms, operator_id: OperatorId) -> FacilityRow:
    return FacilityRow(
        facility_id=state.facility_id,
        operator_id=operator_id,
        name=state.name,
        name_secret=state.name_secret,
        gpu_class=terms.gpu_class,
        site=terms.site,
        settlement_token=terms.settlement_token,
        window_start_s=terms.window_start_s,
        window_end_s=terms.window_end_s,
        expires_at_s=terms.expires_at_s,
        epoch_length_s=terms.epoch_length_s,
        device_count=terms.device_count,
        pledge_root=terms.pledge_tree.root,
        terms_json=state.terms_json,
        terms_hash=sha256(state.terms_json),
        grace_s=terms.grace_s,
        last_recorded_at_s=0,
        epochs_closed=0,
        log_size=0,
        log_head=ZERO32,
        longest_s=0,
        created_at_s=state.created_at_s,
    )


# --- replaced devices -----------------------------------------------------------------------------


def _replacements(connection: Connection, site: Site, state: EscrowState) -> None:
    facility_id = state.facility_id
    for asked in state.replacements:
        _require_pledge(site, asked)
        insert_replacement(connection, asked.new)
        if asked.withdrawn_at_s is not None:
            newest = replacements_of(connection, facility_id)[-1]
            withdraw(connection, newest.replacement_pk, withdrawn_at_s=asked.withdrawn_at_s)
        site.evidence.write(pledge_path(facility_id, asked.new.pledge_root), asked.new.document)
    known = {asked.new.pledge_root for asked in state.replacements}
    rows = events_named(connection, "PledgeApproved", facility_id=facility_id)
    events = sorted((read_payload(PledgeApproved, r.payload) for r in rows), key=lambda e: e.number)
    for event in events[1:]:
        if event.pledge_root not in known:
            why = (
                f"its escrow lacks the replacement from epoch {event.from_epoch} on, which the"
                " chain approved: it is of before. Its operator knows the device's name: pull it"
                " again, or add it to the state"
            )
            raise refused(facility_id, why, epoch=event.from_epoch)


def _require_pledge(site: Site, asked: Asked) -> None:
    """Refuse a pledge that is not the one of its root, or names that are not its devices'."""
    new = asked.new
    path = pledge_path(new.facility_id, new.pledge_root)
    try:
        of, pledge = decode_pledge(new.document, number=0)
        root = pledge_tree(new.facility_id, pledge.devices).root
    except (EvidenceInvalid, *HOSTILE) as error:
        raise refused(new.facility_id, f"its escrow's pledge: {error}", file=path) from error
    cards = {(device.device, device.card) for device in pledge.devices}
    named = device_hash(new.uuid), device_hash(new.card_uuid)
    same = (of, root, pledge.from_epoch) == (new.facility_id, new.pledge_root, new.from_epoch)
    if not same or named not in cards:
        why = "its escrow has another pledge, or other names of its devices"
        raise refused(new.facility_id, why, file=path)
    published = read_or_none(site, path)
    if published is not None and published != new.document:
        raise refused(new.facility_id, "is not the pledge of its root", file=path)


# --- reopenings -----------------------------------------------------------------------------------


def _reopenings(connection: Connection, site: Site, state: EscrowState, chain: OnChain) -> None:
    faults = dict(chain.voided)
    for opened in state.reopenings:
        epoch = opened.new.first_epoch
        if not faults.get(epoch):
            why = "its escrow has a reopening that no fault on-chain explains"
            raise refused(state.facility_id, why, epoch=epoch)
        faults[epoch] -= 1
        key = add_reopening(connection, opened.new)
        rows = [_superseded(site, opened, gone, key) for gone in opened.replaced]
        insert_records(connection, rows)


def _superseded(site: Site, opened: Reopened, gone: Replaced, key: int) -> NewSuperseded:
    """A statement that was replaced: its files are looked at by their hashes, and kept."""
    facility_id = opened.new.facility_id
    folder = superseded_folder(facility_id, gone.epoch, gone.statement_hash)
    said = read_published(site, facility_id, f"{folder}/{STATEMENT_FILE}")
    signed = read_published(site, facility_id, f"{folder}/{ATTESTATIONS_FILE}")
    try:
        statement = read_statement(said)
    except (EvidenceInvalid, *HOSTILE) as error:
        raise refused(facility_id, f"{error}", file=f"{folder}/{STATEMENT_FILE}") from error
    if statement_hash(statement) != gone.statement_hash:
        raise refused(facility_id, "is another statement", file=f"{folder}/{STATEMENT_FILE}")
    path = f"{folder}/{MANIFEST_FILE}"
    manifest = read_published(site, facility_id, path)
    if sha256(manifest) != statement.evidence_hash:
        why = "is not the manifest of its statement"
        raise refused(facility_id, why, epoch=gone.epoch, file=path)
    for name, data in named_files(site, facility_id, gone.epoch, folder, manifest):
        site.evidence.write(f"{folder}/{name}", data)
    site.evidence.write(path, manifest)
    signatures_in(site, statement, signed, f"{folder}/{ATTESTATIONS_FILE}")
    site.evidence.write(f"{folder}/{STATEMENT_FILE}", said)
    site.evidence.replace(f"{folder}/{ATTESTATIONS_FILE}", signed)
    return NewSuperseded(
        reopening_pk=key,
        facility_id=facility_id,
        epoch=gone.epoch,
        statement_hash=gone.statement_hash,
        evidence_hash=statement.evidence_hash,
        statement_json=said,
        attestations_json=signed,
        evidence=folder,
        reason=gone.reason,
        closed_at_s=gone.closed_at_s,
    )
