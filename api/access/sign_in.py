"""Sign in: a nonce, then a signed message for it, then a session."""

import secrets
from dataclasses import dataclass

from sqlalchemy import Engine

from api.access import sessions as store
from api.access.nonces import read_nonce
from api.access.siwe import Origin, check_sign_in, parse_sign_in, personal_digest
from api.chain.client import ChainClient
from api.chain.erc1271 import signed_by
from api.db.session import Connection, reading, write
from api.errors import SignInNonceUnknown, SignInSignatureWrong

SESSION_LIFE_S = 12 * 3_600


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session. `token` goes into the cookie and is stored as a hash only."""

    token: str
    address: str
    expires_at_s: int


def sign_in(
    engine: Engine,
    client: ChainClient,
    *,
    text: str,
    signature: bytes,
    origin: Origin,
    chain_id: int,
    nonce_key: bytes,
    now_s: int,
) -> SignedIn:
    """Check a signed EIP-4361 message and open a session; its nonce is used up.

    A key's signature is tried first, then the contract at the address (ERC-1271).
    Raises:  what `parse_sign_in` and `check_sign_in` raise, SignInNonceUnknown,
             SignInSignatureWrong, ChainUnavailable.
    """
    message = parse_sign_in(text)
    check_sign_in(message, origin=origin, chain_id=chain_id, now_s=now_s)
    unknown = SignInNonceUnknown("the nonce is unknown, used or expired: ask for a new one")
    # Before the signature: only a nonce of ours makes us ask the chain.
    nonce = read_nonce(nonce_key, message.nonce, now_s)
    if nonce is None:
        raise unknown
    with reading(engine) as connection:
        if store.is_used(connection, nonce.stem):
            raise unknown
    digest = personal_digest(text)
    # Some hardware wallets number the recovery id from 0.
    if len(signature) == 65 and signature[64] < 2:
        signature = signature[:64] + bytes([signature[64] + 27])
    if not signed_by(client, message.address, digest, signature):
        raise SignInSignatureWrong(f"the message is not signed by {message.address}")
    # The nonce is used up only now: no transaction was open while the chain was asked. Of two
    # requests with one message, `use_nonce` lets one through.
    token, expires_at_s = secrets.token_urlsafe(32), now_s + SESSION_LIFE_S

    def work(connection: Connection) -> None:
        fresh = store.use_nonce(
            connection, nonce.stem, expires_at_s=nonce.expires_at_s, now_s=now_s
        )
        if not fresh:
            raise unknown
        store.add_session(
            connection, token, address=message.address, now_s=now_s, expires_at_s=expires_at_s
        )

    write(engine, work)
    return SignedIn(token, message.address, expires_at_s)
