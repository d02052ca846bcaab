"""Sign-In with Ethereum: reading an EIP-4361 message strictly, and judging what it says."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from api.domain.hashing import keccak
from api.domain.metering.instants import parse_instant
from api.errors import (
    InvalidInput,
    SignInChainWrong,
    SignInDomainWrong,
    SignInExpired,
    SignInMalformed,
    SignInNotYetValid,
    SignInUriWrong,
)

MAX_MESSAGE_CHARS = 4_000
_TIME = r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:[Zz]|[+-]\d{2}:\d{2})"
# RFC 3986 reserved and unreserved characters, and the space: EIP-4361 allows no others.
_STATEMENT = r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;= ]+"
_URI = r"[A-Za-z][A-Za-z0-9+.\-]*:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+"
# Source: EIP-4361, "ABNF Message Format". Without a statement, the ABNF has two empty lines and
# wallets' libraries (viem) one; both read the same.
_MESSAGE = re.compile(
    r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]*)://)?"
    r"(?P<domain>[A-Za-z0-9\-._~\[\]:]{1,255})"
    r" wants you to sign in with your Ethereum account:\n"
    r"(?P<address>0x[0-9a-fA-F]{40})\n"
    rf"\n(?:(?:(?P<statement>{_STATEMENT})\n)?\n)?"
    rf"URI: (?P<uri>{_URI})\n"
    r"Version: 1\n"
    r"Chain ID: (?P<chain_id>[0-9]{1,20})\n"
    r"Nonce: (?P<nonce>[A-Za-z0-9]{8,64})\n"
    rf"Issued At: (?P<issued_at>{_TIME})"
    rf"(?:\nExpiration Time: (?P<expires_at>{_TIME}))?"
    rf"(?:\nNot Before: (?P<not_before>{_TIME}))?"
    r"(?:\nRequest ID: [A-Za-z0-9\-._~:@!$&'()*+,;=%]*)?"
    rf"(?:\nResources:(?:\n- {_URI})*)?"
)
_FRACTION = re.compile(r"\.\d+")


@dataclass(frozen=True, slots=True)
class SignInMessage:
    """What a sign-in message says. `address` has its EIP-55 checksum."""

    scheme: str | None
    domain: str
    address: str
    uri: str
    chain_id: int
    nonce: str
    issued_at_s: int
    expires_at_s: int | None
    not_before_s: int | None


def has_checksum(address: str) -> bool:
    """Whether the capitals of an address are its EIP-55 checksum."""
    lower = address[2:].lower()
    digest = keccak(lower.encode()).hex()
    mixed = "".join(c.upper() if int(h, 16) > 7 else c for c, h in zip(lower, digest, strict=False))
    return address[2:] == mixed


def parse_sign_in(text: str) -> SignInMessage:
    """Read an EIP-4361 message; any departure from the format is refused.

    Raises:  SignInMalformed.
    """
    match = _MESSAGE.fullmatch(text) if len(text) <= MAX_MESSAGE_CHARS else None
    if match is None:
        raise SignInMalformed("the message is not an EIP-4361 sign-in message")
    address = match["address"]
    if not has_checksum(address):
        raise SignInMalformed("the address lacks its EIP-55 checksum")
    issued_at_s = _instant(match["issued_at"])
    if issued_at_s is None:
        raise SignInMalformed("the message does not say when it was issued")
    return SignInMessage(
        match["scheme"],
        match["domain"],
        address,
        match["uri"],
        int(match["chain_id"]),
        match["nonce"],
        issued_at_s,
        _instant(match["expires_at"]),
        _instant(match["not_before"]),
    )


def _instant(text: str | None) -> int | None:
    """Whole seconds, rounded down: browsers write milliseconds."""
    if text is None:
        return None
    try:
        return parse_instant(_FRACTION.sub("", text), field="time")
    except InvalidInput as error:
        raise SignInMalformed(error.message) from error


@dataclass(frozen=True, slots=True)
class Origin:
    """Where our pages live: scheme, and host with port unless it is the scheme's own."""

    scheme: str
    authority: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"

    @property
    def host(self) -> str:
        """Host without port or brackets."""
        return urlsplit(str(self)).hostname or ""


def origin_of(url: str) -> Origin | None:
    """Origin of an http(s) URL; None for anything else, and for one that names a user."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    default = {"http": 80, "https": 443}[parts.scheme]
    return Origin(parts.scheme, host if port in (None, default) else f"{host}:{port}")


def check_sign_in(message: SignInMessage, *, origin: Origin, chain_id: int, now_s: int) -> None:
    """Refuse a message that was signed for another site, chain or time.

    `Issued At` is not compared with the clock: the nonce, ours and short-lived, bounds the age.
    Raises:  SignInDomainWrong, SignInUriWrong, SignInChainWrong, SignInExpired,
             SignInNotYetValid.
    """
    scheme = message.scheme or origin.scheme
    if (scheme, message.domain.lower()) != (origin.scheme, origin.authority):
        raise SignInDomainWrong(f"the message is for {message.domain}, not {origin.authority}")
    if origin_of(message.uri) != origin:
        raise SignInUriWrong("the message's URI is not of this site")
    if message.chain_id != chain_id:
        raise SignInChainWrong(f"the message is for chain {message.chain_id}, not {chain_id}")
    if message.expires_at_s is not None and now_s >= message.expires_at_s:
        raise SignInExpired("the message has expired")
    if message.not_before_s is not None and now_s < message.not_before_s:
        raise SignInNotYetValid("the message is not valid yet")


def personal_digest(text: str) -> bytes:
    """What wallets sign of a text: EIP-191, version 0x45."""
    data = text.encode()
    return keccak(b"\x19Ethereum Signed Message:\n%d" % len(data) + data)
