"""What the shipped configurations of a collector and of Envoy write, the presets read; neither lets text pass."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

from stream.contract.request import Request
from stream.mapping.named import read_by
from stream.mapping.presets import sample_of

INTEGRATIONS = Path(__file__).parents[2] / "integrations"
COLLECTOR = yaml.safe_load((INTEGRATIONS / "otel-collector" / "collector.yaml").read_text("utf-8"))
ENVOY = yaml.safe_load((INTEGRATIONS / "envoy" / "envoy-proxy.yaml").read_text("utf-8"))
# What Envoy would write for each operator of its format.
WRITTEN: dict[str, Any] = {
    "start_time": "2026-03-01T11:59:59.000Z", "duration": 1250, "response_code": 200, "x-request-id": "req-1",
    "gen_ai.request.model": "atlas-4", "genai_model_name": "atlas", "gen_ai.usage.input_tokens": "812",
    "gen_ai.usage.output_tokens": "97", "account_id": "acct_1", "user-agent": "curl/8.4.0", "org": "org_7",
    "x-forwarded-for": "198.51.100.7", "template": "9f3c", "capabilities": "coding,tool_use", "payment": "7741",
}  # fmt: skip


def format_of_envoy() -> dict[str, str]:
    (setting,) = ENVOY["spec"]["telemetry"]["accessLog"]["settings"]
    return setting["format"]["json"]


def test_the_format_of_envoy_has_all_that_its_preset_reads():
    assert set(WRITTEN) <= set(format_of_envoy())
    entry = {name: WRITTEN.get(name, "-") for name in format_of_envoy()}
    (request,) = read_by("envoy")(json.dumps(entry).encode())

    assert isinstance(request, Request)
    assert (request.account_id, request.model, request.input_tokens) == ("acct_1", "atlas-4", 812)
    assert request.capabilities == ("coding", "tool_use")
    assert request.attributes == {
        "org": "org_7", "client": "curl/8.4.0", "ip_prefix": "198.51.100.0/24", "payment": "7741", "template": "9f3c"
    }  # fmt: skip


def test_a_listing_of_models_by_that_format_is_no_request():
    nothing = {"gen_ai.request.model", "genai_model_name", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"}
    entry = {name: None if name in nothing else WRITTEN.get(name, "-") for name in format_of_envoy()}

    assert read_by("envoy")(json.dumps(entry).encode()) == []


def dropped() -> list[re.Pattern[str]]:
    """The keys of spans that the collector takes away, as regular expressions."""
    statements = COLLECTOR["processors"]["transform/drop"]["trace_statements"][0]["statements"]
    return [re.compile(found.replace("\\\\", "\\")) for one in statements for found in re.findall(r'"(\^.*\$)"', one)]


def test_every_processor_and_exporter_of_the_collector_is_defined_and_text_is_dropped_behind_the_hash():
    pipeline = COLLECTOR["service"]["pipelines"]["traces"]

    assert set(pipeline["processors"]) <= set(COLLECTOR["processors"])
    assert set(pipeline["exporters"]) <= set(COLLECTOR["exporters"])
    assert pipeline["processors"].index("transform/hash") < pipeline["processors"].index("transform/drop")


def test_what_the_collector_writes_to_kafka_is_keyed_by_trace():
    """tests/service/stages/test_spans_on_two_workers.py says what for."""
    assert COLLECTOR["exporters"]["kafka"]["partition_traces_by_id"] is True


def test_no_attribute_that_holds_text_passes_the_collector():
    """Of what real instrumentations send: each value of the samples that holds text stands under a key that goes."""
    text = "TEXT OF A PROMPT"
    for name in ("openllmetry", "openinference"):
        message = json.loads(sample_of(name)[0])
        (span,) = message["resourceSpans"][0]["scopeSpans"][0]["spans"]
        with_text = [one["key"] for one in span["attributes"] if text in json.dumps(one["value"])]

        assert with_text
        assert [key for key in with_text if not any(pattern.fullmatch(key) for pattern in dropped())] == []


def test_what_is_read_of_a_span_passes_the_collector():
    read = ("gen_ai.request.model", "gen_ai.response.model", "gen_ai.usage.input_tokens", "user.id", "llm.model_name",
            "llm.token_count.prompt", "swerve.attribute.template", "gen_ai.request.reasoning_effort",
            "traceloop.association.properties.user_id", "llm.finish_reason")  # fmt: skip
    assert [key for key in read if any(pattern.fullmatch(key) for pattern in dropped())] == []
