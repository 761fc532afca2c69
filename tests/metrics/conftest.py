"""The metrics are one of a process: what a test of bounds fills up is emptied for the tests that come after it."""

from __future__ import annotations

import pytest

from stream.telemetry import metrics
from stream.telemetry.metrics import alerts, fleet, intake, state

BOUNDED = (alerts._kinds, alerts._sinks, fleet._dimensions, intake._reasons, state._bounds)


@pytest.fixture(autouse=True)
def bounds_as_before(monkeypatch: pytest.MonkeyPatch):
    for bounded in BOUNDED:
        monkeypatch.setattr(bounded, "_kept", set(bounded._kept))
    yield
    for (stage, _), shown in list(intake._behind.items()):
        for source in list(shown):
            metrics.source_left(stage, source)
    metrics.accounts_left("all")
