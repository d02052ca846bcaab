"""Logs that a dishonest quorum makes up beside the authors of a facility's log."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

from api.domain.log.answers import ACCEPTED
from api.domain.log.authors import HEARD_S
from api.domain.log.entry import EntryKind
from api.domain.log.keys import key_end_body, successor_body
from api.domain.metering.facts import Held, Place
from api.domain.statements.evidence import MANIFEST_FILE, SignedShare, encode_manifest
from api.domain.statements.evidence_reader import follows_of
from api.domain.statements.told import Told
from api.domain.units import Bytes32
from tests.factories import DAY_S, HOUR_S, START_S
from tests.forgers import Forged, Quorum
from tests.signed_logs import SignedLog, Signer

# Begin and end of the epoch that is forged.
S = START_S + 2 * DAY_S
AT_S = S + DAY_S + 60


@dataclass
class Authors:
    """Keys as an honest log has them: the operator's ledger key and its successor, which the
    address names since `named_s`; a collector's, and one that was ended; the log's own."""

    ledger: Signer
    successor: Signer
    rack: Signer
    gone: Signer
    named_s: int
    log_key: Signer


@dataclass(frozen=True)
class Case:
    """What a quorum makes up, the code that names it, and words of the finding."""

    name: str
    make: Callable[[Quorum, Authors, SignedLog], Forged]
    code: str
    message: str


def _use(q: Quorum, log: SignedLog, *, device: int = 0) -> Told:
    """An hour of the signed lease, told by the log's newest entry."""
    newest = log.entries[-1].entry
    place = Place(newest.number, 0)
    lease = next(t.fact.lease for t in q.history if isinstance(t.fact, Held))
    held = Held(place, q.terms.devices[device], lease, S, S + HOUR_S)
    return Told(place, newest.recorded_at_s, held)


def by(q: Quorum, author: Signer, log: SignedLog, *, at_s: int = AT_S) -> Told:
    """An hour of use that somebody signed, or seems to have."""
    log.events(author, [{}], [ACCEPTED], at_s=at_s)
    return _use(q, log)


def honest(q: Quorum, a: Authors, log: SignedLog) -> Forged:
    """The collector meters; the new ledger key brings itself and another collector. The log's
    key names the one that follows it."""
    told = by(q, a.rack, log)
    log.bring_itself(a.successor, at_s=AT_S)
    log.bring(a.successor, Signer("rack 9"), at_s=AT_S)
    _follow(log, a.log_key, "log 2")
    return q.close_over(log, told)


def _follow(log: SignedLog, author: Signer, new: str) -> None:
    body = successor_body(Signer(new).public)
    log.add(author, EntryKind.SUCCESSOR, body, at_s=AT_S)


def _two_successors(q: Quorum, a: Authors, log: SignedLog) -> Forged:
    """The log's key names one, and another."""
    for new in ("log 2", "log 3"):
        _follow(log, a.log_key, new)
    return q.close_over(log)


def _successor_of_a_collector(q: Quorum, a: Authors, log: SignedLog) -> Forged:
    _follow(log, a.rack, "log 2")
    return q.close_over(log)


def _successor_of_before(q: Quorum, a: Authors, log: SignedLog) -> Forged:
    body = successor_body(a.rack.public)
    log.add(a.log_key, EntryKind.SUCCESSOR, body, at_s=AT_S)
    return q.close_over(log)


def _by_the_log_key(q: Quorum, a: Authors, log: SignedLog) -> Forged:
    """Whoever gives the receipts tells of a use."""
    return q.close_over(log, by(q, a.log_key, log))


def _end_of_the_log_key(q: Quorum, a: Authors, log: SignedLog) -> Forged:
    log.end_key(a.ledger, a.log_key, at_s=S + 60)
    return q.close_over(log)


def _stranger(q: Quorum, a: Authors, log: SignedLog) -> Forged:
    return q.close_over(log, by(q, Signer("stranger"), log))


def _ended(q: Quorum, a: Authors, log: SignedLog) -> Forged:
    return q.close_over(log, by(q, a.gone, log))


def _own_ledger(q: Quorum, a: Authors, log: SignedLog) -> Forged:
    own = Signer("of the service")
    log.bring_itself(own, at_s=AT_S)
    return q.close_over(log, by(q, own, log))


def _own_collector(q: Quorum, a: Authors, log: SignedLog) -> Forged:
    log.bring(Signer("of the service"), Signer("rack 9"), at_s=AT_S)
    return q.close_over(log)


def _by_a_collector(q: Quorum, a: Authors, log: SignedLog) -> Forged:
    """A collector's key, had by the service, names another."""
    log.bring(a.rack, Signer("rack 9"), at_s=AT_S)
    return q.close_over(log)


def _replaced(q: Quorum, a: Authors, log: SignedLog) -> Forged:
    return q.close_over(log, by(q, a.ledger, log, at_s=max(AT_S, a.named_s + HEARD_S)))


def _behind_what_is_left_out(q: Quorum, a: Authors, log: SignedLog) -> Forged:
    """The ledger key ends a collector behind an entry that the public never saw."""
    a.ledger.after = Bytes32(b"\7" * 32)
    log.end_key(a.ledger, a.rack, at_s=S + 60)
    return q.close_over(log)


def _moved(q: Quorum, a: Authors, log: SignedLog) -> Forged:
    """An end of a key that was signed for another facility."""
    other = replace(q.terms.log, facility_id=q.terms.facility_id + 1)
    body = key_end_body(a.rack.public)
    log.add(a.ledger, EntryKind.KEY_END, body, at_s=S + 60, log=other)
    return q.close_over(log)


def _share(**changes: int) -> Callable[[Quorum, Authors, SignedLog], Forged]:
    def make(q: Quorum, a: Authors, log: SignedLog) -> Forged:
        """Unsigned use, and a manifest that says it was signed."""
        log.unsigned([{}], at_s=AT_S)
        base = q.close_over(log, _use(q, log))
        said = follows_of(base.files[MANIFEST_FILE])
        assert said.signed == SignedShare(0, 0)
        claimed = replace(said, signed=replace(said.signed, **changes))
        of = base.statement.facility_id, base.statement.epoch
        return base.with_files(manifest=encode_manifest(*of, base.files, said=claimed))

    return make


def _unshown(q: Quorum, a: Authors, log: SignedLog) -> Forged:
    """An entry about a key without what stands behind it."""
    base = honest(q, a, log)
    rows = [json.loads(row) for row in base.files["batches.jsonl"].splitlines()]
    for row in rows:
        for name in ("said", "blind", "request"):
            row.pop(name, None)
    lines = (json.dumps(row, sort_keys=True, separators=(",", ":")) + "\n" for row in rows)
    return base.with_files(batches="".join(lines).encode())


CASES = [
    Case("batch of a stranger", _stranger, "log_author", "none of this log's"),
    Case("batch of a key that was ended", _ended, "log_author", "was ended by entry"),
    Case("ledger key of the service's own", _own_ledger, "log_author", "had not named"),
    Case("collector named by such a key", _own_collector, "log_author", "none of this log's"),
    Case("collector named by a collector", _by_a_collector, "log_author", "only the operator's"),
    Case("ledger key that was replaced", _replaced, "log_author", "named another key"),
    Case("key behind a hidden entry", _behind_what_is_left_out, "log_author", "newest entry here"),
    Case("key ended for another facility", _moved, "file_unreadable", "is not the key's"),
    Case("two successors of the log's key", _two_successors, "log_author", "was ended by entry"),
    Case("successor by a collector", _successor_of_a_collector, "log_author", "only the log's own"),
    Case("successor that was there before", _successor_of_before, "log_author", "was one of"),
    Case("batch of the log's own key", _by_the_log_key, "log_author", "signs receipts"),
    Case("end of the log's own key", _end_of_the_log_key, "log_author", "ends when its successor"),
    Case("charges said to be signed", _share(charge=1), "signed_share", "charges of 1 "),
    Case("time said to be signed", _share(gpu_seconds=HOUR_S), "signed_share", "give 0 and 0"),
    Case("entry about a key without its body", _unshown, "file_unreadable", "blind"),
]
