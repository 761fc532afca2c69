"""What is a sink? Something that takes alert records, and says whether a failure may pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

from stream.contract.alert import Alert


class SinkUnreachableError(Exception):
    """Try again later: a timeout, a connection, 408, 429, 5xx, a full disk. The text holds no secret."""

    def __init__(self, told: str, retry_after_s: float | None = None) -> None:
        super().__init__(told)
        self.retry_after_s = retry_after_s


class SinkRefusedError(Exception):
    """Trying again cannot help: the receiver understood and said no. The text holds no secret."""


class Sink(Protocol):
    """Where alerts go. A call of `send` that returns has handed all of the records over."""

    @property
    def name(self) -> str:
        """The sink's name in the configuration, in metrics and in the log."""

    async def send(self, alerts: Sequence[Alert]) -> None:
        """Hand over, in this order. Raises SinkUnreachableError or SinkRefusedError, nothing else."""

    async def close(self) -> None:
        """Let go of connections and files. Safe to call twice."""


# What Swerve says of itself has no page among the alerts of customers, and leads to where it can be seen.
PAGES_OF_ITS_OWN = {"swerve_muted": "expected", "swerve_watchdog": "about", "swerve_canary": "about"}


@dataclass(frozen=True, slots=True)
class Links:
    """Where a reader of an alert can go. base: the console's address as people reach it."""

    base: str

    def page(self, alert: Alert) -> str:
        """The alert's own page."""
        if alert.kind in PAGES_OF_ITS_OWN:
            return f"{self.base.rstrip('/')}/{PAGES_OF_ITS_OWN[alert.kind]}"
        return f"{self.base.rstrip('/')}/alerts/{quote(alert.alert_id, safe='')}"

    def runbook(self, alert: Alert) -> str:
        """What to do about alerts of this kind.

        >>> Links("https://swerve.example/").base
        'https://swerve.example/'
        """
        return f"{self.base.rstrip('/')}/runbook#{quote(alert.kind, safe='')}"
