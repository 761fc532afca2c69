"""Does what an extra brings suffice for its commands? Each is imported, some are run, without all others."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import pytest

from stream import cli
from stream.extras import LIBRARIES

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
BROUGHT_BY = {"faust": "faust-streaming"}  # what is imported by another name than it is installed by
# What each command takes besides its own module, which imports the stage when it is called.
STAGES = {"ingest": ["stream.ingest.worker"], "detect": ["stream.detect.worker"],
          "correlate": ["stream.correlate.worker"],
          "run": ["stream.ingest.worker", "stream.detect.worker", "stream.correlate.worker"]}  # fmt: skip
AWAY = """
import sys
class Away:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {away!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Away())
"""


def without(away: set[str], code: str, *words: object) -> subprocess.CompletedProcess[str]:
    """Python that runs this as if these libraries were not installed."""
    script = AWAY.format(away=away) + code
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, words)], capture_output=True, text=True, check=False, timeout=600
    )


def away(*extras: str) -> set[str]:
    """The libraries of all extras but these."""
    return {library for extra, brought in LIBRARIES.items() if extra not in extras for library in brought}


def told() -> dict[str, tuple[str, ...]]:
    """The extras that each command needs, by the README's table."""
    rows = re.findall(r"^\| (.+) \| `\.(?:\[([a-z,]+)\])?` \| \d+ MB \|", README, re.MULTILINE)
    return {name: tuple(extras.split(",")) if extras else () for cell, extras in rows
            for name in re.findall(r"`([a-z]+)`", cell)}  # fmt: skip


def test_the_table_of_the_readme_has_every_command():
    assert set(told()) == set(cli.COMMANDS)


@pytest.mark.parametrize("extras", sorted(set(told().values())), ids=lambda extras: ",".join(extras) or "none")
def test_commands_need_no_extra_but_those_that_the_readme_says(extras: tuple[str, ...]):
    commands = [name for name, needed in told().items() if needed == extras]
    modules = [module for name in commands for module in (cli.COMMANDS[name].module, *STAGES.get(name, []))]
    code = "import importlib\nfor name in sys.argv[1:]: importlib.import_module(name)"
    done = without(away(*extras), code, *modules)
    assert done.returncode == 0, done.stderr


RUN = "from stream import cli; sys.exit(cli.run(sys.argv[1:]))"


@pytest.fixture(scope="module")
def log(tmp_path_factory) -> Path:
    """A day of a small fleet; written without any extra, which is a test in itself."""
    file = tmp_path_factory.mktemp("log") / "fleet.ndjson"
    words = ("simulate", "--scenario", "quiet", "--accounts", 200, "--days", 1, "--output", file)
    done = without(away(), RUN, *words)
    assert done.returncode == 0, done.stderr
    return file


def test_a_backtest_with_a_report_needs_neither_a_kafka_client_nor_arrow(log, tmp_path):
    report = tmp_path / "report.html"
    done = without(away("judge"), RUN, "backtest", log, "--report", report)
    assert done.returncode == 0, done.stderr
    assert report.stat().st_size > 1_000


def test_a_sample_is_checked_and_a_mapping_proposed_without_any_extra(log):
    for asked in ("check", "suggest"):
        done = without(away(), RUN, "map", asked, log)
        assert (done.returncode, bool(done.stdout)) == (0, True), done.stderr


def test_an_ingest_worker_gets_as_far_as_its_broker_without_scipy():
    done = without(away("kafka"), "import os; os.environ['SWERVE_KAFKA__BOOTSTRAP_SERVERS'] = '127.0.0.1:1'\n" + RUN,
                   "topics", "check")  # fmt: skip
    assert done.returncode == 1
    assert "127.0.0.1:1" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["backtest", "{log}"], "swerve: backtest needs scipy, which is not installed: pip install 'swerve[judge]'\n"),
        (["ingest"], "swerve: ingest needs faust, which is not installed: pip install 'swerve[kafka]'\n"),
        (
            ["simulate", "--kafka"],
            "swerve: simulate needs aiokafka, which is not installed: pip install 'swerve[kafka]'\n",
        ),
    ],
)
def test_what_is_missing_is_one_line_that_says_what_to_type(log, words, said):
    done = without(away(), RUN, *(word.format(log=log) for word in words))
    assert (done.returncode, done.stderr) == (2, said)


@pytest.mark.parametrize("name", ["records.parquet", "s3://bucket/logs/"])
def test_parquet_and_buckets_say_which_extra_reads_them(name, tmp_path):
    path = name if "://" in name else str(tmp_path / name)
    if "://" not in name:
        Path(path).write_bytes(b"PAR1 and something that nobody without Arrow can read PAR1")
    done = without(away("judge"), RUN, "backtest", path)
    assert done.returncode == 2
    assert "needs pyarrow, which is not installed: pip install 'swerve[files]'" in done.stderr


def test_the_extras_bring_what_the_remedy_says():
    required = importlib.metadata.requires("swerve") or []
    brought = {
        extra: {re.split(r"[^\w-]", line)[0] for line in required if re.search(rf"extra == .{extra}.$", line)}
        for extra in LIBRARIES
    }
    named = {extra: {BROUGHT_BY.get(one, one) for one in libraries} for extra, libraries in LIBRARIES.items()}
    assert brought == named


def test_what_comes_without_an_extra_brings_none_of_theirs():
    """A library of the ground that pulled one in would make the extra a word only."""
    lock = (ROOT / "uv.lock").read_text("utf-8")
    needs = {}
    for package in lock.split("[[package]]\n")[1:]:
        named = re.search(r"^dependencies = \[\n((?:    .*\n)*)\]", package, re.MULTILINE)
        names = re.findall(r'^    \{ name = "([\w-]+)"', named[1] if named else "", re.MULTILINE)
        needs[package.split('"')[1]] = set(names)
    reached, ahead = set(), {"swerve"}
    while ahead:
        one = ahead.pop()
        reached.add(one)
        ahead |= needs.get(one, set()) - reached
    assert "numpy" in reached
    assert reached & {BROUGHT_BY.get(one, one) for one in away()} == set()
