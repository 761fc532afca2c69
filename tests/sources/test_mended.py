"""What is bad in a record becomes null, and nothing else changes."""

from __future__ import annotations

import json
import time

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.sources.dialects.mended import LEVELS_KEPT, mended

texts = st.text(st.sampled_from('a"\\{}[]:,uNd8\ud83d\ude00\udc00é'), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def is_half(text: str) -> bool:
    """Half a pair is in it, as JSON is read: two halves that were written side by side are a whole."""
    try:
        json.loads(json.dumps(text)).encode()
    except UnicodeEncodeError:
        return True
    return False


def expected(value: object) -> object:
    """What is left of a value where it is nowhere too deep."""
    if isinstance(value, float) and (value != value or abs(value) == float("inf")):
        return None
    if isinstance(value, str):
        return None if is_half(value) else json.loads(json.dumps(value))
    if isinstance(value, list):
        return [expected(one) for one in value]
    if isinstance(value, dict):
        return {"\ufffd" if is_half(key) else json.loads(json.dumps(key)): expected(one) for key, one in value.items()}
    return value


@given(values)
@settings(max_examples=1_000)
def test_whatever_python_writes_can_be_read_but_for_what_is_bad(value):
    """Python writes half pairs and numbers that are none; no other text, key or number is touched."""
    assert orjson.loads(mended(json.dumps(value).encode())) == expected(value)


@given(st.binary(max_size=40) | st.text('"\\[]{}:uNaInfity,d8', max_size=40).map(str.encode))
@settings(max_examples=1_000)
def test_bytes_that_are_no_json_raise_nothing(raw):
    mended(raw)


@given(st.lists(st.sampled_from([b"[", b"]", b'{"a":', b"}", b'"[{"', b"1"]), max_size=60).map(b"".join))
def test_what_is_within_the_levels_is_left_alone(raw):
    if raw.count(b"[") + raw.count(b"{") <= LEVELS_KEPT:
        assert mended(raw) == raw


def test_siblings_of_what_is_too_deep_are_kept():
    deep = {"a": 1}
    for _ in range(100):
        deep = {"deeper": deep, "beside": "[{"}
    read = orjson.loads(mended(json.dumps({"model": "atlas-4", "schema": deep, "user": "acct_1"}).encode()))

    assert (read["model"], read["user"], read["schema"]["beside"]) == ("atlas-4", "acct_1", "[{")


@pytest.mark.parametrize("part", [b'"\\ud800"', b"\\ud800", b"[]", b"NaN", b"[[", b'""', b"\\", b'"\\"'])
def test_a_megabyte_of_it_takes_little_time(part):
    raw = b'{"a": [' + b"[" * 40 + b",".join([part] * (1_000_000 // (len(part) + 1))) + b"]" * 41 + b"}"
    began = time.process_time()
    mended(raw)

    assert time.process_time() - began < 2.0
