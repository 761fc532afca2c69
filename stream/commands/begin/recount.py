"""How many requests were counted for each account, target and tick? Told as ticks close, to compare two runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from detectors.counts.accounts import Accounts
from detectors.counts.summary import CohortCounts
from detectors.counts.ticks import TickCounts
from detectors.parameters import Parameters
from stream.pipeline.composition import Shards

Row = dict[str, str | int]


class _Told(Accounts):
    """Accounts that tell of every tick which they take in."""

    def __init__(self, parameters: Parameters, tell: Callable[[Iterable[Row]], None]) -> None:
        super().__init__(parameters)
        self._tell = tell

    def absorb(self, counts: TickCounts) -> CohortCounts:
        """Tell, then take in."""
        self._tell(sorted(self._rows(counts), key=lambda row: (row["account_id"], row["target"])))
        return super().absorb(counts)

    def _rows(self, counts: TickCounts) -> Iterator[Row]:
        width = self.parameters.targets_max
        codes, requests = counts.account_target
        names = self.targets.names
        for code, count in zip(codes.tolist(), requests.tolist(), strict=True):
            account, target = divmod(code, width)
            name = names[target][0] if target < len(names) else "other"
            yield {"account_id": self.ids[account], "target": name, "tick": counts.tick, "count": count}


def recounting(shards: Shards, tell: Callable[[Iterable[Row]], None]) -> None:
    """Have shards that saw nothing yet tell their counts: rows sorted by account and target, tick after tick.

    Raises ValueError where they saw something.
    """
    if len(shards.accounts):
        raise ValueError("shards that hold accounts already cannot tell what they counted before")
    shards.accounts = _Told(shards.parameters, tell)
