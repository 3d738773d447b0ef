"""What can be chosen at the top of a dashboard."""

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.catalogue import loading
from gateway.catalogue.model import OTHER
from gateway.dashboards.queries import series

ALL = ".+"
"""What "All" stands for: every series that has the label."""


@dataclass(frozen=True, slots=True)
class Variable:
    """`source` is a query of Prometheus, or the choices as Grafana's custom variables write them."""

    name: str
    label: str
    text: str
    source: str
    is_query: bool = True
    has_all: bool = True


def _values(metric: str, label: str, *matchers: str) -> str:
    return f"label_values({series(metric, *matchers)}, {label})"


def _families(names: Iterable[str]) -> str:
    """The groups of methods by the first part of their name, each with the pattern of its members."""
    families = sorted({name.partition("/")[0] for name in names})
    return ", ".join(f"{family} : {family}(/.+)?" for family in (*families, OTHER))


JOB = Variable(
    "job",
    "Job",
    "The scrape job of the gateways.",
    "label_values(gateway_build_info, job)",
    # All would take in processes that are no gateways: up and process_* are everybody's.
    has_all=False,
)
INSTANCE = Variable(
    "instance",
    "Instance",
    "The gateways.",
    'label_values(gateway_build_info{job=~"$job"}, instance)',
)

VARIABLES = {
    variable.name: variable
    for variable in (
        Variable(
            "family",
            "Family",
            "Shortens the list of methods to those whose name begins so.",
            _families(method.name for method in loading.load()),
            is_query=False,
        ),
        Variable(
            "method",
            "Method",
            "Methods of the platform.",
            _values("gateway_request_duration_seconds_count", "api_method", 'api_method=~"$family"'),
        ),
        Variable(
            "account",
            "Account",
            "Only what belongs to an account, such as breaker, connections and tokens, is narrowed by it.",
            _values("gateway_breaker_state", "account"),
        ),
        Variable(
            "caller",
            "Caller",
            "Applications by the name they give themselves; only their share of the calls is narrowed by it.",
            _values("gateway_callers_requests_total", "caller"),
        ),
    )
}
