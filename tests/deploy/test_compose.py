"""compose.yaml: no engine runs in the tests, so each thing that it names is held against what exists."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from click.testing import CliRunner

from gateway.cli import commands
from gateway.settings.loading import read

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
GATEWAYS = ("gateway-a", "gateway-b")


def mounts(service: dict[str, Any]) -> list[tuple[Path, str]]:
    found = [volume.split(":") for volume in service.get("volumes", ())]
    return [(ROOT / source, target) for source, target, _ in found]


def test_it_has_everything_that_is_promised() -> None:
    assert set(SERVICES) == {*GATEWAYS, "balancer", "sandbox", "valkey", "prometheus", "grafana"}


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_mounted_exists(name: str) -> None:
    assert [source for source, _ in mounts(SERVICES[name]) if not source.exists()] == []


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_depends_on_services_that_there_are(name: str) -> None:
    assert set(SERVICES[name].get("depends_on", ())) <= set(SERVICES)


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_open_on_this_machine_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", ()))


@pytest.mark.parametrize("name", GATEWAYS)
def test_a_gateway_takes_its_settings(name: str) -> None:
    environ = SERVICES[name]["environment"] | {"GATEWAY_LISTEN__HOST": "0.0.0.0"}
    settings = read(ROOT / "config.yaml", environ).settings
    assert settings.cache.store == settings.dedup.store == "redis"
    assert name in settings.allowed_hosts
    assert SERVICES[name]["read_only"]
    assert SERVICES[name]["cap_drop"] == ["ALL"]


def test_the_gateways_share_a_valkey_that_keeps_what_must_not_go() -> None:
    [address] = {SERVICES[name]["environment"]["GATEWAY_REDIS__URL"] for name in GATEWAYS}
    assert urlsplit(address).hostname == "valkey"
    command = SERVICES["valkey"]["command"]
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"


def test_the_balancer_spreads_calls_over_both_gateways_and_repeats_none() -> None:
    text = (ROOT / "deploy/compose/nginx.conf").read_text()
    assert re.findall(r"server (\S+):8080;", text) == list(GATEWAYS)
    assert "proxy_next_upstream off;" in text
    assert "location /-/ { return 404; }" in text


def test_the_token_that_the_gateways_read_is_the_sandbox_s() -> None:
    source = json.loads(SERVICES["gateway-a"]["environment"]["GATEWAY_TOKEN"])["file"]
    [name] = SERVICES["gateway-a"]["secrets"]
    token = (ROOT / COMPOSE["secrets"][name]["file"]).read_text().strip()
    assert source == f"/run/secrets/{name}"
    assert token in SERVICES["sandbox"]["command"]


def test_the_sandbox_s_command_is_one_that_there_is() -> None:
    name, *options = SERVICES["sandbox"]["command"]
    asked = CliRunner().invoke(commands, [name, *options, "--help"])
    assert asked.exit_code == 0, asked.output


def test_prometheus_scrapes_both_gateways_under_the_name_that_the_rules_expect() -> None:
    scrape = yaml.safe_load((ROOT / "deploy/compose/prometheus.yml").read_text())["scrape_configs"]
    [job] = scrape
    assert job["job_name"] == "gateway"
    assert job["static_configs"] == [{"targets": [f"{name}:8080" for name in GATEWAYS]}]


def test_grafana_looks_where_its_files_are_mounted() -> None:
    targets = {target for _, target in mounts(SERVICES["grafana"])}
    [provider] = yaml.safe_load(next((ROOT / "grafana/provisioning/dashboards").glob("*.yaml")).read_text())[
        "providers"
    ]
    assert provider["options"]["path"] in targets
    assert "/etc/grafana/provisioning" in targets
