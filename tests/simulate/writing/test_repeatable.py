"""Same seed, same bytes; and nothing of a detector in the simulator."""

from __future__ import annotations

import ast
import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import stream.simulate
from stream.simulate.labelled import records
from stream.simulate.scenarios import SCENARIOS

PACKAGE = Path(stream.simulate.__file__).parent


def _digest(scenario: str, seed: int) -> str:
    seen = hashlib.blake2b()
    for number, (_, _, line) in enumerate(records(scenario, seed, accounts=300)):
        if number == 5_000:
            break
        seen.update(line)
    return seen.hexdigest()


@pytest.mark.parametrize("scenario", [name for name in SCENARIOS if name != "at_scale"])
def test_a_seed_gives_the_same_bytes_again_and_another_seed_gives_others(scenario):
    assert _digest(scenario, 4) == _digest(scenario, 4)
    assert _digest(scenario, 4) != _digest(scenario, 5)


def test_the_files_are_the_same_in_processes_that_hash_differently(tmp_path):
    digests = set()
    for salt in ("1", "2"):
        log, truth = tmp_path / f"{salt}.ndjson.zst", tmp_path / f"{salt}.json"
        command = [sys.executable, "-m", "stream", "simulate", "--scenario", "mixed", "--accounts", "300"]
        subprocess.run(
            [*command, "--output", log, "--truth", truth], check=True, env=os.environ | {"PYTHONHASHSEED": salt}
        )
        digests.add((hashlib.sha256(log.read_bytes()).digest(), truth.read_bytes()))

    assert len(digests) == 1


def test_the_simulator_imports_nothing_of_a_detector():
    """A simulator that knew how it is judged would flatter its judge."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                where = f"{path.name}:{node.lineno} imports {name}"
                assert name.split(".")[0] != "detectors", where
                assert not name.startswith(("stream.pipeline", "stream.detect", "stream.correlate", "stream.alerts")), (
                    where
                )


def test_no_chance_is_drawn_without_a_seed():
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text()
        assert "default_rng()" not in text, path.name
        assert "np.random.seed" not in text, path.name
        assert not re.search(r"^\s*(import random|from random import)\b", text, re.MULTILINE), path.name
