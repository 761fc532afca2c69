"""Is what is told of named accounts true? A picture: what was said of them, against how many were a campaign's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import Any

from markupsafe import Markup

BINS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.99, 1.0001)
SIDE, LEFT, TOP = 360.0, 60.0, 20.0
DOT_MAX = 14.0
STYLE = """
svg { background: #fff; font: 12px sans-serif; fill: #333 } .frame { fill: none; stroke: #333 }
.grid { stroke: #e4e4e4 } .true { stroke: #777; stroke-dasharray: 4 3 }
.spread { stroke: #b3261e } .dot { fill: #b3261e }
"""


@dataclass(frozen=True, slots=True)
class Bin:
    """Accounts that were told a probability from low to high. said: its mean; right: the part that is a campaign's."""

    low: float
    high: float
    named: int
    said: float
    right: float

    @property
    def spread(self) -> float:
        """Half of the 95 % interval of `right`, were accounts independent; those of one fleet are not quite."""
        return 1.96 * sqrt(max(self.right * (1.0 - self.right), 0.01) / self.named)


def bins(found: Sequence[Mapping[str, Any]]) -> list[Bin]:
    """All named accounts of all fleets, by what was told of them; bins without any are left out."""
    pairs = [(p, mine) for fleet in found for p, mine in fleet["said"]["sure"]]
    told = []
    for low, high in pairwise(BINS):
        inside = [(p, mine) for p, mine in pairs if low <= p < high]
        if inside:
            said, right = (sum(column) / len(inside) for column in zip(*inside, strict=True))
            told.append(Bin(low, min(high, 1.0), len(inside), said, right))
    return told


def picture(told: Sequence[Bin]) -> str:
    """An SVG that stands by itself: a dot a bin, larger with more accounts; on the dashed line what is said is so."""
    most = max((one.named for one in told), default=1)
    title = "Named accounts: probability told (across), part that was a campaign's (up); dashed: as it should be"
    head = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 430" role="img"><title>{}</title><style>{}</style>'
    parts = [Markup(head).format(title, Markup(STYLE))]
    for level in range(11):
        x, y = _x(level / 10), _y(level / 10)
        parts.append(Markup('<line class="grid" x1="{0}" x2="{1}" y1="{2}" y2="{2}"/>').format(LEFT, LEFT + SIDE, y))
        parts.append(Markup('<text x="{}" y="{}">{:.1f}</text>').format(LEFT - 28, y + 4, level / 10))
        parts.append(Markup('<text x="{}" y="{}">{:.1f}</text>').format(x - 9, TOP + SIDE + 18, level / 10))
    parts.append(Markup('<rect class="frame" x="{}" y="{}" width="{}" height="{}"/>').format(LEFT, TOP, SIDE, SIDE))
    line = '<line class="true" x1="{}" y1="{}" x2="{}" y2="{}"/>'
    parts.append(Markup(line).format(_x(0.0), _y(0.0), _x(1.0), _y(1.0)))
    for at, one in enumerate(told):
        low, high = max(0.0, one.right - one.spread), min(1.0, one.right + one.spread)
        spread = '<line class="spread" x1="{0:.1f}" x2="{0:.1f}" y1="{1:.1f}" y2="{2:.1f}"/>'
        parts.append(Markup(spread).format(_x(one.said), _y(low), _y(high)))
        dot = '<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="{:.1f}"/>'
        parts.append(Markup(dot).format(_x(one.said), _y(one.right), 3.0 + DOT_MAX * sqrt(one.named / most) / 2))
        row = '<text x="{}" y="{}">{:.2f} said, {:.2f} right, of {:,}</text>'
        parts.append(Markup(row).format(LEFT + SIDE + 24, TOP + 16 + 22 * at, one.said, one.right, one.named))
    parts.append(Markup('<text x="{}" y="{}">{}</text></svg>').format(LEFT, TOP + SIDE + 40, title))
    return f"{Markup('').join(parts)}\n"


def _x(part: float) -> float:
    return LEFT + SIDE * part


def _y(part: float) -> float:
    return TOP + SIDE * (1.0 - part)
