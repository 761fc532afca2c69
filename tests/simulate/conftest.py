"""Small logs, each made once for all tests that look at them."""

from __future__ import annotations

from functools import lru_cache

import pytest

from stream.simulate.customers.traffic import Batch
from stream.simulate.events.story import Story
from stream.simulate.scenarios import tell


@lru_cache(maxsize=12)  # of some 20 MB each: tests come back to those that others looked at first
def _log(scenario: str, seed: int, accounts: int | None, real: bool) -> tuple[Story, Batch]:
    story = tell(scenario, seed, accounts=accounts, real=real)
    return story, Batch.joined(list(story.traffic().hours()))


@pytest.fixture(scope="session")
def simulated():
    """`simulated(scenario, accounts)`: the story, and all of its requests in columns."""

    def log(scenario: str, accounts: int | None = 2_000, *, seed: int = 1, real: bool = False) -> tuple[Story, Batch]:
        return _log(scenario, seed, accounts, real)

    return log
