"""README, CHANGELOG and docs/: what they name exists, what they link is there, what they show runs."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import orjson
import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from detectors.parameters import Parameters
from stream import cli
from stream.alerts.hand import TRAITS
from stream.contract.request import decode
from tools.readme_table import replaced

ROOT = Path(__file__).parents[2]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
DECIDES = (ROOT / "docs" / "how-it-decides.md").read_text("utf-8")
README = (ROOT / "README.md").read_text("utf-8")
SWERVE = ("swerve", ".venv/bin/swerve")

every_document = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)


def tokens(path: Path) -> Iterator[Token]:
    """Every token of a document, those inside of lines included."""
    for token in MarkdownIt("commonmark").enable("table").parse(path.read_text("utf-8")):
        yield token
        yield from token.children or ()


def code(path: Path) -> Iterator[str]:
    """Every line of shell in a document: code inside of sentences, and blocks that are no other language."""
    for token in tokens(path):
        if token.type == "code_inline" or (
            token.type == "fence" and (token.info.split() or [""])[0] in ("sh", "bash", "console", "")
        ):
            yield from token.content.splitlines()


def blocks(path: Path, language: str) -> list[str]:
    return [token.content for token in tokens(path) if token.type == "fence" and token.info == language]


def typed(line: str) -> Iterator[list[str]]:
    """The words of each swerve command in a line of shell."""
    for part in re.split(r"[|&;]", re.sub(r"(^|\s)#.*", "", line)):
        try:
            words = shlex.split(part)
        except ValueError:  # a lonely apostrophe
            words = part.split()
        while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
            words = words[1:]
        if words and words[0] in SWERVE:
            yield words[1:]


def complaint(words: list[str]) -> str | None:
    """What is wrong with a command line: a command, or one of its options, that is not there."""
    if not words or words[0].startswith("-"):
        return None
    if words[0] not in cli.COMMANDS:
        return f"no command {words[0]}"
    part = cli.Lazy._loaded(words[0])
    rest = words[1:]
    if hasattr(part, "commands") and rest and not rest[0].startswith("-"):
        if rest[0] not in part.commands:
            return f"{words[0]} has no {rest[0]}"
        part, rest = part.commands[rest[0]], rest[1:]
    known = {"--help", "-h"} | {name for one in part.params for name in (*one.opts, *one.secondary_opts)}
    unknown = [word for word in rest if word.startswith("--") and word.partition("=")[0] not in known]
    return f"{words[0]} has no option {unknown[0]}" if unknown else None


@every_document
def test_every_command_that_a_document_names_can_be_typed(path: Path):
    wrong = [f"{line!r}: {said}" for line in code(path) for words in typed(line) if (said := complaint(words))]
    assert not wrong, "\n".join(wrong)


def test_a_command_or_an_option_that_is_not_there_would_be_noticed():
    assert complaint(["fly"]) == "no command fly"
    assert complaint(["config", "mend"]) == "config has no mend"
    assert complaint(["backtest", "a.ndjson", "--loudly"]) == "backtest has no option --loudly"
    assert list(typed("tail -F a | SWERVE_CONFIG=b swerve watch - # swerve fly")) == [["watch", "-"]]


def test_readme_names_every_command():
    named = {words[0] for line in code(ROOT / "README.md") for words in typed(line) if words}
    assert set(cli.COMMANDS) - named == set()


@every_document
def test_every_target_and_module_that_a_document_names_exists(path: Path):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for line in code(path):
        found = re.match(r"make ([a-z-]+)", line)
        assert found is None or found[1] in targets, f"{path.name}: no target in {line!r}"
        module = re.match(r"python -m ([\w.]+)", line)
        assert module is None or importlib.util.find_spec(module[1]) is not None, f"{path.name}: no module in {line!r}"


def anchors(path: Path) -> set[str]:
    """What a link into a document may end in: its headings as GitHub names them, and explicit ids."""
    text = path.read_text("utf-8")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}
    return slugs | set(re.findall(r'<a id="([^"]+)"', text))


@every_document
def test_every_link_inside_of_the_repository_leads_somewhere(path: Path):
    links = [str(token.attrs["href"]) for token in tokens(path) if token.type == "link_open"]
    links += [str(token.attrs["src"]) for token in tokens(path) if token.type == "image"]
    for link in links:
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), f"{path.name}: {link} is not there"
        assert ROOT in (target, *target.parents), f"{path.name}: {link} leads out of the repository"
        assert not anchor or anchor in anchors(target), f"{path.name}: {target.name} has no heading for #{anchor}"


def test_readme_leads_to_every_document():
    missing = [path.name for path in (ROOT / "docs").glob("*.md") if f"(docs/{path.name})" not in README]
    assert not missing, f"README.md does not say where these are: {', '.join(missing)}"


@every_document
def test_every_configuration_that_a_document_shows_can_be_used(path: Path, tmp_path: Path, monkeypatch, capsys):
    for name in [name for name in os.environ if name.startswith("SWERVE_")]:
        monkeypatch.delenv(name)
    for shown in blocks(path, "toml"):
        file = tmp_path / "swerve.toml"
        file.write_text(shown, "utf-8")
        assert cli.run(["config", "check", "--config", str(file)]) == 0, f"{shown}\n{capsys.readouterr().err}"


def test_the_record_that_is_shown_is_one_that_is_taken():
    (shown,) = blocks(ROOT / "docs" / "adapting.md", "json")
    request = decode(orjson.dumps(orjson.loads(shown)))
    assert set(Parameters().link_dimensions) | set(Parameters().cohort_dimensions) == set(request.attributes)


@every_document
def test_no_document_names_a_place_of_one_machine(path: Path):
    found = re.search(r"(?<![\w.-])/(work|root|tmp|home|Users)/\S*", path.read_text("utf-8"))
    assert found is None, f"{path.name}: {found[0]}"


def test_the_table_of_quality_has_a_place_that_its_tool_finds():
    table = "<!-- quality: begin -->\n| a |\n<!-- quality: end -->"
    assert table in replaced(README, table)


MODULES = {path.stem: ".".join(path.relative_to(ROOT).with_suffix("").parts) for path in ROOT.glob("detectors/**/*.py")}
NUMBERS = re.findall(r"^\| `(\w+)\.(\w+)` \| ([\d.]+) \| .+ \|$", DECIDES, re.MULTILINE)


@pytest.mark.parametrize(("module", "name", "told"), NUMBERS, ids=lambda part: str(part))
def test_every_threshold_that_is_told_is_the_one_in_force(module: str, name: str, told: str):
    owner = Parameters() if module == "parameters" else importlib.import_module(MODULES[module])
    assert float(told) == getattr(owner, name), f"docs/how-it-decides.md: {module}.{name}"


def test_every_row_of_thresholds_was_read():
    assert len(NUMBERS) == len(re.findall(r"^\| `\w+\.\w+` \|", DECIDES, re.MULTILINE)) > 30


def test_every_trait_that_speaks_for_or_against_one_operator_is_told():
    cells = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| ", DECIDES, re.MULTILINE)
    assert {name for cell in cells for name in re.findall(r"\w+", cell)} == set(TRAITS)


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "pictures").glob("*.svg")), ids=lambda path: path.name)
def test_every_picture_is_whole_and_fetches_nothing(path: Path):
    svg = ElementTree.fromstring(path.read_text("utf-8"))
    assert svg.tag == "{http://www.w3.org/2000/svg}svg"
    assert len(list(svg.iter())) > 10
    assert not re.search(r"\b(href|src|url)\b", path.read_text("utf-8"))


def test_the_changelog_says_of_every_line_what_it_is():
    lines = re.findall(r"^- .*", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert lines
    assert [line for line in lines if not re.match(r"- \[(CHANGE|FEATURE|ENHANCEMENT|BUGFIX)\] ", line)] == []


def test_the_changelog_has_a_section_for_the_version_of_the_distribution():
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)[1]
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text("utf-8")
