"""What others wrote and the wheel carries: unchanged, under its licence, and fetching nothing."""

from __future__ import annotations

import hashlib
import re
import tomllib
from importlib import resources
from pathlib import Path

import pytest

from stream.console.routes.site import STATIC
from tests.house.sources import ROOT, tracked

VENDOR = "stream/console/static/vendor"
FOLDERS = sorted(one for one in (ROOT / VENDOR).iterdir() if one.is_dir())
every_folder = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


def sums(folder: Path) -> dict[str, str]:
    """SHA-256 by file, as the folder's README records them."""
    recorded = re.findall(r"^([0-9a-f]{64})  (\S+)$", (folder / "README.md").read_text("utf-8"), re.M)
    return {file: digest for digest, file in recorded}


def test_something_is_vendored():
    assert [folder.name for folder in FOLDERS] == ["uplot"]


@every_folder
def test_every_file_is_the_one_whose_sum_is_recorded(folder: Path):
    found = {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in folder.iterdir()}
    found.pop("README.md")
    assert found == sums(folder)


@every_folder
def test_its_licence_is_beside_it_in_the_metadata_of_the_wheel_and_named_in_the_readme(folder: Path):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert "Permission is hereby granted, free of charge" in (folder / "LICENSE").read_text("utf-8")
    assert f"{VENDOR}/{folder.name}/LICENSE" in project["license-files"]
    assert project["license"] == "Apache-2.0 AND MIT"
    assert f"{VENDOR}/{folder.name}/README.md" in (ROOT / "README.md").read_text("utf-8")


@every_folder
def test_the_version_that_is_told_is_the_one_in_the_file(folder: Path):
    told = re.search(r"^# uPlot (\S+)$", (folder / "README.md").read_text("utf-8"), re.M)
    assert told
    assert f"(v{told[1]})" in (folder / "uPlot.iife.min.js").read_text("utf-8")[:100]


def test_all_that_the_console_serves_is_tracked_and_in_the_package():
    kept = tracked("stream/console/static/*")
    for file in STATIC:
        assert f"stream/console/static/{file}" in kept, file
        assert (resources.files("stream.console") / "static" / file).is_file(), file


def test_no_script_that_a_page_loads_asks_another_host_or_makes_code_of_text():
    for file in (one for one in STATIC if one.endswith(".js")):
        text = (ROOT / "stream/console/static" / file).read_text("utf-8")
        assert not re.search(r"\beval\(|new Function|XMLHttpRequest|innerHTML|document\.write|\bimport\(", text), file
        assert not re.search(r"fetch\([\"'`]https?:|\.src\s*=", text), file
