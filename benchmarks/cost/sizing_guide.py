"""How large must it be? The tables of docs/operating.md, from what benchmarks/measured/sizing.json says was measured.

`make sizing` measures anew and puts them there; `python -m benchmarks.cost.sizing_guide` prints them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.cost import sizing_record

SPARE = 0.6  # of a core that is planned with: peaks, rebalances and catching up take the rest
RATES = (1_000, 10_000, 100_000)
ACCOUNTS = (100_000, 1_000_000, 10_000_000)
ACTIVE = 0.35  # of the accounts send something within 24 hours
DETECT_GB = 2.5  # of accounts in one worker: what one can restore and store in reasonable time
PARTITIONS_A_WORKER = 4  # room for growth: their number is what a reshard changes


@dataclass(frozen=True, slots=True)
class Size:
    """What a fleet needs. Cores are planned with SPARE; bytes and seconds are of all workers but where said."""

    ingest_cores: float
    detect_cores: float
    frame_bytes_s: float
    detect_bytes: float
    snapshot_bytes: float
    restore_s: float
    reshard_s: float
    correlate_bytes: float
    tick_s: float

    @property
    def detect_workers(self) -> int:
        """As many as their cores or their memory ask for."""
        return max(1, math.ceil(self.detect_cores), math.ceil(self.detect_bytes / 1e9 / DETECT_GB))

    @property
    def partitions(self) -> int:
        """Of the frames topic: a power of two, 8 at least and 256 at most."""
        wanted = max(8, PARTITIONS_A_WORKER * self.detect_workers)
        return min(256, 1 << math.ceil(math.log2(wanted)))


class Guide:
    """The tables. record: as `sizing_record.read` gives it."""

    def __init__(self, record: dict[str, Any]) -> None:
        self._one, self._kafka, self._takeover = record["sizing"], record["sizing_kafka"], record["recovery"]
        # The process has the client in it, the stage alone many more accounts: plan with the dearer of the two.
        self.ingest_s = max(self._one["ingest_s"], self._kafka["ingest_s"])
        self.detect_s = max(self._one["detect_s"], self._kafka["detect_s"])
        # Of a process that has worked: interpreter, libraries, buffers; what is left when its state is taken away.
        accounts = self._kafka["accounts"]
        self.detect_gb = self._kafka["detect_mb"] / 1e3 - accounts * self._account_bytes / 1e9
        self.correlate_gb = self._kafka["correlate_mb"] / 1e3 - accounts * self._one["judge_bytes"] / 1e9

    @property
    def _account_bytes(self) -> float:
        """In detect: the account, and its part of the snapshot, which Faust's table holds as well."""
        bytes_: float = self._one["account_bytes"] + self._one["snapshot_bytes"]
        return bytes_

    def size(self, rate: int, accounts: int) -> Size:
        """Of a fleet with so many requests a second and accounts that are remembered."""
        one, active = self._one, accounts * ACTIVE
        return Size(
            ingest_cores=rate * self.ingest_s / SPARE,
            detect_cores=rate * self.detect_s / SPARE,
            frame_bytes_s=rate * one["frame_bytes"],
            detect_bytes=accounts * self._account_bytes,
            snapshot_bytes=accounts * one["snapshot_bytes"],
            restore_s=accounts * one["restore_s"],
            reshard_s=accounts * one["reshard_s"],
            correlate_bytes=1e9 * self.correlate_gb + active * one["judge_bytes"],
            tick_s=active * one["judge_s"],
        )

    def constants(self) -> str:
        """What was measured, and by what."""
        one, kafka, away = self._one, self._kafka, self._takeover
        above_s = away["seconds"] - away["session_s"]
        rows = [
            ("ingest, records to frames", f"{1 / one['ingest_s']:,.0f} records a second and core", "sizing"),
            ("ingest, a process on Kafka", f"{1 / kafka['ingest_s']:,.0f} records a second and core", "sizing_kafka"),
            ("detect, frames to summaries", f"{1 / one['detect_s']:,.0f} records a second and core", "sizing"),
            ("detect, a process on Kafka", f"{1 / kafka['detect_s']:,.0f} records a second and core", "sizing_kafka"),
            ("frames", f"{one['frame_bytes']:.0f} bytes a record", "sizing"),
            ("detect, without its accounts", f"{1e3 * self.detect_gb:.0f} MB a process", "sizing_kafka"),
            ("correlate, without its accounts", f"{1e3 * self.correlate_gb:.0f} MB", "sizing_kafka"),
            ("ingest under a backlog", f"{kafka['ingest_mb']:.0f} MB", "sizing_kafka"),
            ("state of detect, 26 requests an account", f"{one['account_bytes']:,.0f} bytes an account", "sizing"),
            ("snapshot", f"{one['snapshot_bytes']:,.0f} bytes an account", "sizing"),
            ("restoring it", f"{1 / one['restore_s']:,.0f} accounts a second and core", "sizing"),
            ("moving it to other partitions", f"{1 / one['reshard_s']:,.0f} accounts a second and core", "sizing"),
            ("summaries", f"{one['summary_bytes']:,.0f} bytes an active account and hour", "sizing"),
            ("judging, few ties", f"{1e6 * one['judge_s']:,.1f} s an hour for a million active accounts", "sizing"),
            ("state of correlate", f"{one['judge_bytes']:,.0f} bytes an active account", "sizing"),
            ("a detect worker joins: partitions stand still", f"{kafka['rebalance_s']:.1f} s", "sizing_kafka"),
            (
                f"a detect worker dies, {away['accounts']:,} accounts: all is counted again",
                f"{above_s:.1f} s after the session timeout",
                "recovery --kafka",
            ),
        ]
        return _table(("what", "measured", "by"), [(a, b, f"`{c}`") for a, b, c in rows])

    def by_rate(self) -> str:
        """Cores by traffic; memory of ingest, which has no state."""
        rows = []
        for rate in RATES:
            size = self.size(rate, 0)
            workers = max(1, math.ceil(size.ingest_cores))
            rows.append(
                (
                    f"{rate:,}",
                    f"{max(0.1, size.ingest_cores):.1f}",
                    f"{workers * self._kafka['ingest_mb'] / 1e3:.1f} GB",
                    f"{max(0.1, size.detect_cores):.1f}",
                    f"{size.frame_bytes_s / 1e6:.2f} MB/s",
                )
            )
        return _table(("requests/s", "ingest cores", "ingest memory", "detect cores", "frames topic"), rows)

    def by_accounts(self) -> str:
        """Memory by accounts that are remembered."""
        head = ("accounts", "detect memory", "snapshots", "restoring, one core", "a reshard", "correlate memory",
                "a network tick")  # fmt: skip
        rows = []
        for accounts in ACCOUNTS:
            size = self.size(0, accounts)
            rows.append(
                (
                    f"{accounts:,}",
                    f"{size.detect_bytes / 1e9:.2f} GB",
                    f"{size.snapshot_bytes / 1e6:,.0f} MB",
                    f"{size.restore_s:.1f} s",
                    f"{size.reshard_s:.0f} s",
                    f"{size.correlate_bytes / 1e9:.1f} GB",
                    f"{size.tick_s:,.1f} s",
                )
            )
        return _table(head, rows)

    def fleets(self) -> str:
        """Whole fleets."""
        head = ("requests/s and accounts", "ingest", "detect", "correlate, each of two", "frames partitions")
        rows = []
        for rate, accounts in zip(RATES, ACCOUNTS, strict=True):
            size = self.size(rate, accounts)
            workers = size.detect_workers
            each_gb = size.detect_bytes / 1e9 / workers + self.detect_gb
            rows.append(
                (
                    f"{rate:,} and {accounts:,}",
                    f"{max(1, math.ceil(size.ingest_cores))} x 1 core, {self._kafka['ingest_mb'] / 1e3:.1f} GB",
                    f"{workers} x 1 core, {each_gb:.1f} GB",
                    f"{max(1, math.ceil(size.tick_s / 300))} core, {size.correlate_bytes / 1e9:.1f} GB",
                    f"{size.partitions}",
                )
            )
        return _table(head, rows)

    def written(self) -> str:
        """All of it, between the markers of docs/operating.md."""
        commands = ", ".join(f"`{one['command']}`" for one in (self._one, self._kafka, self._takeover))
        dates = sorted({one["date"] for one in (self._one, self._kafka, self._takeover)})
        return "\n\n".join(
            (
                "<!-- sizing: begin -->",
                f"Measured on {' and '.join(dates)} by {commands}.",
                self.constants(),
                f"Cores by traffic, each planned with {SPARE:.0%} of what it can, so that peaks, rebalances and "
                "catching up have room:",
                self.by_rate(),
                f"By accounts that are remembered (30 days by default), {ACTIVE:.0%} of them active within a day; "
                "memory of detect is of all workers together, with the snapshot that each holds as well, without the "
                f"{1e3 * self.detect_gb:.0f} MB that each process takes:",
                self.by_accounts(),
                "So, whole fleets:",
                self.fleets(),
                "<!-- sizing: end -->",
            )
        )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


if __name__ == "__main__":
    print(Guide(sizing_record.read()).written())
