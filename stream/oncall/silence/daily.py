"""Does anybody still know what is muted? Once a day, while people keep something silent, the sinks are told of it.

Told as an alert of its own, always the same one: it opens when somebody mutes, is told anew every day, and resolves
when nothing is muted any more. What the configuration allows, and verdicts, are counted in it, and open nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from stream.contract.alert import Alert, AlertSubject, AlertTarget
from stream.contract.own_alert import about_itself, over
from stream.oncall.silence.in_force import EXPECTED, SNOOZE, Silence, in_words

ALERT_ID, KIND = "swerve-muted", "swerve_muted"
DAY_MS = 86_400_000
LOOK_S = 60.0
LISTED_MAX = 20
SUMMARY_MAX = 119
OPENING = (EXPECTED, SNOOZE)


class Daily:
    """From what is silent to the alert about it.

    >>> daily = Daily()
    >>> one = Silence("expected", "fleet", "the whole fleet", "whatever it is", 5, "launch, says kim")
    >>> daily.judge([one], 0).summary
    'Muted now: the whole fleet is muted; 1 announced shift.'
    >>> daily.judge([one], 1), daily.judge([one], DAY_MS).status, daily.judge([], DAY_MS + 1).status
    (None, 'firing', 'resolved')
    """

    def __init__(self) -> None:
        self._told: Alert | None = None
        self._seen: frozenset[str] = frozenset()

    def judge(self, silences: Sequence[Silence], now_ms: int) -> Alert | None:
        """The record that is due; None where nothing is: nothing new is muted, and it is no day since the last."""
        keys = frozenset(one.key for one in silences if one.kind in OPENING)
        is_new = not keys <= self._seen
        self._seen = keys
        if not keys:
            told, self._told = self._told, None
            return None if told is None else _over(told, now_ms)
        if self._told is not None and not is_new and now_ms - self._told.updated_at < DAY_MS:
            return None
        self._told = _muted(silences, now_ms, self._told)
        return self._told


def _muted(silences: Sequence[Silence], now_ms: int, before: Alert | None) -> Alert:
    listed = [
        {"who": one.who, "toward": one.toward, "until_ms": one.until_ms, "reason": one.reason, "scope": one.scope}
        for one in silences[:LISTED_MAX]
    ]
    return about_itself(
        KIND, ALERT_ID, "warning", AlertSubject("cluster", "swerve"), AlertTarget("mix", "whatever is muted"), now_ms,
        {"is_summary": True, "silences": listed}, f"Muted now: {in_words(silences)}"[: SUMMARY_MAX - 1] + ".",
        None if before is None else before.started_at,
    )  # fmt: skip


def _over(alert: Alert, now_ms: int) -> Alert:
    summary = "Nothing is muted any more: every alert reaches whoever is to be told of it."
    return over(alert, now_ms, summary, {"is_summary": True, "silences": []})


async def watch_over(
    silences: Callable[[], Sequence[Silence]], tell: Callable[[Alert], None], every_s: float = LOOK_S
) -> None:
    """Look every minute until cancelled; what is due is told."""
    daily = Daily()
    while True:
        alert = daily.judge(silences(), int(1000 * time.time()))
        if alert is not None:
            tell(alert)
        await asyncio.sleep(every_s)
