"""Nothing that a person reads on a terminal is torn: words are whole at 80 columns, and a pipe is at most 100 wide."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from detectors.why import Reason
from stream import cli
from stream.alerts.explain import explain
from stream.commands.begin.backtest import Outcome, closing_line
from stream.commands.on_call import explain as explained
from stream.commands.on_call import why
from stream.pipeline.embedded import Seen
from stream.terminal import shown
from tests.console.conftest import CLUSTER, T0, finding, members, told

NARROW, PIPED = 80, 100
COMMANDS = sorted(name for name, command in cli.COMMANDS.items() if cli._exists(command))
FRAME = re.compile("[│╭╮╰╯─┃━┏┓┗┛]")


def words(text: str) -> set[str]:
    return set(FRAME.sub(" ", text).split())


def printed(width: int, *parts) -> str:
    console = Console(width=width, file=io.StringIO(), highlight=False)
    for one in parts:
        console.print(one)
    return console.file.getvalue()


@pytest.fixture
def helped(capsys, monkeypatch):
    """The help of a command on a terminal so many columns wide."""

    def ask(width: int, *words: str) -> str:
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setenv("TERMINAL_WIDTH", str(width))
        monkeypatch.setattr("typer.rich_utils.MAX_WIDTH", width)
        assert cli.run([*words, "--help"]) == 0
        return capsys.readouterr().out

    return ask


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_breaks_no_word_at_80_columns(helped, command):
    typed = [command] if command else []
    narrow = helped(NARROW, *typed)
    assert max(map(len, narrow.splitlines())) <= NARROW
    assert words(helped(400, *typed)) - words(narrow) == set()


def sections():
    one = told()
    found = finding("net-1", CLUSTER, members(20), T0)
    found.evidence["shared_values"][1]["value"] = "9f3cab77e1c041aa93bc55" * 3
    one.findings = [found]
    one.step(25)
    return explain(one.desk.view.alerts()[0].records)


@pytest.mark.parametrize("width", [NARROW, PIPED])
def test_explain_breaks_no_word_and_keeps_to_its_width(width):
    tables = [explained._table(section) for section in sections()]
    text = printed(width, *(shown.whole(one, width) for one in tables))
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    assert words(printed(400, *map(explained._table, sections()))) - words(text) == set()


@pytest.mark.parametrize("width", [NARROW, PIPED])
def test_why_breaks_no_word_and_keeps_to_its_width(width):
    rows = [
        Reason("accounts of unrelated organisations that share rare values with it", "3 of acct_9f78b28016ab77e1c041",
               "at least 12 within capability:computer_use", False),
        Reason("it moved", "4.2 standard errors", "4", True),
    ]  # fmt: skip
    text = printed(width, shown.whole(why._table(rows), width))
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    assert words(printed(400, why._table(rows))) - words(text) == set()


@pytest.mark.parametrize("typed", ["simulate --list", "config show"])
def test_what_a_command_lists_is_at_most_100_wide_in_a_pipe(capsys, typed):
    assert cli.run(typed.split()) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= PIPED


def test_what_goes_into_a_pipe_is_at_most_100_wide():
    assert shown.WIDTH == PIPED
    seen = Seen(records=123_456_789)
    seen.alerts.update(critical=12, warning=104, info=1_004)
    assert len(closing_line(Outcome(seen, None, seconds=12_345.6))) <= PIPED  # type: ignore[arg-type]
