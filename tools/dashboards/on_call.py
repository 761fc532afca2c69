"""*On-call*: for whoever was called. What is open, how old is the news, and did it reach everybody?"""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from tools.dashboards.panels import QUARTER, THIRD, Limit, Query, empty, lines, number, row


def board() -> Dashboard:
    """The dashboard."""
    one = empty("swerve-on-call", "Swerve / On-call", "What is open, how old the news is, and whether it was told.")
    _open(one)
    _delay(one)
    _told(one)
    return one


def _open(one: Dashboard) -> None:
    row(
        one,
        "What is open?",
        number(
            "Which alerts are open?",
            "short",
            "By severity. The console has the sentence, the members and the evidence of each.",
            Query("sum by (severity) (swerve_alerts{@})", "{{severity}}"),
        ),
        number(
            "Is Swerve itself well?",
            "short",
            "Firing alerts about Swerve. Any: its findings may be late or missing; see the dashboard Swerve health.",
            Query('count(ALERTS{service="swerve",alertstate="firing"}) or vector(0)', "firing"),
            limits=[Limit(1)],
        ),
        number(
            "How old is the news?",
            "s",
            "Since the end of the last judged tick. Usual: the lateness and up to two ticks, some 25 minutes.",
            Query('time() - max(swerve_tick_end_timestamp_seconds{kind="cohort",@})', "behind"),
            limits=[Limit(2700, "orange"), Limit(3600)],
        ),
        number(
            "How many false pages were there in 30 days?",
            "short",
            "Pages marked harmless, and how many the configuration allows.",
            Query("max(swerve_false_pages_spent{@})", "marked harmless"),
            Query("max(swerve_false_pages_budget{@})", "budget"),
            width=QUARTER,
        ),
        lines(
            "When did alerts change?",
            "short",
            "Alert records written. The dots are exemplars: they carry the alert_id to open in the console.",
            Query(
                "sum by (severity, status) (increase(swerve_alert_changes_total{@}[$__rate_interval]))",
                "{{severity}}, {{status}}",
                exemplar=True,
            ),
        ),
        lines(
            "How many alerts were open?",
            "short",
            "By state and severity.",
            Query("sum by (state, severity) (swerve_alerts{@})", "{{severity}}, {{state}}"),
        ),
        console="/alerts?status=firing",
    )


def _delay(one: Dashboard) -> None:
    row(
        one,
        "How late are the news?",
        lines(
            "How long from the onset of a shift to its first alert?",
            "s",
            "Mean of the alerts of the time shown, in event time. Campaigns hide among the fleet; hours are normal.",
            Query(
                "sum by (severity) (increase(swerve_alert_detection_delay_seconds_sum{@}[$__range]))"
                " / (sum by (severity) (increase(swerve_alert_detection_delay_seconds_count{@}[$__range])) > 0)",
                "{{severity}}",
            ),
        ),
        lines(
            "How long from the deciding tick to the delivered alert?",
            "s",
            "Until ticks are judged, 95% of the last hour's; and until a sink took the alert, the mean of the time "
            "shown without alerts of a replay. The lateness is the floor; above it is lag, or a failing sink.",
            Query(
                "sum by (sink) (increase(swerve_event_to_alert_seconds_sum{@}[$__range]))"
                " / (sum by (sink) (increase(swerve_event_to_alert_seconds_count{@}[$__range])) > 0)",
                "delivered by {{sink}}",
            ),
            Query(
                "histogram_quantile(0.95, sum by (kind, le) (rate(swerve_tick_lateness_seconds_bucket{@}[1h])))",
                "{{kind}} ticks judged",
            ),
        ),
        console="/alerts",
    )


def _told(one: Dashboard) -> None:
    row(
        one,
        "Was it told?",
        lines(
            "Does every sink take alerts?",
            "cps",
            "Records that each sink took, a second, and attempts that it refused; those are made again.",
            Query("sum by (sink) (rate(swerve_sink_sent_total{@}[$__rate_interval]))", "{{sink}} took", exemplar=True),
            Query("sum by (sink) (rate(swerve_sink_failed_total{@}[$__rate_interval]))", "{{sink}} refused"),
            width=THIRD,
        ),
        lines(
            "Does anything wait to be told?",
            "short",
            "Records that wait for a sink, and the pages among them where it can call somebody. Above 0 for minutes: "
            "somebody does not know.",
            Query("max by (sink) (swerve_sink_backlog{@})", "{{sink}}"),
            Query("max by (sink) (swerve_sink_pages_waiting{@})", "{{sink}}, pages"),
            width=THIRD,
        ),
        lines(
            "Will something never be told?",
            "short",
            "Records that a sink refused for good, or that were pushed out of its full backlog, in the last hour. "
            "The log of correlate has each with its reason.",
            Query("sum by (sink, severity) (increase(swerve_sink_lost_total{@}[1h]))", "{{sink}}, {{severity}}"),
            width=THIRD,
        ),
        console="/runbook/self",
    )
