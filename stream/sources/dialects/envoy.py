"""Envoy AI Gateway's access log: one JSON object per request, with its `gen_ai.*` names, old and new.

The log has no account unless a request header is mapped into it: `user.id`, `enduser.id` or `account_id`. Capabilities
are not in it either, but for `capabilities`, a comma-separated header value that the gateway may add. Envoy writes "-"
for what it does not know. A request that failed, with a status of 400 or more, is no completed request.
Source: aigateway.envoyproxy.io, "Access Logs With AI/LLM Metadata".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stream.contract.reading.instant import instant_ms
from stream.contract.reading.refusal import Refusal
from stream.contract.request import Request
from stream.sources.dialects.mapped import client_of, first, ids_of, ip_prefix, object_of, request_of


def read(raw: bytes) -> list[Request]:
    """The request of one entry; none where it failed or was not for a model. Raises Refusal."""
    entry = {name: value for name, value in object_of(raw).items() if value != "-"}
    model = first(
        entry, "gen_ai.response.model", "gen_ai.request.model", "genai_model_name_override", "genai_model_name"
    )
    status = _number(first(entry, "response_code", "http.response.status_code"))
    if (isinstance(status, int) and status >= 400) or (model is None and not _is_for_a_model(entry)):
        return []
    tagged = entry.get("capabilities")
    return [
        request_of(
            {
                "event_id": ids_of(entry.get("gen_ai.response.id"), first(entry, "x-request-id", "request_id")),
                "timestamp": _completed(entry),
                "account_id": first(entry, "account_id", "user.id", "enduser.id"),
                "model": model,
                "capabilities": [tag.strip() for tag in tagged.split(",")] if isinstance(tagged, str) else tagged,
                "input_tokens": _number(
                    first(entry, "gen_ai.usage.input_tokens", "genai_tokens_input", "llm_input_token")
                ),
                "output_tokens": _number(
                    first(entry, "gen_ai.usage.output_tokens", "genai_tokens_output", "llm_output_token")
                ),
                "attributes": {
                    "org": first(entry, "org", "organization"),
                    "client": client_of(first(entry, "user-agent", "user_agent", "user_agent.original")),
                    "ip_prefix": ip_prefix(first(entry, "x-forwarded-for", "downstream_remote_address")),
                },
            },
            "from an Envoy access log",
        )
    ]


def _is_for_a_model(entry: Mapping[str, Any]) -> bool:
    return any(name.startswith(("gen_ai.", "genai_", "llm_")) for name in entry)


def _completed(entry: Mapping[str, Any]) -> Any:
    """Start and duration make the time of completion; without a readable start it is left to the contract to refuse."""
    start, duration_ms = first(entry, "start_time", "timestamp"), _number(entry.get("duration"))
    if isinstance(start, bool) or not isinstance(start, (int, str)) or not isinstance(duration_ms, int):
        return start
    try:
        return instant_ms(start, "$.start_time") + duration_ms
    except Refusal:
        return start


def _number(value: Any) -> Any:
    """Envoy writes numbers as text where a format has more than one part, and metadata as floats."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20 else value
