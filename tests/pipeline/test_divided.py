"""A summary that is too large for a message is told in several: do they say the same, and does each fit?"""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from detectors.counts.rows import SHARDS, shard_of
from detectors.counts.summary import Summary
from detectors.fleet import joined
from detectors.parameters import Parameters
from stream.pipeline.composition import Fleet, Shards
from stream.pipeline.embedded import Embedded
from stream.pipeline.frames import decode_summary, encode_summary
from stream.pipeline.messages import divided
from stream.pipeline.messages.join import Join
from tests.detectors.traffic import START_MS
from tests.test_frames import assert_same

HOUR_MS = 3_600_000


class Heard:
    def __init__(self):
        self.summaries: list[Summary] = []

    def apply(self, summary):
        self.summaries.append(summary)
        return []


def summaries_of(prompts: int, accounts: int = 200, one_account: bool = False) -> list[Summary]:
    """Of an hour in which every request has a prompt of its own."""
    draw, heard = random.Random(7), Heard()
    embedded = Embedded(Parameters(), ["s"], heard, shards=Shards(Parameters(), ["s"]))
    raws = [
        b'{"event_id":"%d","timestamp":%d,"account_id":"a%d","model":"m%d","capabilities":["c%d"],'
        b'"attributes":{"org":"o%d","country":"DE","template":"%032x"}}'
        % (
            number,
            START_MS + number * HOUR_MS // prompts,
            0 if one_account else number % accounts,
            number % 7,
            number % 3,
            number % 50,
            draw.getrandbits(128),
        )
        for number in range(prompts)
    ]
    embedded.read("s", raws, range(len(raws)))
    embedded.advance("s", ended=True)
    return heard.summaries


HOUR = summaries_of(20_000)


@pytest.mark.parametrize("bytes_max", [40_000, 150_000, 1 << 20])
def test_the_messages_fit_and_say_the_same_together(bytes_max):
    for summary in HOUR:
        messages = divided.messages_of(summary, bytes_max)
        parts = [decode_summary(one) for one in messages]

        assert max(map(len, messages)) <= bytes_max
        assert sorted(shard for part in parts for shard in part.shards) == list(range(SHARDS))
        assert sum(part.counters.get("accepted", 0) for part in parts) == summary.counters["accepted"]
        assert messages == divided.messages_of(summary, bytes_max)
        if summary.accounts is not None:
            assert len(messages) > 1 or bytes_max == 1 << 20
            assert_same(joined([part.accounts for part in parts]), joined([summary.accounts, _nobody(summary)]))


def _nobody(summary):
    """So that `joined` puts the whole into the order of its tables as well."""
    return divided._of_shards(summary.accounts, [])


def test_the_fleet_judges_them_as_one():
    whole, parts = Fleet(Parameters()), Fleet(Parameters())
    seen = {whole: [], parts: []}
    for fleet in seen:
        fleet.on_tick = seen[fleet].append
    for summary in HOUR:
        whole.apply(summary)
        for message in divided.messages_of(summary, 50_000):
            parts.apply(decode_summary(message))

    assert [one.at_ms for one in seen[whole]] == [one.at_ms for one in seen[parts]]
    assert [one.findings for one in seen[whole]] == [one.findings for one in seen[parts]]
    assert whole.judge.state().keys() == parts.judge.state().keys()


def test_a_tick_waits_until_all_of_its_messages_are_there_whatever_comes_twice():
    join, summary = Join(), HOUR[-1]
    parts = [decode_summary(one) for one in divided.messages_of(summary, 40_000)]
    given = [join.add(part) for part in [*parts[:-1], *parts[:-1], parts[-1]]]

    assert [len(one) for one in given] == [0] * (len(given) - 1) + [1]


def test_an_account_that_alone_is_too_large_tells_its_strongest_values():
    (summary,) = [one for one in summaries_of(4_000, one_account=True) if one.accounts is not None]
    alone = replace(summary, shards=(shard_of("a0"),))
    (message,) = divided.messages_of(alone, 60_000)
    told = decode_summary(message).accounts

    assert len(encode_summary(alone)) > 60_000
    assert len(message) <= 60_000
    assert np.diff(told.carried.start).tolist() == [divided.VALUES_MAX]
    assert told.n.tolist() == summary.accounts.n.tolist()
