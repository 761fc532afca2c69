"""Every number of an alert about its accounts comes out again of a plain reading of the log, to the request."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from stream.commands.begin import backtest
from stream.commands.begin.backtest import Asked
from stream.configuration import settings
from stream.pipeline.announced import Catalogue
from stream.simulate.scenarios import tell
from stream.simulate.writing.write import Lines
from tests.stories import recompute
from tests.stories.recompute import HOUR_MS, WINDOW_H, recomputed

pytestmark = pytest.mark.slow

COUNTS = ("accounts", "active", "new", "organisations", "requests", "target_requests")
SHARES = ("share_after", "share_before", "fleet_share_after", "fleet_share_before")


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """A surge of capabilities among honest networks: its log, and every record about a network."""
    folder = tmp_path_factory.mktemp("surge")
    story = tell("surge", 4, accounts=300, days=5.5)
    lines = Lines(story.fleet, story.course, 4)
    path, alerts, accounts = folder / "log.ndjson", folder / "alerts.ndjson", folder / "accounts.ndjson"
    path.write_bytes(b"".join(line for batch in story.traffic().hours() for line in lines.of(batch)))
    backtest.run(Asked([str(path)], alerts=alerts, accounts=accounts), settings.Settings(), Catalogue())
    records = [one for one in recompute.read(str(alerts)) if one["subject"]["kind"] == "cluster"]
    return SimpleNamespace(log=recompute.read(str(path)), records=records, alerts=alerts, accounts=accounts)


def wrong(log: list[dict], record: dict) -> Iterator[str]:
    """What of a record differs from the log. A share or a decayed sum may differ by less than one request does."""
    told, (named, carriers) = record["evidence"]["named"], recomputed(log, record)
    for key in COUNTS:
        if told[key] != named[key]:
            yield f"{key}: {told[key]} told, {named[key]} in the log"
    for key in (*SHARES, "baseline"):
        # A baseline is told in hundredths, of sums that are kept in 32 bits.
        exact = 0.005 + 5e-6 * named[key] if key == "baseline" else 2e-6
        if told[key] != pytest.approx(named[key], abs=exact, rel=0):
            yield f"{key}: {told[key]} told, {named[key]} in the log"
    for value, found in zip(record["evidence"]["shared_values"], carriers, strict=True):
        told_of_it = {"accounts": value["accounts"] + value["elsewhere"], "organisations": value["organisations_total"]}
        if told_of_it != found:
            yield f"{value['dimension']} {value['value']}: {told_of_it} told, {found} in the log"


def test_every_record_about_a_network_can_be_recomputed_from_the_log(replayed):
    firing = [one for one in replayed.records if one["status"] == "firing"]
    assert {"warning", "critical"} <= {one["severity"] for one in firing}
    for record in replayed.records:
        assert record["accounts_total"] == len(record["accounts"]), "more accounts than a record lists"
        assert list(wrong(replayed.log, record)) == [], record["summary"]


def test_the_sums_are_of_the_tick_and_the_target_that_the_record_tells_of(replayed):
    for record in replayed.records:
        named = record["evidence"]["named"]
        assert named["target"] == record["target"]
        assert record["status"] == "resolved" or named["until_ms"] == record["updated_at"]


def test_some_numbers_are_no_trivial_ones(replayed):
    sums = [one["evidence"]["named"] for one in replayed.records]
    assert any(0.01 < one["share_before"] < one["share_after"] for one in sums)
    assert any(one["organisations"] < one["active"] for one in sums)


@pytest.mark.parametrize("in_window", [True, False], ids=["now", "before"])
def test_a_log_that_lacks_a_single_request_gives_other_numbers(replayed, in_window):
    record = max(replayed.records, key=lambda one: one["accounts_total"])
    at, target = record["evidence"]["named"]["until_ms"], record["target"]
    known = set(record["accounts"])
    gone = next(
        one
        for one in replayed.log
        if one["account_id"] in known and one["timestamp"] < at and target["id"] in (one["model"], *one["capabilities"])
        and (one["timestamp"] >= at - WINDOW_H * HOUR_MS) is in_window
    )  # fmt: skip
    found = list(wrong([one for one in replayed.log if one is not gone], record))
    share, whole = ("share_after", "requests") if in_window else ("share_before", "baseline")
    assert [text.split(":")[0] for text in found if text.startswith((share, whole))] == sorted(
        (share, whole), key=(*COUNTS, *SHARES, "baseline").index
    )


def test_a_log_in_which_one_of_its_accounts_fell_silent_gives_fewer_that_are_active(replayed):
    record = max(replayed.records, key=lambda one: one["evidence"]["named"]["active"])
    until, known = record["evidence"]["named"]["until_ms"], set(record["accounts"])
    since = until - WINDOW_H * HOUR_MS
    silent = next(
        one["account_id"] for one in replayed.log if one["account_id"] in known and since <= one["timestamp"] < until
    )
    rest = [one for one in replayed.log if one["account_id"] != silent or not since <= one["timestamp"] < until]
    active = record["evidence"]["named"]["active"]
    assert f"active: {active} told, {active - 1} in the log" in list(wrong(rest, record))


def test_the_script_stands_alone_and_is_short():
    path = Path(recompute.__file__)
    assert len(path.read_text().splitlines()) <= 60
    done = subprocess.run([sys.executable, "-I", "-S", path], capture_output=True, text=True, check=False)
    assert "IndexError" in done.stderr, "it needs a package, or was given no log and did not notice"


def test_what_was_written_keeps_the_contract(replayed):
    check = Path(__file__).parents[1] / "contract" / "check_contract.py"
    flags = ["--alerts", replayed.alerts, "--accounts", replayed.accounts]
    done = subprocess.run([sys.executable, check, *flags], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "0 sorts of breaches\n")
