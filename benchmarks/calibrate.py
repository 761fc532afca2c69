"""Is what is told of a named account true? As often right as it says, on fleets that nothing was learnt on.

`make calibrate` replays fleets drawn at random, by curves that did not see them, takes every account that a warning or
a page named, and writes how often such an account was a campaign's beside its score: NAMED in `learnt.py`. It changes
no alert and no name, only the probability beside each name. Fleets of the tables in README are none of these.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from typing import Annotated, Any

import numpy as np
import typer
from scipy.optimize import isotonic_regression

from benchmarks.found.case import Case, seeds, version
from benchmarks.found.learn_accounts import MOST
from benchmarks.found.reliability import BINS
from benchmarks.learn import LEARNT
from benchmarks.strangers import replayed
from detectors.judgement.belonging import NAME_ODDS
from detectors.judgement.learnt import NAMED

KNOTS = (NAME_ODDS, 1.3, 1.6, 2.0, 2.3, 2.6, 3.0, 3.5, 4.0, 5.0, 6.0)
RISE = 0.01  # from knot to knot at least: what was told of an account says what its score was
BELOW = (-4.0, -3.0)  # score, and nats below the first knot: who is not named is told nobody
LINE = re.compile(r"^(# NAMED: [^\n]*\n)?NAMED: tuple[^\n]*\n", re.MULTILINE)
# One fleet with a thousand accounts is not a thousand times as much to learn from as one with one.
FLEET_POWER = -0.5

Found = Sequence[Mapping[str, Any]]
Points = Sequence[tuple[float, float]]


def main(
    worlds: Annotated[str, typer.Option(envvar="WORLDS", help="Seeds of fleets with a campaign, FROM-TO.")] = "301-312",
    quiet: Annotated[str, typer.Option(envvar="QUIET", help="Seeds of quiet fleets, FROM-TO.")] = "401-402",
) -> None:
    """Measure, print what was said and what was right, and write the curve into detectors/judgement/learnt.py."""
    version()  # before anybody edits what this process has loaded
    cases = [Case("random", seed) for seed in seeds(worlds)] + [Case("random_quiet", seed) for seed in seeds(quiet)]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(replayed, cases))
    points = curve_of(found)
    typer.echo("\n".join(report(found, points)))
    where = f"random {worlds} and random_quiet {quiet}"
    LEARNT.write_text(written(LEARNT.read_text(encoding="utf-8"), points, where), encoding="utf-8")


def curve_of(found: Found) -> Points:
    """(score, log-odds that the account is a campaign's, as it turned out), rising.

    Each account speaks for the two knots that it lies between, the nearer the more; rising by isotonic regression.
    Source: Zadrozny and Elkan 2002, smoothed.
    """
    score, mine, weight = _named(found)
    hats = np.array([np.interp(score, KNOTS, one) for one in np.eye(len(KNOTS))]) * weight
    heard = hats.sum(axis=1) + 1e-9
    part = isotonic_regression((hats * mine).sum(axis=1) / heard, weights=heard).x
    part = np.clip(part, 0.02, MOST)
    levels = (np.log(part / (1.0 - part)) + RISE * np.arange(len(part))).round(2).tolist()
    return [(BELOW[0], round(levels[0] + BELOW[1], 2)), *zip(KNOTS, levels, strict=True)]


def written(module: str, points: Points, where: str) -> str:
    """The text of `learnt.py` with this curve in place of the one that it has."""
    line = f"NAMED: tuple[tuple[float, float], ...] = {tuple(points)}\n"
    told = f"# NAMED: as those named in {where} turned out, none of them learnt on (`make calibrate`).\n"
    return LINE.sub(lambda _: told + line, module, count=1)


def report(found: Found, points: Points) -> list[str]:
    """Of the named, by what is told of them: the average, and how many were right; by the old curve and the new one."""
    score, mine, _ = _named(found)
    lines = [f"{len(score)} accounts named"]
    for title, curve in (("told until now", NAMED), ("told from now on", points)):
        told = _probability(curve, score)
        for low, high in pairwise(BINS):
            inside = (told >= low) & (told < high)
            if inside.any():
                right = f"{told[inside].mean():.2f} said, {mine[inside].mean():.2f} right"
                lines.append(f"{title}, {low:g} to {min(high, 1.0):g}: {right} of {inside.sum()}")
    return lines


def _named(found: Found) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """(score, whether a campaign's, weight) of every account that an alert named."""
    told = [(p, mine, len(one["said"]["sure"])) for one in found for p, mine in one["said"]["sure"]]
    said, mine, many = (np.array(column) for column in zip(*told, strict=True))
    odds = np.log(said / (1.0 - said))
    scores, levels = zip(*NAMED, strict=True)
    return np.interp(odds, levels, scores), mine.astype(bool), many.astype(float) ** FLEET_POWER


def _probability(curve: Points, score: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    scores, levels = zip(*curve, strict=True)
    told: np.ndarray[Any, Any] = 1.0 / (1.0 + np.exp(-np.interp(score, scores, levels)))
    return told


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(typer.run(main))
