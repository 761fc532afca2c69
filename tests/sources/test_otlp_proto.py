"""OTLP in protobuf: the same requests as of its JSON, whatever comes in it."""

from __future__ import annotations

import pytest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from stream.contract.reading.refusal import Refusal, Reject
from stream.contract.request import Request
from stream.mapping.named import read_by
from stream.mapping.presets import sample_of
from stream.sources.dialects.otlp_proto import RECORDS_MAX
from tests.receiver.otlp import CHAT, DONE_MS, TRACE, attributes, chat, in_proto, logs, spans


def read(raw: bytes, dialect: str = "otlp_proto") -> list[Request | Refusal]:
    return list(read_by(dialect)(raw))


@pytest.mark.parametrize("number", range(len(sample_of("otlp"))))
def test_the_sample_is_the_same_in_both_encodings(number):
    raw = sample_of("otlp")[number]

    def told(raw: bytes) -> list[object]:
        return [str(one) if isinstance(one, Refusal) else one for one in read(raw)]

    assert told(in_proto(raw)) == told(raw)
    assert told(raw)


@pytest.mark.parametrize("dialect", ["otlp", "otlp_json", "otlp_proto"])
def test_each_name_reads_both_encodings(dialect):
    in_json = b'{"resourceSpans": []}'

    assert read(in_json, dialect) == []
    assert len(read(spans(chat(1)).SerializeToString(), dialect)) == 1


def test_ids_attributes_of_the_resource_and_lists_are_read():
    made = chat(1, gen_ai__response__finish_reasons=["tool_calls"], gen_ai__usage__input_tokens=812)
    (request,) = read(spans(made, **{"swerve.attribute.org": "org_7"}).SerializeToString())

    assert isinstance(request, Request)
    assert (request.event_id, request.at_ms) == (f"{TRACE.hex()}-{1:016x}", DONE_MS)
    assert (request.input_tokens, request.capabilities, request.attributes) == (812, ("tool_use",), {"org": "org_7"})


def test_log_records_are_told_from_spans_by_what_is_in_them():
    made = LogRecord(
        time_unix_nano=DONE_MS * 1_000_000, attributes=attributes(CHAT | {"gen_ai.response.id": "r1"}),
        trace_id=TRACE, span_id=b"\1" * 8,
    )  # fmt: skip

    assert [one.event_id for one in read(logs(made).SerializeToString())] == ["r1"]


def test_what_of_a_span_is_no_text_is_left_out_and_the_request_is_counted():
    """A client sets its user agent; the collector passes on whatever bytes it sent."""
    raw = spans(chat(1, user_agent__original="agent-x")).SerializeToString().replace(b"agent-x", b"agent\xff\xfe")
    (request,) = read(raw)

    assert isinstance(request, Request)
    assert (request.account_id, request.attributes) == ("acct_1", {})


def test_a_span_that_is_damaged_inside_is_refused_as_no_protobuf():
    with pytest.raises(Refusal) as caught:
        read(b"\n\x7f" + b"\xff" * 127)

    assert caught.value.reason is Reject.NOT_PROTOBUF
    assert caught.value.detail == "$: expected OTLP in protobuf or JSON, got 129 bytes: byte 0 begins no integer"


def test_millions_of_empty_records_are_refused_before_they_cost_memory():
    scope = b"\x12\x00" * (RECORDS_MAX + 1)

    def framed(tag: int, inner: bytes) -> bytes:
        length, said = len(inner), b""
        while length > 127:
            said, length = said + bytes([length & 127 | 128]), length >> 7
        return bytes([tag]) + said + bytes([length]) + inner

    with pytest.raises(Refusal) as caught:
        read(framed(10, framed(18, scope)))
    assert caught.value.reason is Reject.TOO_LARGE
