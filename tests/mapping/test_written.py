"""How a mapping is written, what each step does, and that a mistake is told in one line with file and key."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stream.contract.reading.refusal import Refusal
from stream.contract.request import Request
from stream.errors import UsageError
from stream.mapping.written import laid_over, mapping_of, read_map

DONE = 1_772_366_400_250
FLAT = {"event_id": "id", "timestamp": "at", "account_id": "who", "model": "model"}
RECORD = {"id": "e1", "at": DONE, "who": "acct_1", "model": "atlas-4"}


def read(written: dict[str, Any], record: dict[str, Any]) -> list[Request | Refusal]:
    return mapping_of(FLAT | written, "ours.toml").read(json.dumps(RECORD | record).encode())


def request(written: dict[str, Any], **record: Any) -> Request:
    (one,) = read(written, record)
    assert isinstance(one, Request)
    return one


def attribute(way: object, **record: Any) -> str | None:
    return request({"attributes": {"told": way}}, **record).attributes.get("told")


def mistake(written: dict[str, Any]) -> str:
    with pytest.raises(UsageError) as caught:
        mapping_of(FLAT | written, "ours.toml")
    told = str(caught.value)
    assert "\n" not in told
    return told


@pytest.mark.parametrize(
    ("way", "record", "value"),
    [
        ("a", {"a": "x"}, "x"),
        ("a.b", {"a": {"b": "x"}}, "x"),
        ("a.b", {"a.b": "x"}, "x"),
        ("a.b.c", {"a": {"b.c": "x"}}, "x"),
        ("a.b", {"a": '{"b": "x"}'}, "x"),
        ("a[0].b", {"a": [{"b": "x"}, {"b": "y"}]}, "x"),
        ("a[-1]", {"a": ["x", "y"]}, "y"),
        ("a[7]", {"a": ["x"]}, None),
        (["a", "b"], {"a": "", "b": "x"}, "x"),
        ({"const": "x"}, {}, "x"),
        ({"from": "a", "const": "y"}, {"a": "x"}, "x"),
        ({"from": "a", "ignore": ["none"]}, {"a": "none"}, None),
        ({"from": "a", "after": "team:"}, {"a": ["x:1", "team: 7"]}, "7"),
        ({"from": "a", "split": "/", "take": -1}, {"a": "m/n/o"}, "o"),
        ({"from": "a", "lower": True}, {"a": "DE"}, "de"),
        ({"from": "a", "prefix": True}, {"a": "198.51.100.7"}, "198.51.100.0/24"),
        ({"from": "a", "client": True}, {"a": "curl/8.4.0 (x)"}, "curl/8.4.0"),
        ({"from": ["a", "b"], "join": "-"}, {"a": 1, "b": "x"}, "1-x"),
        ("a", {"a": True}, "true"),
        ("a", {"a": 7}, "7"),
        ("a", {"a": {"b": 1}}, None),
        ("a", {"a": ["x"]}, None),
    ],
)
def test_a_way_leads_to_a_value(way, record, value):
    assert attribute(way, **record) == value


@pytest.mark.parametrize(
    ("way", "at"),
    [
        ({"from": "t", "epoch": "s"}, 1_772_366_400.25),
        ({"from": "t", "epoch": "s"}, "1772366400.25"),
        ({"from": "t", "epoch": "us"}, 1_772_366_400_250_000),
        ({"from": "t", "epoch": "ns"}, "1772366400250999999"),
        ({"from": "t", "zone": "UTC"}, "2026-03-01 12:00:00.25"),
        ({"from": "t", "zone": "Europe/Berlin"}, "2026-03-01T13:00:00.250"),
        ({"from": "t", "zone": "Europe/Berlin"}, "2026-03-01T12:00:00.250Z"),
        ({"from": "t", "plus_ms": "took"}, DONE - 1250),
        ({"from": "t", "plus_ms": ["none", "took"]}, "2026-03-01T11:59:59Z"),
    ],
)
def test_a_time_of_any_unit_and_zone_is_that_of_completion(way, at):
    assert request({"timestamp": way}, t=at, took="1250").at_ms == DONE


def test_a_number_that_is_text_is_one_where_it_is_said():
    assert request({"input_tokens": {"from": "n", "number": True}}, n="812").input_tokens == 812


def test_a_hash_is_keyed_by_the_environment_and_says_nothing_without(monkeypatch):
    way = {"attributes": {"payment": {"from": "card", "hash": "OUR_KEY"}}}
    monkeypatch.delenv("OUR_KEY", raising=False)
    assert "[map.attributes] payment: environment OUR_KEY: expected the key of a hash" in mistake(way)

    hashes = set()
    for key in ("k" * 16, "q" * 16):
        monkeypatch.setenv("OUR_KEY", key)
        hashes |= {request(way, card=card).attributes["payment"] for card in ("4111", "4111", "4112")}
    assert len(hashes) == 4
    assert all(len(one) == 32 for one in hashes)


@pytest.mark.parametrize(
    ("condition", "record", "holds"),
    [
        ({"from": "status", "below": 400}, {"status": "399"}, True),
        ({"from": "status", "below": 400}, {"status": 400}, False),
        ({"from": "status", "below": 400}, {}, True),
        ({"from": "n", "above": 0}, {"n": 0}, False),
        ({"from": "n", "above": 0}, {}, False),
        ({"from": "kind", "is": ["a", "b"]}, {"kind": "b"}, True),
        ({"from": "kind", "is": ["a"]}, {}, False),
        ({"from": "kind", "not": ["a"]}, {}, True),
        ({"from": "kind", "not": ["a"]}, {"kind": "a"}, False),
        ({"from": "kind", "starts": "x."}, {"kind": "x.y"}, True),
        ({"from": ["m", "n"], "has": True}, {"n": {}}, True),
        ({"from": "m", "has": False}, {"m": "x"}, False),
        ("m", {"m": 0}, False),
        ("m", {"m": "false"}, False),
        ("m", {"m": [1]}, True),
        (["m", "n"], {"n": 3}, True),
    ],
)
def test_a_condition_says_which_records_are_requests_and_what_they_exercise(condition, record, holds):
    assert bool(read({"when": {"asked": condition}}, record)) is holds
    assert (request({"evidence": {"tag": condition}}, **record).capabilities == ("tag",)) is holds


def test_tags_tools_and_reasons_make_capabilities():
    written = {"capabilities": {"tags": {"from": "tags", "split": ","}, "tools": "tools", "finish": "why"}}

    assert request(written, tags="vision, x", tools=["bash_1"], why="stop").capabilities == (
        "vision", "x", "tool_use", "coding"
    )  # fmt: skip


def test_the_records_of_a_document_are_read_each_for_itself():
    written = {"records": "records"}
    good, bad = RECORD, RECORD | {"who": None}
    one, refusal = mapping_of(FLAT | written, "x").read(json.dumps({"records": [good, bad]}).encode())

    assert isinstance(one, Request)
    assert isinstance(refusal, Refusal)
    assert refusal.detail == "$.account_id: expected a string, got nothing (from $.records[1])"


def test_what_stands_for_nothing_is_nothing_everywhere():
    assert request({"absent": ["-"], "model": ["better", "model"]}, better="-").model == "atlas-4"


def test_a_number_is_taken_as_a_name():
    assert request({}, who=42).account_id == "42"


def test_a_mapping_laid_over_a_preset_changes_what_it_names_and_takes_away_what_is_false():
    below = {"model": "a", "attributes": {"x": "1", "y": "2"}}

    assert laid_over(below, {"model": "b", "attributes": {"y": False, "z": "3"}}) == {
        "model": "b", "attributes": {"x": "1", "z": "3"}
    }  # fmt: skip


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"modle": "x"}, "ours.toml: [map] no key modle; did you mean model?"),
        ({"model": "a..b"}, "ours.toml: [map] model: expected a path like usage.tokens"),
        ({"model": {"frm": "a"}}, "ours.toml: [map] model: no step frm; did you mean from?"),
        ({"model": {"lower": True}}, "ours.toml: [map] model: expected `from`"),
        ({"model": 7}, "ours.toml: [map] model: expected a text or a list of texts, got 7"),
        ({"timestamp": {"from": "a", "epoch": "h"}}, "[map] timestamp: expected the unit of an epoch, one of s, ms"),
        ({"timestamp": {"from": "a", "zone": "Nowhere"}}, "[map] timestamp: expected a time zone like UTC"),
        ({"attributes": {"x": {"from": "a", "prefix": 1}}}, "[map.attributes] x: expected true or false, got 1"),
        ({"when": {"x": {"from": "a", "bellow": 4}}}, "[map.when] x: no condition bellow; did you mean below?"),
        ({"envelope": "zip"}, "[map] envelope: expected 'otlp', got 'zip'"),
        ({"capabilities": {"tool": "x"}}, "[map.capabilities] no key tool; did you mean tools?"),
        ({"attributes": "x"}, "ours.toml: [map] attributes: expected a table [map.attributes], got 'x'"),
    ],
)
def test_a_mistake_is_told_in_one_line_with_file_and_key(written, told):
    assert told in mistake(written)


def test_a_mapping_without_a_required_field_says_which():
    with pytest.raises(UsageError, match=r"ours.toml: \[map\] account_id: expected the path of it in a record"):
        mapping_of({name: path for name, path in FLAT.items() if name != "account_id"}, "ours.toml")


def test_a_file_that_is_no_mapping_says_what_was_expected(tmp_path):
    for text, told in (("[", "is not TOML"), ("[http]\nport = 1\n", "expected [map] and nothing else, got [http]")):
        (tmp_path / "m.toml").write_text(text)
        with pytest.raises(UsageError) as caught:
            read_map(tmp_path / "m.toml")
        assert told in str(caught.value)
