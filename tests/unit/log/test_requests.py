"""Signed requests: one profile of RFC 9421, read strictly, as other libraries sign and check it."""

import base64
import datetime
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    MappingKeyResolver,
    algorithms,
)

from api.domain.log.bodies import unpack
from api.domain.log.ed25519 import holds, is_weak
from api.domain.log.entry import LogName
from api.domain.log.requests import (
    COMPONENTS,
    PARAMETERS,
    content_digest,
    is_signed,
    key_from,
    key_text,
    read_request,
    request_document,
    request_from,
    said_of,
    sign_request,
)
from api.domain.units import ZERO32, Address, Bytes32, FacilityId
from api.errors import SignatureRefused, SignatureWrong

LOG = LogName(31_337, Address("0x" + "Ab" * 20), FacilityId(7))
KEY = Ed25519PrivateKey.from_private_bytes(b"\7" * 32)
PUBLIC = Bytes32(KEY.public_key().public_bytes_raw())
AFTER = Bytes32(b"\x0a" * 32)
BODY = b'[{"id":"e1"}]'
PATH, TYPE = "/v1/events", "application/cloudevents-batch+json"
NOW_S = 1_767_225_600


def _headers(**changes: object) -> dict[str, str]:
    values = {
        "path": PATH,
        "content_type": TYPE,
        "body": BODY,
        "log": LOG,
        "after": AFTER,
        "created_s": NOW_S,
    }
    return sign_request(KEY, **{**values, **changes})  # type: ignore[arg-type]


# --- against an independent library --------------------------------------------------------------


@dataclass
class _Message:
    """A request as the library wants it."""

    headers: dict[str, str] = field(default_factory=dict)
    method: str = "POST"
    url: str = f"https://gpu.example{PATH}"


RESOLVER = MappingKeyResolver(
    public_keys={key_text(PUBLIC): KEY.public_key()}, private_keys={key_text(PUBLIC): KEY}
)
NAMES = tuple(name.strip('"') for name in COMPONENTS.split())


def test_signature__of_ours__is_checked_by_another_library() -> None:
    """With the body's digest, and every component that the profile has."""
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=RESOLVER)

    [result] = verifier.verify(
        _Message(_headers()),
        max_age=None,
        expect_tag="rentroll/1",
        require_components=NAMES,
        body=BODY,
    )

    assert result.body == BODY
    assert result.parameters["created"] == NOW_S


def test_signature__of_another_library__is_read_and_holds() -> None:
    message = _Message(
        {
            "content-type": TYPE,
            "rentroll-log": str(LOG),
            "rentroll-after": AFTER.hex(),
            "content-digest": content_digest(BODY),
        }
    )
    HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=RESOLVER).sign(
        message,
        key_id=key_text(PUBLIC),
        created=datetime.datetime.fromtimestamp(NOW_S, datetime.UTC),
        tag="rentroll/1",
        label="sig-b26",
        covered_component_ids=NAMES,
        use_existing_digest=True,
    )
    headers = {name.lower(): value for name, value in message.headers.items()}

    request = read_request(headers, path=PATH)

    request.require_signed(content_digest(BODY), log=LOG)
    assert (request.author, request.created_s, request.after) == (PUBLIC, NOW_S, AFTER)


def test_signature__of_the_standard_itself__holds() -> None:
    """Source: RFC 9421 §B.2.6, read 2026-11-30: key test-key-ed25519 and its signature."""
    key = base64.urlsafe_b64decode("JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs=")
    params = '("date" "@method" "@path" "@authority" "content-type" "content-length")'
    params += ';created=1618884473;keyid="test-key-ed25519"'
    base = "\n".join(
        (
            '"date": Tue, 20 Apr 2021 02:07:55 GMT',
            '"@method": POST',
            '"@path": /foo',
            '"@authority": example.com',
            '"content-type": application/json',
            '"content-length": 18',
            f'"@signature-params": {params}',
        )
    ).encode()
    signature = base64.b64decode(
        "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
    )

    assert holds(signature, base, key=Bytes32(key))
    assert not holds(signature, base + b" ", key=Bytes32(key))


# --- reading -------------------------------------------------------------------------------------


def test_request__kept_as_json__reads_back_the_same_and_still_holds() -> None:
    request = read_request(_headers(), path=PATH)

    again = request_from(json.loads(json.dumps(request_document(request))))

    assert again == request
    again.require_signed(content_digest(BODY), log=LOG)


def test_said__of_a_request__has_its_body_and_what_was_signed_beside_it() -> None:
    request = read_request(_headers(), path=PATH)

    said = json.loads(said_of(BODY, request))

    assert unpack(base64.b64decode(said["packed"])) == BODY
    assert request_from(said["request"]) == request


def test_request__parameters_in_another_order__are_read() -> None:
    """Others sign them in an order of theirs: what was sent is what was signed."""
    request = read_request(_headers(), path=PATH)
    parts = request.params.split(";")[1:]

    turned = replace(request, params=f"({COMPONENTS});" + ";".join(reversed(parts)))

    assert request_from(request_document(turned)) == turned
    with pytest.raises(SignatureWrong):
        turned.require_signed(content_digest(BODY), log=LOG)


CHANGES: dict[str, Callable[[dict[str, str]], dict[str, str]]] = {
    "body": lambda h: h | {"content-digest": content_digest(b"[]")},
    "type": lambda h: h | {"content-type": "application/json"},
    "after": lambda h: h | {"rentroll-after": ZERO32.hex()},
    "second": lambda h: h | {"signature-input": h["signature-input"].replace("1767", "1768")},
    "key": lambda h: (
        h
        | {
            "signature-input": h["signature-input"].replace(
                key_text(PUBLIC), key_text(Bytes32(b"\x58" + b"\x66" * 31))
            )
        }
    ),
}


@pytest.mark.parametrize("case", CHANGES)
def test_require_signed__anything_changed__is_wrong(case: str) -> None:
    headers = CHANGES[case](_headers())

    request = read_request(headers, path=PATH)

    with pytest.raises(SignatureWrong):
        request.require_signed(headers["content-digest"], log=LOG)


def test_require_signed__another_path_or_log__is_wrong() -> None:
    digest = content_digest(BODY)
    for path, log in ((f"{PATH}/", LOG), (PATH, replace(LOG, facility_id=FacilityId(8)))):
        with pytest.raises(SignatureWrong):
            read_request(_headers(), path=path).require_signed(digest, log=log)
    read_request(_headers(), path=PATH).require_signed(digest, log=LOG)


def _input(change: Callable[[str], str]) -> Callable[[dict[str, str]], dict[str, str]]:
    return lambda h: h | {"signature-input": change(h["signature-input"])}


def _signature(value: str) -> Callable[[dict[str, str]], dict[str, str]]:
    return lambda h: h | {"signature": value}


_LONG = base64.b64encode(bytes(65)).decode()
HOSTILE: dict[str, tuple[Callable[[dict[str, str]], dict[str, str]], str]] = {
    "no input": (lambda h: h | {"signature-input": ""}, "names no label"),
    "no signature": (lambda h: {k: v for k, v in h.items() if k != "signature"}, "names no label"),
    "label alone": (_signature("rentroll"), "names no label"),
    "label in capitals": (_input(lambda i: i.replace("rentroll=", "RENTROLL=", 1)), "no label"),
    "two labels": (_signature("other=:" + "A" * 86 + "==:"), "name one label"),
    "two signatures": (
        lambda h: h | {"signature": f"{h['signature']}, {h['signature']}"}, "base64",
    ),
    "two inputs": (_input(lambda i: f"{i}, {i}"), "each once"),
    "no byte sequence": (_signature("rentroll=abc"), "label=:<base64>:"),
    "half a byte sequence": (_signature("rentroll=:abcd"), "label=:<base64>:"),
    "one colon": (_signature("rentroll=:"), "label=:<base64>:"),
    "no base64": (_signature("rentroll=:????:"), "is base64"),
    "letters beyond ASCII": (_signature("rentroll=:ä:"), "is base64"),
    "63 bytes": (_signature("rentroll=:" + "A" * 84 + ":"), "64 bytes"),
    "65 bytes": (_signature(f"rentroll=:{_LONG}:"), "64 bytes"),
    "nothing covered": (_input(lambda i: i.replace(COMPONENTS, "")), "each once"),
    "body not covered": (_input(lambda i: i.replace(' "content-digest"', "")), "each once"),
    "another order covered": (
        _input(lambda i: i.replace('"@method" "@path"', '"@path" "@method"')), "each once",
    ),
    "component of a response": (
        _input(lambda i: i.replace('"@path"', '"@path";req')), "each once",
    ),
    "a component more": (_input(lambda i: i.replace('")', '" "date")')), "each once"),
    "no second": (_input(lambda i: i.replace(f";created={NOW_S}", "")), "each once"),
    "two seconds, no tag": (
        _input(lambda i: i.replace(';tag="rentroll/1"', ";created=1")), "each once",
    ),
    "second below zero": (_input(lambda i: i.replace("created=", "created=-")), "each once"),
    "second of twelve digits": (_input(lambda i: i.replace("created=1", "created=100")), "once"),
    "other digits": (_input(lambda i: i.replace("created=1", "created=١")), "each once"),
    "an end": (_input(lambda i: i + ";expires=9999999999"), "each once"),
    "another algorithm": (_input(lambda i: i.replace("ed25519", "hmac-sha256")), "each once"),
    "another tag": (_input(lambda i: i.replace("rentroll/1", "rentroll/2")), "each once"),
    "key of 42 characters": (
        _input(lambda i: i.replace(key_text(PUBLIC), key_text(PUBLIC)[:-1])), "each once",
    ),
    "key with bits behind": (
        _input(lambda i: i.replace(key_text(PUBLIC), "A" * 42 + "B")), "bits behind its end",
    ),
    "key of everybody": (
        _input(lambda i: i.replace(key_text(PUBLIC), key_text(ZERO32))), "everybody signs",
    ),
    "after in capitals": (lambda h: h | {"rentroll-after": AFTER.hex().upper()}, "lower case"),
    "after with 0x": (lambda h: h | {"rentroll-after": "0x" + AFTER.hex()}, "64 hex digits"),
    "no after": (lambda h: {k: v for k, v in h.items() if k != "rentroll-after"}, "hash"),
    "no type": (lambda h: {k: v for k, v in h.items() if k != "content-type"}, "short lines"),
    "type of two lines": (lambda h: h | {"content-type": "a\nb"}, "short lines of ASCII"),
    "type beyond ASCII": (lambda h: h | {"content-type": "ä"}, "short lines of ASCII"),
    "type with a space behind": (lambda h: h | {"content-type": "a "}, "short lines"),
    "type of 201 characters": (lambda h: h | {"content-type": "a" * 201}, "short lines"),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_read_request__anything_but_the_profile__is_refused(case: str) -> None:
    change, message = HOSTILE[case]

    with pytest.raises(SignatureRefused, match=message):
        read_request(change(_headers()), path=PATH)


@pytest.mark.parametrize("path", ["", "/" + "a" * 200, '/a\n"@path": /b', "/ä", " /a"])
def test_read_request__path_that_is_no_short_line__is_refused(path: str) -> None:
    with pytest.raises(SignatureRefused, match="short lines"):
        read_request(_headers(), path=path)


def test_request_from__no_object_or_a_field_missing__raises() -> None:
    document = request_document(read_request(_headers(), path=PATH))

    for name in document:
        with pytest.raises(KeyError):
            request_from({k: v for k, v in document.items() if k != name})
        with pytest.raises(TypeError):
            request_from({**document, name: 7})
    with pytest.raises(TypeError):
        request_from([])


@pytest.mark.parametrize("name", ["signature", "signature-input"])
def test_is_signed__either_header__claims_it(name: str) -> None:
    assert is_signed({name: ""})
    assert not is_signed({"content-digest": "", "rentroll-log": ""})


# --- keys ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["", "A" * 42, "A" * 44, "A" * 42 + "=", "+" * 43, "A" * 42 + "\n"]
)
def test_key_from__no_43_characters_of_base64url__is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no Ed25519 key"):
        key_from(text)


def test_key__round_trip__is_the_same() -> None:
    assert key_from(key_text(PUBLIC)) == PUBLIC
    assert len(PARAMETERS) == 4


# Encodings of the points of small order that Ed25519 libraries take, and of one more bit each.
WEAK = [
    bytes.fromhex(low) + bytes([high])
    for low, top in (
        ("00" * 31, 0x00),
        ("01" + "00" * 30, 0x00),
        ("ec" + "ff" * 30, 0x7F),
        ("ed" + "ff" * 30, 0x7F),
        ("ee" + "ff" * 30, 0x7F),
        ("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc", 0x05),
        ("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03", 0x7A),
    )
    for high in (top, top | 0x80)
]


@pytest.mark.parametrize("key", WEAK, ids=bytes.hex)
def test_weak_key__with_which_everybody_signs__is_none(key: bytes) -> None:
    """The library takes a signature that nobody made with a private key; we take none of it."""
    weak = Ed25519PublicKey.from_public_bytes(key)
    forged = []
    for number in range(64):
        message = str(number).encode()
        for start in WEAK:
            try:
                weak.verify(start + bytes(32), message)
                forged.append((start + bytes(32), message))
                break
            except InvalidSignature:
                continue  # another start may do

    assert forged
    assert is_weak(Bytes32(key))
    assert not any(holds(signed, message, key=Bytes32(key)) for signed, message in forged)
    with pytest.raises(ValueError, match="everybody signs"):
        key_from(key_text(Bytes32(key)))


def test_holds__key_that_is_no_point__is_false() -> None:
    assert not holds(bytes(64), b"", key=Bytes32(b"\2" + bytes(31)))
    assert not is_weak(PUBLIC)


def test_said__of_a_body__is_what_a_log_that_lost_it_needs() -> None:
    request = read_request(_headers(), path=PATH)

    said = json.loads(said_of(b"[{}]", request))

    assert request_from(said["request"]) == request
    assert unpack(base64.b64decode(said["packed"])) == b"[{}]"
