"""Is Swerve judging, on what, how old is that, and what can it not see? What an overview must say first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from detectors.parameters import RECORDED_MIN, Parameters
from stream.console.desk import Desk
from stream.spoken import percent, span
from stream.telemetry.costs import costs_of
from stream.telemetry.missing import ACCOUNTS_MIN

LATE_MS = 3_600_000  # beyond what a tick and the lateness take anyway: nothing came for an hour


@dataclass(frozen=True, slots=True)
class Judging:
    """is_good: it judges what comes, and what comes is fresh. said: so, or what is wrong, in words.

    age_ms: of the newest record that was judged; None where that says nothing, as in a replay.
    """

    is_good: bool
    said: str
    age_ms: int | None = None


def age_ms(desk: Desk) -> int | None:
    """How old the newest record that was judged is; None before the first, and in a replay."""
    view = desk.view
    return max(0, desk.now_ms() - view.pulse.at_ms) if view.is_live and view.pulse.at_ms else None


def judging(desk: Desk) -> Judging:
    """Whether silence means that nothing moves."""
    why_not, parameters, age = desk.ready(), desk.settings.parameters, age_ms(desk)
    if why_not is not None:
        return Judging(False, f"Not judging: {why_not}", age)
    if not desk.view.is_active:
        return Judging(False, "Not judging here: this worker stands by, another one judges", age)
    if not desk.view.pulse.at_ms:
        return Judging(False, "Not judging yet: waiting for the first tick")
    if age is not None and age > parameters.lateness_ms + parameters.tick_ms + LATE_MS:
        return Judging(False, f"Nothing new to judge: the newest record is {span(age)} old", age)
    return Judging(True, "Judging", age)


def unseen(coverage: Mapping[str, float], accounts: int | None, parameters: Parameters) -> Sequence[tuple[str, str]]:
    """(attribute, what cannot be found without it) of those that hardly any account carries.

    >>> unseen({"asn": 0.0, "org": 0.9}, 500, Parameters())
    [('asn, carried by 0%', 'no cohorts by asn')]
    """
    if (accounts or 0) < ACCOUNTS_MIN:
        return []
    return [
        (f"{name}, carried by {percent(part)}", "; ".join(costs_of(name, parameters)))
        for name, part in sorted(coverage.items())
        if part < RECORDED_MIN
    ]
