"""Platform: does it answer, how fast, and what had to be done about it?"""

from dataclasses import replace

from gateway.dashboards.boards.shared import (
    BREAKER_BY_ACCOUNT,
    FAILURES_BY_KIND,
    OUTCOMES,
    PLATFORM_TIME,
    REQUESTS_BY_CODE,
    RETRIES,
    TO_METHOD,
)
from gateway.dashboards.panels import (
    RED,
    YELLOW,
    Column,
    Dashboard,
    Heat,
    Lines,
    Query,
    Row,
    Stat,
    Step,
    Table,
    Unit,
)
from gateway.dashboards.queries import (
    ACCOUNT,
    METHOD,
    RATE,
    happening,
    increase,
    most,
    quantile,
    rate,
    series,
    share,
    total,
)

ATTEMPTS = total(rate("gateway_upstream_requests_total", METHOD))
UNANSWERED = total(rate("gateway_upstream_requests_total", METHOD, 'code="none"'))

_NOW = Row(
    "Now",
    (
        Stat(
            title="Requests",
            question="How many requests does the platform get per second, each attempt counted?",
            queries=(Query(ATTEMPTS),),
            unit=Unit.PER_SECOND,
            width=4,
        ),
        Stat(
            title="Without an answer",
            question="Which share of the requests got none?",
            queries=(Query(share(UNANSWERED, ATTEMPTS)),),
            unit=Unit.SHARE,
            width=4,
            steps=(Step(0.01, YELLOW), Step(0.1, RED)),
            empty="no requests",
        ),
        Stat(
            title="Answered with 500",
            question="Which share of the requests failed inside the platform?",
            queries=(
                Query(share(total(rate("gateway_upstream_requests_total", METHOD, 'code="500"')), ATTEMPTS)),
            ),
            unit=Unit.SHARE,
            width=4,
            steps=(Step(0.01, YELLOW), Step(0.1, RED)),
            empty="no requests",
        ),
        Stat(
            title="Tariff limit",
            question="How often in the time shown did the platform refuse with 402, its tariff limit?",
            queries=(Query(total(increase("gateway_upstream_requests_total", METHOD, 'code="402"'))),),
            unit=Unit.COUNT,
            decimals=0,
            width=4,
            steps=(Step(0.5, RED),),
        ),
        Stat(
            title="Unknown outcomes",
            question="Of how many writes in the time shown does nobody know whether they ran?",
            queries=(Query(total(increase("gateway_flight_outcomes_total", METHOD, 'outcome="unknown"'))),),
            unit=Unit.COUNT,
            decimals=0,
            width=4,
            steps=(Step(0.5, RED),),
        ),
        Stat(
            title="Requests for one call",
            question="How many requests does a call that leads to the platform take? More than 1 are "
            "retries.",
            queries=(
                Query(
                    share(
                        ATTEMPTS,
                        f"({ATTEMPTS} - {total(rate('gateway_retries_total', METHOD))})",
                    )
                ),
            ),
            unit=Unit.COUNT,
            decimals=2,
            width=4,
            steps=(Step(1.05, YELLOW), Step(1.2, RED)),
            empty="no requests",
        ),
    ),
)

_ANSWERS = Row(
    "Does it answer?",
    (
        REQUESTS_BY_CODE,
        FAILURES_BY_KIND,
        BREAKER_BY_ACCOUNT,
    ),
)

_TIME = Row(
    "How fast?",
    (
        PLATFORM_TIME,
        Heat(
            title="How times are spread",
            question="Is all of it a little slow, or little of it very?",
            queries=(
                Query(
                    total(
                        increase("gateway_upstream_request_duration_seconds_bucket", METHOD, over=RATE), "le"
                    ),
                    "{{le}}",
                ),
            ),
            unit=Unit.SECONDS,
        ),
        Table(
            title="Slowest methods",
            question="Which methods does the platform take longest for? Only those that were called lately.",
            queries=(
                Query(
                    quantile(0.95, "gateway_upstream_request_duration_seconds", METHOD, by=("api_method",))
                    + " >= 0",
                    "p95",
                ),
                Query(
                    share(
                        total(rate("gateway_upstream_request_duration_seconds_sum", METHOD), "api_method"),
                        total(rate("gateway_upstream_request_duration_seconds_count", METHOD), "api_method"),
                    ),
                    "mean",
                ),
                Query(
                    happening(total(rate("gateway_upstream_requests_total", METHOD), "api_method")),
                    "requests/s",
                ),
            ),
            unit=Unit.SECONDS,
            columns=(
                Column("api_method", link=TO_METHOD),
                Column("p95", Unit.SECONDS, steps=(Step(5, YELLOW), Step(30, RED))),
                Column("mean", Unit.SECONDS),
                Column("requests/s", Unit.PER_SECOND),
            ),
            sorted_by="p95",
            empty="no requests",
        ),
    ),
)

_DONE = Row(
    "What was done about it",
    (
        replace(RETRIES, width=8),
        replace(OUTCOMES, width=8),
        Lines(
            title="Answers that the platform gave before",
            question="Which writes did the platform recognise as repeats? After a broken connection that is "
            "as it should be; otherwise somebody sends things twice.",
            queries=(
                Query(
                    happening(total(rate("gateway_platform_duplicates_total", METHOD), "api_method")),
                    "{{api_method}}",
                ),
            ),
            unit=Unit.EVENTS_PER_SECOND,
            width=8,
            stacked=True,
            bars=True,
            empty="none",
        ),
        Lines(
            title="Connections",
            question="Does the pool hold? Active ones carry a call; upstream.max_connections is the most "
            "there can be.",
            queries=(
                Query(
                    total(series("gateway_upstream_connections", ACCOUNT), "account", "state"),
                    "{{account}}: {{state}}",
                ),
            ),
            unit=Unit.COUNT,
            width=12,
            stacked=True,
        ),
        Lines(
            title="Held back by upstream.rate",
            question="How many requests had to wait for their turn, and how many calls were told to come "
            "again? Refusals mean that there is more to send than the rate allows.",
            queries=(
                Query(
                    total(rate("gateway_rate_limited_total", ACCOUNT), "account", "outcome"),
                    "{{account}}: {{outcome}}",
                ),
            ),
            unit=Unit.PER_SECOND,
            width=12,
            stacked=True,
        ),
    ),
)

_TOKENS = Row(
    "Tokens",
    (
        Lines(
            title="Requests that the platform answered with 401",
            question="Which token is not taken any more?",
            queries=(
                Query(
                    total(rate("gateway_token_rejected_total", ACCOUNT), "account", "token"),
                    "{{account}}/{{token}}",
                ),
            ),
            unit=Unit.PER_SECOND,
            width=12,
            bars=True,
        ),
        Lines(
            title="Age of the tokens",
            question="When was each value read last? It falls to 0 where a token was replaced.",
            queries=(
                Query(
                    most(series("gateway_token_age_seconds", ACCOUNT), "account", "token"),
                    "{{account}}/{{token}}",
                ),
            ),
            unit=Unit.DURATION,
            width=12,
        ),
    ),
)

PLATFORM = Dashboard(
    uid="gateway-platform",
    title="Gateway / Platform",
    question="Does the platform answer, how fast, and what had to be done about it?",
    variables=("account", "family", "method"),
    rows=(_NOW, _ANSWERS, _TIME, _DONE, _TOKENS),
)
