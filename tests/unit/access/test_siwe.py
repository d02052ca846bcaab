"""EIP-4361 messages: read strictly, and judged by domain, URI, chain and time."""

from dataclasses import replace

import pytest
from eth_account import Account
from eth_account.messages import _hash_eip191_message, encode_defunct
from hypothesis import given
from hypothesis import strategies as st

from api.access.siwe import (
    MAX_MESSAGE_CHARS,
    Origin,
    check_sign_in,
    has_checksum,
    origin_of,
    parse_sign_in,
    personal_digest,
)
from api.errors import (
    SignInChainWrong,
    SignInDomainWrong,
    SignInExpired,
    SignInMalformed,
    SignInNotYetValid,
    SignInUriWrong,
    Unauthorized,
)
from tests.wallets import sign_in_text

ADDRESS = Account.from_key(b"\1" * 32).address
NONCE = "0123456789abcdef"
SITE = Origin("http", "testserver")
TEXT = sign_in_text(ADDRESS, NONCE)
# Source: EIP-4361, "Informal Message Template" example with every field.
FULL = (
    "https://example.com wants you to sign in with your Ethereum account:\n"
    "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2\n\n"
    "I accept the ExampleOrg Terms of Service: https://example.com/tos\n\n"
    "URI: https://example.com/login\nVersion: 1\nChain ID: 1\nNonce: 32891756\n"
    "Issued At: 2021-09-30T16:25:24Z\nExpiration Time: 2021-09-30T16:35:24Z\n"
    "Not Before: 2021-09-30T16:25:00+00:00\nRequest ID: some-id\nResources:\n"
    "- ipfs://bafybeiemxf5abjwjbikoz4mc3a3dla6ual3jsgpdr4cjr3oz3evfyavhwq/\n"
    "- https://example.com/my-web2-claim.json"
)


def test_parse__every_field__is_read() -> None:
    found = parse_sign_in(FULL)

    assert (found.scheme, found.domain, found.chain_id) == ("https", "example.com", 1)
    assert found.address == "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2"
    assert found.issued_at_s == 1_633_019_124
    assert (found.expires_at_s, found.not_before_s) == (1_633_019_724, 1_633_019_100)


def test_parse__no_statement__in_both_spellings() -> None:
    """The ABNF has two empty lines there, viem writes one."""
    spellings = [
        TEXT.replace("\n\nSign in to Rentroll.\n\n", gap) for gap in ("\n\n\nURI", "\n\nURI")
    ]
    texts = [s.replace("URIURI", "URI") for s in spellings]

    assert {parse_sign_in(t) for t in texts} == {parse_sign_in(TEXT)}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("testserver wants", " wants"),
        ("testserver wants", "a@testserver wants"),
        ("wants you", "wants  you"),
        (ADDRESS, ADDRESS.lower()),
        (ADDRESS, ADDRESS[:-1]),
        ("Sign in to Rentroll.", "Two\nlines"),
        ("Sign in to Rentroll.", "<script>"),
        ("Sign in to Rentroll.", "naïve"),
        ("URI: http", "uri: http"),
        ("URI: http://testserver/console", "URI: /console"),
        ("Version: 1", "Version: 2"),
        ("Version: 1\n", ""),
        ("Chain ID: 1", "Chain ID: 0x1"),
        ("Chain ID: 1", "Chain ID: -1"),
        ("Chain ID: 1", "Chain ID: ١"),
        (NONCE, "short12"),
        (NONCE, "a" * 65),
        (NONCE, "01234567 89"),
        ("Issued At: 2026-01-01T00:00:00.000Z", "Issued At: yesterday"),
        ("Issued At: 2026-01-01T", "Issued At: 2026-02-30T"),
        ("T00:00:00.000Z", "T00:00:00"),
        ("\nIssued At: 2026-01-01T00:00:00.000Z", ""),
        ("\nNonce", "\nNonce: 0123456789\nNonce"),
        ("000Z", "000Z\n"),
        ("000Z", "000Z\r\nRequest ID: 1"),
        ("000Z", "000Z\nNot Before: 2026-01-01T00:00:00Z\nExpiration Time: 2026-01-01T00:00:00Z"),
        ("000Z", "000Z\nResources:\n- x"),
        ("000Z", "000Z\nFoo: 1"),
    ],
)
def test_parse__departure_from_the_format__is_refused(old: str, new: str) -> None:
    assert old in TEXT
    with pytest.raises(SignInMalformed):
        parse_sign_in(TEXT.replace(old, new, 1))


def test_parse__far_too_long__is_refused() -> None:
    with pytest.raises(SignInMalformed):
        parse_sign_in(TEXT + "\nResources:" + "\n- a:b" * MAX_MESSAGE_CHARS)


@given(st.text(max_size=300))
def test_parse__any_text__is_read_or_refused(text: str) -> None:
    for candidate in (text, TEXT.replace("Sign in to Rentroll.", text), TEXT + text):
        try:
            parse_sign_in(candidate)
        except SignInMalformed:
            continue


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"domain": "evil.example"}, SignInDomainWrong),
        ({"domain": "testserver:80"}, SignInDomainWrong),
        ({"scheme": "https"}, SignInDomainWrong),
        ({"uri": "http://evil.example/console"}, SignInUriWrong),
        ({"uri": "http://testserver@evil.example/"}, SignInUriWrong),
        ({"uri": "https://testserver/console"}, SignInUriWrong),
        ({"uri": "did:key:x"}, SignInUriWrong),
        ({"chain_id": 2}, SignInChainWrong),
        ({"expires_at_s": 1_000}, SignInExpired),
        ({"not_before_s": 1_001}, SignInNotYetValid),
    ],
)
def test_check__of_another_site_chain_or_time__is_refused_by_name(
    change: dict[str, object], error: type[Unauthorized]
) -> None:
    message = parse_sign_in(TEXT)
    fitting = replace(message, expires_at_s=1_001, not_before_s=1_000)
    check_sign_in(fitting, origin=SITE, chain_id=1, now_s=1_000)

    wrong = replace(message, **change)  # type: ignore[arg-type]
    with pytest.raises(error):
        check_sign_in(wrong, origin=SITE, chain_id=1, now_s=1_000)


def test_origin__is_normal_form_or_none() -> None:
    assert origin_of("https://a.example:443/x?y") == Origin("https", "a.example")
    assert origin_of("HTTP://A.example:8000") == Origin("http", "a.example:8000")
    assert origin_of("http://[::1]:80/") == Origin("http", "[::1]")
    for none in ("null", "", "ftp://a", "http://", "http://u@a/", "http://a:99999", "a.example"):
        assert origin_of(none) is None


@given(st.binary(min_size=32, max_size=32), st.text(max_size=50))
def test_checksum_and_digest__are_those_of_eth_account(secret: bytes, text: str) -> None:
    text = text.encode("utf-8", "ignore").decode()
    secret = bytes([1]) + secret[1:]

    address = Account.from_key(secret).address
    assert has_checksum(address)
    assert not has_checksum("0x" + address[2:].swapcase())
    assert personal_digest(text) == bytes(_hash_eip191_message(encode_defunct(text=text)))
