"""With a privacy key: does any topic behind ingest hold an account's own name? And who is refused stays as it came."""

from __future__ import annotations

import pytest

from stream.configuration.sections import Privacy
from stream.detect import worker as detect
from stream.ingest import worker as ingest
from stream.kafka import broker, topics
from stream.kafka.topics import state_topic
from stream.pipeline.frames import decode_frame
from stream.stages.heads import choose, is_of
from tests.pipeline.test_forget_account import holds, opened
from tests.service.rig import drained, everything, produce, requests, running, settings_for, until
from tests.service.stages.test_reshard import fed

pytestmark = pytest.mark.service("kafka")
KEY = "of-the-tests-and-of-nothing-else"


async def test_frames_and_state_hold_the_names_of_the_key_alone(bootstrap, unique):
    settings = settings_for(bootstrap, unique, session_timeout_ms=3_000)
    settings = settings.model_copy(update={"privacy": Privacy(key=KEY)})
    kafka = settings.kafka
    await topics.create(kafka, 2)
    await produce(kafka, kafka.topics.requests, [(0, b'{"account_id":"acct_0"}')])
    await produce(kafka, kafka.topics.requests, requests(range(1_000), 2))
    async with running(detect.work, settings):
        async with running(ingest.work, settings):
            await until(lambda: fed(kafka, [501, 500]))
        await until(lambda: drained(kafka))

    frames = [decode_frame(record.value) for record in await everything(kafka, kafka.topics.frames)]
    names = {name for frame in frames for name in frame.rows.accounts}
    assert names == {settings.said_account(f"acct_{n}") for n in range(7)}
    entries = {one.key: one.value for one in await everything(kafka, state_topic(kafka.groups.detect))}
    entries = {key: value for key, value in entries.items() if value is not None}
    states = [choose(n, {key: value for key, value in entries.items() if is_of(n, key)}) for n in range(2)]
    whole = [opened(b"".join(one.pieces[name] for name in sorted(one.pieces))) for one in states]
    assert [holds(one, "acct_") for one in whole] == [[], []]
    assert any(holds(one, settings.said_account("acct_3")) for one in whole)
    (letter,) = await everything(kafka, kafka.topics.dlq)
    assert b"acct_0" in letter.value
    assert await broker.committed(kafka, kafka.groups.ingest, kafka.topics.requests)
