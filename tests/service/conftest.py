"""What do the tests against a real Kafka share? One broker for the session, names of their own for each test."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from tests.service.broker import NoBrokerError, a_broker


@pytest.fixture(scope="session")
def bootstrap(service_unavailable) -> Iterator[str]:
    """Bootstrap servers of a real Apache Kafka; the test is skipped, or fails, where there is none."""
    running = a_broker()
    try:
        servers = running.__enter__()
    except NoBrokerError as error:
        service_unavailable("kafka", str(error))
    try:
        yield servers
    finally:
        running.__exit__(None, None, None)


@pytest.fixture
def unique() -> str:
    """A prefix that no other test has used, for topics and groups."""
    return f"t{uuid.uuid4().hex[:10]}"
