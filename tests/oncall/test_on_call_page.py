"""docs/on-call.md: every command in it can be typed as it stands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from stream.cli import COMMANDS, run

PAGE = (Path(__file__).parents[2] / "docs" / "on-call.md").read_text()
LINES = [line for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]


@pytest.mark.parametrize("line", LINES)
def test_the_command_exists_and_knows_its_options(line, capsys):
    _, *words = shlex.split(line)
    assert words[0] in COMMANDS
    is_group = COMMANDS[words[0]].attribute == "app"
    assert run([*words[: 2 if is_group else 1], "--help"]) == 0
    told = capsys.readouterr().out
    for option in (word for word in words if word.startswith("--")):
        assert option in told, f"{words[0]} has no {option}"


def test_every_command_of_the_panel_is_on_the_page():
    on_call = {name for name, command in COMMANDS.items() if command.module.startswith("stream.commands.on_call")}
    assert on_call <= {shlex.split(line)[1] for line in LINES}
