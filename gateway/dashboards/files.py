"""Which files `gateway dashboards` makes, and their content."""

from collections.abc import Mapping
from pathlib import Path

from gateway.dashboards import provisioning
from gateway.dashboards.boards.cache_and_flights import CACHE_AND_FLIGHTS
from gateway.dashboards.boards.methods import METHODS
from gateway.dashboards.boards.overview import OVERVIEW
from gateway.dashboards.boards.platform import PLATFORM
from gateway.dashboards.boards.runtime import RUNTIME
from gateway.dashboards.rendering.board import render
from gateway.dashboards.rules.calls import CALLS
from gateway.dashboards.rules.platform import PLATFORM as PLATFORM_ALERTS
from gateway.dashboards.rules.process import PROCESS
from gateway.dashboards.rules.recording import RECORDING
from gateway.dashboards.rules.rule import RUNBOOKS, to_yaml, written

DASHBOARDS = {
    "overview": OVERVIEW,
    "methods": METHODS,
    "platform": PLATFORM,
    "cache-and-flights": CACHE_AND_FLIGHTS,
    "runtime": RUNTIME,
}

ALERTS = (CALLS, PLATFORM_ALERTS, PROCESS)


def contents(runbooks: str = RUNBOOKS) -> Mapping[str, str]:
    """Each file's path below the output folder, and its text. `runbooks` is where the pages of
    alerts are, as in `RUNBOOKS`."""
    boards = {f"dashboards/{name}.json": render(board) for name, board in DASHBOARDS.items()}
    return {
        **boards,
        "provisioning/datasources/prometheus.yaml": to_yaml(provisioning.DATASOURCE),
        "provisioning/dashboards/gateway.yaml": to_yaml(provisioning.PROVIDER),
        "prometheus/prometheus.yml": to_yaml(provisioning.PROMETHEUS),
        "prometheus/rules/gateway-recording.yml": written((RECORDING,), runbooks),
        "prometheus/rules/gateway-alerts.yml": written(ALERTS, runbooks),
    }


def write(out: Path, runbooks: str = RUNBOOKS) -> list[Path]:
    """Writes all of them; the paths, in order. Raises OSError."""
    paths = []
    for name, text in contents(runbooks).items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        paths.append(path)
    return paths
