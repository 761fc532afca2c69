"""How does one process alone write to a topic, all or nothing? Transactions of Kafka: who opens last fences others."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, ProducerFenced

from stream.configuration.sections import Kafka
from stream.errors import SwerveError
from stream.kafka.broker import producer, while_awake
from stream.kafka.writers import signed


class FencedError(SwerveError):
    """Another process writes under our transactional id: it took over, and we must end."""


class Transactions:
    """One topic to write to, by one process at a time: who opens it last fences all others.

    `open` ends whatever an earlier owner left half done, so that what is read committed afterwards is all there is.
    """

    TIMEOUT_S = 15.0  # an owner that stands still inside of a transaction holds up readers for at most about 25 s

    def __init__(self, kafka: Kafka, topic: str, transactional_id: str, group: str = "") -> None:
        """group: of the deployment that writes, told with each record."""
        self._headers = signed(group)
        self._kafka = kafka
        self._topic = topic
        self._id = transactional_id
        self._stack = contextlib.AsyncExitStack()
        self._producer: AIOKafkaProducer | None = None

    async def open(self) -> None:
        """Take over. Raises UnreachableError."""
        timeout_ms = int(self.TIMEOUT_S * 1000)
        opened = producer(self._kafka, transactional_id=self._id, transaction_timeout_ms=timeout_ms)
        self._producer = await self._stack.enter_async_context(opened)

    async def close(self) -> None:
        """Let go; an open transaction is aborted by the broker."""
        self._producer = None
        await self._stack.aclose()

    async def write(self, records: Iterable[tuple[bytes | None, bytes | None]]) -> None:
        """(key, value) pairs, all or none; returns when they are committed. None: a tombstone.

        Raises FencedError, SwerveError.
        """
        writer = self._producer
        if writer is None:
            raise SwerveError(f"{self._topic}: nothing can be written before it is open")
        try:
            await while_awake(self._transaction(writer, records), self.TIMEOUT_S)
        except (ProducerFenced, AssertionError) as error:
            # After fencing the library fails its own assertions instead of saying so again.
            raise FencedError(
                f"another process took over writing to {self._topic} as {self._id}; this one ends"
            ) from error
        except TimeoutError:
            raise SwerveError(
                f"{self._topic}: the broker did not say within {self.TIMEOUT_S:.0f} s whether records are committed; "
                "start this worker again, it reads which are"
            ) from None
        except KafkaError as error:
            raise SwerveError(
                f"{self._topic}: records were not committed ({error!r}); start this worker again"
            ) from error

    async def _transaction(
        self, writer: AIOKafkaProducer, records: Iterable[tuple[bytes | None, bytes | None]]
    ) -> None:
        # Not `async with writer.transaction()`: its way out hangs where the broker does not answer.
        await writer.begin_transaction()
        for key, value in records:
            await writer.send(self._topic, value, key=key, headers=self._headers)
        await writer.commit_transaction()
