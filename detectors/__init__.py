"""Pure incremental models: numbers in, findings out. No clock, no I/O, no asyncio, no logging, no Kafka.

The rooms stand in the order of docs/how-it-decides.md, and each may build on those before it:

    counts      what was counted: accounts, targets, ticks, in columns
    comparison  how it compares: now and before, one account and those like it
    ties        who moved together: what accounts share, and the networks of it
    judgement   what it means: is a network one operator's, and what is its story
    triage      what to look at beside it: lists that people read, never alerts

`parameters` holds the numbers that all of them depend on, and `room` says how much is judged in the memory that there
is. `fleet` runs every room once a tick, and `why` asks them afterwards; `hour` is for whoever counts elsewhere.
Source of the method and of its limits: docs/how-it-decides.md. `__all__` is what docs/library.md documents for other
pipelines; a name is imported when it is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from detectors.comparison.drift import Release, Releases, Rise, SeriesDrift
    from detectors.comparison.findings import Finding, Level, Phase
    from detectors.comparison.population import Population, population_of
    from detectors.comparison.shift import Shift, comparison_of, shift_of
    from detectors.counts.arrivals import SourceClock
    from detectors.counts.summary import AccountColumns
    from detectors.fleet import Judge
    from detectors.hour import Account, columns_of
    from detectors.parameters import Parameters
    from detectors.ties.networks import communities
    from detectors.triage.oddity import Oddity

_HOMES = {
    "comparison.drift": ("Release", "Releases", "Rise", "SeriesDrift"),
    "comparison.findings": ("Finding", "Level", "Phase"),
    "comparison.population": ("Population", "population_of"),
    "comparison.shift": ("Shift", "comparison_of", "shift_of"),
    "counts.arrivals": ("SourceClock",),
    "counts.summary": ("AccountColumns",),
    "fleet": ("Judge",),
    "hour": ("Account", "columns_of"),
    "parameters": ("Parameters",),
    "ties.networks": ("communities",),
    "triage.oddity": ("Oddity",),
}
_HOME_OF = {name: f"detectors.{home}" for home, names in _HOMES.items() for name in names}
__all__ = [
    "Account",
    "AccountColumns",
    "Finding",
    "Judge",
    "Level",
    "Oddity",
    "Parameters",
    "Phase",
    "Population",
    "Release",
    "Releases",
    "Rise",
    "SeriesDrift",
    "Shift",
    "SourceClock",
    "columns_of",
    "communities",
    "comparison_of",
    "population_of",
    "shift_of",
]


def __getattr__(name: str) -> Any:
    """The model of that name, from where it lives, so that one needs not what others need. Raises AttributeError."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'detectors' has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)
