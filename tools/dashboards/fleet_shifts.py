"""*Fleet shifts*: for whoever watches the fleet by day. What is used, what is moving, what does Swerve follow?"""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from tools.dashboards.panels import HALF, THIRD, WIDE, Limit, Query, empty, lines, number, row


def board() -> Dashboard:
    """The dashboard."""
    one = empty("swerve-fleet", "Swerve / Fleet shifts", "What the fleet uses, what is moving, what Swerve follows.")
    _now(one)
    _used(one)
    _moving(one)
    _followed(one)
    return one


def _now(one: Dashboard) -> None:
    row(
        one,
        "Now",
        number(
            "How many requests did the last tick hold?",
            "short",
            "Requests of the last judged tick of five minutes.",
            Query('sum(swerve_fleet_requests{kind="model",@})', "requests"),
            width=THIRD,
        ),
        number(
            "How many campaigns are paged?",
            "short",
            "Open alerts of severity critical. Open the console for each.",
            Query('sum(swerve_alerts{severity="critical",@})', "critical"),
            limits=[Limit(1)],
            width=THIRD,
        ),
        number(
            "How strong is the strongest shift?",
            "none",
            "In standard deviations of the fleet in that tick, over all dimensions. Above 6 is rare without a cause.",
            Query("max(swerve_strongest_shift_sigmas{@})", "sigmas"),
            limits=[Limit(6, "orange")],
            width=THIRD,
        ),
        console="/",
    )


def _used(one: Dashboard) -> None:
    row(
        one,
        "What does the fleet use?",
        lines(
            "Which models serve the fleet?",
            "percentunit",
            "Share of the requests of each tick: the 50 strongest models and the rest as `other`.",
            Query('max by (name) (swerve_fleet_share_ratio{kind="model",@})', "{{name}}"),
            stacked=True,
        ),
        lines(
            "Which capabilities are exercised?",
            "percentunit",
            "Share of the requests of each tick that exercised a capability. One request can exercise several.",
            Query('max by (name) (swerve_fleet_share_ratio{kind="capability",@})', "{{name}}"),
        ),
        lines(
            "How much traffic does each model have?",
            "short",
            "Requests a tick of five minutes. A share can grow because the others shrink; look here for which it is.",
            Query('max by (name) (swerve_fleet_requests{kind="model",@})', "{{name}}"),
            width=WIDE,
        ),
        console="/",
    )


def _moving(one: Dashboard) -> None:
    row(
        one,
        "What is moving?",
        lines(
            "Is each release adopted as forecast?",
            "percentunit",
            "Share of each release, and what its own course so far forecasts. A gap that opens "
            "suddenly is a shift of somebody; the alerts say of whom.",
            Query("max by (release) (swerve_release_adoption_ratio{@})", "{{release}}"),
            Query("max by (release) (swerve_release_forecast_ratio{@})", "{{release}}, forecast"),
        ),
        lines(
            "Which models gain, which lose?",
            "percentunit",
            "Change of the share over an hour, in percentage points of all requests.",
            Query('max by (name) (delta(swerve_fleet_share_ratio{kind="model",@}[1h]))', "{{name}}"),
        ),
        lines(
            "In which dimension is the strongest shift?",
            "none",
            "Strongest cohort of each dimension and tick, in standard deviations of the fleet.",
            Query("max by (dimension) (swerve_strongest_shift_sigmas{@})", "{{dimension}}"),
            width=WIDE,
        ),
        console="/releases",
    )


def _followed(one: Dashboard) -> None:
    row(
        one,
        "What does Swerve follow?",
        lines(
            "How many networks that moved in company are under test?",
            "short",
            "Candidates of each network tick, and groups that are followed over time by the level that they reached.",
            Query("max(swerve_candidates{@})", "candidates"),
            Query("max by (level) (swerve_networks{@})", "followed, {{level}}"),
            width=HALF,
        ),
        lines(
            "What does Swerve say?",
            "short",
            "Open alerts by severity: info reaches nobody, warning is a ticket, critical is a page.",
            Query("sum by (severity) (swerve_alerts{@})", "{{severity}}"),
            width=HALF,
        ),
        console="/alerts",
    )
