"""What tells one operator's hand from an honest network? Learnt on fleets drawn at random, written to `learnt.py`.

`make learn` simulates the fleets of WORLDS (a campaign each) and QUIET (none), replays them through the judge, keeps
the traits of every network that moved, with the truth beside, and fits:

- a curve for each trait: an additive logistic regression over piecewise linear curves, with a ridge that draws every
  curve to nothing. A network counts once however long it lasts, and no trait may add more than NATS_MAX;
- the lines of page and warning: the log-odds that honest networks pass so many times a month, when judged by curves
  that were fitted without their fleet (FOLDS parts of the fleets);
- the same for accounts near a network (see `learn_accounts`), and from their score to a probability: a first guess,
  which `make calibrate` holds against fleets that were not learnt on.

Samples are kept in out/learn until the detection changes, so a run can be taken up again. An hour on two free cores.
With ACCOUNTS=1 it learns of accounts alone, and keeps what is known of networks.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, cast

import numpy as np
import typer
from numpy.typing import NDArray

from benchmarks.found.additive import Curves, Floats, fitted, scored
from benchmarks.found.case import Case, samples_of, seeds, to_stderr
from benchmarks.found.learn_accounts import Belonging, belonging
from detectors.judgement import learnt

LEARNT = Path(learnt.__file__)
# Some of the worlds that are not random, small, and of seeds that no table is made of.
HANDS_AS_LEARNT = ((0.0, 0.0), (6.0, 6.0))  # until `make calibrate` holds them against other fleets
NAMED = (
    ("pivot", 11), ("pivot", 21), ("surge", 12), ("hydra", 13), ("slow_and_low", 14), ("low_prevalence", 15),
    ("no_templates_pivot", 16), ("few_pools", 17), ("quiet", 18), ("honest_networks", 12), ("honest_networks", 22),
)  # fmt: skip
SMALL = {"accounts": 700, "days": 6.0}
MINE_MIN, MINE_MAX = 0.5, 0.2  # of a network's accounts, to be a campaign's, and to be honest
FOLDS = 6
BUDGETS = (0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0)
DAYS_A_MONTH = 30.0
SOON_H = 48  # what a campaign does later is told of already, and weighs less

Pairs = Sequence[tuple[float, float]]


@dataclass(slots=True)
class Samples:
    """Networks, an hour each. fleet, network: numbers; traits: by name, NaN where unknown; mine: a campaign's; early:
    its accounts', before its onset. size: accounts."""

    fleet: NDArray[np.int64]
    network: NDArray[np.int64]
    hour: NDArray[np.int64]
    traits: dict[str, Floats]
    mine: NDArray[np.bool_]
    early: NDArray[np.bool_]
    size: Floats
    weight: Floats
    names: Sequence[str]
    days: Sequence[float]


@dataclass(frozen=True, slots=True)
class Learnt:
    """What was found: the pieces of `learnt.py`. networks_from, accounts_from: the fleets, in words."""

    curves: Curves
    base: float
    lines: Pairs
    networks_from: str
    accounts: Belonging
    accounts_from: str


def known() -> tuple[Curves, float, Pairs]:
    """What stands in `learnt.py` of networks: curves, base and lines."""
    curves = {name: tuple(np.array(column) for column in zip(*points, strict=True))
              for name, points in learnt.TRAITS.items()}  # fmt: skip
    return cast(Curves, curves), learnt.BASE, learnt.LINES


def main(
    worlds: Annotated[str, typer.Option(envvar="WORLDS", help="Seeds of the fleets with a campaign, FROM-TO.")] = (
        "101-135"
    ),
    quiet: Annotated[str, typer.Option(envvar="QUIET", help="Seeds of the quiet ones, FROM-TO.")] = "201-212",
    accounts: Annotated[bool, typer.Option("--accounts", envvar="ACCOUNTS", help="Learn of accounts alone.")] = False,
) -> None:
    """Simulate, fit, print how it does on what it was not fitted on, and write detectors/judgement/learnt.py."""
    cases = [Case("random", seed) for seed in seeds(worlds)] + [Case("random_quiet", seed) for seed in seeds(quiet)]
    fleets = [samples_of(case, to_stderr(f"{case.name}, seed {case.seed}")) for case in cases]
    for scenario, seed in NAMED:
        case = Case(scenario, seed)
        fleets.append(samples_of(case, to_stderr(f"{case.name}, seed {case.seed}"), **SMALL))
    where = f"random {worlds}, random_quiet {quiet}, named scenarios 11-22 with 700 accounts over 6 days"
    typer.echo(learn(fleets, where, LEARNT, accounts))


def learn(fleets: Sequence[Mapping[str, Any]], seeds: str, path: Path | None, accounts: bool = False) -> str:
    """Fit, write the module, and give the report. fleets: as `samples_of` gives them. accounts: of these alone."""
    of_accounts = belonging(fleets)
    if accounts:
        found, text = Learnt(*known(), learnt.NETWORKS_FROM, of_accounts, seeds), []
    else:
        samples = gathered(fleets)
        left_out = crossed(samples)
        curves, base = fitted(samples.traits, samples.mine, samples.weight)
        found = Learnt(curves, base, lines_of(samples, left_out), seeds, of_accounts, seeds)
        text = report(samples, left_out, found)
    if path is not None:
        path.write_text(module(found), encoding="utf-8")
    return "\n".join(text + report_of_accounts(of_accounts))


def gathered(fleets: Sequence[Mapping[str, Any]]) -> Samples:
    """All networks of all fleets; each network weighs 1, each fleet's campaign as much as all of another fleet's."""
    rows = [(i, one) for i, fleet in enumerate(fleets) for one in fleet["samples"]]
    rows = [(i, one) for i, one in rows if _is_told(one)]
    names = sorted({name for _, one in rows for name in one["traits"]})
    fleet = np.array([i for i, _ in rows], np.int64)
    network = fleet * 1_000_000 + np.array([one["network"] for _, one in rows], np.int64)
    mine = np.array([_is_mine(one) for _, one in rows], bool)
    soon = np.array([one["since"] is None or one["since"] <= SOON_H for _, one in rows], bool)
    weight = np.where(mine & ~soon, 0.25, 1.0)
    for key in (network * 2 + mine, fleet * 2 + mine):
        _, index = np.unique(key, return_inverse=True)
        total = np.bincount(index, weight)[index]
        weight = weight / (np.maximum(total, 1e-9) if key is not fleet else np.sqrt(np.maximum(total, 1.0)))
    for value in (True, False):  # a network is as likely a campaign's as not: what is rare is the budgets' to say
        weight[mine == value] *= 0.5 * len(fleets) / max(weight[mine == value].sum(), 1e-9)
    return Samples(
        fleet, network, np.array([one["hour"] for _, one in rows], np.int64),
        {name: np.array([one["traits"].get(name, np.nan) for _, one in rows]) for name in names}, mine,
        np.array([_is_early(one) for _, one in rows], bool),
        np.array([len(one["members"]) for _, one in rows], float), weight,
        [one["name"] for one in fleets], [one["days"] for one in fleets],
    )  # fmt: skip


def _is_told(one: Mapping[str, Any]) -> bool:
    """Whether it is a campaign's or not: not what mixes both."""
    return one["share"] <= MINE_MAX or one["share"] >= MINE_MIN


def _is_mine(one: Mapping[str, Any]) -> bool:
    """A campaign's, since its onset."""
    return one["share"] >= MINE_MIN and one["since"] >= 0


def _is_early(one: Mapping[str, Any]) -> bool:
    """A campaign's accounts before its onset: one hand, and no shift to tell of. The curves learn from them what is no
    shift; no line is drawn by them, for an alert about them would be neither right nor false."""
    return one["share"] >= MINE_MIN and one["since"] < 0


def crossed(samples: Samples) -> Floats:
    """Log-odds of every sample by curves that were fitted without its fleet."""
    out = np.zeros(len(samples.mine))
    for fold in range(FOLDS):
        held = samples.fleet % FOLDS == fold
        rest = {name: values[~held] for name, values in samples.traits.items()}
        curves, base = fitted(rest, samples.mine[~held], samples.weight[~held])
        out[held] = scored({name: values[held] for name, values in samples.traits.items()}, curves, base)
    return out


def lasting(samples: Samples, log_odds: Floats) -> Floats:
    """What the judge goes by: the smoothed log-odds of each network, in the order of its hours."""
    from detectors.judgement.hand import SMOOTH

    out = np.empty(len(log_odds))
    order = np.lexsort((samples.hour, samples.network))
    last, level = -1, 0.0
    for i in order.tolist():
        level = log_odds[i] * SMOOTH if samples.network[i] != last else level + SMOOTH * (log_odds[i] - level)
        last, out[i] = samples.network[i], level
    return out


def lines_of(samples: Samples, left_out: Floats) -> Pairs:
    """(false alerts a month, line): how high honest networks come, each counted once."""
    honest = ~samples.mine & ~samples.early
    log_odds = lasting(samples, left_out)
    _, index = np.unique(samples.network[honest], return_inverse=True)
    highest = np.full(int(index.max()) + 1, -np.inf)
    np.maximum.at(highest, index, log_odds[honest])
    highest = np.sort(highest)[::-1]
    days = float(sum(samples.days))
    lines: list[tuple[float, float]] = []
    for budget in BUDGETS:
        allowed = budget * days / DAYS_A_MONTH
        at = min(int(np.ceil(allowed)), len(highest) - 1)
        above = highest[max(at - 1, 0)] if at else highest[0] + 1.0
        part = allowed - np.floor(allowed) if at else 1.0
        lines.append((budget, round(float(above + (highest[at] - above) * part), 2)))
    return lines


def module(found: Learnt) -> str:
    """The generated module, a row a trait."""
    return "\n".join([
        '"""What random fleets taught of one operator\'s hand. Written by `make learn`: do not edit.', "",
        "NETWORKS_FROM, ACCOUNTS_FROM: the fleets that each was learnt on.",
        "BASE: log-odds of a network before anything is known. TRAITS: (value, nats) along each trait's curve.",
        "LINES: (false alerts a month, log-odds that an alert needs). ACCOUNT_BASE, ACCOUNT: as BASE and TRAITS, of an",
        "account near a network. NAMED: (score over the last hours, log-odds that the account is of that network, as",
        "it turned out). HANDS: (highest log-odds that a network had, log-odds that it is a campaign's).", '"""',
        "", "# fmt: off", "# ruff: noqa: E501", "from __future__ import annotations", "",
        f'NETWORKS_FROM = "{found.networks_from}"', f'ACCOUNTS_FROM = "{found.accounts_from}"', "",
        f"BASE = {found.base:.3f}",
        "TRAITS: dict[str, tuple[tuple[float, float], ...]] = {", *_rows(found.curves), "}",
        f"LINES: tuple[tuple[float, float], ...] = {tuple(found.lines)}",
        f"NAMED: tuple[tuple[float, float], ...] = {tuple(found.accounts.named)}",
        f"HANDS: tuple[tuple[float, float], ...] = {HANDS_AS_LEARNT}",
        f"ACCOUNT_BASE = {found.accounts.base:.3f}",
        "ACCOUNT: dict[str, tuple[tuple[float, float], ...]] = {", *_rows(found.accounts.curves), "}", "",
    ])  # fmt: skip


def _rows(curves: Curves) -> list[str]:
    rows = []
    for name, (places, nats) in sorted(curves.items()):
        points = ", ".join(f"({x:g}, {y:.2f})" for x, y in zip(places, nats, strict=True))
        rows.append(f'    "{name}": ({points},),')
    return rows


def report(samples: Samples, left_out: Floats, found: Learnt) -> list[str]:
    """How the networks that were left out come off: log-loss, and what each budget would have found."""
    score = np.clip(left_out, -30, 30)
    loss = np.logaddexp(0.0, score) - samples.mine * score
    text = [f"log-loss of left-out networks {float((samples.weight * loss).sum() / samples.weight.sum()):.3f}"]
    log_odds = lasting(samples, left_out)
    with_campaign = len({int(f) for f in samples.fleet[samples.mine]})
    for budget, line in found.lines:
        over = {int(f) for f in samples.fleet[samples.mine & (log_odds >= line)]}
        text.append(f"{budget:g} false a month: line {line:+.2f}, {len(over)} of {with_campaign} campaigns")
    return text


def report_of_accounts(found: Belonging) -> list[str]:
    """How accounts near networks of left-out fleets come off."""
    told = [f"accounts named with {part}: {said:.2f} said, {right:.2f} right" for part, said, right in found.told]
    return [f"log-loss of accounts near networks of left-out fleets {found.loss:.3f}", *told]


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(typer.run(main))
