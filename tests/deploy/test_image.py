"""The Dockerfile, read as its builder reads it: what would be in the image, and as whom it would run."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from stream.configuration.settings import load

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"


def instructions() -> list[tuple[str, str]]:
    """(keyword, the rest) of each instruction, comments gone and continued lines joined."""
    text = "\n".join(line for line in DOCKERFILE.read_text().splitlines() if not line.lstrip().startswith("#"))
    joined = re.sub(r"\\\n\s*", "", text)
    return [(keyword, rest) for keyword, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def of(keyword: str) -> list[str]:
    return [rest for word, rest in instructions() if word == keyword]


def variables() -> dict[str, str]:
    return dict(re.findall(r"(\w+)=(\S+)", " ".join(of("ENV"))))


def test_there_are_two_stages_and_only_the_environment_is_taken_from_the_first():
    assert of("FROM") == ["${PYTHON} AS build", "${PYTHON} AS run"]
    assert [rest for rest in of("COPY") if rest.startswith("--from=")] == ["--from=build /opt/swerve /opt/swerve"]


def test_the_base_is_pinned_by_digest_and_is_a_python_that_swerve_supports():
    base = of("ARG")[0]

    version = re.fullmatch(r"PYTHON=python:3\.(\d+)\.\d+-slim-bookworm@sha256:[0-9a-f]{64}", base)
    assert version
    assert 11 <= int(version[1]) <= 13


def test_what_is_installed_is_pinned_by_hash():
    installs = [rest for rest in of("RUN") if "uv pip install" in rest]

    assert "--require-hashes" in installs[0]
    assert "--no-deps" in installs[1]
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(r"UV_VERSION := (\S+)", makefile)[1] == re.search(r"uv==(\S+)", " ".join(of("RUN")))[1]


def test_it_runs_as_nobody_in_particular_and_never_as_root():
    (user,) = of("USER")

    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user), "by number: an orchestrator cannot resolve a name"


def test_every_file_that_is_copied_exists_and_is_not_ignored():
    ignored = (ROOT / "deploy" / "Dockerfile.dockerignore").read_text().splitlines()
    allowed = [line[1:] for line in ignored if line.startswith("!")]
    copied = [name for rest in of("COPY") if not rest.startswith("--from") for name in rest.split()[:-1]]

    assert sorted(copied) == sorted(allowed)
    for name in copied:
        assert (ROOT / name).exists(), name


def test_its_variables_are_settings_that_exist(monkeypatch: pytest.MonkeyPatch):
    for name, value in variables().items():
        if name.startswith("SWERVE_"):
            monkeypatch.setenv(name, value)

    settings = load()

    assert (settings.http.host, settings.http.port) == ("0.0.0.0", 8321)


def test_the_health_check_asks_whether_it_lives_not_whether_it_is_ready():
    (check,) = of("HEALTHCHECK")

    assert "/livez" in check
    command = json.loads(check[check.index("CMD ") + 4 :])
    compile(command[2], "HEALTHCHECK", "exec")


def test_signals_reach_the_program_itself():
    assert json.loads(of("ENTRYPOINT")[0]) == ["swerve"], "a shell in between would swallow SIGTERM"
    assert of("STOPSIGNAL") == ["SIGTERM"]
