"""What did people say of an alert? The last verdict about it counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
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


class Told(Protocol):
    """What is read of an alert."""

    @property
    def alert_id(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def severity(self) -> str: ...
    @property
    def detected_at(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Precision:
    """Of one kind in one month: alerts of severity warning or critical, and what people said of them."""

    kind: str
    month: str
    told: int
    campaigns: int
    harmless: int

    @property
    def judged(self) -> int:
        """Those with a clear word; "unsure" is none."""
        return self.campaigns + self.harmless

    @property
    def precision(self) -> float | None:
        """Part of the judged ones that were campaigns; None where nobody judged."""
        return self.campaigns / self.judged if self.judged else None


def precision_by_kind(alerts: Iterable[Told], verdicts: Iterable[Said]) -> list[Precision]:
    """Precision over time, by kind and month (UTC) of the alert; kinds and months without any verdict are left out."""
    last = last_verdicts(verdicts)
    counts: dict[tuple[str, str], Counter[str]] = {}
    for alert in alerts:
        if alert.severity != "info":
            month = datetime.fromtimestamp(alert.detected_at / 1000, UTC).strftime("%Y-%m")
            said = last[alert.alert_id].verdict if alert.alert_id in last else ""
            counts.setdefault((alert.kind, month), Counter()).update(["told", said])
    return [
        Precision(kind, month, count["told"], count["campaign"], count["harmless"])
        for (kind, month), count in sorted(counts.items())
        if count["campaign"] + count["harmless"] + count["unsure"]
    ]
