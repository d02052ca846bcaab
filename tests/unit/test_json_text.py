"""JSON of strangers: depth is bounded by the reader, whatever an import did to the interpreter."""

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.domain.json_text import MAX_DEPTH, read_json

# What importing py_ecc, and so web3 or eth_account, does to the process; 0 leaves it alone.
LIMITS = (0, 100_000)
CODE = """
import sys
if {limit}: sys.setrecursionlimit({limit})
from api.domain.statements import evidence_reader
from api.domain.json_text import read_json
from api.errors import EvidenceInvalid
from api.routes.http.body import read_events
from api.errors import InvalidInput

deep = b"[" * 200_000
try:
    evidence_reader.follows_of(deep)
except EvidenceInvalid as error:
    print("evidence:", error)
for body in (deep + b"NaN", b'{{"a":' + b"[" * 900 + b"]" * 900 + b',"a":1}}'):
    try:
        batch = read_events(body, content_type="application/cloudevents+json", encoding=None)
        print("event:", batch.broken[0].reason)
    except InvalidInput as error:
        print("body:", error)
"""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet='ab"\\[]{}é'),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


@pytest.mark.parametrize("limit", LIMITS)
def test_read__hostile_depth__is_refused_at_any_recursion_limit(limit: int) -> None:
    """ATTACKS 35: a raised limit would let deep JSON overflow the C stack and kill the process."""
    command = [sys.executable, "-c", CODE.format(limit=limit)]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("evidence:") == 1
    assert done.stdout.count("body:") == 1
    assert done.stdout.count("event: nested_too_deep") == 1


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_read__at_the_bound__is_read_and_one_deeper_is_not(opening: str) -> None:
    closing = {"[": "]", '{"a":': "}"}[opening]

    value = read_json(opening * MAX_DEPTH + "1" + closing * MAX_DEPTH)

    assert value
    with pytest.raises(ValueError, match="nested deeper"):
        read_json(opening * (MAX_DEPTH + 1) + "1" + closing * (MAX_DEPTH + 1))


def test_read__brackets_inside_texts__do_not_count() -> None:
    value = {"a": "[{" * 500, 'b\\"': ['"[' * 200] * 100}

    assert read_json(json.dumps(value)) == value


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-16-le"])
def test_read__other_encodings__are_refused(encoding: str) -> None:
    """Their bytes would hide brackets from the scan."""
    with pytest.raises(ValueError, match=r"decode|Expecting|deeper"):
        read_json(("[" * 100 + "]" * 100).encode(encoding))


@given(JSON)
def test_read__any_json__is_what_pythons_parser_reads(value: object) -> None:
    padded = [value] * 40

    assert read_json(json.dumps(padded)) == padded


def test_read__unclosed_texts__take_linear_time() -> None:
    """A scan that went back to the start of each quote would need hours for this."""
    with pytest.raises(ValueError, match="Unterminated"):
        read_json("[" * 60 + '"' + '\\"[' * 500_000)
