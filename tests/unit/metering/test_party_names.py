"""One renter has one name: what is written otherwise is no other renter (ATTACKS 47)."""

import pytest

from api.domain.metering.event_types import party_hash, party_name

SALT = b"\x07" * 32


@pytest.mark.parametrize(
    "written",
    [
        "Acme", "ACME", "acme ", "  acme", "acme.", "Acme\N{NO-BREAK SPACE}", "acme_", "(acme)",
        "\N{FULLWIDTH LATIN SMALL LETTER A}cme",
    ],
)  # fmt: skip
def test_party__written_otherwise__is_the_same(written: str) -> None:
    assert party_name(written) == "acme"
    assert party_hash(written, SALT) == party_hash("acme", SALT)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Société Générale", "SOCIE\N{COMBINING ACUTE ACCENT}TE\N{COMBINING ACUTE ACCENT}"
         " GE\N{COMBINING ACUTE ACCENT}NE\N{COMBINING ACUTE ACCENT}RALE"),
        ("Straße 5", "STRASSE_5"),
        ("\N{OHM SIGN} AG", "\N{GREEK SMALL LETTER OMEGA}-ag"),
    ],
)  # fmt: skip
def test_party__letters_encoded_otherwise__is_the_same(one: str, other: str) -> None:
    assert party_name(one) == party_name(other)


@pytest.mark.parametrize(
    ("one", "other"), [("acme", "acme-2"), ("1-11", "11-1"), ("ab", "a-b"), ("...", "???")]
)
def test_party__another_word_or_number__is_another(one: str, other: str) -> None:
    assert party_hash(one, SALT) != party_hash(other, SALT)


def test_party__salt__is_the_facilitys() -> None:
    assert party_hash("acme", SALT) != party_hash("acme", b"\x08" * 32)
