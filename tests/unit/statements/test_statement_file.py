"""Reading `statement.json`, where the chain does not hold the statement itself."""

import pytest

from api.domain.statements.evidence import encode_statement
from api.domain.statements.statement import Statement
from api.domain.statements.statement_file import read_statement
from api.domain.units import Bytes32
from api.errors import EvidenceInvalid

_HASHES = (Bytes32(b"\1" * 32), Bytes32(b"\2" * 32), Bytes32(b"\3" * 32))
STATEMENT = Statement(*range(1, 10), *_HASHES, 4, 5)  # type: ignore[arg-type, call-arg]


def test_read_statement__what_was_written__is_the_same() -> None:
    assert read_statement(encode_statement(STATEMENT)) == STATEMENT


def test_read_statement__other_bytes_of_the_same_values__is_refused() -> None:
    with pytest.raises(EvidenceInvalid, match="not canonical"):
        read_statement(encode_statement(STATEMENT) + b"\n")


def test_read_statement__another_hash_than_its_own__is_refused() -> None:
    data = encode_statement(STATEMENT).replace(b'"line_count": 9', b'"line_count": 8')

    with pytest.raises(EvidenceInvalid, match="not canonical"):
        read_statement(data)
