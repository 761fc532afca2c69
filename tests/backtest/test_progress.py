"""A person sees how far a replay is; a pipe sees nothing but the closing line."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace

from stream.terminal.progress import progress_of


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(monkeypatch, stream: io.StringIO, total: int | None) -> str:
    """What is drawn while a log of so many bytes is read to its half."""
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    file = SimpleNamespace(bytes_read=0, bytes_total=total)
    with progress_of([file]) as progress:
        file.bytes_read = 500
        progress.moved(12_345)
        if hasattr(progress, "_bar"):
            progress._bar.refresh()
    return stream.getvalue()


def test_on_a_terminal_it_shows_the_part_and_the_records(monkeypatch):
    drawn = shown(monkeypatch, Terminal(), total=1000)
    assert "50%" in drawn
    assert "12,345 records" in drawn


def test_a_pipe_of_unknown_length_shows_the_records(monkeypatch):
    assert "12,345 records" in shown(monkeypatch, Terminal(), total=None)


def test_elsewhere_it_is_silent(monkeypatch):
    assert shown(monkeypatch, io.StringIO(), total=1000) == ""
