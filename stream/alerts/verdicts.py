"""What did people say of an alert, and what does that teach of others? The last verdict about it counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from detectors.judgement.hand import Lessons
from detectors.judgement.lessons import lessons_of
from stream.alerts.evidence import number, votes_of
from stream.contract.alert import Alert

WORDS = {"campaign": True, "harmless": False}


class Said(Protocol):
    """What is read of a verdict record."""

    @property
    def alert_id(self) -> str:
        """The alert that it is about."""

    @property
    def verdict(self) -> str:
        """The word: "campaign" or "harmless"."""

    @property
    def at_ms(self) -> int:
        """When it was said, epoch milliseconds."""


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
    def alert_id(self) -> str:
        """The alert."""

    @property
    def kind(self) -> str:
        """What sort of shift it is about."""

    @property
    def severity(self) -> str:
        """How loud it is: "info", "warning" or "critical"."""

    @property
    def detected_at(self) -> int:
        """When it was first told, event time in ms."""


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


def lessons_from(alert_of: Callable[[str], Alert | None], verdicts: Iterable[Said]) -> Lessons:
    """Learn from the last verdict on each alert that is known, and names the traits of a network; "unsure" teaches
    nothing. alert_of: the last record of an alert, by its id.

    >>> lessons_from(lambda alert_id: None, []).verdicts
    0
    """
    judged = []
    for said in last_verdicts(verdicts).values():
        alert = alert_of(said.alert_id)
        if alert is not None and said.verdict in WORDS:
            judged.append((nats_of_traits(alert.evidence), WORDS[said.verdict]))
    return lessons_of(judged)


def nats_of_traits(evidence: Mapping[str, Any]) -> dict[str, float]:
    """How much each trait of an alert said, in nats; nothing of an alert that is about no network."""
    told = ((str(vote.get("trait")), number(vote, "nats")) for vote in votes_of(evidence))
    return {trait: nats for trait, nats in told if nats is not None}
