"""Devices of a facility by epoch, as its service knows them: what the chain approved, and no more.

A replacement is in force once the chain holds its approval. The approval comes before its epoch
begins, or never: so an epoch's devices are known once a block behind its start is indexed.
"""

from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock

from sqlalchemy import Connection

from api.chain.emitted.args import read_payload
from api.chain.emitted.pledge_registry import PledgeApproved
from api.db.chain_store import ended_at, events_named, last_block
from api.db.facilities import pledged_devices
from api.db.replacements import pledge_documents, replacements_of, roots_asked_for
from api.db.tables.facilities import FacilityRow
from api.db.tables.replacements import ReplacementRow
from api.domain.facility import FacilityTerms, Period
from api.domain.hashing import device_hash
from api.domain.lifecycle import ReplacementState, replacement_state
from api.domain.metering.intervals import Span
from api.domain.pledges import OFFER_EPOCH, Pledge, PledgedDevice, pledge_tree
from api.domain.roster import Roster
from api.domain.statements.evidence_reader import terms_from_bytes
from api.domain.statements.pledge_files import with_replacement
from api.domain.units import Bytes32, Epoch, FacilityId
from api.errors import Conflict, EvidenceInvalid


@dataclass(frozen=True, slots=True)
class Replacement:
    """A replacement that an operator asked for, and how far it came.

    undecided: the chain may still approve it, also where its operator took it back: the signed
    transaction may be in the wallet.  number: of its approval, once it is approved.
    """

    row: ReplacementRow
    state: ReplacementState
    undecided: bool = False
    number: int | None = None

    @property
    def pending(self) -> bool:
        """Whether it waits for signatures or for its transaction."""
        return self.state is ReplacementState.PENDING


@dataclass(frozen=True, slots=True)
class InForce:
    """The pledge that holds at a time: its root, and its devices in the order of their numbers."""

    root: Bytes32
    devices: tuple[PledgedDevice, ...]


def pledge_at(connection: Connection, row: FacilityRow, *, now_s: int) -> InForce:
    """The pledge in force, or the registered one while none is approved.

    Before the window the first epoch's counts, after it the last one's.
    """
    terms = terms_from_bytes(row.terms_json)
    roster = roster_of(connection, terms, row.terms_json)
    if not roster.replacements:
        return InForce(row.pledge_root, tuple(pledged_devices(connection, row.facility_id)))
    last_s = terms.window_end_s - 1
    epoch = terms.epoch_at(min(max(now_s, terms.window_start_s), last_s))
    devices = roster.pledge(epoch)
    return InForce(pledge_tree(terms.facility_id, devices).root, devices)


def replacements_in(
    connection: Connection, terms: FacilityTerms, *, now_s: int = 0
) -> list[Replacement]:
    """What was asked for in a facility, in that order.

    One whose epoch began without an approval has lapsed: the contract takes it no more, and it can
    be asked for again from a later epoch.

    Args:    now_s: the chain's time, where it is known beyond the indexed blocks. Never a clock's:
             what may still be approved has not lapsed.
    """
    rows = replacements_of(connection, terms.facility_id)
    if not rows:
        return []
    approvals = _approved(connection, terms.facility_id)
    approved = {event.pledge_root: event for event in approvals[1:]}
    newest = last_block(connection)
    now_s = max(now_s, newest.time_s if newest else 0)
    ended = terms.facility_id in ended_at(connection, [terms.facility_id])
    last = max((Epoch(e.from_epoch) for e in approvals), default=Epoch(0))
    found = []
    for row in rows:
        event = approved.get(row.pledge_root)
        begins_s = terms.window_start_s + row.from_epoch * terms.epoch_length_s
        too_late = ended or begins_s <= now_s or row.from_epoch < last
        state = replacement_state(
            approved=event is not None,
            withdrawn=row.withdrawn_at_s is not None,
            too_late=too_late,
        )
        undecided = event is None and not too_late
        found.append(Replacement(row, state, undecided, None if event is None else event.number))
    return found


def roster_of(connection: Connection, terms: FacilityTerms, terms_json: bytes) -> Roster:
    """Devices of a facility by epoch, by the approvals that are indexed."""
    asked = roots_asked_for(connection, terms.facility_id)
    if not asked:
        return Roster(terms)
    approvals: list[_Approval] = []
    for event in _approved(connection, terms.facility_id)[1:]:
        if event.pledge_root not in asked:
            # Not asked for here: what comes after rests on it, and `require_known` closes nothing.
            break
        approvals.append((event.pledge_root, event.from_epoch, event.number))
    return _ROSTERS.of(connection, terms, terms_json, tuple(approvals))


def approved_pledges(
    connection: Connection, row: FacilityRow, terms: FacilityTerms
) -> tuple[Pledge, ...]:
    """Pledges of a facility that the chain approved, by the indexed approvals; none before.

    One of an offer that is not the registered one has no devices that are known here.
    """
    approvals = _approved(connection, row.facility_id)
    if not approvals:
        return ()
    known = terms.pledge if approvals[0].pledge_root == row.pledge_root else ()
    first = Pledge(approvals[0].number, OFFER_EPOCH, known)
    return (first, *roster_of(connection, terms, row.terms_json).replacements)


def pledged_in_part(
    connection: Connection, terms: FacilityTerms, terms_json: bytes
) -> dict[Bytes32, Sequence[Span]]:
    """When devices are pledged that went or came, or were asked to come: UTC seconds.

    All others are pledged throughout the window, or never were and have no facts.
    """
    rows = replacements_of(connection, terms.facility_id)
    if not rows:
        return {}
    roster = roster_of(connection, terms, terms_json)
    named = sorted({device_hash(name) for row in rows for name in (row.old_uuid, row.uuid)})
    window = terms.window_start_s, terms.window_end_s
    spans = {device: tuple(roster.spans(device)) for device in named}
    return {device: pledged for device, pledged in spans.items() if pledged != (window,)}


# What the chain says of a pledge: its root, its first epoch, and the number of its approval.
_Approval = tuple[Bytes32, Epoch, int]
# Rosters that a process keeps: beyond so many, the one that was asked for longest ago is rebuilt.
KEPT_ROSTERS = 256


class _Rosters:
    """Rosters of this process by the approvals that they rest on.

    A root names its devices, so documents are read only of approvals that are new here.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[bytes, tuple[_Approval, ...]], Roster] = OrderedDict()
        self._lock = Lock()

    def of(
        self,
        connection: Connection,
        terms: FacilityTerms,
        terms_json: bytes,
        approvals: tuple[_Approval, ...],
    ) -> Roster:
        """The roster of a facility behind some approvals, in order of their numbers."""
        roster, known = self._longest(terms, terms_json, approvals)
        if known < len(approvals):
            more = approvals[known:]
            roots = [root for root, _, _ in more]
            documents = pledge_documents(connection, terms.facility_id, roots)
            # A panel can approve what changes more than one device: what comes after rests on it,
            # and `require_known` closes nothing.
            with suppress(EvidenceInvalid):
                for root, from_epoch, number in more:
                    roster = with_replacement(
                        roster, documents[root], root=root, from_epoch=from_epoch, number=number
                    )
        if len(roster.replacements) == len(approvals):
            self._keep((terms_json, approvals), roster)
        return roster

    def _longest(
        self, terms: FacilityTerms, terms_json: bytes, approvals: tuple[_Approval, ...]
    ) -> tuple[Roster, int]:
        """The roster behind the most of some approvals that is here, and how many these are."""
        with self._lock:
            for known in range(len(approvals), -1, -1):
                roster = self._kept.get((terms_json, approvals[:known]))
                if roster is not None:
                    return roster, known
        return Roster(terms), 0

    def _keep(self, key: tuple[bytes, tuple[_Approval, ...]], roster: Roster) -> None:
        with self._lock:
            self._kept[key] = roster
            self._kept.move_to_end(key)
            while len(self._kept) > KEPT_ROSTERS:
                self._kept.popitem(last=False)


_ROSTERS = _Rosters()


def _approved(connection: Connection, facility_id: FacilityId) -> list[PledgeApproved]:
    """Approvals of a facility in the order of their numbers; the first is its offer's."""
    rows = events_named(connection, "PledgeApproved", facility_id=facility_id)
    events = (read_payload(PledgeApproved, row.payload) for row in rows)
    return sorted(events, key=lambda event: event.number)


def require_known(
    connection: Connection, terms: FacilityTerms, terms_json: bytes, period: Period
) -> None:
    """Refuse to close a period while a replacement for it may be approved without our knowledge.

    Raises:  Conflict (`index_behind`): the index has not come to the epoch's begin;
             (`pledge_unknown`): a pledge is in force that nobody asked for here, or whose request
             was lost, or that changes more than one device: what would be closed over other
             devices nobody could sign.
    """
    known = len(roster_of(connection, terms, terms_json).replacements)
    for event in _approved(connection, terms.facility_id)[1 + known :]:
        if event.from_epoch <= period.epoch:
            message = (
                f"the chain has a pledge from epoch {event.from_epoch} on, of root"
                f" 0x{event.pledge_root.hex()}, that is not known here, or changes more than one"
                " device: if its request was lost, restore it"
            )
            raise Conflict(message, reason="pledge_unknown", facility_id=terms.facility_id)
    for found in replacements_in(connection, terms):
        # By indexed blocks alone: what they leave undecided may be approved in one behind them.
        if found.undecided and found.row.from_epoch <= period.epoch:
            message = (
                f"the index is behind: whether a device was replaced from epoch"
                f" {found.row.from_epoch} is not known yet"
            )
            raise Conflict(message, reason="index_behind", facility_id=terms.facility_id)
