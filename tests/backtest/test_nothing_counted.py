"""A log of which nothing at all could be counted is a failure, told in one line with a guess at what it is."""

from __future__ import annotations

import json

import pytest

from stream.errors import SwerveError
from stream.mapping import presets
from stream.pipeline.embedded import Seen
from stream.samples.guess import looks_like
from stream.samples.nothing import refuse_nothing


def failed(typed, *words: object) -> str:
    code, _, err = typed("backtest", *words)
    assert code == 1
    (line,) = err.splitlines()
    return line


@pytest.mark.parametrize("name", presets.NAMES)
def test_every_preset_is_recognised_by_its_records(name):
    assert looks_like(presets.sample_of(name)) == f"looks like {name}: --dialect {name}"


def test_a_forgotten_dialect_is_a_failure_with_the_commonest_reason_and_a_guess(typed):
    told = failed(typed, presets.FOLDER / "litellm.ndjson")

    assert told == (
        "swerve: 4 records read, not one could be counted; "
        "4 missing_field: $.event_id: expected a string, got nothing; looks like litellm: --dialect litellm"
    )


def test_an_array_in_a_line_is_recognised_by_what_is_in_it(typed, tmp_path):
    calls = [one.decode() for one in presets.sample_of("litellm")]
    (tmp_path / "log").write_text(f"[{','.join(calls)}]")

    told = failed(typed, tmp_path / "log")
    assert told.endswith("$.event_id: expected a string, got nothing; looks like litellm: --dialect litellm")


def test_a_wrong_dialect_is_a_failure_though_no_record_is_refused(typed):
    told = failed(typed, presets.FOLDER / "openinference.ndjson", "--dialect", "otlp")

    assert "none of them is a completed request in this dialect; looks like openinference" in told


@pytest.mark.parametrize(("indent", "tool"), [({"id": 1}, "jq -c . does"), ([{"id": 1}], "jq -c '.[]' does")])
def test_a_document_over_several_lines_is_recognised(typed, tmp_path, indent, tool):
    (tmp_path / "log").write_text(json.dumps(indent, indent=2))

    told = failed(typed, tmp_path / "log")
    assert "looks like one JSON document over several lines" in told
    assert told.endswith(tool)


def test_a_record_that_lacks_one_field_of_a_dialect_is_recognised(typed, tmp_path):
    record = json.loads(presets.sample_of("envoy")[1]) | {"account_id": "-"}
    (tmp_path / "log").write_text(json.dumps(record))

    told = failed(typed, tmp_path / "log", "--dialect", "envoy")
    assert "missing_field: $.account_id" in told
    assert told.endswith(
        "looks like envoy, but for a field that it lacks: swerve map check FILE --dialect envoy says which"
    )


def test_what_looks_like_nothing_is_sent_to_the_mapping(typed, tmp_path):
    (tmp_path / "log").write_text('{"a": 1}\n')

    assert "swerve map suggest FILE proposes a mapping for it" in failed(typed, tmp_path / "log")


def test_what_is_no_request_is_counted_as_such(typed):
    code, out, err = typed("backtest", presets.FOLDER / "envoy.ndjson", "--dialect", "envoy")

    assert (code, err) == (0, "")
    assert out.startswith("6 records read, 4 of them no requests, 0 not counted; ")


@pytest.mark.parametrize("command", ["backtest", "backfill", "watch", "why", "shadow", "ingest", "run"])
def test_every_command_that_reads_records_takes_a_dialect_and_a_mapping(typed, command):
    told = typed(command, "--help")[1]

    assert "--dialect" in told
    assert "--map" in told


def test_why_reads_a_log_of_another_platform(typed):
    code, out, _ = typed("why", "acct_1", presets.FOLDER / "envoy.ndjson", "--dialect", "envoy")

    assert code == 0
    assert "acct_1" in out


def test_records_that_wait_for_their_judgement_are_no_failure():
    """As where a watch of a young log is stopped."""
    refuse_nothing(Seen(records=300), None)
    refuse_nothing(Seen(records=300, no_requests=299), None)
    with pytest.raises(SwerveError, match="none of them is a completed request"):
        refuse_nothing(Seen(records=300, no_requests=300, first=[b"{}"]), None)
