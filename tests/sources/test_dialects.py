"""What of other platforms' logs becomes what of a request."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stream.contract.reading.refusal import Refusal, Reject
from stream.contract.request import Request
from stream.errors import UsageError
from stream.sources.dialects import envoy, litellm, otlp
from stream.sources.dialects.capabilities import RULES, Shape, capabilities_of
from stream.sources.dialects.mapped import client_of, ip_prefix
from stream.sources.dialects.named import dialect_named

SAMPLES = Path(__file__).parents[1] / "contracts" / "samples"
DONE = 1_772_366_400_250  # 2026-03-01T12:00:00.250Z


def sample(name: str) -> list[dict]:
    return [json.loads(line) for line in (SAMPLES / f"{name}.ndjson").read_text().splitlines()]


def refused(read, record: dict) -> tuple[str, str]:
    with pytest.raises(Refusal) as caught:
        read(json.dumps(record).encode())
    return caught.value.reason.value, caught.value.detail


def read(dialect, record: dict) -> list:
    return dialect.read(json.dumps(record).encode())


class TestLiteLlm:
    def test_a_payload_becomes_a_request(self):
        assert read(litellm, sample("litellm")[0]) == [
            Request(
                "chatcmpl-1/call-1",
                DONE,
                "acct_1",
                "atlas-4",
                (
                    "tool_use",
                    "computer_use",
                    "coding",
                    "web_search",
                    "chain_of_thought",
                    "structured_output",
                ),
                812,
                97,
                {"org": "org_7", "ip_prefix": "198.51.100.0/24"},
            )
        ]

    def test_a_failed_call_is_no_completed_request(self):
        assert read(litellm, sample("litellm")[1]) == []

    def test_without_a_user_the_team_is_billed_then_the_key_then_the_end_user(self):
        payload = sample("litellm")[0]
        accounts = []
        for name in ("user_api_key_user_id", "user_api_key_team_id", "user_api_key_hash"):
            payload["metadata"][name] = None
            payload["end_user"] = "end_1"
            accounts += [request.account_id for request in read(litellm, payload)]

        assert accounts == ["team_1", "h1", "end_1"]

    def test_calls_to_which_a_client_gave_one_id_are_told_apart_by_the_servers(self):
        payload = sample("litellm")[0] | {"litellm_call_id": "mine"}
        requests = [read(litellm, payload | {"id": f"chatcmpl-{n}"})[0] for n in range(3)]

        assert len({one.event_id for one in requests}) == 3

    def test_a_call_id_that_is_too_long_is_hashed_and_its_repeats_are_known(self):
        """LiteLLM takes it from a header of the client."""
        payload = sample("litellm")[0] | {"litellm_call_id": "c" * 200}
        once, again = read(litellm, payload) + read(litellm, payload)
        (other,) = read(litellm, payload | {"litellm_call_id": "c" * 199 + "d"})

        assert once == again
        assert once.event_id != other.event_id
        assert len(once.event_id) <= 128

    def test_a_tool_with_a_schema_of_any_depth_is_still_a_tool(self):
        payload = sample("litellm")[0]
        raw = json.dumps(payload).encode()
        deep = b'{"type": "function", "parameters": ' + b'{"properties": {"x":' * 35 + b"NaN" + b"}" * 71
        worse = raw.replace(b'"tools": [', b'"tools": [' + deep + b", ", 1)

        assert worse != raw
        assert litellm.read(worse) == litellm.read(raw)

    def test_a_refusal_says_what_is_missing_in_our_words(self):
        payload = sample("litellm")[0] | {"model": None}

        assert refused(litellm.read, payload) == (
            "missing_field",
            "$.model: expected a string, got nothing (from a LiteLLM payload)",
        )


class TestEnvoy:
    def test_an_entry_becomes_a_request(self):
        assert read(envoy, sample("envoy")[0]) == [
            Request(
                "req-1",
                DONE,
                "acct_1",
                "atlas-4",
                ("coding", "tool_use"),
                812,
                97,
                {"client": "curl/8.4.0", "ip_prefix": "198.51.100.0/24"},
            )
        ]

    def test_the_names_of_earlier_releases_are_read_too(self):
        assert read(envoy, sample("envoy")[1]) == [
            Request("req-2", DONE, "acct_2", "atlas-3", (), 1, 2, {"ip_prefix": "2001:db8:1::/48"})
        ]

    def test_what_failed_or_was_for_no_model_is_no_request(self):
        assert read(envoy, sample("envoy")[2]) == []
        assert read(envoy, sample("envoy")[3]) == []

    def test_an_entry_for_an_unknown_model_is_refused_and_not_left_out(self):
        entry = sample("envoy")[0] | {"gen_ai.request.model": "-", "gen_ai.response.model": "-"}

        assert refused(envoy.read, entry)[0] == "missing_field"

    def test_an_entry_without_an_account_is_refused(self):
        """A session is not who is billed."""
        entry = sample("envoy")[0] | {"user.id": "-"}

        assert refused(envoy.read, entry)[1].startswith("$.account_id: expected a string, got nothing")

    def test_an_entry_with_a_start_that_is_no_time_is_refused(self):
        assert refused(envoy.read, sample("envoy")[0] | {"start_time": "noon"})[0] == "bad_timestamp"
        assert refused(envoy.read, sample("envoy")[0] | {"start_time": "-"})[0] == "missing_field"


class TestOtlp:
    def test_a_batch_of_log_records_gives_its_requests_and_refuses_the_rest_one_by_one(self):
        request, refusal = read(otlp, sample("otlp")[0])

        assert request == Request(
            "resp_1",
            DONE,
            "acct_1",
            "atlas-4",
            ("tool_use", "chain_of_thought"),
            812,
            97,
            {"client": "openai-python/1.52.0", "ip_prefix": "198.51.100.0/24", "country": "DE", "org": "org_7"},
        )
        assert refusal.reason is Reject.MISSING_FIELD
        assert refusal.detail == (
            "$.event_id: expected a string, got nothing (from $.resourceLogs[0].scopeLogs[0].logRecords[4])"
        )

    def test_a_span_of_the_conventions_before_1_37_is_read_too(self):
        assert read(otlp, sample("otlp")[1]) == [
            Request(
                "5b8efff798038103d269b633813fc60c-eee19b7ec3c1b174",
                DONE,
                "acct_2",
                "atlas-4",
                ("coding", "policy_sensitive"),
                5,
                6,
                {},
            )
        ]

    @pytest.mark.parametrize(
        ("message", "reason", "path"),
        [
            ({}, "missing_field", "$"),
            ({"resourceLogs": 7}, "wrong_type", "$.resourceLogs"),
            ({"resourceLogs": [7]}, "wrong_type", "$.resourceLogs[0]"),
            ({"resourceLogs": [{"scopeLogs": {}}]}, "wrong_type", "$.resourceLogs[0].scopeLogs"),
            (
                {"resourceSpans": [{"resource": {"attributes": 7}}]},
                "wrong_type",
                "$.resourceSpans[0].resource.attributes",
            ),
        ],
    )
    def test_a_message_of_another_shape_is_refused_as_a_whole(self, message, reason, path):
        got_reason, detail = refused(otlp.read, message)

        assert (got_reason, detail.split(":")[0]) == (reason, path)

    @pytest.mark.parametrize("digits", ["--5", "\u00b2", "\u0665", "-", "+5", "5_0", " 5"])
    def test_text_that_is_no_integer_is_no_count(self, digits):
        """Of a count that nobody can read the request is refused, and the reader goes on."""
        message = sample("otlp")[0]
        known = message["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]["attributes"]
        known.append({"key": "gen_ai.usage.input_tokens", "value": {"intValue": digits}})

        assert read(otlp, message)[0].reason is Reject.WRONG_TYPE

    def test_of_too_many_attributes_the_first_are_taken(self):
        message = sample("otlp")[0]
        known = message["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]["attributes"]
        known += [{"key": f"swerve.attribute.a{n}", "value": {"stringValue": "v"}} for n in range(40)]

        assert len(read(otlp, message)[0].attributes) == 32

    def test_an_empty_batch_has_no_requests(self):
        assert read(otlp, {"resourceLogs": []}) == []


@pytest.mark.parametrize(
    ("shape", "tag"),
    [
        (Shape(tools=("function",)), "tool_use"),
        (Shape(finish=("stop", "tool_calls")), "tool_use"),
        (Shape(tools=("computer_20250124",)), "computer_use"),
        (Shape(tools=("bash_20250124",)), "coding"),
        (Shape(tools=("web_fetch_20250910",)), "web_search"),
        (Shape(tools=("file_search",)), "retrieval"),
        (Shape(images=True), "vision"),
        (Shape(audio=True), "audio"),
        (Shape(reasoning=True), "chain_of_thought"),
        (Shape(schema=True), "structured_output"),
        (Shape(tools=("function",), conversation=True), "agentic_reasoning"),
    ],
)
def test_a_shape_shows_a_capability_and_an_empty_one_none(shape, tag):
    assert tag in capabilities_of(shape)
    assert capabilities_of(Shape()) == []
    assert tag in RULES


def test_a_conversation_without_tools_is_no_agent():
    assert capabilities_of(Shape(conversation=True)) == []


@pytest.mark.parametrize(
    "address", [None, 7, "", "-", "unix:@", "999.1.1.1", "host:80", "::ffff:", "[", "fe80::1%eth0%"]
)
def test_what_is_no_address_has_no_prefix(address):
    assert ip_prefix(address) in (None, "fe80::/48")


def test_what_is_no_user_agent_names_no_client():
    assert (client_of(None), client_of(""), client_of(" x")) == (None, None, None)


def test_a_dialect_that_is_not_there_is_a_usage_error():
    with pytest.raises(UsageError, match="no dialect 'csv'; expected one of swerve, otlp, litellm, envoy"):
        dialect_named("csv")
