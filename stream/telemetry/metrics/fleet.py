"""What does the fleet do, as Swerve sees it: shares, adoption, the strongest shifts, and the budget of false pages?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stream.telemetry.metrics.exposition import OTHER, UNKNOWN, Bounded, gauge, levels

TARGETS_MAX = 50  # the strongest by requests, of models and of capabilities each; the rest is "other"
RELEASES_MAX = 50
MARKS_MAX = 20
DIMENSIONS_MAX = 16
_CORRELATE = ("correlate",)

_requests = levels(
    "swerve_fleet_requests",
    "Requests in the last tick by model and by capability, the 50 strongest and `other`. For context.",
    ["kind", "name"],
    _CORRELATE,
)
_share = levels(
    "swerve_fleet_share_ratio",
    "Share of the last tick's requests by model and by capability, 0 to 1. A jump without a release: see the alerts.",
    ["kind", "name"],
    _CORRELATE,
)
_adoption = gauge(
    "swerve_release_adoption_ratio",
    "Share of the fleet's requests that a release has. Compare with its forecast.",
    ["release"],
    _CORRELATE,
)
_forecast = gauge(
    "swerve_release_forecast_ratio",
    "Share that a release was expected to have by now, from its own course. Far off: look at who moves, "
    "in the console.",
    ["release"],
    _CORRELATE,
)
_released = levels(
    "swerve_release_timestamp_seconds",
    "When each of the latest 20 releases came out. Dashboards mark it: a jump right of the mark is adoption.",
    ["release"],
    _CORRELATE,
)
_strongest = gauge(
    "swerve_strongest_shift_sigmas",
    "Strongest shift of the last tick in each dimension, in standard deviations of the fleet. High for "
    "long: see alerts.",
    ["dimension"],
    _CORRELATE,
)
_budget = gauge(
    "swerve_false_pages_budget",
    "False pages allowed in 30 days by configuration. Thresholds follow from it.",
    (),
    _CORRELATE,
)
_spent = gauge(
    "swerve_false_pages_spent",
    "Pages of the last 30 days judged harmless. Above the budget: announce migrations beforehand, or lower the budget.",
    (),
    _CORRELATE,
)
_line = gauge(
    "swerve_alert_line_nats",
    "Log-odds of one operator's hand that an alert of this severity needs, in nats. It follows from the budgets of "
    "false alerts: a lower budget raises it, and alerts come later.",
    ["severity"],
    _CORRELATE,
)
_dimensions = Bounded(DIMENSIONS_MAX)
_releases: dict[str, None] = {}

MODEL: Final = "model"
CAPABILITY: Final = "capability"


def fleet_shares(models: Mapping[str, int], capabilities: Mapping[str, int], requests: int | None = None) -> None:
    """Requests of a tick by model and by capability. Shares are of `requests`, by default the sum over models.

    O(n log n) in the number of names; the page shows the 50 strongest of each kind and "other".
    """
    total = requests if requests is not None else sum(models.values())
    counts: dict[tuple[str, ...], float] = {
        (kind, name): float(n)
        for kind, table in ((MODEL, models), (CAPABILITY, capabilities))
        for name, n in strongest(table, TARGETS_MAX).items()
    }
    _requests.replace(counts)
    _share.replace({labels: n / total for labels, n in counts.items()} if total else {})


def strongest(table: Mapping[str, int], limit: int) -> dict[str, int]:
    """The `limit` largest entries, ties by name, and the sum of the rest as "other".

    >>> strongest({"atlas-4": 7, "atlas-3": 9, "old": 1, "older": 1}, limit=2)
    {'atlas-3': 9, 'atlas-4': 7, 'other': 2}
    """
    ranked = sorted(table.items(), key=lambda entry: (-entry[1], entry[0]))
    kept = dict(ranked[:limit])
    if ranked[limit:]:
        kept[OTHER] = kept.get(OTHER, 0) + sum(n for _, n in ranked[limit:])
    return kept


def adoption(release: str, share: float, forecast: float | None = None) -> None:
    """A release has this share of the fleet's requests, and was expected to have `forecast`. Keeps the latest 50."""
    _releases.pop(release, None)
    _releases[release] = None
    while len(_releases) > RELEASES_MAX:
        gone = next(iter(_releases))
        del _releases[gone]
        _adoption.remove_by_labels({"release": gone})
        _forecast.remove_by_labels({"release": gone})
    _adoption.labels(release).set(share)
    if forecast is not None:
        _forecast.labels(release).set(forecast)


def releases(released_ms: Mapping[str, int]) -> None:
    """When models came out, in ms of event time; the latest 20 are shown. O(n log n)."""
    latest = sorted(released_ms.items(), key=lambda one: (-one[1], one[0]))[:MARKS_MAX]
    _released.replace({(name,): at_ms / 1000 for name, at_ms in latest})


def alert_lines(critical: float, warning: float) -> None:
    """The log-odds of one operator's hand that a page and a warning need, in nats."""
    _line.labels("critical").set(critical)
    _line.labels("warning").set(warning)


def strongest_shift(dimension: str, sigmas: float) -> None:
    """The strongest shift of this tick among the cohorts of a dimension ("network" for the groups found by Swerve)."""
    _strongest.labels(_dimensions(dimension)).set(sigmas)


def not_judged_here() -> None:
    """This process judges no more: what it saw last is no longer what the fleet does."""
    for whole in (_requests, _share):
        whole.replace({})
    for one in (_adoption, _forecast, _strongest, _line):
        one.clear()
    _releases.clear()
    _budget.set(UNKNOWN)
    _spent.set(UNKNOWN)


def false_page_budget(per_month: float, spent: float) -> None:
    """False pages that the configuration allows in 30 days, and how many there were."""
    _budget.set(per_month)
    _spent.set(spent)
