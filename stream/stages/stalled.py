"""Does Faust's recovery of its table stand still? Then it is sent back to what it has, and reads on from there.

Seen about once in eight starts of several workers at once on a busy machine: after a second rebalance within a second,
recovery knows what it must read (highwater 1, offset -1), has sought, and is handed nothing until the next rebalance.
Records that were fetched are thrown away while Faust's flow is stopped: it then goes back to the committed offsets, of
which a changelog has none. `seek_to_committed` in faust_log.py goes back to where recovery stands instead; this here is
for whatever else may lose them. Reading again does no harm: what was applied is skipped by offset.

Faust's `rebalancing` says nothing here: it holds from the loss of partitions to the end of their recovery.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from faust.transport.drivers.aiokafka import IllegalStateError  # type: ignore[attr-defined]

from stream.telemetry import log

STALLED_S = 5.0  # a recovery that goes on shows a record within milliseconds; doubled each time, for slow brokers

_log = log.get("swerve.recovery")


class Stalled:
    """Watches one Faust app: `await Stalled(app).watch()` a few times a second."""

    def __init__(self, app: Any, now_s: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._now_s = now_s
        self._seen: dict[Any, Any] = {}
        self._since_s = now_s()
        self._wait_s = STALLED_S

    async def watch(self) -> None:
        """Send recovery back where it has waited for long without reading a single record."""
        recovery = self._app.tables.recovery
        seen = dict(recovery.active_offsets)
        waits = recovery.in_recovery and recovery.need_recovery()
        if not waits or seen != self._seen:
            self._seen, self._since_s, self._wait_s = seen, self._now_s(), STALLED_S
            return
        if self._now_s() - self._since_s < self._wait_s:
            return
        self._since_s, self._wait_s = self._now_s(), 2 * self._wait_s
        _log.warning("recovery_sent_back", remaining=recovery.active_remaining_total())
        try:
            await recovery._seek_offsets(self._app.consumer, recovery.active_tps, recovery.active_offsets, "active")
        except IllegalStateError:
            return  # the partitions are going; the next rebalance begins anew
