"""When was it? RFC 3339 text and epoch milliseconds, read strictly into epoch milliseconds."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

from stream.contract.reading.refusal import Refusal, Reject

EARLIEST_MS = 1_420_070_400_000  # 2015-01-01T00:00:00Z: no platform of today has older requests
LATEST_MS = 253_402_300_799_999  # the last millisecond of the year 9999

_MINUTE_MS = 60_000
_DAY_MS = 86_400_000
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_EXPECTED = "expected RFC 3339 with an offset, such as 2026-03-01T12:00:00Z"
# The separator may be a space, and t and z lower case (RFC 3339, section 5.6).
_RFC3339 = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))"
)


def instant_ms(value: int | str, where: str, earliest_ms: int = EARLIEST_MS) -> int:
    """Epoch milliseconds of an instant of the contract; fractions of a millisecond are cut off.

    Raises Refusal: `bad_timestamp` for text that is not RFC 3339 with an offset, `impossible_time` before `earliest_ms`
    or after the year 9999. A leap second counts as the second that follows it, as POSIX has it. About 2 us for text.

    >>> instant_ms("2026-03-01T12:00:00.250+01:00", "$.timestamp")
    1772362800250
    >>> instant_ms(1772362800250, "$.timestamp")
    1772362800250
    """
    at_ms = value if isinstance(value, int) else _text_ms(value, where)
    if earliest_ms <= at_ms <= LATEST_MS:
        return at_ms
    got = repr(value[:40]) if isinstance(value, str) else _strange_integer(value)
    earliest = "2015" if earliest_ms == EARLIEST_MS else "1970"
    raise Refusal(
        Reject.IMPOSSIBLE_TIME, f"{where}: expected a time from {earliest} to 9999, in epoch milliseconds, got {got}"
    )


def _strange_integer(at: int) -> str:
    if at.bit_length() > 64:  # Python refuses to print some of these
        return f"an integer of {at.bit_length()} bits"
    for unit, at_ms in (("seconds", at * 1000), ("microseconds", at // 1000), ("nanoseconds", at // 1_000_000)):
        if EARLIEST_MS <= at_ms <= 2 * EARLIEST_MS:
            return f"{at}, which looks like {unit}"
    return str(at)


def _text_ms(text: str, where: str) -> int:
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise Refusal(Reject.BAD_TIMESTAMP, f"{where}: {_EXPECTED}, got {text[:40]!r}")
    day, hour, minute, second, fraction, sign, offset_hour, offset_minute = match.groups()
    days = _days(day)
    if days is None or hour > "23" or minute > "59" or second > "60":
        raise Refusal(Reject.BAD_TIMESTAMP, f"{where}: {_EXPECTED}, got {text[:40]!r}, which no clock shows")
    at_ms = days * _DAY_MS + (int(hour) * 60 + int(minute)) * _MINUTE_MS + int(second) * 1000
    if fraction:
        at_ms += int(fraction[:3].ljust(3, "0"))
    if sign:
        if offset_hour > "23" or offset_minute > "59":
            raise Refusal(Reject.BAD_TIMESTAMP, f"{where}: {_EXPECTED}, got {text[:40]!r}, whose offset is no offset")
        ahead_ms = (int(offset_hour) * 60 + int(offset_minute)) * _MINUTE_MS
        at_ms += ahead_ms if sign == "-" else -ahead_ms
    # Leap seconds end a UTC day; what follows them is midnight.
    if second == "60" and at_ms % _DAY_MS >= 1000:
        raise Refusal(Reject.BAD_TIMESTAMP, f"{where}: {_EXPECTED}, got {text[:40]!r}: second 60 only at 23:59 UTC")
    return at_ms


@lru_cache(maxsize=1024)
def _days(day: str) -> int | None:
    """Days since 1970 of YYYY-MM-DD, or None where no calendar has that day."""
    if day.startswith("0000"):
        # RFC 3339 knows the year 0, Python does not. It is a leap year, as 4 is; four years are 1,461 days.
        later = _days("0004" + day[4:])
        return None if later is None else later - 1461
    try:
        return date.fromisoformat(day).toordinal() - _EPOCH_ORDINAL
    except ValueError:
        return None
