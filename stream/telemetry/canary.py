"""Would a campaign be found today? One is planted daily in a side channel, and missing it is itself an alert.

The side channel is a small simulated fleet through the same composition with the same parameters, in a process of its
own: nothing of it touches the customers' traffic, its counts or its alerts.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec

from detectors.parameters import Parameters
from stream.contract.alert import Alert, AlertSubject, AlertTarget, alert_id_of
from stream.contract.own_alert import about_itself, over
from stream.errors import SwerveError
from stream.pipeline.composition import Fleet
from stream.pipeline.embedded import Embedded, in_order
from stream.report.planted import score
from stream.simulate.labelled import batches, truth_of
from stream.simulate.scenarios import tell
from stream.simulate.writing.write import Lines
from stream.telemetry import log

SCENARIO, SEED, ACCOUNTS, DAYS = "pivot", 3, 600, 5.5  # some 170,000 requests: 12 s of one core, once a day
RECALL_MIN = 0.2  # of the planted accounts must be named by a page
FIRST_AFTER_S = 3_600.0  # a start has better things to do
EVERY_S = 86_400.0
DEADLINE_S = 1_800.0
SOURCE = "canary"
KIND = "swerve_canary"


@dataclass(frozen=True, slots=True)
class Search:
    """How a search ended. delay_h: from the onset to the page; None where there was none."""

    is_found: bool
    recall: float
    delay_h: float | None

    def __str__(self) -> str:
        delay = "no page" if self.delay_h is None else f"page after {self.delay_h:.0f} h"
        return f"{delay}, {100 * self.recall:.0f}% of its accounts named"


def search(parameters: Parameters, *, accounts: int = ACCOUNTS, days: float = DAYS, seed: int = SEED) -> Search:
    """Plant a campaign and look for it, from the bytes of requests to the page. Deterministic."""
    told = tell(SCENARIO, seed, accounts=accounts, days=days)
    lines = Lines(told.fleet, told.course, seed)
    truth = truth_of(told, lines)
    fleet = Fleet(parameters, {one["model"]: one["released_at"] for one in truth["releases"]})
    alerts: list[Alert] = []
    embedded = Embedded(parameters, [SOURCE], fleet, on_alerts=[alerts.extend])
    for _ in in_order(embedded, {SOURCE: batches(told, lines)}):
        pass
    (campaign,) = score(truth, alerts, fleet.named_accounts()).campaigns
    delay_h = None if campaign.delay_ms is None else campaign.delay_ms / 3_600_000
    return Search(delay_h is not None and campaign.recall >= RECALL_MIN, campaign.recall, delay_h)


class Canary:
    """From searches to an alert: it opens with the first miss, and resolves with the first find."""

    def __init__(self) -> None:
        self.alert: Alert | None = None
        self.found_at_ms: int | None = None

    def judge(self, result: Search, now_ms: int) -> Alert | None:
        """The record that changed; None where nothing did."""
        if result.is_found:
            self.found_at_ms = now_ms
            missed, self.alert = self.alert, None
            return None if missed is None else over(missed, now_ms, "The planted campaign is found again.")
        if self.alert is not None:
            return None
        self.alert = _missed(result, now_ms)
        return self.alert


def _missed(result: Search, now_ms: int) -> Alert:
    subject = AlertSubject("cluster", "canary")
    return about_itself(
        KIND, alert_id_of(KIND, subject, now_ms), "critical", subject, AlertTarget("model", "atlas-4"), now_ms,
        {"is_canary": True, "recall": result.recall, "recall_min": RECALL_MIN, "delay_h": result.delay_h},
        f"The planted campaign was not found ({result}): real ones may go unseen as well.",
    )  # fmt: skip


async def watch_over(
    parameters: Parameters,
    tell_: Callable[[Alert], None],
    *,
    first_after_s: float = FIRST_AFTER_S,
    every_s: float = EVERY_S,
    look: Callable[[Parameters], Awaitable[Search]] | None = None,
) -> None:
    """Search once a day until cancelled; what changed is told. A search that fails to run is logged, and no miss."""
    canary = Canary()
    await asyncio.sleep(first_after_s)
    while True:
        try:
            result = await (look or search_apart)(parameters)
        except (OSError, ValueError, TimeoutError, SwerveError) as error:
            log.get("canary").error("canary_did_not_run", reason=str(error))
        else:
            log.get("canary").info("canary", found=result.is_found, recall=result.recall, delay_h=result.delay_h)
            alert = canary.judge(result, int(1000 * time.time()))
            if alert is not None:
                tell_(alert)
        await asyncio.sleep(every_s)


async def search_apart(parameters: Parameters) -> Search:
    """`search` in a process of its own, so that no tick waits for it. Raises ValueError, TimeoutError, OSError."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "stream.telemetry.canary",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(DEADLINE_S):
            out, err = await process.communicate(json.dumps(dataclasses.asdict(parameters)).encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise ValueError(f"canary ended with {process.returncode}: {err.decode(errors='replace').strip()[-300:]}")
    return Search(**json.loads(out))


def parameters_from(raw: bytes) -> Parameters:
    """Parameters as `search_apart` sends them.

    >>> parameters_from(json.dumps(dataclasses.asdict(Parameters())).encode()) == Parameters()
    True
    """
    return msgspec.json.decode(raw, type=Parameters)


if __name__ == "__main__":
    print(json.dumps(dataclasses.asdict(search(parameters_from(sys.stdin.buffer.read())))))
