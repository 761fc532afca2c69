"""The console of a real correlate worker: what is said there is written to its topic, and told back from it."""

from __future__ import annotations

import asyncio
import json
import re

import aiohttp
import pytest

from stream.contract.expected import decode_expected
from stream.kafka import topics
from tests.pace import PATIENCE_S
from tests.service.processes import Stage, configuration
from tests.service.rig import everything, settings_for

pytestmark = pytest.mark.service("kafka")
SHIFT = {
    "id": "migration", "subject": {"kind": "cohort", "dimension": "org", "id": "org_7"},
    "target": {"kind": "model", "id": "atlas-4"}, "from": 1_000, "until": 4_102_444_800_000, "reason": "announced",
}  # fmt: skip


async def answers(session: aiohttp.ClientSession, address: str, path: str) -> dict:
    async with session.get(address + path) as answer:
        return await answer.json()


async def taken(session: aiohttp.ClientSession, address: str, shift: dict) -> None:
    """Until the worker judges, and takes a word."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            async with session.post(f"{address}/api/v1/expected", json=shift) as answer:
                if answer.status == 202:
                    return
                assert (answer.status, "stands by" in await answer.text()) == (503, True)
            await asyncio.sleep(0.3)


async def announced(session: aiohttp.ClientSession, address: str, shifts: list[dict]) -> None:
    """Until the list that the worker tells is this one."""
    async with asyncio.timeout(PATIENCE_S):
        while (await answers(session, address, "/api/v1/expected"))["expected"] != shifts:
            await asyncio.sleep(0.1)


async def test_a_word_goes_through_its_topic_and_is_withdrawn_there(bootstrap, unique, tmp_path):
    kafka = settings_for(bootstrap, unique).kafka
    await topics.create(kafka, 1)
    worker = Stage("correlate", configuration(tmp_path, kafka), tmp_path)
    try:
        address = await asyncio.to_thread(worker.address)
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar) as session:
            await taken(session, address, SHIFT)
            written = await everything(kafka, kafka.topics.expected)
            assert [json.loads(one.value) for one in written] == [SHIFT]
            assert decode_expected(written[0].value).subject.id == "org_7"
            await announced(session, address, [SHIFT])
            async with session.get(f"{address}/expected") as answer:
                csrf = re.search(r'name="csrf" value="(\w+)"', await answer.text())
            assert csrf
            fields = {"csrf": csrf[1], "key": "expected/migration", "back": "/expected"}
            async with session.post(f"{address}/silence/end", data=fields) as answer:
                assert answer.status == 200
            await announced(session, address, [])
        assert (await everything(kafka, kafka.topics.expected))[-1].value is None
    finally:
        worker.process.kill()
        worker.process.wait()
