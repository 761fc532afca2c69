"""What of other platforms' logs becomes what of a request."""

from __future__ import annotations

import json

import pytest

from stream.contract.reading.refusal import Refusal, Reject
from stream.contract.request import Request
from stream.errors import UsageError
from stream.mapping.named import dialect_of, read_by
from stream.mapping.presets import sample_of
from stream.sources.dialects.capabilities import RULES, Shape, capabilities_of
from stream.sources.dialects.mapped import client_of, ip_prefix

DONE = 1_772_366_400_250  # 2026-03-01T12:00:00.250Z


def sample(name: str) -> list[dict]:
    return [json.loads(line) for line in sample_of(name)]


def read(dialect: str, record: dict) -> list:
    return list(read_by(dialect)(json.dumps(record).encode()))


def refused(dialect: str, record: dict) -> tuple[str, str]:
    with pytest.raises(Refusal) as caught:
        read(dialect, record)
    return caught.value.reason.value, caught.value.detail


class TestLiteLlm:
    def test_a_payload_becomes_a_request(self):
        assert read("litellm", sample("litellm")[0]) == [
            Request(
                "chatcmpl-1/call-1",
                DONE,
                "acct_1",
                "atlas-4",
                ("tool_use", "chain_of_thought", "structured_output"),
                812,
                97,
                {
                    "org": "org_7",
                    "client": "openai-python/1.52.0",
                    "ip_prefix": "198.51.100.0/24",
                    "served_by": "openai/atlas-4-2026-02-11",
                    "payment": "7741",
                },
            )
        ]

    def test_the_model_is_the_public_name_and_without_one_the_providers(self):
        payload = sample("litellm")[0]

        assert [one.model for one in read("litellm", payload)] == ["atlas-4"]
        assert [one.model for one in read("litellm", payload | {"model_group": None})] == ["openai/atlas-4-2026-02-11"]

    def test_two_deployments_of_one_model_are_one_model(self):
        payload = sample("litellm")[0]
        both = [payload | {"model": f"{provider}/atlas-4"} for provider in ("openai", "azure")]

        assert {one.model for raw in both for one in read("litellm", raw)} == {"atlas-4"}
        assert len({one.attributes["served_by"] for raw in both for one in read("litellm", raw)}) == 2

    def test_messages_and_responses_show_what_was_offered(self):
        messages, responses = sample("litellm")[1:3]

        assert [messages["call_type"], responses["call_type"]] == ["anthropic_messages", "aresponses"]
        assert read("litellm", messages)[0].capabilities == ("tool_use", "coding", "chain_of_thought")
        assert read("litellm", responses)[0].capabilities == ("tool_use", "web_search", "chain_of_thought")

    def test_a_failed_call_is_no_completed_request(self):
        assert [read("litellm", one) for one in sample("litellm")[3:]] == [[]]

    def test_without_a_user_the_team_is_billed_then_the_key_then_the_end_user(self):
        payload = sample("litellm")[0]
        payload["metadata"]["user_api_key_end_user_id"] = None
        accounts = []
        for name in ("user_api_key_user_id", "user_api_key_team_id", "user_api_key_hash"):
            payload["metadata"][name] = None
            accounts += [request.account_id for request in read("litellm", payload)]

        assert accounts == ["team_1", "h1", "end_1"]

    @pytest.mark.parametrize(("dialect", "place"), [("litellm", "user_api_key_user_id"), ("litellm_spend", "user")])
    def test_the_user_of_the_master_key_is_nobody(self, dialect, place):
        record = sample(dialect)[0]
        (record["metadata"] if dialect == "litellm" else record)[place] = "default_user_id"

        assert read(dialect, record)[0].account_id == "team_1"

    def test_who_is_billed_can_be_said_otherwise(self):
        ours = dialect_of("litellm", {"account_id": ["end_user", "metadata.user_api_key_user_id"]})
        assert ours is not None
        accounts = [one.account_id for raw in sample_of("litellm")[:2] for one in ours(raw)]

        assert accounts == ["end_1", "acct_1"]

    def test_tags_and_metadata_of_request_and_key_can_be_mapped(self):
        written = {
            "attributes": {
                "tier": {"from": "request_tags", "after": "tier:"},
                "plan": "metadata.user_api_key_auth_metadata.spend_logs_metadata.plan",
                "plan_of_spend": "metadata.spend_logs_metadata.plan",
                "team": {"from": "metadata.requester_metadata.tags", "after": "team:"},
            }
        }
        ours = dialect_of("litellm", written)
        assert ours is not None
        (request,) = ours(sample_of("litellm")[0])

        assert {name: request.attributes[name] for name in written["attributes"]} == {
            "tier": "gold", "plan": "x", "plan_of_spend": "x", "team": "x"
        }  # fmt: skip

    def test_calls_to_which_a_client_gave_one_id_are_told_apart_by_the_servers(self):
        payload = sample("litellm")[0] | {"litellm_call_id": "mine"}
        requests = [read("litellm", payload | {"id": f"chatcmpl-{n}"})[0] for n in range(3)]

        assert len({one.event_id for one in requests}) == 3

    def test_a_call_id_that_is_too_long_is_hashed_and_its_repeats_are_known(self):
        """LiteLLM takes it from a header of the client."""
        payload = sample("litellm")[0] | {"litellm_call_id": "c" * 200}
        once, again = read("litellm", payload) + read("litellm", payload)
        (other,) = read("litellm", payload | {"litellm_call_id": "c" * 199 + "d"})

        assert once == again
        assert once.event_id != other.event_id
        assert len(once.event_id) <= 128

    def test_a_tool_with_a_schema_of_any_depth_is_still_a_tool(self):
        raw = sample_of("litellm")[0]
        deep = b'{"type": "function", "parameters": ' + b'{"properties": {"x":' * 35 + b"NaN" + b"}" * 71
        worse = raw.replace(b'"tools": [', b'"tools": [' + deep + b", ", 1)

        assert worse != raw
        assert read_by("litellm")(worse) == read_by("litellm")(raw)

    def test_a_refusal_says_what_is_missing_in_our_words(self):
        payload = sample("litellm")[0] | {"model": None, "model_group": None}

        assert refused("litellm", payload) == (
            "missing_field",
            "$.model: expected a string, got nothing (from a LiteLLM payload)",
        )

    def test_a_row_of_spend_logs_is_the_same_request_without_what_it_does_not_hold(self):
        (of_payload,), (of_row,) = (read(name, sample(name)[0]) for name in ("litellm", "litellm_spend"))

        assert of_row.event_id == of_payload.event_id
        assert (of_row.at_ms, of_row.account_id, of_row.model) == (DONE, "acct_1", "atlas-4")
        assert of_row.attributes == {k: v for k, v in of_payload.attributes.items() if k != "payment"}
        assert of_row.capabilities == ("chain_of_thought",)

    def test_a_row_whose_time_has_no_zone_is_of_utc(self):
        row = sample("litellm_spend")[0] | {"endTime": "2026-03-01 12:00:00.25", "prompt_tokens": "812"}

        assert [(one.at_ms, one.input_tokens) for one in read("litellm_spend", row)] == [(DONE, 812)]


class TestEnvoy:
    def test_an_entry_becomes_a_request(self):
        assert read("envoy", sample("envoy")[0]) == [
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
        assert read("envoy", sample("envoy")[1]) == [
            Request("req-2", DONE, "acct_2", "atlas-3", (), 1, 2, {"ip_prefix": "2001:db8:1::/48"})
        ]

    def test_what_failed_or_was_for_no_model_is_no_request(self):
        assert [read("envoy", one) for one in sample("envoy")[2:4]] == [[], []]

    def test_a_list_of_models_and_a_call_of_a_tool_server_are_no_requests(self):
        listing, tool_call = sample("envoy")[4:]

        assert (listing["path"], tool_call["path"]) == ("/v1/models", "/mcp")
        assert [read("envoy", listing), read("envoy", tool_call)] == [[], []]

    def test_an_entry_for_an_unknown_model_is_refused_and_not_left_out(self):
        entry = sample("envoy")[0] | {"gen_ai.request.model": "-", "gen_ai.response.model": "-"}

        assert refused("envoy", entry)[0] == "missing_field"

    def test_an_entry_without_an_account_is_refused(self):
        """A session is not who is billed."""
        entry = sample("envoy")[0] | {"user.id": "-"}

        assert refused("envoy", entry)[1].startswith("$.account_id: expected a string, got nothing")

    def test_an_entry_with_a_start_that_is_no_time_is_refused(self):
        assert refused("envoy", sample("envoy")[0] | {"start_time": "noon"})[0] == "bad_timestamp"
        assert refused("envoy", sample("envoy")[0] | {"start_time": "-"})[0] == "missing_field"


def attribute(name: str, value: object) -> dict:
    kind = {str: "stringValue", int: "intValue", bool: "boolValue"}[type(value)]
    return {"key": name, "value": {kind: value}}


def span(span_id: str, parent: str = "", model: str | None = "atlas-4", **more: object) -> dict:
    """A span of one trace; more: its attributes, dots written as two underscores."""
    known = {name.replace("__", "."): value for name, value in more.items()}
    known |= {} if model is None else {"gen_ai.request.model": model}
    return {
        "traceId": "5b8efff798038103d269b633813fc60c", "spanId": span_id, "parentSpanId": parent,
        "endTimeUnixNano": "1772366400250000000",
        "attributes": [attribute(name, value) for name, value in known.items()],
    }  # fmt: skip


def spans(*each: dict) -> dict:
    return {"resourceSpans": [{"scopeSpans": [{"spans": list(each)}]}]}


class TestOtlp:
    def test_a_batch_of_log_records_gives_its_requests_and_refuses_the_rest_one_by_one(self):
        request, refusal = read("otlp", sample("otlp")[0])

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
        assert read("otlp", sample("otlp")[1]) == [
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

    @pytest.mark.parametrize("name", ["gen_ai__user", "user__id", "enduser__id"])
    def test_the_account_is_the_user_of_the_span_or_of_a_span_around_it(self, name):
        (own,) = read("otlp", spans(span("s1", **{name: "acct_1"})))
        (around,) = read(
            "otlp", spans(span("s2", "s1"), span("s1", "s0", model=None), span("s0", model=None, **{name: "acct_1"}))
        )

        assert (own.account_id, around.account_id) == ("acct_1", "acct_1")

    def test_a_clients_and_a_servers_span_of_one_request_are_one_request(self):
        client, server = span("s1", user__id="acct_1"), span("s3", "s2", user__id="acct_1")
        between = span("s2", "s1", model=None)

        assert [one.event_id[-3:] for one in read("otlp", spans(server, between, client))] == ["-s1"]

    def test_two_requests_of_one_trace_are_two(self):
        agent = span("s0", model="atlas-4", user__id="acct_1", gen_ai__operation__name="invoke_agent")
        asked = [span(f"s{n}", "s0", user__id="acct_1", gen_ai__operation__name="chat") for n in (1, 2)]

        assert len(read("otlp", spans(agent, *asked))) == 2

    def test_a_trace_that_leads_in_circles_is_read(self):
        assert read("otlp", spans(span("s1", "s2", user__id="a"), span("s2", "s1", user__id="a"))) == []

    @pytest.mark.parametrize(
        ("attributes", "tags"),
        [
            ({"gen_ai__usage__reasoning_tokens": 12}, ("chain_of_thought",)),
            ({"gen_ai__usage__reasoning_tokens": 0}, ()),
            ({"gen_ai__usage__reasoning__output_tokens": 12}, ("chain_of_thought",)),
            ({"gen_ai__request__reasoning_effort": "high"}, ("chain_of_thought",)),
            ({"gen_ai__request__reasoning__level": "high"}, ("chain_of_thought",)),
            ({"gen_ai__tool__definitions": '[{"type": "function", "name": "f"}]'}, ("tool_use",)),
            ({"gen_ai__tool__definitions": '[{"type": "computer_20250124"}]'}, ("tool_use", "computer_use")),
            ({"gen_ai__usage__image__input_tokens": 5}, ("vision",)),
            ({"gen_ai__usage__audio__input_tokens": 5}, ("audio",)),
            ({"gen_ai__output__type": "json"}, ("structured_output",)),
        ],
    )
    def test_a_capability_is_what_the_attributes_show(self, attributes, tags):
        (request,) = read("otlp", spans(span("s1", user__id="acct_1", **attributes)))

        assert request.capabilities == tags

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
        got_reason, detail = refused("otlp", message)

        assert (got_reason, detail.split(":")[0]) == (reason, path)

    @pytest.mark.parametrize("digits", ["--5", "\u00b2", "\u0665", "-", "+5", "5_0", " 5"])
    def test_text_that_is_no_integer_is_no_count(self, digits):
        """Of a count that nobody can read the request is refused, and the reader goes on."""
        message = sample("otlp")[0]
        known = message["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]["attributes"]
        known.append({"key": "gen_ai.usage.input_tokens", "value": {"intValue": digits}})

        assert read("otlp", message)[0].reason is Reject.WRONG_TYPE

    def test_of_too_many_attributes_the_first_are_taken(self):
        message = sample("otlp")[0]
        known = message["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]["attributes"]
        known += [{"key": f"swerve.attribute.a{n}", "value": {"stringValue": "v"}} for n in range(40)]

        assert len(read("otlp", message)[0].attributes) == 32

    def test_an_empty_batch_has_no_requests(self):
        assert read("otlp", {"resourceLogs": []}) == []


class TestOtherInstrumentations:
    def test_a_span_of_openinference_is_a_request_where_it_asks_a_model(self):
        message = sample("openinference")[0]
        (request,) = read("openinference", message)
        raw = json.dumps(message).replace('"stringValue": "LLM"', '"stringValue": "CHAIN"')

        assert (request.account_id, request.model) == ("acct_1", "atlas-4-2026-02-11")
        assert (request.capabilities, request.input_tokens) == (("tool_use", "chain_of_thought"), 812)
        assert request.attributes == {"org": "org_7"}
        assert read("openinference", json.loads(raw)) == []

    def test_a_span_of_openllmetry_is_billed_by_its_association(self):
        (request,) = read("openllmetry", sample("openllmetry")[0])
        of_user = spans(span("s1", traceloop__association__properties__user_id="acct_9", gen_ai__user="nobody"))

        assert (request.account_id, request.capabilities) == ("acct_1", ("tool_use", "chain_of_thought"))
        assert [one.account_id for one in read("openllmetry", of_user)] == ["acct_9"]

    def test_a_workflow_of_openllmetry_is_no_request(self):
        assert read("openllmetry", spans(span("s1", traceloop__span__kind="workflow"))) == []


@pytest.mark.parametrize(
    ("shape", "tag"),
    [
        (Shape(tools=("function",)), "tool_use"),
        (Shape(finish=("stop", "tool_calls")), "tool_use"),
        (Shape(tools=("computer_20250124",)), "computer_use"),
        (Shape(tools=("bash_20250124",)), "coding"),
        (Shape(tools=("web_fetch_20250910",)), "web_search"),
        (Shape(tools=("file_search",)), "retrieval"),
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
    "address", [None, 7, "", "-", "unix:@", "999.1.1.1", "host:80", "::ffff:", "[", "fe80::1%eth0%", "***"]
)
def test_what_is_no_address_has_no_prefix(address):
    assert ip_prefix(address) in (None, "fe80::/48")


def test_what_is_no_user_agent_names_no_client():
    assert (client_of(None), client_of(""), client_of(" x")) == (None, None, None)


def test_a_dialect_that_is_not_there_is_a_usage_error():
    with pytest.raises(UsageError, match="no dialect 'csv'; expected one of swerve, azure_openai, bedrock"):
        dialect_of("csv", {})
