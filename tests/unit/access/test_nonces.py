"""Nonces of sign-in: ours by their code alone, and for an hour."""

from hypothesis import given
from hypothesis import strategies as st

from api.access.nonces import NONCE_LIFE_S, make_nonce, nonce_key, read_nonce

KEY, NOW_S = nonce_key(b"a secret"), 1_700_000_000


def test_nonce__as_it_was_made__is_ours_until_it_expires() -> None:
    nonce = make_nonce(KEY, NOW_S)

    assert read_nonce(KEY, nonce.text, NOW_S) == nonce
    assert read_nonce(KEY, nonce.text, NOW_S + NONCE_LIFE_S - 1) == nonce
    assert read_nonce(KEY, nonce.text, NOW_S + NONCE_LIFE_S) is None
    assert read_nonce(nonce_key(b"another"), nonce.text, NOW_S) is None
    assert make_nonce(KEY, NOW_S) != nonce


@given(st.integers(0, 57), st.sampled_from("0123456789abcdefABCz"))
def test_nonce__with_one_character_changed__is_not_ours(place: int, character: str) -> None:
    text = make_nonce(KEY, NOW_S).text
    changed = text[:place] + character + text[place + 1 :]

    assert (read_nonce(KEY, changed, NOW_S) is None) == (changed != text)


@given(st.text(max_size=70))
def test_nonce__of_any_text__is_not_ours(text: str) -> None:
    assert read_nonce(KEY, text, NOW_S) is None
