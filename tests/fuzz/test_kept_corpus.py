"""What coverage-guided fuzzing begins from, and kept of its runs: every reader still reads it, or refuses it."""

from __future__ import annotations

import pytest

from tests.fuzz.guided import readers, seeds, told


def test_every_reader_is_fuzzed_from_bytes_that_it_reads():
    assert set(seeds()) == set(readers())
    assert all(seeds().values())


@pytest.mark.parametrize("name", readers())
def test_what_led_somewhere_new_is_read_or_refused(name, tmp_path, monkeypatch):
    monkeypatch.setenv("FUZZ_FILE", str(tmp_path / "it"))
    for raw in seeds()[name]:
        readers()[name](raw)


def test_a_run_is_told_by_its_executions_its_reach_and_what_it_found():
    said = "#2\tINITED cov: 900 ft: 1\n#9\tNEW cov: 1250 ft: 2\nstat::number_of_executed_units: 12345\n"
    lines = told(said, 60, {"release": 3, "frame": 4}, ["ValueError: no"])
    assert "12,345 executions, 1,250 branches" in lines[0]
    assert "alone 900), 7 inputs" in lines[0]
    assert lines[-1] == "Found: ValueError: no."
