"""The rules of the house that a machine can hold: names, lengths, docstrings, nothing of any one machine."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import pytest

from tests.house.sources import ROOT, documented, functions, imports, nodes, raised, tracked, tree, under

# A drawer has no question that it answers. What to do instead, by name.
BANNED = {
    "utils": "name the file for the question that its functions answer",
    "helpers": "move each function to who is helped, or name the noun that is missing",
    "common": "what is common to two things is a thing: name it",
    "base": "an abstract class with one implementation is no interface; a Protocol lives with its user",
    "manager": "say what it manages to do: follow, deliver, join",
    "misc": "name the file for the question that it answers",
}
FILE_LINES_MAX = 450
FUNCTION_LINES_MAX = 60
NAMES_MIN = 5  # of fewer, two lists may be alike by chance
TEXT = ("*.py", "*.md", "*.toml", "*.yaml", "*.yml", "*.sh", "Makefile", "*.json", "*.html", "*.j2", "*.properties")
OF_ONE_MACHINE = re.compile(
    r"(?<![\w.-])(/work/|/root/|/tmp/swerve|/home/\w+/|/Users/)"
    r"|artifactory|\bnexus\.|pypi\.[a-z]+\.(corp|internal|local)\b|localhost:\d+/(simple|pypi)"
)


def test_no_file_is_a_drawer():
    wrong = [
        f"{path}: a file is named for the question it answers; {BANNED[Path(path).stem]}"
        for path in tracked("*.py")
        if Path(path).stem in BANNED
    ]
    assert not wrong, "\n".join(wrong)


def test_no_file_is_too_long_to_be_read_in_one_go():
    wrong = []
    for path in tracked("detectors/*.py", "stream/*.py", "benchmarks/*.py", "tools/*.py"):
        lines = len((ROOT / path).read_text("utf-8").splitlines())
        if lines > FILE_LINES_MAX:
            wrong.append(f"{path}: {lines} lines, the limit is {FILE_LINES_MAX}; which second question does it answer?")
    assert not wrong, "\n".join(wrong)


def test_no_function_is_longer_than_a_screen():
    wrong = []
    for path in tracked("detectors/*.py", "stream/*.py", "benchmarks/*.py", "tools/*.py"):
        for one in functions(path):
            lines = (one.end_lineno or one.lineno) - one.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                wrong.append(f"{path}:{one.lineno} {one.name} has {lines} lines, the limit is {FUNCTION_LINES_MAX}")
    assert not wrong, "\n".join(wrong)


def test_whoever_calls_what_is_public_is_told_what_it_raises():
    """That there is a docstring at all, ruff sees (D1). A command's is its help: it ends with a line and a code."""
    wrong = [
        f"{path}:{line} {name} raises {error}; say so in its docstring, or in its class's"
        for path in tracked("detectors/*.py", "stream/*.py")
        if not path.startswith(("stream/commands/", "stream/cli.py"))
        for said, node, line, name in documented(path)
        for error in raised(node)
        if error not in said and error != "AssertionError"
    ]
    assert not wrong, "\n".join(wrong)


def test_what_is_raised_within_and_caught_there_is_no_promise():
    node = ast.parse("def f():\n try:\n  raise OSError\n except (OSError, KeyError):\n  raise NoRoomError(1) from None")
    assert set(raised(node.body[0])) == {"NoRoomError"}


def test_every_module_of_the_product_begins_with_what_it_answers():
    wrong = [
        f"{path}: no docstring at the top; say which question the file answers"
        for path in tracked("detectors/*.py", "stream/*.py", "benchmarks/*.py", "tools/*.py")
        if (ROOT / path).stat().st_size and not ast.get_docstring(tree(path))
    ]
    assert not wrong, "\n".join(wrong)


def test_the_core_draws_no_random_number_without_a_seed():
    wrong = []
    for path in tracked("detectors/*.py"):
        wrong += [f"{path}:{one.line} imports random" for one in imports(path) if under(one.module, "random")]
        for node in nodes(path):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            if called.endswith("default_rng") and not node.args and not node.keywords:
                wrong.append(f"{path}:{node.lineno} default_rng() without a seed; seed it by the tick")
            elif re.match(r"(np|numpy)\.random\.(?!default_rng|Generator)", called):
                wrong.append(f"{path}:{node.lineno} {called} draws from a global state; use default_rng(seed)")
    assert not wrong, "\n".join(wrong)


def lists_of_names(path: str) -> Iterator[tuple[str, frozenset[str]]]:
    """(where, names) of every tuple, list or set of at least `NAMES_MIN` texts and nothing else."""
    for node in nodes(path):
        if isinstance(node, ast.Tuple | ast.List | ast.Set) and len(node.elts) >= NAMES_MIN:
            names = [one.value for one in node.elts if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            if len(names) == len(node.elts):
                yield f"{path}:{node.lineno}", frozenset(names)


def test_no_list_of_names_stands_there_twice_alone_or_as_a_part_of_another():
    """What is added to one is forgotten in the other, and a column is then held, moved or checked in one place only."""
    found = [one for path in tracked("detectors/*.py", "stream/*.py") for one in lists_of_names(path)]
    wrong = [
        f"{where} holds the names of {other}: give them one name, where both may import it"
        for (where, names), (other, others) in permutations(found, 2)
        if names <= others
    ]
    assert not wrong, "\n".join(wrong)


def test_how_many_columns_have_no_name_is_said_in_one_place():
    wrong = [
        f"{path}:{number} takes 2 off a width; it is UNNAMED of detectors/counts/known.py"
        for path in tracked("detectors/*.py", "stream/*.py")
        for number, line in enumerate((ROOT / path).read_text("utf-8").splitlines(), 1)
        if re.search(r"\b(width|targets_max) - 2\b", line)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("call", ["time.time", "time.monotonic", "datetime.now", "datetime.utcnow", "print", "open"])
def test_the_core_neither_asks_the_time_nor_writes(call):
    wrong = [
        f"{path}:{node.lineno} calls {call}; time is an argument, and words are for shells"
        for path in tracked("detectors/*.py")
        for node in nodes(path)
        if isinstance(node, ast.Call) and (ast.unparse(node.func) + "$").endswith(call + "$")
        and ast.unparse(node.func).split(".")[-len(call.split(".")):] == call.split(".")
    ]  # fmt: skip
    assert not wrong, "\n".join(wrong)


def test_nothing_of_any_one_machine_is_in_the_repository():
    wrong = []
    for path in tracked(*TEXT):
        if path == "tests/house/test_style.py":
            continue
        text = (ROOT / path).read_text("utf-8", errors="replace")
        for number, line in enumerate(text.splitlines() if OF_ONE_MACHINE.search(text) else (), 1):
            found = OF_ONE_MACHINE.search(line)
            if found:
                wrong.append(f"{path}:{number} holds {found[0]!r}; only paths inside the repository work everywhere")
    assert not wrong, "\n".join(wrong[:40])


@pytest.mark.parametrize("line", ["cd /work/main", "see /root/x", 'path = "/home/ada/logs"', "artifactory.example/x"])
def test_a_path_of_one_machine_is_recognised(line):
    assert OF_ONE_MACHINE.search(line)


@pytest.mark.parametrize("line", ["/var/lib/swerve", "GET /api/v1/work/", "docs/work/", "/homepage"])
def test_a_path_inside_an_image_or_an_api_is_none_of_one_machine(line):
    assert not OF_ONE_MACHINE.search(line)


def test_lines_of_the_lock_name_the_public_registry_alone():
    hosts = set(re.findall(r"https?://([^/\"]+)", (ROOT / "uv.lock").read_text("utf-8")))
    assert hosts <= {"pypi.org", "files.pythonhosted.org"}, f"uv.lock names {sorted(hosts)}; run tools/install/lock.sh"
