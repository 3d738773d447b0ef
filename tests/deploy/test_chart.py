"""The Helm chart, for five sets of values: linted, rendered, each manifest valid, the settings taken."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.settings.loading import read

ROOT = Path(__file__).parents[2]
KUBERNETES = "1.37.0"
OF_OPERATORS = {
    "ServiceMonitor",
    "PrometheusRule",
}  # kinds of the Prometheus operator: Kubernetes knows no schema
SETS: dict[str, dict[str, Any]] = {
    "as shipped": {},
    "one replica, open to a namespace": {
        "replicas": 1,
        "networkPolicy": {"from": [{"namespaceSelector": {"matchLabels": {"name": "apps"}}}]},
        "podDisruptionBudget": {"enabled": False},
    },
    "shared by Redis": {
        "config": {
            "redis": {"url": "redis://valkey:6379/0"},
            "cache": {"store": "redis"},
            "dedup": {"store": "redis"},
        },
        "extraEnv": [{"name": "OTEL_SERVICE_NAME", "value": "gateway"}],
    },
    "watched": {
        "serviceMonitor": {"enabled": True},
        "prometheusRule": {"enabled": True},
        "dashboards": {"enabled": True},
        "networkPolicy": {"monitoringFrom": [{"podSelector": {}}]},
    },
    "placed": {
        "image": {"repository": "images.internal/gateway", "tag": "1", "pullPolicy": "Always"},
        "imagePullSecrets": [{"name": "pull"}],
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "edge", "operator": "Exists"}],
        "podAnnotations": {"team": "payments"},
        "networkPolicy": {"enabled": False},
        "allowedHosts": ["gateway.example.com"],
    },
}

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def helm() -> Any:
    from tests.tools import missing

    try:
        import helm_python
    except ImportError:
        missing("helm-python-sdk", "PyPI: make setup-full")
    return helm_python


@pytest.fixture(scope="module")
def chart(helm: Any) -> Iterator[Any]:
    subprocess.run(["make", "chart"], cwd=ROOT, check=True, capture_output=True)
    chart = helm.Chart.load(ROOT / "build/chart")
    yield chart
    chart.close()


def manifests(chart: Any, values: dict[str, Any]) -> list[dict[str, Any]]:
    rendered = chart.render(values, name="gateway", namespace="payments")
    texts = [text for path, text in rendered.items() if path.endswith(".yaml")]
    return [document for text in texts for document in yaml.safe_load_all(text) if document]


def only(found: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    [one] = [document for document in found if document["kind"] == kind]
    return one


@pytest.mark.parametrize("name", SETS)
def test_lint_has_nothing_to_say(helm: Any, chart: Any, name: str) -> None:
    report = helm.lint(ROOT / "build/chart", SETS[name], strict=True)
    assert report["errors"] == []
    assert [message for message in report["messages"] if "icon" not in message["error"]] == []


@pytest.mark.parametrize("name", SETS)
def test_every_manifest_is_valid_for_kubernetes(chart: Any, name: str) -> None:
    import kubernetes_validate

    chart.validate_schema(SETS[name])
    found = manifests(chart, SETS[name])
    for document in found:
        if document["kind"] not in OF_OPERATORS:
            kubernetes_validate.validate(document, KUBERNETES, strict=True)
    assert {"Deployment", "Service", "ConfigMap"} <= {document["kind"] for document in found}


@pytest.mark.parametrize("name", SETS)
def test_the_gateway_takes_the_settings(chart: Any, name: str, tmp_path: Path) -> None:
    found = [one for one in manifests(chart, SETS[name]) if "config.yaml" in one.get("data", {})]
    [configmap] = found
    (tmp_path / "config.yaml").write_text(configmap["data"]["config.yaml"])
    settings = read(tmp_path / "config.yaml", {}).settings
    assert "gateway.payments.svc" in settings.allowed_hosts
    assert settings.drain.timeout > settings.upstream.timeouts.total


@pytest.mark.parametrize("name", SETS)
def test_the_end_of_a_pod_leaves_time_for_the_drain(chart: Any, name: str) -> None:
    found = manifests(chart, SETS[name])
    pod = only(found, "Deployment")["spec"]["template"]["spec"]
    [configmap] = [one for one in found if "config.yaml" in one.get("data", {})]
    drain = yaml.safe_load(configmap["data"]["config.yaml"])["drain"]
    seconds = sum(int(drain[key].removesuffix("s")) for key in ("delay", "timeout"))
    assert pod["terminationGracePeriodSeconds"] > seconds
    probe = pod["containers"][0]["readinessProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] < int(drain["delay"].removesuffix("s"))


def test_the_pod_may_do_nothing_that_it_need_not(chart: Any) -> None:
    pod = only(manifests(chart, {}), "Deployment")["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["automountServiceAccountToken"] is False


def test_a_change_of_the_settings_is_a_change_of_the_pod(chart: Any) -> None:
    def checksum(values: dict[str, Any]) -> str:
        template = only(manifests(chart, values), "Deployment")["spec"]["template"]
        found: str = template["metadata"]["annotations"]["checksum/config"]
        return found

    assert checksum({}) != checksum({"allowedHosts": ["another"]})


def test_nobody_calls_it_who_is_not_named(chart: Any) -> None:
    assert only(manifests(chart, {}), "NetworkPolicy")["spec"]["ingress"] == []


def test_rules_and_dashboards_come_with_it(chart: Any) -> None:
    found = manifests(chart, SETS["watched"])
    rules = only(found, "PrometheusRule")["spec"]["groups"]
    dashboards = [one for one in found if "grafana_dashboard" in one["metadata"]["labels"]]
    assert len(dashboards) == len(list((ROOT / "grafana/dashboards").glob("*.json")))
    assert sum(len(group["rules"]) for group in rules) > 10


@pytest.mark.parametrize(
    "values",
    [{"replica": 3}, {"token": {"value": "secret"}}, {"config": {"token": {"env": "X"}}}, {"replicas": 0}],
    ids=str,
)
def test_values_that_mean_nothing_are_refused(helm: Any, chart: Any, values: dict[str, Any]) -> None:
    with pytest.raises(helm.HelmError):
        chart.validate_schema(values)


def test_the_systemd_unit_is_valid_and_confined(tmp_path: Path) -> None:
    from tests.tools import tool

    analyze = tool("systemd-analyze", "Debian: systemd")
    text = (ROOT / "deploy/systemd/platform-gateway.service").read_text()
    # The program need not be installed where the unit is checked.
    (tmp_path / "platform-gateway.service").write_text(
        text.replace("/opt/platform-gateway/bin/gateway", "/bin/true")
    )
    unit = str(tmp_path / "platform-gateway.service")
    environ = {**os.environ, "SYSTEMD_LOG_LEVEL": "warning"}
    verified = subprocess.run(
        [analyze, "verify", "--man=no", unit], capture_output=True, text=True, env=environ, check=False
    )
    assert [line for line in verified.stderr.splitlines() if "platform-gateway" in line] == []
    security = subprocess.run(
        [analyze, "security", "--offline=yes", "--threshold=20", unit],
        capture_output=True,
        text=True,
        check=False,
    )
    assert security.returncode == 0, security.stdout
