"""The same request, as each gateway that we have a preset for would have logged it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from stream.contract.request import Request

ALL = frozenset({"org", "payment", "template", "country", "asn", "signup_week", "client", "ip_prefix"})
TAGS = frozenset({"tool_use", "coding", "chain_of_thought", "vision"})
AROUND_MS = 1_250  # what a request took, where a log has its start
Record = dict[str, Any]


@dataclass(frozen=True)
class Form:
    """How a gateway writes a request, and what of it: attributes, tags; whether its id is the request's."""

    write: Callable[[Request], Record]
    attributes: frozenset[str]
    tags: frozenset[str]
    same_id: bool = True


def written(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def address(one: Request) -> str | None:
    """One of the network's."""
    prefix = one.attributes.get("ip_prefix")
    return None if prefix is None else prefix.removesuffix("0/24") + "7"


def agent(one: Request) -> str | None:
    client = one.attributes.get("client")
    return None if client is None else f"{client} (Linux)"


def tools(one: Request) -> list[Record] | None:
    kinds = [kind for tag, kind in (("tool_use", "function"), ("coding", "bash_20250124")) if tag in one.capabilities]
    return [{"type": kind} for kind in kinds] or None


def reasoned(one: Request, say: Any = 12) -> Any:
    return say if "chain_of_thought" in one.capabilities else None


def some(one: Request, *names: str, **renamed: str) -> Record:
    """Attributes by their names, or by others."""
    known = {name: one.attributes.get(name) for name in names}
    return known | {name: one.attributes.get(ours) for name, ours in renamed.items()}


def litellm(one: Request) -> Record:
    seen = 7 if "vision" in one.capabilities else None
    usage = {"completion_tokens_details": {"reasoning_tokens": reasoned(one)}}
    key = some(one, "payment", "country", "asn", "signup_week")
    return {
        "id": one.event_id, "litellm_call_id": one.event_id, "status": "success", "call_type": "acompletion",
        "endTime": one.at_ms / 1000, "model": f"openai/{one.model}-2026", "model_group": one.model,
        "prompt_tokens": one.input_tokens, "completion_tokens": one.output_tokens,
        "requester_ip_address": address(one), "user_agent": agent(one), "model_parameters": {"tools": tools(one)},
        "metadata": {
            "user_api_key_user_id": one.account_id, "user_api_key_org_id": one.attributes.get("org"),
            "user_api_key_auth_metadata": key,
            "usage_object": usage | {"prompt_tokens_details": {"image_tokens": seen}},
        },
    }  # fmt: skip


def litellm_spend(one: Request) -> Record:
    usage = {"completion_tokens_details": {"reasoning_tokens": reasoned(one)}}
    kept = some(one, "payment", "country", "signup_week")
    return {
        "request_id": one.event_id, "status": "success", "call_type": "acompletion",
        "endTime": written(one.at_ms), "user": one.account_id, "organization_id": one.attributes.get("org"),
        "model": f"openai/{one.model}", "model_group": one.model, "requester_ip_address": address(one),
        "prompt_tokens": str(one.input_tokens), "completion_tokens": str(one.output_tokens),
        "metadata": {"usage_object": usage, "user_agent": agent(one), "spend_logs_metadata": kept},
    }  # fmt: skip


def _value(value: Any) -> Record:
    if isinstance(value, list):
        return {"arrayValue": {"values": [_value(one) for one in value]}}
    return {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}


def _span(one: Request, names: Record) -> Record:
    """A span of OTLP in JSON; names: its attributes."""
    digest = hashlib.sha256(one.event_id.encode()).hexdigest()
    ours = {f"swerve.attribute.{name}": value for name, value in one.attributes.items()}
    known = ours | {"swerve.capabilities": list(one.capabilities)} | names
    span = {
        "traceId": digest[:32], "spanId": digest[32:48], "endTimeUnixNano": str(one.at_ms * 1_000_000),
        "attributes": [{"key": name, "value": _value(value)} for name, value in known.items()],
    }  # fmt: skip
    return {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}


def otlp(one: Request) -> Record:
    return _span(one, {
        "gen_ai.operation.name": "chat", "gen_ai.response.id": one.event_id, "user.id": one.account_id,
        "gen_ai.response.model": one.model, "gen_ai.usage.input_tokens": one.input_tokens,
        "gen_ai.usage.output_tokens": one.output_tokens,
    })  # fmt: skip


def openllmetry(one: Request) -> Record:
    return _span(one, {
        "gen_ai.response.id": one.event_id, "traceloop.association.properties.user_id": one.account_id,
        "llm.request.model": one.model, "gen_ai.usage.prompt_tokens": one.input_tokens,
        "gen_ai.usage.completion_tokens": one.output_tokens,
    })  # fmt: skip


def openinference(one: Request) -> Record:
    return _span(one, {
        "openinference.span.kind": "LLM", "user.id": one.account_id, "llm.model_name": one.model,
        "llm.token_count.prompt": one.input_tokens, "llm.token_count.completion": one.output_tokens,
    })  # fmt: skip


def envoy(one: Request) -> Record:
    known = some(one, "org", "payment", "country", "asn", "signup_week", "template")
    return {
        "start_time": written(one.at_ms - AROUND_MS), "duration": str(AROUND_MS), "x-request-id": one.event_id,
        "response_code": 200, "gen_ai.response.model": one.model, "user.id": one.account_id,
        "gen_ai.usage.input_tokens": float(one.input_tokens), "gen_ai.usage.output_tokens": str(one.output_tokens),
        "user-agent": agent(one) or "-", "x-forwarded-for": address(one) or "-",
        "capabilities": ", ".join(one.capabilities) or "-",
    } | {name: value or "-" for name, value in known.items()}  # fmt: skip


def kong(one: Request) -> Record:
    usage = {
        "prompt_tokens": one.input_tokens, "completion_tokens": one.output_tokens,
        "completion_tokens_details": {"reasoning_tokens": reasoned(one)},
    }  # fmt: skip
    return {
        "started_at": one.at_ms - AROUND_MS, "latencies": {"request": AROUND_MS}, "response": {"status": 200},
        "client_ip": address(one), "request": {"id": one.event_id, "headers": {"user-agent": agent(one)}},
        "consumer": {"custom_id": one.account_id, "tags": [one.attributes.get("org")]},
        "ai": {"proxy": {
            "usage": usage, "meta": {"response_model": one.model}, "payload": {"request": {"tools": tools(one)}},
        }},
    }  # fmt: skip


def portkey(one: Request) -> Record:
    known = some(one, "payment", "template", "country", _organisation="org")
    return {
        "id": one.event_id, "created_at": written(one.at_ms), "ai_model": one.model, "response_status_code": 200,
        "request_units": one.input_tokens, "response_units": one.output_tokens,
        "metadata": {"_user": one.account_id} | known,
        "request": {"tools": tools(one), "reasoning_effort": reasoned(one, "high")},
    }  # fmt: skip


def helicone(one: Request) -> Record:
    known = some(one, Org="org", Payment="payment", Template="template", SignupWeek="signup_week")
    return {
        "request_id": one.event_id, "response_created_at": written(one.at_ms), "request_user_id": one.account_id,
        "response_model": one.model, "response_status": 200, "prompt_tokens": float(one.input_tokens),
        "completion_tokens": float(one.output_tokens), "country_code": one.attributes.get("country"),
        "request_properties": known, "request_body": {"tools": tools(one), "thinking": reasoned(one, {"on": True})},
    }  # fmt: skip


def cloudflare(one: Request) -> Record:
    known = some(one, "org", "payment", "template", "country")
    return {
        "id": one.event_id, "created_at": written(one.at_ms - AROUND_MS), "duration": AROUND_MS, "status_code": 200,
        "model": one.model, "tokens_in": one.input_tokens, "tokens_out": one.output_tokens,
        "metadata": {"user_id": one.account_id, "capabilities": ",".join(one.capabilities)} | known,
    }  # fmt: skip


def bedrock(one: Request) -> Record:
    known = some(one, "org", "payment", "template", "country")
    return {
        "schemaType": "ModelInvocationLog", "timestamp": written(one.at_ms), "requestId": one.event_id,
        "modelId": f"arn:aws:bedrock:us-east-1:1:inference-profile/{one.model}",
        "requestMetadata": {"account_id": one.account_id} | known,
        "input": {
            "inputTokenCount": one.input_tokens,
            "inputBodyJson": {"tools": tools(one), "thinking": reasoned(one, {"type": "enabled"})},
        },
        "output": {"outputTokenCount": one.output_tokens},
    }  # fmt: skip


def azure_openai(one: Request) -> Record:
    return {"records": [{
        "time": written(one.at_ms - AROUND_MS), "durationMs": AROUND_MS, "category": "RequestResponse",
        "resultSignature": "200", "correlationId": one.event_id,
        "callerIPAddress": (address(one) or "").removesuffix("7") + "***",
        "resourceId": one.attributes.get("org") and f"/SUBSCRIPTIONS/1/ACCOUNTS/{one.attributes['org']}",
        "properties": {"objectId": one.account_id, "modelName": one.model},
    }]}  # fmt: skip


def vertex(one: Request) -> Record:
    known = some(one, "org", "payment", "template", "country")
    usage = {
        "promptTokenCount": one.input_tokens, "candidatesTokenCount": one.output_tokens,
        "thoughtsTokenCount": reasoned(one),
    }  # fmt: skip
    offered = [{"functionDeclarations": []}] if "tool_use" in one.capabilities else None
    runs = [{"codeExecution": {}}] if "coding" in one.capabilities else []
    return {
        "request_id": one.event_id, "logging_time": f"{written(one.at_ms)[:-1].replace('T', ' ')} UTC",
        "model": f"projects/p/models/{one.model}",
        "full_request": {"labels": {"account_id": one.account_id} | known, "tools": offered and offered + runs},
        "full_response": {"usageMetadata": usage},
    }  # fmt: skip


def openrouter(one: Request) -> Record:
    return {
        "id": one.event_id, "created_at": written(one.at_ms - AROUND_MS), "generation_time": AROUND_MS,
        "model": one.model, "external_user": one.account_id, "native_tokens_prompt": one.input_tokens,
        "native_tokens_completion": one.output_tokens, "origin": one.attributes.get("client"),
        "native_tokens_reasoning": reasoned(one), "num_media_prompt": 1 if "vision" in one.capabilities else None,
        "finish_reason": "tool_calls" if "tool_use" in one.capabilities else "stop",
    }  # fmt: skip


_OF_METADATA = frozenset({"org", "payment", "template", "country"})
_BY_SHAPE = TAGS - {"vision"}
FORMS = {
    "litellm": Form(litellm, ALL - {"template"}, TAGS),
    "litellm_spend": Form(litellm_spend, ALL - {"template", "asn"}, frozenset({"chain_of_thought"})),
    "otlp": Form(otlp, ALL, TAGS),
    "openllmetry": Form(openllmetry, ALL, TAGS),
    "openinference": Form(openinference, ALL, TAGS, same_id=False),
    "envoy": Form(envoy, ALL, TAGS),
    "kong": Form(kong, frozenset({"org", "client", "ip_prefix"}), _BY_SHAPE),
    "portkey": Form(portkey, _OF_METADATA, _BY_SHAPE),
    "helicone": Form(helicone, _OF_METADATA | {"signup_week"}, _BY_SHAPE),
    "cloudflare": Form(cloudflare, _OF_METADATA, TAGS),
    "bedrock": Form(bedrock, _OF_METADATA, _BY_SHAPE),
    "azure_openai": Form(azure_openai, frozenset({"org", "ip_prefix"}), frozenset()),
    "vertex": Form(vertex, _OF_METADATA, _BY_SHAPE),
    "openrouter": Form(openrouter, frozenset({"client"}), frozenset({"tool_use", "chain_of_thought", "vision"})),
}
