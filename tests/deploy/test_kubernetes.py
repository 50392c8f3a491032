"""The Kubernetes manifests say what is true of the program."""

from __future__ import annotations

from typing import Any, cast

import pytest
import yaml

from loresmith.cli.processes import LORE_GRACE_SECONDS, WORKER_GRACE_SECONDS, WORKER_LINGER_SECONDS
from loresmith.settings import PREFIX, Settings
from tests.deploy.compose import ROOT, SECRETS, services

FOLDER = ROOT / "deploy" / "kubernetes"
MANIFESTS = [
    cast("dict[str, Any]", manifest)
    for path in sorted(FOLDER.rglob("*.yaml"))
    for manifest in yaml.safe_load_all(path.read_text())
]
DEPLOYMENTS = {str(one["metadata"]["name"]): one["spec"] for one in MANIFESTS if one["kind"] == "Deployment"}
PODS = {
    str(one["metadata"]["name"]): one["spec"]["template"]["spec"]
    for one in MANIFESTS
    if "template" in one.get("spec", {})
}
SHARED = next(one["data"] for one in MANIFESTS if one["kind"] == "ConfigMap")
NAMES = {str(one["metadata"]["name"]) for one in MANIFESTS if one["kind"] in ("ConfigMap", "Secret")}
COMING = {"LORESMITH_METRICS_LISTEN"}


def test_each_process_has_a_pod() -> None:
    assert set(PODS) == {"loresmith-api", "loresmith-lore", "loresmith-migrate", "loresmith-worker"}
    composed = {str(service["command"][0]) for service in services(SECRETS).values() if "build" in service}
    assert {pod["containers"][0]["args"][0] for pod in PODS.values()} == composed


@pytest.mark.parametrize("name", PODS)
def test_a_pod_has_settings_that_exist_and_no_others(name: str) -> None:
    known = {PREFIX + field.upper() for field in Settings.model_fields}
    set_here = {str(one["name"]) for one in PODS[name]["containers"][0]["env"]} | set(SHARED)
    assert {one for one in set_here if one.startswith(PREFIX)} <= known | COMING
    # Kubernetes would add LORESMITH_API_PORT=tcp://… and its like for each Service, and the program refuses to start.
    assert PODS[name]["enableServiceLinks"] is False


@pytest.mark.parametrize("name", PODS)
def test_what_a_pod_refers_to_is_there(name: str) -> None:
    container = PODS[name]["containers"][0]
    for source in container.get("envFrom", []):
        assert next(iter(source.values()))["name"] in NAMES
    for one in container["env"]:
        if "valueFrom" in one:
            assert one["valueFrom"]["secretKeyRef"]["key"] in _secret("loresmith")


@pytest.mark.parametrize("name", PODS)
def test_a_pod_may_no_more_than_it_needs(name: str) -> None:
    assert PODS[name]["securityContext"]["runAsNonRoot"] is True
    assert f"USER {PODS[name]['securityContext']['runAsUser']}:" in (ROOT / "Dockerfile").read_text()
    assert PODS[name]["containers"][0]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


@pytest.mark.parametrize(
    ("name", "needed"),
    [
        ("loresmith-worker", WORKER_GRACE_SECONDS + WORKER_LINGER_SECONDS + 5),
        ("loresmith-lore", LORE_GRACE_SECONDS + 5),
    ],
)
def test_a_pod_is_not_killed_while_it_finishes(name: str, needed: float) -> None:
    assert PODS[name]["terminationGracePeriodSeconds"] > needed


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_probes_and_a_disruption_budget(name: str) -> None:
    container = PODS[name]["containers"][0]
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    probed = {container[probe]["httpGet"]["path"] for probe in ("startupProbe", "readinessProbe")}
    assert probed == {"/healthz", "/readyz"}
    assert container["livenessProbe"]["httpGet"]["port"] in {port["name"] for port in container["ports"]}
    labels = DEPLOYMENTS[name]["selector"]["matchLabels"]
    assert labels == DEPLOYMENTS[name]["template"]["metadata"]["labels"]
    budgets = [one["spec"] for one in MANIFESTS if one["kind"] == "PodDisruptionBudget"]
    assert labels in [budget["selector"]["matchLabels"] for budget in budgets]


def test_the_autoscaler_alone_says_how_many_workers_there_are() -> None:
    scaled = next(one for one in MANIFESTS if one["kind"] == "ScaledObject")
    assert scaled["spec"]["scaleTargetRef"]["name"] in DEPLOYMENTS
    assert "replicas" not in DEPLOYMENTS["loresmith-worker"]
    assert scaled["spec"]["minReplicaCount"] > 0


def _secret(name: str) -> set[str]:
    return {
        key
        for one in MANIFESTS
        if one["kind"] == "Secret" and one["metadata"]["name"] == name
        for key in one["stringData"]
    }
