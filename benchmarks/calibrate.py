"""Is what is told of a named account true? As often right as it says, on fleets that nothing was learnt on.

`make calibrate` replays fleets drawn at random, by curves that did not see them, takes every account that a warning or
a page named, and writes two curves into `learnt.py`: how often a network with such log-odds of a hand was a campaign's
(HANDS), and how often an account with such a score was of a network that was (NAMED). It changes no alert and no name,
only the probability beside each name. Fleets of the tables in README are none of these.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any

import numpy as np
import typer
from scipy.optimize import isotonic_regression

from benchmarks.found.case import Case, seeds, version
from benchmarks.found.credit import MINE_MIN
from benchmarks.found.learn_accounts import MOST
from benchmarks.found.reliability import BINS
from benchmarks.learn import LEARNT
from benchmarks.strangers import replayed
from detectors.judgement.belonging import NAME_ODDS
from detectors.judgement.learnt import HANDS, NAMED

KNOTS = (NAME_ODDS, 1.3, 1.6, 2.0, 2.3, 2.6, 3.0, 3.5, 4.0, 5.0, 6.0)
RISE = 0.01  # from knot to knot at least: what was told of an account says what its score was
BELOW = (-4.0, -3.0)  # score, and nats below the first knot: who is not named is told nobody
LINE = re.compile(r"^(# NAMED: [^\n]*\n)?NAMED: tuple[^\n]*\n(HANDS: tuple[^\n]*\n)?", re.MULTILINE)
# One network with a thousand accounts is not a thousand times as much to learn from as one with one.
NETWORK_POWER = -0.5
HAND_KNOTS = (0.8, 1.4, 1.9, 2.4, 3.2, 4.5)
HAND_WEIGHT = 1.0

Found = Sequence[Mapping[str, Any]]
Points = Sequence[tuple[float, float]]
Floats = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """The two curves: see `detectors.judgement.learnt`."""

    named: Points
    hands: Points

    def of(self, accounts: Accounts) -> Floats:
        """The probability that is told of each account."""
        return _part(self.named, accounts.score) * _part(self.hands, accounts.hand)


@dataclass(frozen=True, slots=True)
class Accounts:
    """Every account that an alert named, once for each that did. network: a number; right: that network is a
    campaign's."""

    score: Floats
    hand: Floats
    mine: Floats
    network: Floats
    right: Floats


def main(
    worlds: Annotated[str, typer.Option(envvar="WORLDS", help="Seeds of fleets with a campaign, FROM-TO.")] = "301-312",
    quiet: Annotated[str, typer.Option(envvar="QUIET", help="Seeds of quiet fleets, FROM-TO.")] = "401-402",
) -> None:
    """Measure, print what was said and what was right, and write the curve into detectors/judgement/learnt.py."""
    version()  # before anybody edits what this process has loaded
    cases = [Case("random", seed) for seed in seeds(worlds)] + [Case("random_quiet", seed) for seed in seeds(quiet)]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(replayed, cases))
    told = curves_of(found)
    typer.echo("\n".join(report(found, told)))
    where = f"random {worlds} and random_quiet {quiet}"
    LEARNT.write_text(written(LEARNT.read_text(encoding="utf-8"), told, where), encoding="utf-8")


def curves_of(found: Found) -> Told:
    """What such networks, and such accounts of those that are a campaign's, turned out to be."""
    accounts = accounts_of(found)
    return Told(_members(accounts), _hands(accounts))


def _members(accounts: Accounts) -> Points:
    """(score, log-odds that the account is of its network), rising.

    Each account speaks for the two knots that it lies between, the nearer the more; rising by isotonic regression.
    Source: Zadrozny and Elkan 2002, smoothed.
    """
    score, mine, network = (one[accounts.right] for one in (accounts.score, accounts.mine, accounts.network))
    weight = np.bincount(network)[network] ** NETWORK_POWER
    hats = np.array([np.interp(score, KNOTS, one) for one in np.eye(len(KNOTS))]) * weight
    heard = hats.sum(axis=1) + 1e-9
    part = isotonic_regression((hats * mine).sum(axis=1) / heard, weights=heard).x
    part = np.clip(part, 0.02, MOST)
    levels = _levels(part)
    return [(BELOW[0], round(levels[0] + BELOW[1], 2)), *zip(KNOTS, levels, strict=True)]


def _hands(accounts: Accounts) -> Points:
    """(highest log-odds of a hand, log-odds that the network is a campaign's), rising, found as in `_members`.

    A network speaks by as many accounts as it names, since what is told is told of each of them. Networks are few: at
    each knot HAND_WEIGHT more are thought to have turned out as their log-odds say.
    """
    _, first, many = np.unique(accounts.network, return_index=True, return_counts=True)
    hats = np.array([np.interp(accounts.hand[first], HAND_KNOTS, one) for one in np.eye(len(HAND_KNOTS))])
    hats *= many / many.mean()
    thought = _logistic(np.array(HAND_KNOTS))
    heard = hats.sum(axis=1) + HAND_WEIGHT
    right = (hats * accounts.right[first]).sum(axis=1) + HAND_WEIGHT * thought
    part = isotonic_regression(right / heard, weights=heard).x
    return list(zip(HAND_KNOTS, _levels(part), strict=True))


def _levels(part: Floats) -> list[float]:
    """Log-odds of rising parts, each a little above the one before: what was told says what it was told of."""
    levels: list[float] = (np.log(part / (1.0 - part)) + RISE * np.arange(len(part))).round(2).tolist()
    return levels


def _logistic(odds: Floats) -> Floats:
    part: Floats = 1.0 / (1.0 + np.exp(-odds))
    return part


def written(module: str, told: Told, where: str) -> str:
    """The text of `learnt.py` with these curves in place of those that it has."""
    lines = (
        f"# NAMED: as those named in {where} turned out, none of them learnt on (`make calibrate`).\n"
        f"NAMED: tuple[tuple[float, float], ...] = {tuple(told.named)}\n"
        f"HANDS: tuple[tuple[float, float], ...] = {tuple(told.hands)}\n"
    )
    return LINE.sub(lambda _: lines, module, count=1)


def report(found: Found, told: Told) -> list[str]:
    """Of the named, by what is told of them: the average, and how many were right; by the old curves and the new."""
    accounts = accounts_of(found)
    lines = [f"{len(accounts.score)} accounts named by {len(set(accounts.network.tolist()))} networks"]
    for title, curves in (("told until now", Told(NAMED, HANDS)), ("told from now on", told)):
        said = curves.of(accounts)
        for low, high in pairwise(BINS):
            inside = (said >= low) & (said < high)
            if inside.any():
                right = f"{said[inside].mean():.2f} said, {accounts.mine[inside].mean():.2f} right"
                lines.append(f"{title}, {low:g} to {min(high, 1.0):g}: {right} of {inside.sum()}")
    return lines


def accounts_of(found: Found) -> Accounts:
    """All that the fleets' alerts named."""
    rows = [(number, row) for number, one in enumerate(found) for row in one["named"]]
    network = np.unique([f"{number} {row['incident']}" for number, row in rows], return_inverse=True)[1]
    mine = np.array([row["mine"] for _, row in rows], float)
    part = np.bincount(network, mine) / np.bincount(network)
    score, hand = (np.array([row[name] for _, row in rows], float) for name in ("score", "hand"))
    return Accounts(score, hand, mine, network, part[network] >= MINE_MIN)


def _part(curve: Points, value: Floats) -> Floats:
    places, levels = zip(*curve, strict=True)
    return _logistic(np.interp(value, places, levels))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    typer.run(main)
