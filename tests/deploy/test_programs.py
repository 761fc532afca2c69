"""Prometheus, Alertmanager and Chromium for the tests: installed where that may be, else the line to type."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.programs import NoProgramError, program

ROOT = Path(__file__).parents[2]
POLICY = Path("/usr/sbin/policy-rc.d")


def monitors(path: Path, *asked: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """tools/install/monitors.sh on a machine that has only what is in this folder."""
    environment = {"PATH": str(path)} | variables
    command = ["/bin/bash", ROOT / "tools" / "install" / "monitors.sh", *asked]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def put(folder: Path, name: str, script: str = "exit 0") -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_a_program_that_is_missing_is_named_with_the_line_to_type(monkeypatch: pytest.MonkeyPatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(NoProgramError, match=r"no amtool here; .*apt-get install -y prometheus-alertmanager"):
        program("amtool", of="alertmanager")


def test_where_nothing_may_be_installed_the_line_to_type_is_said_and_nothing_fails(tmp_path):
    put(tmp_path, "apt-get", f"touch {tmp_path}/called")

    said = monitors(tmp_path, SWERVE_INSTALL="no")

    assert said.returncode == 0
    assert "apt-get install -y prometheus prometheus-alertmanager" in said.stderr
    assert not (tmp_path / "called").exists()


def test_what_is_there_is_left_alone_without_a_word(tmp_path):
    for name in ("prometheus", "promtool", "amtool"):
        put(tmp_path, name)

    assert monitors(tmp_path).stderr == ""


@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome"])
def test_a_browser_is_missed_only_where_it_is_asked_for_and_there_is_none_of_any_name(tmp_path, name):
    for other in ("prometheus", "promtool", "amtool"):
        put(tmp_path, other)
    said = [monitors(tmp_path, *asked, SWERVE_INSTALL="no").stderr for asked in ((), ("chromium",))]
    put(tmp_path, name)

    assert (said[0], "apt-get install -y chromium" in said[1]) == ("", True)
    assert monitors(tmp_path, "chromium", SWERVE_INSTALL="no").stderr == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root installs")
def test_root_installs_what_is_missing_and_a_refusal_fails_nothing(tmp_path):
    there = POLICY.exists()
    put(tmp_path, "apt-get", f'echo "$@" >> {tmp_path}/asked; echo "E: no network"; exit 100')
    for name in ("rm", "chmod", "tail"):
        (tmp_path / name).symlink_to(f"/bin/{name}" if Path(f"/bin/{name}").exists() else f"/usr/bin/{name}")
    for name in ("prometheus", "promtool"):
        put(tmp_path, name)

    said = monitors(tmp_path)

    assert said.returncode == 0
    assert "E: no network" in said.stderr
    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked[0] == "-o DPkg::Lock::Timeout=300 install -qq -y --no-install-recommends prometheus-alertmanager"
    assert asked[1] == "update -qq"
    assert POLICY.exists() == there, "the machine's own rule about services is as it was"
