"""*Swerve health*: for the operator. Does everything come in, is it judged in time, and is there room?"""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from tools.dashboards.panels import THIRD, WIDE, Limit, Query, empty, lines, number, row


def board() -> Dashboard:
    """The dashboard."""
    one = empty("swerve-health", "Swerve / Swerve health", "Whether all comes in, is judged in time, and has room.")
    _now(one)
    _intake(one)
    _lag(one)
    _judging(one)
    _state(one)
    _processes(one)
    return one


def _now(one: Dashboard) -> None:
    row(
        one,
        "Now",
        number(
            "Does every process do its work?",
            "short",
            "Processes by stage that are ready; a standby of correlate is, too.",
            Query("sum by (stage) (swerve_ready{@})", "{{stage}}"),
            limits=(),
        ),
        number(
            "Does exactly one correlate judge?",
            "short",
            "Active correlates. 0: nobody judges. 2: stop one.",
            Query("sum(swerve_correlate_active{@})", "active"),
            limits=[Limit(2)],
        ),
        number(
            "How many records break the contract?",
            "percentunit",
            "Share of the records that were refused; repeats and late ones are not meant. Over 2%: a producer changed.",
            Query(
                'sum(rate(swerve_records_refused_total{reason!~"duplicate_event|late_event",@}[$__rate_interval])) / ('
                'sum(rate(swerve_records_accepted_total{stage="ingest",@}[$__rate_interval])) + '
                'sum(rate(swerve_records_refused_total{reason!~"duplicate_event|late_event",@}[$__rate_interval])))',
                "refused",
            ),
            limits=[Limit(0.02, "orange")],
        ),
        number(
            "Were ticks judged without some shards?",
            "short",
            "Partial ticks of the time shown. Any: a detect worker was gone.",
            Query("sum(increase(swerve_partial_ticks_total{@}[$__range]))", "partial"),
            limits=[Limit(1)],
        ),
        console="/about",
    )


def _intake(one: Dashboard) -> None:
    row(
        one,
        "Does everything come in?",
        lines(
            "How many requests does each stage take?",
            "reqps",
            "Requests a second. The stages should be alike but for repeats and late records.",
            Query("sum by (stage) (rate(swerve_records_accepted_total{@}[$__rate_interval]))", "{{stage}}"),
        ),
        lines(
            "Why were records not counted?",
            "reqps",
            "Refused, repeated and late records a second, by reason. Refused ones are in the dead-letter topic.",
            Query("sum by (reason) (rate(swerve_records_refused_total{@}[$__rate_interval]))", "{{reason}}"),
        ),
        lines(
            "Do frames flow from ingest to detect?",
            "cps",
            "Frames a second: sent, applied, repeats that were skipped, and gaps that are read again.",
            Query("sum(rate(swerve_frames_sent_total{@}[$__rate_interval]))", "sent"),
            Query("sum by (result) (rate(swerve_frames_applied_total{@}[$__rate_interval]))", "{{result}}"),
        ),
        lines(
            "How large are the frames?",
            "bytes",
            "Mean size of the frames sent lately. Near 1 MB the broker may refuse them.",
            Query(
                "sum(rate(swerve_frame_size_bytes_sum{@}[$__rate_interval]))"
                " / sum(rate(swerve_frame_size_bytes_count{@}[$__rate_interval]))",
                "mean",
            ),
        ),
        console="/runbook/self",
    )


def _lag(one: Dashboard) -> None:
    row(
        one,
        "How far behind is it?",
        lines(
            "How many messages has each stage still to read?",
            "short",
            "Summed over the sources.",
            Query("sum by (stage) (swerve_lag_messages{@})", "{{stage}}"),
            width=THIRD,
        ),
        lines(
            "How far behind is each stage in event time?",
            "s",
            "Now less the clock of the slowest source, for which every tick waits; 0 where all sources are idle.",
            Query(
                "time() - min by (stage) (swerve_source_clock_timestamp_seconds{@})"
                ' or 0 * group by (stage) (swerve_lag_messages{stage=~"ingest|detect",@})',
                "{{stage}}",
            ),
            width=THIRD,
        ),
        lines(
            "How many sources deliver?",
            "short",
            "Sources by state. Idle ones do not hold time back.",
            Query("sum by (stage, state) (swerve_sources{@})", "{{stage}}, {{state}}"),
            width=THIRD,
        ),
        console="/runbook/self",
    )


def _judging(one: Dashboard) -> None:
    row(
        one,
        "Is it judged in time?",
        lines(
            "How long does it take to judge a tick?",
            "s",
            "95% of the ticks of the last hour. Near the length of the tick correlate needs a faster core.",
            Query(
                "histogram_quantile(0.95, sum by (kind, le) (rate(swerve_tick_duration_seconds_bucket{@}[1h])))",
                "{{kind}}",
            ),
            width=THIRD,
        ),
        lines(
            "How late are ticks judged?",
            "s",
            "Now less the end of the last tick that was judged, by kind.",
            Query("time() - max by (kind) (swerve_tick_end_timestamp_seconds{@})", "{{kind}}"),
            width=THIRD,
        ),
        lines(
            "Do summaries agree?",
            "cps",
            "Summaries a second: first copies, repeats, and conflicts, which must not be.",
            Query("sum by (result) (rate(swerve_summaries_total{@}[$__rate_interval]))", "{{result}}"),
            width=THIRD,
        ),
        console="/",
    )


def _state(one: Dashboard) -> None:
    row(
        one,
        "Is there room?",
        lines(
            "How many accounts are remembered?",
            "short",
            "Accounts in the state of detect, and how many may be. Beyond the limit accounts are forgotten.",
            Query("sum(swerve_accounts_tracked{@})", "accounts"),
            Query("sum(swerve_accounts_limit{@})", "limit"),
        ),
        lines(
            "Was a bound reached?",
            "short",
            "Times that a bound was hit in the last half hour, and accounts that were forgotten. All should be 0.",
            Query("sum by (bound) (increase(swerve_bound_reached_total{@}[30m]))", "{{bound}}"),
            Query("sum(increase(swerve_accounts_evicted_total{@}[30m]))", "accounts forgotten"),
        ),
        lines(
            "How old is the newest snapshot?",
            "s",
            "Since the state was last stored. A restart reads everything after it.",
            Query("time() - min by (stage) (swerve_snapshot_timestamp_seconds{@})", "{{stage}}"),
            width=THIRD,
        ),
        lines(
            "How large is a snapshot?",
            "bytes",
            "What a recovery has to read, summed over the workers.",
            Query("sum by (stage) (swerve_snapshot_size_bytes{@})", "{{stage}}"),
            width=THIRD,
        ),
        lines(
            "How long does a snapshot take?",
            "s",
            "95% of the snapshots of the last half hour.",
            Query(
                "histogram_quantile(0.95, sum by (stage, le) (rate(swerve_snapshot_duration_seconds_bucket{@}[30m])))",
                "{{stage}}",
            ),
            width=THIRD,
        ),
        console="/runbook/self",
    )


def _processes(one: Dashboard) -> None:
    row(
        one,
        "How are the processes?",
        lines(
            "How much memory does each process use?",
            "bytes",
            "Resident memory.",
            Query("process_resident_memory_bytes{@}", "{{instance}}"),
            width=THIRD,
        ),
        lines(
            "How much CPU does each process use?",
            "percentunit",
            "Of one core. Ingest and correlate use one core a process.",
            Query("rate(process_cpu_seconds_total{@}[$__rate_interval])", "{{instance}}"),
            width=THIRD,
        ),
        lines(
            "Do workers come and go?",
            "short",
            "Assignments of partitions and restorations of state in the last half hour.",
            Query("sum by (stage) (increase(swerve_rebalances_total{@}[30m]))", "{{stage}} assigned"),
            Query("sum by (stage, result) (increase(swerve_recoveries_total{@}[30m]))", "{{stage}} {{result}}"),
            width=THIRD,
        ),
        lines(
            "How long does a worker take to come back?",
            "s",
            "Mean since the processes started: from losing partitions to holding the new ones, and to restore their "
            "state. Alerts come later by as much.",
            Query(
                "sum by (stage) (swerve_rebalance_duration_seconds_sum{@})"
                " / (sum by (stage) (swerve_rebalance_duration_seconds_count{@}) > 0)",
                "{{stage}} rebalanced",
            ),
            Query(
                "sum by (stage) (swerve_recovery_duration_seconds_sum{@})"
                " / (sum by (stage) (swerve_recovery_duration_seconds_count{@}) > 0)",
                "{{stage}} recovered",
            ),
            width=WIDE,
        ),
        console="/about",
    )
