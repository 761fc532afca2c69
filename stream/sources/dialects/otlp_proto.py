"""What is in a batch of OpenTelemetry's, written as OTLP in protobuf? The same flat records as of its JSON.

A batch is taken apart on the wire, down to its records, and the library reads each of those alone: one that holds
millions of empty records is refused before it costs memory.
Source: opentelemetry-proto; `otlp_proto` of the collector's Kafka exporter, `proto` of its file exporter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, NamedTuple

from stream.contract.reading.json_object import RECORD_BYTES_MAX
from stream.contract.reading.refusal import Refusal, Reject
from stream.sources.dialects.wire import LENGTH_DELIMITED, NotProtobufError, fields

RECORDS_MAX = 1 << 16  # of one batch
_RESOURCE, _SCOPES, _RECORDS = 1, 2, 2  # numbers of fields
_TRACE_ID, _TRACE_ID_BYTES = 1, 16
_IDS = {"traceId": "trace_id", "spanId": "span_id", "parentSpanId": "parent_span_id"}
_OTHERS = {
    "kind": "kind",
    "name": "name",
    "eventName": "event_name",
    "startTimeUnixNano": "start_time_unix_nano",
    "endTimeUnixNano": "end_time_unix_nano",
    "timeUnixNano": "time_unix_nano",
    "observedTimeUnixNano": "observed_time_unix_nano",
}


class Flat(NamedTuple):
    """A record: its own fields over its attributes over its resource's, and its path."""

    record: dict[str, Any]
    where: str
    is_span: bool


class _Held(NamedTuple):
    """A record as it is on the wire, the resource that it is of, and its place in the batch."""

    raw: bytes
    resource: bytes
    at: tuple[int, int, int]


def is_proto(raw: bytes) -> bool:
    r"""Whether a message begins as a batch in protobuf does: with its first field, as long as that says.

    >>> is_proto(bytes([10, 2, 10, 0])), is_proto(b'{"resourceSpans": []}'), is_proto(b'\n{"resourceSpans": []}')
    (True, False, False)
    """
    if raw[:1] != b"\n":  # the tag of field 1; also an empty line before JSON
        return False
    try:
        next(fields(raw))
    except NotProtobufError:
        return raw.lstrip()[:1] != b"{"
    return True


def records(raw: bytes) -> Iterator[Flat]:
    """Every record of a batch. What of a record cannot be read, as a text that is no UTF-8, is as if it were left out.

    Raises Refusal where the bytes are no batch, or hold more than 65,536 records. 30 us a record of ten attributes.
    """
    try:
        held = list(_bounded(_held(raw)))
        shared = {resource: _attributes(_read("Resource", resource)) for resource in {one.resource for one in held}}
        for one in held:
            yield _flat(one, shared[one.resource])
    except NotProtobufError as error:
        wrong = f"$: expected OTLP in protobuf or JSON, got {len(raw)} bytes: {error}"
        raise Refusal(Reject.NOT_PROTOBUF, wrong) from None


def _held(raw: bytes) -> Iterator[_Held]:
    for at, of_resource in enumerate(_each(raw, _RESOURCE)):
        resource = b"".join(_each(of_resource, _RESOURCE))
        for scope, of_scope in enumerate(_each(of_resource, _SCOPES)):
            for number, record in enumerate(_each(of_scope, _RECORDS)):
                yield _Held(record, resource, (at, scope, number))


def _each(raw: bytes, number: int) -> Iterator[bytes]:
    return (one.held for one in fields(raw) if one.number == number and one.kind == LENGTH_DELIMITED)


def _bounded(held: Iterator[_Held]) -> Iterator[_Held]:
    for count, one in enumerate(held, 1):
        if count > RECORDS_MAX:
            raise Refusal(Reject.TOO_LARGE, f"$: expected at most {RECORDS_MAX} records in a batch, got more")
        if max(len(one.raw), len(one.resource)) > RECORD_BYTES_MAX:
            size = len(one.raw) + len(one.resource)
            raise Refusal(Reject.TOO_LARGE, f"$: expected records of at most {RECORD_BYTES_MAX} bytes, got {size}")
        yield one


def _flat(one: _Held, shared: dict[str, Any]) -> Flat:
    # Nothing else tells a batch of spans from one of logs: a log record has a time where a span has its trace.
    is_span = any(len(trace) == _TRACE_ID_BYTES for trace in _each(one.raw, _TRACE_ID))
    names = ("resourceSpans", "scopeSpans", "spans") if is_span else ("resourceLogs", "scopeLogs", "logRecords")
    where = ".".join(f"{name}[{at}]" for name, at in zip(names, one.at, strict=True))
    record = _read("Span" if is_span else "LogRecord", one.raw)
    return Flat(shared | _attributes(record) | _own(record), f"$.{where}", is_span)


def _own(record: Any) -> dict[str, Any]:
    """What is no attribute, by the names that JSON has for it; what is not set is not there."""
    ids = {name: getattr(record, held, b"").hex() for name, held in _IDS.items()}
    others = {name: getattr(record, held, None) for name, held in _OTHERS.items()}
    return {name: value for name, value in (ids | others).items() if value}


def _attributes(holder: Any) -> dict[str, Any]:
    return _pairs(holder.attributes)


def _pairs(pairs: Iterable[Any]) -> dict[str, Any]:
    return {one.key: _value(one.value) for one in pairs}


def _value(value: Any) -> Any:
    """What an AnyValue holds, as of JSON: bytes are nothing that is read."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(one) for one in value.array_value.values]
    if kind == "kvlist_value":
        return _pairs(value.kvlist_value.values)
    return getattr(value, kind) if kind in ("string_value", "int_value", "double_value", "bool_value") else None


def _read(kind: str, raw: bytes) -> Any:
    """The message, without those of its fields that cannot be read."""
    from google.protobuf.message import DecodeError

    message = _kinds()[kind]
    try:
        return message.FromString(raw)
    except DecodeError:
        return message.FromString(b"".join(part for part in _parts(raw) if _is_read(message, part, DecodeError)))


def _parts(raw: bytes) -> Iterator[bytes]:
    return (raw[one.begin : one.end] for one in fields(raw))


def _is_read(message: Any, part: bytes, error: type[Exception]) -> bool:
    try:
        message.FromString(part)
    except error:
        return False
    return True


@cache
def _kinds() -> dict[str, Any]:
    """The library takes a quarter of a second to load: only who reads protobuf waits for it."""
    from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
    from opentelemetry.proto.resource.v1.resource_pb2 import Resource
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

    return {"LogRecord": LogRecord, "Resource": Resource, "Span": Span}
