"""Which targets of speed and size are met? One row each, with the floor that was set beside what this run measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

HEAD = ("what", "measured", "floor", "goal", "")


@dataclass(frozen=True, slots=True)
class Target:
    """One row. floor, goal: in the unit that `form` writes. more: whether more is better. command: what measures it."""

    key: str
    what: str
    floor: float
    goal: float
    more: bool
    form: str
    command: str

    def row(self, measured: float | None) -> tuple[str, ...]:
        """Its cells: what was measured and whether that is enough, or the command that measures it."""
        bounds = (self.form.format(self.floor), self.form.format(self.goal))
        if measured is None:
            return (self.what, "", *bounds, f"`{self.command}`")
        return (self.what, self.form.format(measured), *bounds, self._said(measured))

    def _said(self, measured: float) -> str:
        if self._reaches(measured, self.goal):
            return "goal met"
        return "floor met" if self._reaches(measured, self.floor) else "MISSED"

    def _reaches(self, measured: float, line: float) -> bool:
        return measured >= line if self.more else measured <= line


TARGETS = (
    Target("ingest", "ingest on Kafka against aiokafka and orjson.loads", 0.55, 0.7, True, "{:.2f}", "make peers"),
    Target("dense", "backtest, dense fleet, against zstd and orjson.loads", 0.12, 0.25, True, "{:.3f}",
           "python -m benchmarks.throughput --only dense"),
    Target("workers_wall", "the same with --workers 2, times as fast on the wall", 1.6, 1.8, True, "{:.2f}",
           "python -m benchmarks.throughput --only dense"),
    Target("workers_cpu", "the same, where each has a core of its own, at most", 1.6, 1.8, True, "{:.2f}",
           "python -m benchmarks.throughput --only dense"),
    Target("quix", "whole path on Kafka against Quix Streams' simpler job", 0.6, 0.33, False, "{:.2f}", "make peers"),
    *(
        Target(f"judging_{accounts}", f"judging an hour, {accounts:,} active accounts, against before", 0.33, 0.17,
               False, "{:.2f}", "python -m benchmarks.cost.judging")
        for accounts in (10_000, 100_000, 350_000)
    ),
    Target("slope", "bytes an account, slope of what is resident", 1_200, 700, False, "{:,.0f}",
           "python -m benchmarks.cost.memory 100000 1000000"),
    Target("closing", "s from the close of a tick to its alerts on the topic", 2.0, 1.0, False, "{:.1f}",
           "python -m benchmarks.cost.closing --accounts 100000"),
    Target("report_h", "the report at its own size, hours", 3.0, 1.0, False, "{:.1f}", "make report-scale"),
)  # fmt: skip


def table(measured: Mapping[str, float]) -> str:
    """All rows, in Markdown. measured: by the keys of the targets; those left out name their command.

    >>> print(table({"quix": 0.5}).splitlines()[6])
    | whole path on Kafka against Quix Streams' simpler job | 0.50 | 0.60 | 0.33 | floor met |
    """
    rows = [HEAD, ("---",) * len(HEAD), *(target.row(measured.get(target.key)) for target in TARGETS)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)
