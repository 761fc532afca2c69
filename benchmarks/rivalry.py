"""What would a rival have paged? Its possible pages, and the line that a quiet fleet of the same seed gives it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class RivalFound:
    """One campaign as a rival saw it; as in credit.CampaignFound. false_pages: of the whole log."""

    delay_h: float | None
    recall: float
    precision: float | None
    false_pages: int


def line_of(quiet_tracks: Sequence[Mapping[str, Any]]) -> float:
    """The highest strength that a quiet fleet reached; a page needs more."""
    return max((strength for track in quiet_tracks for _, strength in track["records"]), default=0.0)


def held(
    tracks: Sequence[Mapping[str, Any]], line: float, campaign: str | None, onset_ms: int, accounts: int
) -> RivalFound:
    """Pages of one log above a line. campaign None: there is none, and every page is false."""
    pages = [(track, hour) for track in tracks for hour in [_first_above(track, line)] if hour is not None]
    mine = [(t, hour) for t, hour in pages if campaign in t["mine"] and (hour + 1) * HOUR_MS >= onset_ms]
    anybodys = [t for t, _ in pages if t["mine"]]
    members = {account for track, _ in mine for account in track["mine"][campaign or ""]}
    named = sum(track["named"] for track, _ in mine)
    own = sum(len(track["mine"][campaign or ""]) for track, _ in mine)
    return RivalFound(
        delay_h=min((hour + 1 - onset_ms / HOUR_MS for _, hour in mine), default=None),
        recall=len(members) / accounts if accounts else 0.0,
        precision=own / named if named else None,
        false_pages=len(pages) - len(anybodys),
    )


def _first_above(track: Mapping[str, Any], line: float) -> int | None:
    return next((hour for hour, strength in track["records"] if strength > line), None)
