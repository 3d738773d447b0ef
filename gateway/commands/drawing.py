"""`gateway dashboards`: the files for Grafana and Prometheus."""

from pathlib import Path

from gateway.errors import GatewayError

LIBRARY = "grafana_foundation_sdk"


def draw(out: str, runbooks: str | None) -> list[Path]:
    """Writes them below `out`, and returns their paths. `runbooks` is where alerts link to, None for the
    pages of the project. Raises GatewayError without the extra `dashboards`, or OSError."""
    if runbooks is not None and "{name}" not in runbooks:
        raise GatewayError("--runbooks: {name} is missing, it stands for the page of an alert")
    try:
        from gateway.dashboards import files
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != LIBRARY:
            raise
        raise GatewayError(
            "the extra `dashboards` is not installed: pip install 'platform-gateway[dashboards]'"
        ) from error
    return files.write(Path(out)) if runbooks is None else files.write(Path(out), runbooks)
