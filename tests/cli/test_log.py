"""Every line of a log can be read by one parser, whoever wrote it."""

from __future__ import annotations

import io
import json
import logging

import pytest

from stream.telemetry import log


@pytest.fixture
def written():
    """Sets the log up onto a text, and puts back what was there."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    out = io.StringIO()
    yield out
    root.handlers[:], level = before
    root.setLevel(level)


def test_lines_of_ours_and_of_libraries_are_json_with_the_same_fields(written):
    log.set_up(json_lines=True, stream=written)
    log.get("watch").info("alert fired", alert_id="a1")
    logging.getLogger("aiokafka").warning("lag of %d", 7)
    ours, theirs = (json.loads(line) for line in written.getvalue().splitlines())
    assert (ours["event"], ours["alert_id"], ours["level"], ours["logger"]) == ("alert fired", "a1", "info", "watch")
    assert (theirs["event"], theirs["level"], theirs["logger"]) == ("lag of 7", "warning", "aiokafka")
    assert set(theirs) <= set(ours)


def test_an_exception_stays_on_its_line(written):
    log.set_up(json_lines=True, stream=written)
    try:
        raise ValueError("first\nsecond")
    except ValueError:
        log.get("watch").exception("failed")
    (line,) = written.getvalue().splitlines()
    assert "ValueError: first" in json.loads(line)["exception"]


def test_what_is_below_the_level_is_not_written(written):
    log.set_up(json_lines=True, stream=written, level="warning")
    log.get("watch").info("quiet")
    assert written.getvalue() == ""


def test_setting_up_twice_writes_every_line_once(written):
    for _ in range(2):
        log.set_up(json_lines=True, stream=written)
    log.get("watch").info("once")
    assert written.getvalue().count("once") == 1
