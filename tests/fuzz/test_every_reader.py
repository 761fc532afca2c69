"""Whoever reads bytes from outside reads them or refuses them in words: never another exception, at a bounded cost.

`make fuzz` runs the same with FUZZ_EXAMPLES of each reader; what fails is kept in .hypothesis, and tried first again.
The dialects of logs have theirs in tests/contracts/test_every_source.py, Parquet in tests/sources.
"""

from __future__ import annotations

import contextlib
import json
import os
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from detectors.counts.snapshot import UnreadableSnapshotError, from_bytes, to_bytes
from stream.configuration.settings import load
from stream.contract import alert
from stream.contract.attention import decode_asked
from stream.contract.expected import decode_expected
from stream.contract.reading.refusal import Refusal
from stream.contract.release import decode_release
from stream.contract.verdict import decode_verdict
from stream.errors import SwerveError
from stream.ingest.commits import clock_of
from stream.mapping.named import dialect_of
from stream.mapping.written import mapping_of, read_map
from stream.pipeline import frames
from stream.pipeline.envelope import seal, unseal
from stream.sources.inflate import DamagedError, TruncatedError, gunzip, unzstd
from stream.stages.heads import choose
from tests.contracts.test_every_source import changed, sample

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "40"))
GOLDEN = Path(__file__).parents[1] / "golden"


class Reader(NamedTuple):
    """read: takes bytes. refuses: what it may raise. samples: bytes that it reads. unpacked, packed: their plain form
    and back, so that values are replaced inside of what is sealed."""

    read: Callable[[bytes], object]
    refuses: type[Exception] | tuple[type[Exception], ...]
    samples: tuple[bytes, ...]
    unpacked: Callable[[bytes], Any] = json.loads
    packed: Callable[[Any], bytes] = lambda value: json.dumps(value).encode()


def _json(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def _sealed(read: Callable[[bytes], object], magic: int, golden: str) -> Reader:
    return Reader(
        read,
        frames.UnreadableEnvelope,
        ((GOLDEN / golden).read_bytes(),),
        lambda raw: msgspec.msgpack.decode(unseal(raw, magic, (1,), "it")[1]),
        lambda value: seal(msgspec.msgpack.encode(value), magic, 1),
    )


def _clock(raw: bytes) -> object:
    return clock_of(raw.decode("utf-8", "replace"))


def _all_of(inflate: Callable[[Iterator[bytes]], Iterator[bytes]]) -> Callable[[bytes], object]:
    return lambda raw: list(inflate(iter([raw])))


def _in_a_file(read: Callable[[Path], object]) -> Callable[[bytes], object]:
    def of_bytes(raw: bytes) -> object:
        path = Path(os.environ["FUZZ_FILE"])
        path.write_bytes(raw)
        return read(path)

    return of_bytes


def _toml(value: Any) -> bytes:
    """Tables and plain values; what TOML cannot say is not written by anybody."""
    assume(isinstance(value, dict))
    lines = []
    for name, one in value.items():
        if isinstance(one, dict):
            lines.append(f"[{json.dumps(name)}]")
            lines += [f"{json.dumps(key)} = {_toml_value(inner)}" for key, inner in one.items()]
        else:
            lines.insert(0, f"{json.dumps(name)} = {_toml_value(one)}")
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def _toml_value(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml_value(one)}" for key, one in value.items()) + "}"
    return json.dumps(value).replace("NaN", "nan").replace("Infinity", "inf")


EXPECTED = json.dumps({
    "id": "e1", "subject": {"kind": "cohort", "dimension": "org", "id": "o1"},
    "target": {"kind": "model", "id": "atlas-5"},
    "from": 1_772_362_800_000, "until": "2026-03-03T12:00:00Z", "reason": "planned",
}).encode()  # fmt: skip
ALERT = _json(
    alert_id="a", kind="release_shift", severity="warning", status="firing",
    subject={"kind": "cohort", "id": "o1", "dimension": "org"}, target={"kind": "model", "id": "m"}, targets=[],
    started_at=1, detected_at=1, updated_at=2, accounts=["x"], accounts_total=1, evidence={"z": 3.5}, summary="s",
)  # fmt: skip
CONFIGURATION = b"""[kafka]
bootstrap_servers = "a:1,b:2"
partitions = 8
[ticks]
lateness_ms = 900000
idle_s = 60.0
[detection]
clock_vote = true
[http]
port = 8321
"""
MAPPING = b'[map]\ntimestamp = "at"\naccount_id = ["who", "org.id"]\nmodel = "m"\nevent_id = "id"\n'

READERS = {
    "release": Reader(decode_release, Refusal, (_json(model="atlas-5", released_at="2026-03-01T12:00:00Z"),)),
    "expected shift": Reader(decode_expected, Refusal, (EXPECTED,)),
    "verdict": Reader(
        decode_verdict, Refusal, (_json(alert_id="a1", verdict="campaign", by="me", at=1_772_362_800_000),)
    ),
    "word": Reader(decode_asked, Refusal, (_json(alert_id="a1", word="ack", by="me", at=1_772_362_800_000),)),
    "alert": Reader(alert.decode, alert.MalformedAlertError, (ALERT,)),
    "clock of a commit": Reader(_clock, (), (b'{"v":1,"now_ms":5,"last_ms":[4,5]}',)),
    "frame": _sealed(frames.decode_frame, frames.FRAME_MAGIC, "frame_v1.bin"),
    "summary": _sealed(frames.decode_summary, frames.SUMMARY_MAGIC, "summary_v1.bin"),
    "snapshot": Reader(
        from_bytes, UnreadableSnapshotError, (to_bytes({"a": [1, None], "b": {"c": "d"}}),), from_bytes, to_bytes
    ),
    "gzip": Reader(
        lambda raw: list(gunzip(iter([raw]))), (TruncatedError, DamagedError), (b"\x1f\x8b\x08\x00",), bytes
    ),
    "zstd": Reader(
        lambda raw: list(unzstd(iter([raw]))), (TruncatedError, DamagedError), (b"\x28\xb5\x2f\xfd",), bytes
    ),
    "configuration": Reader(
        _in_a_file(load), SwerveError, (CONFIGURATION,), lambda raw: tomllib.loads(raw.decode()), _toml
    ),
    "mapping": Reader(
        _in_a_file(lambda path: mapping_of(read_map(path), str(path))),
        SwerveError,
        (MAPPING,),
        lambda raw: tomllib.loads(raw.decode()),
        _toml,
    ),
    "state of a table": Reader(
        lambda raw: choose(0, {b"0/head": raw, b"0/head/w": raw}),
        SwerveError,
        ((GOLDEN / "head_v2.bin").read_bytes(),),
        msgspec.msgpack.decode,
        msgspec.msgpack.encode,
    ),
    "OTLP in protobuf": Reader(dialect_of("otlp_proto", {}) or bytes, Refusal, tuple(sample("otlp_proto")), json.loads),
}

PARTS = {"gzip", "zstd", "state of a table"}  # of these the sample is a beginning, or a head without its pieces


@pytest.fixture(autouse=True, scope="module")
def _a_file(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("FUZZ_FILE", str(tmp_path_factory.mktemp("fuzz") / "it"))
        yield


@pytest.mark.parametrize("name", sorted(set(READERS) - PARTS))
def test_what_is_changed_at_random_can_be_read_as_it_is(name):
    for raw in READERS[name].samples:
        READERS[name].read(raw)


@pytest.mark.parametrize("name", READERS)
@given(data=st.data())
@settings(max_examples=EXAMPLES)
def test_reads_or_refuses(name, data):
    reader = READERS[name]
    raw = data.draw(st.sampled_from(reader.samples))
    way = data.draw(st.sampled_from(["bytes", "values", "values", "any"]))
    if way == "any":
        raw = data.draw(st.binary(max_size=80))
    elif way == "bytes":
        raw = _other_bytes(raw, data)
    else:
        raw = _other_values(reader, raw, data)
    with contextlib.suppress(reader.refuses):
        reader.read(raw)


def _other_values(reader: Reader, raw: bytes, data: st.DataObject) -> bytes:
    value = reader.unpacked(raw)
    assume(not isinstance(value, bytes))
    for _ in range(data.draw(st.integers(1, 3))):
        value = changed(value, data)
    try:
        return reader.packed(value)
    except (UnicodeEncodeError, OverflowError, TypeError, ValueError):
        assume(False)
        raise


def _other_bytes(raw: bytes, data: st.DataObject) -> bytes:
    """Some bytes replaced, and now and then cut, doubled or with a part of itself put in."""
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, max(len(raw) - 1, 0)))
        way = data.draw(st.integers(0, 3))
        if way < 2:
            raw = raw[:at] + data.draw(st.binary(max_size=4)) + raw[at + 1 :]
        elif way == 2:
            raw = raw[:at]
        else:
            raw = raw[:at] + raw[at // 2 :]
    return raw
