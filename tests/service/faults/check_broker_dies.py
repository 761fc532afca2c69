"""Is everything counted once, and said once, when the broker itself is killed and started again? Minutes.

`make faults` runs it.
"""

from __future__ import annotations

import pytest

from tests.service.broker import breakable, or_unavailable
from tests.service.faults.drill import Plan, drill
from tests.service.traffic import MIXED_LONG

pytestmark = [pytest.mark.service("kafka"), pytest.mark.slow, pytest.mark.timeout(900)]


def test_counts_and_alerts_survive_a_broker_that_is_killed(service_unavailable, unique, tmp_path):
    plan = Plan(kills=0, pauses=0, scale=False, load_s=90.0, broker=3)
    with or_unavailable(breakable(), service_unavailable) as broker:
        result = drill(broker.bootstrap, unique, tmp_path, plan, MIXED_LONG, print, broker)

    print(f"{result.exits} workers ended and were started again")
    for log in sorted(tmp_path.glob("*.log")):
        print(log.name, [line for line in log.read_text(errors="replace").splitlines() if line.startswith("swerve:")])
    assert result.wrong == []
