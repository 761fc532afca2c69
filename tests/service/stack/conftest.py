"""The programs that the stack is made of, besides Kafka."""

from __future__ import annotations

import pytest

from tests.service.stack.stack import Stack, a_stack


@pytest.fixture(scope="module")
def stack(bootstrap, program, tmp_path_factory) -> Stack:
    """The whole topology, up and without load."""
    prometheus = program("prometheus", of="prometheus")
    alertmanager = program("prometheus-alertmanager", "alertmanager", of="alertmanager")
    folder = tmp_path_factory.mktemp("stack")
    with a_stack(folder, bootstrap, f"s{folder.name.replace('_', '-')}", prometheus, alertmanager) as running:
        yield running
