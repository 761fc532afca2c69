"""Alerts as lines in a file and on standard output."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from stream.contract.alert import decode
from stream.sinks.lines import FileLines, StdoutLines
from stream.sinks.sink import SinkUnreachableError


async def test_each_record_is_one_line_that_can_be_read_back(tmp_path, alert):
    sink = FileLines("file", tmp_path / "alerts.ndjson")
    await sink.send([alert("a1"), alert("a2", summary="ends\\nhere")])
    await sink.send([alert("a3")])
    await sink.close()
    lines = (tmp_path / "alerts.ndjson").read_bytes().splitlines()
    assert [decode(line).alert_id for line in lines] == ["a1", "a2", "a3"]


async def test_what_was_in_the_file_stays(tmp_path, alert):
    path = tmp_path / "alerts.ndjson"
    path.write_bytes(b"before\n")
    sink = FileLines("file", path)
    await sink.send([alert()])
    await sink.close()
    assert path.read_bytes().startswith(b"before\n{")


async def test_a_rotated_file_is_begun_anew(tmp_path, alert):
    path = tmp_path / "alerts.ndjson"
    sink = FileLines("file", path)
    await sink.send([alert("a1")])
    path.rename(tmp_path / "alerts.1")
    await sink.send([alert("a2")])
    await sink.close()
    assert decode(path.read_bytes()).alert_id == "a2"


async def test_a_folder_that_is_not_there_may_come_back(tmp_path, alert):
    sink = FileLines("file", tmp_path / "gone" / "alerts.ndjson")
    with pytest.raises(SinkUnreachableError, match="No such file"):
        await sink.send([alert()])
    (tmp_path / "gone").mkdir()
    await sink.send([alert()])
    await sink.close()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full to stand for a full disk")
async def test_a_full_disk_may_pass(alert):
    sink = FileLines("file", Path("/dev/full"))
    with pytest.raises(SinkUnreachableError, match="No space left"):
        await sink.send([alert()])


class CutShort(io.FileIO):
    """A disk that takes the first bytes of a line only."""

    def write(self, data):
        return super().write(bytes(data)[:10])


async def test_half_a_line_is_taken_back(tmp_path, alert):
    path = tmp_path / "alerts.ndjson"
    sink = FileLines("file", path)
    sink._file = CutShort(path, "ab")
    with pytest.raises(SinkUnreachableError):
        await sink.send([alert()])
    assert path.read_bytes() == b""
    await sink.send([alert()])
    await sink.close()
    assert decode(path.read_bytes()) == alert()


async def test_standard_output_gets_lines_and_is_left_open(alert):
    out = io.BytesIO()
    sink = StdoutLines("stdout", out)
    await sink.send([alert()])
    await sink.close()
    assert decode(out.getvalue()) == alert()


async def test_standard_output_that_is_closed_is_no_crash(alert):
    out = io.BytesIO()
    out.close()
    with pytest.raises(SinkUnreachableError):
        await StdoutLines("stdout", out).send([alert()])
