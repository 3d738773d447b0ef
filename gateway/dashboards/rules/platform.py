"""Alerts about the platform, and how we stand with it."""

from gateway.dashboards.rules.rule import Alert, Group, Severity

PLATFORM = Group(
    "gateway-platform",
    (
        Alert(
            name="GatewayPlatformUnreachable",
            # A short window: while the breaker is open there are few requests, and those that were answered
            # before it opened would outnumber them.
            expr=(
                'sum by (job) (rate(gateway_upstream_requests_total{code="none"}[2m]))\n/\n'
                "sum by (job) (rate(gateway_upstream_requests_total[2m]))\n> 0.5\nand\n"
                'sum by (job) (increase(gateway_upstream_requests_total{code="none"}[2m])) >= 3'
            ),
            wait="30s",
            severity=Severity.CRITICAL,
            summary="The platform does not answer {{ $labels.job }}",
            description="{{ $value | humanizePercentage }} of the requests of the last two minutes got no "
            "answer.",
        ),
        Alert(
            name="GatewayBreakerOpen",
            expr='max by (job, account) (max_over_time(gateway_breaker_state{state="open"}[1m])) == 1',
            wait="1m",
            severity=Severity.WARNING,
            summary="The platform of account {{ $labels.account }} is left alone",
            description="So many requests failed that {{ $labels.job }} refuses most calls of account {{ "
            "$labels.account }} with 503, and only looks now and then whether the platform is back.",
        ),
        Alert(
            name="GatewayPlatformSlow",
            expr=(
                "histogram_quantile(0.95, sum by (job, le) "
                "(rate(gateway_upstream_request_duration_seconds_bucket[5m]))) > 5"
            ),
            wait="10m",
            severity=Severity.WARNING,
            summary="The platform is slow",
            description="One request of {{ $labels.job }} in twenty takes the platform more than {{ $value "
            "| humanizeDuration }}.",
        ),
        Alert(
            name="GatewayPlatformErrors",
            expr=(
                'sum by (job) (rate(gateway_upstream_requests_total{code="500"}[5m]))\n/\n'
                "sum by (job) (rate(gateway_upstream_requests_total[5m]))\n> 0.05\nand\n"
                'sum by (job) (increase(gateway_upstream_requests_total{code="500"}[5m])) >= 3'
            ),
            wait="5m",
            severity=Severity.WARNING,
            summary="The platform fails inside",
            description="{{ $value | humanizePercentage }} of the requests of {{ $labels.job }} are "
            "answered with code 500.",
        ),
        Alert(
            name="GatewayTokenRejected",
            expr="sum by (job, account, token) (rate(gateway_token_rejected_total[3m])) > 0",
            # Longer than the window: calls that were in flight while a token was replaced are no news.
            wait="4m",
            severity=Severity.CRITICAL,
            summary="The platform rejects token {{ $labels.account }}/{{ $labels.token }}",
            description="{{ $value | humanize }} requests per second that carry token {{ $labels.token }} "
            "of account {{ $labels.account }} are answered with 401.",
        ),
        Alert(
            name="GatewayTokenMissing",
            expr=(
                "sum by (job, instance, account) "
                '(rate(gateway_own_errors_total{error="token-missing"}[2m])) > 0'
            ),
            wait="1m",
            severity=Severity.CRITICAL,
            summary="{{ $labels.instance }} has no token for account {{ $labels.account }}",
            description="{{ $value | humanize }} calls per second get 503, since there is no token for them.",
        ),
        Alert(
            name="GatewayTariffLimit",
            expr='sum by (job, api_method) (increase(gateway_upstream_requests_total{code="402"}[15m])) > 0',
            wait="0m",
            severity=Severity.WARNING,
            summary="The tariff limit refuses {{ $labels.api_method }}",
            description="{{ $value | humanize }} requests of {{ $labels.job }} to {{ $labels.api_method }} "
            "within 15 minutes were answered with 402.",
        ),
        Alert(
            name="GatewayOutcomeUnknown",
            expr=(
                "sum by (job, api_method) "
                '(increase(gateway_flight_outcomes_total{outcome="unknown"}[15m])) > 0'
            ),
            wait="0m",
            severity=Severity.WARNING,
            summary="Nobody knows whether calls of {{ $labels.api_method }} ran",
            description="{{ $value | humanize }} modifying calls of {{ $labels.job }} within 15 minutes "
            "were sent and got no answer.",
        ),
    ),
)
