"""When, as a person types it? RFC 3339, `now`, or a distance from now such as `+7d`, `-2h`, `+30m`."""

from __future__ import annotations

import re

from stream.contract.reading.instant import instant_ms
from stream.contract.reading.refusal import Refusal
from stream.errors import UsageError

_DISTANCE = re.compile(r"([+-]?)(\d{1,6})([mhdw])")
_UNIT_MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 7 * 86_400_000}


def moment_ms(text: str, now_ms: int, option: str) -> int:
    """Epoch milliseconds. Raises UsageError that names the option.

    >>> moment_ms("+2h", 0, "--until"), moment_ms("now", 5, "--from"), moment_ms("1h", 0, "--until")
    (7200000, 5, 3600000)
    >>> moment_ms("2026-02-05T03:00:00Z", 0, "--until")
    1770260400000
    """
    if text == "now":
        return now_ms
    distance = _DISTANCE.fullmatch(text)
    if distance is not None:
        sign, amount, unit = distance.groups()
        return now_ms + (-1 if sign == "-" else 1) * int(amount) * _UNIT_MS[unit]
    try:
        return instant_ms(text, option)
    except Refusal as refusal:
        raise UsageError(f"{refusal.detail}, or now, +7d, +12h, -30m") from None
