"""Authors of signed requests, over HTTP: an operator's ledger key and keys of collectors."""

import base64
import gzip
import json
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi.testclient import TestClient
from httpx import Response

from api.chain import calldata
from api.db.facilities import facility_row
from api.db.session import reading
from api.domain.log.entry import LogName, entry_hash
from api.domain.log.keys import KeyRole, key_body, key_end_body
from api.domain.log.receipts import Receipt, pack_receipt, receipt_from
from api.domain.log.requests import SignedRequest, key_text, read_request, said_of, sign_request
from api.domain.statements.evidence_reader import terms_from_bytes
from api.domain.units import ZERO32, Bytes32
from tests.world import World, send

BATCH = "application/cloudevents-batch+json"


def raw_key(key: Ed25519PrivateKey) -> Bytes32:
    """The public half of a key."""
    return Bytes32(key.public_key().public_bytes_raw())


@dataclass
class Author:
    """A key that signs requests about one facility, and remembers its last receipt."""

    world: World
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    after: Bytes32 = ZERO32
    receipts: list[Receipt] = field(default_factory=list)
    # What each receipt is for: the body as it was sent, and what was signed beside it.
    sent: dict[bytes, tuple[bytes, SignedRequest]] = field(default_factory=dict)

    @property
    def public(self) -> Bytes32:
        """Its public key."""
        return raw_key(self.key)

    @property
    def log(self) -> LogName:
        """Name of the world's log."""
        with reading(self.world.engine) as connection:
            row = facility_row(connection, self.world.facility_id)
        return terms_from_bytes(row.terms_json).log

    def headers(self, path: str, body: bytes, **changes: Any) -> dict[str, str]:
        """Headers of a request."""
        values: dict[str, Any] = {
            "path": path,
            "content_type": BATCH if path.endswith("/events") else "application/json",
            "body": body,
            "log": self.log,
            "after": self.after,
            "created_s": self.world.clock(),
        }
        return sign_request(self.key, **(values | changes))

    def post(self, path: str, body: bytes, *, bearer: bool = False, **changes: Any) -> Response:
        """Send a request and keep its receipt. bearer: with the operator's API key too."""
        headers = self.headers(changes.pop("signed_path", path), body, **changes)
        if bearer:
            headers["authorization"] = f"Bearer {self.world.ledger.api_key}"
        answer = self.world.http.post(path, content=body, headers=headers)
        if answer.status_code == 200:
            receipt = receipt_from(answer.json()["receipt"])
            signed = read_request(headers, path=path)
            self.sent[entry_hash(receipt.entry)] = body, signed
            self.keep(receipt)
        return answer

    def give_back(
        self, index: int, *, bare: bool = False, by: TestClient | None = None
    ) -> Response:
        """Show a receipt, and what it is for. bare: the receipt alone."""
        return self.show(self.receipts[index], bare=bare, by=by)

    def show(
        self, receipt: Receipt, *, bare: bool = False, by: TestClient | None = None
    ) -> Response:
        """Show any receipt."""
        content = b"" if bare else said_of(*self.sent[entry_hash(receipt.entry)])
        return self.show_raw(receipt, content, by=by)

    def show_raw(
        self, receipt: Receipt, content: bytes, *, by: TestClient | None = None
    ) -> Response:
        """Show a receipt beside any body. by: another client than the world's."""
        packed = base64.b64encode(pack_receipt(receipt)).decode()
        headers = {"rentroll-receipt": packed, "content-type": "application/json"}
        return (by or self.world.http).post("/v1/log/entries", content=content, headers=headers)

    def keep(self, receipt: Receipt) -> None:
        """Go on behind a receipt."""
        self.receipts.append(receipt)
        self.after = entry_hash(receipt.entry)

    def send(self, *events: dict[str, Any], packed: bool = False) -> Response:
        """Send events. packed: behind gzip."""
        body = json.dumps(events).encode()
        if not packed:
            return self.post("/v1/events", body)
        body = gzip.compress(body)
        headers = {**self.headers("/v1/events", body), "content-encoding": "gzip"}
        answer = self.world.http.post("/v1/events", content=body, headers=headers)
        if answer.status_code == 200:
            self.keep(receipt_from(answer.json()["receipt"]))
        return answer

    def taken(self, *events: dict[str, Any]) -> list[str]:
        """Send events; returns their answers by word or code."""
        answer = self.send(*events)
        assert answer.status_code == 200, answer.text
        return [r.get("code") or r["status"] for r in answer.json()["results"]]

    def bring(self, other: "Author", *, name: str = "rack-1") -> Response:
        """Name a collector's key."""
        body = key_body(other.public, name=name, role=KeyRole.COLLECTOR)
        answer = self.post("/v1/log/keys", body, bearer=True)
        if answer.status_code == 200:
            other.after = self.after
        return answer

    def bring_itself(self) -> Response:
        """Bring the ledger key into the log."""
        body = key_body(self.public, name="ledger", role=KeyRole.LEDGER)
        return self.post("/v1/log/keys", body, bearer=True)

    def end(self, other: "Author") -> Response:
        """End a key."""
        return self.post("/v1/log/keys/end", key_end_body(other.public), bearer=True)

    @property
    def text(self) -> str:
        """Its name in requests."""
        return key_text(self.public)


def name_on_chain(world: World, key: Bytes32) -> None:
    """The operator's address names its ledger key, and blocks make that final."""
    data = calldata.call("FacilityRegistry", "setLedgerKey", key)
    send(world.client, world.operator, world.deployment.facility_registry, data)
    world.client.request("anvil_mine", "0x3")


def signing_operator(world: World) -> Author:
    """The operator's ledger key, named on-chain and brought into the world's log."""
    operator = Author(world)
    name_on_chain(world, operator.public)
    answer = operator.bring_itself()
    assert answer.status_code == 200, answer.text
    return operator


def collector_of(operator: Author, *, name: str = "rack-1") -> Author:
    """A collector whose key the operator named."""
    collector = Author(operator.world)
    answer = operator.bring(collector, name=name)
    assert answer.status_code == 200, answer.text
    return collector
