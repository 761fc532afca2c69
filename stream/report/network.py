"""Which accounts of an alert carry which shared values, and who is only near? What its picture is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.counts.rows import key_of
from detectors.counts.summary import AccountColumns
from detectors.judgement.groups import Tick
from detectors.ties.carriers import Carriers
from stream.contract.alert import Alert

VALUES_MAX = 20  # the strongest, as a record lists them
MEMBERS_MAX = 400  # columns of a picture: on a phone each is a pixel wide
NEAR_MAX = 24
NETWORKS_MAX = 200  # remembered; each some 30 kB


@dataclass(frozen=True, slots=True)
class Holder:
    """One account, and which of the network's values it carries: bit i is values[i]."""

    account_id: str
    carries: int


@dataclass(frozen=True, slots=True)
class Shared:
    """One value: how many of all members carry it, and how many accounts that are near."""

    dimension: str
    value: str
    members: int
    near: int


@dataclass(frozen=True, slots=True)
class Network:
    """Members and who is near, by the values that the members share, in the 72 hours before at_ms.

    values: those that most members carry first. members, near: whose columns are drawn, in the order in which they
    stand; *_total: how many there are in all. Near is who carries one of the values and is no member.
    """

    at_ms: int
    values: tuple[Shared, ...]
    members: tuple[Holder, ...]
    members_total: int
    near: tuple[Holder, ...]
    near_total: int

    def carried(self, holder: Holder) -> list[Shared]:
        """The values that one of the accounts carries."""
        return [value for place, value in enumerate(self.values) if holder.carries >> place & 1]


@dataclass(frozen=True, slots=True)
class Lately:
    """Who carried what in the 72 hours before at_ms: (value, account) by their keys, sorted.

    names: of values. columns: of the last network tick, which know accounts by name; None where none was judged since
    the start. Arrays are never written to, so that a page may read what another thread has gone on from.
    """

    at_ms: int
    value: NDArray[np.uint64]
    account: NDArray[np.uint64]
    names: Mapping[int, tuple[str, str]]
    columns: AccountColumns | None

    @classmethod
    def of(cls, at_ms: int, carriers: Carriers, tick: Tick | None) -> Lately:
        """As the judge knows it now. O(1)."""
        columns = None if tick is None else tick.population.columns
        return cls(at_ms, carriers.value, carriers.account, carriers.names, columns)

    def carriers(self, dimension: str, value: str) -> NDArray[np.uint64]:
        """The accounts that carry a value, by their keys. O(log memberships)."""
        key = np.uint64(key_of(f"{dimension}\0{value}"))
        first, last = np.searchsorted(self.value, key, "left"), np.searchsorted(self.value, key, "right")
        return self.account[first:last]


def network_of(alert: Alert, members: Sequence[str], lately: Lately) -> Network | None:
    """The network of an alert; None where no value is shared, nobody is named, or who carries them is not known.

    members: all of them, most involved first. O(values x log memberships + carriers of the values + active accounts).
    """
    pairs = _shared_pairs(alert.evidence)
    if not pairs or not members:
        return None
    held = [lately.carriers(*pair) for pair in pairs]
    if not any(map(len, held)):
        return None
    mine = np.array([key_of(one) for one in members], np.uint64)
    keys = np.unique(np.concatenate(held))
    others = keys[~np.isin(keys, mine)]
    strength = [int(np.isin(mine, one).sum()) for one in held]
    order = sorted(range(len(pairs)), key=lambda at: (-strength[at], pairs[at]))
    held = [held[at] for at in order]
    values = tuple(Shared(*pairs[at], strength[at], int(np.isin(others, held[place]).sum()))
                   for place, at in enumerate(order))  # fmt: skip
    inside = _bits(mine[:MEMBERS_MAX], held)
    drawn = [Holder(one, bits) for one, bits in zip(members[:MEMBERS_MAX], inside, strict=True)]
    near = _near(others, held, lately.columns)
    return Network(lately.at_ms, values, tuple(sorted(drawn, key=_alike)), len(members), near, len(others))


def _shared_pairs(evidence: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = [one for one in evidence.get("shared_values") or () if isinstance(one, Mapping)]
    return [(str(one.get("dimension")), str(one.get("value"))) for one in rows[:VALUES_MAX]]


def _bits(keys: NDArray[np.uint64], held: Sequence[NDArray[np.uint64]]) -> list[int]:
    """Of each account, which of the values it carries."""
    bits = np.zeros(len(keys), np.int64)
    for place, carriers in enumerate(held):
        bits |= np.isin(keys, carriers).astype(np.int64) << place
    return [int(one) for one in bits]


def _near(
    others: NDArray[np.uint64], held: Sequence[NDArray[np.uint64]], columns: AccountColumns | None
) -> tuple[Holder, ...]:
    """Who carries most of the values first. Who sent nothing for a day is known by a number alone, and not told."""
    if columns is None:
        return ()
    at = np.flatnonzero(np.isin(columns.keys, others))
    known = [Holder(columns.ids[row], bits)
             for row, bits in zip(at.tolist(), _bits(columns.keys[at], held), strict=True)]  # fmt: skip
    known.sort(key=lambda one: (-one.carries.bit_count(), one.account_id))
    return tuple(sorted(known[:NEAR_MAX], key=_alike))


def _alike(holder: Holder) -> tuple[list[int], str]:
    """Who shares the first value stands together, within these who share the second, and so on."""
    return [1 - (holder.carries >> place & 1) for place in range(VALUES_MAX)], holder.account_id


class Networks(dict[str, Network]):
    """The network of each alert, by its id, as it was in its last hour while it fired. The first ones go first."""

    def see(self, alert: Alert, members: Sequence[str], lately: Lately) -> None:
        """Take in an alert as it is now. What has ended stays as it was: its accounts carry nothing any more."""
        if alert.status == "resolved":
            return
        found = network_of(alert, members, lately)
        if found is None:
            return
        self.pop(alert.alert_id, None)
        self[alert.alert_id] = found
        while len(self) > NETWORKS_MAX:
            del self[next(iter(self))]
