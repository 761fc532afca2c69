"""What would a rival have paged? Its possible pages, and the line that a quiet fleet of the same seed gives it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.found.credit import HOUR_MS, MINE_MIN

MARGIN = 1.1  # a page needs a tenth more than a quiet fleet reached
DAY_H = 24  # a page names whom the rival alarmed since a day before it

Tracks = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class RivalFound:
    """One campaign as a rival saw it; as in credit.CampaignFound. false_pages: of the whole log."""

    delay_h: float | None
    recall: float
    precision: float | None
    false_pages: int


@dataclass(frozen=True, slots=True)
class _Page:
    hour: int
    mine: Mapping[str, set[str]]
    others: int

    def is_of(self, campaign: str) -> bool:
        named = self.others + sum(map(len, self.mine.values()))
        return len(self.mine.get(campaign, ())) >= max(1, MINE_MIN * named)


def lines_of(quiet: Tracks) -> dict[str, float]:
    """By target, the strength that a page needs.

    >>> lines_of([{"track": "org=o1 model:m", "records": [(5, 10.0)]}, {"track": "org=o2 model:m", "records": []}])
    {'model:m': 11.0}
    """
    lines: dict[str, float] = {}
    for track in quiet:
        top = max((strength for _, strength in track["records"]), default=0.0)
        target = _target(track)
        lines[target] = max(lines.get(target, 0.0), round(MARGIN * top, 3))
    return lines


def held(tracks: Tracks, lines: Mapping[str, float], campaign: str | None, onset_ms: int, accounts: int) -> RivalFound:
    """Pages of one log above the lines. campaign None: there is none, and every page is false."""
    pages = [page for page in (_page(track, lines.get(_target(track), 0.0)) for track in tracks) if page is not None]
    mine = [page for page in pages if campaign and page.is_of(campaign) and (page.hour + 1) * HOUR_MS >= onset_ms]
    false = [page for page in pages if not any(page.is_of(name) for name in page.mine)]
    members = set().union(*(page.mine[campaign or ""] for page in mine))
    planted = sum(len(own) for page in mine for own in page.mine.values())
    named = planted + sum(page.others for page in mine)
    return RivalFound(
        delay_h=min((page.hour + 1 - onset_ms / HOUR_MS for page in mine), default=None),
        recall=len(members) / accounts if accounts else 0.0,
        precision=planted / named if named else None,
        false_pages=len(false),
    )


def _target(track: Mapping[str, Any]) -> str:
    return str(track["track"]).rpartition(" ")[2]


def _page(track: Mapping[str, Any], line: float) -> _Page | None:
    hour = next((hour for hour, strength in track["records"] if strength > line), None)
    if hour is None:
        return None
    since = hour - DAY_H
    mine = {name: {one for one, last in own.items() if last >= since} for name, own in track["mine"].items()}
    return _Page(hour, mine, sum(count for last, count in track["others"] if last >= since))
