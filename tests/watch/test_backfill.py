"""A past that was read by `swerve backfill`: nobody is paged about it, and what follows is as if Swerve had run."""

from __future__ import annotations

import gzip
import json
import random
import shutil
import tempfile
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import pytest
import zstandard

from stream import cli
from stream.commands.begin import backfill, backtest, history
from stream.commands.begin.backtest import Asked
from stream.commands.begin.watch import SOURCE, Watch
from stream.configuration.settings import Settings
from stream.contract import alert
from stream.pipeline.announced import Catalogue
from stream.pipeline.composition import Shards
from stream.simulate.scenarios import tell
from stream.simulate.writing.write import Lines
from stream.sources.growing import Growing

T0 = 1_772_409_600_000
HOURS, PAST = 20, 0.8  # of a fleet that is warm after half a day; and the part of its records that the past holds
SETTINGS = Settings.model_validate({"detection": {"warm_up_h": 12}})


def untidy(lines: list[bytes]) -> list[bytes]:
    """Some come twice, some too late, some are broken: what a clock that begins anew would judge else."""
    noise = random.Random(1)
    shaken = [(at + 4_000 * (noise.random() < 0.01), line) for at, line in enumerate(lines)]
    shaken += [(at + 300, line) for at, line in enumerate(lines) if noise.random() < 0.005]
    return [b"{" if noise.random() < 0.001 else line for _, line in sorted(shaken, key=lambda one: one[0])]


def parts(lines: list[bytes], count: int) -> list[list[bytes]]:
    size = -(-len(lines) // count)
    return [lines[at : at + size] for at in range(0, len(lines), size)]


def watched(
    path: Path, state: Path | None, settings: Settings = SETTINGS, catalogue: Catalogue | None = None
) -> list[bytes]:
    """What a watch over this log would write, from its first line to its end. The state stays as it is."""
    if state is not None:
        state = Path(shutil.copytree(state, tempfile.mkdtemp(), dirs_exist_ok=True))
    watch = Watch(settings, catalogue or Catalogue(), Growing(str(path)), state)
    changed = []
    while watch.growing.part_before is not None:
        changed += watch.step() or []
    return [alert.encode(one) for one in [*changed, *watch.end()]]


@pytest.fixture(scope="module")
def told(tmp_path_factory) -> SimpleNamespace:
    """A fleet: all of it in one log; and the first hours in four files of other kinds, then the rest."""
    folder = tmp_path_factory.mktemp("past")
    story = tell("pivot", 1, accounts=200, days=5.0)
    made = Lines(story.fleet, story.course, 1)
    hours = islice(story.traffic().hours(), HOURS)
    lines = untidy([line.rstrip(b"\n") for batch in hours for line in made.of(batch)])
    cut = int(len(lines) * PAST)
    first, second, third, fourth = (b"\n".join(part) + b"\n" for part in parts(lines[:cut], 4))
    (folder / "logs").mkdir()
    (folder / "logs" / "1.ndjson").write_bytes(first)
    (folder / "logs" / "2.ndjson.gz").write_bytes(gzip.compress(second[:9_999]) + gzip.compress(second[9_999:]))
    (folder / "logs" / "3.ndjson.zst").write_bytes(zstandard.compress(third))
    (folder / "logs" / "4.ndjson").write_bytes(fourth)
    (folder / "rest").write_bytes(b"\n".join(lines[cut:]) + b"\n")
    (folder / "whole").write_bytes(b"\n".join(lines) + b"\n")
    backtest.run(Asked([str(folder / "whole")], alerts=folder / "alerts"), SETTINGS, Catalogue())
    (folder / "swerve.toml").write_text("[detection]\nwarm_up_h = 12\n")
    words = ["backfill", str(folder / "logs"), "--config", str(folder / "swerve.toml")]
    code = cli.run([*words, "--state", str(folder / "state"), "--alerts", str(folder / "past")])
    return SimpleNamespace(folder=folder, words=words, code=code, whole=(folder / "alerts").read_bytes().splitlines())


def test_a_past_and_then_live_gives_the_records_of_one_run_over_all_byte_for_byte(told):
    past = (told.folder / "past").read_bytes().splitlines()
    live = watched(told.folder / "rest", told.folder / "state")

    assert told.code == 0
    assert past + live == told.whole
    assert past, "something was found in the past"
    assert live, "and after it"


def test_without_the_past_the_rest_gives_other_records(told):
    """So the comparison can fail."""
    past = (told.folder / "past").read_bytes().splitlines()
    assert watched(told.folder / "rest", None) != told.whole[len(past) :]


def test_what_was_broken_off_goes_on_where_it_was(told, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(backfill, "KEEP_EVERY_S", 0.0)
    keep, kept = history.keep, []

    def broken(*given):
        keep(*given)
        kept.append(1)
        if len(kept) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(history, "keep", broken)
    words = [*told.words, "--state", str(tmp_path), "--alerts", str(tmp_path / "past")]
    assert cli.run(words) == 130
    done = history.read(tmp_path)
    assert done is not None
    assert not all(one.is_whole for one in done.logs.values())
    with open(tmp_path / history.RECORDS, "ab") as file:
        file.write(b"what a crash left behind the last state\n")

    assert cli.run(words) == 0
    assert (tmp_path / "past").read_bytes() == (told.folder / "past").read_bytes()
    one, other = history.read(tmp_path), history.read(told.folder / "state")
    assert one is not None
    assert other is not None
    assert (one.counted, one.clock, one.logs) == (other.counted, other.clock, other.logs)
    assert watched(told.folder / "rest", tmp_path) == watched(told.folder / "rest", told.folder / "state")


def test_an_account_can_be_forgotten_and_the_two_files_fit_together_at_every_moment(told, tmp_path, capsys):
    shutil.copytree(told.folder / "state", tmp_path / "state")
    records = tmp_path / "state" / history.RECORDS
    gone = max(name for one in history.past_alerts(tmp_path / "state") for name in one.accounts)
    before, size = history.read(tmp_path / "state"), records.stat().st_size
    words = ["forget", gone, "--state", str(tmp_path / "state"), "--config", str(told.folder / "swerve.toml")]

    assert cli.run(words) == 0

    out, left = capsys.readouterr().out, history.read(tmp_path / "state")
    assert "history.state: removed" in out
    assert "a swerve watch that runs" in out.partition("Not reached:")[2]
    assert left is not None
    assert left.records_bytes == before.records_bytes <= size == records.stat().st_size
    assert gone.encode() not in records.read_bytes()
    assert [one.alert_id for one in history.past_alerts(tmp_path / "state")] == [
        one.alert_id for one in history.past_alerts(told.folder / "state")
    ]
    assert watched(told.folder / "rest", tmp_path / "state")


def test_to_forget_in_a_folder_without_a_state_is_a_mistake(typed, tmp_path):
    assert "no history.state there" in typed("forget", "a1", "--state", tmp_path)[2]


def line(number: int) -> bytes:
    """One request a second."""
    given = {"event_id": f"e{number}", "timestamp": T0 + 1000 * number, "account_id": f"a{number % 5}", "model": "m"}
    return json.dumps(given).encode() + b"\n"


def accepted(state: Path) -> int:
    """Requests in the accounts and open ticks of a state."""
    known = history.read(state)
    assert known is not None
    shards = Shards.restore(SETTINGS.parameters, known.shards)
    return sum(tick.accepted for tick in shards.ticks._open.values())


def test_days_that_came_since_are_added_and_what_was_read_is_not_read_again(typed, tmp_path):
    logs, state = tmp_path / "logs", tmp_path / "state"
    logs.mkdir()
    (logs / "1.ndjson").write_bytes(b"".join(line(number) for number in range(100)))
    assert typed("backfill", logs, "--state", state)[0] == 0
    (logs / "2.ndjson").write_bytes(b"".join(line(number) for number in range(100, 250)))
    code, out, err = typed("backfill", logs, "--state", state)

    assert (code, err) == (0, "")
    assert out.startswith("250 records, 2026-03-02 00:00 UTC to 2026-03-02 00:04 UTC; 0 of them no requests, 0 not c")
    assert accepted(state) == 250


def test_a_log_that_has_grown_is_read_on(typed, tmp_path):
    log, state = tmp_path / "log.ndjson", tmp_path / "state"
    log.write_bytes(b"".join(line(number) for number in range(100)) + line(100)[:20])
    assert typed("backfill", log, "--state", state)[0] == 0
    log.write_bytes(b"".join(line(number) for number in range(200)))
    assert typed("backfill", log, "--state", state)[0] == 0
    assert accepted(state) == 200


def test_a_watch_over_a_log_of_the_past_begins_behind_it(typed, tmp_path):
    log, state = tmp_path / "log.ndjson", tmp_path / "state"
    log.write_bytes(b"".join(line(number) for number in range(100)))
    assert typed("backfill", log, "--state", state)[0] == 0
    log.write_bytes(b"".join(line(number) for number in range(130)))
    watch = Watch(SETTINGS, Catalogue(), Growing(str(log)), state)
    while watch.growing.part_before is not None:
        watch.step()
    assert watch.embedded.seen.records == 31  # one again, since it might have been half a line
    assert watch.embedded.clock_ms(SOURCE) > T0 + 100_000


def test_another_file_under_the_name_of_one_that_was_read_is_refused(typed, tmp_path):
    log, state = tmp_path / "log.ndjson", tmp_path / "state"
    log.write_bytes(line(1))
    assert typed("backfill", log, "--state", state)[0] == 0
    log.write_bytes(line(2))
    code, _, err = typed("backfill", log, "--state", state)
    assert code == 2
    assert f"{log}: another file than the one of this name that {state} holds" in err


def test_a_pipe_and_a_missing_folder_for_the_state_are_refused(typed, tmp_path):
    assert "a pipe cannot be read again" in typed("backfill", "-", "--state", tmp_path)[2]
    assert "Missing option '--state'" in typed("backfill", tmp_path)[2]


def test_a_damaged_state_is_told(typed, tmp_path):
    (tmp_path / "log.ndjson").write_bytes(line(1))
    (tmp_path / history.STATE).write_bytes(b"x")
    code, _, err = typed("backfill", tmp_path / "log.ndjson", "--state", tmp_path)
    assert code == 1
    assert "history.state: damaged: " in err
    assert err.endswith("delete it, and backfill anew\n")


def test_of_the_past_a_person_reads_what_would_have_been_paged_first(told_alert):
    records = [
        told_alert("a", "warning", 5),
        told_alert("b", "warning", 6),
        told_alert("b", "critical", 6),
        told_alert("b", "warning", 6, status="resolved", resolved_at=9, resolved_reason="ended", updated_at=9),
        told_alert("c", "info", 7),
    ]
    heard = backfill.would_have_been_told(records)
    assert [(one.alert_id, one.severity, one.status) for one in heard] == [
        ("b", "critical", "resolved"),
        ("a", "warning", "firing"),
    ]


@pytest.fixture
def told_alert():
    def made(alert_id: str, severity: str, detected_at: int, **other: object) -> alert.Alert:
        target = alert.AlertTarget("model", "m")
        given = {"alert_id": alert_id, "status": "firing", "severity": severity, "kind": "coordinated_shift",
                 "subject": alert.AlertSubject("cluster", "n"), "target": target, "targets": (target,),
                 "started_at": 1, "detected_at": detected_at, "updated_at": detected_at, "accounts": (),
                 "accounts_total": 0, "evidence": {"n": 1}, "summary": "s"}  # fmt: skip
        return alert.Alert(**(given | other))

    return made
