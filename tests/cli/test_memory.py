"""How much memory is a process given? By its configuration, its cgroup of either version, or the machine."""

from __future__ import annotations

import os

import pytest

from stream.configuration.memory import MB, PROCESS_MB, given_bytes, state_bytes

MACHINE = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@pytest.fixture
def cgroups(tmp_path):
    def of(own: str, **limits: str):
        (tmp_path / "own").write_text(own)
        for folder, said in limits.items():
            path = tmp_path / folder.replace("__", "/").replace("_max", ".max").replace("_limit", ".limit_in_bytes")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(said + "\n")
        return given_bytes(0, tmp_path, tmp_path / "own")

    return of


def test_what_is_configured_is_what_is_given(tmp_path):
    assert given_bytes(700, tmp_path, tmp_path / "none") == 700 * MB


def test_in_a_container_the_limit_stands_at_the_root(cgroups):
    assert cgroups("0::/\n", memory_max="100000000") == 100_000_000
    assert cgroups("0::/not/seen/here\n", memory_max="100000000") == 100_000_000


def test_on_a_machine_the_least_of_all_groups_above_counts(cgroups):
    assert cgroups("0::/a/b\n", a__b__memory_max="max", a__memory_max="70000000") == 70_000_000


def test_the_older_interface_is_read_too(cgroups):
    assert cgroups("4:cpu,memory:/x\n0::/\n", memory__x__memory_limit="50000000") == 50_000_000


def test_without_a_limit_it_is_what_the_machine_has(cgroups, tmp_path):
    assert cgroups("0::/\n", memory_max="max") == MACHINE
    assert cgroups("4:memory:/\n", memory__memory_limit="9223372036854771712") == MACHINE
    assert given_bytes(0, tmp_path / "nowhere", tmp_path / "none") == MACHINE


def test_a_stage_that_is_given_less_than_it_takes_by_itself_still_holds_some_accounts():
    assert state_bytes(100 * MB, ["detect"]) == {"detect": 16 * MB}
    assert state_bytes(100 * MB, ["ingest"]) == {}


def test_the_state_and_the_process_fit_into_what_is_given_twice_over():
    for stages in (["detect"], ["correlate"], ["ingest", "detect", "correlate"]):
        given = 4_000 * MB
        held = sum(state_bytes(given, stages).values())
        assert 2 * held + MB * sum(PROCESS_MB[stage] for stage in stages) == given
