"""A small language for the life of alerts: what groups do at which hour, and the changes that must come of it.

    story = Story()
    story.between(1, 9).group("net").moves("critical", accounts=300)
    story.wants("2 h net opened critical; 21 h net resolved critical ended")

Groups are judged every hour, cohorts every five minutes, as in the product; every step goes through a snapshot, so
each story also tells that a restart changes nothing. What differs is printed as a list of wanted changes with a tick
or a cross, followed by everything that came.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from detectors.comparison.findings import Finding, Level, Member, Phase, Subject, Target
from stream.alerts.life import Life
from stream.contract.alert import Alert
from stream.contract.expected import Expected, ExpectedSubject, ExpectedTarget
from stream.contract.verdict import Verdict

T0_MS = 1_770_249_600_000  # 2026-02-05 00:00 UTC
HOUR_MS = 3_600_000
TICK_MS = 300_000
LEVELS = {"none": Level.NONE, "info": Level.INFO, "warning": Level.WARNING, "critical": Level.CRITICAL}


def at_ms(hour: float) -> int:
    return T0_MS + round(hour * HOUR_MS)


@dataclass
class Span:
    """Part of a story: first to last, both included, in hours."""

    story: Story
    first: float
    last: float

    def group(self, name: str) -> Actor:
        return Actor(self, name, Subject("cluster", name), HOUR_MS)

    def cohort(self, name: str, dimension: str = "org") -> Actor:
        return Actor(self, name, Subject("cohort", name, dimension), TICK_MS)


@dataclass
class Actor:
    """Who does something in a span."""

    span: Span
    name: str
    subject: Subject
    every_ms: int

    def moves(
        self, level: str, accounts: int = 100, to: tuple[str, ...] = ("model:atlas-4",), of: str = "", **evidence
    ) -> None:
        """of: whose accounts they are, where not the group's own."""
        self._does(Phase.MOVING, level, accounts, to, evidence, of)

    def pauses(self, accounts: int = 100, to: tuple[str, ...] = ("model:atlas-4",)) -> None:
        self._does(Phase.QUIET, "critical", accounts, to, {})

    def is_adopted(self, to: tuple[str, ...] = ("model:atlas-4",)) -> None:
        self._does(Phase.ADOPTED, "critical", 100, to, {})

    def is_superseded(self, to: tuple[str, ...] = ("model:atlas-4",)) -> None:
        self._does(Phase.SUPERSEDED, "critical", 100, to, {})

    def _does(self, phase, level, accounts, to, evidence, of="") -> None:
        first, last = at_ms(self.span.first), at_ms(self.span.last)
        for tick in range(first, last + 1, self.every_ms):
            shares = {"share_before": 0.01, "share_after": 0.48, "share_expected": 0.11, "requests": 1_000}
            members = tuple(Member(f"{of or self.name}-{i:04d}", 0.99, tick, 10, 0.0, 0.5) for i in range(accounts))
            self.span.story.script.setdefault(tick, []).append(
                Finding(
                    key=self.name,
                    kind="release_shift",
                    subject=self.subject,
                    targets=tuple(Target(*one.split(":")) for one in to),
                    level=LEVELS[level],
                    phase=phase,
                    at_ms=tick,
                    onset_ms=first - HOUR_MS,
                    members=members,
                    evidence={**shares, **evidence},
                    why="story",
                )
            )


@dataclass
class Story:
    script: dict[int, list[Finding]] = field(default_factory=dict)
    announcements: list[tuple[int, Expected]] = field(default_factory=list)
    said: list[tuple[int, str, str]] = field(default_factory=list)
    ends: float = 0.0

    def at(self, hour: float) -> Span:
        return self.between(hour, hour)

    def between(self, first: float, last: float) -> Span:
        self.ends = max(self.ends, last)
        return Span(self, first, last)

    def ends_at(self, hour: float) -> None:
        self.ends = hour

    def announced(self, subject: str, between: tuple[float, float], known_at: float = 0, to: str | None = None) -> None:
        """subject: "fleet", "org=org_7" or "payment=p1"; to: "model:atlas-4", or nothing for every target."""
        dimension, _, name = subject.partition("=")
        who = ExpectedSubject("cohort", name, dimension) if name else ExpectedSubject("fleet")
        target = ExpectedTarget(*to.split(":")) if to else None
        shift = Expected(f"known-{subject}", who, target, at_ms(between[0]), at_ms(between[1]), "announced")
        self.announcements.append((at_ms(known_at), shift))

    def verdict(self, group: str, verdict: str, hour: float) -> None:
        """About the latest alert of this group."""
        self.said.append((at_ms(hour), group, verdict))

    def wants(self, changes: str) -> list[Alert]:
        """Exactly these changes, separated by semicolons or lines; gives the records that came."""
        came = self._play()
        wanted = [" ".join(one.split()) for one in changes.replace("\n", ";").split(";") if one.strip()]
        got = [_line(alert) for alert in came]
        assert got == wanted, _difference(wanted, got, came)
        pages = [alert for alert in came if alert.is_page and alert.evidence["change"] in ("opened", "raised")]
        assert len({alert.alert_id for alert in pages}) == len(pages), "an alert paged twice"
        return came

    def _play(self) -> list[Alert]:
        life, came, verdicts = Life(TICK_MS, HOUR_MS), [], {}
        for tick in range(T0_MS, at_ms(self.ends) + 1, TICK_MS):
            expected = [shift for known, shift in self.announcements if known <= tick]
            for when, group, verdict in self.said:
                if when == tick:
                    about = next(a for a in reversed(came) if a.subject.id == group).alert_id
                    verdicts[about] = Verdict(about, verdict, "kim", tick)
            came += life.step(self.script.get(tick, []), tick, expected=expected, verdicts=list(verdicts.values()))
            if tick % HOUR_MS == 0:
                life = Life.restore(life.snapshot(), TICK_MS, HOUR_MS)
        return came


def _line(alert: Alert) -> str:
    hour = (alert.updated_at - T0_MS) / HOUR_MS
    reason = f" {alert.resolved_reason}" if alert.resolved_reason else ""
    return f"{hour:g} h {alert.subject.id} {alert.evidence['change']} {alert.severity}{reason}"


def _difference(wanted: list[str], got: list[str], came: list[Alert]) -> str:
    left = list(got)
    lines = ["", "wanted:"]
    for one in wanted:
        lines.append(f"  {'✓' if one in left else '✗'} {one}")
        if one in left:
            left.remove(one)
    lines.append("came:")
    lines += [f"    {line}    {alert.summary}" for line, alert in zip(got, came, strict=True)]
    return "\n".join(lines)
