"""A fleet in one hour, drawn or written down, as the shards' summary shows it to the fleet's judge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from detectors import hour as told
from detectors.comparison.population import Population, population_of
from detectors.counts.summary import AccountColumns
from detectors.parameters import HOUR_MS, Parameters
from detectors.ties.carriers import Carried, Carriers
from detectors.ties.holdings import Holdings
from detectors.ties.neighbours import Neighbours

HOUR = 490_200
PARAMETERS = Parameters()


@dataclass(frozen=True)
class Account:
    """One active account. now, before: requests by target in the last 24 h, and in the baseline."""

    id: str
    org: str | None = None
    n: int = 20
    nb: float = 60.0
    now: Mapping[str, int] = field(default_factory=dict)
    before: Mapping[str, float] = field(default_factory=dict)
    values: Mapping[tuple[str, str], int] = field(default_factory=dict)
    country: str | None = None
    week: str | None = None
    age_h: float = 200.0
    hours: Sequence[int] = (0,) * 24
    bins: Sequence[int] = (1,) + (0,) * 11


def columns_of(accounts: Sequence[Account], hour: int = HOUR) -> AccountColumns:
    """Sorted by id, as shards send them."""
    return told.columns_of([_told(one, hour) for one in accounts])


def _told(one: Account, hour: int) -> told.Account:
    """The same as somebody tells of it who counted elsewhere."""
    return told.Account(
        one.id, one.n, one.now, one.nb, one.before, one.values, one.org, one.country, one.week,
        int((hour + 1 - one.age_h) * HOUR_MS), one.hours, one.bins,
    )  # fmt: skip


def population(accounts: Sequence[Account], hour: int = HOUR, parameters: Parameters = PARAMETERS) -> Population:
    """The population of these accounts."""
    return population_of(columns_of(accounts, hour), hour, parameters, {})


def still_fleet(
    accounts: int,
    seed: int = 1,
    *,
    targets: Sequence[str] = ("capability:coding", "capability:vision", "model:atlas-3", "model:brio-2"),
    volume: float = 25.0,
    prefix: str = "a",
    orgs_of: int = 2,
) -> list[Account]:
    """Honest accounts of which nobody moves: each has a mix of its own, now drawn from the very same as before."""
    rng = np.random.default_rng(seed)
    out = []
    for i in range(accounts):
        mix = rng.dirichlet(np.full(len(targets), 0.8))
        n, nb = int(rng.lognormal(np.log(volume), 0.8)) + 3, int(rng.lognormal(np.log(3 * volume), 0.8)) + 5
        now, before = rng.multinomial(n, mix), rng.multinomial(nb, mix)
        out.append(
            Account(
                f"{prefix}{i:05}",
                f"{prefix}o{i // orgs_of}",
                n,
                float(nb),
                {t: int(c) for t, c in zip(targets, now, strict=True) if c},
                {t: float(c) for t, c in zip(targets, before, strict=True) if c},
                hours=rng.multinomial(n, np.full(24, 1 / 24)).tolist(),
                bins=rng.multinomial(max(n // 24, 1), np.full(12, 1 / 12)).tolist(),
            )
        )
    return out


def moving(accounts: Sequence[Account], target: str, share: float, seed: int = 1) -> list[Account]:
    """The same accounts, of whose requests now about this share goes to the target, taken from all others alike."""
    rng = np.random.default_rng(seed)
    out = []
    for one in accounts:
        moved = int(rng.binomial(one.n, share))
        kept = {name: int(rng.binomial(count, 1 - moved / one.n)) for name, count in one.now.items()}
        now = {name: count for name, count in kept.items() if count}
        now[target] = now.get(target, 0) + moved
        out.append(replace(one, now={name: count for name, count in now.items() if count}))
    return out


def operated(accounts: Sequence[Account], seed: int = 1, *, payments: int = 0, each: int = 3) -> list[Account]:
    """The same accounts on one operator's pools: each on one payment and a few templates and exits of the pool, which
    is so large that about ten accounts carry each."""
    rng = np.random.default_rng(seed)
    payments = payments or max(2, len(accounts) // 10)
    pool = max(6, len(accounts) * each // 10)
    out = []
    for one in accounts:
        values = {("payment", f"pool{rng.integers(payments)}"): one.n}
        for dimension in ("template", "ip_prefix"):
            for v in rng.choice(pool, each, replace=False):
                values[dimension, f"pool{v}"] = max(one.n // each, 1)
        out.append(replace(one, values={**one.values, **values}))
    return out


def private_values(accounts: Sequence[Account]) -> list[Account]:
    """The same accounts, each with a payment, a template and an exit of its own."""
    return [
        replace(one, values={(d, f"{d[0]}-{one.id}"): one.n for d in ("payment", "template", "ip_prefix")})
        for one in accounts
    ]


def carried(one: Population, parameters: Parameters = PARAMETERS) -> Carried:
    """What the population's accounts carried in this hour."""
    carriers = Carriers(parameters.carried_h)
    carriers.learn(one.columns, one.hour)
    return carriers.of(one, parameters.link_dimensions, parameters.link_roles)


def holdings_of(one: Population, parameters: Parameters = PARAMETERS) -> Holdings:
    """The values of the population that still say something, by account, as a tick has them."""
    return Holdings(one, carried(one, parameters), parameters.popular_max(one.organisations))


def neighbours_of(one: Population, parameters: Parameters = PARAMETERS) -> Neighbours:
    """Who shares what with whom in the population."""
    return Neighbours(holdings_of(one, parameters))


def in_rings(accounts: Sequence[Account], dimension: str = "payment", size: int = 3) -> list[Account]:
    """The same accounts, of which so many at a time, as they come, share one value of the dimension."""
    return [
        replace(one, values={**one.values, (dimension, f"{accounts[0].id} ring {i // size}"): one.n})
        for i, one in enumerate(accounts)
    ]


def rows_named(one: Population, ids: Iterable[str]) -> np.ndarray:
    """Rows of these accounts, sorted."""
    return np.flatnonzero(np.isin(one.columns.ids, list(ids)))
