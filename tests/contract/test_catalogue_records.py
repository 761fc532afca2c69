"""Releases, expected shifts, verdicts: what is read, and what is refused where."""

from __future__ import annotations

import json

import pytest

from stream.contract.expected import Expected, ExpectedSubject, ExpectedTarget, decode_expected, expected_in
from stream.contract.reading.refusal import Refusal
from stream.contract.release import Release, decode_release, releases_in
from stream.contract.verdict import Verdict, decode_verdict
from stream.errors import UsageError

AT = 1_772_362_800_000
RELEASE = {"model": "atlas-4", "released_at": AT}
EXPECTED = {
    "id": "migration-org-7",
    "subject": {"kind": "cohort", "dimension": "org", "id": "org_7"},
    "target": {"kind": "model", "id": "atlas-4"},
    "from": AT,
    "until": "2026-03-09T00:00:00Z",
    "reason": "announced migration",
}
VERDICT = {"alert_id": "a1", "verdict": "campaign", "by": "kim", "at": AT}


def refused(decode, record: dict) -> tuple[str, str]:
    with pytest.raises(Refusal) as caught:
        decode(json.dumps(record).encode())
    return caught.value.reason.value, caught.value.detail


def test_a_release_needs_a_model_and_a_time_only():
    assert decode_release(json.dumps(RELEASE).encode()) == Release("atlas-4", AT, None, None)
    assert decode_release(json.dumps(RELEASE | {"family": None}).encode()).family is None
    assert refused(decode_release, {"model": "atlas-4"})[0] == "missing_field"
    assert refused(decode_release, RELEASE | {"supersedes": ""})[0] == "out_of_range"
    assert refused(decode_release, RELEASE | {"released_at": "soon"})[0] == "bad_timestamp"


def test_a_field_that_is_nearly_one_of_ours_is_refused_with_the_name_that_was_meant():
    said = refused(decode_release, RELEASE | {"supercedes": "atlas-3"})
    assert said == ("out_of_range", "$.supercedes: no such field, did you mean supersedes?")
    wider = {name: value for name, value in EXPECTED.items() if name != "target"} | {"taget": EXPECTED["target"]}
    assert refused(decode_expected, wider)[1] == "$.taget: no such field, did you mean target?"
    assert decode_release(json.dumps(RELEASE | {"owner": "ops"}).encode()).model == "atlas-4"


def test_the_releases_of_a_file_are_sorted_and_the_last_of_a_model_counts(tmp_path):
    path = tmp_path / "releases.json"
    path.write_text(json.dumps([RELEASE, {"model": "nova-1", "released_at": AT - 5}, RELEASE | {"family": "atlas"}]))

    assert releases_in(path) == [Release("nova-1", AT - 5), Release("atlas-4", AT, "atlas")]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('[{"model": "atlas-4"}]', "entry 0: $.released_at: expected integer epoch milliseconds or an RFC 3339 string"),
        ('[{"model": "a", "released_at": 1772362800000}, []]', "entry 1: $: expected an object, got an array"),
        ('{"model": "atlas-4"}', "expected a JSON array of releases: Expected `array`, got `object`"),
        ("[", "expected a JSON array of releases: Input data was truncated"),
        ("", "expected a JSON array of releases: Input data was truncated"),
        ("[" * 100_000, "expected a JSON array of releases: "),
    ],
)
def test_a_file_that_is_no_catalogue_is_a_usage_error_in_one_line(tmp_path, content, says):
    path = tmp_path / "releases.json"
    path.write_text(content)

    with pytest.raises(UsageError) as caught:
        releases_in(path)

    assert str(caught.value).startswith(f"{path}: {says}")
    assert "\n" not in str(caught.value)


def test_a_catalogue_that_is_not_there_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match=r"No such file or directory; expected a JSON array of expected shifts"):
        expected_in(tmp_path / "none.json")
    with pytest.raises(UsageError, match="Is a directory"):
        expected_in(tmp_path)


def test_an_expected_shift_is_read_with_its_subject_and_target():
    assert decode_expected(json.dumps(EXPECTED).encode()) == Expected(
        "migration-org-7",
        ExpectedSubject("cohort", "org_7", "org"),
        ExpectedTarget("model", "atlas-4"),
        AT,
        1_773_014_400_000,
        "announced migration",
    )


@pytest.mark.parametrize("subject", [{"kind": "fleet"}, {"kind": "account", "id": "acct_1"}])
def test_a_subject_may_be_the_fleet_or_an_account(subject):
    shift = decode_expected(json.dumps(EXPECTED | {"subject": subject, "target": None}).encode())

    assert (shift.subject.kind, shift.subject.dimension, shift.target) == (subject["kind"], None, None)


def test_an_until_long_ago_withdraws_a_shift_and_is_no_breach():
    assert decode_expected(json.dumps(EXPECTED | {"until": 0}).encode()).until_ms == 0


@pytest.mark.parametrize(
    ("change", "reason", "path"),
    [
        ({"subject": {"kind": "cluster", "id": "c"}}, "out_of_range", "$.subject.kind"),
        ({"subject": {"kind": "cohort", "id": "c"}}, "missing_field", "$.subject.dimension"),
        ({"subject": {"kind": "account", "id": "a", "dimension": "org"}}, "out_of_range", "$.subject.dimension"),
        ({"subject": "fleet"}, "wrong_type", "$.subject"),
        ({"target": {"kind": "model"}}, "missing_field", "$.target.id"),
        ({"target": {"kind": "planet", "id": "x"}}, "out_of_range", "$.target.kind"),
        ({"from": None}, "wrong_type", "$.from"),
        ({"until": "later"}, "bad_timestamp", "$.until"),
        ({"id": ""}, "out_of_range", "$.id"),
        ({"subject": {"kind": "fleet"}, "until": "9999-01-01T00:00:00Z"}, "out_of_range", "$.until"),
        ({"reason": 7}, "wrong_type", "$.reason"),
    ],
)
def test_an_expected_shift_that_breaks_the_contract_is_told_where(change, reason, path):
    got_reason, detail = refused(decode_expected, EXPECTED | change)

    assert (got_reason, detail.split(":")[0]) == (reason, path)


def test_of_an_id_that_comes_twice_the_last_expected_shift_counts(tmp_path):
    path = tmp_path / "expected.json"
    path.write_text(json.dumps([EXPECTED, EXPECTED | {"until": 1}, EXPECTED | {"id": "b"}]))

    assert [(one.id, one.until_ms) for one in expected_in(path)] == [("b", 1_773_014_400_000), ("migration-org-7", 1)]


def test_a_verdict_is_one_of_three_words():
    assert decode_verdict(json.dumps(VERDICT | {"note": "n"}).encode()) == Verdict("a1", "campaign", "kim", AT, "n")
    assert refused(decode_verdict, VERDICT | {"verdict": "guilty"}) == (
        "out_of_range",
        "$.verdict: expected one of campaign, harmless, unsure, got 'guilty'",
    )
    assert refused(decode_verdict, VERDICT | {"note": "x" * 4001})[0] == "out_of_range"
