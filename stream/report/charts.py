"""How does a series become a picture? Line charts as inline SVG, coloured by the page's own style sheet.

For where no script runs: a report may be opened from a mail or a build's artefacts, and a document shows pictures. The
console draws the same lines and marks with uPlot: stream/console/shown/charts.py.

Every line has a colour and a dash of its own, so that neither is the only sign. Names are text chosen by strangers:
everything that is written is escaped.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from markupsafe import Markup

WIDTH, HEIGHT = 720, 260
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 46, 26
LEVELS, CHARACTER = 3, 6.6  # levels of words above a chart, and the width of a letter
STYLES = 8  # colours and dashes that the style sheet knows: .c0 to .c7
HOUR_MS = 3_600_000
STEPS_H = (1, 3, 6, 12, 24, 48, 96, 168, 336, 720, 2160, 4320)


@dataclass(frozen=True, slots=True)
class Line:
    """One series: (time in ms, value) in order of time. style: 0 to 7; "other" is the grey of what is compared with."""

    name: str
    points: Sequence[tuple[int, float]]
    style: int | str = 0


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment worth a vertical line, with its words."""

    at_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class Frame:
    """From values to places in the picture."""

    from_ms: int
    until_ms: int
    most: float

    def x(self, at_ms: float) -> float:
        """Where a time stands, in units of the drawing from its left edge. at_ms: epoch milliseconds."""
        width = max(1, self.until_ms - self.from_ms)
        return LEFT + (WIDTH - LEFT - RIGHT) * (at_ms - self.from_ms) / width

    def y(self, share: float) -> float:
        """Where a share (0 to 1) stands, in units from the top edge; above the scale it stays at its end."""
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * min(share, self.most) / self.most


def shares(lines: Sequence[Line], marks: Sequence[Mark] = (), *, title: str) -> Markup:
    """Shares of 1 over time; title is what a screen reader says. Empty where there is nothing to draw."""
    times = [at for line in lines for at, _ in line.points]
    if len(set(times)) < 2:
        return Markup("")
    frame = Frame(min(times), max(times), _roof(max(share for line in lines for _, share in line.points)))
    parts = [
        *_rows(frame),
        *_columns(frame),
        *_marks(frame, marks),
        *(_path(frame, line) for line in lines),
    ]
    head = Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(WIDTH, HEIGHT, title)
    return head + Markup("").join(parts) + Markup("</svg>")


def _roof(most: float) -> float:
    """The end of the scale: the next friendly share above the largest value.

    >>> _roof(0.31), _roof(0.9), _roof(0.004)
    (0.4, 1.0, 0.01)
    """
    for step in (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8):
        if most <= step:
            return step
    return 1.0


def _rows(frame: Frame) -> list[Markup]:
    rows = []
    steps = 3 if frame.most in (0.3, 0.6) else 5 if frame.most in (0.01, 0.05, 0.1, 0.5) else 4
    for part in range(steps + 1):
        share = frame.most * part / steps
        y = frame.y(share)
        rows.append(
            Markup('<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>').format(LEFT, WIDTH - RIGHT, y, y)
        )
        rows.append(
            Markup('<text class="axis" text-anchor="end" x="{}" y="{:.1f}">{:g}%</text>').format(
                LEFT - 6, y + 4, 100 * share
            )
            # Again at the far end, shown where a narrow page begins to read there.
            + Markup('<text class="axis far" text-anchor="end" x="{}" y="{:.1f}">{:g}%</text>').format(
                WIDTH - RIGHT, y - 3, 100 * share
            )
        )
    return rows


def _columns(frame: Frame) -> list[Markup]:
    """Ticks at whole hours or days UTC, at most eight."""
    width_h = (frame.until_ms - frame.from_ms) / HOUR_MS
    step_ms = HOUR_MS * next((step for step in STEPS_H if width_h / step <= 8), STEPS_H[-1])
    first = math.ceil(frame.from_ms / step_ms) * step_ms
    columns = []
    for at in range(first, frame.until_ms + 1, step_ms):
        x = frame.x(at)
        word = datetime.fromtimestamp(at / 1000, UTC).strftime("%H:%M" if step_ms < 24 * HOUR_MS else "%b %-d")
        anchor = "start" if x < LEFT + 14 else "end" if x > WIDTH - RIGHT - 14 else "middle"
        columns.append(
            Markup('<text class="axis" text-anchor="{}" x="{:.1f}" y="{}">{}</text>').format(
                anchor, x, HEIGHT - 8, word
            )
        )
    return columns


def _marks(frame: Frame, marks: Sequence[Mark]) -> list[Markup]:
    """Vertical lines with their words, each on the first level where it meets no other."""
    drawn = []
    taken = [-math.inf] * LEVELS
    for mark in sorted(marks, key=lambda one: (one.at_ms, one.text)):
        if not frame.from_ms <= mark.at_ms <= frame.until_ms:
            continue
        x, width = frame.x(mark.at_ms), CHARACTER * len(mark.text)
        anchor, gap = ("end", -4) if x + width > WIDTH else ("start", 4)
        begin = x - width if anchor == "end" else x
        level = next((one for one in range(LEVELS) if taken[one] < begin), LEVELS - 1)
        taken[level] = begin + width + 8
        drawn.append(
            Markup('<line class="mark" x1="{:.1f}" x2="{:.1f}" y1="{}" y2="{}"/>').format(
                x, x, 4 + 13 * level, HEIGHT - BOTTOM
            )
            + Markup('<text class="word" text-anchor="{}" x="{:.1f}" y="{}">{}</text>').format(
                anchor, x + gap, 12 + 13 * level, mark.text
            )
        )
    return drawn


def _path(frame: Frame, line: Line) -> Markup:
    places = " ".join(f"{frame.x(at):.1f},{frame.y(share):.1f}" for at, share in line.points)
    return Markup('<polyline class="line c{}" points="{}"><title>{}</title></polyline>').format(
        line.style, places, line.name
    )


def swatch(style: int | str) -> Markup:
    """The sample of a line for the legend below a chart."""
    sample = Markup('<line class="line c{}" x1="0" x2="26" y1="4" y2="4"/>').format(style)
    return Markup('<svg class="swatch" viewBox="0 0 26 8" aria-hidden="true">{}</svg>').format(sample)
