"""When had a tenth of a campaign's accounts moved? Seen in the requests themselves, as they are simulated."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream.simulate.chance.catalogue import HOUR_MS, MODEL, TASKS
from stream.simulate.customers.traffic import Batch
from stream.simulate.events.truth import Campaign

PART = 0.1
REQUESTS_MIN = 3  # since the onset, below which an account cannot be said to have moved
RISE_MIN = 0.1  # of its share of the campaign's targets, against its own past
PAST_WEIGHT = 6.0  # requests' worth of everybody's share in the past of an account of which little is known


class Moved:
    """Follows one campaign's accounts hour by hour. at_ms: end of the hour in which a tenth had moved, or None."""

    def __init__(self, campaign: Campaign, accounts: int) -> None:
        self.campaign = campaign
        self.at_ms: int | None = None
        self._members = np.unique(campaign.accounts)
        self._requests = np.zeros((2, accounts))
        self._hits = np.zeros((2, accounts))

    def add(self, batch: Batch) -> None:
        """Take an hour in."""
        if self.at_ms is not None or not len(batch):
            return
        hits = _on_targets(batch, self.campaign.targets)
        accounts = self._requests.shape[1]
        for when, rows in enumerate((batch.at_ms < self.campaign.onset_ms, batch.at_ms >= self.campaign.onset_ms)):
            self._requests[when] += np.bincount(batch.account[rows], minlength=accounts)
            self._hits[when] += np.bincount(batch.account[rows & hits], minlength=accounts)
        if self._part_moved() >= PART:
            self.at_ms = int((batch.at_ms[-1] // HOUR_MS + 1) * HOUR_MS)

    def _part_moved(self) -> float:
        past, now = self._requests[:, self._members]
        hits_past, hits_now = self._hits[:, self._members]
        fleet = self._hits[0].sum() / max(self._requests[0].sum(), 1.0)
        before = (hits_past + PAST_WEIGHT * fleet) / (past + PAST_WEIGHT)
        return float(((now >= REQUESTS_MIN) & (hits_now / np.maximum(now, 1.0) >= before + RISE_MIN)).mean())


def _on_targets(batch: Batch, targets: tuple[str, ...]) -> NDArray[np.bool_]:
    hit = np.zeros(len(batch), np.bool_)
    for target in targets:
        kind, name = target.split(":", 1)
        if kind == "model":
            hit |= batch.model == MODEL[name]
        else:
            hit |= np.array([name in task.capabilities for task in TASKS])[batch.task]
    return hit
