"""What do the tests against real services share? One broker for the session, a browser and names for each test."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.service.broker import a_broker, or_unavailable
from tests.service.browser import Browser, browsing


@pytest.fixture(scope="session")
def bootstrap(service_unavailable) -> Iterator[str]:
    """Bootstrap servers of a real Apache Kafka; the test is skipped, or fails, where there is none."""
    with or_unavailable(a_broker(), service_unavailable) as servers:
        yield servers


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
