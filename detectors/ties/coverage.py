"""What does the platform record at all? Which part of the accounts carries each attribute that detection builds on."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from detectors.comparison.population import Population
from detectors.counts.summary import AccountColumns
from detectors.parameters import RECORDED_MIN, Parameters
from detectors.ties.carriers import Carried


def organisations_known(columns: AccountColumns) -> bool:
    """Whether the platform says who belongs to which organisation. O(accounts).

    Where it does not, each account counts as an organisation of its own, so that one customer with hundreds of accounts
    cannot be told from hundreds of strangers. Where it does, an account without one is nobody's but its own.
    """
    return len(columns) > 0 and float((columns.org >= 0).mean()) >= RECORDED_MIN


def coverage_of(
    population: Population, carried: Carried, cohorts: Iterable[str], parameters: Parameters
) -> dict[str, float]:
    """Part of the active accounts, 0 to 1, that carry each configured dimension. O(memberships + accounts).

    cohorts: dimensions of the declared cohorts that were ever seen; of a dimension that is nothing else only that is
    known, as 0 or 1.
    """
    seen = set(cohorts)
    told = {name: float(name in seen) for name in parameters.cohort_dimensions}
    columns = population.columns
    for name, index in (
        (parameters.org_dimension, columns.org),
        (parameters.country_dimension, columns.country),
        (parameters.signup_dimension, columns.signup_week),
    ):
        told[name] = float((index >= 0).mean())
    of_row = carried.dimension[carried.value]
    for at, name in enumerate(carried.dimensions):
        carries = np.zeros(len(population), np.bool_)
        carries[carried.row[of_row == at]] = True
        told[name] = float(carries.mean())
    return told
