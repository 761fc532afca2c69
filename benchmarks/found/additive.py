"""Additive logistic regression over piecewise linear curves: what `make learn` fits.

A ridge draws every curve to nothing, and it bends only where many samples say so. Source: Hastie and Tibshirani 1990.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression, minimize

KNOTS = (0.02, 0.2, 0.4, 0.6, 0.8, 0.98)  # quantiles of a trait
RIDGE = 1.0
ROUGHNESS = 0.5  # on changes of slope
NATS_MAX = 3.0

Floats = NDArray[np.float64]
Curves = dict[str, tuple[Floats, Floats]]


def fitted(traits: Mapping[str, Floats], mine: NDArray[np.bool_], weight: Floats) -> tuple[Curves, float]:
    """Curves and the base. traits: by name, NaN where unknown. O(samples x knots) a step of the solver."""
    columns, knots = [np.ones((len(mine), 1))], {}
    for name, values in traits.items():
        at = np.unique(np.round(np.nanquantile(values, KNOTS), 4))
        knots[name] = at
        columns.append(_basis(values, at))
    x = np.concatenate(columns, axis=1)
    penalty = _penalty([len(at) for at in knots.values()])
    y = mine.astype(float)

    def loss(beta: Floats) -> tuple[float, Floats]:
        score = x @ beta
        value = float((weight * (np.logaddexp(0.0, score) - y * score)).sum() + 0.5 * beta @ penalty @ beta)
        slope: Floats = x.T @ (weight * (1.0 / (1.0 + np.exp(-score)) - y)) + penalty @ beta
        return value, slope

    beta = minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 2_000}).x
    curves, at = {}, 1
    for name, places in knots.items():
        nats = np.clip(beta[at : at + len(places)], -NATS_MAX, NATS_MAX)
        curves[name] = (places, nats)
        at += len(places)
    return curves, float(beta[0])


def one_way(curves: Curves, directions: Mapping[str, int]) -> Curves:
    """The curves, each of those with a direction level wherever it went the other way.

    What a trait says for something by what it is, it must not say against it in the next fleet because it did so, by
    chance or beside another trait, in those that were learnt on. directions: 1 for what may only rise, -1 for what may
    only fall. Source: pooled adjacent violators, Barlow et al. 1972.

    >>> falls_once = {"shared": (np.array([0.0, 1.0, 2.0]), np.array([-1.0, 1.0, 0.0]))}
    >>> one_way(falls_once, {"shared": 1})["shared"][1].tolist()
    [-1.0, 0.5, 0.5]
    """
    return {
        name: (places, sign * isotonic_regression(sign * nats).x if (sign := directions.get(name, 0)) else nats)
        for name, (places, nats) in curves.items()
    }


def _basis(values: Floats, knots: Floats) -> Floats:
    """Weights of the knots in each value's linear interpolation; all 0 where it is unknown."""
    known = ~np.isnan(values)
    out = np.zeros((len(values), len(knots)))
    eye = np.eye(len(knots))
    for k in range(len(knots)):
        out[known, k] = np.interp(values[known], knots, eye[k])
    return out


def _penalty(widths: Sequence[int]) -> Floats:
    """Ridge on every height, and on every change of slope; the base is free."""
    size = 1 + sum(widths)
    penalty = np.zeros((size, size))
    at = 1
    for width in widths:
        penalty[at : at + width, at : at + width] += RIDGE * np.eye(width) / max(width, 1) * 2.0
        if width > 2:
            bend = np.diff(np.eye(width), n=2, axis=0)
            penalty[at : at + width, at : at + width] += ROUGHNESS * bend.T @ bend
        at += width
    return penalty


def scored(traits: Mapping[str, Floats], curves: Curves, base: float) -> Floats:
    """Log-odds of samples; an unknown trait says nothing."""
    total = np.full(len(next(iter(traits.values()))), base)
    for name, (places, nats) in curves.items():
        known = ~np.isnan(traits[name])
        total[known] += np.interp(traits[name][known], places, nats)
    return total


def calibrated(
    score: Floats, mine: NDArray[np.bool_], weight: Floats, knots: Sequence[float], most: float
) -> list[tuple[float, float]]:
    """(score, log-odds as it turned out) at the knots, rising. most: of probability that is ever told.

    Source: Zadrozny and Elkan 2002 (isotonic calibration).
    """
    order = np.argsort(score)
    fit = isotonic_regression(mine[order].astype(float), weights=weight[order]).x
    at = np.clip(np.interp(knots, score[order], fit), 0.02, most)
    return [(knot, round(float(np.log(p / (1 - p))), 2)) for knot, p in zip(knots, at, strict=True)]
