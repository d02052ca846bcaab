"""How attesters of tests reach the application of a world: each by an API key of its own."""

from copy import copy
from functools import cache

from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from api.access.accounts import add_attester_key
from api.attester.client import HttpAttesterApi
from api.chain.calldata import checksum
from api.db.session import transaction
from api.evidence_store import EvidenceUrl
from tests.factories import START_S

_URL = "http://testserver"


class AttesterClients:
    """Keys and clients by account, made when they are asked for first."""

    def __init__(self, engine: Engine, app: FastAPI) -> None:
        self._engine, self._app = engine, app
        self.key_of = cache(self._key_of)
        self._client_of = cache(self._make_client)

    def _key_of(self, account: str) -> str:
        """An API key that speaks for an account, with all scopes."""
        named = {"name": f"of {account}", "attester": checksum(account), "actor": "test"}
        with transaction(self._engine) as connection:
            return add_attester_key(connection, **named, now_s=START_S)

    def _make_client(self, account: str) -> tuple[HttpAttesterApi, EvidenceUrl]:
        key = self.key_of(account)
        api, evidence = HttpAttesterApi(_URL, api_key=key), EvidenceUrl(f"{_URL}/v1/evidence")
        api._client = TestClient(self._app, headers={"Authorization": f"Bearer {key}"})
        evidence._client = TestClient(self._app)
        return api, evidence

    def of(self, account: str) -> tuple[HttpAttesterApi, EvidenceUrl]:
        """Clients whose far side is the application in this process; the first is the caller's."""
        api, evidence = self._client_of(account)
        return copy(api), evidence
