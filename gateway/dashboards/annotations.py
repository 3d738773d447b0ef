"""What is marked in all graphs of a dashboard: alerts that fire, and changes of the configuration."""

from dataclasses import dataclass

from gateway.dashboards.panels import BLUE, RED
from gateway.dashboards.queries import series


@dataclass(frozen=True, slots=True)
class Annotation:
    """A mark stands where `expr` gives something. `title` is its text, `{{label}}` being a label's value."""

    name: str
    title: str
    color: str
    expr: str


_LOADED = series("gateway_config_last_reload_success_timestamp_seconds")

ANNOTATIONS = (
    Annotation(
        "Alerts", "{{alertname}}", RED, 'ALERTS{alertname=~"Gateway.+", alertstate="firing", job=~"$job"}'
    ),
    # Of the first scrape after a change; the start of a process is one, too.
    Annotation(
        "Configurations", "another configuration on {{instance}}", BLUE, f"changes({_LOADED}[2m]) > 0"
    ),
)
