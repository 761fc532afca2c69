"""What do the tests against real services share? One broker for the run, a browser and names for each test."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.service.broker import a_broker, or_unavailable
from tests.service.browser import Browser, browsing
from tests.service.one_broker import shared
from tests.service.processes import Stage


@pytest.fixture(scope="session")
def bootstrap(service_unavailable, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Bootstrap servers of a real Apache Kafka; the test is skipped, or fails, where there is none."""
    folder = tmp_path_factory.getbasetemp()
    of_the_run = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    with or_unavailable(shared(of_the_run, a_broker), service_unavailable) as servers:
        yield servers


@pytest.fixture(autouse=True)
def no_stage_outlives_its_test() -> Iterator[None]:
    """What a test that failed has left running would take part in nothing, and slow down all that follow."""
    before = len(Stage.started)
    yield
    for one in Stage.started[before:]:
        if one.process.poll() is None:
            one.kill()
    del Stage.started[before:]


@pytest.fixture
async def browser(program, tmp_path: Path) -> AsyncIterator[Browser]:
    """A tab of a real Chromium; the test is skipped, or fails, where there is none."""
    chromium = program("chromium", "chromium-browser", "google-chrome", of="chromium")
    async with browsing(chromium, tmp_path / "profile") as one:
        yield one


@pytest.fixture
def unique() -> str:
    """A prefix that no other test has used, for topics and groups."""
    return f"t{uuid.uuid4().hex[:10]}"
