"""Pledges over HTTP: attesters of the panel approve them, or say which card clashes."""

from typing import Any

import httpx
import pytest

from api.attester.verdict import Verdict
from api.chain import calldata
from api.db.facilities import facility_row
from api.db.pledges import waiting_pledges
from api.db.session import reading
from api.domain.facility import FacilityTerms
from api.domain.lifecycle import FacilityState
from api.domain.pledges import OFFER_EPOCH, PledgeApproval, approval_digest
from api.domain.statements.evidence import hex32
from api.domain.statements.evidence_reader import decode_facility
from api.domain.units import FacilityId
from api.epochs.close import close_due
from api.ledger import facilities as register
from scripts.dev.stack import ATTESTER_ACCOUNTS, RENTER
from tests.factories import DAY_S, GRACE_S, START_S, device
from tests.integration.service import problem
from tests.world import World, send, signer_of, wallet

pytestmark = pytest.mark.chain


def _offered(world: World, devices: range, name: str, **changes: Any) -> FacilityTerms:
    """A facility that waits for its pledge's approval."""
    facility_id = world.ledger.add_facility(
        devices, name=name, settlement_token=world.deployment.settlement_token, **changes
    )
    terms = world.offer(facility_id)
    world.indexer().advance()
    return terms


@pytest.fixture
def other_books(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service with other books: it registers what this one would see is pledged twice."""
    monkeypatch.setattr(register, "_require_unpledged", lambda *_: None)


@pytest.fixture
def free(world: World) -> FacilityTerms:
    """A facility with devices of its own."""
    return _offered(world, range(10, 14), "hall-2")


@pytest.fixture
def clashing(world: World, other_books: None) -> FacilityTerms:
    """A facility with two devices of the first."""
    return _offered(world, range(2, 6), "hall-2")


def _approved(world: World, terms: FacilityTerms) -> bool:
    return world.now(world.contracts.pledge_registry.is_approved(terms.facility_id))


def _shown(world: World, terms: FacilityTerms) -> Any:
    return world.http.get(f"/v1/facilities/{terms.facility_id}").json()


def _pledges(verdicts: list[Verdict]) -> list[tuple[int, str | None]]:
    """Facilities whose pledge was judged, and why it was refused; None for signed."""
    return [(v.facility_id, v.reason) for v in verdicts if v.epoch is None]


@pytest.mark.both_databases
def test_pledge__two_of_three_sign__is_approved_by_the_worker_and_funds(
    world: World, free: FacilityTerms
) -> None:
    facility_id = free.facility_id
    before, console = _shown(world, free), _console(world, facility_id)
    first = world.attest(0)
    waiting = world.round()
    halfway = _console(world, facility_id)
    second = world.attest(1)
    sent = world.round()

    assert (before["panel"]["number"], before["panel"]["threshold"]) == (1, 2)
    seats = {wallet(i).address for i in ATTESTER_ACCOUNTS}
    assert set(before["panel"]["attesters"]) == seats
    unapproved = {"root": hex32(free.pledge_tree.root), "number": None, "approved_at": None}
    assert before["pledge"] == unapproved
    assert (console["pledge_signers"], console["pledge"]) == ([], unapproved)
    assert _pledges(first) == _pledges(second) == [(facility_id, None)]
    assert waiting.outcomes == ()
    assert halfway["pledge_signers"] == [wallet(ATTESTER_ACCOUNTS[0]).address]
    assert [(o.kind, o.error) for o in sent.outcomes] == [("approve", None)]
    assert _approved(world, free)
    shown = _shown(world, free)["pledge"]
    assert (shown["root"], shown["number"]) == (unapproved["root"], 2)
    assert shown["approved_at"] == world.client.head().time_s
    assert _console(world, facility_id)["pledge_signers"] is None
    assert _pledges(world.attest(2)) == []
    assert world.round().outcomes == ()
    assert world.verify().findings == ()


def _console(world: World, facility_id: int) -> Any:
    headers = {"Authorization": f"Bearer {world.ledger.api_key}"}
    rows = world.http.get("/v1/console", headers=headers).json()["facilities"]
    return next(row for row in rows if row["facility_id"] == facility_id)


def test_pledge__another_is_approved_in_between__is_signed_anew(
    world: World, free: FacilityTerms
) -> None:
    """Two offers wait: the approval of one makes the signatures over the other void."""
    second = _offered(world, range(20, 24), "hall-3")

    world.attest(0, 1)
    one = world.round()
    held_back = world.round()
    asked = world.attest(0, 1)
    two = world.round()

    assert [(o.kind, o.facility_id, o.error) for o in one.outcomes] == [
        ("approve", free.facility_id, None)
    ]
    assert held_back.outcomes == ()
    assert _pledges(asked) == [(second.facility_id, None)] * 2
    assert [(o.kind, o.facility_id, o.error) for o in two.outcomes] == [
        ("approve", second.facility_id, None)
    ]
    assert _approved(world, second)
    assert world.verify().findings == ()


def test_pledge__card_of_a_live_pledge__is_refused_naming_card_and_facility(
    world: World, clashing: FacilityTerms
) -> None:
    """ATTACKS 23."""
    with reading(world.engine) as connection:
        first = decode_facility(facility_row(connection, world.facility_id).terms_json)
    shared = min(first.device_set & clashing.device_set)

    (verdict,) = world.attest(0)

    assert not verdict.signed
    assert verdict.reason == (
        f"card {hex32(shared)} and 1 more of facility {clashing.facility_id} are in the live"
        f" pledge of facility {world.facility_id} for the same time"
    )
    assert world.round().outcomes == ()
    assert not _approved(world, clashing)


def test_pledge__two_offers_of_one_card__the_first_approved_counts(
    world: World, other_books: None
) -> None:
    """Both could be approved; whoever is, keeps the card, whichever was offered first."""
    first = _offered(world, range(30, 32), "hall-3")
    second = _offered(world, range(31, 33), "hall-4")
    world.approve_pledge(second.facility_id)
    world.round()

    (verdict,) = world.attest(0)

    assert (verdict.facility_id, verdict.signed) == (first.facility_id, False)
    assert f"the live pledge of facility {second.facility_id}" in str(verdict.reason)


def test_pledge__other_window_or_cancelled__is_free(world: World, other_books: None) -> None:
    later = _offered(
        world,
        range(4),
        "hall-2",
        window_start_s=START_S + 3 * DAY_S,
        window_end_s=START_S + 6 * DAY_S,
    )
    first = _offered(world, range(30, 32), "hall-3")
    world.approve_pledge(first.facility_id)
    cancel = calldata.call("FacilityRegistry", "cancel", first.facility_id)
    send(world.client, world.operator, world.deployment.facility_registry, cancel)
    again = _offered(world, range(30, 32), "hall-4")

    verdicts = world.attest(0)

    assert _pledges(verdicts) == [(later.facility_id, None), (again.facility_id, None)]


def test_pledge__another_live_pledge_is_not_published__cannot_be_compared(
    world: World, free: FacilityTerms
) -> None:
    path = f"facility-{world.facility_id}/facility.json"
    document = world.evidence.read(path)

    world.evidence.replace(path, document.replace(b"SE-", b"XX-"))
    (refused,) = world.attest(0)
    world.evidence.replace(path, document)
    (repaired,) = world.attest(0)

    assert refused.reason == (
        f"the pledge of facility {world.facility_id} is not published, so that its cards cannot"
        " be compared"
    )
    assert repaired.signed


@pytest.mark.parametrize("change", [b"SE-", b"H100"])
def test_pledge__document_differs_from_the_offer__is_refused(
    world: World, free: FacilityTerms, change: bytes
) -> None:
    path = f"facility-{free.facility_id}/facility.json"
    document = world.evidence.read(path)
    world.evidence.replace(path, document.replace(change, change[:-1] + b"1"))

    (refused,) = world.attest(0)

    assert not refused.signed
    assert "not those offered on-chain" in str(refused.reason)


def test_pledge__pays_less_than_an_attester_asks__is_declined(
    world: World, free: FacilityTerms
) -> None:
    """Its operator alone names the fee, 1 % here, and attesters' share of it, 40 %."""
    (declined,) = world.attester(0, least_pay_bps=41).run_once()
    (signed,) = world.attester(1, least_pay_bps=40).run_once()

    assert not declined.signed
    assert declined.reason == "the offer leaves attesters 40.0000 basis points of rent, not 41"
    assert signed.signed


def _post(world: World, facility_id: int, body: dict[str, Any]) -> Any:
    headers = world.as_attester(body["attester"])
    path = f"/v1/attester/facilities/{facility_id}/pledge/signatures"
    return world.http.post(path, json=body, headers=headers)


def _signed(world: World, terms: FacilityTerms, index: int, approvals: int) -> dict[str, Any]:
    """A signature of an account over a pledge after so many approvals."""
    approval = PledgeApproval(
        terms.facility_id, terms.pledge_tree.root, terms.device_count, OFFER_EPOCH, approvals
    )
    digest = approval_digest(
        approval,
        chain_id=world.deployment.chain_id,
        registry=world.deployment.pledge_registry,
    )
    signer = signer_of(index)
    return {
        "attester": signer.address,
        "approvals": approvals,
        "signature": "0x" + signer.sign_digest(digest).hex(),
    }


def test_submit__signature_that_does_not_count__is_refused_by_name(
    world: World, free: FacilityTerms
) -> None:
    """ATTACKS 19."""
    good = _signed(world, free, ATTESTER_ACCOUNTS[0], 1)
    early = _signed(world, free, ATTESTER_ACCOUNTS[0], 0)
    ours = world.contracts.pledge_registry.pledge_digest(
        free.facility_id, free.pledge_tree.root, OFFER_EPOCH
    )
    cases = [
        (free.facility_id, _signed(world, free, RENTER, 1), 422, "no seat on panel 1"),
        (free.facility_id, early, 409, "approved meanwhile"),
        (free.facility_id, good | {"attester": wallet(RENTER).address}, 422, "not this account's"),
        (world.facility_id, good, 409, "waits for no approval"),
        (99, good, 404, "no facility 99"),
    ]

    answers = [_post(world, facility_id, body) for facility_id, body, _, _ in cases]

    for answer, (_, _, status, words) in zip(answers, cases, strict=True):
        assert answer.status_code == status, answer.text
        assert words in answer.json()["detail"]
    assert world.now(ours) == approval_digest(
        PledgeApproval(free.facility_id, free.pledge_tree.root, free.device_count, OFFER_EPOCH, 1),
        chain_id=world.deployment.chain_id,
        registry=world.deployment.pledge_registry,
    )
    accepted, again = (_post(world, free.facility_id, good) for _ in range(2))
    assert (accepted.status_code, again.status_code) == (201, 200)
    assert again.json() == {"created": False, "signatures": 1, "threshold": 2}


def test_waiting__funded_cancelled_or_expired__waits_no_more(world: World) -> None:
    free = _offered(world, range(10, 14), "hall-2")
    expiring = _offered(world, range(20, 24), "hall-3", expires_at_s=START_S + DAY_S)

    def waiting() -> list[FacilityId]:
        world.indexer().advance()
        with reading(world.engine) as connection:
            return [pledge.facility_id for pledge in waiting_pledges(connection)]

    both = waiting()
    cancel = calldata.call("FacilityRegistry", "cancel", free.facility_id)
    send(world.client, world.operator, world.deployment.facility_registry, cancel)
    one = waiting()
    world.at(DAY_S)
    none = waiting()

    assert both == [free.facility_id, expiring.facility_id]
    assert one == [expiring.facility_id]
    assert none == []
    state = world.now(world.contracts.facility_registry.state_of(expiring.facility_id))
    assert state is FacilityState.CANCELLED


def test_attest__pledge_replaced_by_an_unpublished_one__refuses_statements_under_it(
    world: World,
) -> None:
    """Its signers would answer for devices that they cannot see."""
    registry = world.contracts.pledge_registry
    root = b"\7" * 32
    digest = world.now(registry.pledge_digest(FacilityId(world.facility_id), root, 1))
    signers = [signer_of(i) for i in ATTESTER_ACCOUNTS[:2]]
    signatures = sorted(
        ((s.address, s.sign_digest(digest)) for s in signers), key=lambda row: int(row[0], 16)
    )
    data = calldata.call("PledgeRegistry", "replace", world.facility_id, root, 1, signatures)
    send(world.client, world.operator, registry.address, data)
    world.at(2 * DAY_S + GRACE_S)
    close_due(world.engine, world.evidence, START_S + 2 * DAY_S + GRACE_S)

    world.indexer().advance()
    verdicts = world.attest(0)
    world.round()

    assert verdicts
    for verdict in verdicts:
        assert verdict.reason == "the pledge in force from epoch 1 on is not published"
    path = f"facility-{world.facility_id}/pledges/{root.hex()}.json"
    findings = [(f.file, f.message) for f in world.verify().findings]
    missing = f"does not hold the pledge in force from epoch 1 on: no evidence at {path!r}"
    assert findings == [(path, missing)]


def test_verify__approved_and_funded__findings_name_what_is_missing(
    world: World, free: FacilityTerms, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two attesters that approve a clash are seen by anybody."""
    monkeypatch.setattr(register, "_require_unpledged", lambda *_: None)
    clash = _offered(world, range(13, 15), "hall-3")
    world.approve_pledge(free.facility_id)
    world.approve_pledge(clash.facility_id)
    (card,) = clash.device_set & free.device_set
    world.round()

    report = world.verify()

    assert [f.sentence() for f in report.findings] == [
        f"facility {clash.facility_id}: 1 of its cards, {hex32(card)} first, are pledged before"
        f" by facility {free.facility_id} for the same time"
    ]


def _register(world: World, **changes: Any) -> httpx.Response:
    body = {
        "name": "f", "gpu_class": "X", "site": "Y", "window_start": "2026-02-01T00:00:00Z",
        "window_end": "2026-02-02T00:00:00Z", "epoch_length_s": DAY_S,
        "tranches": [{"unit_cap": 1}], "devices": [device(40)],
    }  # fmt: skip
    headers = {"Authorization": f"Bearer {world.ledger.api_key}"}
    return world.http.post("/v1/facilities", json=body | changes, headers=headers)


def test_registration__token_that_the_contract_refuses__is_refused(world: World) -> None:
    token = world.deployment.settlement_token

    refused = _register(world, settlement_token=world.deployment.rent_lockbox)
    spelled = _register(world, settlement_token=token.lower()).json()

    body = problem(refused, 422, "invalid_input")
    assert body["reason"] == "settlement_token_not_allowed"
    assert spelled["settlement_token"] == token


def test_register__facility__publishes_its_terms_at_once(world: World) -> None:
    made = _register(world).json()

    path = f"/v1/evidence/facility-{made['facility_id']}/facility.json"
    assert decode_facility(world.http.get(path).content).site == "Y"
    page = world.http.get("/v1/facilities?offset=1&limit=1").json()
    assert [row["facility_id"] for row in page] == [made["facility_id"]]
    assert page[0]["panel"] is None
    flows = f"/v1/facilities/{made['facility_id']}/cash-flows"
    assert world.http.get(flows).json() == []
    assert world.http.get(f"{flows}?limit=10001").status_code == 422
