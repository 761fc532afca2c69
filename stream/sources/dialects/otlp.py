"""OpenTelemetry's GenAI telemetry as OTLP in JSON: a message holds a batch of log records, or of spans.

A request is a record or span with `gen_ai.request.model` or `gen_ai.response.model`, of the versions of the conventions
before and after 1.37. What wraps requests (agents, workflows, tools) would count them twice and is left out, as is what
failed (`error.type`) and what is no request at all. Send the logs or the spans, not both: they are the same requests.
`gen_ai.input.messages` and their like are never looked at. The account is `user.id`, else `enduser.id`, of the record
or the resource; `swerve.capabilities` are tags given upstream, `swerve.attribute.NAME` become attributes.
Source: open-telemetry/semantic-conventions-genai; opentelemetry-proto, JSON encoding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from stream.contract.reading.json_object import got
from stream.contract.reading.refusal import Refusal, Reject
from stream.contract.request import Request
from stream.sources.dialects.capabilities import Shape, capabilities_of
from stream.sources.dialects.mapped import client_of, first, ip_prefix, object_of, request_of

_ATTRIBUTE = "swerve.attribute."
_INTEGER = re.compile(r"-?[0-9]{1,20}")
_OPERATIONS = (None, "", "chat", "generate_content", "text_completion", "embeddings")
# The lists that lead to the records of a message, and the fields that hold a record's time, best first.
_KINDS = {
    "resourceLogs": ("scopeLogs", "logRecords", ("timeUnixNano", "observedTimeUnixNano")),
    "resourceSpans": ("scopeSpans", "spans", ("endTimeUnixNano",)),
}


def read(raw: bytes) -> list[Request | Refusal]:
    """The requests of one message, and a Refusal in place of each that breaks the contract. Raises Refusal."""
    message = object_of(raw)
    kind = next((kind for kind in _KINDS if kind in message), None)
    if kind is None:
        raise Refusal(Reject.MISSING_FIELD, "$: expected resourceLogs or resourceSpans, got neither")
    return [_request(record, known, times, where) for record, known, times, where in _records(message, kind)]


def _records(message: Mapping[str, Any], kind: str) -> Iterator[tuple[dict[str, Any], dict[str, Any], Any, str]]:
    """Every request of a message: the record, what is known of it and its resource, its times' names, its path."""
    scopes, records, times = _KINDS[kind]
    for resource, resource_at in _objects(message, kind, "$"):
        shared = _attributes(resource.get("resource"), f"{resource_at}.resource")
        for scope, scope_at in _objects(resource, scopes, resource_at):
            for record, where in _objects(scope, records, scope_at):
                known = shared | _attributes(record, where)
                if _is_request(known):
                    yield record, known, times, where


def _is_request(known: Mapping[str, Any]) -> bool:
    return (
        first(known, "gen_ai.response.model", "gen_ai.request.model") is not None
        and known.get("gen_ai.operation.name") in _OPERATIONS
        and first(known, "error.type") is None
    )


def _request(record: Mapping[str, Any], known: Mapping[str, Any], times: Any, where: str) -> Request | Refusal:
    # A resource's span id alone is unique within its trace only.
    spans = [part for part in (record.get("traceId"), record.get("spanId")) if isinstance(part, str) and part]
    own = {name.removeprefix(_ATTRIBUTE): value for name, value in known.items() if name.startswith(_ATTRIBUTE)}
    fields = {
        "event_id": first(known, "gen_ai.response.id") or "-".join(spans) or None,
        "timestamp": _ms(first(record, *times)),
        "account_id": first(known, "user.id", "enduser.id"),
        "model": first(known, "gen_ai.response.model", "gen_ai.request.model"),
        "capabilities": capabilities_of(_shape(known), _tags(known.get("swerve.capabilities"))),
        "input_tokens": first(known, "gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
        "output_tokens": first(known, "gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
        "attributes": {
            "client": client_of(known.get("user_agent.original")),
            "ip_prefix": ip_prefix(known.get("client.address")),
            "country": first(known, "geo.country.iso_code"),
            **own,
        },
    }
    try:
        return request_of(fields, f"from {where}")
    except Refusal as refusal:
        return refusal


def _shape(known: Mapping[str, Any]) -> Shape:
    finish = known.get("gen_ai.response.finish_reasons")
    return Shape(
        finish=tuple(str(one) for one in finish) if isinstance(finish, list) else (),
        images=_counts(known.get("gen_ai.usage.image.input_tokens")),
        audio=_counts(known.get("gen_ai.usage.audio.input_tokens")),
        reasoning=_counts(known.get("gen_ai.usage.reasoning.output_tokens"))
        or first(known, "gen_ai.request.reasoning.level") is not None,
        schema=known.get("gen_ai.output.type") == "json",
        conversation=first(known, "gen_ai.conversation.id", "gen_ai.request.previous_response.id") is not None,
    )


def _counts(value: Any) -> bool:
    return isinstance(value, int) and value > 0


def _tags(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def _ms(nanoseconds: Any) -> Any:
    """Epoch milliseconds of nanoseconds, which OTLP writes as text; anything else is left to the contract to refuse."""
    if isinstance(nanoseconds, str) and nanoseconds.isascii() and nanoseconds.isdigit() and len(nanoseconds) <= 20:
        return int(nanoseconds) // 1_000_000
    is_integer = isinstance(nanoseconds, int) and not isinstance(nanoseconds, bool)
    return nanoseconds // 1_000_000 if is_integer else nanoseconds


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
    pairs = _objects(holder, "attributes", path)
    return {one["key"]: _value(one.get("value")) for one, _ in pairs if isinstance(one.get("key"), str)}


def _value(value: Any) -> Any:
    """What an AnyValue holds: text, number or flag, or a list of them. Integers come as text; the rest is None."""
    if not isinstance(value, dict) or not value:
        return None
    kind, held = next(iter(value.items()))
    if kind == "intValue" and isinstance(held, str) and _INTEGER.fullmatch(held):
        return int(held)
    if kind == "arrayValue" and isinstance(held, dict) and isinstance(held.get("values"), list):
        return [_value(one) for one in held["values"] if isinstance(one, dict) and "arrayValue" not in one]
    return held if kind in ("stringValue", "intValue", "doubleValue", "boolValue") else None
