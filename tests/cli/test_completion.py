"""What does a shell offer behind `swerve`? A real bash is asked, with the script that swerve prints for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from stream import cli
from stream.mapping.named import NAMES

SWERVE = Path(sys.executable).with_name("swerve")
ASK = """
source <(_SWERVE_COMPLETE=source_bash swerve)
COMP_WORDS=({words}); COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
_swerve_completion swerve
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def offered(words: str) -> list[str]:
    """What bash would offer where these were typed and Tab is pressed."""
    environment = {**os.environ, "PATH": f"{SWERVE.parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", ASK.format(words=words)], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stderr == ""
    return [line for line in done.stdout.splitlines() if line]


def test_every_command_is_offered_and_nothing_else():
    assert set(offered('swerve ""')) == set(cli.COMMANDS)


@pytest.mark.parametrize(
    ("typed", "comes"),
    [
        ("swerve backt", ["backtest"]),
        ("swerve config ch", ["check"]),
        ("swerve backtest --rele", ["--releases"]),
        ("swerve map check --dia", ["--dialect"]),
        ("swerve watch --dialect litellm", ["litellm", "litellm_spend"]),
        ("swerve simulate --scenario piv", ["pivot"]),
    ],
)
def test_a_word_that_was_begun_is_ended(typed: str, comes: list[str]):
    assert offered(typed) == comes


def test_every_dialect_is_offered():
    assert set(offered('swerve backtest --dialect ""')) == set(NAMES)


def test_a_file_is_left_to_the_shell():
    assert offered('swerve backtest ""') == []
    script = subprocess.run([SWERVE], capture_output=True, text=True, check=True,
                            env={**os.environ, "_SWERVE_COMPLETE": "source_bash"})  # fmt: skip
    assert "-o default" in script.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_script(shell: str):
    script = subprocess.run([SWERVE], capture_output=True, text=True, check=True,
                            env={**os.environ, "_SWERVE_COMPLETE": f"source_{shell}"})  # fmt: skip
    assert "_SWERVE_COMPLETE" in script.stdout
