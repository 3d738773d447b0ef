"""From which number on a value has which colour."""

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models import dashboard as models

from gateway.dashboards.panels import GREEN, Step


def thresholds_of(steps: tuple[Step, ...]) -> dashboard.ThresholdsConfig:
    colored = [models.Threshold(None, GREEN), *(models.Threshold(step.value, step.color) for step in steps)]
    return dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(colored)
