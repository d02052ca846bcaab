"""How answers travel: gzip, entity tags, HEAD, and what nobody may keep."""

import gzip
import http.client
import json

import pytest

from api.domain.hashing import sha256
from api.epochs.close import close_due
from tests.factories import DAY_S, GRACE_S, START_S
from tests.integration.service import Service, serving

PLAIN = {"Accept-Encoding": "identity"}
ZIPPED = {"Accept-Encoding": "gzip, br"}


@pytest.fixture
def closed(service: Service) -> Service:
    """A closed epoch of 60 lines, and facilities enough for a long list."""
    ledger = service.ledger
    ledger.ingest(*(ledger.usage(0, at_s, at_s + 59) for at_s in range(0, 3_600, 60)))
    ledger.clock.now_s = START_S + DAY_S + GRACE_S
    close_due(ledger.engine, ledger.evidence, ledger.clock.now_s)
    for i in range(5):
        ledger.add_facility(range(10 + i, 11 + i), name=f"hall-{i}")
    return service


def _paths(service: Service) -> dict[str, str]:
    facility = f"/v1/facilities/{service.ledger.facility_id}"
    return {
        "market": "/v1/tranches",
        "lines": f"{facility}/epochs/0/lines",
        "proof": f"{facility}/epochs/0/lines/0/proof",
        "facilities": "/v1/facilities",
        "statements": f"{facility}/statements",
        "openapi": "/openapi.json",
        "evidence": f"/v1/evidence/facility-{service.ledger.facility_id}/epoch-00000/lines.csv",
        "export": "/v1/tranches.csv",
        "console": f"/v1/console/facilities/{service.ledger.facility_id}/rejections",
    }


@pytest.mark.parametrize("name", ["market", "lines", "facilities", "openapi"])
def test_gzip__public_json__is_smaller_and_the_same(closed: Service, name: str) -> None:
    path = _paths(closed)[name]

    plain = closed.client.get(path, headers=PLAIN)
    with closed.client.stream("GET", path, headers=ZIPPED) as answer:
        packed = b"".join(answer.iter_raw())

    assert "content-encoding" not in plain.headers
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert int(answer.headers["content-length"]) == len(packed) < len(plain.content) // 2
    assert gzip.decompress(packed) == plain.content
    assert answer.headers["etag"] == plain.headers["etag"]


@pytest.mark.parametrize("name", ["evidence", "export", "console"])
def test_gzip__evidence_exports_and_secrets__travel_as_they_are(closed: Service, name: str) -> None:
    closed.post([{"id": f"x{i}", "source": "s" * 50} for i in range(20)])

    answer = closed.client.get(_paths(closed)[name], headers=ZIPPED | closed.auth())

    assert answer.status_code == 200
    assert len(answer.content) > 1_024
    assert "content-encoding" not in answer.headers
    assert int(answer.headers["content-length"]) == len(answer.content)


@pytest.mark.parametrize(
    "name", ["market", "lines", "proof", "statements", "openapi", "evidence", "export"]
)
@pytest.mark.parametrize("coding", [PLAIN, ZIPPED])
def test_etag__sent_back__is_304_without_a_body(
    closed: Service, name: str, coding: dict[str, str]
) -> None:
    path = _paths(closed)[name]
    first = closed.client.get(path, headers=coding)
    tag = first.headers["etag"]

    for wanted in (tag, f'"other", {tag}', "*", tag.removeprefix("W/")):
        again = closed.client.get(path, headers=coding | {"If-None-Match": wanted})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
        assert again.headers["cache-control"] == first.headers["cache-control"] == "no-cache"
        assert "content-type" not in again.headers
    other = closed.client.get(path, headers=coding | {"If-None-Match": '"other"'})
    assert (other.status_code, other.content) == (200, first.content)


def test_etag__of_what_changed__is_another(closed: Service) -> None:
    path = "/v1/facilities"
    tag = closed.client.get(path).headers["etag"]

    closed.ledger.add_facility(range(90, 91), name="new")
    found = closed.client.get(path, headers={"If-None-Match": tag})

    assert found.status_code == 200
    assert found.json()[-1]["name"] == "new"
    missing = closed.client.get(f"{path}/999", headers={"If-None-Match": "*"})
    assert missing.status_code == 404


def test_evidence__tag__is_the_hash_of_its_bytes(closed: Service) -> None:
    folder = _paths(closed)["evidence"].rpartition("/")[0]
    manifest = closed.client.get(f"{folder}/manifest.json").json()

    answer = closed.client.get(f"{folder}/lines.csv")

    named = json.dumps(manifest)
    assert answer.headers["etag"] == f'"{sha256(answer.content).hex()}"'
    assert answer.headers["etag"].strip('"') in named
    assert answer.headers["cache-control"] == "no-cache"


def test_evidence__only_what_lies_under_its_hash__never_changes(service: Service) -> None:
    kept = f"facility-1/superseded/epoch-00000-{'ab' * 32}"
    lasting = "public, max-age=31536000, immutable"
    cases = {
        f"{kept}/lines.csv": lasting,
        f"{kept}/attestations.json": "no-cache",
        "facility-1/epoch-00000/lines.csv": "no-cache",
        f"facility-1/epoch-00000-{'ab' * 32}/lines.csv": "no-cache",
    }

    for path, policy in cases.items():
        service.ledger.evidence.write(path, b"{}")
        answer = service.client.get(f"/v1/evidence/{path}")
        assert (path, answer.headers["cache-control"]) == (path, policy)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/session"),
        ("POST", "/v1/session/nonce"),
        ("POST", "/v1/session"),
        ("GET", "/v1/console"),
        ("GET", "/v1/console/facilities/1/epochs"),
        ("GET", "/v1/attester/pending"),
        ("POST", "/v1/operators"),
        ("POST", "/v1/events"),
        ("POST", "/v1/facilities"),
    ],
)
def test_cache__of_what_is_not_public__is_forbidden(
    service: Service, method: str, path: str
) -> None:
    for headers in ({}, service.auth()):
        answer = service.client.request(method, path, headers=headers)
        assert answer.headers["cache-control"] == "no-store"
        assert "etag" not in answer.headers


def test_head__over_a_socket__has_the_headers_of_get_and_no_body(closed: Service) -> None:
    path = _paths(closed)["evidence"]
    with serving(closed.app) as port:
        seen = {}
        for method, headers in (("GET", {}), ("HEAD", {}), ("HEAD", {"If-None-Match": "*"})):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request(method, path, headers={"X-Request-Id": "one-for-all"} | headers)
            answer = connection.getresponse()
            body, shown = answer.read(), dict(answer.getheaders())
            seen[method, bool(headers)] = (answer.status, shown, body)
            connection.close()

    status, shown, body = seen["GET", False]
    assert status == 200
    assert seen["HEAD", False] == (200, shown | {"date": seen["HEAD", False][1]["date"]}, b"")
    assert shown["content-length"] == str(len(body))
    assert seen["HEAD", True][0] == 304
    assert seen["HEAD", True][2] == b""


def test_head__where_get_is_not__is_405(service: Service) -> None:
    assert service.client.head("/v1/events").status_code == 405
    assert service.client.head("/v1/facilities/999").status_code == 404
    assert service.client.head("/v1/session").status_code == 401
