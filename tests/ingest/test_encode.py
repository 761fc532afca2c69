"""Frames of a source: what is in them, what is refused, and that no cut of the source changes either."""

from __future__ import annotations

import json
import tracemalloc
from collections import Counter

import msgspec
import numpy as np
import pytest
import structlog
from aiokafka import ConsumerRecord, TopicPartition
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.counts.rows import NO_CLOCK_MS, Frame, key_of, shard_of
from stream.contract.reading.refusal import Refusal, Reject
from stream.contract.request import Request, decode
from stream.ingest.deadletters import DETAIL, Kept
from stream.ingest.source import Source
from stream.pipeline.encode import Encoder, Limits, Refused
from stream.telemetry import metrics

AT = 1_772_362_800_000
HOUR = 3_600_000
YEAR_9999 = 253_370_764_800_000


def record(number: int = 0, at_ms: int | None = None, **fields) -> bytes:
    at_ms = AT + number * 1000 if at_ms is None else at_ms
    return json.dumps(
        {"event_id": f"e{number}", "timestamp": at_ms, "account_id": f"a{number % 5}", "model": "atlas-4"} | fields
    ).encode()


def names_of(frame: Frame) -> list[tuple]:
    """The rows of a frame by name: what they say, whatever the tables' order."""
    rows = frame.rows
    return [
        (
            int(rows.offset[i]),
            rows.accounts[rows.account[i]],
            int(rows.account_keys[rows.account[i]]),
            int(rows.account_shards[rows.account[i]]),
            rows.targets[rows.model[i]],
            tuple(rows.targets[one] for one in rows.capability_sets[rows.capability_set[i]]),
            tuple((*rows.values[one], int(rows.value_keys[one])) for one in rows.value_sets[rows.value_set[i]]),
            int(rows.at_ms[i]),
            int(rows.clock_ms[i]),
            int(rows.event[i]),
            int(rows.input_tokens[i]),
            int(rows.output_tokens[i]),
        )
        for i in range(len(rows))
    ]


def whole(raws: list[bytes], **options) -> tuple[Frame, list[Refused]]:
    """One frame of everything, and what was refused."""
    encoder = Encoder("s", **options)
    encoder.read(raws, range(len(raws)))
    return encoder.flush(ended=True), encoder.refusals()


def test_a_record_becomes_a_row_with_names_keys_and_numbers():
    full = record(capabilities=["vision", "coding"], attributes={"org": "o1"}, input_tokens=7, output_tokens=8)
    frame, refused = whole([full])

    assert refused == []
    assert names_of(frame) == [
        (
            0,
            "a0",
            key_of("a0"),
            shard_of("a0"),
            "model:atlas-4",
            ("capability:vision", "capability:coding"),
            (("org", "o1", key_of("org\0o1")),),
            AT,
            NO_CLOCK_MS,
            key_of("e0"),
            7,
            8,
        )
    ]


def test_a_frame_without_records_carries_the_clock_and_the_place():
    encoder = Encoder("s", after=9)
    frame = encoder.flush(idle=True)

    assert (frame.after, frame.upto, frame.clock_ms, frame.idle, frame.ended) == (9, 9, NO_CLOCK_MS, True, False)
    assert (len(frame.rows), frame.refused) == (0, {})


def test_a_capability_that_comes_twice_is_in_the_set_once():
    frame, _ = whole([record(capabilities=["coding", "coding"])])

    assert names_of(frame)[0][5] == ("capability:coding",)


def test_the_last_16_readable_records_wait_until_they_can_be_judged():
    encoder = Encoder("s")
    encoder.read([record(i) for i in range(20)], range(100, 120))
    first = encoder.flush()
    encoder.read([record(i) for i in range(20, 22)], [120, 121])
    second = encoder.flush()

    assert first.rows.offset.tolist() == [100, 101, 102, 103]
    assert (first.after, first.upto, encoder.buffered) == (-1, 103, 16)
    assert (second.after, second.upto, second.rows.offset.tolist()) == (103, 105, [104, 105])


def test_the_end_of_a_source_and_its_idleness_leave_nothing_behind():
    for how in ({"ended": True}, {"idle": True}):
        encoder = Encoder("s")
        encoder.read([record(i) for i in range(20)], range(20))
        frame = encoder.flush(**how)

        assert (len(frame.rows), frame.upto, encoder.buffered) == (20, 19, 0)


def test_every_row_carries_the_clock_at_that_row():
    frame, _ = whole([record(i) for i in range(40)])

    assert frame.rows.clock_ms[:15].tolist() == [NO_CLOCK_MS] * 15
    assert frame.rows.clock_ms[15:].tolist() == [AT + (i - 8) * 1000 for i in range(15, 40)]
    assert frame.clock_ms == AT + 31_000


class TestTimesThatCannotBe:
    @pytest.mark.parametrize("place", [0, 1, 7, 15, 16, 40, 59])
    def test_a_record_of_the_year_9999_is_refused_and_moves_no_clock(self, place):
        """The very first one included, and the last."""
        raws = [record(i) for i in range(60)]
        raws[place] = record(place, at_ms=YEAR_9999)
        frame, refused = whole(raws)

        assert [(one.offset, one.reason, one.raw) for one in refused] == [(place, "impossible_time", raws[place])]
        assert frame.refused == {"impossible_time": 1}
        assert place not in frame.rows.offset
        assert frame.rows.clock_ms.max() < AT + 60_000
        assert frame.clock_ms < AT + 60_000

    def test_the_detail_says_what_the_clock_showed(self):
        _, refused = whole([record(0, at_ms=YEAR_9999), *[record(i) for i in range(1, 30)]])

        assert refused[0].detail == (
            f"$.timestamp: expected at most 1 h ahead of its neighbours in the source, whose clock shows {AT + 8_000}, "
            f"got {YEAR_9999}"
        )

    @pytest.mark.parametrize("crazy", [8, 9, 16])
    def test_are_refused_in_a_run_as_well_and_do_not_set_the_clock(self, crazy):
        honest = [record(i) for i in range(30)]
        frame, refused = whole(honest + [record(100 + i, at_ms=YEAR_9999) for i in range(crazy)] + honest)

        assert len(refused) == crazy
        assert frame.clock_ms < AT + HOUR

    def test_an_hour_ahead_is_fine_and_a_millisecond_more_is_not(self):
        raws = [record(0, at_ms=AT)] * 40
        raws[20] = record(1, at_ms=AT + HOUR)
        raws[21] = record(2, at_ms=AT + HOUR + 1)
        _, refused = whole(raws)

        assert [one.offset for one in refused] == [21]

    def test_after_an_honest_gap_nothing_is_refused(self):
        raws = [record(i) for i in range(30)] + [record(i, at_ms=AT + 24 * HOUR + i) for i in range(30, 60)]

        assert whole(raws)[1] == []

    def test_fewer_than_16_records_are_judged_by_their_lower_median(self):
        frame, refused = whole([record(0, at_ms=YEAR_9999), record(1), record(2)])

        assert [one.offset for one in refused] == [0]
        assert frame.clock_ms == AT + 2_000

    def test_a_source_that_idles_after_one_crazy_record_has_no_clock_yet(self):
        encoder = Encoder("s")
        encoder.read([record(0, at_ms=YEAR_9999)], [0])

        assert encoder.flush(idle=True).clock_ms == NO_CLOCK_MS
        encoder.read([record(i) for i in range(1, 40)], range(1, 40))
        assert encoder.flush(ended=True).clock_ms < AT + HOUR

    def test_times_before_2015_are_refused_when_they_are_read_and_are_no_neighbours(self):
        frame, refused = whole([record(i, at_ms=5) for i in range(30)] + [record(i) for i in range(20)])

        assert [one.reason for one in refused] == [Reject.IMPOSSIBLE_TIME] * 30
        assert refused[0].detail.startswith("$.timestamp: expected a time from 2015 to 9999")
        assert len(frame.rows) == 20


class TestTimesLongBefore:
    """A row without a clock that is late by the clock that comes: else it would begin time."""

    @pytest.mark.parametrize(("place", "count"), [(0, 40), (1, 40), (7, 40), (14, 40), (0, 16), (14, 16), (3, 6)])
    def test_a_record_of_another_year_among_the_first_carries_the_clock_that_judges_it(self, place, count):
        raws = [record(i) for i in range(count)]
        raws[place] = record(place, at_ms=AT - 9_000 * HOUR)
        frame, refused = whole(raws)

        clocks = frame.rows.clock_ms[: min(count, 15)].tolist()
        assert AT <= clocks.pop(place) < AT + HOUR
        assert set(clocks) == {NO_CLOCK_MS}
        assert refused == []

    @pytest.mark.parametrize("gap_ms", [1_000, HOUR, 24 * HOUR, 700 * HOUR])
    def test_the_first_records_of_a_source_however_slow_it_is_have_none(self, gap_ms):
        frame, _ = whole([record(i, at_ms=AT + i * gap_ms) for i in range(40)])

        assert frame.rows.clock_ms[:15].tolist() == [NO_CLOCK_MS] * 15

    def test_an_hour_before_is_fine(self):
        frame, _ = whole([record(0, at_ms=AT - HOUR), *[record(i, at_ms=AT) for i in range(1, 40)]])

        assert frame.rows.clock_ms[0] == NO_CLOCK_MS

    def test_of_four_records_nobody_can_say_which_is_out_of_place(self):
        frame, _ = whole([record(0, at_ms=AT - 9_000 * HOUR), *[record(i) for i in range(1, 4)]])

        assert frame.rows.clock_ms.tolist()[0] == NO_CLOCK_MS


class TestRefusedRecords:
    def test_are_counted_by_reason_in_the_frame_that_covers_them_and_kept_as_they_came(self):
        encoder = Encoder("s")
        raws = [record(i) for i in range(40)]
        raws[3], raws[5], raws[39] = b"{", b"[]", b"\xff"
        encoder.read(raws, range(40))
        first, told_first = encoder.flush(), encoder.refusals()
        last, told_last = encoder.flush(ended=True), encoder.refusals()

        assert first.refused == {"not_an_object": 1, "not_json": 1}
        assert [(one.offset, one.raw) for one in told_first] == [(3, b"{"), (5, b"[]")]
        assert last.refused == {"not_utf8": 1}
        assert [(one.offset, one.raw) for one in told_last] == [(39, b"\xff")]

    def test_alone_they_are_covered_at_once(self):
        encoder = Encoder("s")
        encoder.read([b"{"] * 5, range(5))
        frame = encoder.flush()

        assert (frame.upto, frame.refused, encoder.buffered) == (4, {"not_json": 5}, 0)

    def test_a_flood_of_them_holds_a_readable_record_back_for_so_long_only(self):
        encoder = Encoder("s", limits=Limits(hold=100))
        encoder.read([record(0), *[b"{"] * 98], range(99))
        assert encoder.flush().upto == -1

        encoder.read([b"{"], [99])
        frame = encoder.flush()

        assert (frame.upto, len(frame.rows), frame.refused) == (99, 1, {"not_json": 99})
        assert encoder.buffered == 0


def test_offsets_must_rise():
    encoder = Encoder("s", after=7)

    with pytest.raises(ValueError, match="s: offset 7 after 7; offsets must rise"):
        encoder.read([record()], [7])
    with pytest.raises(ValueError, match="s: 1 records with 2 offsets"):
        encoder.read([record()], [8, 9])


def test_offsets_with_holes_are_carried_as_they_are():
    encoder = Encoder("s")
    encoder.read([record(i) for i in range(3)], [5, 90, 1_000_000_007])

    assert encoder.flush(ended=True).rows.offset.tolist() == [5, 90, 1_000_000_007]


def test_tables_of_a_frame_hold_what_its_rows_use_and_nothing_else():
    encoder = Encoder("s")
    encoder.read([record(i, account_id=f"a{i}", attributes={"org": f"o{i}"}) for i in range(40)], range(40))
    first, last = encoder.flush(), encoder.flush(ended=True)

    assert first.rows.accounts == tuple(f"a{i}" for i in range(24))
    assert last.rows.accounts == tuple(f"a{i}" for i in range(24, 40))
    assert last.rows.values == tuple(("org", f"o{i}") for i in range(24, 40))
    assert last.rows.targets == ("model:atlas-4",)


def test_full_tables_start_anew_and_change_nothing():
    raws = [
        record(i, account_id=f"a{i}", capabilities=[f"c{i % 7}"], attributes={"ip": f"v{i}", "org": f"o{i % 3}"})
        for i in range(300)
    ]
    encoder, frames = Encoder("s", limits=Limits(names=10)), []
    for begin in range(0, 300, 20):
        encoder.read(raws[begin : begin + 20], range(begin, begin + 20))
        frames.append(encoder.flush())
        assert encoder._tables.size() <= 36  # twenty of a batch, and the sixteen that wait
    frames.append(encoder.flush(ended=True))

    assert [row for frame in frames for row in names_of(frame)] == names_of(whole(raws)[0])


# A little of everything: honest times, jumps, crazy ones, repeats, what is refused, and new names.
kinds = st.sampled_from(["honest", "honest", "honest", "gap", "crazy", "old", "ancient", "broken", "slow"])


def log_of(kinds_of_records: list[str]) -> list[bytes]:
    raws, now = [], AT
    for number, kind in enumerate(kinds_of_records):
        now += 6 * HOUR if kind == "gap" else 1000
        at_ms = {"crazy": YEAR_9999, "old": 5, "ancient": AT - 2_400 * HOUR}.get(kind, now)
        twice = f'"model": "x", "model": "m{number % 3}", "attributes": {{"org": 1, "org": "o"}},'
        broken = b"{" if number % 2 else b"\xff"
        slow = record(number, at_ms=at_ms).replace(b"{", b"{" + twice.encode(), 1)
        raws.append(broken if kind == "broken" else slow if kind == "slow" else record(number, at_ms=at_ms))
    return raws


@given(st.lists(kinds, max_size=120), st.lists(st.integers(1, 50), max_size=12), st.sampled_from([20, 4096]))
@settings(max_examples=150)
def test_no_cut_of_a_source_changes_its_rows_its_clocks_or_what_is_refused(kinds_of_records, cuts, hold):
    raws = log_of(kinds_of_records)
    encoder, frames, refused = Encoder("s", limits=Limits(names=8, hold=hold)), [], []
    begin = 0
    for cut in [*cuts, len(raws)]:
        end = min(begin + cut, len(raws))
        encoder.read(raws[begin:end], range(begin, end))
        frames.append(encoder.flush())
        refused += encoder.refusals()
        begin = end
    frames.append(encoder.flush(ended=True))
    refused += encoder.refusals()
    frame, refused_at_once = whole(raws, limits=Limits(hold=hold))

    assert [row for one in frames for row in names_of(one)] == names_of(frame)
    assert refused == refused_at_once
    assert sum((Counter(one.refused) for one in frames), Counter()) == Counter(frame.refused)
    assert (frames[-1].clock_ms, frames[-1].upto) == (frame.clock_ms, frame.upto)
    assert [one.after for one in frames] == [-1, *[one.upto for one in frames[:-1]]]
    for one in frames:
        assert ((one.after < one.rows.offset) & (one.rows.offset <= one.upto)).all()


@given(st.lists(kinds, max_size=120), st.integers(0, 120))
@settings(max_examples=100)
def test_the_next_owner_goes_on_as_the_old_one_would_have(kinds_of_records, stop):
    """It is given the place and the clock, and reads again what was read and not judged."""
    raws = log_of(kinds_of_records)
    stop = min(stop, len(raws))
    old = Encoder("s")
    old.read(raws[:stop], range(stop))
    first, refused = old.flush(), old.refusals()
    new = Encoder("s", after=old.after, clock=old.clock_state)
    new.read(raws[first.upto + 1 :], range(first.upto + 1, len(raws)))
    second = new.flush(ended=True)
    frame, refused_at_once = whole(raws)

    assert names_of(first) + names_of(second) == names_of(frame)
    assert refused + new.refusals() == refused_at_once
    assert second.clock_ms == frame.clock_ms


@given(st.lists(kinds, max_size=60))
@settings(max_examples=60)
def test_the_quick_way_for_our_own_records_equals_the_way_for_any_dialect(kinds_of_records):
    raws = log_of(kinds_of_records)
    quick, refused_quick = whole(raws)
    slow, refused_slow = whole(raws, dialect=lambda raw: [decode(raw)])

    assert names_of(quick) == names_of(slow)
    assert refused_quick == refused_slow


def pair(raw: bytes) -> list[Request | Refusal]:
    """A dialect whose records hold two requests each, or none, or are refused in whole or in part."""
    if raw == b"none":
        return []
    if raw == b"bad":
        raise Refusal(Reject.NOT_JSON, "$: bad")
    number = int(raw)
    requests: list[Request | Refusal] = [Request(f"e{number}{half}", AT + number * 1000, "a", "m") for half in "ab"]
    return [*requests, Refusal(Reject.MISSING_FIELD, "$: part")] if number % 3 == 0 else requests


def test_requests_of_one_record_are_never_cut_apart():
    encoder, frames = Encoder("s", dialect=pair), []
    for number in range(30):
        raw = b"none" if number == 7 else b"bad" if number == 9 else str(number).encode()
        encoder.read([raw], [number])
        frames.append(encoder.flush())
    frames.append(encoder.flush(ended=True))
    parts = [one.offset for one in encoder.refusals() if one.reason is Reject.MISSING_FIELD]

    assert parts == [number for number in range(0, 30, 3) if number != 9]
    for frame in frames:
        covered = [number for number in parts if frame.after < number <= frame.upto]
        assert frame.refused.get("missing_field", 0) == len(covered)
    rows = [row for frame in frames for row in frame.rows.offset.tolist()]
    assert rows == [number for number in range(30) if number not in (7, 9) for _ in "ab"]
    for frame in frames:
        assert set(np.unique(frame.rows.offset, return_counts=True)[1].tolist()) <= {2}
    assert [one.upto for one in frames] == sorted(one.upto for one in frames)
    assert frames[-1].upto == 29


def test_a_source_with_a_record_every_two_hours_loses_nothing_to_its_slow_clock():
    encoder = Encoder("slow", after=-1)
    raws = [
        b'{"event_id":"%d","timestamp":%d,"account_id":"a","model":"m"}' % (i, 1_770_000_000_000 + i * 7_200_000)
        for i in range(40)
    ]
    encoder.read(raws, list(range(40)))

    frame = encoder.flush(ended=True)

    assert (len(frame.rows), frame.refused) == (40, {})


def test_what_is_null_makes_the_same_row_as_what_is_left_out():
    nulls = record(capabilities=None, input_tokens=None, output_tokens=None, attributes={"org": None})

    assert names_of(whole([nulls])[0]) == names_of(whole([record()])[0])
    assert names_of(whole([record(attributes=None)])[0]) == names_of(whole([record()])[0])


class TestALineThatIsAnArray:
    """LiteLLM's loggers write their batches so: its records in order, each counted or refused for itself."""

    @pytest.mark.parametrize("dialect", [None, lambda raw: [decode(raw)]], ids=["quick", "dialect"])
    def test_gives_the_rows_of_its_records_in_order(self, dialect):
        one_by_one = names_of(whole([record(n) for n in range(60)], dialect=dialect)[0])
        batches = [b"[" + b", ".join(record(n) for n in range(first, first + 20)) + b"] " for first in (0, 20, 40)]
        frame, refused = whole(batches, dialect=dialect)

        assert [row[1:8] for row in names_of(frame)] == [row[1:8] for row in one_by_one]
        assert [row[0] for row in names_of(frame)] == [0] * 20 + [1] * 20 + [2] * 20
        assert refused == []

    @pytest.mark.parametrize("dialect", [None, lambda raw: [decode(raw)]], ids=["quick", "dialect"])
    def test_loses_only_the_record_that_is_broken(self, dialect):
        deep = record(1).replace(b"{", b'{"x": ' + b"[" * 70 + b"]" * 70 + b", ", 1)
        no_number = record(2).replace(b"{", b'{"x": NaN, ', 1)
        no_utf8 = record(3).replace(b"atlas", b"\xff")
        raw = b"[" + b",".join([record(0), deep, no_number, no_utf8, b"7", record(4), b'{"a": "],["}']) + b"]"
        frame, refused = whole([raw], dialect=dialect)

        assert [row[1] for row in names_of(frame)] == ["a0", "a4"]
        assert [(one.reason, one.detail.split(":")[0]) for one in refused] == [
            (Reject.TOO_DEEP, "$[1]"),
            (Reject.NOT_JSON, "$[2]"),
            (Reject.NOT_UTF8, "$[3]"),
            (Reject.NOT_AN_OBJECT, "$[4]"),
            (Reject.MISSING_FIELD, "$[6].event_id"),
        ]

    @pytest.mark.parametrize("raw", [b"[]", b"[ ", b"[" + record() + b"}", b"]", b"[" * 1_100_000])
    def test_is_refused_whole_where_it_has_no_records(self, raw):
        frame, refused = whole([raw])

        assert len(frame.rows) == 0
        assert [one.detail.split(":")[0] for one in refused] == ["$"]

    def test_may_be_larger_than_a_record(self):
        frame, refused = whole([b"[" + b",".join(record(n) for n in range(20_000)) + b"]"])

        assert (len(frame.rows), refused) == (20_000, [])

    def test_has_one_letter_whatever_is_wrong_in_it(self):
        """Its letter is the whole of it: one for each of a thousand records would be a gigabyte."""
        source = Source(TopicPartition("swerve.requests", 3), 0, 0, None, 0.0)
        values = [b"[{}, 7, " + record() + b"]", b"{"]
        came = [ConsumerRecord("", 3, n, 0, 0, None, value, None, 0, 0, ()) for n, value in enumerate(values)]
        source.read(came, 0.0)
        source.flush(True, 0.0)
        first, second = source.dead_letters()

        assert (first.value, second.value) == tuple(values)
        assert dict(first.ours)[DETAIL].endswith(b"a string, got nothing; and 1 more of this record")


def test_refused_records_that_wait_behind_a_readable_one_are_bounded_in_bytes():
    """One waits for 16 later ones, then comes a flood of a megabyte each: all are counted, beginnings are kept."""
    encoder = Encoder("s")
    tracemalloc.start()
    try:
        encoder.read([record()], [0])
        for number in range(1, 101):
            encoder.read([b"x" * (1 << 20)], [number])
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    frame = encoder.flush(ended=True)
    refused = encoder.refusals()

    assert held < 24 << 20
    assert frame.refused == {"not_json": 100}
    assert [(len(one.raw), one.size) for one in (refused[0], refused[-1])] == [(1 << 20, None), (1_024, 1 << 20)]
    assert Kept().letter("t", 0, refused[-1]).truncated == "value cut from 1048576 bytes"


class TestNamesThatAreTooLong:
    """The contract limits neither capabilities nor attributes: what is too long is cut, told, and still tells apart."""

    @pytest.mark.parametrize("dialect", [None, lambda raw: [decode(raw)]], ids=["quick", "dialect"])
    def test_are_cut_counted_and_stay_different(self, dialect):
        encoder = Encoder("s", dialect=dialect)
        long = "n" * 400_000
        raws = [
            record(1, attributes={"org": long}),
            record(2, attributes={"org": long}),
            record(3, attributes={"org": long + "2"}),
            record(4, attributes={"org": "n"}),
            record(5, attributes={long: "x"}, capabilities=[long]),
        ]
        encoder.read(raws, range(5))
        counted, again = encoder.long_names(), encoder.long_names()
        rows = encoder.flush(ended=True).rows

        assert (counted, again) == (4, 0)
        assert max(len(part) for pair in rows.values for part in pair) <= 256
        assert max(len(target) for target in rows.targets) <= 256 + len("capability:")
        assert rows.value_set[0] == rows.value_set[1]
        assert len(set(rows.value_set.tolist())) == 4
        assert len(msgspec.json.encode([rows.values, rows.targets])) < 3_000

    def test_are_not_remembered_whole(self):
        """Thirty thousand of them would be thirty gigabytes."""
        encoder = Encoder("s")
        raws = [record(n, attributes={"org": f"{n}" + "n" * 100_000}) for n in range(100)]
        tracemalloc.start()
        try:
            encoder.read(raws, range(100))
            encoder.flush(ended=True)
            held, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

        assert held < 1_000_000

    def test_are_told_at_most_once_a_minute(self):
        with structlog.testing.capture_logs() as told:
            metrics.long_names(2)
            metrics.long_names(3)

        assert len([one for one in told if one["event"] == "long_names_cut"]) <= 1


class TestAReaderWithAFault:
    """A record over which a reader stumbles is refused as such; it does not stop what comes after it."""

    @staticmethod
    def dialect(raw: bytes):
        if raw == b"stumble":
            return [Request(f"e{int(raw)}", AT, "a", "m")]
        return [Request(raw.decode(), AT, "\ud800" if raw == b"half" else "a", "m")]

    def test_refuses_that_record_and_counts_all_others(self):
        encoder = Encoder("s", dialect=self.dialect)
        encoder.read([b"e1", b"stumble", b"half", b"e2"], range(4))
        frame = encoder.flush(ended=True)

        assert frame.refused == {"reader_failed": 2}
        assert frame.rows.offset.tolist() == [0, 3]
        stumbled, half = encoder.refusals()
        assert "ValueError: invalid literal for int()" in stumbled.detail
        assert "UnicodeEncodeError" in half.detail

    def test_is_told_in_the_log(self):
        with structlog.testing.capture_logs() as told:
            metrics.records_refused("reader_failed", 2)

        assert [(one["event"], one["log_level"], one["records"]) for one in told] == [("reader_failed", "error", 2)]
