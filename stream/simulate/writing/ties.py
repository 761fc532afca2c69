"""How thin is what ties a campaign's accounts? Carriers of each value that two of them share, and who else has it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stream.simulate.chance.draws import Ints
from stream.simulate.customers.fleet import Fleet
from stream.simulate.customers.traffic import Batch

COLUMNS = {"payment": "payment", "exit": "network", "prompt": "template"}
SHARED_MIN = 2  # accounts of a campaign on a value
BUFFER = 4_000_000  # pairs of account and value that are held before they are made distinct


@dataclass(frozen=True, slots=True)
class Shared:
    """Values of one kind that at least two campaign accounts use. values: how many; ours, honest: medians of carriers.

    honest_most: the upper tenth of the honest carriers. touched: honest accounts that use any of them.
    """

    kind: str
    values: int
    ours: float
    honest: float
    honest_most: float
    touched: int


class Ties:
    """Collects who used what, batch by batch."""

    def __init__(self, fleet: Fleet) -> None:
        self._minted = {name: max(1, fleet.minted[column]) for name, column in COLUMNS.items()}
        self._seen: dict[str, list[Ints]] = {name: [] for name in COLUMNS}
        self._held = dict.fromkeys(COLUMNS, 0)

    def add(self, batch: Batch) -> None:
        """Take an hour in."""
        for name, column in COLUMNS.items():
            value = getattr(batch, column).astype(np.int64)
            has = value >= 0
            self._seen[name].append(np.unique(batch.account[has] * self._minted[name] + value[has]))
            self._held[name] += len(self._seen[name][-1])
            if self._held[name] > BUFFER:
                self._seen[name] = [np.unique(np.concatenate(self._seen[name]))]
                self._held[name] = 0

    def found(self, planted: NDArray[np.bool_], hidden: frozenset[str]) -> tuple[Shared, ...]:
        """What ties the planted accounts; nothing of a kind that the platform does not record."""
        unseen = {"payment": "payment", "exit": "ip_prefix", "prompt": "template"}
        return tuple(self._shared(name, planted) for name in COLUMNS if unseen[name] not in hidden)

    def _shared(self, name: str, planted: NDArray[np.bool_]) -> Shared:
        pair = np.unique(np.concatenate(self._seen[name])) if self._seen[name] else np.zeros(0, np.int64)
        account, value = np.divmod(pair, self._minted[name])
        of_campaign = planted[account]
        ours = np.bincount(value[of_campaign], minlength=self._minted[name])
        honest = np.bincount(value[~of_campaign], minlength=self._minted[name])
        shared = ours >= SHARED_MIN
        touched = len(np.unique(account[shared[value] & ~of_campaign]))
        return Shared(name, int(shared.sum()), _median(ours[shared]), _median(honest[shared]),
                      float(np.percentile(honest[shared], 90)) if shared.any() else 0.0, touched)  # fmt: skip


def _median(carriers: NDArray[np.int64]) -> float:
    return float(np.median(carriers)) if len(carriers) else 0.0
