"""What is in a chart of the console? The ends of its lines in words, and all of its numbers for the script that draws.

static/charts.js draws them with uPlot. Who has no script, or does not see, reads the ends and the marked moments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson

from stream import spoken
from stream.report.charts import STYLES, Line, Mark


@dataclass(frozen=True, slots=True)
class Ends:
    """One line in words: its style, its name, its share at the begin and at the end."""

    style: int | str
    name: str
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Chart:
    """At least two moments. data: JSON with `times` and `marks` in seconds, and `lines` in percent, null for no value.

    marks: those between the ends, in order of time.
    """

    rows: Sequence[Ends]
    marks: Sequence[Mark]
    from_ms: int
    until_ms: int
    data: str


def chart_of(lines: Sequence[Line], marks: Sequence[Mark] = ()) -> Chart | None:
    """None where there is nothing to draw. O(points).

    >>> chart_of([Line("a", [(1000, 0.25), (2000, 0.5)]), Line("b", [(2000, 1.0)])], [Mark(1000, "onset")]).data
    '{"times":[1,2],"lines":[[25.0,50.0],[null,100.0]],"marks":[[1,"onset"]]}'
    """
    lines = [line for line in lines if line.points]
    times = sorted({at for line in lines for at, _ in line.points})
    if len(times) < 2:
        return None
    within = sorted((mark for mark in marks if times[0] <= mark.at_ms <= times[-1]), key=lambda one: one.at_ms)
    data = {
        "times": [at // 1000 for at in times],
        "lines": [_column(times, line.points) for line in lines],
        "marks": [(mark.at_ms // 1000, mark.text) for mark in within],
    }
    return Chart([_ends(line) for line in lines], within, times[0], times[-1], orjson.dumps(data).decode())


def by_name(series: Mapping[str, Sequence[tuple[int, float]]], marks: Sequence[Mark] = ()) -> Chart | None:
    """Lines by name, strongest first, each in a style of its own."""
    return chart_of([Line(name, points, style % STYLES) for style, (name, points) in enumerate(series.items())], marks)


def _column(times: Sequence[int], points: Sequence[tuple[int, float]]) -> list[float | None]:
    shares = dict(points)
    # A thousandth of a percent is less than a pixel, and most of the bytes of a page are digits.
    return [None if at not in shares else round(100 * shares[at], 3) for at in times]


def _ends(line: Line) -> Ends:
    return Ends(line.style, line.name, spoken.percent(line.points[0][1]), spoken.percent(line.points[-1][1]))
