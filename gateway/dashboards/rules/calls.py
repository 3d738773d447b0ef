"""Alerts about what callers get."""

from gateway.catalogue.model import OTHER
from gateway.dashboards.rules.recording import BUDGET, FAILED, failed_share
from gateway.dashboards.rules.rule import Alert, Group, Severity

ENOUGH_FAILED = 10
"""Fewer failed calls within the long window are no trend, whatever share of the calls they are."""

_SECONDS = {"1h": 3600, "6h": 21_600, "1d": 86_400, "3d": 259_200}


def _burn(factor: float, long: str, short: str, wait: str, severity: Severity) -> Alert:
    """The budget of 30 days is used up `factor` times too fast, over the long window and still now."""
    limit = f"{factor * BUDGET:g}"
    expr = (
        f"{failed_share(long)} > {limit}\nand\n"
        f"{failed_share(short)} > {limit}\nand\n"
        f"avg_over_time({FAILED}[{long}]) * {_SECONDS[long]} >= {ENOUGH_FAILED}"
    )
    return Alert(
        name="GatewayErrorBudgetBurn",
        expr=expr,
        wait=wait,
        severity=severity,
        labels={"window": long},
        summary="Calls through {{ $labels.job }} fail",
        description=f"{{{{ $value | humanizePercentage }}}} of the calls in the last {long} failed although "
        f"their callers did nothing wrong. The error budget is {BUDGET:.1%}.",
    )


def _growing(label: str, expr: str, what: str) -> Alert:
    return Alert(
        name="GatewayOtherLabelsGrowing",
        expr=f"{expr} > 10",
        wait="10m",
        severity=Severity.INFO,
        labels={"label": label},
        summary=f"{{{{ $labels.job }}}} does not know {what}",
        description=f"{{{{ $value | humanize }}}} calls within an hour were counted under {label}={OTHER!r}.",
    )


CALLS = Group(
    "gateway-calls",
    (
        _burn(14.4, "1h", "5m", "1m", Severity.CRITICAL),
        _burn(6, "6h", "30m", "5m", Severity.CRITICAL),
        _burn(3, "1d", "2h", "15m", Severity.WARNING),
        _burn(1, "3d", "6h", "1h", Severity.WARNING),
        Alert(
            name="GatewayCallsRefused",
            expr='sum by (job, instance) (rate(gateway_own_errors_total{error="overloaded"}[2m])) > 0',
            wait="3m",
            severity=Severity.CRITICAL,
            summary="{{ $labels.instance }} refuses calls",
            description="{{ $value | humanize }} calls per second get 503, since every place and the queue "
            "are taken, or the wait for a place was too long.",
        ),
        Alert(
            name="GatewayCallsQueued",
            expr="min_over_time(gateway_requests_queued[2m]) > 0",
            wait="3m",
            severity=Severity.WARNING,
            summary="Calls wait in {{ $labels.instance }}",
            description="At no moment within two minutes fewer than {{ $value }} calls were waiting for a "
            "free place.",
        ),
        Alert(
            name="GatewayOverheadHigh",
            expr=(
                "histogram_quantile(0.99, sum by (job, instance, le) "
                "(rate(gateway_overhead_seconds_bucket[5m]))) > 0.05"
            ),
            wait="10m",
            severity=Severity.WARNING,
            summary="{{ $labels.instance }} itself is slow",
            description="One call in a hundred spends more than {{ $value | humanizeDuration }} in the "
            "gateway, waiting for a free place included.",
        ),
        Alert(
            name="GatewayInternalErrors",
            expr='sum by (job, instance) (increase(gateway_own_errors_total{error="internal"}[10m])) > 0',
            wait="0m",
            severity=Severity.WARNING,
            summary="{{ $labels.instance }} has a fault",
            description="{{ $value | humanize }} calls within ten minutes ended with a fault of the gateway "
            "itself.",
        ),
        _growing(
            "api_method",
            f'sum by (job) (increase(gateway_requests_total{{api_method="{OTHER}", origin!="gateway"}}[1h]))',
            "a method that is called",
        ),
        _growing(
            "code",
            f'sum by (job) (increase(gateway_requests_total{{code="{OTHER}", origin!="gateway"}}[1h]))',
            "a code that the platform answers with",
        ),
        _growing(
            "caller",
            f'sum by (job) (increase(gateway_callers_requests_total{{caller="{OTHER}"}}[1h]))',
            "an application that gives its name",
        ),
    ),
)
