"""Which files `gateway dashboards` makes, and their content."""

from collections.abc import Mapping
from pathlib import Path

from gateway.dashboards import provisioning, rendering, rules
from gateway.dashboards.alerts_of_calls import CALLS
from gateway.dashboards.alerts_of_platform import PLATFORM as PLATFORM_ALERTS
from gateway.dashboards.alerts_of_process import PROCESS
from gateway.dashboards.cache_and_flights import CACHE_AND_FLIGHTS
from gateway.dashboards.methods import METHODS
from gateway.dashboards.overview import OVERVIEW
from gateway.dashboards.platform import PLATFORM
from gateway.dashboards.recording import RECORDING
from gateway.dashboards.runtime import RUNTIME

DASHBOARDS = {
    "overview": OVERVIEW,
    "methods": METHODS,
    "platform": PLATFORM,
    "cache-and-flights": CACHE_AND_FLIGHTS,
    "runtime": RUNTIME,
}

ALERTS = (CALLS, PLATFORM_ALERTS, PROCESS)


def contents(runbooks: str = rules.RUNBOOKS) -> Mapping[str, str]:
    """Each file's path below the output folder, and its text. `runbooks` is where the pages of
    alerts are, as in `rules.RUNBOOKS`."""
    boards = {f"dashboards/{name}.json": rendering.render(board) for name, board in DASHBOARDS.items()}
    return {
        **boards,
        "provisioning/datasources/prometheus.yaml": rules.to_yaml(provisioning.DATASOURCE),
        "provisioning/dashboards/gateway.yaml": rules.to_yaml(provisioning.PROVIDER),
        "prometheus/prometheus.yml": rules.to_yaml(provisioning.PROMETHEUS),
        "prometheus/rules/gateway-recording.yml": rules.written((RECORDING,), runbooks),
        "prometheus/rules/gateway-alerts.yml": rules.written(ALERTS, runbooks),
    }


def write(out: Path, runbooks: str = rules.RUNBOOKS) -> list[Path]:
    """Writes all of them; the paths, in order. Raises OSError."""
    written = []
    for name, text in contents(runbooks).items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written
