"""How is one of our panels built? A question as title, a unit, a description, and queries that honour the variables."""

from __future__ import annotations

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
    VariableRefresh,
    VariableSort,
)

SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
HERE = 'job=~"$job",instance=~"$instance"'  # stands for @ in a query: swerve_ready{@}
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
    panel.title(title).unit(unit).description(description).datasource(SOURCE)
    for query, name in zip(queries, "ABCDEF", strict=False):
        panel.with_target(query.build().ref_id(name))
    return panel


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
    """A dashboard with the variables that each has: data source, job, instance."""
    board = Dashboard(title).uid(uid).description(description).tags(["swerve"]).readonly().timezone("utc")
    board.time("now-6h", "now").refresh("30s").tooltip(DashboardCursorSync.CROSSHAIR)
    board.with_variable(DatasourceVariable("datasource").label("Data source").type("prometheus"))
    board.with_variable(_variable("job", "Job", "label_values(swerve_build_info, job)"))
    board.with_variable(_variable("instance", "Instance", 'label_values(swerve_build_info{job=~"$job"}, instance)'))
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


def row(board: Dashboard, title: str, *panels: Panel) -> None:
    """A heading, and its panels below in reading order."""
    board.with_row(Row(title).id(_next_id(board)))
    for panel in panels:
        board.with_panel(panel.id(_next_id(board)))


def _next_id(board: Dashboard) -> int:
    """Ids are the order of the page, from 1: links to a panel hold as long as the page above it does."""
    return len(board.build().panels or []) + 1
