"""Logs of messages with their lengths before them, as OpenTelemetry's file exporter writes them."""

from __future__ import annotations

import gzip
import json

import pytest
import zstandard

from stream import cli
from stream.contract.reading.arrays import BATCH_BYTES_MAX
from stream.sources.framed import Cut, Messages
from stream.sources.growing import Growing
from stream.sources.open import open_input
from tests.receiver.otlp import DONE_MS, chat, spans


def framed(*messages: bytes) -> bytes:
    return b"".join(len(one).to_bytes(4, "big") + one for one in messages)


BATCHES = [spans(chat(n, at_ms=DONE_MS + n)).SerializeToString() for n in range(1, 40)]


@pytest.mark.parametrize("step", [1, 3, 4, 7, 10_000])
def test_messages_are_cut_alike_whatever_the_chunks(step):
    content, cut = framed(*BATCHES), Cut()
    found = [one for at in range(0, len(content), step) for one in cut.feed(content[at : at + step])]

    assert found == BATCHES
    assert cut.end() == []


def test_a_message_that_is_too_large_costs_no_memory_and_those_behind_it_are_read():
    messages = Messages()
    found = messages.feed((BATCH_BYTES_MAX * 3).to_bytes(4, "big"))
    for _ in range(3):
        found += messages.feed(b"\n" * BATCH_BYTES_MAX)
        assert len(messages._begun) <= BATCH_BYTES_MAX + 4
    found += messages.feed(framed(b"next"))

    assert [len(one) for one in found] == [BATCH_BYTES_MAX + 1, 4]


def test_a_message_that_is_compressed_is_inflated_and_no_further_than_a_batch_may_be():
    small, bomb = zstandard.compress(BATCHES[0]), zstandard.compress(bytes(BATCH_BYTES_MAX * 8))
    first, second = Cut().feed(framed(small, bomb))

    assert first == BATCHES[0]
    assert len(second) == BATCH_BYTES_MAX + 1


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress])
def test_a_backtest_counts_the_file_of_the_file_exporter(pack, tmp_path, capsys):
    (tmp_path / "log").write_bytes(pack(framed(*BATCHES)))
    code = cli.run(["backtest", str(tmp_path / "log"), "--dialect", "otlp_proto"])

    assert (code, capsys.readouterr().out.split(";")[0]) == (0, "39 records read, 0 not counted")


def test_the_end_of_a_file_that_was_cut_short_is_refused_by_its_place(tmp_path):
    (tmp_path / "log").write_bytes(framed(*BATCHES)[:-9])
    rejects = tmp_path / "rejects"
    cli.run(["backtest", str(tmp_path / "log"), "--dialect", "otlp_proto", "--rejects", str(rejects)])

    assert [(row["line"], row["reason"]) for row in map(json.loads, rejects.read_text().splitlines())] == [
        (39, "not_protobuf")
    ]


def test_one_that_grows_is_followed(tmp_path):
    log = tmp_path / "log"
    log.write_bytes(framed(*BATCHES[:3])[:-5])
    growing = Growing(str(log))
    assert growing.take(0.0) == BATCHES[:2]
    log.write_bytes(framed(*BATCHES[:4]))

    assert growing.take(0.0) == BATCHES[2:4]


def test_a_line_of_otlp_in_json_may_be_as_long_as_a_batch(tmp_path):
    raw = json.dumps({"resourceSpans": [{"scopeSpans": [], "x": "y" * (2 << 20)}]}).encode()
    (tmp_path / "log").write_bytes(raw + b"\n")
    with open_input(str(tmp_path / "log")) as opened:
        assert [one for batch, _ in opened.records() for one in batch] == [raw]
