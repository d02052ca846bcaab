"""Text of API keys: what is one, what was one before somebody cut it, what never was."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.access.key_text import begins_like_ours, id_of, new_key, old_id
from api.access.scopes import Role
from api.domain.hashing import sha256

_MARKS = {Role.ADMIN: "ad", Role.OPERATOR: "op", Role.ATTESTER: "at"}
_OLD = "rr_op_" + "aB3-_" * 8 + "xyz"
_CHARS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"


@pytest.mark.parametrize("role", list(Role))
def test_new_key__of_any_role__says_role_and_id_and_is_known_to_scanners(role: Role) -> None:
    key_id, text = new_key(role)

    assert text.startswith(f"rr_{_MARKS[role]}_")
    assert text.startswith(f"{key_id}_")
    assert id_of(text) == key_id
    # As key_text.py tells scanners.
    assert re.fullmatch(r"rr_(ad|at|op)_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}", text)


def test_new_key__a_thousand__are_all_different() -> None:
    keys = [new_key(Role.OPERATOR) for _ in range(1_000)]

    assert len({key_id for key_id, _ in keys}) == len({text for _, text in keys}) == 1_000


@given(st.data())
def test_id_of__one_character_changed__is_none(data: st.DataObject) -> None:
    """A CRC-32 sees every error of a single character, wherever it is."""
    _, text = new_key(Role.ATTESTER)
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from([c for c in _CHARS if c != text[place]]))

    wrong = text[:place] + other + text[place + 1 :]

    assert id_of(wrong) is None


@given(st.integers(1, 70))
def test_id_of__cut__is_none_and_was_ours(cut: int) -> None:
    _, text = new_key(Role.OPERATOR)
    short = text[: max(6, len(text) - cut)]
    # 43 characters after the mark are the form of a key of before: unknown, and not mistyped.
    if len(short) == len(_OLD):
        return

    assert id_of(short) is None
    assert begins_like_ours(short)


def test_id_of__key_of_before__has_an_id_that_tells_nothing_of_it() -> None:
    key_id = id_of(_OLD)

    assert key_id == old_id(mark="op", key_hash=sha256(_OLD.encode()))
    assert re.fullmatch(r"rr_op_[0-9A-Za-z]{12}", key_id)
    assert key_id[6:] not in _OLD


@pytest.mark.parametrize("text", ["", "x", "Bearer", "rr_ad_" + "a" * 43, "é" * 68, "rr_xx_" * 20])
def test_id_of__anything_else__is_none(text: str) -> None:
    assert id_of(text) is None


def test_id_of__text_with_a_line_break_behind__is_none() -> None:
    """`$` would let it through."""
    _, text = new_key(Role.OPERATOR)

    assert id_of(text + "\n") is None
