"""How does it look? The templates' environment, and the pictures that pages share."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from importlib import resources
from typing import Any
from urllib.parse import quote, urlencode

import jinja2
from markupsafe import Markup

from stream import spoken
from stream.alerts.sentence import name as clean
from stream.console.shown.charts import Chart, by_name
from stream.console.shown.view import DAY_MS, View
from stream.report.charts import STYLES, Mark, swatch
from stream.report.matrix import matrix
from stream.report.page import ORDER, SIGNS

HOUR_MS = 3_600_000
SPARK_W, SPARK_H = 96, 22
DAYS_DRAWN = 14
OVER_AS = {  # what was muted is told apart from what ended by itself
    "expected": "muted: announced",
    "harmless": "muted: harmless by verdict",
    "ended": "over: the shift ended",
    "adopted": "over: it became normal",
    "superseded": "over: told anew as another alert",
}
MOVED_MIN = 0.005  # of all requests in a day: less does not move
MOVING_MAX = 8
MOVING_DAYS = 7


def environment() -> jinja2.Environment:
    """Everything that is put into a page is escaped; whoever wants markup must say so."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("stream.console", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        auto_reload=False,
        finalize=spoken.seen,
    )
    made.filters.update(
        moment=spoken.moment, span=spoken.span, count=spoken.count, percent=spoken.percent, past=spoken.past, utc=utc,
        clean=clean, path=lambda text: quote(text, safe=""),
    )  # fmt: skip
    made.globals.update(
        signs=SIGNS, severities=ORDER, over_as=OVER_AS, asset=asset, account_at=account_at, cohort_at=cohort_at,
        swatch=swatch, matrix=matrix,
    )  # fmt: skip
    return made


def utc(at_ms: int) -> Markup:
    """A time as an element that programs can read too."""
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(), at.strftime("%b %-d %H:%M"))


def account_at(account_id: str) -> str:
    """The address of an account's page; in the query, since an id may be any text, ".." too."""
    return "/account?" + urlencode({"id": account_id})


def cohort_at(dimension: str | None, value: str) -> str:
    """The address of a cohort's page."""
    return "/cohort?" + urlencode({"dimension": dimension or "", "id": value})


@lru_cache
def asset(file: str) -> str:
    """The address of a file of ours, which changes when the file does: browsers may keep it for ever."""
    raw = (resources.files("stream.console") / "static" / file).read_bytes()
    return f"/static/{file}?v={hashlib.blake2b(raw, digest_size=6).hexdigest()}"


def spark(points: Sequence[tuple[int, float]], marks_ms: Iterable[int] = (), *, title: str, most: float = 0) -> Markup:
    """A small line of shares without axes; from nothing up to the largest share, or to `most`."""
    if len(points) < 2:
        return Markup("")
    first, last = points[0][0], points[-1][0]
    roof = most or max(0.02, *(share for _, share in points))

    def x(at_ms: int) -> float:
        return 1 + (SPARK_W - 2) * (at_ms - first) / max(1, last - first)

    places = " ".join(f"{x(at):.1f},{SPARK_H - 2 - (SPARK_H - 4) * min(1.0, share / roof):.1f}" for at, share in points)
    lines = Markup("").join(
        Markup('<line class="mark" x1="{0:.1f}" x2="{0:.1f}" y1="0" y2="{1}"/>').format(x(at), SPARK_H)
        for at in marks_ms
        if first < at < last
    )
    return Markup(
        '<svg class="spark" viewBox="0 0 {} {}" role="img" aria-label="{}">{}<polyline points="{}"/></svg>'
    ).format(SPARK_W, SPARK_H, title, lines, Markup(places))


def fleet_chart(view: View, kind: str, onsets: Sequence[Mark] = (), always: Iterable[str] = ()) -> Chart | None:
    """Shares of the whole fleet by the strongest targets of a kind, over at most 14 days.

    always: targets, such as "model:atlas-4", that are drawn even where others are stronger.
    """
    with view.lock:
        wanted = sorted(name for name in set(always) if name.startswith(f"{kind}:") and name in view.fleet.counts)
        strong = [name for name in view.fleet.strongest(kind, STYLES) if name not in wanted]
        names = [*wanted[: STYLES // 2], *strong][:STYLES]
        series = {name.partition(":")[2]: view.fleet.shares(name)[-24 * DAYS_DRAWN :] for name in names}
    marks = releases_marked(view) if kind == "model" else []
    return by_name(series, [*marks, *onsets])


def releases_marked(view: View) -> list[Mark]:
    """A mark for each release."""
    return [Mark(at, f"{clean(model, 24)} released") for model, at in sorted(view.released().items())]


@dataclass(frozen=True, slots=True)
class Moving:
    """One target whose share of the fleet changed. before: of the day before the last."""

    kind: str
    target: str
    now: float
    before: float
    spark: Markup
    released_ms: int | None

    @property
    def change(self) -> float:
        """In parts of all requests."""
        return self.now - self.before


def moving(view: View) -> list[Moving]:
    """Targets whose share changed most between the last day and the day before, most first; none before two days."""
    released = view.released()
    rows = []
    with view.lock:
        if not view.fleet.hours:
            return []
        end = max(view.fleet.hours) + 1
        for full in sorted(view.fleet.counts):
            now = view.fleet.share_between(full, end - 24, end) or 0.0
            before = view.fleet.share_between(full, end - 48, end - 24)
            if before is None or abs(now - before) < MOVED_MIN:
                continue
            rows.append((full, now, before, view.fleet.shares(full)[-24 * MOVING_DAYS :]))
    rows.sort(key=lambda row: (-abs(row[1] - row[2]), row[0]))
    return [_moving(*row, released) for row in rows[:MOVING_MAX]]


def _moving(
    full: str, now: float, before: float, points: Sequence[tuple[int, float]], released: Mapping[str, int]
) -> Moving:
    kind, _, target = full.partition(":")
    at = released.get(target) if kind == "model" else None
    every = max(1, len(points) // 48)
    picture = spark(points[::every], [] if at is None else [at], title=f"share of {target} over the last days")
    return Moving(kind, target, now, before, picture, at)


def smoothed(hours: Mapping[int, int], counts: Mapping[int, int], over_h: int = 6) -> list[tuple[int, float]]:
    """(time in ms, share of the requests in the hours before it), hour by hour.

    >>> smoothed({0: 10, 1: 10}, {1: 5}, 2)
    [(3600000, 0.0), (7200000, 0.25)]
    """
    points = []
    for hour in sorted(hours):
        window = range(hour - over_h + 1, hour + 1)
        total = sum(hours.get(one, 0) for one in window)
        if total:
            points.append(((hour + 1) * HOUR_MS, sum(counts.get(one, 0) for one in window) / total))
    return points


def budget(view: View) -> dict[str, Any]:
    """Pages of the last 30 days beside the stated budget of false ones."""
    return {
        "raised": view.pages_since(view.pulse.at_ms - 30 * DAY_MS),
        "allowed": view.parameters.false_pages_per_month,
    }
