"""CSV of a spreadsheet's user: no cell is a formula."""

import csv
import io

from api.reads.export import encode_csv


def test_csv__formulas_quotes_and_unknown__are_harmless() -> None:
    """ATTACKS 39."""
    texts = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", " =1", 'a"b', "a,b", "a\r\nb", "ä"]

    data = encode_csv(["text", "n"], [(text, -5) for text in texts] + [(None, True)])

    rows = list(csv.reader(io.StringIO(data.decode(), newline="")))
    assert rows[0] == ["text", "n"]
    assert [r[0] for r in rows[1:-1]] == ["'" + t for t in texts[:7]] + texts[7:]
    assert {r[1] for r in rows[1:-1]} == {"-5"}
    assert rows[-1] == ["", "true"]
    assert data.count(b"\r\n") == len(rows) + 1
    assert b'"a""b"' in data
