"""Do the pages for beginners do what they say? Their shell is typed as it stands, and what they show must come."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from stream.mapping import presets
from tests.pace import PATIENCE_S
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
BEGIN = ROOT / "docs" / "begin"
PORTS = ("8321", "4318")  # of the console and of OTLP: taken on this machine, perhaps
RUNS, SHOWS, ELSEWHERE = "sh", "text", "sh elsewhere"


def blocks(page: Path) -> list[tuple[str, str]]:
    """(language, content) of each block of a page, in order."""
    tokens = MarkdownIt("commonmark").parse(page.read_text("utf-8"))
    return [(one.info.strip(), one.content) for one in tokens if one.type == "fence"]


def sections(page: Path) -> dict[str, str]:
    """The text below each heading of a page."""
    parts = re.split(r"^##+ (.+)$", page.read_text("utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def script(page: Path) -> str:
    """All that is typed, as one script, in which a job outlives its block; each answer ends with its number."""
    typed = [content for language, content in blocks(page) if language == RUNS]
    return "\n".join(f"{content}\necho '== {number}'" for number, content in enumerate(typed))


def answers(page: Path, folder: Path, broker: str = "", **environment: str) -> list[str]:
    """What each block of a page answers, where they are typed one after the other into a shell in an empty folder.

    broker: the address of one that is there, in place of the one that the page names.
    """
    typed = script(page).replace("broker:9092", broker or "broker:9092")
    for port in PORTS:
        typed = re.sub(rf"(?<=127\.0\.0\.1:){port}\b", str(free_port()) if port != PORTS[0] else "$CONSOLE", typed)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SWERVE_")}
    console = str(free_port())
    done = subprocess.run(
        ["bash", "-c", f"set -emuo pipefail; trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n{typed}"],
        cwd=folder, capture_output=True, text=True, check=False, timeout=10 * PATIENCE_S,
        env=clean | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "CONSOLE": console,
                     "SWERVE_HTTP__PORT": console, "COLUMNS": "200"} | environment,
    )  # fmt: skip
    assert done.returncode == 0, f"{page.name}: {done.stdout[-2_000:]}\n{done.stderr[-2_000:]}"
    return re.split(r"^== \d+\n", done.stdout + done.stderr, flags=re.MULTILINE)


def shown(page: Path) -> list[tuple[int, str]]:
    """(number of the block that was typed, a line that its answer must have)."""
    number, lines = -1, []
    for language, content in blocks(page):
        number += language == RUNS
        if language == SHOWS:
            lines += [(number, line) for line in content.splitlines()]
    return lines


def holds(page: Path, folder: Path, broker: str = "", **environment: str) -> None:
    """Type a page, and see that each line that it shows has come."""
    came = answers(page, folder, broker, **environment)
    whole = came[-1]  # standard error, where closing lines are
    lacks = [line for number, line in shown(page) if line not in came[number] + whole]
    assert lacks == [], "\n".join(came)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["begin/litellm.md", "begin/otel-collector.md", "begin/presets.md", "faq.md"])
def test_what_a_page_says_to_type_runs_and_answers_as_it_shows(name: str, tmp_path: Path):
    holds(ROOT / "docs" / name, tmp_path)


def test_a_page_whose_command_fails_or_answers_otherwise_would_be_noticed(tmp_path: Path):
    page = tmp_path / "page.md"
    page.write_text("```sh\nswerve --version\n```\n\n```text\nswerve 0.\n```\n")
    holds(page, tmp_path)
    page.write_text("```sh\nswerve --version\n```\n\n```text\nswerve 99\n```\n")
    with pytest.raises(AssertionError, match="swerve 0"):
        holds(page, tmp_path)
    page.write_text("```sh\nswerve fly\n```\n")
    with pytest.raises(AssertionError, match="No such command"):
        holds(page, tmp_path)


def test_every_preset_has_a_quick_start():
    named = re.findall(r"^swerve backtest \w+\.ndjson --dialect (\w+)", script(BEGIN / "presets.md"), re.MULTILINE)
    assert sorted(named) == sorted(presets.NAMES)


def test_every_question_of_the_faq_has_an_answer():
    asked = sections(ROOT / "docs" / "faq.md")
    assert len(asked) >= 15
    assert [question for question, answer in asked.items() if len(answer.split()) < 15] == []


@pytest.mark.parametrize("page", sorted(BEGIN.glob("*.md")), ids=lambda page: page.name)
def test_every_block_of_a_page_says_whether_it_is_typed(page: Path):
    assert {language for language, _ in blocks(page)} <= {RUNS, SHOWS, ELSEWHERE, "yaml", "toml"}
