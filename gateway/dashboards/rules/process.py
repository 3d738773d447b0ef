"""Alerts about the process and what it stands on."""

from gateway.dashboards.rules.rule import Alert, Group, Severity

JOB = "gateway"
"""How the scrape job has to be called for the one rule that cannot take its name from a series."""

_STORE_ERRORS = "sum by (job, instance, store) (increase(gateway_store_errors_total[{window}])) > 0"

PROCESS = Group(
    "gateway-process",
    (
        Alert(
            name="GatewayNotScraped",
            expr=f'up{{job="{JOB}"}} == 0\nor\nabsent(up{{job="{JOB}"}})',
            wait="2m",
            severity=Severity.CRITICAL,
            summary="Prometheus does not reach a gateway",
            description="{{ with $labels.instance }}{{ . }} does not answer scrapes.{{ else }}There is no "
            "target in the job {{ $labels.job }}.{{ end }}",
        ),
        Alert(
            name="GatewayReloadFailed",
            expr="gateway_config_last_reload_successful == 0",
            wait="1m",
            severity=Severity.WARNING,
            summary="{{ $labels.instance }} refused its configuration",
            description="The configuration that was loaded last is not in use; the one before it still is.",
        ),
        Alert(
            name="GatewayStoreErrors",
            expr=_STORE_ERRORS.format(window="5m"),
            wait="0m",
            severity=Severity.WARNING,
            summary="The store {{ $labels.store }} of {{ $labels.instance }} failed",
            description="{{ $value | humanize }} operations within five minutes failed.",
        ),
        Alert(
            name="GatewayStoreErrors",
            expr=_STORE_ERRORS.format(window="1m"),
            wait="5m",
            severity=Severity.CRITICAL,
            summary="The store {{ $labels.store }} of {{ $labels.instance }} does not work",
            description="Operations fail since five minutes, {{ $value | humanize }} within the last one.",
        ),
        Alert(
            name="GatewayLoopLate",
            expr="gateway_event_loop_lag_seconds > 0.25",
            wait="5m",
            severity=Severity.WARNING,
            summary="Something blocks {{ $labels.instance }}",
            description="The event loop was late by {{ $value | humanizeDuration }} within the last minute, "
            "and so was every call at that moment.",
        ),
        Alert(
            name="GatewayFilesRunningOut",
            expr="process_open_fds / process_max_fds > 0.8\nand on (job, instance)\ngateway_build_info",
            wait="5m",
            severity=Severity.WARNING,
            summary="{{ $labels.instance }} has few file descriptors left",
            description="{{ $value | humanizePercentage }} of them are in use; each connection takes one.",
        ),
    ),
)
