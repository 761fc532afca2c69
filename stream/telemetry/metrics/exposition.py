"""How is a metric defined, bounded, and put on the page that Prometheus reads?

Each metric is defined once, by `counter`, `gauge` or `histogram`,
with the stages that it belongs to: a process shows the metrics of its own stages and no zeros of others'.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import prometheus_client
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector, CollectorRegistry

prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]  # a quarter of the series, read by no rule

STAGES: Final = ("ingest", "detect", "correlate")
OTHER: Final = "other"  # where a label value beyond its bound is counted
UNKNOWN: Final = math.nan  # a gauge that nobody set yet; it is left out of the page, for 0 would be a claim


@dataclass(frozen=True, slots=True)
class Defined:
    """One metric as docs/metrics.md and the page know it. `help` says what it is, and what to do about it."""

    name: str
    kind: str
    labels: tuple[str, ...]
    help: str
    stages: tuple[str, ...]
    collector: Collector


C = TypeVar("C", bound=Collector)
DEFINED: Final[list[Defined]] = []
_exposed: set[str] = set(STAGES)


def counter(name: str, help: str, labels: Sequence[str] = (), stages: Sequence[str] = STAGES) -> Counter:
    """Define a counter; `name` without `_total`."""
    return _keep(Counter(name, help, labels, registry=None), f"{name}_total", "counter", help, labels, stages)


def gauge(name: str, help: str, labels: Sequence[str] = (), stages: Sequence[str] = STAGES) -> Gauge:
    """Define a gauge; without labels it is left out of the page until it is first set."""
    one = Gauge(name, help, labels, registry=None)
    if not labels:
        one.set(UNKNOWN)
    return _keep(one, name, "gauge", help, labels, stages)


def histogram(
    name: str, help: str, buckets: Sequence[float], labels: Sequence[str] = (), stages: Sequence[str] = STAGES
) -> Histogram:
    """Define a histogram with hand-chosen buckets, upper bounds in the unit that its name ends with."""
    return _keep(Histogram(name, help, labels, buckets=buckets, registry=None), name, "histogram", help, labels, stages)


def levels(name: str, help: str, labels: Sequence[str], stages: Sequence[str] = STAGES) -> Levels:
    """Define a gauge whose whole set of series is replaced at once."""
    return _keep(Levels(name, help, tuple(labels)), name, "gauge", help, labels, stages)


def _keep(collector: C, name: str, kind: str, help: str, labels: Sequence[str], stages: Sequence[str]) -> C:
    DEFINED.append(Defined(name, kind, tuple(labels), help, tuple(stages), collector))
    return collector


class Levels(Collector):
    """A gauge whose series change together: a scrape sees all of one tick, never half of two.

    >>> shares = Levels("example_share_ratio", "An example.", ("name",))
    >>> shares.replace({("atlas-4",): 0.25})
    >>> [(sample.labels, sample.value) for family in shares.collect() for sample in family.samples]
    [({'name': 'atlas-4'}, 0.25)]
    """

    def __init__(self, name: str, help: str, labels: tuple[str, ...]) -> None:
        self._name, self._help, self._labels = name, help, labels
        self._rows: Mapping[tuple[str, ...], float] = {}

    def replace(self, rows: Mapping[tuple[str, ...], float]) -> None:
        """Show these series and no others. O(1)."""
        self._rows = rows

    def collect(self) -> Iterable[Metric]:
        """One family of gauges, a sample a row: what the client's registry asks for at each scrape."""
        family = GaugeMetricFamily(self._name, self._help, labels=self._labels)
        for labels, value in self._rows.items():
            family.add_metric(labels, value)
        yield family


class Bounded:
    """At most `limit` distinct values of a label, first come first kept; all others are counted as "other".

    >>> reasons = Bounded(limit=2)
    >>> [reasons(word) for word in ("not_json", "too_deep", "vendor_17", "not_json")]
    ['not_json', 'too_deep', 'other', 'not_json']
    """

    def __init__(self, limit: int, known: Iterable[str] = ()) -> None:
        self._kept: set[str] = set(known)
        self._limit = max(limit, len(self._kept))
        self._lock = threading.Lock()

    def __call__(self, value: str) -> str:
        """The value where it is kept or there is room for it, else "other". Safe between threads."""
        if value in self._kept:
            return value
        with self._lock:
            if len(self._kept) >= self._limit:
                return OTHER
            self._kept.add(value)
        return value

    def forget(self, value: str) -> None:
        """Free the place of a value that is gone for good, such as a partition that moved to another worker."""
        with self._lock:
            self._kept.discard(value)


def expose(stages: Sequence[str]) -> None:
    """Show the metrics of these stages only; until it is called, those of all. Raises ValueError."""
    unknown = set(stages) - set(STAGES)
    if unknown:
        raise ValueError(f"stages must be of {', '.join(STAGES)}; got {', '.join(sorted(unknown))}")
    _exposed.clear()
    _exposed.update(stages)


class _Page(Collector):
    """What of `DEFINED` is on the page now."""

    def __init__(self) -> None:
        self._process = prometheus_client.ProcessCollector(registry=None)

    def collect(self) -> Iterator[Metric]:
        for one in DEFINED:
            if _exposed.isdisjoint(one.stages):
                continue
            for family in one.collector.collect():
                family.samples = [sample for sample in family.samples if not math.isnan(sample.value)]
                if family.samples:
                    yield family
        yield from self._process.collect()

    def describe(self) -> Iterator[Metric]:
        return iter(())


_registry = CollectorRegistry(auto_describe=False)
_registry.register(_Page())


def render(accept_header: str = "") -> tuple[bytes, str]:
    """The page and its content type: OpenMetrics with exemplars when the reader accepts it, else Prometheus text.

    Costs some milliseconds at 1,000 series; touches no disk but /proc, and waits for nothing.
    """
    encode, content_type = choose_encoder(accept_header)
    return encode(_registry), content_type


def value(name: str, /, **labels: str) -> float | None:
    """What one series shows now, by the name it has on the page; None when it is not there. For tests and the console.

    >>> value("swerve_frames_sent_total", stage="nowhere") is None
    True
    """
    wanted = {key: str(word) for key, word in labels.items()}
    for one in DEFINED:
        if not name.startswith(one.name.removesuffix("_total")):
            continue
        for family in one.collector.collect():
            for sample in family.samples:
                if sample.name == name and sample.labels == wanted and not math.isnan(sample.value):
                    return float(sample.value)
    return None
