"""Is there a real Kafka for the tests, and is it said loudly when there is none?"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.pace import PATIENCE_S
from tests.service import broker
from tests.service.one_broker import shared

REPOSITORY = Path(__file__).parents[3]


@pytest.mark.service("kafka")
async def test_what_is_produced_is_consumed(bootstrap, unique):
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(unique, 1, 1)])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        await producer.send_and_wait(unique, b"hello")
    async with AIOKafkaConsumer(unique, bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
        message = await consumer.getone()

    assert message.value == b"hello"


def test_a_machine_without_java_and_docker_says_what_is_missing(monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.delenv("KAFKA_BOOTSTRAP", raising=False)

    with pytest.raises(broker.NoBrokerError, match="java and mvn not installed; docker not installed"):
        broker.a_broker().__enter__()


@pytest.mark.parametrize(("required", "code", "said"), [("", 0, "IS NOT TESTED"), ("kafka", 1, "is required by")])
def test_without_a_broker_the_kafka_tests_are_skipped_unless_required(required, code, said):
    environment = {"PATH": "/nonexistent", "SWERVE_REQUIRE": required}
    this = f"{Path(__file__).relative_to(REPOSITORY)}::test_what_is_produced_is_consumed"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", this],
        cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=PATIENCE_S,
    )  # fmt: skip

    assert done.returncode == code, done.stdout + done.stderr
    assert said in done.stdout
    assert done.stdout.splitlines()[-1].startswith("services: kafka skipped (KAFKA_BOOTSTRAP is not set; java and mvn")


def test_who_runs_tests_beside_others_uses_the_broker_that_is_there_and_it_ends_after_all_of_them(tmp_path):
    happened: list[str] = []

    @contextlib.contextmanager
    def starting() -> Iterator[str]:
        happened.append("started")
        yield "localhost:9092"
        happened.append("ended")

    def first() -> None:
        with shared(tmp_path, starting):
            has_begun.set()
            has_company.wait(PATIENCE_S)

    has_begun, has_company = threading.Event(), threading.Event()
    beside = threading.Thread(target=first)
    beside.start()
    assert has_begun.wait(PATIENCE_S)
    with shared(tmp_path, starting) as servers:
        has_company.set()
        beside.join(0.2)
        assert servers == "localhost:9092"
        happened.append("the second is done")
    beside.join(PATIENCE_S)
    assert happened == ["started", "the second is done", "ended"]
