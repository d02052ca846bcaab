"""Values of one word: as eth_abi reads them, and refused where it refuses them."""

import pytest
from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from hypothesis import given
from hypothesis import strategies as st

from api.chain.words import decode_words

KINDS = st.lists(
    st.sampled_from(["uint256", "uint64", "uint8", "address", "bool", "bytes32"]), max_size=5
)
WORD = st.binary(min_size=32, max_size=32) | st.integers(0, 3).map(lambda n: n.to_bytes(32))


@given(KINDS, st.lists(WORD, max_size=6), st.binary(max_size=3))
def test_words__of_any_kinds_and_bytes__are_what_eth_abi_says(
    kinds: list[str], words: list[bytes], tail: bytes
) -> None:
    data = b"".join(words) + tail
    try:
        expected = decode(kinds, data)
    except DecodingError:
        with pytest.raises(ValueError, match=r"too|neither"):
            decode_words(kinds, data)
    else:
        assert decode_words(kinds, data) == expected


def test_words__with_a_list__are_eth_abi_s() -> None:
    kinds, data = ["uint256[]", "bool"], bytes(31) + b"\x40" + bytes(31) + b"\1" + bytes(32)

    assert decode_words(kinds, data) == ((), True)


def test_words__string_that_is_no_utf_8__is_read_all_the_same() -> None:
    """An attester's URL: by two bytes it would have stopped everybody's index for good."""
    data = bytes(31) + b"\x20" + bytes(31) + b"\4" + b"a\xff\0b".ljust(32, b"\0")

    assert decode_words(["string"], data) == ("a\ufffd\0b",)
