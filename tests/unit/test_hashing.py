"""Hashes and words, against published values and eth_abi."""

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from api.domain.hashing import ascii_word, device_hash, keccak, sha256, word

DEVICE = "GPU-0b9f1a52-3c1d-4e5f-8a6b-7c8d9e0f1a2b"


def test_hashes__of_nothing__are_the_published_ones() -> None:
    # Of the empty string: Ethereum's yellow paper, and FIPS 180-4.
    assert keccak(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert sha256(b"").hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_device_hash__of_a_uuid__is_of_its_text() -> None:
    assert device_hash(DEVICE) == keccak(DEVICE.encode())

    with pytest.raises(UnicodeEncodeError):
        device_hash("GPU-ä")


@given(st.integers(-(2**255), 2**255 - 1))
def test_word__any_integer__is_that_of_eth_abi(value: int) -> None:
    assert word(value) == encode(["int256"], [value])


def test_ascii_word__of_a_text__stands_on_the_left() -> None:
    assert ascii_word("H100") == encode(["bytes32"], [b"H100"])
    assert len(ascii_word("")) == 32
