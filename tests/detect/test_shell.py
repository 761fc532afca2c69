"""Does the shell count in order whatever it is handed, and commit only what it has stored?"""

from __future__ import annotations

import asyncio
import itertools
import json
import random

import pytest

from stream.errors import SwerveError
from stream.pipeline.chain import Applied
from stream.stages.shell import ASK_AGAIN_S, SILENT_S, Output, Shell, Step
from stream.telemetry import metrics


class Counting:
    """An engine: values are b"source:after:upto"; state is the offset counted up to, and how often something was."""

    def __init__(self, pieces):
        self.upto, self.counted = json.loads(pieces["0"]) if pieces else ({}, 0)
        self.given_up: list[str] = []

    def apply(self, offset, value):
        source, after, upto = value.decode().split(":")
        position = self.upto.get(source, -1)
        if int(after) > position and source not in self.given_up:
            return Step(Applied.GAP, source)
        if int(upto) <= position:
            return Step(Applied.REPEAT, source)
        self.counted += int(upto) - position
        self.upto[source] = int(upto)
        return Step(Applied.APPLIED, source, (Output(value),))

    def give_up(self, source):
        self.given_up.append(source)

    def begin_anew(self):
        self.given_up += list(self.upto)

    def snapshot(self):
        return {"0": json.dumps([self.upto, self.counted], sort_keys=True).encode()}


class Stage:
    name = "detect"

    def __init__(self):
        self.done: list = []
        self.opened: list[int] = []

    async def open(self, partition, pieces):
        self.opened.append(partition)
        return Counting(pieces)

    async def emit(self, outputs):
        self.done += [("emit", output.value) for output in outputs]

    async def settle(self):
        self.done.append("settle")

    async def close(self, partition):
        self.done.append(("close", partition))


class Log:
    """A table and a topic in memory; `order` tells what happened when."""

    def __init__(self, order):
        self.table: dict[bytes, bytes] = {}
        self.sought: list[tuple[int, int]] = []
        self.at: dict[int, int] = {}
        self.end: int | None = 0
        self.id = "0a"
        self.first = 0  # what lies before was deleted
        self.order = order

    def entries(self, partition):
        return {key: value for key, value in self.table.items() if key.startswith(f"{partition}/".encode())}

    async def store(self, partition, entries):
        for key, value in entries.items():
            self.order.append(("store" if value is not None else "remove", key.split(b"/")[1]))
            if value is None:
                self.table.pop(key, None)
            else:
                self.table[key] = value

    async def commit(self, partition, offset):
        self.order.append(("commit", offset))
        self.at[partition] = offset

    async def seek_back(self, partition, offset, surely=False):
        self.sought.append((partition, offset))
        return max(offset, self.first)

    def committed(self, partition):
        return self.at.get(partition)

    async def topic_id(self):
        return self.id

    async def begins_at(self, partition):
        return self.first

    async def ask_end(self, partition):
        return self.end


WRITERS = itertools.count()  # never the same name twice, as in life


def a_shell(log=None, now_s=lambda: 0.0):
    stage = Stage()
    log = log or Log(stage.done)
    log.order = stage.done
    return Shell(stage, log, f"writer{next(WRITERS)}", now_s), stage, log


async def test_what_does_not_continue_is_refused_and_asked_for_where_its_source_stands():
    shell, _, log = a_shell()
    await shell.take(0, 0, b"a:-1:5")
    await shell.take(0, 1, b"b:-1:9")

    await shell.take(0, 2, b"a:8:12")

    assert log.sought == [(0, 1)]
    assert shell.engines()[0].upto == {"a": 5, "b": 9}


async def test_what_is_left_out_is_asked_for_though_its_source_says_nothing_more():
    """Else the state would be stored as if it held all, and the next owner would wait for it for ever."""
    shell, _, log = a_shell()
    await shell.take(0, 0, b"a:-1:5")
    await shell.take(0, 2, b"a:5:9")  # 1 is the last that b ever says
    await shell.flush()

    assert log.sought == [(0, 1)]
    assert log.at == {0: 1}
    for offset, value in enumerate((b"b:-1:3", b"a:5:9"), 1):
        await shell.take(0, offset, value)
    assert shell.engines()[0].upto == {"a": 9, "b": 3}


async def test_what_was_deleted_before_it_was_read_is_not_waited_for():
    shell, _, log = a_shell()
    log.first = 40
    for _ in range(2):
        await shell.take(0, 40, b"a:-1:5")

    assert log.sought == [(0, 0)]
    assert shell.positions() == {0: 41}


@pytest.mark.parametrize("ends", [asyncio.CancelledError(), SwerveError("the broker did not take a message")])
async def test_a_step_whose_outputs_were_not_written_is_never_stored(ends):
    """Its ticks would be closed in the state, and told to nobody."""
    shell, stage, log = a_shell()
    await shell.take(0, 0, b"a:-1:5")

    async def broken(outputs):
        raise ends

    stage.emit = broken
    with pytest.raises(type(ends)):
        await shell.take(0, 1, b"a:5:9")
    await shell.flush()

    assert log.table == {}


async def test_a_gap_is_asked_for_once_while_what_was_fetched_before_still_comes():
    shell, _, log = a_shell()
    for offset in range(5):
        await shell.take(0, offset, b"a:8:12")

    assert log.sought == [(0, 0)]


async def test_a_gap_that_the_broker_has_deleted_is_given_up_after_it_was_asked_for_in_vain():
    now = [0.0]
    shell, _, log = a_shell(now_s=lambda: now[0])
    await shell.take(0, 0, b"a:-1:5")
    log.first = 3
    await shell.take(0, 1, b"b:-1:9")
    await shell.take(0, 2, b"a:8:12")
    assert shell.engines()[0].given_up == []

    now[0] = ASK_AGAIN_S
    await shell.take(0, 2, b"a:8:12")
    await shell.take(0, 2, b"a:8:12")

    assert shell.engines()[0].given_up == ["a"]
    assert shell.engines()[0].upto == {"a": 12, "b": 9}


async def test_a_gap_of_what_the_broker_still_has_is_never_given_up():
    now = [0.0]
    shell, _, log = a_shell(now_s=lambda: now[0])
    await shell.take(0, 0, b"a:-1:5")
    log.first = 1
    for again in range(4):
        now[0] = again * ASK_AGAIN_S
        await shell.take(0, 1, b"a:8:12")

    assert shell.engines()[0].given_up == []


async def test_a_gap_that_stays_is_asked_for_again():
    now = [0.0]
    shell, _, log = a_shell(now_s=lambda: now[0])
    await shell.take(0, 0, b"a:8:12")
    now[0] += ASK_AGAIN_S

    await shell.take(0, 0, b"a:8:12")

    assert log.sought == [(0, 0), (0, 0)]


async def test_messages_that_are_left_out_with_nothing_after_them_are_asked_for_at_longer_and_longer_intervals():
    now = [0.0]
    shell, _, log = a_shell(now_s=lambda: now[0])
    await shell.take(0, 0, b"a:-1:4")
    log.end = 9
    asked_s = []
    for second in range(1, 100):
        now[0] = float(second)
        await shell.break_silence()
        asked_s += [second] * (len(log.sought) - len(asked_s))

    assert log.sought == [(0, 1)] * len(asked_s)
    assert asked_s == [5, 15, 35, 75]
    now[0] = 160.0
    with pytest.raises(SwerveError, match=r"partitions \[0\] hold messages, and none was handed out"):
        await shell.break_silence()


async def test_a_gap_that_nothing_follows_is_asked_for_where_its_source_stands():
    now = [0.0]
    shell, _, log = a_shell(now_s=lambda: now[0])
    await shell.take(0, 0, b"a:-1:4")
    await shell.take(0, 1, b"a:9:12")
    log.sought.clear()
    log.end, now[0] = 2, SILENT_S

    await shell.break_silence()

    assert log.sought == [(0, 1)]


@pytest.mark.parametrize("end", [1, None])
async def test_nothing_is_asked_for_at_the_end_of_the_log_or_while_partitions_move(end):
    now = [0.0]
    shell, _, log = a_shell(now_s=lambda: now[0])
    await shell.take(0, 0, b"a:-1:4")
    log.end = end
    for now[0] in range(100):
        await shell.break_silence()

    assert log.sought == []


async def test_what_was_written_is_settled_then_stored_then_headed_then_committed():
    shell, stage, _ = a_shell()
    await shell.take(0, 0, b"a:-1:5")

    await shell.flush()

    assert stage.done == [
        ("emit", b"a:-1:5"), "settle", ("store", b"piece"), ("store", b"head"), ("commit", 1),
    ]  # fmt: skip


class Laborious(Counting):
    """Does what a message asks for in three steps."""

    def apply(self, offset, value):
        return self.step(value, 1)

    def step(self, value, number):
        rest = (lambda: self.step(value, number + 1)) if number < 3 else None
        return Step(Applied.APPLIED, "a", (Output(b"%d" % number),), rest)


async def test_a_message_that_asks_for_much_lets_a_rebalance_come_in_between_and_is_left_to_the_next_owner():
    shell, stage, _ = a_shell()

    async def opened(partition, pieces):
        return Laborious(pieces)

    async def emit(outputs):
        stage.done.append(outputs[0].value)
        if outputs[0].value == b"2":
            leaving.append(asyncio.create_task(shell.drop()))
            await asyncio.sleep(0)

    leaving: list = []
    stage.open, stage.emit = opened, emit
    await shell.take(0, 0, b"much")
    await leaving[0]

    assert stage.done == [b"1", b"2", ("close", 0)]


async def test_all_of_a_message_that_asks_for_much_is_done_before_the_next():
    shell, stage, _ = a_shell()

    async def opened(partition, pieces):
        return Laborious(pieces)

    stage.open = opened
    await shell.take(0, 0, b"much")
    await shell.take(0, 1, b"more")

    assert [value for _, value in stage.done] == [b"1", b"2", b"3"] * 2


async def test_nothing_is_stored_where_nothing_changed():
    shell, stage, _ = a_shell()
    await shell.take(0, 0, b"a:-1:5")
    await shell.flush()
    stage.done.clear()

    await shell.flush()

    assert stage.done == []


async def test_the_next_owner_begins_with_what_was_stored():
    shell, _, log = a_shell()
    await shell.take(0, 0, b"a:-1:5")
    await shell.flush()
    await shell.take(0, 1, b"a:5:7")
    await shell.drop()

    other, _, _ = a_shell(log)
    await other.take(0, 1, b"a:5:9")

    assert other.engines()[0].counted == 10
    assert log.sought == []


async def test_a_topic_that_was_made_anew_is_read_from_its_begin_by_the_state_of_the_old_one():
    """However far the new one has come: its offsets say nothing about the old one's."""
    shell, _, log = a_shell()
    for offset in range(3):
        await shell.take(0, offset, f"a:{5 * offset - 1}:{5 * offset + 4}".encode())
    await shell.flush()
    before = metrics.value("swerve_topics_made_anew_total", stage="detect") or 0.0
    log.id = "0b"

    other, _, _ = a_shell(log)
    await other.open([0], lambda: True)
    assert other.positions() == {0: 0}
    await other.take(0, 0, b"a:20:24")
    await other.take(0, 1, b"a:24:29")
    await other.flush()

    assert metrics.value("swerve_topics_made_anew_total", stage="detect") == before + 1
    assert other.engines()[0].upto == {"a": 29}
    assert log.at[0] == 2
    third, _, _ = a_shell(log)
    await third.open([0], lambda: True)
    assert third.positions() == {0: 2}, "the new one is known from its first snapshot on"


async def test_a_partition_that_was_dropped_is_read_again():
    shell, stage, _ = a_shell()
    await shell.take(0, 0, b"a:-1:5")
    await shell.flush()
    await shell.drop()

    await shell.take(0, 1, b"a:5:6")

    assert stage.opened == [0, 0]


async def test_old_pieces_and_heads_are_removed_after_the_new_head():
    shell, stage, log = a_shell()
    await shell.take(0, 0, b"a:-1:5")
    await shell.flush()
    other, stage, _ = a_shell(log)
    await other.take(0, 1, b"a:5:9")
    stage.done.clear()

    await other.flush()

    assert [what for what, *_ in stage.done[1:]] == ["store", "store", "remove", "remove", "commit"]
    assert len(log.table) == 2


async def test_a_committed_partition_without_its_state_is_refused():
    shell, _, log = a_shell()
    log.at[0] = 812

    with pytest.raises(SwerveError, match="committed up to offset 812, but its state is not there"):
        await shell.take(0, 812, b"a:900:905")


async def test_an_output_that_was_lost_fails_the_flush_before_anything_is_stored():
    shell, stage, log = a_shell()
    await shell.take(0, 0, b"a:-1:5")

    async def lost():
        raise SwerveError("the broker did not take a message")

    stage.settle = lost
    with pytest.raises(SwerveError):
        await shell.flush()

    assert log.table == {}
    assert log.at == {}


@pytest.mark.parametrize("seed", range(20))
async def test_any_disorder_kills_and_takeovers_count_everything_once(seed):
    """A log that hands out messages early, twice or not at all, to owners that die between any two steps."""
    draw = random.Random(seed)
    frames = []
    for source in "ab":
        position = -1
        while position < 60:
            upto = position + draw.randint(0, 4)
            frames.append((source, position, upto))
            position = upto
    frames.sort(key=lambda frame: (frame[2], frame[0]))
    topic = [f"{s}:{a}:{u}".encode() for s, a, u in frames]
    now = [0.0]
    shell, _, log = a_shell(now_s=lambda: now[0])
    read = 0
    for _ in range(3_000):
        now[0] += 1.0
        if log.sought:
            read = log.sought.pop()[1]
        if read < len(topic) and draw.random() < 0.9:
            await shell.take(0, read, topic[read])
        read += 1 if draw.random() < 0.95 else 2
        if draw.random() < 0.05:
            await shell.flush()
        if draw.random() < 0.02:
            shell, _, _ = a_shell(log, now_s=lambda: now[0])
            await shell.open([0], lambda: True)
            log.sought.clear()
            read = log.at.get(0, 0)
        log.end = len(topic)
        await shell.break_silence()
    engine = shell.engines()[0]

    assert engine.upto == {source: max(u for s, _, u in frames if s == source) for source in "ab"}
    assert engine.counted == sum(upto + 1 for upto in engine.upto.values())


async def test_what_a_succeeded_owner_removes_is_not_what_its_successor_has_stored():
    """It thinks that the partition is still its own: of the broker's death both learn late."""
    before, _, log = a_shell()
    await before.take(0, 0, b"a:-1:5")
    await before.flush()
    after, _, _ = a_shell(log)
    await after.open([0], lambda: True)
    await before.take(0, 1, b"a:5:9")
    await before.flush()
    await after.take(0, 0, b"a:-1:5")  # nothing new: the state has the bytes that it had
    await after.flush()

    third, _, _ = a_shell(log)
    await third.open([0], lambda: True)

    assert third.engines()[0].counted in (6, 10)


@pytest.mark.parametrize("seed", range(30))
async def test_however_the_writes_of_many_owners_mix_the_next_one_finds_a_whole_state(seed):
    """Each of them may be slow anywhere between two writes, may come back, and may have nothing new to store."""
    draw = random.Random(seed)
    _, _, log = a_shell()
    stored = log.store

    async def slowly(partition, entries):
        for key, value in entries.items():
            for _turn in range(draw.choice((0, 0, 1, 5, 20))):
                await asyncio.sleep(0)
            await stored(partition, {key: value})

    log.store = slowly
    owners, flushes = [a_shell(log)[0] for _ in range(3)], []
    await owners[0].take(0, 0, b"a:-1:0")
    await owners[0].flush()
    for _ in range(40):
        owner = draw.choice(owners)
        if draw.random() < 0.4:
            await owner.drop()
        await owner.open([0], lambda: True)
        at = owner.engines()[0].upto.get("a", -1)
        await owner.take(0, owner.positions()[0], b"a:%d:%d" % (at, at + draw.choice((0, 1))))
        flushes.append(asyncio.create_task(owner.flush()))
        await asyncio.sleep(0)
    await asyncio.gather(*flushes)
    last, _, _ = a_shell(log)
    await last.open([0], lambda: True)

    assert last.engines()[0].counted >= 1
    assert len([key for key in log.table if b"/head/" in key]) <= len(owners) + 1
