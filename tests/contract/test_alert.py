"""The alert record as bytes."""

from __future__ import annotations

import json

import msgspec
import pytest

from stream.contract.alert import AlertSubject, MalformedAlertError, alert_id_of, decode, encode
from stream.sinks.webhook import EXAMPLE


def test_keys_are_sorted_at_every_depth():
    alert = msgspec.structs.replace(EXAMPLE, evidence={"b": {"z": 1, "a": 2}, "a": 0})
    text = encode(alert).decode()
    assert json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False) == text


def test_dimension_is_written_for_cohorts_only():
    assert "dimension" not in json.loads(encode(EXAMPLE))["subject"]
    cohort = msgspec.structs.replace(EXAMPLE, subject=AlertSubject("cohort", "org_7", "org"))
    assert json.loads(encode(cohort))["subject"] == {"kind": "cohort", "id": "org_7", "dimension": "org"}


def test_it_is_read_back_as_it_was():
    assert decode(encode(EXAMPLE)) == EXAMPLE


def test_a_field_of_a_later_build_is_ignored():
    assert decode(encode(EXAMPLE)[:-1] + b',"colour":"red"}') == EXAMPLE


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (b'"schema_version":2', "schema_version 2; this build reads up to 1"),
        (b'"schema_version":"1"', r"Expected `int`, got `str` - at `\$.schema_version`"),
    ],
)
def test_another_version_is_refused_with_what_to_do(change, told):
    with pytest.raises(MalformedAlertError, match=told):
        decode(encode(EXAMPLE).replace(b'"schema_version":1', change))


def test_bytes_that_are_no_record_are_refused():
    for raw in (b"", b"[]", b"{}", b'{"alert_id":"\xff"}'):
        with pytest.raises(MalformedAlertError, match="not an alert record"):
            decode(raw)


def test_no_two_subjects_share_an_id_by_their_separators():
    one = alert_id_of("k", AlertSubject("cohort", "b", "a:1"), 0)
    other = alert_id_of("k", AlertSubject("cohort", "1:b", "a"), 0)
    assert one != other
