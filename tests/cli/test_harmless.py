"""Names that strangers chose are shown as they are: no command obeys what is written in them."""

from __future__ import annotations

import io
import json

import pytest
import structlog
from msgspec.structs import replace
from rich.table import Table

from stream import cli
from stream.contract.alert import AlertSubject, encode
from stream.sinks.alertmanager import labels_of
from stream.sinks.webhook import EXAMPLE
from stream.spoken import harmless
from stream.telemetry import log
from stream.terminal import shown

HOSTILE = "atlas-4[/x]\x1b[2J\u202egpj\nswerve: all is well\ud800"
DAY = 86_400_000
START = 1_772_362_800_000


@pytest.fixture
def typed(capsys):
    def run(*words: str) -> tuple[int, str]:
        code = cli.run(words)
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


@pytest.fixture
def log_file(tmp_path):
    """A day of one account and a model with a hostile name, and a record that is refused for one."""
    path = tmp_path / "requests.ndjson"
    name = HOSTILE.removesuffix("\ud800")
    rows = [
        {"event_id": f"e{i}", "timestamp": START + i * 60_000, "account_id": f"a{i % 5}{name}", "model": name,
         "attributes": {"org": name}}
        for i in range(600)
    ]  # fmt: skip
    path.write_text("".join(json.dumps(one) + "\n" for one in [*rows, {"event_id": name, "timestamp": name}]))
    return path


def is_harmless(text: str) -> bool:
    return "\x1b" not in text and "\u202e" not in text and "\nswerve: all" not in text


@pytest.mark.parametrize(
    "words",
    [
        ("why", "{log}", "account=a1{name}"),
        ("why", "{log}", "model:{name}"),
        ("why", "{log}", "org={name}"),
        ("backtest", "{log}"),
        ("backtest", "{log}{name}"),
        ("explain", "a1", "--alerts", "{alerts}"),
        ("shadow", "{log}", "--beside", "{config}"),
        ("config", "check", "--config", "{log}{name}"),
        ("map", "check", "{log}"),
    ],
)
def test_no_command_obeys_a_name(typed, log_file, tmp_path, words):
    alerts = tmp_path / "alerts.ndjson"
    named = replace(EXAMPLE, alert_id="a1", summary=HOSTILE[:-1], accounts=(HOSTILE[:-1],))
    alerts.write_bytes(encode(named) + b"\n")
    config = tmp_path / "swerve.toml"
    config.write_text("[detection]\nwarm_up_h = 1\n")
    places = {"log": str(log_file), "name": HOSTILE[:-1], "alerts": str(alerts), "config": str(config)}

    code, said = typed(*[word.format(**places) for word in words])

    assert code in (0, 1, 2)
    assert is_harmless(said), ascii(said)


def test_a_table_shows_a_name_with_markup_as_it_is(capsys):
    table = Table("name", box=None)
    table.add_row(HOSTILE)

    shown.console().print(table)

    said = capsys.readouterr().out
    assert "atlas-4[/x]\\x1b[2J\\u202egpj" in said.replace("\n", "")
    assert is_harmless(said)


def test_a_line_is_one_line(capsys):
    shown.say(HOSTILE)

    assert capsys.readouterr().out == harmless(HOSTILE) + "\n"


@pytest.mark.parametrize("as_json", [True, False])
def test_the_log_shows_a_name_harmless(as_json):
    out = io.StringIO()
    was = structlog.get_config()
    try:
        log.set_up(json_lines=as_json, stream=out)
        log.get("x").info("seen", model=HOSTILE)
    finally:
        structlog.configure(**was)

    assert is_harmless(out.getvalue())
    assert out.getvalue().count("\n") == 1


def test_labels_of_alertmanager_show_a_name_harmless():
    alert = replace(EXAMPLE, subject=AlertSubject("cohort", HOSTILE[:-1], "org"))

    assert is_harmless(labels_of(alert, "warning")["subject"])
