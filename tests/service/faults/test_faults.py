"""Is everything counted once, and said once, when workers are killed, stopped and joined by others? The short form."""

from __future__ import annotations

import pytest

from tests.service.faults.drill import Plan, drill
from tests.service.traffic import SURGE

pytestmark = [pytest.mark.service("kafka"), pytest.mark.slow]


def test_counts_and_alerts_survive_kills_stops_and_rebalances(bootstrap, unique, tmp_path):
    plan = Plan(kills=1, pauses=1, scale=True, load_s=40.0)

    result = drill(bootstrap, unique, tmp_path, plan, SURGE, print)

    assert result.wrong == []
    assert result.alert_records >= 3
    assert result.exits >= 3
