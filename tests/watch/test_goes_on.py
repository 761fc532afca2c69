"""A watch with a state folder that is stopped, or killed, goes on where it was; without one it reads its log again."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from stream.commands.begin import history, keeping
from stream.commands.begin.watch import SOURCE, Watch
from stream.configuration.settings import Settings
from stream.contract import alert
from stream.pipeline.announced import Catalogue
from stream.pipeline.composition import Shards
from stream.simulate.scenarios import tell
from stream.simulate.writing.write import Lines
from stream.sources.growing import Growing
from tests.pace import PATIENCE_S
from tests.watch.test_watch import SWERVE, T0, address_of, got, line, until

HOURS = 20
SETTINGS = Settings.model_validate({"detection": {"warm_up_h": 12}})


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    """Hours of a small fleet in which something is found."""
    story = tell("pivot", 1, accounts=200, days=5.0)
    made = Lines(story.fleet, story.course, 1)
    return [one for batch in islice(story.traffic().hours(), HOURS) for one in made.of(batch)]


def begun(log: Path, state: Path | None) -> Watch:
    return Watch(SETTINGS, Catalogue(), Growing(str(log)), state)


def caught_up(watch: Watch) -> Iterator[bytes]:
    """The records of what is in its log by now, as bytes."""
    size = os.stat(watch.growing.path).st_size
    while watch.growing.bytes_read < size:
        yield from map(alert.encode, watch.step() or [])


def ended(watch: Watch) -> list[bytes]:
    return [*caught_up(watch), *map(alert.encode, watch.end())]


def appended(log: Path, lines: list[bytes]) -> None:
    with open(log, "ab") as file:
        file.writelines(lines)


def test_what_was_killed_twice_tells_what_one_that_ran_through_tells_byte_for_byte(lines, tmp_path):
    (tmp_path / "whole").write_bytes(b"".join(lines))
    whole = ended(begun(tmp_path / "whole", None))
    log, state = tmp_path / "log", tmp_path / "state"
    state.mkdir()
    third = len(lines) // 3
    came = []
    for at in (0, third):
        appended(log, lines[at : at + third])
        watch = begun(log, state)
        came += caught_up(watch)
        watch.keep()
        appended(log, lines[at + third : at + third + 500])
        lost = list(caught_up(watch))  # read, and never kept: the process is killed here
        log.write_bytes(b"".join(lines[: at + third]))
        assert history.read(state).logs[str(log)].line <= at + third  # type: ignore[union-attr]
    appended(log, lines[2 * third :])
    last = begun(log, state)
    came += ended(last)

    assert whole, "something was found"
    assert came == whole
    assert last.embedded.seen.records < len(lines) - 2 * third + 5_000, "what is in the state is not judged again"
    assert isinstance(lost, list)


def test_without_a_state_what_follows_is_told_otherwise(lines, tmp_path):
    """So the comparison can fail."""
    (tmp_path / "whole").write_bytes(b"".join(lines))
    (tmp_path / "rest").write_bytes(b"".join(lines[len(lines) // 3 :]))
    whole = ended(begun(tmp_path / "whole", None))
    rest = ended(begun(tmp_path / "rest", None))
    assert whole[-len(rest) :] != rest


def test_a_log_that_was_moved_away_and_begun_anew_is_gone_on_with_in_the_new_one(tmp_path):
    log, state = tmp_path / "log", tmp_path / "state"
    log.write_bytes(b"".join(map(line, range(100))))
    watch = begun(log, state)
    watch.idle_s = 0.0
    list(caught_up(watch))
    log.rename(tmp_path / "log.1")
    log.write_bytes(b"".join(map(line, range(100, 160))))
    while watch.embedded.position(SOURCE) < 159:
        watch.step()
    watch.keep()
    assert history.read(state).logs[str(log)].line == 60  # type: ignore[union-attr]
    appended(log, [line(160)])
    again = begun(log, state)
    while again.growing.part_before is not None:
        again.step()
    assert again.embedded.seen.records == 2  # the last one again, since it might have been half a line


def test_a_log_that_is_gone_leaves_the_state_as_it_was(tmp_path):
    log, state = tmp_path / "log", tmp_path / "state"
    log.write_bytes(b"".join(map(line, range(100))))
    watch = begun(log, state)
    list(caught_up(watch))
    watch.keep()
    kept = (state / history.STATE).read_bytes()
    log.unlink()
    watch.keep()
    assert (state / history.STATE).read_bytes() == kept


def test_it_is_kept_every_minute_and_not_at_every_step(tmp_path, monkeypatch):
    log, state = tmp_path / "log", tmp_path / "state"
    log.write_bytes(b"".join(map(line, range(100))))
    watch = begun(log, state)
    list(caught_up(watch))
    watch.keep(only_if_due=True)
    assert history.read(state) is None
    monkeypatch.setattr(keeping, "KEEP_EVERY_S", -1.0)
    watch.keep(only_if_due=True)
    assert history.read(state) is not None


def test_sigterm_keeps_all_and_the_next_one_reads_what_still_waited(tmp_path):
    log, state = tmp_path / "log", tmp_path / "state"
    log.write_bytes(b"".join(map(line, range(3_000))))
    words = [*SWERVE, "watch", str(log), "--state", str(state), "--port", "0"]
    read = []
    for _ in range(2):
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
            assert running.stderr is not None
            address = address_of(running.stderr)
            until(lambda address=address: got(f"{address}/readyz") == "ready\n")
            running.send_signal(signal.SIGTERM)
            assert running.wait(PATIENCE_S) == 0
            read.append(running.stderr.read().splitlines()[-1])
    assert read == [f"{count} records read, 0 not counted; 0 critical, 0 warning, 0 info" for count in ("3,000", "17")]
    assert history.read(state).clock.now_ms > T0  # type: ignore[union-attr]


def test_at_the_end_of_a_pipe_the_state_holds_all_of_it_and_nothing_is_closed_early(tmp_path):
    state = tmp_path / "state"
    done = subprocess.run(
        [*SWERVE, "watch", "-", "--state", str(state), "--port", "0"],
        input=b"".join(map(line, range(40))), capture_output=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert counted_in(state) == 40


def counted_in(state: Path) -> int:
    """Requests in the open ticks of a state."""
    known = history.read(state)
    assert known is not None
    shards = Shards.restore(SETTINGS.parameters, known.shards)
    return sum(tick.accepted for tick in shards.ticks._open.values())


def test_of_a_pipe_nothing_is_left_unjudged_when_it_is_asked_to_stop(tmp_path):
    state = tmp_path / "state"
    os.mkfifo(tmp_path / "pipe")
    with open(tmp_path / "pipe", "r+b", buffering=0) as pipe:
        watch = begun(tmp_path / "pipe", state)
        pipe.write(b"".join(map(line, range(40))))
        watch.step()
        assert watch.embedded.position(SOURCE) < 39, "the last wait for later ones"
        watch.stop()
    assert counted_in(state) == 40
