"""A small simulated fleet with a campaign, from records to alerts, accounts and page, held against the contract."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import zstandard

from stream.commands.begin import backtest
from stream.commands.begin.backtest import Asked
from stream.configuration import settings
from stream.pipeline.announced import read_catalogue
from stream.pipeline.composition import Fleet
from stream.report.planted import score
from stream.simulate.labelled import truth_of
from stream.simulate.scenarios import tell
from stream.simulate.writing.write import Lines

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """The pivot scenario, small, replayed once: paths of everything that was written, and the outcome."""
    folder = tmp_path_factory.mktemp("pivot")
    story = tell("pivot", 1, accounts=2_000, days=5.0)
    lines = Lines(story.fleet, story.course, 1)
    log = folder / "log.ndjson.zst"
    with zstandard.open(log, "wb") as file:
        for batch in story.traffic().hours():
            file.write(b"".join(lines.of(batch)))
    (folder / "releases.json").write_text(json.dumps(story.truth.releases))
    paths = {name: folder / name for name in ("alerts", "accounts", "rejects", "report")}
    outcome = backtest.run(
        Asked([str(log)], **paths), settings.Settings(), read_catalogue(folder / "releases.json", None)
    )
    return SimpleNamespace(
        **paths, outcome=outcome, truth=truth_of(story, lines), log=log, releases=folder / "releases.json"
    )


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_what_is_written_keeps_the_contract(replayed):
    check = Path(__file__).parents[1] / "contract" / "check_contract.py"
    flags = [word for name in ("alerts", "accounts", "rejects") for word in (f"--{name}", getattr(replayed, name))]
    done = subprocess.run([sys.executable, check, *flags], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "0 sorts of breaches\n")


def test_two_processes_say_the_same_to_the_byte(replayed, tmp_path):
    paths = {name: tmp_path / name for name in ("alerts", "accounts", "rejects")}
    catalogue = read_catalogue(replayed.releases, None)
    outcome = backtest.run(Asked([str(replayed.log)], **paths, workers=2), settings.Settings(), catalogue)
    assert outcome.seen == replayed.outcome.seen
    for name, path in paths.items():
        assert path.read_bytes() == getattr(replayed, name).read_bytes()


def test_the_campaign_is_paged_within_eighteen_hours_and_nearly_all_of_it_is_named(replayed):
    from stream.contract import alert

    alerts = [alert.decode(line) for line in replayed.alerts.read_bytes().splitlines()]
    result = score(replayed.truth, alerts, replayed.outcome.fleet.named_accounts())
    (found,) = result.campaigns
    assert found.delay_ms is not None
    assert found.delay_ms <= 18 * 3_600_000
    assert found.recall >= 0.8


def test_every_account_that_a_ticket_or_page_named_has_one_row_best_first(replayed):
    named = {a for one in rows(replayed.alerts) if one["severity"] != "info" for a in one["accounts"]}
    listed = rows(replayed.accounts)
    assert named <= {row["account_id"] for row in listed}
    assert len({row["account_id"] for row in listed}) == len(listed)
    assert [row["score"] for row in listed] == sorted((row["score"] for row in listed), reverse=True)


def test_the_page_shows_every_alert_and_draws_it(replayed):
    page = replayed.report.read_text()
    assert '<svg class="matrix"' in page
    for alert_id in {one["alert_id"] for one in rows(replayed.alerts)}:
        assert f'id="{alert_id}"' in page
    assert "<title>these accounts</title>" in page
    assert "http" not in page


def test_the_closing_line_agrees_with_what_was_written(replayed):
    seen = replayed.outcome.seen
    pages = {one["alert_id"] for one in rows(replayed.alerts) if one["severity"] == "critical"}
    assert seen.alerts["critical"] == len(pages)
    assert seen.records == seen.accepted + sum(seen.not_counted.values())


# What the attributes are called elsewhere, and the configuration that says so.
RENAMED = {
    "payment": "card_hash", "ip_prefix": "exit_network", "template": "prompt_hash", "org": "customer",
    "country": "market", "signup_week": "joined", "client": "sdk", "asn": "as_number",
}  # fmt: skip
CALLED = settings.Dimensions(
    link=("card_hash", "exit_network", "prompt_hash"), cohort=("customer", "market", "sdk", "as_number", "joined"),
    org="customer", country="market", signup="joined", payment="card_hash", exit="exit_network", prompt="prompt_hash",
)  # fmt: skip


def test_attributes_under_other_names_give_the_same_alerts(replayed, tmp_path):
    """The judgement knows a payment, an exit and a prompt by what they are to it, not by what they are called."""
    log = tmp_path / "log.ndjson"
    with zstandard.open(replayed.log, "rt") as before, open(log, "wb") as after:
        for line in before:
            record = json.loads(line)
            record["attributes"] = {RENAMED.get(name, name): value for name, value in record["attributes"].items()}
            after.write(json.dumps(record).encode() + b"\n")
    outcome = backtest.run(
        Asked([str(log)], alerts=tmp_path / "alerts"),
        settings.Settings(dimensions=CALLED),
        read_catalogue(replayed.log.parent / "releases.json", None),
    )

    def told(path: Path) -> list[tuple]:
        return [
            (one["status"], one["severity"], one["kind"], one["detected_at"], one["started_at"], one["accounts"])
            for one in rows(path)
        ]

    assert told(tmp_path / "alerts") == told(replayed.alerts)

    def named(fleet: Fleet) -> dict[str, float]:
        return {one.account_id: one.score for one in fleet.named_accounts()}

    assert named(outcome.fleet) == named(replayed.outcome.fleet) != {}
