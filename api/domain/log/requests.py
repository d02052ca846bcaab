"""Signed requests: RFC 9421 with RFC 9530, in one profile; a signature lasts as the log does.

What is signed is the body as it was sent, the log that it speaks of, and the entry of its author's
last receipt there. Whoever has the body and what is kept here can check the signature again.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.domain.hashing import sha256
from api.domain.json_text import as_bytes32, as_object, as_text, canonical_line
from api.domain.log.bodies import pack
from api.domain.log.ed25519 import holds, is_weak
from api.domain.log.entry import LogName
from api.domain.units import Bytes32
from api.errors import SignatureRefused, SignatureWrong

# Source: RFC 9421 §2, read 2026-11-30: what is covered, in this order.
COMPONENTS = '"@method" "@path" "content-type" "content-digest" "rentroll-log" "rentroll-after"'
PARAMETERS = ("created", "keyid", "alg", "tag")
TAG = "rentroll/1"
LOG_HEADER, AFTER_HEADER = "rentroll-log", "rentroll-after"
MAX_PATH_CHARS, MAX_TYPE_CHARS = 200, 200
_PARAMS = re.compile(
    re.escape(f"({COMPONENTS})")
    + r"((?:;(?:created=[0-9]{1,11}|keyid=\"[A-Za-z0-9_-]{43}\"|alg=\"ed25519\""
    + rf"|tag=\"{TAG}\")){{{len(PARAMETERS)}}})"
)
_LABELLED = re.compile(r"([a-z*][a-z0-9_.*-]{0,63})=(.*)", re.DOTALL)
_SIGNATURE_BYTES = 64
# Visible ASCII and spaces, so that a line of the signature base is one line.
_LINE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """What an author signed beside the body, and its signature.

    path, content_type: as they were sent.
    after: hash of the entry of the author's last receipt; of its `key` entry before the first.
    params: `@signature-params`, as it was sent.  author, created_s: what it says.
    """

    path: str
    content_type: str
    after: Bytes32
    params: str
    signature: bytes
    author: Bytes32
    created_s: int

    def require_signed(self, digest: str, *, log: LogName) -> None:
        """Refuse a signature that is not the author's over a body, by its digest, and log.

        Raises:  SignatureWrong.
        """
        base = signature_base(
            path=self.path,
            content_type=self.content_type,
            digest=digest,
            log=log,
            after=self.after,
            params=self.params,
        )
        if not holds(self.signature, base, key=self.author):
            raise SignatureWrong("the signature is not the key's over this request")


def signature_base(
    *, path: str, content_type: str, digest: str, log: LogName, after: Bytes32, params: str
) -> bytes:
    """The bytes that are signed. Source: RFC 9421 §2.5, read 2026-11-30."""
    lines = (
        ('"@method"', "POST"),
        ('"@path"', path),
        ('"content-type"', content_type),
        ('"content-digest"', digest),
        (f'"{LOG_HEADER}"', str(log)),
        (f'"{AFTER_HEADER}"', after.hex()),
        ('"@signature-params"', params),
    )
    return "\n".join(f"{name}: {value}" for name, value in lines).encode("ascii")


def content_digest(body: bytes) -> str:
    """`Content-Digest` of a body as sent. Source: RFC 9530 §2, read 2026-11-30."""
    return f"sha-256=:{base64.b64encode(sha256(body)).decode()}:"


def sign_request(
    key: Ed25519PrivateKey,
    *,
    path: str,
    content_type: str,
    body: bytes,
    log: LogName,
    after: Bytes32,
    created_s: int,
) -> dict[str, str]:
    """Headers of a signed request, all of them but those of every request."""
    keyid = key_text(Bytes32(key.public_key().public_bytes_raw()))
    params = f'({COMPONENTS});created={created_s};keyid="{keyid}";alg="ed25519";tag="{TAG}"'
    digest = content_digest(body)
    base = signature_base(
        path=path, content_type=content_type, digest=digest, log=log, after=after, params=params
    )
    return {
        "content-type": content_type,
        "content-digest": digest,
        LOG_HEADER: str(log),
        AFTER_HEADER: after.hex(),
        "signature-input": f"rentroll={params}",
        "signature": f"rentroll=:{base64.b64encode(key.sign(base)).decode()}:",
    }


def read_request(headers: Mapping[str, str], *, path: str) -> SignedRequest:
    """What headers say of a signature. Whether it is one, `require_signed` says.

    Args:    headers: by names in lower case, or in any.
    Raises:  SignatureRefused.
    """
    label, params = _labelled(headers, "signature-input")
    signed_label, signature = _labelled(headers, "signature")
    if label != signed_label:
        raise _refused("Signature and Signature-Input name one label, the same")
    return _request(
        path=path,
        content_type=headers.get("content-type", ""),
        after=headers.get(AFTER_HEADER, ""),
        params=params,
        signature=_byte_sequence(signature),
    )


def is_signed(headers: Mapping[str, str]) -> bool:
    """Whether a request claims to be signed: then its signature counts, and nothing else."""
    return "signature" in headers or "signature-input" in headers


def request_document(request: SignedRequest) -> dict[str, str]:
    """What is kept of a signed request beside its body, as JSON."""
    return {
        "path": request.path,
        "content_type": request.content_type,
        "after": request.after.hex(),
        "params": request.params,
        "signature": base64.b64encode(request.signature).decode("ascii"),
    }


def request_from(document: object) -> SignedRequest:
    """Read what `request_document` wrote. Raises SignatureRefused, KeyError, TypeError."""
    doc = as_object(document)
    return _request(
        path=as_text(doc["path"]),
        content_type=as_text(doc["content_type"]),
        after=as_text(doc["after"]),
        params=as_text(doc["params"]),
        signature=_base64(as_text(doc["signature"])),
    )


def said_of(body: bytes, request: SignedRequest) -> bytes:
    """JSON of a body, packed as logs keep it, and of what was signed beside it."""
    packed = base64.b64encode(pack(body)).decode("ascii")
    return canonical_line({"packed": packed, "request": request_document(request)})


def key_text(key: Bytes32) -> str:
    """A public key as requests and people name it: base64url, without padding."""
    return base64.urlsafe_b64encode(key).rstrip(b"=").decode("ascii")


def key_from(text: str) -> Bytes32:
    """Read what `key_text` wrote. Raises ValueError."""
    if re.fullmatch(r"[A-Za-z0-9_-]{43}", text) is None:
        raise ValueError(f"{text[:50]!r} is no Ed25519 key in base64url")
    key = Bytes32(base64.urlsafe_b64decode(text + "="))
    if key_text(key) != text:
        # The last character has two bits that say nothing: one spelling of a key is enough.
        raise ValueError(f"{text!r} has bits behind its end")
    if is_weak(key):
        raise ValueError(f"{text!r} is a key with which everybody signs")
    return key


def _request(
    *, path: str, content_type: str, after: str, params: str, signature: bytes
) -> SignedRequest:
    found = _PARAMS.fullmatch(params)
    stated = dict(part.split("=", 1) for part in found[1][1:].split(";")) if found else {}
    if len(stated) != len(PARAMETERS):
        message = (
            f"Signature-Input is `label=({COMPONENTS})` with created, keyid (43 characters of"
            f' base64url), alg="ed25519" and tag="{TAG}", each once'
        )
        raise _refused(message)
    for value, most in ((path, MAX_PATH_CHARS), (content_type, MAX_TYPE_CHARS)):
        if len(value) > most or _LINE.fullmatch(value) is None:
            raise _refused("path and content type are short lines of ASCII")
    if re.fullmatch(r"[0-9a-f]{64}", after) is None:
        raise _refused(f"{AFTER_HEADER} is the hash of an entry, 64 hex digits in lower case")
    if len(signature) != _SIGNATURE_BYTES:
        raise _refused(f"a signature has {_SIGNATURE_BYTES} bytes")
    try:
        author = key_from(stated["keyid"].strip('"'))
    except ValueError as error:
        raise _refused(f"keyid: {error}") from error
    created_s = int(stated["created"])
    return SignedRequest(
        path, content_type, as_bytes32(after), params, signature, author, created_s
    )


def _labelled(headers: Mapping[str, str], name: str) -> tuple[str, str]:
    found = _LABELLED.fullmatch(headers.get(name, "").strip())
    if found is None:
        raise _refused(f"{name} is missing, or names no label")
    return found[1], found[2]


def _byte_sequence(text: str) -> bytes:
    inner = text.removeprefix(":").removesuffix(":")
    if text != f":{inner}:":
        raise _refused("Signature holds one signature, as `label=:<base64>:`")
    return _base64(inner)


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _refused("a signature is base64") from error


def _refused(message: str) -> SignatureRefused:
    return SignatureRefused(message)
