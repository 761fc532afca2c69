"""Every query of every panel of the dashboards, as Grafana would send it."""

from __future__ import annotations

import json
import urllib.error
from collections.abc import Iterator

from tests.service.stack.monitors import MONITORING, Prometheus

VARIABLES = {
    "$cluster": ".*",
    "$namespace": ".*",
    "$job": ".*",
    "$instance": ".*",
    "$__rate_interval": "5m",
    "$__range": "1h",
}


def queries() -> Iterator[tuple[str, str]]:
    """(dashboard and title of the panel, its PromQL with the variables filled in), one for each query."""
    for path in sorted(MONITORING.glob("dashboards/*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel.get("targets", ()):
                promql = target["expr"]
                for name, value in VARIABLES.items():
                    promql = promql.replace(name, value)
                yield f"{path.stem}: {panel['title']}", promql


def faults(prometheus: Prometheus) -> list[str]:
    """Queries that are refused, and panels none of whose queries has data."""
    refused, found = [], dict.fromkeys((panel for panel, _ in queries()), 0)
    for panel, promql in queries():
        try:
            found[panel] += len(prometheus.query(promql))
        except urllib.error.HTTPError as error:
            refused.append(f"{panel}: {promql}: {error.read().decode()}")
    return refused + [f"{panel}: no data" for panel, series in found.items() if not series]
