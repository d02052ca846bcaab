"""The real application for tests: in process, or behind uvicorn on a free loopback port."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import orjson
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import ColumnElement, Table, func, select

from api.chain.deployment import CONTRACTS
from api.db.session import reading
from api.db.tables.ledger import HELD_KINDS, facts, meter_events
from api.ledger.leases import SOURCE
from api.main import create_app
from api.routes.http.body import BATCH
from api.routes.service import attach_service, service_of
from api.settings import Settings
from tests.factories import Ledger

ADMIN_KEY = "test-admin-key"
# What the test client calls itself.
SITE = "http://testserver"
# Nothing listens on port 1: a chain that cannot be reached, without waiting.
NO_CHAIN = "http://127.0.0.1:1"


def deployment_document() -> bytes:
    """A deployment file of contracts that are nowhere."""
    address, code_hash = "0x" + "a" * 40, "0x" + "0" * 64
    contracts = {name: {"address": address, "codeHash": code_hash} for name in CONTRACTS}
    return orjson.dumps({"chainId": 1, "startBlock": 0, "contracts": contracts})


def make_app(database_url: str, folder: Path, **changes: Any) -> FastAPI:
    """The application without chain and deployment, independent of the environment."""
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]
        database_url=database_url,
        rpc_url=NO_CHAIN,
        deployment_file=folder / "deployment.json",
        evidence_dir=folder / "evidence",
        admin_key=ADMIN_KEY,  # type: ignore[arg-type]
        public_url=SITE,
        **changes,
    )
    return create_app(settings)


def change_service(app: FastAPI, **changes: Any) -> None:
    """Give an application another clock, client or contracts."""
    attach_service(app, replace(service_of(app), **changes))


@dataclass
class Service:
    """The application with one operator's ledger behind it."""

    app: FastAPI
    client: TestClient
    ledger: Ledger

    def auth(self, key: str | None = None) -> dict[str, str]:
        """Authorization header of the operator, or of another key."""
        return {"Authorization": f"Bearer {key or self.ledger.api_key}"}

    def post(
        self, body: Any, *, media: str | None = BATCH, key: str | None = None, **headers: str
    ) -> httpx.Response:
        """POST /v1/events; `body` is bytes, or JSON."""
        data = body if isinstance(body, bytes) else orjson.dumps(body)
        sent = {**self.auth(key), **headers}
        if media is not None:
            sent["Content-Type"] = media
        return self.client.post("/v1/events", content=data, headers=sent)

    def count(self, table: Table) -> int:
        """Rows of a table."""
        with reading(self.ledger.engine) as connection:
            query = select(func.count()).select_from(table)
            return int(connection.execute(query).scalar_one())

    def uses(self) -> int:
        """Uses that the logs have, voided or not."""
        return self._count(facts.c.kind.in_([kind.value for kind in HELD_KINDS]))

    def pushed(self) -> int:
        """Events that were pushed: those that the service wrote for its operator are none."""
        return self._count(meter_events.c.source != SOURCE)

    def _count(self, which: ColumnElement[bool]) -> int:
        with reading(self.ledger.engine) as connection:
            return int(connection.execute(select(func.count()).where(which)).scalar_one())


class _Server(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.ready.set()


@contextmanager
def serving(app: FastAPI, **config: Any) -> Iterator[int]:
    """Run an application behind uvicorn; yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config |= {"log_level": "critical", "timeout_graceful_shutdown": 2}
        server = _Server(uvicorn.Config(app, **config))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            assert server.ready.wait(30)
            yield int(listener.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join()


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The body of an answer that must be this RFC 9457 problem."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["code"] == code
    assert body["type"] == f"urn:rentroll:{code}"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    return body
