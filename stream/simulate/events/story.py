"""What is a log made of? The fleet, what happens to it, and the truth about both, under one seed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from stream.simulate.chance.catalogue import DAY_MS, HOUR_MS, MODEL, START_MS
from stream.simulate.chance.draws import Ints, chance
from stream.simulate.chance.names import org_name
from stream.simulate.chance.world import World
from stream.simulate.customers import population
from stream.simulate.customers.adoption import USUAL, Mood, adopt
from stream.simulate.customers.attributes import Sharing
from stream.simulate.customers.fleet import Fleet
from stream.simulate.customers.population import Makeup, Population
from stream.simulate.customers.real_rates import traces
from stream.simulate.customers.shifts import Course
from stream.simulate.customers.traffic import Traffic
from stream.simulate.events.truth import Truth


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

    honest: the honest population; adopting: other streams that take up releases; world: the random world that it goes
    in, None for the usual one.
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
    world: World | None = None

    @classmethod
    def begin(
        cls, name: str, seed: int, size: Size, *, real: bool = False, start_ms: int = START_MS,
        world: World | None = None,
    ) -> Story:  # fmt: skip
        """A fleet of honest accounts, in which nothing has happened yet."""
        end_ms = start_ms + int(size.days * 24) * HOUR_MS
        fleet = Fleet()
        rng = chance(seed, "population")
        makeup, sharing = Makeup(mean_per_day=size.mean_per_day), None
        if world is not None:
            accounts, per_day = world.force(world.operator.kind)
            honest_part = 1 - min(0.2, accounts * per_day * size.days / world.fleet.records)
            makeup = Makeup.drawn(world.fleet, honest_part, size.days, size.accounts)
            sharing = Sharing.drawn(world.honest, size.accounts, world.fleet.services)
        honest = population.settle(fleet, rng, size.accounts, start_ms, end_ms, traces(), real=real, makeup=makeup,
                                   sharing=sharing)  # fmt: skip
        return cls(name, seed, size, fleet, Course(), Truth(), honest, start_ms, end_ms, world=world)

    @property
    def crowd(self) -> float:
        """How many members an honest network has, times those of the usual world."""
        return 1.0 if self.world is None else self.world.life.network_size * (self.size.accounts / 9_000) ** 0.5

    @property
    def pace(self) -> float:
        """Over how many days the members of an honest network move, times those of the usual world."""
        return 1.0 if self.world is None else self.world.life.network_pace

    @property
    def light(self) -> float:
        """How much an honest account sends, times the usual world's; at most 1."""
        if self.world is None:
            return 1.0
        per_day = self.world.fleet.records / self.size.accounts / self.size.days
        return float(min(1.0, max(0.08, per_day / population.MEAN_PER_DAY)))

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
        mood = USUAL if self.world is None else Mood.drawn(self.world.adoption)
        for release in self.truth.releases:
            rng = self.chance("adoption", release["model"])
            model, supersedes = MODEL[release["model"]], MODEL[release["supersedes"]]
            self.course.shifts += adopt(self.fleet, rng, streams, model, supersedes, release["released_at"],
                                        mood)  # fmt: skip

    def traffic(self) -> Traffic:
        """The requests; the same for the same seed."""
        return Traffic(self.fleet, self.course, traces(), self.seed, self.start_ms, self.end_ms)
