"""What have people's verdicts taught? How alike is an alert to those that were campaigns; it ranks, it never silences.

A logistic regression (river, online, standardised) over a handful of traits that every alert's evidence has. It is
learnt anew from the verdicts in their order whenever it is asked for: there is no state that could drift or be lost.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from river import compose, linear_model, optim, preprocessing

VERDICTS_MIN = 5  # of either word: below it the model knows nothing, and says so
PASSES = 4  # over a history of tens of verdicts one pass is not enough for the weights to settle
LEARNING_RATE = 0.1
RATIO_MAX = 5.0  # a trait is of about unit size: beyond, one odd alert would teach more than all others
L2 = 0.01  # few verdicts, a dozen traits: weights stay small without evidence

Traits = Mapping[str, float]


def traits_of(kind: str, evidence: Mapping[str, Any], accounts: int) -> dict[str, float]:
    """Traits of one alert, each of about unit size; what the evidence lacks is left out. O(1).

    >>> traits_of("release_shift", {"share_after": 0.5, "share_expected": 0.1, "votes_for": 6, "votes": [0] * 8}, 99)
    {'accounts': 2.0, 'excess': 0.4, 'kind release_shift': 1.0, 'votes': 0.75}
    """
    found: dict[str, float | None] = {
        f"kind {kind}": 1.0,
        "accounts": math.log10(1 + max(0, accounts)),
        "organisations": _log(evidence, "organisations"),
        "requests": _log(evidence, "requests"),
        "values": _log(evidence, "shared_values_total"),
        "excess": _less(_number(evidence, "share_after"), _number(evidence, "share_expected")),
        "strength": _ratio(_number(evidence, "statistic"), _number(evidence, "threshold")),
        "cover": _number(evidence, "largest_value_covers"),
        "moved": _number(evidence, "organisations_moved_share"),
        "votes": _ratio(_number(evidence, "votes_for"), float(len(evidence.get("votes") or ())) or None),
    }
    for vote in evidence.get("votes") or ():
        if isinstance(vote, Mapping) and isinstance(vote.get("trait"), str):
            found[f"vote {vote['trait']}"] = 1.0 if vote.get("one_hand") else 0.0
    return {name: value for name, value in sorted(found.items()) if value is not None}


def _number(evidence: Mapping[str, Any], key: str) -> float | None:
    value = evidence.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return max(-1e6, min(1e6, float(value)))


def _log(evidence: Mapping[str, Any], key: str) -> float | None:
    value = _number(evidence, key)
    return None if value is None or value < 0 else math.log10(1 + value)


def _less(value: float | None, other: float | None) -> float | None:
    return None if value is None or other is None else round(value - other, 9)


def _ratio(value: float | None, other: float | None) -> float | None:
    return None if value is None or other is None or other <= 0 else max(-RATIO_MAX, min(RATIO_MAX, value / other))


class Feedback:
    """The probability that an alert is a campaign, by the verdicts on alerts like it.

    history: (traits, whether it was a campaign) of every judged alert, oldest verdict first. Learning costs about
    20 us a verdict and trait, scoring a tenth of it.

    >>> Feedback([]).probability({"votes": 1.0}) is None
    True
    """

    def __init__(self, history: Iterable[tuple[Traits, bool]]) -> None:
        known = [(dict(sorted(traits.items())), was_campaign) for traits, was_campaign in history]
        self.campaigns = sum(was_campaign for _, was_campaign in known)
        self.harmless = len(known) - self.campaigns
        self._model = compose.Pipeline(
            preprocessing.StandardScaler(),
            linear_model.LogisticRegression(optimizer=optim.SGD(LEARNING_RATE), l2=L2),
        )
        if self.is_ready:
            for _ in range(PASSES):
                for traits, was_campaign in known:
                    self._model.learn_one(traits, was_campaign)

    @property
    def is_ready(self) -> bool:
        """Whether it has seen at least five of either word."""
        return min(self.campaigns, self.harmless) >= VERDICTS_MIN

    def probability(self, traits: Traits) -> float | None:
        """0 to 1; None while too few verdicts were given. Changes nothing in the model."""
        if not self.is_ready:
            return None
        told: Mapping[bool, float] = self._model.predict_proba_one(dict(sorted(traits.items())))
        return float(told.get(True, 0.5))
