"""What is in a batch of OpenTelemetry's, as OTLP in JSON or protobuf? Its log records or spans, each one flat record.

A record holds its own fields (`traceId`, `spanId`, `kind`, its times), the attributes of its resource and its own by
their names, and under `parent` what the spans around it say, as far as they came in the same message. The text of
messages is in it like every attribute; which of them are read is said by a mapping.
Source: opentelemetry-proto, JSON encoding.
"""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from stream.contract.reading.arrays import BATCH_BYTES_MAX
from stream.contract.reading.json_object import got
from stream.contract.reading.refusal import Refusal, Reject
from stream.sources.dialects import otlp_proto
from stream.sources.dialects.mapped import object_of
from stream.sources.dialects.otlp_proto import Flat

_INTEGER = re.compile(r"-?[0-9]{1,20}")
PARENT = "parent"
_OWN = (
    "traceId", "spanId", "parentSpanId", "kind", "name", "eventName", "startTimeUnixNano", "endTimeUnixNano",
    "timeUnixNano", "observedTimeUnixNano",
)  # fmt: skip
# The lists that lead to the records of a message.
_KINDS = {"resourceLogs": ("scopeLogs", "logRecords"), "resourceSpans": ("scopeSpans", "spans")}
AROUND_MAX = 64  # spans around a span; a trace that leads in circles ends somewhere


@dataclass(frozen=True, slots=True)
class Unfolded:
    """One record of a message. where: its path. span: where it is one, its trace and its id.

    around: the spans of the same message that it lies in, the nearest first.
    """

    record: Mapping[str, Any]
    where: str
    span: tuple[str, str] | None = None
    around: tuple[tuple[str, str], ...] = ()


def unfolded(raw: bytes) -> Iterator[Unfolded]:
    """Every record of a message, in its order. Raises Refusal where the message is none of OTLP's."""
    if len(raw) > BATCH_BYTES_MAX:
        raise Refusal(Reject.TOO_LARGE, f"$: expected a batch of at most {BATCH_BYTES_MAX} bytes, got {len(raw)}")
    flat = list(otlp_proto.records(raw) if otlp_proto.is_proto(raw) else _records(object_of(raw, BATCH_BYTES_MAX)))
    spans = {span: one.record for one in flat if (span := _span_of(one)) is not None}
    for one in flat:
        around = tuple(_around(one.record, spans)) if one.is_span else ()
        if around:
            one.record[PARENT] = ChainMap(*(spans[span] for span in around))
        yield Unfolded(one.record, one.where, _span_of(one), around)


def _records(message: Mapping[str, Any]) -> Iterator[Flat]:
    kind = next((kind for kind in _KINDS if kind in message), None)
    if kind is None:
        raise Refusal(Reject.MISSING_FIELD, "$: expected resourceLogs or resourceSpans, got neither")
    scopes, records = _KINDS[kind]
    for resource, resource_at in _objects(message, kind, "$"):
        shared = _attributes(resource.get("resource"), f"{resource_at}.resource")
        for scope, scope_at in _objects(resource, scopes, resource_at):
            for record, where in _objects(scope, records, scope_at):
                own = {name: record[name] for name in _OWN if record.get(name) is not None}
                yield Flat(shared | _attributes(record, where) | own, where, kind == "resourceSpans")


def _span_of(one: Flat) -> tuple[str, str] | None:
    """A log record names the span that it was written in, and is none."""
    trace, span = one.record.get("traceId"), one.record.get("spanId")
    return (trace, span) if one.is_span and isinstance(trace, str) and isinstance(span, str) and span else None


def _around(record: Mapping[str, Any], spans: Mapping[Any, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for _ in range(AROUND_MAX):
        trace, parent = record.get("traceId"), record.get("parentSpanId")
        if not isinstance(trace, str) or not isinstance(parent, str) or (trace, parent) not in spans:
            return
        yield trace, parent
        record = spans[trace, parent]


def _objects(parent: Mapping[str, Any], name: str, path: str) -> Iterator[tuple[dict[str, Any], str]]:
    """The objects of a list, with the path of each; none where it is absent."""
    value = parent.get(name)
    if value is None:
        return
    if not isinstance(value, list):
        raise Refusal(Reject.WRONG_TYPE, f"{path}.{name}: expected an array of objects, got {got(value)}")
    for index, one in enumerate(value):
        where = f"{path}.{name}[{index}]"
        if not isinstance(one, dict):
            raise Refusal(Reject.WRONG_TYPE, f"{where}: expected an object, got {got(one)}")
        yield one, where


def _attributes(holder: Any, path: str) -> dict[str, Any]:
    """Key -> value of an OTLP attribute list; of a key that comes twice the last."""
    if not isinstance(holder, dict):
        return {}
    return _pairs(_objects(holder, "attributes", path))


def _pairs(pairs: Iterable[tuple[dict[str, Any], str]]) -> dict[str, Any]:
    return {one["key"]: _value(one.get("value")) for one, _ in pairs if isinstance(one.get("key"), str)}


def _value(value: Any) -> Any:
    """What an AnyValue holds: text, number, flag, a list, or an object. Integers come as text; the rest is None."""
    if not isinstance(value, dict) or not value:
        return None
    kind, held = next(iter(value.items()))
    if kind == "intValue" and isinstance(held, str) and _INTEGER.fullmatch(held):
        return int(held)
    if kind in ("arrayValue", "kvlistValue") and isinstance(held, dict) and isinstance(held.get("values"), list):
        inner = [one for one in held["values"] if isinstance(one, dict)]
        return [_value(one) for one in inner] if kind == "arrayValue" else _pairs((one, "") for one in inner)
    return held if kind in ("stringValue", "intValue", "doubleValue", "boolValue") else None
