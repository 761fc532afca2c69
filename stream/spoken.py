"""How is a number said to a person? Times in UTC, shares in percent, and the names of what is measured."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

MS_PER_H = 3_600_000
EPOCH_MS_MIN = 1_000_000_000_000  # 2001: a smaller number of milliseconds is a length of time
LABELS: Mapping[str, str] = {
    "breadth": "part of the organisations that use it",
    "comparable_change": "change of comparable accounts",
    "judged": "the group that was judged together, of whom those are named that surely belong",
    "new_accounts": "accounts without a past",
    "share_after": "share now",
    "largest_value_covers": "part of the organisations that the largest shared value covers",
    "baseline": "requests before, decayed",
    "log_odds": "log-odds of one operator, over the last hours (nats)",
    "log_odds_now": "log-odds of one operator in this hour (nats)",
    "log_odds_page": "log-odds that a page needs (nats)",
    "log_odds_ticket": "log-odds that a ticket needs (nats)",
    "looks_like": "looks like",
    "named": "sums over the named accounts, to recompute from the log",
    "onset_ms": "estimated onset",
    "organisations_total": "organisations in all",
    "organisations_moved_share": "part of the organisations that moved",
    "own_past": "the group's own past, taken off (standard errors)",
    "per_target": "toward what",
    "share_expected": "share expected of accounts like them",
    "shared_values": "what they share",
    "shared_values_total": "rare values that they share",
    "statistic": "strength of the shift (standard errors)",
    "threshold": "strength that a shift needs",
    "target_requests": "requests to the target",
    "ticks": "ticks in a row",
    "unchosen_statistic": "strength of the shift of those whom nobody chose by how they moved (standard errors)",
    "unchosen_threshold": "strength that theirs needs, for a page or a warning",
    "until_ms": "until",
    "votes": "is it one operator?",
    "votes_for": "traits for one operator",
    "window": "counted over",
}
SHARES = ("comparable_change", "largest_value_covers", "breadth")
CODES = ("why", "looks_like", "name", "change")  # words of ours, written with underscores


def harmless(text: str, lines: bool = False) -> str:
    r"""Text that strangers may have chosen, with all that is not to be seen written out: controls, escapes of a
    terminal, marks that turn the direction of writing, halves of characters. lines: line feeds and tabs stay.

    >>> harmless("evil\x1b[2J\u202eid"), harmless("two\nlines"), harmless("two\nlines", lines=True)
    ('evil\\x1b[2J\\u202eid', 'two\\nlines', 'two\nlines')
    """
    if text.isprintable():
        return text
    kept = "\n\t" if lines else ""
    return "".join(one if one.isprintable() or one in kept else ascii(one)[1:-1] for one in text)


def seen(given: Any) -> Any:
    """A value on its way into a page: `harmless` where it is plain text; markup of ours is left alone."""
    return harmless(given, lines=True) if type(given) is str else given


def label(key: str) -> str:
    """What a key of the evidence is called.

    >>> label("share_after"), label("ticks_min"), label("warm_up_h"), label("onset_ms")
    ('share now', 'ticks min', 'warm up', 'estimated onset')
    """
    for unit in ("_ms", "_h", "_s"):
        if key not in LABELS:
            key = key.removesuffix(unit)
    return LABELS[key] if key in LABELS else key.replace("_", " ")


def moment(at_ms: int | float | None) -> str:
    """A time as people say it, in UTC.

    >>> moment(1_770_260_400_000)
    '2026-02-05 03:00 UTC'
    """
    if at_ms is None:
        return "none"
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def span(length_ms: float) -> str:
    """A length of time in its two largest units.

    >>> span(9 * MS_PER_H), span(31.5 * MS_PER_H), span(90_000), span(0)
    ('9 h', '1 d 7 h', '1 min', '0 s')
    """
    seconds = int(length_ms // 1000)
    for size, unit, smaller, smaller_unit in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min")):
        if seconds >= size:
            rest = seconds % size // smaller
            return f"{seconds // size} {unit}" + (f" {rest} {smaller_unit}" if rest else "")
    return f"{seconds // 60} min" if seconds >= 60 else f"{seconds} s"


def percent(share: float) -> str:
    """A share of 1, with a digit more where it is small.

    >>> percent(0.48), percent(0.0312), percent(0.0999), percent(-0.0), percent(0.0003)
    ('48%', '3.1%', '10%', '0%', 'under 0.1%')
    """
    in_percent = 100 * share
    if 0 < abs(in_percent) < 0.05:
        return "under 0.1%"
    if abs(in_percent) >= 9.95 or in_percent == int(in_percent):
        return f"{in_percent + 0.0:.0f}%"
    return f"{in_percent:.1f}%"


def past(share: float | None) -> str:
    """A share before: of an account, or a group, that has no past there is none.

    >>> past(0.25), past(None)
    ('25%', 'new')
    """
    return "new" if share is None else percent(share)


def count(number: int | float) -> str:
    """A whole number with commas, any other with three significant digits.

    >>> count(1234567), count(0.0801), count(12345.6), count(float("nan"))
    ('1,234,567', '0.0801', '12,346', 'none')
    """
    if not math.isfinite(number):
        return "none"
    if number == int(number) or abs(number) >= 1000:
        return f"{number:,.0f}"
    return f"{number:.3g}"


def value(key: str, given: Any) -> str:
    """A value of the evidence, in the unit that its key names.

    >>> value("share_after", 0.31), value("took_h", 9), value("passed", True)
    ('31%', '9 h', 'yes')
    >>> value("target", {"kind": "model", "id": "atlas-4"})
    'model atlas-4'
    """
    if given is None:
        return "new" if key == "share_before" else "none"
    if isinstance(given, bool):
        return "yes" if given else "no"
    if isinstance(given, str):
        return given.replace("_", " ") if key in CODES else given
    if isinstance(given, Mapping):
        if set(given) == {"kind", "id"}:
            return f"{given['kind']} {given['id']}"
        return ", ".join(f"{label(str(inner))} {value(str(inner), one)}" for inner, one in given.items())
    if isinstance(given, list | tuple):
        return ", ".join(value(key, one) for one in given) or "none"
    return _number(key, given) if isinstance(given, int | float) else str(given)


def _number(key: str, given: int | float) -> str:
    if key.endswith(("_ms", "_at")):
        return moment(given) if given >= EPOCH_MS_MIN else span(given)
    if key.endswith("_h"):
        return f"{count(given)} h"
    if (("share" in key and not key.endswith("_total")) or key in SHARES) and -1 <= given <= 1:
        return percent(given)
    return count(given)
