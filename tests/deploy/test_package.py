"""What does the package say of itself? A wheel is built as anybody builds it, and its metadata read."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).parent / "uv"

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not UV.exists(), reason="no uv beside this Python")]


def built(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A wheel in pure Python, in a process of its own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SWERVE_")}
    return subprocess.run(
        [str(UV), "build", "--wheel", "--out-dir", str(folder), str(ROOT)],
        env=clean | {"SWERVE_PURE": "1"} | environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_wheel_says_where_it_is_at_home_with_whoever_built_it_and_brings_what_a_library_needs(tmp_path):
    done = built(tmp_path, SWERVE_HOME_URL="https://git.example/platform/swerve/")
    assert done.returncode == 0, done.stderr[-2_000:]
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        metadata = Parser().parsestr(archive.read(next(n for n in names if n.endswith("/METADATA"))).decode())

    assert metadata.get_all("Project-URL") == [
        "Homepage, https://git.example/platform/swerve", "Source, https://git.example/platform/swerve",
    ]  # fmt: skip
    assert {"detectors/py.typed", "stream/py.typed", "stream/mapping/presets/litellm.toml"} <= names
    assert set(metadata.get_all("Provides-Extra")) == {"kafka", "judge", "files", "all"}
    assert [name for name in names if name.startswith("tests")] == []


def test_an_address_with_a_password_in_it_is_refused_and_not_shown(tmp_path):
    done = built(tmp_path, SWERVE_HOME_URL="https://me:secret@git.example/swerve")
    assert done.returncode != 0
    assert "SWERVE_HOME_URL: expected https://HOST/PATH without a user, got git.example/swerve" in done.stderr
    assert "secret" not in done.stderr
