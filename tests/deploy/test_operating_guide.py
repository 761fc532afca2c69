"""docs/operating.md: its arithmetic follows from what it says was measured, and what it names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.sizing import ACCOUNTS, ACTIVE, PYTHON_MB, RATES, SPARE
from stream import metrics

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "operating.md").read_text()


def rows(first: str) -> list[list[str]]:
    """Cells of the table whose first heading is this."""
    table = re.search(rf"^\| {first} \|.*\n\|[- |]+\n((?:\|.*\n)+)", GUIDE, re.MULTILINE)[1]
    return [[cell.strip() for cell in line.strip("|\n").split("|")] for line in table.splitlines()]


def number(text: str) -> float:
    return float(re.search(r"[\d,.]+", text)[0].replace(",", ""))


MEASURED = {cells[0]: number(cells[1]) for cells in rows("what")}


def slower(stage: str) -> float:
    return min(value for name, value in MEASURED.items() if name.startswith(f"{stage},") and value > 1_000)


@pytest.mark.parametrize("cells", rows("requests/s"), ids=lambda cells: cells[0])
def test_cores_follow_from_what_one_core_was_measured_to_do(cells: list[str]):
    rate = number(cells[0])

    assert number(cells[1]) == pytest.approx(max(0.1, rate / slower("ingest") / SPARE), abs=0.051)
    assert number(cells[2]) == pytest.approx(max(0.1, rate / slower("detect") / SPARE), abs=0.051)
    assert number(cells[3]) == pytest.approx(rate * MEASURED["frames"] / 1e6, abs=0.01)


@pytest.mark.parametrize("cells", rows("accounts"), ids=lambda cells: cells[0])
def test_memory_follows_from_what_one_account_was_measured_to_take(cells: list[str]):
    accounts = number(cells[0])
    account_bytes = MEASURED["state of detect, 26 requests an account and day"]

    assert number(cells[1]) == pytest.approx(accounts * account_bytes / 1e9, abs=0.01)
    assert number(cells[2]) == pytest.approx(accounts * MEASURED["snapshot"] / 1e6, rel=0.01)
    assert number(cells[3]) == pytest.approx(accounts / MEASURED["recovery"], abs=0.06)
    state = accounts * ACTIVE * MEASURED["state of correlate"] / 1e9
    assert number(cells[4]) == pytest.approx(PYTHON_MB / 1_000 + state, abs=0.06)


def test_the_tables_have_the_sizes_that_the_benchmark_prints():
    assert [number(cells[0]) for cells in rows("requests/s")] == list(RATES)
    assert [number(cells[0]) for cells in rows("accounts")] == list(ACCOUNTS)


def test_metrics_and_files_that_it_names_exist():
    known = {one.name for one in metrics.DEFINED}

    assert set(re.findall(r"swerve_\w+", GUIDE)) <= known
    for path in re.findall(r"`(deploy/[\w./-]+)`", GUIDE):
        assert (ROOT / path).exists(), path
    for target in re.findall(r"`make ([\w-]+)`", GUIDE):
        assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE), target
