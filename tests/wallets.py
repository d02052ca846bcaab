"""Wallets that sign in: the message of a page, and the whole exchange."""

import time
from typing import Any

import httpx
from eth_account import Account
from eth_account.messages import encode_defunct
from fastapi.testclient import TestClient

from api.access.nonces import NONCE_LIFE_S

CHAIN_ID = 1


def sign_in_text(address: str, nonce: str, **changes: Any) -> str:
    """An EIP-4361 message as our page writes it."""
    values = {
        "prefix": "testserver",
        "statement": "Sign in to Rentroll.",
        "uri": "http://testserver/console",
        "version": "1",
        "chain_id": CHAIN_ID,
        "issued_at": "2026-01-01T00:00:00.000Z",
        "tail": "",
        **changes,
    }
    return (
        f"{values['prefix']} wants you to sign in with your Ethereum account:\n{address}\n\n"
        f"{values['statement']}\n\nURI: {values['uri']}\nVersion: {values['version']}\n"
        f"Chain ID: {values['chain_id']}\nNonce: {nonce}\nIssued At: {values['issued_at']}"
        f"{values['tail']}"
    )


def signed(key: str, text: str) -> str:
    """EIP-191 signature of a key, as a browser's wallet gives it."""
    return "0x" + bytes(Account.sign_message(encode_defunct(text=text), key).signature).hex()


def nonce_of(client: TestClient) -> str:
    """A fresh nonce."""
    answer = client.post("/v1/session/nonce")
    assert answer.status_code == 201
    assert time.time() < answer.json()["expires_at_s"] <= time.time() + NONCE_LIFE_S + 1
    assert abs(answer.json()["issued_at_s"] - time.time()) <= 2
    return str(answer.json()["nonce"])


def sign_in(client: TestClient, key: str, **changes: Any) -> httpx.Response:
    """The whole exchange; the client keeps the cookie."""
    address = Account.from_key(key).address
    text = sign_in_text(address, nonce_of(client), **changes)
    return client.post("/v1/session", json={"message": text, "signature": signed(key, text)})
