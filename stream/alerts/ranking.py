"""Which alert first? By severity, and among equals by what earlier verdicts say of alerts like it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from detectors.triage.feedback import Feedback, traits_of
from stream.alerts.verdicts import Said, last_verdicts
from stream.contract.alert import SEVERITIES, Alert


@dataclass(frozen=True, slots=True)
class Ranked:
    """An alert and how alike it is to campaigns, 0 to 1; None where too few verdicts were given to say."""

    alert: Alert
    probability: float | None


def feedback_from(alerts: Iterable[Alert], verdicts: Iterable[Said]) -> Feedback:
    """Learn from the last verdict on each alert, in the order in which they were given; "unsure" teaches nothing."""
    by_id = {alert.alert_id: alert for alert in alerts}
    said = sorted(last_verdicts(verdicts).values(), key=lambda one: (one.at_ms, one.alert_id))
    return Feedback(
        (_traits(by_id[one.alert_id]), one.verdict == "campaign")
        for one in said
        if one.alert_id in by_id and one.verdict in ("campaign", "harmless")
    )


def ranked(alerts: Iterable[Alert], feedback: Feedback) -> list[Ranked]:
    """All of them, loudest first; within a severity the likest to campaigns, then the oldest. None is left out."""
    judged = [Ranked(alert, feedback.probability(_traits(alert))) for alert in alerts]
    return sorted(judged, key=_place)


def _place(one: Ranked) -> tuple[int, float, int, str]:
    likeness = 0.5 if one.probability is None else one.probability
    return -SEVERITIES.index(one.alert.severity), -likeness, one.alert.detected_at, one.alert.alert_id


def _traits(alert: Alert) -> dict[str, float]:
    return traits_of(alert.kind, alert.evidence, alert.accounts_total)
