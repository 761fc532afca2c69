"""What did people say of an alert? The last verdict about it counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol


class Said(Protocol):
    """What is read of a verdict record."""

    @property
    def alert_id(self) -> str: ...
    @property
    def verdict(self) -> str: ...
    @property
    def at_ms(self) -> int: ...


def last_verdicts(verdicts: Iterable[Said]) -> dict[str, Said]:
    """The last verdict about each alert: by its time, and among equal times by order of arrival."""
    last: dict[str, Said] = {}
    for one in verdicts:
        if one.alert_id not in last or one.at_ms >= last[one.alert_id].at_ms:
            last[one.alert_id] = one
    return last


def is_harmless(alert_ids: Sequence[str], last: Mapping[str, Said]) -> bool:
    """Whether the latest word on any alert of one group is "harmless"."""
    about = [last[alert_id] for alert_id in alert_ids if alert_id in last]
    return bool(about) and max(enumerate(about), key=lambda one: (one[1].at_ms, one[0]))[1].verdict == "harmless"
