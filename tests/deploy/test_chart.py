"""The Helm chart: rendered by the real helm with several sets of values, validated against Kubernetes' own schemas."""

from __future__ import annotations

import functools
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from stream.cli import COMMANDS
from stream.configuration.settings import load

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "swerve"
SETS = sorted(path.stem.removesuffix("-values") for path in CHART.glob("ci/*-values.yaml"))
OPERATORS = {
    "ServiceMonitor",
    "PrometheusRule",
    "ScaledObject",
    "HTTPRoute",
}  # of others: no schema is published with Kubernetes
KUBERNETES = ["1.29", "1.33", "1.37"]
STAGES = ["ingest", "detect", "correlate"]

Manifest = dict[str, Any]
pytestmark = pytest.mark.service("helm")


@pytest.fixture(scope="module")
def helm(service_unavailable) -> str:
    command = [ROOT / "tools/install/helm.sh", "--only-if-there"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    if found.returncode:
        service_unavailable("helm", found.stderr.strip())
    return found.stdout.strip()


@functools.cache
def _rendered(helm: str, values: str, kubernetes: str) -> str:
    command = [helm, "template", "fleet", CHART, "--namespace", "watch", "--kube-version", kubernetes]
    done = subprocess.run(
        [*command, "--values", CHART / "ci" / f"{values}-values.yaml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def rendered(helm: str, values: str, kubernetes: str = "1.33") -> list[Manifest]:
    return [one for one in yaml.safe_load_all(_rendered(helm, values, f"{kubernetes}.0")) if one]


def of(manifests: list[Manifest], kind: str, ending: str = "") -> Manifest:
    (one,) = [one for one in manifests if one["kind"] == kind and one["metadata"]["name"].endswith(ending)]
    return one


def pods(manifests: list[Manifest]) -> dict[str, Manifest]:
    """The pod of each stage and of the job that creates the topics."""
    workloads = [one for one in manifests if one["kind"] in ("Deployment", "StatefulSet", "Job")]
    return {one["spec"]["template"]["spec"]["containers"][0]["name"]: one["spec"]["template"] for one in workloads}


@pytest.mark.parametrize("values", SETS)
@pytest.mark.parametrize("kubernetes", KUBERNETES)
def test_every_manifest_keeps_the_schema_of_kubernetes(helm, values: str, kubernetes: str):
    for one in rendered(helm, values, kubernetes):
        if one["kind"] not in OPERATORS:
            kubernetes_validate.validate(one, kubernetes, strict=True)


@pytest.mark.parametrize("values", SETS)
def test_helm_itself_has_nothing_to_say(helm, values: str):
    path = CHART / "ci" / f"{values}-values.yaml"

    linted = subprocess.run([helm, "lint", "--strict", CHART, "-f", path], capture_output=True, text=True, check=False)

    assert linted.returncode == 0, linted.stdout


@pytest.mark.parametrize("values", SETS)
def test_names_are_unique_and_every_label_selects_what_it_should(helm, values: str):
    manifests = rendered(helm, values)
    names = [(one["kind"], one["metadata"]["name"]) for one in manifests]
    assert len(set(names)) == len(names)

    for stage in STAGES:
        labels = pods(manifests)[stage]["metadata"]["labels"]
        for kind in ("Service", "PodDisruptionBudget"):
            for one in manifests:
                if one["kind"] == kind and one["metadata"]["name"].endswith(f"-{stage}"):
                    wanted = one["spec"]["selector"].get("matchLabels", one["spec"]["selector"])
                    assert wanted.items() <= labels.items()


@pytest.mark.parametrize("values", SETS)
def test_every_pod_has_no_rights_and_writes_nowhere_but_into_its_scratch(helm, values: str):
    for pod in pods(rendered(helm, values)).values():
        (container,) = pod["spec"]["containers"]

        assert pod["spec"]["automountServiceAccountToken"] is False
        assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        writable = [mount["mountPath"] for mount in container["volumeMounts"] if not mount.get("readOnly")]
        assert writable == ["/tmp"]
        assert {mount["name"] for mount in container["volumeMounts"]} <= {one["name"] for one in pod["spec"]["volumes"]}


@pytest.mark.parametrize("values", SETS)
def test_every_pod_runs_a_command_of_swerve_and_asks_for_no_user_so_that_openshift_may_give_one(helm, values: str):
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text()
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", dockerfile, re.MULTILINE), "by number, or runAsNonRoot refuses it"

    for pod in pods(rendered(helm, values)).values():
        assert pod["spec"]["containers"][0]["args"][0] in COMMANDS
        asked = {**pod["spec"]["securityContext"], **pod["spec"]["containers"][0]["securityContext"]}
        assert {"runAsUser", "runAsGroup", "fsGroup", "supplementalGroups"} & set(asked) == set()
        assert asked["seccompProfile"] == {"type": "RuntimeDefault"}


@pytest.mark.parametrize("values", SETS)
def test_the_configuration_is_one_that_swerve_understands(helm, values: str, tmp_path, monkeypatch):
    manifests = rendered(helm, values)
    file = tmp_path / "swerve.toml"
    file.write_text(next(one for one in manifests if one["kind"] == "ConfigMap")["data"]["swerve.toml"])
    monkeypatch.setenv("SWERVE_HTTP__TOKEN", "from-the-secret-of-the-chart")
    monkeypatch.setenv("SWERVE_KAFKA__SASL_PASSWORD", "from-the-secret")
    for variable in pods(manifests)["detect"]["spec"]["containers"][0]["env"]:
        monkeypatch.setenv(variable["name"], variable.get("value", "fleet-swerve-detect-0"))

    settings = load(file)

    assert settings.http.port == 8321
    assert settings.kafka.instance_id == "fleet-swerve-detect-0"


def test_a_worker_that_recovers_is_alive_and_not_ready(helm):
    for stage in STAGES:
        container = pods(rendered(helm, "small"))[stage]["spec"]["containers"][0]

        assert container["livenessProbe"]["httpGet"]["path"] == "/livez"
        assert container["startupProbe"]["httpGet"]["path"] == "/livez"
        assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_a_pod_has_longer_to_stop_than_a_stage_takes_to_drain(helm):
    for stage in STAGES:
        assert pods(rendered(helm, "small"))[stage]["spec"]["terminationGracePeriodSeconds"] > 30


def test_detect_has_an_identity_that_outlives_restarts_and_correlate_has_none(helm):
    manifests = rendered(helm, "small")

    named = {stage: [one["name"] for one in pods(manifests)[stage]["spec"]["containers"][0]["env"]] for stage in STAGES}
    assert "SWERVE_KAFKA__INSTANCE_ID" in named["detect"]
    assert "SWERVE_KAFKA__INSTANCE_ID" not in named["correlate"], "a standby must take over within its short session"
    assert "SWERVE_KAFKA__INSTANCE_ID" not in named["ingest"], "pods of a Deployment never come back by name"
    assert {of(manifests, "StatefulSet", stage)["kind"] for stage in ("detect", "correlate")} == {"StatefulSet"}


def test_one_correlate_judges_and_one_stands_by(helm):
    assert of(rendered(helm, "small"), "StatefulSet", "correlate")["spec"]["replicas"] == 2


def test_a_budget_of_disruptions_never_blocks_a_drain_for_ever(helm):
    for stage in STAGES:
        budget = of(rendered(helm, "small"), "PodDisruptionBudget", stage)["spec"]

        assert budget["maxUnavailable"] == 1
        assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


def test_a_changed_configuration_makes_new_pods(helm):
    small, large = (pods(rendered(helm, name))["detect"]["metadata"]["annotations"] for name in ("small", "large"))

    assert small["checksum/config"] != large["checksum/config"]


def test_secrets_come_from_a_secret_and_are_nowhere_else(helm):
    manifests = rendered(helm, "small")
    secret = of(manifests, "Secret")

    for pod in pods(manifests).values():
        assert pod["spec"]["containers"][0]["envFrom"] == [{"secretRef": {"name": secret["metadata"]["name"]}}]
    others = [one for one in manifests if one["kind"] != "Secret"]
    assert secret["stringData"]["SWERVE_HTTP__TOKEN"] not in json.dumps(others)


def test_lag_scales_ingest_and_nothing_else(helm):
    manifests = rendered(helm, "large")
    scaled = of(manifests, "ScaledObject")["spec"]
    (trigger,) = scaled["triggers"]

    assert scaled["scaleTargetRef"]["name"] == of(manifests, "Deployment")["metadata"]["name"]
    assert "replicas" not in of(manifests, "Deployment")["spec"], "an upgrade would undo the scaling"
    assert trigger["metadata"]["offsetResetPolicy"] == "earliest"
    assert int(trigger["metadata"]["activationLagThreshold"]) > 128
    assert (scaled["minReplicaCount"], scaled["maxReplicaCount"]) == (2, 128), "more workers than partitions are idle"
    assert scaled["cooldownPeriod"] >= 300


def test_the_network_is_closed_but_for_what_is_listed(helm):
    closed, listed = (of(rendered(helm, name), "NetworkPolicy")["spec"] for name in ("managed", "large"))

    own = closed["podSelector"]
    test = {"matchLabels": own["matchLabels"] | {"app.kubernetes.io/component": "test"}}
    assert closed["policyTypes"] == ["Ingress", "Egress"]
    assert [one["from"] for one in closed["ingress"]] == [[{"podSelector": test}]]
    assert [port["port"] for rule in closed["egress"] for port in rule["ports"]] == [53, 53, "http"]
    assert closed["egress"][1]["to"] == [{"podSelector": own}]
    assert listed["ingress"][1]["ports"] == [{"port": "http", "protocol": "TCP"}]
    assert {"port": 9096, "protocol": "TCP"} in [port for rule in listed["egress"] for port in rule["ports"]]


def test_the_monitor_finds_the_services_of_all_stages(helm):
    manifests = rendered(helm, "large")
    wanted = of(manifests, "ServiceMonitor")["spec"]["selector"]["matchLabels"]

    services = [one for one in manifests if one["kind"] == "Service"]
    found = [one["metadata"]["name"] for one in services if wanted.items() <= one["metadata"]["labels"].items()]
    assert found == [f"fleet-swerve-{stage}" for stage in STAGES]
    assert all(one["spec"]["publishNotReadyAddresses"] for one in services if one["metadata"]["name"] in found)


def test_the_console_is_reached_by_its_public_address_and_told_of_it(helm):
    manifests = rendered(helm, "openshift")
    console = next(one for one in manifests if one["kind"] == "Service" and "console" in one["metadata"]["name"])
    (rule,) = of(manifests, "Ingress")["spec"]["rules"]
    route = of(manifests, "HTTPRoute")["spec"]

    assert (rule["host"], route["hostnames"]) == ("swerve.example", ["swerve.example"])
    backend = rule["http"]["paths"][0]["backend"]["service"]
    assert backend == {"name": console["metadata"]["name"], "port": {"name": console["spec"]["ports"][0]["name"]}}
    port = console["spec"]["ports"][0]["port"]
    assert route["rules"] == [{"backendRefs": [{"name": console["metadata"]["name"], "port": port}]}]
    for stage in STAGES:
        told = {one["name"]: one.get("value") for one in pods(manifests)[stage]["spec"]["containers"][0]["env"]}
        assert told["SWERVE_HTTP__PUBLIC_URL"] == "https://swerve.example"


def test_what_is_said_of_every_pod_is_on_every_pod(helm):
    manifests = rendered(helm, "openshift")
    every = {**pods(manifests), "test": of(manifests, "Pod")}

    assert set(every) == {*STAGES, "topics", "test"}
    for pod in every.values():
        assert pod["spec"]["priorityClassName"] == "monitoring"
        assert "nodeAffinity" in pod["spec"]["affinity"]
        assert {"name": "HTTPS_PROXY", "value": "http://proxy:3128"} in pod["spec"]["containers"][0]["env"]


def test_a_name_that_was_given_is_in_the_name_of_everything(helm):
    assert [one["metadata"]["name"] for one in rendered(helm, "openshift")
            if not one["metadata"]["name"].startswith("shifts")] == []  # fmt: skip


def jobs_name(helm: str, *settings: str) -> str:
    """The job of the topics, with these values set."""
    command = [helm, "template", "fleet", CHART, "--kube-version", "1.33.0", "-f", CHART / "ci/small-values.yaml"]
    done = subprocess.run(
        [*command, *settings, "-s", "templates/topics.yaml"], capture_output=True, text=True, check=True
    )
    return yaml.safe_load(done.stdout)["metadata"]["name"]


def test_another_template_of_the_topics_is_another_job_and_the_same_one_stays(helm):
    """A job's template cannot be changed, and Argo CD renders every version as revision 1."""
    first = jobs_name(helm)

    assert first == jobs_name(helm, "--set", "detect.replicas=3"), "of nothing that it is made of"
    assert ".Release.Revision" not in "".join(one.read_text() for one in CHART.glob("templates/*"))
    changed = [["--set", "image.tag=0.2.0"], ["--set", "kafka.partitions=32"], ["--set", "config=[kafka]"],
               ["--set", "extraEnv[0].name=A"]]  # fmt: skip
    assert len({first, *(jobs_name(helm, *settings) for settings in changed)}) == 1 + len(changed)


def test_helm_test_asks_for_the_topics_and_for_the_console(helm):
    manifests = rendered(helm, "small")
    pod = of(manifests, "Pod")

    assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"
    topics, console = pod["spec"]["containers"]
    assert topics["args"] == ["topics", "check"]
    (address,) = console["args"]
    assert address == f"http://{of(manifests, 'Service', '-console')['metadata']['name']}/livez"
    assert pod["metadata"]["labels"]["app.kubernetes.io/component"] not in {*STAGES, "console"}, "no Service takes it"


def test_the_console_s_test_fails_where_nothing_answers(helm):
    command = of(rendered(helm, "small"), "Pod")["spec"]["containers"][1]["command"]

    done = subprocess.run([sys.executable, *command[1:], "http://127.0.0.1:1/livez"], capture_output=True, check=False)

    assert done.returncode != 0


@pytest.mark.service("prometheus")
def test_the_rules_in_the_chart_are_rules_and_lead_to_the_house_s_own_runbook(helm, program, tmp_path):
    promtool = program("promtool", of="prometheus")
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": of(rendered(helm, "large"), "PrometheusRule")["spec"]["groups"]}))

    checked = subprocess.run([promtool, "check", "rules", file], capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stderr
    assert "swerve.example" not in file.read_text()
    assert "https://wiki.example/swerve/self-alerts#swervenoinput" in file.read_text()


def test_the_dashboards_in_the_chart_are_those_of_the_repository(helm):
    originals = {path.name: json.loads(path.read_text()) for path in ROOT.glob("deploy/monitoring/dashboards/*.json")}
    maps = [one for one in rendered(helm, "large") if one["metadata"]["labels"].get("grafana_dashboard") == "1"]

    assert {name: json.loads(text) for one in maps for name, text in one["data"].items()} == originals


def test_the_files_of_the_chart_are_fresh():
    checked = subprocess.run(
        [sys.executable, ROOT / "tools" / "chart_files.py", "--check"], capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, checked.stderr


def test_the_readme_of_the_chart_has_every_value():
    checked = subprocess.run(
        [sys.executable, ROOT / "tools" / "chart_readme.py", "--check"], capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("ingress.enabled=true", "set publicUrl"),
        ("publicUrl=swerve.example", "/publicUrl"),
        ("podSecurityContext.runAsNonRoot=false", "/podSecurityContext/runAsNonRoot"),
        ("httpRoute.enabled=true,publicUrl=https://a.example", "httpRoute.parentRefs"),
        ("detect.replicas=0", "/detect/replicas"),
        ("kafka.partitions=300", "/kafka/partitions"),
        ("kafka.bootstrapServers=kafka", "/kafka/bootstrapServers"),
        ("terminationGracePeriodSeconds=10", "/terminationGracePeriodSeconds"),
        ("ingest.autoscaling.minReplicas=0", "/ingest/autoscaling/minReplicas"),
        ("secret.values.TOKEN=x", "TOKEN"),
        ("colour=red", "colour"),
        ("secret.values=null", "SWERVE_HTTP__TOKEN"),
    ],
)
def test_wrong_values_are_refused_by_name(helm, wrong: str, said: str):
    command = [helm, "template", "fleet", CHART, "--kube-version", "1.33.0", "-f", CHART / "ci/small-values.yaml"]

    refused = subprocess.run([*command, "--set", wrong], capture_output=True, text=True, check=False)

    assert refused.returncode != 0
    assert said in refused.stderr


def test_every_value_is_described_by_the_schema():
    def keys(given: Any, path: str = "") -> set[str]:
        if not isinstance(given, dict) or not given:
            return {path}
        return {key for name, inner in given.items() for key in keys(inner, f"{path}/{name}")}

    def known(schema: Manifest, path: str = "") -> set[str]:
        inner = schema.get("properties")
        if not inner:
            return {path}
        return {path} | {key for name, one in inner.items() for key in known(one, f"{path}/{name}")}

    schema = known(json.loads((CHART / "values.schema.json").read_text()))
    for key in keys(yaml.safe_load((CHART / "values.yaml").read_text())):
        assert key in schema or re.search(r"/(labels|annotations)/", key), f"{key} is not in values.schema.json"


def test_the_version_of_the_chart_is_that_of_the_package():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())

    assert f'version = "{chart["appVersion"]}"\n' in (ROOT / "pyproject.toml").read_text()
