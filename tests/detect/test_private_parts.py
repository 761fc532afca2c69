"""Faust is used by its private parts as well. This fails first when one of them is not what it was when it was read."""

from __future__ import annotations

import ast
import hashlib
import inspect
import pkgutil
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from stream.configuration.sections import Kafka
from stream.stages import private_parts
from stream.stages.faust_log import FaustLog
from stream.stages.private_parts import CHECKED, PARTS

# Of each part, the first digits of the SHA-256 of its source, whatever its indentation and its breaks of lines.
READ = {
    "faust.transport.drivers.aiokafka:Consumer._seek": "498fba67ddd3",
    "faust.transport.consumer:Consumer.seek_to_committed": "6c6b61e81846",
    "faust.transport.consumer:Consumer.perform_seek": "8c88bc25f247",
    "faust.transport.consumer:Consumer._drain_messages": "30fba6e560f1",
    "faust.transport.consumer:Consumer.getmany": "1b41be7cf1f1",
    "faust.transport.consumer:Consumer._is_changelog_tp": "8221cc5aa41f",
    "faust.transport.consumer:Consumer._commit_offsets": "8cfc0efcc68d",
    "faust.transport.consumer:Consumer.wait_empty": "be7fdc44dce7",
    "faust.transport.drivers.aiokafka:Consumer._new_consumer_thread": "fabed00895eb",
    "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread.on_thread_stop": "7ec142b2e1c4",
    "aiokafka.consumer.fetcher:Fetcher.close": "ed520951c862",
    "faust.app.base:App._new_transport": "2beb690a9fb2",
    "faust.app.base:App._consumer_wait_empty": "20a458d1c14d",
    "faust.app.base:App._create_directories": "0c5f487c7b64",
    "faust.stores.memory:Store.on_recovery_completed": "d180d3a8b22b",
    "faust.tables.recovery:Recovery._seek_offsets": "d0e537cddabd",
}  # fmt: skip


def digest(part: str) -> str:
    """What the part is."""
    source = inspect.getsource(pkgutil.resolve_name(part))
    return hashlib.sha256(" ".join(source.split()).encode()).hexdigest()[:12]


@pytest.mark.parametrize("package", CHECKED)
def test_the_version_is_the_one_that_was_checked_and_pyproject_pins_it(package):
    assert metadata.version(package) == CHECKED[package], f"read every part in private_parts.py again for {package}"
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]
    assert f"{package}=={CHECKED[package]}" in project["optional-dependencies"]["kafka"]


@pytest.mark.parametrize("part", PARTS)
def test_a_private_part_is_what_it_was_when_it_was_read(part):
    assert digest(part) == READ[part], f"{part} changed: read it again, it is there since {PARTS[part]}"


def test_a_stage_leaves_no_folder_where_it_is_started(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    log = FaustLog(Kafka(), group="g", topic="t", partitions=1, session_timeout_ms=6_000, instance_id=None)
    log._app.finalize()
    log._app._create_directories()
    assert list(tmp_path.iterdir()) == []


def test_every_part_that_was_read_is_used():
    assert set(READ) == set(PARTS)


def test_every_private_name_that_is_used_is_known_to_what_was_read():
    """`consumer._seek` is a part itself; `_read_offset` stands in one."""
    used = {
        node.attr
        for node in ast.walk(ast.parse(inspect.getsource(private_parts)))
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__")
    } - {"_sought", "_exit"}  # fmt: skip
    read = " ".join(part + inspect.getsource(pkgutil.resolve_name(part)) for part in PARTS)
    assert {name for name in used if name not in read} == set()
