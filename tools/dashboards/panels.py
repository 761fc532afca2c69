"""How is one of our panels built? A question as title, a unit, a description, and queries that honour the variables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.builders.dashboard import (
    AnnotationQuery,
    AnnotationTarget,
    Dashboard,
    DatasourceVariable,
    QueryVariable,
    Row,
    ThresholdsConfig,
)
from grafana_foundation_sdk.models.common import (
    BigValueGraphMode,
    LegendDisplayMode,
    LegendPlacement,
    StackingMode,
    TooltipDisplayMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DataSourceRef,
    Threshold,
    ThresholdsMode,
    VariableHide,
    VariableRefresh,
    VariableSort,
)

SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
# Stands for @ in a query: swerve_ready{@}. Where series have no such label, "All" matches them too.
HERE = 'cluster=~"$cluster",namespace=~"$namespace",job=~"$job",instance=~"$instance"'
BUILD = "swerve_build_info"
# Metrics that no process without Kafka has, as `swerve watch`, and what tells each of them in stream/telemetry/metrics.
KAFKA = {
    "swerve_correlate_active": "correlate_active", "swerve_frame_size_bytes": "frame_sent",
    "swerve_frames_applied_total": "frame_applied", "swerve_frames_sent_total": "frame_sent",
    "swerve_lag_messages": "source_lag", "swerve_partial_ticks_total": "partial_tick",
    "swerve_rebalance_duration_seconds": "rebalance", "swerve_rebalances_total": "rebalance",
    "swerve_recoveries_total": "recovery", "swerve_recovery_duration_seconds": "recovery",
    "swerve_snapshot_duration_seconds": "snapshot_written", "swerve_snapshot_size_bytes": "snapshot_written",
    "swerve_snapshot_timestamp_seconds": "snapshot_written", "swerve_sources": "sources",
}  # fmt: skip
NEEDS_KAFKA = "Needs Kafka: swerve watch does not fill it."
WIDE, HALF, THIRD, QUARTER = 24, 12, 8, 6

Panel = timeseries.Panel | stat.Panel


@dataclass(frozen=True, slots=True)
class Query:
    """PromQL, with @ where the variables belong, and what its lines are called."""

    promql: str
    legend: str
    exemplar: bool = False

    def build(self) -> prometheus.Dataquery:
        """As the panel wants it."""
        query = prometheus.Dataquery().expr(self.promql.replace("@", HERE)).legend_format(self.legend)
        return query.exemplar(self.exemplar).range().datasource(SOURCE)


@dataclass(frozen=True, slots=True)
class Limit:
    """From this value on, the panel turns this colour."""

    value: float
    colour: str = "red"


def _with_queries(panel: Panel, title: str, unit: str, description: str, queries: Sequence[Query]) -> Panel:
    if needs_kafka(queries):
        description = f"{description} {NEEDS_KAFKA}"
        panel.no_value(NEEDS_KAFKA)
    panel.title(title).unit(unit).description(description).datasource(SOURCE)
    for query, name in zip(queries, "ABCDEF", strict=False):
        panel.with_target(query.build().ref_id(name))
    return panel


def needs_kafka(queries: Sequence[Query]) -> bool:
    """Whether none of these reads a metric that a process without Kafka has."""
    read = {name for query in queries for name in re.findall(r"(\w+)\{", query.promql)}
    return all(re.sub(r"_(sum|count|bucket)$", "", name) in KAFKA for name in read)


def _limits(base: str, limits: Sequence[Limit]) -> ThresholdsConfig:
    steps = [Threshold(value=None, color=base), *(Threshold(value=one.value, color=one.colour) for one in limits)]
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)


def lines(
    title: str, unit: str, description: str, *queries: Query, width: int = HALF, stacked: bool = False
) -> timeseries.Panel:
    """How it went over time. The legend is a table with the last and the largest value."""
    panel = timeseries.Panel().span(width).height(8).line_width(1).fill_opacity(60 if stacked else 8)
    legend = common.VizLegendOptions().display_mode(LegendDisplayMode.TABLE).placement(LegendPlacement.BOTTOM)
    panel.legend(legend.show_legend(True).calcs(["lastNotNull", "max"]))
    panel.tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
    if stacked:
        panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL)).min(0)
    _with_queries(panel, title, unit, description, queries)
    return panel


def number(
    title: str, unit: str, description: str, *queries: Query, limits: Sequence[Limit] = (), width: int = QUARTER
) -> stat.Panel:
    """How it is now, in large figures."""
    panel = stat.Panel().span(width).height(5).graph_mode(BigValueGraphMode.AREA)
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    panel.thresholds(_limits("green", limits))
    _with_queries(panel, title, unit, description, queries)
    return panel


def empty(uid: str, title: str, description: str) -> Dashboard:
    """A dashboard with the variables that each has: data source, where, and the console that the links lead to."""
    board = Dashboard(title).uid(uid).description(description).tags(["swerve"]).readonly().timezone("utc")
    board.time("now-6h", "now").refresh("30s").tooltip(DashboardCursorSync.CROSSHAIR)
    board.with_variable(DatasourceVariable("datasource").label("Data source").type("prometheus"))
    within = ""
    for name in ("cluster", "namespace", "job", "instance"):
        board.with_variable(_variable(name, name.capitalize(), f"label_values({BUILD}{{{within}}}, {name})"))
        within += f'{"," if within else ""}{name}=~"${name}"'
    board.with_variable(_console())
    board.annotation(_releases()).annotation(_alerts())
    links = dashboard.DashboardLink("Swerve").type("dashboards").tags(["swerve"]).as_dropdown(True)
    board.link(links.include_vars(True).keep_time(True))
    return board


def _releases() -> AnnotationQuery:
    """A mark where each model came out: the series says when, so that one announced late stands where it belongs."""
    marks = AnnotationQuery().name("Releases").datasource(SOURCE).enable(True).icon_color("blue")
    marks.expr(f"1000 * swerve_release_timestamp_seconds{{{HERE}}}").use_value_for_time(True).step("5m")
    return marks.title_format("{{release}} released").tag_keys("release")


def _alerts() -> AnnotationQuery:
    """What the sink of kind "grafana" wrote: from the first firing to the end, with the link."""
    target = AnnotationTarget().limit(100).match_any(False).tags(["swerve", "alert"]).type("tags")
    marks = AnnotationQuery().name("Alerts").datasource(DataSourceRef(type_val="grafana", uid="-- Grafana --"))
    return marks.enable(True).icon_color("red").target(target)


def _variable(name: str, label: str, query: str) -> QueryVariable:
    variable = QueryVariable(name).label(label).query(query).datasource(SOURCE)
    variable.refresh(VariableRefresh.ON_TIME_RANGE_CHANGED).sort(VariableSort.ALPHABETICAL_ASC)
    return variable.multi(True).include_all(True).all_value(".*")


def _console() -> QueryVariable:
    """Where people reach the console, as the process that serves it says; not shown, the panels' links use it."""
    variable = QueryVariable("console").query(f"label_values(swerve_console_info{{{HERE}}}, public_url)")
    variable.datasource(SOURCE).refresh(VariableRefresh.ON_TIME_RANGE_CHANGED).hide(VariableHide.HIDE_VARIABLE)
    return variable


def row(board: Dashboard, title: str, *panels: Panel, console: str) -> None:
    """A heading, and its panels below in reading order. console: the page of the console that each links to."""
    board.with_row(Row(title).id(_next_id(board)))
    for panel in panels:
        link = dashboard.DashboardLink("Open in the console").type("link").url(f"${{console}}{console}")
        board.with_panel(panel.id(_next_id(board)).links([link.target_blank(True)]))


def _next_id(board: Dashboard) -> int:
    """Ids are the order of the page, from 1: links to a panel hold as long as the page above it does."""
    return len(board.build().panels or []) + 1
