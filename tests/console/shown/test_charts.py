"""What a chart holds: every number for the script that draws, the ends in words for whoever has none."""

from __future__ import annotations

import orjson
import pytest

from stream.console.shown.charts import by_name, chart_of
from stream.console.shown.tracks import Mix
from stream.report.charts import STYLES, Line, Mark

HOUR_MS = 3_600_000


def line(name: str, *shares: float | None) -> Line:
    """One share an hour; None: no point."""
    return Line(name, [(hour * HOUR_MS, share) for hour, share in enumerate(shares) if share is not None])


def test_lines_of_different_hours_are_put_on_one_row_of_times_and_gaps_stay_gaps():
    drawn = orjson.loads(chart_of([line("a", 0.1, None, 0.3), line("b", None, 0.25)]).data)
    assert drawn["times"] == [0, 3600, 7200]
    assert drawn["lines"] == [[10, None, 30], [None, 25, None]]


def test_numbers_are_as_exact_as_a_pixel_and_no_longer():
    assert orjson.loads(chart_of([line("a", 1 / 3, 2 / 3)]).data)["lines"] == [[33.333, 66.667]]


@pytest.mark.parametrize("lines", [[], [line("a")], [line("a", 0.5)], [line("a", 0.5), line("b", 0.6)]])
def test_one_moment_is_no_chart(lines):
    assert chart_of(lines) is None


def test_a_line_without_a_point_is_left_out_of_numbers_and_words_alike():
    drawn = chart_of([line("a"), line("b", 0.02, 0.48)])
    assert [(one.name, one.first, one.last) for one in drawn.rows] == [("b", "2%", "48%")]
    assert len(orjson.loads(drawn.data)["lines"]) == 1


def test_marks_are_those_between_the_ends_in_order_of_time():
    marks = [Mark(2 * HOUR_MS, "page"), Mark(-1, "long ago"), Mark(0, "released"), Mark(3 * HOUR_MS, "to come")]
    drawn = chart_of([line("a", 0.1, 0.2, 0.3)], marks)
    assert [mark.text for mark in drawn.marks] == ["released", "page"]
    assert orjson.loads(drawn.data)["marks"] == [[0, "released"], [7200, "page"]]


def test_every_line_has_a_style_that_the_style_sheet_knows():
    drawn = by_name({f"m{n}": [(0, 0.1), (1000, 0.1)] for n in range(STYLES + 2)})
    assert [one.style for one in drawn.rows] == [*range(STYLES), 0, 1]


def test_hours_in_which_an_account_used_something_else_are_nothing_and_no_gap():
    mix = Mix([(1, 10), (2, 10), (3, 10)], {"model:a": [(1, 0.5), (3, 0.5)]})
    assert mix.whole("model:a") == [(1, 0.5), (2, 0.0), (3, 0.5)]
