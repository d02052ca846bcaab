"""Asking for a failed card to be replaced: what books and chain allow, before anybody signs."""

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text

from api.chain.contracts import Contracts
from api.chain.running import Running, running_of
from api.db.facilities import lock_own_facility, own_facility_row
from api.db.replacements import (
    insert_replacement,
    renew_replacement,
    replacements_of,
    withdraw,
)
from api.db.session import is_sqlite, reading, write
from api.db.tables.facilities import FacilityRow
from api.db.tables.replacements import NewReplacement, ReplacementRow
from api.domain.devices import DeviceName, check_device, check_device_name, check_devices
from api.domain.facility import FacilityTerms
from api.domain.hashing import device_hash
from api.domain.lifecycle import ReplacementState
from api.domain.pledges import PledgedDevice, pledge_tree
from api.domain.roster import Roster, replaced
from api.domain.statements.evidence_reader import terms_from_bytes
from api.domain.statements.pledge_files import encode_pledge, pledge_path
from api.domain.units import Bytes32, Epoch, FacilityId, OperatorId
from api.errors import Conflict, InvalidInput, NotFound
from api.evidence_store import EvidenceFolder
from api.ledger.facilities import device_names, require_free_elsewhere
from api.ledger.rosters import Replacement, replacements_in, roster_of

# Requests that nobody approved in time, or that were taken back, of one facility.
MOST_LAPSED = 64


@dataclass(frozen=True, slots=True)
class Wanted:
    """A device that shall take another's place.

    new: a whole card by its name alone, a slice with its card and profile.
    from_epoch: None for the first that the contract takes.
    """

    old: str
    new: DeviceName
    reason: str
    from_epoch: Epoch | None = None


def replace_device(
    engine: Engine,
    evidence: EvidenceFolder,
    contracts: Contracts | None,
    *,
    operator_id: OperatorId,
    facility_id: FacilityId,
    wanted: Wanted,
    now_s: int,
) -> tuple[Replacement, bool]:
    """Ask for a device to be replaced, and publish the pledge that attesters are to sign.

    The file is written whole before the commit. A crash between the two leaves a file that nobody
    asks anybody to sign; the same request again makes the same bytes.

    Returns: the replacement, and whether it is new: asked again, it is the one that waits.
    Raises:  NotFound, InvalidInput naming the field, Conflict (`facility_not_running`,
             `index_behind`, `replacement_pending`, `replacement_too_early`,
             `replacement_repeats`, `replacements_lapsed`, `device_pledged`,
             `slice_of_another_card`), ChainUnavailable, Misconfigured.
    """
    check_device(wanted.old)
    check_device_name(wanted.new)
    # Before the chain is asked: a stranger's request costs nothing.
    with reading(engine) as connection:
        own_facility_row(connection, operator_id, facility_id)
    running = running_of(contracts, facility_id)

    def work(connection: Connection) -> tuple[Replacement, bool]:
        row = lock_own_facility(connection, operator_id, facility_id)
        if not is_sqlite(connection):
            # Two operators must not pledge one device at the same moment.
            connection.execute(text("LOCK TABLE devices IN SHARE ROW EXCLUSIVE MODE"))
        return _replace(connection, evidence, row, wanted, running=running, now_s=now_s)

    return write(engine, work)


def withdraw_replacement(
    engine: Engine,
    contracts: Contracts | None,
    *,
    operator_id: OperatorId,
    facility_id: FacilityId,
    root: Bytes32,
    now_s: int,
) -> Replacement:
    """Take back a replacement that waits: no signature is asked for or taken any more.

    Its document stays published and its request known, for the operator may hold a transaction
    that is signed: what the chain approves is in force, also of what was taken back.

    Returns: the replacement; taken back again, it is as it was.
    Raises:  NotFound, Conflict (`replacement_not_pending`, `index_behind`), ChainUnavailable,
             Misconfigured.
    """
    with reading(engine) as connection:
        own_facility_row(connection, operator_id, facility_id)
    running = running_of(contracts, facility_id)

    def work(connection: Connection) -> Replacement:
        terms = terms_from_bytes(lock_own_facility(connection, operator_id, facility_id).terms_json)
        found = _asked_for(connection, terms, root, now_s=running.now_s)
        if found.undecided and root in running.approved:
            message = f"the replacement from epoch {found.row.from_epoch} was approved just now"
            raise Conflict(message, reason="index_behind")
        if found.state is ReplacementState.WITHDRAWN:
            return found
        if not found.pending:
            message = f"the replacement from epoch {found.row.from_epoch} is {found.state.value}"
            raise Conflict(message, reason="replacement_not_pending", state=found.state.value)
        withdraw(connection, found.row.replacement_pk, withdrawn_at_s=now_s)
        return _asked_for(connection, terms, root, now_s=running.now_s)

    return write(engine, work)


def _asked_for(
    connection: Connection, terms: FacilityTerms, root: Bytes32, *, now_s: int
) -> Replacement:
    for found in replacements_in(connection, terms, now_s=now_s):
        if found.row.pledge_root == root:
            return found
    message = f"facility {terms.facility_id} has no replacement with this root"
    raise NotFound(message, facility_id=terms.facility_id)


def _replace(
    connection: Connection,
    evidence: EvidenceFolder,
    row: FacilityRow,
    wanted: Wanted,
    *,
    running: Running,
    now_s: int,
) -> tuple[Replacement, bool]:
    terms = terms_from_bytes(row.terms_json)
    for found in replacements_in(connection, terms, now_s=running.now_s):
        if not found.pending:
            continue
        same = (found.row.old_uuid, found.row.uuid, found.row.card_uuid) == (
            wanted.old,
            wanted.new.device,
            wanted.new.card,
        )
        if same and wanted.from_epoch in (None, found.row.from_epoch):
            return found, False
        message = f"{found.row.uuid} waits to replace {found.row.old_uuid}: one at a time"
        raise Conflict(message, reason="replacement_pending", from_epoch=found.row.from_epoch)
    roster = roster_of(connection, terms, row.terms_json)
    _require_running(roster, running)
    from_epoch = _from_epoch(terms, running, wanted.from_epoch)
    card = PledgedDevice(device_hash(wanted.new.device), device_hash(wanted.new.card), from_epoch)
    # The chain gives the number once it is approved.
    number = len(roster.replacements) + 2
    pledge = replaced(roster, old=device_hash(wanted.old), new=card, number=number)
    names = _names(connection, terms)
    names[card.device] = wanted.new
    profile = check_devices([names[d.device] for d in pledge.devices], gpu_class=terms.gpu_class)
    if profile != terms.profile:
        raise InvalidInput(f"new: the facility pledges slices {terms.profile}", field="new")
    require_free_elsewhere(connection, wanted.new, terms)
    root = pledge_tree(terms.facility_id, pledge.devices).root
    taken_back = _taken_back(connection, row, root)
    document = encode_pledge(terms.facility_id, pledge)
    new = NewReplacement(
        facility_id=terms.facility_id,
        from_epoch=from_epoch,
        pledge_root=root,
        old_uuid=wanted.old,
        uuid=wanted.new.device,
        card_uuid=wanted.new.card,
        reason=wanted.reason,
        document=document,
        asked_at_s=now_s,
    )
    if taken_back is None:
        insert_replacement(connection, new)
    else:
        renew_replacement(
            connection,
            taken_back.replacement_pk,
            old_uuid=wanted.old,
            reason=wanted.reason,
            asked_at_s=now_s,
        )
    evidence.write(pledge_path(terms.facility_id, root), document)
    stored = replacements_of(connection, terms.facility_id)
    (asked,) = [each for each in stored if each.pledge_root == root]
    return Replacement(asked, ReplacementState.PENDING, undecided=True), True


def _taken_back(connection: Connection, row: FacilityRow, root: Bytes32) -> ReplacementRow | None:
    """The request of a pledge, if it was taken back: asked for again, it waits as before.

    Any other pledge that was asked for before is refused, so that a root names one request: to
    undo a replacement is one of its own, from a later epoch. And bound what lapsed or was taken
    back: each costs its operator nothing.
    """
    known = replacements_of(connection, row.facility_id)
    same = next((each for each in known if each.pledge_root == root), None)
    if same is not None and same.withdrawn_at_s is not None:
        return same
    if root == row.pledge_root or same is not None:
        message = "these devices were asked for from this epoch on before: name a later epoch"
        raise Conflict(message, reason="replacement_repeats")
    approved = len(
        roster_of(connection, terms_from_bytes(row.terms_json), row.terms_json).replacements
    )
    if len(known) - approved >= MOST_LAPSED:
        message = (
            f"{MOST_LAPSED} replacements of this facility lapsed or were withdrawn: no more are"
            " taken"
        )
        raise Conflict(message, reason="replacements_lapsed")
    return None


def _require_running(roster: Roster, running: Running) -> None:
    facility_id = roster.terms.facility_id
    if not running.runs:
        message = f"facility {facility_id} is {running.state.name.lower()}: nothing is replaced"
        raise Conflict(message, reason="facility_not_running")
    if len(running.approved) != len(roster.replacements) + 1:
        message = f"a pledge of facility {facility_id} was approved that is not indexed yet"
        raise Conflict(message, reason="index_behind")


def _from_epoch(terms: FacilityTerms, running: Running, wanted: Epoch | None) -> Epoch:
    least = running.least(terms)
    if least >= terms.epoch_count:
        message = f"no epoch of facility {terms.facility_id} is left to begin"
        raise Conflict(message, reason="facility_not_running")
    if wanted is None:
        return least
    if wanted >= terms.epoch_count:
        message = f"from_epoch: {least} to {terms.epoch_count - 1}"
        raise InvalidInput(message, field="from_epoch")
    if wanted < least:
        message = (
            f"a device is replaced from epoch {least} on, not from {wanted}: that has begun, or"
            " another replacement is in force from a later one"
        )
        raise Conflict(message, reason="replacement_too_early", least=least)
    return wanted


def _names(connection: Connection, terms: FacilityTerms) -> dict[Bytes32, DeviceName]:
    """Names behind the hashes of all devices that a facility has or had."""
    profile = terms.profile
    named = device_names(connection, terms.facility_id)
    named += [(r.uuid, r.card_uuid) for r in replacements_of(connection, terms.facility_id)]
    return {device_hash(uuid): DeviceName(uuid, card=card, profile=profile) for uuid, card in named}
