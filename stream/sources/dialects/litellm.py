"""LiteLLM's StandardLoggingPayload: one JSON object per call, as its loggers write it.

Of the key that a call was made with, the account is its user, else its team, else its hash; then the end user.
The id of a call may be a client's, from a header; the response's is the server's: both together tell requests apart.
A failed call is no completed request and gives none. `messages` and `response` are never looked at.
Source: docs.litellm.ai, "StandardLoggingPayload Specification".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stream.contract.request import Request
from stream.sources.dialects.capabilities import Shape, capabilities_of, tool_types
from stream.sources.dialects.mapped import client_of, first, ids_of, ip_prefix, object_of, request_of


def read(raw: bytes) -> list[Request]:
    """The request of one payload, none where the call failed. Raises Refusal."""
    call = object_of(raw)
    if call.get("status") == "failure":
        return []
    metadata = _object(call, "metadata")
    parameters = _object(call, "model_parameters")
    return [
        request_of(
            {
                "event_id": ids_of(call.get("id"), call.get("litellm_call_id")),
                "timestamp": _ms(call.get("endTime")),
                "account_id": first(
                    metadata,
                    "user_api_key_user_id",
                    "user_api_key_team_id",
                    "user_api_key_hash",
                    "user_api_key_end_user_id",
                )
                or call.get("end_user"),
                "model": call.get("model"),
                "capabilities": capabilities_of(_shape(call, parameters)),
                "input_tokens": call.get("prompt_tokens"),
                "output_tokens": call.get("completion_tokens"),
                "attributes": {
                    "org": first(metadata, "user_api_key_org_id", "user_api_key_team_id"),
                    "client": client_of(first(call, "user_agent") or metadata.get("user_agent")),
                    "ip_prefix": ip_prefix(first(call, "requester_ip_address") or metadata.get("requester_ip_address")),
                },
            },
            "from a LiteLLM payload",
        )
    ]


def _shape(call: Mapping[str, Any], parameters: Mapping[str, Any]) -> Shape:
    built_in = _object(call, "standard_built_in_tools_params")
    tools = [*tool_types(parameters.get("tools"))]
    tools += ["web_search"] if built_in.get("web_search_options") else []
    tools += ["file_search"] if built_in.get("file_search") else []
    form = parameters.get("response_format")
    return Shape(
        tools=tuple(tools),
        reasoning=bool(first(parameters, "reasoning_effort", "thinking", "reasoning")),
        schema=isinstance(form, dict) and form.get("type") == "json_schema",
        audio="transcription" in str(call.get("call_type")) or "speech" in str(call.get("call_type")),
    )


def _object(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = record.get(name)
    return value if isinstance(value, dict) else {}


def _ms(end_s: Any) -> Any:
    """Epoch milliseconds of LiteLLM's seconds with a fraction; whatever else came is left to the contract to refuse."""
    is_number = isinstance(end_s, (int, float)) and not isinstance(end_s, bool)
    return round(end_s * 1000) if is_number and abs(end_s) < 1e15 else end_s
