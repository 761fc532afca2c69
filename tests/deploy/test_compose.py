"""deploy/compose.yaml and what it mounts: parsed, linted, and checked by the programs that will read it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from stream.cli import COMMANDS
from stream.configuration.settings import load

DEPLOY = Path(__file__).parents[2] / "deploy"
MONITORING = DEPLOY / "monitoring"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "swerve:local"}


def test_the_whole_topology_is_there():
    stages = {"topics", "ingest", "detect", "correlate", "load"}

    assert set(OURS) == stages
    assert set(SERVICES) == stages | {"kafka", "prometheus", "alertmanager", "grafana"}


@pytest.mark.parametrize("name", sorted(set(SERVICES) - set(OURS)))
def test_images_of_others_are_pinned_by_digest(name: str):
    assert re.fullmatch(r"[a-z/]+:v?[\d.]+@sha256:[0-9a-f]{64}", SERVICES[name]["image"])


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"kafka"}))
def test_every_container_has_a_read_only_root_and_no_rights(name: str):
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_what_is_mounted_exists_and_what_is_awaited_is_a_service(name: str):
    for mount in SERVICES[name].get("volumes", []):
        source = mount.split(":")[0]
        assert (DEPLOY / source).exists() if source.startswith(".") else source in COMPOSE["volumes"], mount
    assert set(SERVICES[name].get("depends_on", {})) <= set(SERVICES)


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_nothing_is_open_to_other_machines(name: str):
    for port in SERVICES[name].get("ports", []):
        assert port.startswith("127.0.0.1:"), port


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_command_is_one_of_swerve(name: str):
    command, *arguments = OURS[name]["command"]
    help_ = subprocess.run(
        [sys.executable, "-c", "from stream.cli import main; main()", command, *arguments, "--help"],
        capture_output=True, text=True, check=False, env=os.environ | {"COLUMNS": "200", "NO_COLOR": "1"},
    )  # fmt: skip

    assert command in COMMANDS
    assert help_.returncode == 0, help_.stderr
    for option in (word for word in arguments if word.startswith("--")):
        assert re.search(rf"{option}\b", help_.stdout), f"swerve {command} knows no {option}"


def test_the_configuration_and_the_variables_are_understood(monkeypatch: pytest.MonkeyPatch):
    for name, value in OURS["correlate"]["environment"].items():
        if name != "SWERVE_CONFIG":
            monkeypatch.setenv(name, re.sub(r"\$\{\w+:-(.*)\}", r"\1", value))

    settings = load(DEPLOY / "compose" / "swerve.toml")

    assert settings.kafka.bootstrap_servers == "kafka:9092"
    assert settings.http.token is not None
    assert [sink.kind for sink in settings.sinks] == ["alertmanager", "stdout"]


def test_a_stop_leaves_time_to_drain():
    assert OURS["detect"]["stop_grace_period"] == "40s", "stages drain within 30 s"


@pytest.mark.service("prometheus")
def test_promtool_accepts_the_configuration_of_prometheus(program):
    promtool = program("promtool", of="prometheus")

    checked = subprocess.run(
        [promtool, "check", "config", "prometheus.yaml"], cwd=MONITORING, capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.service("alertmanager")
def test_amtool_accepts_the_configuration_of_alertmanager(program):
    amtool = program("amtool", of="alertmanager")

    checked = subprocess.run(
        [amtool, "check-config", "alertmanager.yaml"], cwd=MONITORING, capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.service("alertmanager")
@pytest.mark.parametrize(("severity", "receiver"), [("critical", "page"), ("warning", "ticket"), ("info", "nobody")])
def test_severity_decides_who_is_told(program, severity: str, receiver: str):
    amtool = program("amtool", of="alertmanager")

    labels = ["service=swerve", f"severity={severity}"]
    routed = subprocess.run(
        [amtool, "config", "routes", "test", "--config.file=alertmanager.yaml", *labels],
        cwd=MONITORING, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert routed.stdout.strip() == receiver, routed.stderr


def test_prometheus_scrapes_every_stage_at_the_port_of_the_image():
    (job,) = yaml.safe_load((MONITORING / "prometheus.yaml").read_text())["scrape_configs"]

    assert job["dns_sd_configs"][0]["names"] == ["ingest", "detect", "correlate"]
    assert job["dns_sd_configs"][0]["port"] == 8321


def test_grafana_finds_its_data_source_and_its_dashboards_where_they_are_mounted():
    mounted = {mount.split(":")[1]: mount.split(":")[0] for mount in SERVICES["grafana"]["volumes"]}
    (provider,) = yaml.safe_load((MONITORING / "grafana/dashboards/swerve.yaml").read_text())["providers"]
    (source,) = yaml.safe_load((MONITORING / "grafana/datasources/prometheus.yaml").read_text())["datasources"]

    assert mounted[provider["options"]["path"]] == "./monitoring/dashboards"
    assert source["type"] == "prometheus"
    home = Path(SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert (MONITORING / "dashboards" / home.name).exists()
