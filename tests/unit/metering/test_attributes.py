"""Bounds of what an event says beside its data (ATTACKS 35)."""

from typing import Any

import pytest

from api.domain.metering.attributes import MAX_ATTRIBUTE_CHARS, MAX_EXTENSIONS, check_attributes
from api.domain.metering.rejections import REJECTIONS
from api.errors import EventRejected

_EVENT = {"specversion": "1.0", "id": "1", "source": "s", "type": "t", "data": {"n": [{}] * 99}}
_LONGEST = "é" * MAX_ATTRIBUTE_CHARS


@pytest.mark.parametrize("value", ["", _LONGEST, True, False, 0, 2**31 - 1, -(2**31), None, "😀 x"])
def test_attributes__simple_values__are_kept(value: object) -> None:
    check_attributes({**_EVENT, "traceparent": value})


@pytest.mark.parametrize("value", ["", _LONGEST, None])
def test_attributes__informative__are_short_text(value: object) -> None:
    check_attributes({**_EVENT, "subject": value, "dataschema": value, "datacontenttype": value})


@pytest.mark.parametrize("name", ["traceparent", "x", "subject", "datacontenttype", "dataschema"])
@pytest.mark.parametrize(
    "value",
    [
        {}, [], {"a": 1}, ["x"], 1.0, 1e300, 2**31, -(2**31) - 1, 10**400, _LONGEST + "x",
        "a\x00b", "\x7f", "\x85", "a\nb", "\ud800", "\ufffe", "\U0001ffff", "\ufdd0",
    ],
)  # fmt: skip
def test_attributes__of_another_type_or_too_long__have_their_code(name: str, value: object) -> None:
    with pytest.raises(EventRejected) as rejected:
        check_attributes({**_EVENT, name: value})

    assert rejected.value.reason == "bad_attribute"
    assert rejected.value.reason in REJECTIONS


def test_attributes__as_many_as_fit_and_one_more() -> None:
    extensions: dict[str, Any] = {f"e{i}": i for i in range(MAX_EXTENSIONS)}
    check_attributes({**_EVENT, **extensions})

    with pytest.raises(EventRejected, match="32"):
        check_attributes({**_EVENT, **extensions, "more": 1})
