"""What is a log made of? The fleet, what happens to it, and the truth about both, under one seed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from stream.simulate import population
from stream.simulate.adoption import adopt
from stream.simulate.catalogue import DAY_MS, HOUR_MS, MODEL, START_MS
from stream.simulate.draws import Ints, chance
from stream.simulate.fleet import Fleet
from stream.simulate.names import org_name
from stream.simulate.population import Population
from stream.simulate.real_rates import traces
from stream.simulate.shifts import Course
from stream.simulate.traffic import Traffic
from stream.simulate.truth import Truth


@dataclass(frozen=True, slots=True)
class Size:
    """How large a log is. accounts: honest ones; days: its length; scale: of campaigns, where a scenario has it."""

    accounts: int
    days: float
    scale: float = 1.0
    mean_per_day: float = population.MEAN_PER_DAY


@dataclass(slots=True)
class Story:
    """A scenario while it is laid out, and when it is done.

    honest: the honest population; adopting: other streams that take up releases.
    """

    name: str
    seed: int
    size: Size
    fleet: Fleet
    course: Course
    truth: Truth
    honest: Population
    start_ms: int
    end_ms: int
    adopting: list[Ints] = field(default_factory=list)

    @classmethod
    def begin(cls, name: str, seed: int, size: Size, *, real: bool = False, start_ms: int = START_MS) -> Story:
        """A fleet of honest accounts, in which nothing has happened yet."""
        end_ms = start_ms + int(size.days * 24) * HOUR_MS
        fleet = Fleet()
        rng = chance(seed, "population")
        honest = population.settle(fleet, rng, size.accounts, start_ms, end_ms, traces(), real=real,
                                   mean_per_day=size.mean_per_day)  # fmt: skip
        return cls(name, seed, size, fleet, Course(), Truth(), honest, start_ms, end_ms)

    def at(self, day: float) -> int:
        """Milliseconds of a day of the log; 0.0 is its begin."""
        return self.start_ms + int(day * DAY_MS)

    def chance(self, *purpose: str | int) -> np.random.Generator:
        """A generator of this story's own for each purpose."""
        return chance(self.seed, self.name, *purpose)

    def release(self, model: str, supersedes: str, day: float) -> int:
        """Announces a model, which the honest fleet takes up. Gives the time of release."""
        at_ms = self.at(day)
        self.truth.releases.append(
            {"model": model, "released_at": at_ms, "family": model.split("-")[0], "supersedes": supersedes}
        )
        return at_ms

    def announce(self, org: int, target: str, from_ms: int, until_ms: int) -> None:
        """An expected-shift record: the on-call engineer knows that this organisation moves to `kind:id`."""
        kind, name = target.split(":", 1)
        subject = {"kind": "cohort", "dimension": "org", "id": org_name(self.seed, org)}
        self.truth.expected.append(
            {"id": f"migration-{len(self.truth.expected) + 1}", "subject": subject,
             "target": {"kind": kind, "id": name}, "from": from_ms, "until": until_ms, "reason": "announced migration"}
        )  # fmt: skip

    def like_others(self, streams: Ints) -> None:
        """These streams take up releases as honest customers do."""
        self.adopting.append(streams)

    def take_up_releases(self) -> None:
        """Lets everybody who does so take up the releases. Once, when everything else is laid out."""
        streams = np.unique(np.concatenate([self.honest.stream, *self.adopting]))
        for release in self.truth.releases:
            rng = self.chance("adoption", release["model"])
            model, supersedes = MODEL[release["model"]], MODEL[release["supersedes"]]
            self.course.shifts += adopt(self.fleet, rng, streams, model, supersedes, release["released_at"])

    def traffic(self) -> Traffic:
        """The requests; the same for the same seed."""
        return Traffic(self.fleet, self.course, traces(), self.seed, self.start_ms, self.end_ms)
