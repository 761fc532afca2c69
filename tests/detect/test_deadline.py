"""Does a process that is to end leave in time, and say what it could not write?"""

from __future__ import annotations

import threading

from stream.stages.deadline import Deadline
from tests.pace import PATIENCE_S


def test_it_leaves_once_with_a_failure_and_says_what_is_not_stored(capsys):
    left, codes = threading.Event(), []

    def leave(code):
        codes.append(code)
        left.set()

    deadline = Deadline(0.05, {"ingest": lambda: "", "detect": lambda: "detect frames[0] from 7 up to 9"}, leave)
    deadline.begin("SIGTERM")
    deadline.begin("a stage had ended")

    assert left.wait(PATIENCE_S)
    assert codes == [1]
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("swerve: not ended 0.05 s after SIGTERM")
    assert "Not stored: detect frames[0] from 7 up to 9." in said


def test_where_all_is_stored_it_says_so():
    assert "All that was counted is stored" in Deadline(1.0, {"detect": lambda: ""}).told("SIGTERM")


def test_what_failed_is_said_before_that_it_did_not_end():
    told = Deadline(1.0, {"detect": lambda: ""}).told("its failure", "another process took over")
    assert told.startswith("another process took over. Then not ended 1 s after its failure")
