"""Judging a signed log: who signed, every answer that was due, and what the chain may explain."""

import gzip
import json
from dataclasses import replace

import pytest

from api.domain.hashing import device_hash
from api.domain.lifecycle import Reopening
from api.domain.log.answers import ACCEPTED, DUPLICATE, KNOWN, REASONS, REJECTED
from api.domain.log.bodies import pack
from api.domain.log.entry import EntryKind, answers_hash, body_hash
from api.domain.log.logged import LoggedEntry
from api.domain.metering import events
from api.domain.metering.usage import LineKind
from api.domain.pledges import Pledge, PledgedDevice
from api.domain.roster import Roster, replaced
from api.domain.units import ZERO32, Epoch
from tests.unit.payloads import (
    HOUR_S,
    NAMES,
    TERMS,
    Payload,
    adjusted,
    agreed,
    confirmed,
    event,
    lease_closed,
    lease_opened,
    opened,
    outage,
    seen,
    usage,
    use_of,
    void,
)
from tests.unit.payloads import replaced as replacement
from tests.unit.statements.signed_site import Site
from tests.unit.values import DAY_S, START_S

OTHER_CARD = "GPU-3d2a66b0-5e6e-5c5f-9b0e-2f2f0f1d8a11"


@pytest.fixture
def site() -> Site:
    """A site without a fault."""
    return Site()


A = usage("a", 0, 0, HOUR_S)


def test_answers__every_sort_that_was_due__give_the_lines(site: Site) -> None:
    """What was rejected, said again or known already changes nothing."""
    overlap = usage("b", 0, 60, HOUR_S)
    foreign = {**A, "id": "f", "data": {**A["data"], "facility_id": 99}}
    site.say(
        site.rack,
        (A, ACCEPTED),
        (overlap, REJECTED["overlap"]),
        (A, DUPLICATE),
        ({**A, "data": usage("a", 1, 0, HOUR_S)["data"]}, REJECTED["id_conflict"]),
        (foreign, REJECTED["facility_unknown"]),
        ({"x": 1}, REJECTED["malformed_event"]),
        (adjusted("m", 7), REJECTED["key_forbidden"]),
        (usage("z", 1, 0, HOUR_S, lease="none"), REJECTED["lease_unknown"]),
    )
    short = lease_opened("o", lease_id="m")
    site.say(site.ledger, (agreed("l"), DUPLICATE), (short, ACCEPTED))
    site.say(site.ledger, ({**short, "id": "p"}, KNOWN), (adjusted("m", 7), ACCEPTED))

    closed = site.close()

    kinds = [line.kind for line in closed.lines]
    assert kinds == [LineKind.USAGE, LineKind.ADJUSTMENT_DIFFERENCE]
    assert closed.signed.gpu_seconds == HOUR_S
    assert closed.signed.charge == sum(abs(x.charge_micros) for x in closed.lines) > 0


WORDS = {ACCEPTED: "accepted", DUPLICATE: "duplicate", KNOWN: "known", **REASONS}
DUE: list[tuple[Payload, int]] = [
    (A, ACCEPTED),
    (usage("b", 1, 60, 60 + HOUR_S, lease="none"), REJECTED["lease_unknown"]),
    (agreed("again"), REJECTED["key_forbidden"]),
    (seen("s", 0, 0, 60), ACCEPTED),
    ({"specversion": "1.0"}, REJECTED["malformed_event"]),
]


@pytest.mark.parametrize("said", [ACCEPTED, DUPLICATE, KNOWN, *REASONS, 3, 255])
def test_answers__any_but_the_one_due__are_found(said: int) -> None:
    """Rejected what was right, accepted what was wrong, or another reason than the true one."""
    for told, due in DUE:
        site = Site()
        site.say(site.rack, (told, said))
        if said == due:
            site.read()
            continue
        word = WORDS.get(said, f"{said}, which is none")
        site.refused(
            f"event 0 of entry 4 of the log: the answer was {word}, where {WORDS[due]} was due"
        )


def test_answers__of_another_number__are_refused(site: Site) -> None:
    body = json.dumps([A]).encode()
    at_s = START_S + HOUR_S
    site.log.add(site.rack, EntryKind.BATCH, body, bytes([ACCEPTED] * 2), at_s=at_s)

    site.refused("entry 4 of the log: its answers are not those of its events")


@pytest.mark.parametrize(
    "body", [b"7", b'"corrects"', b"\x1f\x8bnothing", b"[" + b"1," * 1_000 + b"1]"]
)
def test_body__that_is_no_batch__is_never_an_entry(site: Site, body: bytes) -> None:
    site.log.add(site.rack, EntryKind.BATCH, body, b"", at_s=START_S + HOUR_S)

    site.refused("entry 4 of the log: ")


def test_body__packed_or_a_single_event__is_read_as_it_was_sent(site: Site) -> None:
    at_s, batch = START_S + HOUR_S, EntryKind.BATCH
    packed = gzip.compress(json.dumps([A]).encode(), mtime=0)
    site.log.add(site.rack, batch, packed, bytes([ACCEPTED]), at_s=at_s)
    site.log.add(site.rack, batch, json.dumps(A).encode(), bytes([DUPLICATE]), at_s=at_s)

    assert len(site.close().lines) == 1


# --- taken by a mistake --------------------------------------------------------------------------


def test_forgiven__what_an_accepted_correction_takes_back__and_no_other(site: Site) -> None:
    overlap = usage("b", 0, 60, HOUR_S)
    site.say(site.rack, (A, ACCEPTED), (overlap, ACCEPTED), (void("v", "b"), ACCEPTED))

    assert [line.kind for line in site.close().lines] == [LineKind.USAGE]


@pytest.mark.parametrize("name", ["foreign", "unknown", "twice"])
def test_forgiven__by_a_correction_that_was_rejected__is_nothing(site: Site, name: str) -> None:
    """Else whoever may send anything would let one device be billed to two leases, the second
    late, where no overlap of lines shows it."""
    told = void("v", "b")
    asides = {
        "foreign": (
            {**told, "data": {**told["data"], "facility_id": 99}}, REJECTED["facility_unknown"]
        ),
        "unknown": ({**told, "type": "nonsense"}, REJECTED["unknown_type"]),
        "twice": ({**told, "id": "a"}, REJECTED["id_conflict"]),
    }  # fmt: skip
    site.say(site.ledger, (agreed("k", lease="k"), ACCEPTED))
    site.say(site.rack, (A, ACCEPTED))
    late = usage("b", 0, 0, HOUR_S, lease="k")
    site.say(site.rack, (late, ACCEPTED), asides[name], at_s=2 * DAY_S)

    site.refused("event 0 of entry 6 of the log: the answer was accepted, where overlap was due")


def test_forgiven__event_that_was_rejected_all_the_same__is_judged_as_it_was(site: Site) -> None:
    """Taken back or not: here it was not taken."""
    overlap = usage("b", 0, 60, HOUR_S)
    site.say(site.rack, (A, ACCEPTED), (overlap, REJECTED["overlap"]))
    gone = REJECTED["correction_target_unknown"]
    site.say(site.rack, (void("v", "b"), gone), (void("w", "a"), ACCEPTED))

    assert site.close().lines == ()


# --- what nobody signed --------------------------------------------------------------------------


def test_unsigned__of_a_lease__takes_its_share_and_no_other(site: Site) -> None:
    site.say(site.ledger, (agreed("k", lease="k"), ACCEPTED))
    site.log.unsigned([A], at_s=START_S + HOUR_S)
    site.say(site.rack, (usage("b", 1, 0, 60, lease="k"), ACCEPTED))

    closed = site.close()

    assert closed.statement.billed_gpu_seconds == HOUR_S + 60
    assert closed.signed.gpu_seconds == 60


@pytest.mark.parametrize(
    ("told", "signed"),
    [
        (seen("s", 0, 0, 60), True),
        (outage("o", 1, 0, 60), False),
        (outage("o", 1, 0, 60, lease="l"), False),
        (outage("o", 1, 0, 60, lease="k"), False),
        (void("v", "a"), False),
        (confirmed("c", "p", HOUR_S), False),
        (replacement("v", "a", use_of(1, 0, 60, lease="k")), False),
        (adjusted("m", -1), False),
        (agreed("l2", 2, from_s=60), False),
        (agreed("k2", 2, from_s=60, lease="k"), True),
    ],
)
def test_unsigned__by_kind__counts_against_the_leases_it_is_about(
    site: Site, told: Payload, signed: bool
) -> None:
    site.say(site.ledger, (agreed("k", lease="k"), ACCEPTED))
    site.say(site.rack, (A, ACCEPTED), (opened("p", 2, 0, 60), ACCEPTED))
    site.log.unsigned([told], at_s=START_S + HOUR_S)

    closed = site.close()

    own = [x.gpu_seconds for x in closed.lines if x.lease == closed.lines[-1].lease]
    assert bool(closed.signed.gpu_seconds) == signed, (closed.signed, own)


def test_unsigned__use_by_another_lease__counts_against_whom_outages_are_kept_from(
    site: Site,
) -> None:
    """Use takes what an outage withholds: an SLA credit of the one rests on use of the other."""
    site.say(site.ledger, (agreed("k", lease="k"), ACCEPTED))
    site.say(site.rack, (A, ACCEPTED), (outage("o", 1, 0, 60, lease="l"), ACCEPTED))
    assert site.close().signed.gpu_seconds == HOUR_S

    site.log.unsigned([usage("u", 1, 0, 60, lease="k")], at_s=START_S + HOUR_S)

    assert site.close().signed.gpu_seconds == 0


def test_unsigned__where_terms_refuse_it__is_no_entry() -> None:
    site = Site(replace(TERMS, unsigned_taken=False))
    site.read()
    site.log.unsigned([A], at_s=START_S + HOUR_S)

    site.refused("entry 4 of the log: nobody signed it, and the facility's terms refuse that")


def test_unsigned__said_before_by_somebody_who_signed__is_a_repeat(site: Site) -> None:
    site.say(site.rack, (A, ACCEPTED))
    site.log.unsigned([A], at_s=START_S + HOUR_S)

    site.refused("an event is repeated or of another facility")


def test_signed__said_before_by_nobody__is_a_duplicate_or_a_conflict(site: Site) -> None:
    site.log.unsigned([A], at_s=START_S + HOUR_S)
    other = {**A, "data": usage("a", 1, 0, HOUR_S)["data"]}
    site.say(site.rack, (A, DUPLICATE), (other, REJECTED["id_conflict"]))

    assert len(site.close().lines) == 1


def test_unsigned__answers_or_body_of_another_form__are_refused() -> None:
    for change in (
        lambda x: {"answers": b"\0\0"},
        lambda x: {"packed": pack(b"{}")},
    ):
        site = Site()
        logged = site.log.unsigned([A], at_s=START_S + HOUR_S)
        site.log.entries[-1] = _again(logged, **change(logged))
        site.refused("entry 4 of the log: ")


def _again(logged: LoggedEntry, **changes: object) -> LoggedEntry:
    """An entry with other things behind its hashes, which are made anew."""
    told = replace(logged, **changes)  # type: ignore[arg-type]
    entry = replace(
        told.entry,
        body=body_hash(told.body, blind=told.blind),
        answers=answers_hash(told.answers),
    )
    return replace(told, entry=entry)


# --- what the service had heard of the chain -----------------------------------------------------


def _pledges() -> tuple[Pledge, ...]:
    new = PledgedDevice(device_hash(OTHER_CARD), device_hash(OTHER_CARD), Epoch(1))
    return (replaced(Roster(TERMS), old=TERMS.devices[0], new=new, number=2),)


def _of_device(kind: str, device: str, start_s: int, end_s: int) -> Payload:
    made = {
        "usage": lambda: usage("x", 1, start_s, end_s),
        "seen": lambda: seen("x", 1, start_s, end_s),
        "outage": lambda: outage("x", 1, start_s, end_s),
        "opened": lambda: opened("x", 1, start_s, end_s),
        "replaced": lambda: replacement("x", "a", use_of(1, start_s, end_s)),
    }[kind]()
    data = made["data"]
    inner = data["replacement"] if kind == "replaced" else data
    inner["device"] = device
    return made


KINDS = ["usage", "seen", "outage", "opened", "replaced"]


@pytest.mark.parametrize("kind", KINDS)
def test_unknown_device__of_any_event__may_be_called_so(site: Site, kind: str) -> None:
    told = _of_device(kind, OTHER_CARD, 0, 60)
    site.say(site.rack, (usage("a", 0, 0, 60), ACCEPTED))
    site.say(site.rack, (told, REJECTED["device_unknown"]))

    site.read()


@pytest.mark.parametrize("kind", KINDS)
def test_known_device__called_unknown__is_a_wrong_answer(site: Site, kind: str) -> None:
    told = _of_device(kind, NAMES[1], 0, 60)
    site.say(site.rack, (usage("a", 0, 0, 60), ACCEPTED))
    site.say(site.rack, (told, REJECTED["device_unknown"]))

    site.refused("the answer was device_unknown, where accepted was due")


def test_new_device__a_day_after_it_began__is_known(site: Site) -> None:
    """Until then the service may not have heard of it."""
    told = usage("x", 1, DAY_S, DAY_S + 60)
    told["data"]["device"] = OTHER_CARD
    for at_s, refused in ((2 * DAY_S - 1, False), (2 * DAY_S, True)):
        each = Site()
        each.say(each.rack, (told, REJECTED["device_unknown"]), at_s=at_s)
        if refused:
            each.refused("where accepted was due", replacements=_pledges())
        else:
            each.read(replacements=_pledges())


def test_device__outside_of_its_pledge__may_be_called_so_and_no_other(site: Site) -> None:
    gone = usage("x", 0, DAY_S, DAY_S + 60)
    site.say(site.rack, (gone, REJECTED["outside_pledge"]), at_s=2 * DAY_S)

    site.read(replacements=_pledges())
    site.refused("the answer was outside_pledge, where accepted was due")


def test_allocation__that_lasts_behind_its_pledge__may_be_refused(site: Site) -> None:
    site.say(site.rack, (opened("o", 0, 0, HOUR_S), ACCEPTED))
    longer = confirmed("c", "o", DAY_S + HOUR_S)
    site.say(site.rack, (longer, REJECTED["outside_pledge"]), at_s=2 * DAY_S)

    site.read(replacements=_pledges())
    site.refused("where accepted was due")


def test_allocation__that_never_was_or_takes_no_time__is_judged_as_such(site: Site) -> None:
    outside = REJECTED["outside_pledge"]
    for name, due in (("none", "correction_target_unknown"), ("s", "allocation_unknown")):
        each = Site()
        each.say(each.rack, (seen("s", 0, 0, 60), ACCEPTED))
        each.say(each.rack, (confirmed("c", name, HOUR_S), outside))
        each.refused(f"where {due} was due")


def test_event_of_no_device__called_unknown__is_a_wrong_answer(site: Site) -> None:
    site.say(site.rack, (A, ACCEPTED))
    for told, due in ((void("v", "a"), "accepted"), (lease_closed("c", DAY_S), "key_forbidden")):
        each = Site()
        each.say(each.rack, (A, ACCEPTED))
        each.say(each.rack, (told, REJECTED["device_unknown"]))
        each.refused(f"where {due} was due")


def test_facility_closed__said_before_it_was__is_a_wrong_answer(site: Site) -> None:
    site.say(site.rack, (A, REJECTED["facility_closed"]))

    site.refused("the answer was facility_closed, where accepted was due")


@pytest.mark.parametrize(("after_s", "right"), [(500, True), (1_000, False), (4_599, False)])
def test_facility_closed__said_while_an_epoch_is_open_again__is_a_wrong_answer(
    site: Site, after_s: int, right: bool
) -> None:
    """A fault is proven a while after the books were closed: between the two they were."""
    closed_s = DAY_S + TERMS.grace_s
    site.say(site.rack, (A, REJECTED["facility_closed"]), at_s=closed_s + after_s)
    proven = Reopening(Epoch(0), START_S + closed_s + 1_000)
    facts = {"ended_at_s": START_S + DAY_S, "reopenings": (proven,)}

    if right:
        site.read(**facts)
    else:
        site.refused("the answer was facility_closed, where accepted was due", **facts)


def test_device_registered__by_an_event__is_refused_for_everybody(site: Site) -> None:
    """What a facility has is pledged on-chain."""
    told = event(events.DEVICE_REGISTERED, "d", device=NAMES[0])
    site.say(site.rack, (told, REJECTED["pledge_fixed"]))
    site.say(site.ledger, (told, REJECTED["pledge_fixed"]))

    site.read()


def test_lease_opened__by_the_ledger_key__is_known_once_it_is_agreed(site: Site) -> None:
    short = lease_opened("o", lease_id="m")
    site.say(site.ledger, (short, ACCEPTED), ({**short, "id": "p"}, KNOWN))

    site.read()
    assert site.ledger.after != ZERO32
