"""Request bodies: a key named twice is never missed, whatever the spacing, escapes or nesting."""

import gzip
import json
import zlib
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from api.domain.log import event_texts, strict_json
from api.domain.log.bodies import MAX_BODY_BYTES, inflate, pack, read_plain, unpack
from api.domain.log.strict_json import (
    MAX_DEPTH,
    count_batch_keys,
    count_keys,
    duplicate_key_events,
    may_repeat_keys,
)
from api.errors import InvalidInput, TooLarge
from api.routes.http.body import JSON, read_events


@dataclass(frozen=True)
class Text:
    """JSON text, and whether an object inside names a key twice."""

    json: str
    repeats: bool


_space = st.text(" \t\n\r", max_size=2)
# Short keys repeat often; some look like the end of a member when they stand in a text.
_plain = st.sampled_from(["a", "b", '":', " :", '"', "\\", ":", "\t:", "a:b", "", "é"])
_escaped = st.sampled_from(['"\\u0061"', '"\\u003a"', '"\\u0022:"'])
_string = _plain.map(json.dumps) | _plain.map(lambda t: json.dumps(t, ensure_ascii=False))
_key = _string | _escaped
_scalar = (_key | st.sampled_from(["1", "-2.5e3", "true", "null"])).map(lambda t: Text(t, False))


@st.composite
def _object(draw: st.DrawFn, values: st.SearchStrategy[Text]) -> Text:
    members = draw(st.lists(st.tuples(_key, values), max_size=4))
    names = [json.loads(key) for key, _ in members]
    shown = ",".join(
        f"{draw(_space)}{key}{draw(_space)}:{draw(_space)}{value.json}{draw(_space)}"
        for key, value in members
    )
    repeats = len(set(names)) < len(names) or any(value.repeats for _, value in members)
    return Text("{" + shown + "}", repeats)


@st.composite
def _array(draw: st.DrawFn, values: st.SearchStrategy[Text]) -> Text:
    items = draw(st.lists(values, max_size=3))
    shown = ",".join(f"{draw(_space)}{item.json}{draw(_space)}" for item in items)
    return Text("[" + shown + "]", any(item.repeats for item in items))


_value = st.recursive(_scalar, lambda inner: _object(inner) | _array(inner), max_leaves=8)
_event = _object(_value)


def _broken(body: str) -> dict[int, str]:
    batch = read_events(body.encode(), content_type=JSON, encoding=None)
    return {i: error.reason for i, error in batch.broken.items()}


def _flagged(body: str) -> set[int]:
    return set(_broken(body))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_read_events__not_a_number__costs_its_own_event_alone(number: str) -> None:
    """ATTACKS 31, 32."""
    body = f'[{{"a": 1}}, {{"id": "x", "data": {{"n": [{number}]}}}}, {{"b": 1, "b": 2}}]'

    assert _broken(body) == {1: "not_a_number", 2: "duplicate_key"}
    events = read_events(body.encode(), content_type=JSON, encoding=None).events
    assert events[0] == {"a": 1}
    assert events[1]["id"] == "x"


@pytest.mark.parametrize(
    "body",
    [
        *("[NaN", "NaN", "[NaN,]", "[,NaN]", "[NaN]]", "[NaN}", '[NaN,"]', "[NaN] [1]", "[NaN]1"),
        *('{"a": NaN} {"a": 1}', '{"a": NaN}}', "\ufeff[NaN]", "[{NaN}]", "[nan]", "[1_0, NaN]"),
        *("[" * 5_000 + "NaN", "[" * 5_000 + "}" * 5_000, '["\\x", NaN]', '[NaN, "\x01"]'),
    ],
)
def test_read_events__not_json_even_without_nan__is_refused_whole(body: str) -> None:
    with pytest.raises(InvalidInput):
        _broken(body)


def _deep(levels: int) -> str:
    return "[" * levels + "]" * levels


def _with(value: str) -> str:
    return '{"d": ' + value + "}"


_GOOD = '{"id": "good", "source": "s", "data": {"a:b" : "[{\\"}", "n": 1}}'
_ODD = [
    ("9" * 400, "not_a_number"),
    ("-" + "9" * 5_000, "not_a_number"),
    ("9" * 100_000, "not_a_number"),
    ("1e400", "not_a_number"),
    ("-1.5E+999", "not_a_number"),
    ("NaN", "not_a_number"),
    ('"\\ud800"', "broken_text"),
    ('"\\udfff\\ud800"', "broken_text"),
    ('"\\ud83d x"', "broken_text"),
    ('{"\\udc00": 1}', "broken_text"),
    ('[[{"k": ["\\ud800"]}]]', "broken_text"),
    (_deep(MAX_DEPTH), "nested_too_deep"),
    (_deep(100), "nested_too_deep"),
    (_deep(2_000), "nested_too_deep"),
    (_deep(100_000), "nested_too_deep"),
    ('{"a":' * 70_000 + '"]"' + "}" * 70_000, "nested_too_deep"),
    (f'{{"a": 1, "\\u0061": {_deep(90)}}}', "nested_too_deep"),
    ('{"a": 1, "a": 2}', "duplicate_key"),
    ('{"a": [[[[[1]]]]], "a": 2}', "duplicate_key"),
]


@pytest.mark.parametrize(("value", "code"), _ODD)
def test_read_events__odd_value_anywhere__costs_its_own_event_alone(value: str, code: str) -> None:
    """ATTACKS 31, 32, 35: in data, in an attribute, as the event itself, alone or in a batch."""
    for place in ('{"id": "x", "source": "s", "data": {"n": %s}}', '{"id": "x", "e": %s}', "%s"):
        odd = place % value
        if place == "%s" and value == _deep(MAX_DEPTH):
            continue  # as deep as an event may be
        batch = read_events(
            f" [{_GOOD},{odd} ,{_GOOD}]\n".encode(), content_type=JSON, encoding=None
        )

        assert {i: e.reason for i, e in batch.broken.items()} == {1: code}
        assert batch.events[0] == batch.events[2] == json.loads(_GOOD)
        assert not batch.single
        if place != "%s":
            assert batch.events[1]["id"] == "x"  # type: ignore[index]
            assert _broken(odd) == {0: code}


def test_read_events__every_odd_value_at_once__leaves_the_good_ones() -> None:
    events = [part for value, _ in _ODD for part in (_GOOD, _with(value))]

    found = _broken("[" + ",".join(events) + "]")

    wanted = {2 * i + 1: code for i, (_, code) in enumerate(_ODD)}
    assert found == wanted


def test_read_events__numbers_that_a_double_holds__are_read() -> None:
    numbers = ["1" + "0" * 308, "18446744073709551616", "1e308", "1e-400", "0." + "1" * 5_000]

    events = ",".join(_with(number) for number in numbers)

    assert _broken(f"[{events}]") == {}
    assert _broken(f'[{{"a": NaN}}, {events}]') == {0: "not_a_number"}


def test_read_events__event_at_the_depth_limit__is_read() -> None:
    event = _with(_deep(MAX_DEPTH - 1))

    assert _broken(event) == _broken(f"[{event}]") == {}
    assert _broken(f"[{event}, NaN]") == {1: "not_a_number"}


@pytest.mark.parametrize("odd", ["", ", NaN"])
def test_read_events__too_many__are_refused_whole(odd: str) -> None:
    with pytest.raises(TooLarge, match="1000"):
        _broken("[" + ",".join(["1"] * 1_001) + odd + "]")


@given(st.lists(_event, max_size=4))
@example([Text('{"a" :1,"b":"\\u0022:","a":2}', True)])
@example([Text('{"a":1,"\\u0061":2}', True), Text('{"x":"a\\":b"}', False)])
@example([Text('{"a":{"b":1,"c":2},"a":3}', True)])
@example([Text('{"a":[{"b":1,"b":2}]}', True)])
def test_read_events__key_named_twice__is_flagged_and_no_other_event_is(events: list[Text]) -> None:
    body = "[" + ",".join(event.json for event in events) + "]"

    flagged = _flagged(body)

    assert flagged == {i for i, event in enumerate(events) if event.repeats}


@given(_event)
def test_may_repeat_keys__says_no__only_if_none_does(event: Text) -> None:
    body = event.json.encode()

    if not may_repeat_keys(body, count_keys(orjson.loads(body))):
        assert not event.repeats


def test_may_repeat_keys__ordinary_event__needs_no_second_parse() -> None:
    """The fast way is taken by what collectors send: times and device ids hold colons."""
    event = {"source": "collector/1", "time": "2026-01-01T00:00:00Z", "data": {"gpu_seconds": 1}}

    for body in (orjson.dumps([event] * 3), json.dumps([event] * 3, indent=2).encode()):
        assert not may_repeat_keys(body, count_keys(orjson.loads(body)))


def _with_data(value: Text) -> Text:
    return Text(f'{{"data":{value.json},"b":1}}', value.repeats)


def _nested(levels: int) -> Any:
    value: Any = 1
    for level in range(levels):
        value = {"a": value} if level % 2 else [value]
    return value


@given(events=st.lists(_event | _value.map(_with_data) | _scalar, max_size=4))
@example(events=[Text('{"data":{"a":1}}', False), Text('{"data":"{[","b":2}', False)])
@example(events=[Text('{"data":{"a":1},"data":{"b":1,"c":2}}', True)])
@example(events=[Text('{"data":{"a":1},"b":{"c":1}}', False), Text("{}", False)])
@example(events=[Text('{"data":{"a":{"b":1,"c":[]}}}', False)])
@example(events=[Text('{"data":{"a":{"b":{"c":1}}}}', False)])
def test_count_batch_keys__is_count_keys_of_the_batch(events: list[Text]) -> None:
    body = b"[%b]" % ",".join(event.json for event in events).encode()
    batch = orjson.loads(body)

    assert count_batch_keys(body, batch) == count_keys(batch)


@pytest.mark.parametrize(
    "events", [["{}"], ['{"a":1}', '{"data":{"b":1,"c":2}}'], ["1"], ['{"data":{"b":{"c":1}}}']]
)
def test_count_batch_keys__ordinary_batch__looks_into_nothing(
    events: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    body = b"[%b]" % ",".join(events).encode()
    keys = count_keys(orjson.loads(body))
    monkeypatch.delattr(strict_json, "count_keys")

    assert count_batch_keys(body, orjson.loads(body)) == keys


def test_count_batch_keys__too_deep__is_refused() -> None:
    at_the_limit = orjson.dumps([_nested(MAX_DEPTH)])
    assert count_batch_keys(at_the_limit, orjson.loads(at_the_limit)) == MAX_DEPTH // 2
    beyond = orjson.dumps([_nested(MAX_DEPTH + 1)])
    with pytest.raises(InvalidInput, match="deeper"):
        count_batch_keys(beyond, orjson.loads(beyond))


def test_count_keys__at_the_depth_limit__is_counted_and_beyond_refused() -> None:
    assert count_keys(_nested(MAX_DEPTH)) == MAX_DEPTH // 2
    with pytest.raises(InvalidInput, match="nested deeper"):
        count_keys(_nested(MAX_DEPTH + 1))


def test_inflate__gzip__is_what_it_was_up_to_the_limit() -> None:
    most = b" " * MAX_BODY_BYTES

    assert inflate(gzip.compress(b"[]")) == b"[]"
    assert inflate(gzip.compress(most)) == most


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"[]", "not valid gzip"),
        (zlib.compress(b"[]"), "not valid gzip"),
        (gzip.compress(b"[]")[:-1], "truncated"),
        (gzip.compress(b"[]") + b"x", "bytes after its end"),
    ],
)
def test_inflate__what_is_no_gzip__is_refused(body: bytes, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        inflate(body)


def test_bodies__above_the_limit__are_refused_before_they_are_read() -> None:
    with pytest.raises(TooLarge, match="inflates to more than"):
        inflate(gzip.compress(b" " * (MAX_BODY_BYTES + 1)))
    with pytest.raises(TooLarge, match="body is larger than"):
        read_plain(b" " * (MAX_BODY_BYTES + 1))


def test_pack__any_body__comes_back() -> None:
    for body in (b"", b"[]", b" " * 1_000_000):
        assert unpack(pack(body)) == body
    assert len(pack(b" " * 1_000_000)) < 10_000


@pytest.mark.parametrize(
    ("packed", "message"),
    [
        (b"no zlib", "not packed"),
        (pack(b"[1]")[:-1], "cut off"),
        (pack(b"[1]") + b"x", "bytes behind its end"),
        (pack(b" " * (8 * MAX_BODY_BYTES + 1)), "too long"),
    ],
)
def test_unpack__anything_else__is_refused(packed: bytes, message: str) -> None:
    """A bomb stops early."""
    with pytest.raises(ValueError, match=message):
        unpack(packed)


@pytest.mark.parametrize("body", [b"7", b'"text"', b"null", b"\xff"])
def test_read_plain__neither_object_nor_array__is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"must be an event or an array|not UTF-8"):
        read_plain(body)


def test_duplicate_keys__of_which_one_is_too_deep__are_no_json() -> None:
    """The parser keeps the second value; the first may be nested as deep as it likes."""
    deep = "[" * 70 + "]" * 70
    with pytest.raises(InvalidInput, match="not JSON"):
        duplicate_key_events(f'[{{"a":{deep},"a":1}}]'.encode(), 1)


def test_event_text__that_only_the_quick_parser_refuses__is_malformed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(text: str) -> object:
        raise orjson.JSONDecodeError("no", text, 0)

    monkeypatch.setattr(event_texts.orjson, "loads", refuse)
    read = event_texts.read_event_text(event_texts.EventText('{"id":"x"}', too_deep=False))

    assert (read.value, read.broken and read.broken.reason) == ({"id": "x"}, "malformed_event")
