"""A service that lies about names, and people who guess them with what they were given."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, update

from api.attester.attest import RawInput
from api.db.session import reading, transaction
from api.db.tables.facilities import facilities
from api.domain.hashing import keccak
from api.domain.metering.instants import format_instant
from api.domain.metering.names import SecretNames, ToldLease, lease_hash, party_hash, party_name
from api.domain.units import Bytes32, FacilityId
from tests.factories import DAY_S, HOUR_S, START_S
from tests.world import World

pytestmark = pytest.mark.chain

LEASES = ("lease-a", "lease-b", "lease-c", "lease-d")
RENTERS = ("renter-of-lease-a", "renter-of-lease-b", "north")


def _meter(world: World) -> None:
    """Two leases of one renter, written in two ways, and two of others."""
    ledger = world.ledger
    world.at(DAY_S)
    ledger.add_lease("lease-c", renter_ref="North")
    ledger.add_lease("lease-d", renter_ref="north.")
    leases = enumerate(LEASES)
    ledger.ingest(*(ledger.usage(gpu, 0, 2 * HOUR_S, lease=lease) for gpu, lease in leases))


def _close(world: World, epoch: int) -> None:
    world.at_cut_off(epoch)
    world.round()


def _reasons(world: World, attester: int = 0) -> list[str | None]:
    return [v.reason for v in world.attest(attester)]


def test_attest__renter_of_two_leases_written_in_two_ways__is_one(world: World) -> None:
    """ATTACKS 47: what the service tells of it is one hash, and its share is of both leases."""
    _meter(world)
    _close(world, 0)

    assert _reasons(world) == [None]
    path = f"facility-{world.facility_id}/epoch-00000/statement.json"
    assert json.loads(world.evidence.read(path))["top_renter_bps"] == 5_000


_HONEST = SecretNames.party


def _split(self: SecretNames, lease_id: str, *, renter_ref: str) -> Bytes32:
    """One renter is two: the largest one's share looks half as large."""
    two = party_name(renter_ref) == "north" and lease_id == "lease-d"
    return _HONEST(self, lease_id, renter_ref="somebody else" if two else renter_ref)


def _merged(self: SecretNames, lease_id: str, *, renter_ref: str) -> Bytes32:
    return _HONEST(self, lease_id, renter_ref="north" if renter_ref == "south" else renter_ref)


@pytest.mark.parametrize(
    ("lie", "renter", "word"),
    [(_split, "north", "two hashes for one renter"), (_merged, "south", "one hash for two")],
)
def test_attest__service_that_splits_or_merges_renters__gets_no_signature(
    world: World, monkeypatch: pytest.MonkeyPatch, lie: Any, renter: str, word: str
) -> None:
    """Its evidence is made with the lie, and all of it fits: only the log says who rents."""
    monkeypatch.setattr(SecretNames, "party", lie)
    _meter(world)
    world.ledger.add_lease("lease-e", renter_ref=renter)
    _close(world, 0)

    [reason] = _reasons(world)

    assert word in str(reason)
    assert world.signatures(0) == {}


def _deceived(world: World, change: Callable[[list[ToldLease]], list[ToldLease]]) -> list[Any]:
    attester = world.attester(0)
    honest = attester._api.log

    def deceive(facility_id: FacilityId, *, after: int) -> RawInput:
        raw = honest(facility_id, after=after)
        raw.leases = change(raw.leases)
        return raw

    attester._api.log = deceive  # type: ignore[method-assign]
    return [(v.signed, v.reason) for v in attester.run_once()]


def _with(told: list[ToldLease], lease: str, **changes: Any) -> list[ToldLease]:
    return [replace(t, **changes) if t.lease_id == lease else t for t in told]


def _named(told: list[ToldLease], lease: str) -> ToldLease:
    return next(t for t in told if t.lease_id == lease)


def _swap(told: list[ToldLease], what: str) -> list[ToldLease]:
    a, b = (getattr(_named(told, lease), what) for lease in ("lease-a", "lease-b"))
    return _with(_with(told, "lease-a", **{what: b}), "lease-b", **{what: a})


LIES: dict[str, tuple[Callable[[list[ToldLease]], list[ToldLease]], str]] = {
    "secrets of two leases swapped": (lambda told: _swap(told, "secret"), "facts.jsonl"),
    "renters of two leases swapped": (lambda told: _swap(told, "party"), "terms.jsonl"),
    "a renter's hash made up": (
        lambda told: _with(told, "lease-a", party=Bytes32(bytes([1]) * 32)), "terms.jsonl",
    ),
    "a renter's hash is none": (
        lambda told: _with(told, "lease-a", party=Bytes32(bytes(32))), "no secret or renter",
    ),
    "a lease left out": (
        lambda told: [t for t in told if t.lease_id != "lease-c"], "no secret or renter",
    ),
    "one secret for two leases": (
        lambda told: _with(told, "lease-a", secret=_named(told, "lease-b").secret),
        "one secret for two",
    ),
    "a lease told twice, otherwise": (
        lambda told: [*told, *_with(told[:1], "lease-a", secret=Bytes32(bytes(32)))],
        "another secret or renter",
    ),
    "a lease under another code": (
        lambda told: _with(told, "lease-a", lease_id="LEASE-A"), "no secret or renter",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", LIES)
def test_attest__told_otherwise_of_names__refuses_and_signs_when_repaired(
    world: World, case: str
) -> None:
    change, word = LIES[case]
    _meter(world)
    _close(world, 0)

    [(signed, reason)] = _deceived(world, change)

    assert not signed
    assert word in str(reason)
    # Refusals are public, and name nobody.
    assert not any(name in str(reason) for name in (*LEASES, *RENTERS))
    assert _reasons(world) == [None]


def test_attest__leases_that_no_entry_opens_are_told_too__signs(world: World) -> None:
    _meter(world)
    _close(world, 0)
    more = ToldLease("never", Bytes32(b"s" * 32), Bytes32(b"p" * 32))

    assert _deceived(world, lambda told: [*told, more]) == [(True, None)]


@pytest.mark.parametrize("restarted", [False, True])
def test_attest__secret_of_a_lease_is_another_in_the_next_epoch__refuses(
    world: World, restarted: bool
) -> None:
    """Whether the attester remembers the first one or reads the log anew."""
    _meter(world)
    _close(world, 0)
    attester = world.attester(0)
    assert [v.reason for v in attester.run_once()] == [None]
    world.attest(1)
    world.round()
    # Terms of a lease come again, and so does what is told of it.
    prices = [{"from": format_instant(START_S + DAY_S), "price": 5}]
    again = world.ledger.terms("lease-a", 2, DAY_S, prices=prices)
    assert world.ledger.codes(again) == ["accepted"]
    _close(world, 1)
    with transaction(world.engine) as connection:
        connection.execute(update(facilities).values(name_secret=bytes([7]) * 32))
    asked = world.attester(0) if restarted else attester
    first = asked.run_once()

    assert [v.signed for v in first] == [False]
    assert "evidence of epoch 0" in str(first[0].reason) or "of a lease now" in str(first[0].reason)
    assert [v.signed for v in asked.run_once()] == [False]


def _secrets_in(text: str) -> list[Bytes32]:
    found = set(re.findall(r"0x([0-9a-f]{64})(?![0-9a-f])", text))
    return [Bytes32(bytes.fromhex(each)) for each in sorted(found)]


def test_guess__with_all_that_an_attester_is_given__finds_no_renter(world: World) -> None:
    """ATTACKS 38: it is told each lease's secret, and can test guesses of those codes alone."""
    _meter(world)
    _close(world, 0)
    with reading(world.engine) as connection:
        name_secret = connection.execute(select(facilities.c.name_secret)).scalar_one()
    path = f"/v1/attester/facilities/{world.facility_id}/log"
    given = world.http.get(path, headers=world.as_attester()).text
    folder = world.evidence.root
    public = "".join(p.read_text() for p in folder.rglob("*") if p.is_file())
    names, facility = SecretNames(FacilityId(world.facility_id), name_secret), world.facility_id
    guesses = (*LEASES, *RENTERS, "lease-z")

    held = _secrets_in(given) + _secrets_in(public)
    made = {}
    for secret in held:
        for guess in guesses:
            for each in (
                lease_hash(FacilityId(facility), guess, secret=secret),
                party_hash(FacilityId(facility), guess, secret=secret),
                keccak(secret + guess.encode()),
            ):
                made[each.hex()] = guess

    assert name_secret.hex() not in given + public
    assert {name for each, name in made.items() if each in public} == set(LEASES)
    assert all(names.party("", renter_ref=renter).hex() in public for renter in RENTERS)
    assert not any(names.party_secret(renter).hex() in given for renter in RENTERS)
