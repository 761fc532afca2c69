"""Spans and log records as OpenTelemetry's own library writes them, for tests."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import orjson
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, LogsData
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span, TracesData

DONE_MS = 1_772_366_400_250  # 2026-03-01T12:00:00.250Z
TRACE = bytes.fromhex("5b8efff798038103d269b633813fc60c")
CHAT = {"gen_ai.request.model": "atlas-4", "user.id": "acct_1"}


def attributes(given: dict[str, object]) -> list[KeyValue]:
    return [KeyValue(key=name, value=_value(value)) for name, value in given.items()]


def _value(value: object) -> AnyValue:
    match value:
        case bool():
            return AnyValue(bool_value=value)
        case str():
            return AnyValue(string_value=value)
        case int():
            return AnyValue(int_value=value)
        case list():
            return AnyValue(array_value=ArrayValue(values=[_value(one) for one in value]))
    raise TypeError(value)


def span(number: int, parent: int = 0, trace: bytes = TRACE, at_ms: int = DONE_MS, **more: object) -> Span:
    """A span; more: its attributes, dots written as two underscores. Without any it is one of HTTP, say."""
    return Span(
        trace_id=trace,
        span_id=number.to_bytes(8, "big"),
        parent_span_id=parent.to_bytes(8, "big") if parent else b"",
        end_time_unix_nano=at_ms * 1_000_000,
        attributes=attributes({name.replace("__", "."): value for name, value in more.items()}),
    )


def chat(number: int, parent: int = 0, trace: bytes = TRACE, at_ms: int = DONE_MS, **more: object) -> Span:
    return span(number, parent, trace, at_ms, **(CHAT | more))


def spans(*each: Span, **resource: object) -> TracesData:
    data = TracesData()
    of_resource = data.resource_spans.add(resource=Resource(attributes=attributes(resource)))
    of_resource.scope_spans.add().spans.extend(each)
    return data


def logs(*each: LogRecord, **resource: object) -> LogsData:
    data = LogsData()
    of_resource = data.resource_logs.add(resource=Resource(attributes=attributes(resource)))
    of_resource.scope_logs.add().log_records.extend(each)
    return data


def in_proto(in_json: bytes) -> bytes:
    """A message of JSON in protobuf. The library reads ids as base64, where OTLP has them in hex."""
    message = orjson.loads(in_json)
    kind: Any = TracesData if "resourceSpans" in message else LogsData
    for of_resource in next(iter(message.values())):
        for scope in of_resource.get("scopeSpans", []) + of_resource.get("scopeLogs", []):
            for record in scope.get("spans", []) + scope.get("logRecords", []):
                ids = {name: record[name] for name in ("traceId", "spanId", "parentSpanId") if name in record}
                record |= {name: b64encode(bytes.fromhex(one)).decode() for name, one in ids.items()}
    return bytes(ParseDict(message, kind(), ignore_unknown_fields=True).SerializeToString())


def span_in_proto(in_json: dict[str, Any]) -> bytes:
    """`in_proto` of a message that holds one span with attributes alone, at a tenth of its price."""
    (of_resource,) = in_json["resourceSpans"]
    (of_scope,) = of_resource["scopeSpans"]
    (one,) = of_scope["spans"]
    data = TracesData()
    data.resource_spans.add().scope_spans.add().spans.add(
        trace_id=bytes.fromhex(one["traceId"]),
        span_id=bytes.fromhex(one["spanId"]),
        end_time_unix_nano=int(one["endTimeUnixNano"]),
        attributes=[KeyValue(key=each["key"], value=_plain(each["value"])) for each in one["attributes"]],
    )
    return bytes(data.SerializeToString())


def _plain(value: dict[str, Any]) -> AnyValue:
    ((kind, one),) = value.items()
    if kind == "stringValue":
        return AnyValue(string_value=one)
    if kind == "intValue":
        return AnyValue(int_value=int(one))
    return AnyValue(array_value=ArrayValue(values=[_plain(each) for each in one["values"]]))
