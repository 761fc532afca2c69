"""Which times are times: RFC 3339 with its oddities, and what cannot be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.contract.reading.instant import EARLIEST_MS, LATEST_MS, instant_ms
from stream.contract.reading.refusal import Refusal

NOON = 1_772_366_400_000  # 2026-03-01T12:00:00Z


def reason(value: int | str) -> str:
    with pytest.raises(Refusal) as caught:
        instant_ms(value, "$.timestamp")
    return caught.value.reason.value


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        ("2026-03-01T12:00:00Z", NOON),
        ("2026-03-01t12:00:00z", NOON),
        ("2026-03-01 12:00:00Z", NOON),
        ("2026-03-01T12:00:00+00:00", NOON),
        ("2026-03-01T12:00:00-00:00", NOON),
        ("2026-03-01T14:30:00+02:30", NOON),
        ("2026-02-28T23:00:00-13:00", NOON),
        ("2026-03-01T12:00:00.5Z", NOON + 500),
        ("2026-03-01T12:00:00.123456789Z", NOON + 123),
        ("2026-03-01T12:00:00.0009Z", NOON),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000),
        ("2015-01-01T00:00:00Z", EARLIEST_MS),
        ("9999-12-31T23:59:59.999Z", LATEST_MS),
    ],
)
def test_rfc_3339_is_read_with_offsets_fractions_and_lower_case(text, at_ms):
    assert instant_ms(text, "$") == at_ms


@pytest.mark.parametrize(
    "text",
    [
        "2016-12-31T23:59:60Z",
        "2017-01-01T00:59:60+01:00",
        "2016-12-31T15:59:60-08:00",
    ],
)
def test_a_leap_second_is_the_second_that_follows_it(text):
    assert instant_ms(text, "$") == instant_ms("2017-01-01T00:00:00Z", "$")


@pytest.mark.parametrize("text", ["2016-12-31T12:00:60Z", "2016-12-31T23:59:60+01:00", "2016-12-31T23:59:61Z"])
def test_a_second_60_anywhere_but_at_the_end_of_a_utc_day_is_no_time(text):
    assert reason(text) == "bad_timestamp"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "1772366400000",
        "2026-03-01",
        "2026-03-01T12:00:00",
        "2026-03-01T12:00Z",
        "2026-03-01T24:00:00Z",
        "2026-03-01T23:60:00Z",
        "2026-02-29T12:00:00Z",
        "2026-13-01T12:00:00Z",
        "2026-00-10T12:00:00Z",
        "2026-03-01T12:00:00+24:00",
        "2026-03-01T12:00:00+02:60",
        "2026-03-01T12:00:00+0200",
        "2026-03-01T12:00:00.Z",
        "2026-03-01T12:00:00,5Z",
        "2026-3-1T12:00:00Z",
        "26-03-01T12:00:00Z",
        "20260301T120000Z",
        "2026-W09-7T12:00:00Z",
        " 2026-03-01T12:00:00Z",
        "2026-03-01T12:00:00Z\n",
        "２０２６-03-01T12:00:00Z",
        "+2026-03-01T12:00:00Z",
    ],
)
def test_any_other_text_is_a_bad_timestamp(text):
    """No offset, 24:00, days that no calendar has, basic format, digits of other scripts."""
    assert reason(text) == "bad_timestamp"


@pytest.mark.parametrize(
    "value",
    [
        0,
        -1,
        EARLIEST_MS - 1,
        LATEST_MS + 1,
        10**19,
        12345678901234567890,
        10**4000,
        -(10**4000),
        "2014-12-31T23:59:59.999Z",
        "1970-01-01T00:00:00Z",
        "0000-02-29T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-00:01",
    ],
)
def test_times_before_2015_or_after_9999_are_impossible(value):
    assert reason(value) == "impossible_time"


@pytest.mark.parametrize(
    ("value", "unit"), [(1_772_366_400, "seconds"), (NOON * 1000, "microseconds"), (NOON * 10**6, "nanoseconds")]
)
def test_a_time_in_another_unit_is_told_by_its_unit(value, unit):
    with pytest.raises(Refusal) as caught:
        instant_ms(value, "$.timestamp")

    assert caught.value.detail == (
        f"$.timestamp: expected a time from 2015 to 9999, in epoch milliseconds, got {value}, which looks like {unit}"
    )


@given(
    st.datetimes(datetime(2015, 1, 3), datetime(9999, 12, 29)),
    st.integers(-23 * 60 - 59, 23 * 60 + 59),
)
def test_any_time_is_read_as_python_reads_it(moment, offset_min):
    at = moment.replace(tzinfo=timezone(timedelta(minutes=offset_min)))

    expected_ms = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)

    assert instant_ms(at.isoformat(), "$") == expected_ms
