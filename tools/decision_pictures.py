#!/usr/bin/env python
"""Draws the pictures of docs/how-it-decides.md from a simulated campaign: what the method saw, hour by hour.

Usage: python tools/decision_pictures.py docs/pictures. Same code, same pictures; some 15 s of one core.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from detectors.comparison.findings import Level
from detectors.comparison.movement import NATS_MAX
from detectors.parameters import Parameters
from stream.contract.alert import Alert
from stream.pipeline.composition import Fleet, Judged
from stream.pipeline.embedded import Embedded, in_order
from stream.report import charts
from stream.report.charts import Line, Mark
from stream.simulate.labelled import batches, truth_of
from stream.simulate.scenarios import tell
from stream.simulate.writing.write import Lines

SCENARIO, SEED, ACCOUNTS, DAYS = "pivot", 3, 600, 5.5
SOURCE = "log"
STYLE = """
svg { background: #fff; font: 12px sans-serif; fill: #333 } .grid { stroke: #e4e4e4 } .mark { stroke: #999 }
.line { fill: none; stroke-width: 2 } .c0 { stroke: #b3261e } .c1 { stroke: #1f5fa8; stroke-dasharray: 6 3 }
.cother { stroke: #777; stroke-dasharray: 2 3 } .b0 { fill: #b3261e } .b1 { fill: #b8c7da } .frame { stroke: #333 }
.far { display: none }
"""
BINS = 10


class Watched:
    """What one run of the simulated log showed. `truth`: who is who; used to draw, never to judge."""

    def __init__(self) -> None:
        told = tell(SCENARIO, SEED, accounts=ACCOUNTS, days=DAYS)
        lines = Lines(told.fleet, told.course, SEED)
        self.truth = truth_of(told, lines)
        (self.campaign,) = self.truth["campaigns"]
        self.target = self.campaign["targets"][0]
        self.members = set(self.campaign["accounts"])
        self.fleet = Fleet(Parameters(), {one["model"]: one["released_at"] for one in self.truth["releases"]})
        self.fleet.on_tick = self._look
        self.alerts: list[Alert] = []
        self.shares: list[tuple[int, float, float]] = []  # at, of the campaign's accounts, of all others
        self.expected: list[tuple[int, float]] = []  # share expected of the network that paged
        self.ranks: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
        embedded = Embedded(Parameters(), [SOURCE], self.fleet, on_alerts=[self.alerts.extend])
        for _ in in_order(embedded, {SOURCE: batches(told, lines)}):
            pass

    def _look(self, judged: Judged) -> None:
        tick = self.fleet.judge.last_tick
        if not judged.is_network or tick is None or self.target not in tick.population.targets:
            return
        population = tick.population
        k = population.targets.index(self.target)
        inside = np.array([name in self.members for name in population.columns.ids])
        both = (population.X[who, k].sum() / max(1.0, population.n[who].sum()) for who in (inside, ~inside))
        self.shares.append((judged.at_ms, *both))
        for finding in judged.findings:
            if finding.level is Level.CRITICAL:
                self.expected = [(int(at), expected) for at, _, expected in finding.evidence["series"]]
        if self.ranks is None and any(alert.severity == "critical" for alert in judged.changed):
            self.ranks = tick.movement.u[inside, k], tick.movement.u[~inside, k]

    def pages(self) -> list[Alert]:
        """The records in which an alert became critical."""
        return [alert for alert in self.alerts if alert.severity == "critical"][:1]


def course(watched: Watched) -> str:
    """Shares over time: the campaign's accounts, the others, and what was expected of the network."""
    release = next(one for one in watched.truth["releases"] if f"model:{one['model']}" == watched.target)
    lines = [
        Line("the campaign's accounts", [(at, inside) for at, inside, _ in watched.shares]),
        Line("all others", [(at, others) for at, _, others in watched.shares], 1),
        Line("what was to be expected of them", watched.expected, "other"),
    ]
    marks = [Mark(release["released_at"], "release"), Mark(watched.campaign["onset_ms"], "the campaign begins")]
    marks += [Mark(alert.updated_at, "page") for alert in watched.pages()]
    title = f"Share of {release['model']} in the last 24 hours: campaign red, all others blue, expected grey"
    return whole(charts.shares(lines, marks, title=title), title)


def ranks(inside: Sequence[float], others: Sequence[float]) -> str:
    """How far accounts had moved in the hour of the page, as parts of the two groups: they overlap."""
    edges = np.linspace(0.0, NATS_MAX, BINS + 1)
    parts = [np.histogram(values, edges)[0] / max(1, len(values)) for values in (others, inside)]
    most = max(part.max() for part in parts)
    drawn = []
    for at in range(BINS):
        for which, part in enumerate(parts):
            height = 180.0 * part[at] / most
            drawn.append(
                Markup('<rect class="b{}" x="{:.1f}" y="{:.1f}" width="28" height="{:.1f}"/>').format(
                    1 - which, 40 + 66 * at + 30 * which, 220 - height, height
                )
            )
        drawn.append(Markup('<text x="{}" y="238">{:g}</text>').format(34 + 66 * at, edges[at]))
    head = Markup('<svg viewBox="0 0 {} {}"><line class="frame" x1="36" x2="706" y1="220" y2="220"/>').format(
        charts.WIDTH, charts.HEIGHT
    )
    title = "How far accounts had moved when it paged, -ln of the rank among their like: campaign red, others blue"
    return whole(head + Markup("").join(drawn) + Markup("</svg>"), title)


def whole(svg: Markup, title: str) -> str:
    """A picture that stands by itself: with its own style, its title below it, and its name space."""
    body = str(svg).removesuffix("</svg>").replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    body = body.replace(f"0 0 {charts.WIDTH} {charts.HEIGHT}", f"0 0 {charts.WIDTH} {charts.HEIGHT + 24}", 1)
    begin = body.index(">") + 1
    text = Markup('<text x="{}" y="{}">{}</text></svg>').format(charts.LEFT, charts.HEIGHT + 14, title)
    return f"{body[:begin]}<style>{STYLE}</style>{body[begin:]}{text}"


def main(folder: Path) -> int:
    """Write both pictures; 1 where nothing paged, since then there is nothing to show."""
    watched = Watched()
    if watched.ranks is None:
        sys.stderr.write("decision_pictures: no page in the simulated log; is the detector whole?\n")
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "course.svg").write_text(f"{course(watched)}\n", "utf-8")
    (folder / "ranks.svg").write_text(f"{ranks(*watched.ranks)}\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
