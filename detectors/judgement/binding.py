"""What binds the accounts of a group? The values that they share and others seldom carry, and since when they do."""

from __future__ import annotations

import numpy as np

from detectors.comparison.population import Floats, Ints
from detectors.counts.sparse import distinct
from detectors.ties.holdings import Holdings
from detectors.ties.membership import TURNED, carried_of, values_of

FRESH_H = 24
USERS_MIN = 5  # accounts that use what is shared, for a spread
KNOWN_H = 48  # of history, before anybody can say that something is new


def ties_of(holdings: Holdings, rows: Ints, evidence: Floats, history_h: int) -> dict[str, float]:
    """What binds the accounts in `rows`: the values that they share and others seldom carry.

    two_kinds: part of the accounts that share values of two dimensions. widest: part of the organisations under the
    payment or exit that covers most. carriers: log10 of the accounts that carry one, mean. exclusive: part of the
    carriers that are of the group. turned: of all accounts that carry two such values, the part whose evidence says
    that they turned; who is in the group was chosen by that, who carries its values was not. fresh: part of what they
    carry of these values that they began to carry in the last day. shared_spread: of ln of the requests that each sent
    through values of the kind that carries most of them. evidence: nats. history_h: hours that are known.
    """
    mine = values_of(holdings, rows)
    carried = carried_of(holdings, mine) >= 2
    at, position = holdings.places(rows)
    shared = mine[holdings.value[at]]
    at, position = at[shared], position[shared]
    value = holdings.value[at]
    kinds = distinct(position * len(holdings.carried.dimensions) + holdings.carried.dimension[value])
    each = np.bincount(kinds // len(holdings.carried.dimensions), minlength=len(rows))
    inside = np.bincount(value, minlength=len(holdings.accounts))
    return {
        **({"fresh": _fresh(holdings, at)} if history_h >= KNOWN_H and len(at) else {}),
        **_shared_spread(holdings, at, position, len(rows)),
        "two_kinds": float((each >= 2).mean()),
        "widest": _widest(holdings, rows, position, value),
        "carriers": float(np.log10(inside[mine].mean())) if mine.any() else 0.0,
        "exclusive": float(inside[mine].sum() / max(int(holdings.accounts[mine].sum()), 1)),
        "turned": float((evidence[carried] >= TURNED).mean()) if carried.any() else 0.0,
    }


def _widest(holdings: Holdings, rows: Ints, position: Ints, value: Ints) -> float:
    org = np.unique(holdings.population.org[rows], return_inverse=True)[1]
    width = int(org.max()) + 1
    pairs = distinct(value * width + org[position])
    reach = np.bincount(pairs // width, minlength=len(holdings.accounts))
    return float(reach[holdings.carried.dimension != holdings.place("template")].max(initial=0) / width)


def _fresh(holdings: Holdings, at: Ints) -> float:
    return float((holdings.began[at] > holdings.population.hour - FRESH_H).mean())


def _shared_spread(holdings: Holdings, at: Ints, position: Ints, size: int) -> dict[str, float]:
    kinds = len(holdings.carried.dimensions)
    place = position * kinds + holdings.carried.dimension[holdings.value[at]]
    by_kind = np.bincount(place, holdings.count[at], size * kinds).reshape(size, kinds)
    requests = by_kind[:, int(by_kind.sum(axis=0).argmax())]
    used = requests[requests > 0]
    return {"shared_spread": float(np.log1p(used).std())} if len(used) >= USERS_MIN else {}
