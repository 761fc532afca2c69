"""docs/operating.md: every figure of its tables follows from what was recorded, and what it names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from benchmarks.cost import sizing_record
from benchmarks.cost.sizing_guide import ACCOUNTS, RATES, SPARE, Guide
from stream.telemetry import metrics

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "operating.md").read_text()
RECORD = sizing_record.read()
GUIDE = Guide(RECORD)
GI = 2**30


def rows(first: str) -> list[list[str]]:
    """Cells of the table whose first heading is this."""
    table = re.search(rf"^\| {first} \|.*\n\|[- |]+\n((?:\|.*\n)+)", TEXT, re.MULTILINE)[1]
    return [[cell.strip() for cell in line.strip("|\n").split("|")] for line in table.splitlines()]


def number(text: str) -> float:
    return float(re.search(r"[\d,.]+", text)[0].replace(",", ""))


def test_the_tables_are_those_of_what_was_recorded():
    assert GUIDE.written() in TEXT, "measure anew with `make sizing`, or write them with its last line"


@pytest.mark.parametrize("cells", rows("requests/s"), ids=lambda cells: cells[0])
def test_cores_follow_from_the_dearer_of_the_two_measurements_of_a_stage(cells: list[str]):
    for cell, stage in ((cells[1], "ingest"), (cells[3], "detect")):
        seconds = max(RECORD["sizing"][f"{stage}_s"], RECORD["sizing_kafka"][f"{stage}_s"])
        assert number(cell) == pytest.approx(max(0.1, number(cells[0]) * seconds / SPARE), abs=0.051)


@pytest.mark.parametrize("cells", rows("accounts"), ids=lambda cells: cells[0])
def test_memory_follows_from_what_one_account_was_measured_to_take(cells: list[str]):
    accounts, one = number(cells[0]), RECORD["sizing"]

    assert number(cells[1]) == pytest.approx(accounts * (one["account_bytes"] + one["snapshot_bytes"]) / 1e9, abs=0.01)
    assert number(cells[2]) == pytest.approx(accounts * one["snapshot_bytes"] / 1e6, abs=1)


def test_each_figure_names_a_benchmark_that_exists():
    for cells in rows("what"):
        module = cells[2].strip("`").split()[0]
        assert any((ROOT / "benchmarks").rglob(f"{module}.py")), cells[2]
    for one in RECORD.values():
        assert one["command"] in TEXT


@pytest.mark.parametrize("stage", ["ingest", "detect", "correlate"])
def test_the_defaults_of_the_chart_carry_the_fleet_in_the_middle(stage: str):
    size = GUIDE.size(RATES[1], ACCOUNTS[1])
    values = yaml.safe_load((ROOT / "deploy/helm/swerve/values.yaml").read_text())
    given = values[stage]
    limit = int(given["resources"]["limits"]["memory"].removesuffix("Gi")) * GI
    cores = given["replicas"] * float(given["resources"]["requests"]["cpu"])

    each = {
        "ingest": 1e6 * RECORD["sizing_kafka"]["ingest_mb"],
        "detect": size.detect_bytes / given["replicas"] + 1e9 * GUIDE.detect_gb,
        "correlate": size.correlate_bytes,
    }[stage]
    assert each < limit
    if stage != "correlate":
        assert {"ingest": size.ingest_cores, "detect": size.detect_cores}[stage] < cores
    assert values["kafka"]["partitions"] >= size.partitions


def test_metrics_and_files_that_it_names_exist():
    known = {one.name for one in metrics.DEFINED}

    assert set(re.findall(r"swerve_\w+", TEXT)) <= known
    for path in re.findall(r"`(deploy/[\w./-]+)`", TEXT):
        assert (ROOT / path).exists(), path
    for target in re.findall(r"`make ([\w-]+)`", TEXT):
        assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE), target
