"""Every rule of the contract's table for request records, one test each."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stream.contract.reading.refusal import Refusal, Reject
from stream.contract.request import Request, decode, decode_closely

AT = 1_772_362_800_000
RECORD = {"event_id": "e1", "timestamp": AT, "account_id": "a1", "model": "atlas-4"}


def raw(**fields) -> bytes:
    return json.dumps(RECORD | fields).encode()


def with_text(text: str) -> bytes:
    """The record with JSON text put in behind the last field, as it is."""
    return (json.dumps(RECORD)[:-1] + "," + text + "}").encode()


def refused(record: bytes) -> tuple[str, str]:
    with pytest.raises(Refusal) as caught:
        decode(record)
    return caught.value.reason.value, caught.value.detail


def without(name: str) -> bytes:
    return json.dumps({key: value for key, value in RECORD.items() if key != name}).encode()


def test_a_record_with_every_field_is_read():
    full = raw(capabilities=["coding"], input_tokens=1, output_tokens=2, attributes={"org": "o1"})

    assert decode(full) == Request("e1", AT, "a1", "atlas-4", ("coding",), 1, 2, {"org": "o1"})


def test_what_is_optional_may_be_left_out():
    assert decode(raw()) == Request("e1", AT, "a1", "atlas-4", (), 0, 0, {})


@pytest.mark.parametrize("name", ["capabilities", "input_tokens", "output_tokens", "attributes"])
def test_what_is_optional_and_null_is_as_if_it_were_left_out(name):
    """Gateways write null for what they do not know."""
    assert decode(raw(**{name: None})) == decode(raw()) == decode_closely(raw(**{name: None}))


def test_an_attribute_that_is_null_is_as_if_it_were_left_out():
    """It takes no room either: 32 others are still read."""
    attributes = {f"a{i}": "v" for i in range(32)}

    assert decode(raw(attributes={"org": None, "asn": "7"})).attributes == {"asn": "7"}
    assert decode(raw(attributes=attributes | {"org": None})).attributes == attributes


@pytest.mark.parametrize("name", ["event_id", "timestamp", "account_id", "model"])
def test_a_required_field_that_is_missing_is_named(name):
    reason, detail = refused(without(name))

    assert reason == "missing_field"
    assert detail.startswith(f"$.{name}: expected ")
    assert detail.endswith(", got nothing")


@pytest.mark.parametrize(("name", "longest"), [("event_id", 128), ("account_id", 256), ("model", 256)])
def test_lengths_are_counted_in_characters(name, longest):
    decode(raw(**{name: "é" * longest}))
    decode(raw(**{name: "\U0001f600" * longest}))

    assert refused(raw(**{name: "é" * (longest + 1)})) == (
        "out_of_range",
        f"$.{name}: expected 1 to {longest} characters, got {longest + 1}",
    )


@pytest.mark.parametrize("name", ["event_id", "account_id", "model"])
def test_an_empty_name_is_out_of_range(name):
    assert refused(raw(**{name: ""}))[0] == "out_of_range"


@pytest.mark.parametrize("name", ["event_id", "account_id", "model"])
@pytest.mark.parametrize("value", [7, 1.5, True, None, ["x"], {"x": "y"}])
def test_a_name_that_is_no_string_has_the_wrong_type(name, value):
    reason, detail = refused(raw(**{name: value}))

    assert reason == "wrong_type"
    assert detail.startswith(f"$.{name}: expected a string, got ")


@pytest.mark.parametrize("name", ["input_tokens", "output_tokens"])
class TestTokens:
    def test_the_largest_number_of_a_column_is_read(self, name):
        assert getattr(decode(raw(**{name: 2**63 - 1})), name) == 2**63 - 1

    def test_true_is_no_integer(self, name):
        assert refused(raw(**{name: True})) == ("wrong_type", f"$.{name}: expected an integer, got boolean true")

    @pytest.mark.parametrize("text", ["1.0", "1.5", "1e3", "-0.0"])
    def test_a_float_is_no_integer_even_where_it_is_whole(self, name, text):
        assert refused(with_text(f'"{name}": {text}'))[0] == "wrong_type"

    @pytest.mark.parametrize("value", ["7", [7], {}])
    def test_anything_else_has_the_wrong_type(self, name, value):
        assert refused(raw(**{name: value}))[0] == "wrong_type"

    @pytest.mark.parametrize("value", [-1, -(2**63), 2**63, 12345678901234567890, 10**40, -(10**40)])
    def test_a_negative_or_20_digit_integer_is_out_of_range(self, name, value):
        assert refused(raw(**{name: value}))[0] == "out_of_range"

    def test_an_integer_that_nobody_can_read_is_out_of_range(self, name):
        assert refused(with_text(f'"{name}": {"9" * 5000}'))[0] == "out_of_range"


def test_32_capabilities_are_read_and_33_are_out_of_range():
    assert len(decode(raw(capabilities=[f"c{i}" for i in range(32)])).capabilities) == 32
    assert refused(raw(capabilities=["c"] * 33)) == (
        "out_of_range",
        "$.capabilities: expected at most 32 entries, got 33",
    )


@pytest.mark.parametrize("value", ["coding", {"coding": True}, 7, True, [None]])
def test_capabilities_that_are_no_array_have_the_wrong_type(value):
    assert refused(raw(capabilities=value))[0] == "wrong_type"


def test_a_capability_that_is_no_string_is_named_by_its_place():
    assert refused(raw(capabilities=["coding", 7])) == (
        "wrong_type",
        "$.capabilities[1]: expected a string, got integer 7",
    )


def test_32_attributes_are_read_and_33_are_out_of_range():
    assert len(decode(raw(attributes={f"a{i}": "v" for i in range(32)})).attributes) == 32
    assert refused(raw(attributes={f"a{i}": "v" for i in range(33)})) == (
        "out_of_range",
        "$.attributes: expected at most 32 entries, got 33",
    )


@pytest.mark.parametrize("value", ["org", ["org"], 7, False])
def test_attributes_that_are_no_object_have_the_wrong_type(value):
    assert refused(raw(attributes=value))[0] == "wrong_type"


@pytest.mark.parametrize("value", [7, True, ["o"], {"o": "o"}])
def test_an_attribute_that_is_no_string_is_named(value):
    reason, detail = refused(raw(attributes={"org": value}))

    assert reason == "wrong_type"
    assert detail.startswith("$.attributes.org: expected a string, got ")


def test_unknown_fields_are_ignored():
    assert decode(raw(prompt=None, extra={"a": [1, 2.5, "x"]}, n=10**30)) == decode(raw())


class TestKeysThatComeTwice:
    def test_the_last_counts(self):
        assert decode(with_text('"model": "atlas-5"')).model == "atlas-5"

    def test_the_last_counts_where_the_first_has_the_wrong_type(self):
        assert decode(
            b'{"model": 7, "model": "atlas-5", ' + json.dumps(RECORD | {"model": "m"}).encode()[1:]
        ) == decode(raw(model="m"))
        assert decode(b'{"input_tokens": "7", "input_tokens": 8, ' + raw()[1:]).input_tokens == 8

    def test_the_last_is_refused_where_it_is_wrong(self):
        assert refused(with_text('"model": 7')) == ("wrong_type", "$.model: expected a string, got integer 7")

    def test_the_last_counts_inside_of_attributes(self):
        assert decode(with_text('"attributes": {"org": 7, "org": "o2"}')).attributes == {"org": "o2"}

    def test_an_attribute_that_comes_40_times_is_one_entry(self):
        twice = ", ".join(f'"org": "o{i}"' for i in range(40))

        assert decode(with_text(f'"attributes": {{{twice}}}')).attributes == {"org": "o39"}


class TestBytesThatAreNotUtf8:
    @pytest.mark.parametrize(
        "record",
        [
            raw().replace(b"atlas-4", b"atlas-\xff"),
            raw().replace(b"model", b"mod\xffl"),
            raw(attributes={"org": "X"}).replace(b'"X"', b'"\xe2\x82"'),
            raw(capabilities=["X"]).replace(b'"X"', b'"\xc0\x80"'),
            raw(unknown="X").replace(b'"X"', b'"\xed\xa0\x80"'),
            raw(unknown={"deep": ["X"]}).replace(b'"X"', b'"\xf8"'),
            b"\xff\xfe{}",
        ],
        ids=["model", "key", "attribute", "capability", "unknown", "deep", "utf-16"],
    )
    def test_are_refused_wherever_they_are(self, record):
        assert refused(record)[0] == "not_utf8"

    def test_the_detail_says_which_byte(self):
        assert refused(b'{"a": "\xff"}')[1] == "$: expected UTF-8, got byte 0xff at byte 7"


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"   \t\r",
        b"{",
        raw()[:-1],
        raw()[: len(raw()) // 2],
        raw() + raw(),
        raw() + b" x",
        raw() + b",",
        b"{'event_id': 'e'}",
        b'{"event_id": "e",}',
        with_text('"n": 01'),
        with_text('"n": .5'),
        with_text('"n": NaN'),
        with_text('"n": "\\x"'),
        b"\x00",
        raw() + b"\x00",
        raw().replace(b"atlas-4", b"atlas\x00"),
        raw().replace(b"atlas-4", b"atlas\x01"),
        b"[1, {]",
        b"null and void",
        b"\xef\xbb\xbf" + raw(),
    ],
)
def test_what_does_not_parse_is_not_json(record):
    """An empty line, a cut one, two objects on one, raw NUL and control bytes, trailing garbage."""
    assert refused(record)[0] == "not_json"


def test_an_empty_line_says_so():
    assert refused(b"")[1] == "$: expected a JSON object, got an empty line"


def test_half_a_surrogate_pair_is_not_json_and_says_what_is_missing():
    reason, detail = refused(raw().replace(b"atlas-4", b"\\ud83d"))

    assert reason == "not_json"
    assert "must come in a pair" in detail
    assert decode(raw().replace(b"atlas-4", b"\\ud83d\\ude00")).model == "\U0001f600"


def test_an_escaped_nul_is_a_character_like_any_other():
    assert decode(raw(model="a\x00b")).model == "a\x00b"


@pytest.mark.parametrize(
    ("record", "got"),
    [
        (b"[]", "an array"),
        (b"[" + raw() + b"]", "an array"),
        (b'"x"', "a string"),
        (b"7", "integer 7"),
        (b"true", "boolean true"),
        (b"null", "null"),
    ],
)
def test_what_is_no_object_at_the_top_is_not_an_object(record, got):
    assert refused(record) == ("not_an_object", f"$: expected an object, got {got}")


class TestNesting:
    @pytest.mark.parametrize("name", ["unknown", "attributes", "capabilities", "model"])
    def test_more_than_64_levels_are_too_deep_in_any_field(self, name):
        deep = "[" * 64 + "]" * 64

        assert refused(with_text(f'"{name}": {deep}')) == (
            "too_deep",
            "$: expected at most 64 levels of nesting, got 65",
        )

    def test_64_levels_in_an_unknown_field_are_fine(self):
        decode(with_text(f'"unknown": {"[" * 63 + "]" * 63}'))

    def test_hundreds_of_thousands_of_levels_are_refused_and_not_a_crash(self):
        assert refused(with_text('"unknown": ' + "[" * 400_000 + "]" * 400_000))[0] == "too_deep"
        assert refused(b"[" * 1_000_000)[0] == "too_deep"

    def test_many_brackets_side_by_side_are_fine(self):
        decode(raw(unknown=[[]] * 10_000))

    def test_brackets_inside_of_strings_are_no_nesting(self):
        decode(raw(unknown='[{"\\' * 1_000))

    def test_a_string_of_quotes_that_never_ends_is_read_in_linear_time(self):
        assert refused(b'{"a": "' + b'\\"[' * 300_000)[0] == "not_json"


def test_over_1_mib_is_too_large_and_1_mib_is_not():
    padding = 2**20 - len(raw(unknown=""))
    decode(raw(unknown="x" * padding))

    assert refused(raw(unknown="x" * (padding + 1))) == (
        "too_large",
        "$: expected at most 1048576 bytes, got 1048577",
    )


def test_the_first_broken_rule_in_the_order_of_the_table_is_told():
    assert refused(raw(model=7, event_id=""))[1].startswith("$.event_id")
    assert refused(raw(timestamp=1, attributes=7))[0] == "impossible_time"


def test_a_request_cannot_be_changed():
    with pytest.raises(AttributeError):
        decode(raw()).model = "other"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=6,
)
near_records = st.fixed_dictionaries(
    {},
    optional={
        "event_id": st.text(max_size=140) | json_values,
        "timestamp": st.integers(0, 2 * 10**12)
        | st.sampled_from(["2026-03-01T12:00:00Z", "2026-03-01T12:00:00", "1999-01-01T00:00:00Z"])
        | json_values,
        "account_id": st.text(max_size=5) | json_values,
        "model": st.text(max_size=5) | json_values,
        "capabilities": st.lists(st.text(max_size=5), max_size=40) | json_values,
        "input_tokens": st.integers() | json_values,
        "output_tokens": json_values,
        "attributes": st.dictionaries(st.text(max_size=5), st.text(max_size=5) | st.none(), max_size=40) | json_values,
        "unknown": json_values,
    },
)


@given(st.binary(max_size=200))
@example(b"\xff")
@example(b"[" * 100_000)
@settings(max_examples=300)
def test_no_bytes_raise_anything_but_a_refusal(record):
    refusal = None
    try:
        decode(record)
    except Refusal as caught:
        refusal = caught

    assert refusal is None or (isinstance(refusal.reason, Reject) and refusal.detail.startswith("$"))


@given(near_records, st.data())
@settings(max_examples=500)
def test_the_quick_way_and_the_close_one_agree_on_every_record(fields, data):
    """On records that are nearly right, whole and with one byte changed."""
    record = bytearray(msgspec.json.encode(RECORD | fields))
    if data.draw(st.booleans()):
        record[data.draw(st.integers(0, len(record) - 1))] = data.draw(st.integers(0, 255))

    def outcome(read):
        try:
            return read(bytes(record))
        except Refusal as refusal:
            return refusal.reason, refusal.detail

    assert outcome(decode) == outcome(decode_closely)
