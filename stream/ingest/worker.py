"""The ingest stage: reads its partitions of the requests, sends their frames, and commits what was sent.

Order: frames and dead letters are acknowledged by the broker, then the offsets are committed, with the clocks. A crash
in between sends frames again, cut differently perhaps; their chain makes that harmless.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Sequence

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, OffsetAndMetadata, TopicPartition
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from aiokafka.structs import ConsumerRecord

from detectors.counts.arrivals import ClockState
from detectors.counts.rows import Frame
from stream.configuration.settings import Settings
from stream.errors import SwerveError
from stream.ingest.commits import clock_of, note
from stream.ingest.deadletters import Bucket, DeadLetter
from stream.ingest.deliver import messages_of
from stream.ingest.letterbox import BROKER_BYTES_MAX, LetterBox
from stream.ingest.source import Source, name_of
from stream.kafka import broker
from stream.kafka.offsets import note as keep_note
from stream.kafka.offsets import noted
from stream.kafka.topic_id import UNKNOWN, Watched, ids_of, is_another
from stream.kafka.topics import LETTER_BYTES_MAX, refuse_what_loses
from stream.kafka.writers import signed
from stream.pipeline.jumps import AHEAD_MS_MAX
from stream.stages.alone import alone
from stream.stages.deadline import told_of
from stream.stages.stage import Running, resumed
from stream.telemetry import log, metrics

STAGE = "ingest"
RECORDS_MAX = 5_000  # of one fetch
BUFFERED_MAX = 50_000  # requests in memory before a flush is due at once
POLL_MS = 200
Committed = tuple[int, ClockState | None]
_log = log.get("swerve.ingest")


async def work(settings: Settings, running: Running, reset_clocks: bool = False) -> None:
    """Run until asked to stop. Raises SwerveError where a topic is wrong, our name is lost, or the broker stays away.

    reset_clocks: begin the clock of every source anew, whatever was committed with its offset.
    """
    kafka = settings.kafka
    topics = kafka.topics
    await refuse_what_loses(kafka, topics.requests, topics.frames, topics.dlq)
    async with alone(STAGE, kafka, kafka.groups.ingest, topics.requests, running) as is_ours:
        if is_ours:
            await _work(settings, running, reset_clocks)


async def _work(settings: Settings, running: Running, reset_clocks: bool) -> None:
    kafka = settings.kafka
    topics = kafka.topics
    await _refuse_another_topic(settings)
    letter_bytes_max = await _bytes_max(settings, topics.dlq)
    async with (
        broker.producer(kafka, linger_ms=5, max_batch_size=256 * 1024) as producer,
        # Its letters may be sent twice, as after a crash; but a message that is refused holds up none behind it.
        broker.producer(kafka, enable_idempotence=False) as letters,
        broker.consumer(
            kafka,
            group_id=kafka.groups.ingest,
            group_instance_id=kafka.instance_id,
            partition_assignment_strategy=[StickyPartitionAssignor],
            session_timeout_ms=kafka.session_timeout_ms,
            heartbeat_interval_ms=max(kafka.session_timeout_ms // 10, 100),
            rebalance_timeout_ms=max(kafka.session_timeout_ms, 60_000),
            isolation_level=broker.READ_COMMITTED,
        ) as consumer,
    ):
        box = LetterBox(letters, topics.dlq, letter_bytes_max)
        worker = Worker(settings, running, consumer, producer, box, reset_clocks)
        consumer.subscribe([topics.requests], listener=worker)
        await worker.run()


class Worker(ConsumerRebalanceListener):  # type: ignore[misc]
    """One member of the group. Frames are flushed and sent by one task; a rebalance waits for it."""

    def __init__(
        self,
        settings: Settings,
        running: Running,
        consumer: AIOKafkaConsumer,
        producer: AIOKafkaProducer,
        letters: LetterBox,
        reset_clocks: bool = False,
    ) -> None:
        self._settings = settings
        self._dialect = settings.reader()
        self._running = running
        self._consumer = consumer
        self._producer = producer
        self._letters = letters
        self._reset_clocks = reset_clocks
        self._sources: dict[TopicPartition, Source] = {}
        self._holes: dict[TopicPartition, tuple[int, int]] = {}  # (offset that was due, offset that came)
        self._generation = 0
        self._lock = asyncio.Lock()
        self._failure: Exception | None = None
        self._letters_rate = Bucket(settings.limits.dlq_per_s, time.monotonic())
        self._revoked_s = time.monotonic()
        self._topic = Watched(settings.kafka, settings.kafka.topics.requests)

    async def run(self) -> None:
        """Read and send until asked to stop; then send what is judged, commit, and leave the group."""
        self._running.waits(STAGE, "joins the group")
        self._running.unwritten[STAGE] = self._unwritten
        every_s = self._settings.kafka.flush_ms / 1000
        next_s = time.monotonic() + every_s
        while not self._running.stop.is_set():
            await self._read()
            if self._failure is not None:
                raise self._failure
            await self._topic.look()
            if time.monotonic() >= next_s or self._buffered() >= BUFFERED_MAX:
                await self.deliver()
                next_s = time.monotonic() + every_s
        await self.deliver()

    async def _read(self) -> None:
        generation = self._generation
        timeout_ms = min(POLL_MS, self._settings.kafka.flush_ms)
        fetched = await self._consumer.getmany(timeout_ms=timeout_ms, max_records=RECORDS_MAX)
        if generation != self._generation:
            # Fetched before or while partitions moved: nobody knows from where. Read them again from our positions.
            for partition, source in self._sources.items():
                self._consumer.seek(partition, source.position)
            return
        now_s = time.monotonic()
        for partition, records in fetched.items():
            self._take(partition, records, now_s)

    def _take(self, partition: TopicPartition, records: list[ConsumerRecord], now_s: float) -> None:
        source = self._sources.get(partition)
        if source is not None:
            if records[0].offset > source.position:
                self._holes.setdefault(partition, (source.position, records[0].offset))
            source.read(records, now_s)

    def _buffered(self) -> int:
        return sum(source.encoder.buffered for source in self._sources.values())

    async def deliver(self) -> None:
        """Flush every source, send frames and dead letters, wait for all acknowledgements, then commit."""
        async with self._lock:
            await self._tell_what_was_deleted()
            frames: list[Frame] = []
            letters: list[DeadLetter] = []
            idle = 0
            now_s, received_ms = time.monotonic(), int(time.time() * 1000)
            for partition, source in self._sources.items():
                end = self._consumer.highwater(partition)
                if end is not None:
                    _refuse_what_was_never_written(name_of(partition), source.position, end)
                is_idle = source.is_idle(end, self._settings.ticks.idle_s, now_s)
                idle += is_idle
                frame = source.flush(is_idle, now_s, received_ms)
                if frame is not None:
                    frames.append(frame)
                letters += source.dead_letters()
            await self._send(frames, self._within_the_rate(letters, now_s))
            await self._commit()
            self._tell(frames, idle)

    async def _tell_what_was_deleted(self) -> None:
        """Offsets that did not come: markers of transactions are no records; but where the topic begins later now,
        what lay before was deleted while it waited."""
        holes, self._holes = self._holes, {}
        if not holes:
            return
        firsts = await self._consumer.beginning_offsets(list(holes))
        for partition, (expected, came) in holes.items():
            gone = min(firsts[partition], came) - expected
            if gone > 0:
                metrics.deleted_unread(STAGE, name_of(partition), gone)

    def _within_the_rate(self, letters: list[DeadLetter], now_s: float) -> list[DeadLetter]:
        kept = [letter for letter in letters if self._letters_rate.take(now_s)]
        if len(kept) < len(letters):
            metrics.dead_letters(suppressed=len(letters) - len(kept))
        return kept

    async def _send(self, frames: Iterable[Frame], letters: Sequence[DeadLetter]) -> None:
        topics, partitions = self._settings.kafka.topics, self._settings.kafka.partitions
        headers = signed(self._settings.kafka.groups.ingest)
        waiting = []
        for frame in frames:
            for partition, message in messages_of(frame, partitions):
                metrics.frame_sent(len(message))
                key = frame.source.encode()
                sent = self._producer.send(topics.frames, message, key=key, partition=partition, headers=headers)
                waiting.append(await sent)
        try:
            posted = await self._letters.post(letters)
            await asyncio.gather(*waiting)
        except KafkaError as error:
            raise SwerveError(
                f"the broker did not take frames ({error!r}); nothing of them is committed: start this worker again"
            ) from error
        metrics.dead_letters(posted.whole, truncated=posted.truncated, lost=posted.lost)

    async def _commit(self) -> None:
        offsets = {
            partition: OffsetAndMetadata(source.to_commit, note(source.encoder.clock_state))
            for partition, source in self._sources.items()
            if source.to_commit > source.committed
        }
        if not offsets:
            return
        try:
            await self._consumer.commit(offsets)
        except (CommitFailedError, IllegalStateError) as error:
            # The group went on without us. Whoever owns the partitions now sends these frames again: harmless.
            _log.warning("commit_refused", error=str(error))
            return
        except KafkaError as error:
            raise SwerveError(
                f"the broker did not take the commit ({error!r}); the frames are sent again: start this worker again"
            ) from error
        for partition, committed in offsets.items():
            if partition in self._sources:
                self._sources[partition].committed = committed.offset

    def _tell(self, frames: list[Frame], idle: int) -> None:
        metrics.records_accepted(STAGE, sum(len(frame.rows) for frame in frames))
        refused: Counter[str] = Counter()
        for frame in frames:
            refused.update(frame.refused)
            metrics.source_clock(STAGE, frame.source, frame.clock_ms, frame.idle)
        for reason, count in refused.items():
            metrics.records_refused(reason, count)
        metrics.records_no_request(sum([source.encoder.no_requests() for source in self._sources.values()]))
        metrics.long_names(sum([source.encoder.long_names() for source in self._sources.values()]))
        metrics.sources(STAGE, len(self._sources) - idle, idle)
        for partition, source in self._sources.items():
            end = self._consumer.highwater(partition)
            if end is not None:
                metrics.source_lag(STAGE, name_of(partition), max(end - source.position, 0))

    def _unwritten(self) -> str:
        sources = list(self._sources.items())
        return told_of(STAGE, {name_of(partition): (one.committed, one.position) for partition, one in sources})

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Let go of everything: the next owner, perhaps we, goes on from what is committed."""
        async with self._lock:
            self._generation += 1
            self._revoked_s = time.monotonic()
            for partition in self._sources:
                metrics.source_left(STAGE, name_of(partition))
            self._sources.clear()
            self._holes.clear()
            self._running.waits(STAGE, "waits for its partitions")

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Go on from the committed offsets and clocks. What fails here is only logged by the library: so we keep it."""
        try:
            await self._begin(list(assigned))
        except Exception as error:
            self._failure = error

    async def _begin(self, partitions: list[TopicPartition]) -> None:
        if not partitions:  # nothing is left for us, or the topic was deleted: that is not to be waited for in silence
            await broker.partitions_or_refuse(self._settings.kafka, self._settings.kafka.topics.requests)
        committed = await _committed(self._settings, partitions)
        firsts = await self._consumer.beginning_offsets(partitions) if partitions else {}
        ends = await self._consumer.end_offsets(partitions) if partitions else {}
        async with self._lock:
            self._generation += 1
            now_s = time.monotonic()
            for partition in partitions:
                offset, clock = committed.get(partition, (0, None))
                _refuse_what_was_never_written(name_of(partition), offset, ends[partition])
                if clock is not None and not self._keeps(name_of(partition), clock):
                    clock = None
                source = Source(partition, offset, firsts[partition], clock, now_s, self._dialect)
                if 0 < offset < firsts[partition]:
                    metrics.deleted_unread(STAGE, name_of(partition), firsts[partition] - offset)
                self._consumer.seek(partition, source.position)
                self._sources[partition] = source
        metrics.rebalance(STAGE, len(partitions), time.monotonic() - self._revoked_s)
        positions = {partition.partition: source.position for partition, source in self._sources.items()}
        self._running.ready(STAGE, resumed(self._settings.kafka.topics.requests, positions))

    def _keeps(self, source: str, clock: ClockState) -> bool:
        """Whether a clock that was committed is gone on with. One ahead of the time of day was set by wrong records."""
        ahead_ms = clock.now_ms - int(1000 * time.time())
        if self._reset_clocks or ahead_ms > AHEAD_MS_MAX:
            _log.warning("clock_begins_anew", source=source, showed_ms=clock.now_ms, ahead_s=ahead_ms // 1000)
            return False
        return True


async def _refuse_another_topic(settings: Settings) -> None:
    """Where the topic of the requests is not the one that the frames are of: offsets that were counted come again.

    With a topic the broker forgets what a group committed of it. So its id is kept beside the frames topic.
    """
    kafka = settings.kafka
    requests, frames, group = kafka.topics.requests, kafka.topics.frames, f"{kafka.groups.ingest}-topic"
    was, now = await noted(kafka, group, frames), (await ids_of(kafka, requests)).get(requests, UNKNOWN)
    if is_another(was, now):
        raise SwerveError(
            f"{requests} was deleted and made anew since its frames were counted: its offsets begin anew, and would be "
            "taken for repeats. Give the frames topic and the groups other names, and count anew"
        )
    if was != now:
        await keep_note(kafka, group, frames, now)


async def _bytes_max(settings: Settings, topic: str) -> int:
    """The largest letter that the topic takes, by its own word, and that serves anybody."""
    found = (await broker.topics_found(settings.kafka, [topic])).get(topic)
    said = found.settings.get("max.message.bytes") if found else None
    return min(int(said or BROKER_BYTES_MAX), LETTER_BYTES_MAX)


def _refuse_what_was_never_written(source: str, committed: int, end: int) -> None:
    """A topic that was made anew begins at 0 again: reading on from the old offset would skip all of it."""
    if committed > end:
        raise SwerveError(
            f"{source}: the group has read up to offset {committed}, but the topic ends at {end}: it was created anew. "
            "Give the frames topic and the groups other names, and count anew"
        )


async def _committed(
    settings: Settings, partitions: list[TopicPartition]
) -> dict[TopicPartition, tuple[int, ClockState | None]]:
    """(offset, clock) of each partition that the group committed; the consumer itself would lose the metadata."""
    if not partitions:
        return {}
    async with broker.admin(settings.kafka) as client:
        group = settings.kafka.groups.ingest
        found = await broker.of_coordinator(
            settings.kafka, lambda: client.list_consumer_group_offsets(group, partitions=partitions)
        )
    return {
        partition: (committed.offset, clock_of(committed.metadata))
        for partition, committed in found.items()
        if committed.offset >= 0
    }
