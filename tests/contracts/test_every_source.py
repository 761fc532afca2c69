"""What every dialect of logs must do. A preset is found by its file; it brings a sample beside it, and no test."""

from __future__ import annotations

import json
import math
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.contract.reading.arrays import BATCH_BYTES_MAX
from stream.contract.reading.refusal import Refusal, Reject
from stream.contract.request import Request, decode
from stream.mapping.named import ENCODINGS, OWN, dialect_of, read_by
from stream.mapping.named import NAMES as DIALECTS
from stream.mapping.presets import FOLDER, NAMES, preset, sample_of
from stream.pipeline.encode import Encoder

SAMPLES = Path(__file__).parent / "samples"
TEXT = "TEXT OF A PROMPT"  # stands in every sample where the platform would have the text of a prompt

BATCHES = ("otlp", *ENCODINGS, "openllmetry", "openinference")  # a message holds many records

every_dialect = pytest.mark.parametrize("name", DIALECTS)


def sample(name: str) -> list[bytes]:
    if name == OWN:
        return (SAMPLES / f"{name}.ndjson").read_bytes().splitlines()
    return sample_of(ENCODINGS.get(name, name))  # one reader, whatever the exporter calls it


def requests_of(name: str) -> list[Request]:
    return [one for raw in sample(name) for one in read_by(name)(raw) if isinstance(one, Request)]


def test_every_sample_belongs_to_a_preset_and_every_preset_has_one():
    assert {path.stem for path in FOLDER.glob("*.ndjson")} == set(NAMES)
    assert {path.stem for path in SAMPLES.iterdir()} == {OWN}


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_says_where_its_form_is_described_and_whether_its_sample_was_recorded(name):
    assert preset(name)["source"]
    assert preset(name)["sample"].startswith(
        ("recorded with ", "written by its ", "the first two messages written by ")
    )


def outcome(name: str, raw: bytes) -> Reject | None:
    """The reason for which a record is refused as a whole; None where it is read."""
    refusal = None
    try:
        read_by(name)(raw)
    except Refusal as caught:
        refusal = caught
    assert refusal is None or (isinstance(refusal.reason, Reject) and refusal.detail.startswith("$"))
    return None if refusal is None else refusal.reason


@every_dialect
class TestEveryDialect:
    def test_reads_its_sample(self, name):
        assert requests_of(name)

    def test_gives_requests_that_keep_the_contract(self, name):
        for request in requests_of(name):
            as_record = msgspec.to_builtins(request)
            as_record["timestamp"] = as_record.pop("at_ms")
            assert decode(msgspec.json.encode(as_record)) == request

    def test_gives_the_time_of_completion(self, name):
        assert {request.at_ms for request in requests_of(name)} == {1_772_366_400_250}

    def test_never_takes_the_text_of_a_prompt(self, name):
        assert any(TEXT.encode() in raw for raw in sample(name))
        assert TEXT not in repr(requests_of(name))

    def test_gives_the_same_each_time(self, name):
        assert requests_of(name) == requests_of(name)

    def test_refuses_what_is_no_record_by_the_reasons_of_the_contract(self, name):
        good = sample(name)[0]
        assert outcome(name, b"") is Reject.NOT_JSON
        assert outcome(name, good[:-1]) is Reject.NOT_JSON
        assert outcome(name, b"[]") is Reject.NOT_AN_OBJECT
        assert outcome(name, good.replace(b"{", b'{"x": "\xff",', 1)) is Reject.NOT_UTF8
        deep = b'{"x":' + b"[" * 99 + b"]" * 99 + b","
        assert outcome(name, good.replace(b"{", deep, 1)) is (Reject.TOO_DEEP if name == OWN else None)
        assert outcome(name, good + b" " * (BATCH_BYTES_MAX if name in BATCHES else 1 << 20)) is Reject.TOO_LARGE

    @pytest.mark.parametrize(
        "part",
        [
            b'"\\ud83d"',
            b'{"\\udc00": "\\\\ud83d\\ude00"}',
            b"[NaN, -Infinity]",
            b"[" * 300 + b"]" * 300,
            b'{"properties":' * 70 + b"{}" + b"}" * 70,
        ],
        ids=["half a pair", "half a key", "no numbers", "300 levels", "a schema of 70 levels"],
    )
    def test_counts_a_request_though_a_part_that_is_never_read_is_bad(self, name, part):
        """A client writes such parts, and would uncount itself. Our own form has no part that a client writes."""
        if name == OWN:
            pytest.skip("what is no JSON in our own form is refused, by the contract")
        for raw in sample(name):
            worse = raw.replace(b"{", b'{"written_by_the_client": ' + part + b", ", 1)

            assert repr(read_by(name)(worse)) == repr(read_by(name)(raw))

    def test_is_read_by_an_encoder_request_by_request(self, name):
        encoder = Encoder("s", dialect=dialect_of(name, {}))
        raws = sample(name)
        encoder.read(raws, range(len(raws)))
        rows = encoder.flush(ended=True).rows

        assert [rows.accounts[one] for one in rows.account] == [request.account_id for request in requests_of(name)]

    def test_takes_every_odd_value_in_every_place(self, name):
        """One at a time, so that none is missed by chance, in the first record."""
        record = json.loads(sample(name)[0])
        for path in paths(record):
            for value in [*ODD_TEXTS, *ODD_VALUES]:
                outcome(name, json.dumps(replaced(record, path, value)).encode())

    @given(data=st.data())
    @settings(max_examples=150)
    def test_never_raises_anything_but_a_refusal(self, name, data):
        """For any bytes, and for a sample in which values and bytes were replaced by any others.

        Of the reader itself: an encoder would turn a fault into a refusal.
        """
        if data.draw(st.integers(0, 7)) == 0:
            raw = data.draw(st.binary(max_size=60))
        else:
            record = json.loads(data.draw(st.sampled_from(sample(name))))
            for _ in range(data.draw(st.integers(1, 3))):
                record = changed(record, data)
            raw = with_other_bytes(json.dumps(record).encode(), data)

        outcome(name, raw)


# What `int`, `float`, `str` and lists of Python make something of, and a reader may take for a number, a time, a name.
ODD_TEXTS = [
    "", "x", "-", "--5", "\u00b2", "\u0665", "1_0", "+1", " 7", "0x1f", "1e999", "nan", "9" * 20, "9" * 5_000,
    "\ud800", "\x00", "\u202e", "é" * 300, "2026-03-01T12:00:00Z", "[::1", "::1%0/0", "1.2.3.4:x", "a,b", "%",
]  # fmt: skip
ODD_VALUES = [
    None, True, -1, 0, 1.5, 10**19, 10**30, -(10**30), 1e308, math.inf, math.nan, [], [None], ["x"], {}, {"x": None},
    [[]], [{"key": "x", "value": {"arrayValue": {"values": [{"intValue": []}]}}}],
]  # fmt: skip
other_texts = (
    st.sampled_from(ODD_TEXTS)
    | st.text(max_size=6)
    | st.text(st.characters(categories=["Nd", "Nl", "No", "Pd", "Zs"]), max_size=4)
)
other_values = st.sampled_from(ODD_VALUES) | other_texts | st.integers() | st.floats()


def paths(value: object) -> list[tuple]:
    """The way to every leaf and branch of a record, itself included."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(), *((key, *path) for key, one in inner for path in paths(one))]


def changed(value: object, data: st.DataObject) -> object:
    """The value with one of its leaves or branches replaced, any as likely as any other, or one more put in."""
    path = data.draw(st.sampled_from(paths(value)))
    return replaced(value, path, data.draw(other_values), data.draw(st.none() | other_texts))


def replaced(value: object, path: tuple, new: object, beside: str | None = None) -> object:
    """beside: the key under which it is put into an object, instead of in its place."""
    if path and isinstance(value, dict):
        return value | {path[0]: replaced(value[path[0]], path[1:], new, beside)}
    if path and isinstance(value, list):
        return [*value[: path[0]], replaced(value[path[0]], path[1:], new, beside), *value[path[0] + 1 :]]
    return value | {beside: new} if isinstance(value, dict) and beside is not None else new


def with_other_bytes(raw: bytes, data: st.DataObject) -> bytes:
    """Now and then with a byte replaced, or cut."""
    if data.draw(st.integers(0, 7)):
        return raw
    at = data.draw(st.integers(0, len(raw) - 1))
    return raw[:at] + data.draw(st.binary(max_size=2)) + raw[at + 1 :]


def test_our_own_dialect_has_the_quick_way():
    assert dialect_of(OWN, {}) is None
