"""Overview: is it well, and if not, whose fault is it?"""

from dataclasses import replace

from gateway.dashboards.blame import (
    ACCOUNT_CODES,
    ACCOUNT_ERRORS,
    CALLER_CODES,
    CALLER_ERRORS,
    FAILED_CODES,
    FAILED_ERRORS,
    GATEWAY_ERRORS,
    MEANINGS,
    OF_THE_PLATFORM,
    PLATFORM_CODES,
    PLATFORM_ERRORS,
    codes,
    reasons,
)
from gateway.dashboards.boards.shared import (
    BREAKER,
    BREAKER_BY_ACCOUNT,
    BREAKER_WORDS,
    FAILURES_BY_KIND,
    FROM_MEMORY,
    GATEWAYS,
    REPEATED,
    TO_METHOD,
)
from gateway.dashboards.panels import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    RED,
    YELLOW,
    Column,
    Dashboard,
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
    CALLER,
    happening,
    increase,
    most,
    quantile,
    rate,
    series,
    share,
    total,
)

CALLS = total(rate("gateway_requests_total"))


def _blamed(code_names: tuple[str, ...], error_names: tuple[str, ...]) -> str:
    refused = total(rate("gateway_requests_total", OF_THE_PLATFORM, codes(code_names)))
    return f"{refused}\n+\n{total(rate('gateway_own_errors_total', reasons(error_names)))}"


FAILED = _blamed(FAILED_CODES, FAILED_ERRORS)

_WELL = Row(
    "Is it well?",
    (
        GATEWAYS,
        Stat(
            title="Calls",
            question="How many calls end per second, whatever came of them?",
            queries=(Query(CALLS),),
            unit=Unit.PER_SECOND,
        ),
        Stat(
            title="Failed calls",
            question="Which share of the calls failed although their callers did nothing wrong? The "
            "platform's 500, a rejected token, and what the gateway had to answer itself because of the "
            "platform, the token or its own limits. The error budget is 0.1 %.",
            queries=(Query(share(f"({FAILED})", CALLS)),),
            unit=Unit.SHARE,
            steps=(Step(0.001, YELLOW), Step(0.01, RED)),
            empty="no calls",
        ),
        Stat(
            title="Answered with 0",
            question="Which share of the calls had the code 0? The rest are error codes, most of them the "
            "callers' own.",
            queries=(Query(share(total(rate("gateway_requests_total", 'code="0"')), CALLS)),),
            unit=Unit.SHARE,
            empty="no calls",
        ),
        Stat(
            title="Time to answer, p99",
            question="How long do all but the slowest hundredth of the calls take, from their head to the "
            "last byte?",
            queries=(Query(quantile(0.99, "gateway_request_duration_seconds")),),
            unit=Unit.SECONDS,
            steps=(Step(5, YELLOW), Step(30, RED)),
            empty="no calls",
        ),
        Stat(
            title="Of it the gateway's, p99",
            question="How long do calls spend in the gateway itself, waiting for a free place included?",
            queries=(Query(quantile(0.99, "gateway_overhead_seconds")),),
            unit=Unit.SECONDS,
            steps=(Step(0.01, YELLOW), Step(0.05, RED)),
            empty="no calls",
        ),
        Stat(
            title="Breaker",
            question="Is the platform left alone because it mostly failed? The worst of the accounts.",
            queries=(Query(f"max({BREAKER})"),),
            unit=Unit.COUNT,
            words=BREAKER_WORDS,
        ),
        Stat(
            title="Token rejected",
            question="Does the platform answer 401 to requests that carry our token?",
            queries=(Query(total(rate("gateway_token_rejected_total", ACCOUNT))),),
            unit=Unit.PER_SECOND,
            steps=(Step(0.0001, RED),),
        ),
    ),
)

_BLAME = Row(
    "If not, whose fault is it?",
    (
        Lines(
            title="Calls that did not go well, by whose turn it is",
            question="Who can do something about it? Caller: the call itself is at fault. Account: token, "
            "rights or tariff. Platform: it failed, was unreachable or too slow. Gateway: its limits, or a "
            "fault of it. A full queue counts as the gateway's, but behind it is often a slow platform.",
            queries=(
                Query(_blamed(CALLER_CODES, CALLER_ERRORS), "caller"),
                Query(_blamed(ACCOUNT_CODES, ACCOUNT_ERRORS), "account"),
                Query(_blamed(PLATFORM_CODES, PLATFORM_ERRORS), "platform"),
                Query(total(rate("gateway_own_errors_total", reasons(GATEWAY_ERRORS))), "gateway"),
            ),
            unit=Unit.PER_SECOND,
            width=8,
            stacked=True,
            bars=True,
            colors={"caller": BLUE, "account": PURPLE, "platform": ORANGE, "gateway": RED},
        ),
        Lines(
            title="Error codes",
            question="Which codes do callers get, apart from 0? 502 to 504 are the gateway's own.",
            queries=(
                Query(happening(total(rate("gateway_requests_total", 'code!="0"'), "code")), "{{code}}"),
            ),
            unit=Unit.PER_SECOND,
            width=8,
            stacked=True,
            bars=True,
            names=MEANINGS,
            empty="none",
        ),
        Lines(
            title="The gateway's own errors, by reason",
            question="Why did the gateway answer itself? Each reason is explained in "
            "docs/reference/errors.md.",
            queries=(
                Query(happening(total(rate("gateway_own_errors_total", ACCOUNT), "error")), "{{error}}"),
            ),
            unit=Unit.PER_SECOND,
            width=8,
            stacked=True,
            bars=True,
            empty="none",
        ),
    ),
)

_LOAD = Row(
    "Load and time",
    (
        Lines(
            title="Calls, by where the answer came from",
            question="How many calls are there, and how many of them did the platform have to answer?",
            queries=(Query(total(rate("gateway_requests_total"), "origin"), "{{origin}}"),),
            unit=Unit.PER_SECOND,
            width=6,
            height=6,
            stacked=True,
            colors={
                "upstream": BLUE,
                "cache": GREEN,
                "stale": YELLOW,
                "joined": "semi-dark-green",
                "replayed": "dark-green",
                "gateway": RED,
            },
        ),
        Lines(
            title="Time to answer, and of it the platform's",
            question="Are calls slow, and is it the platform that is slow?",
            queries=(
                Query(quantile(0.5, "gateway_request_duration_seconds"), "calls, p50"),
                Query(quantile(0.99, "gateway_request_duration_seconds"), "calls, p99"),
                Query(quantile(0.5, "gateway_upstream_request_duration_seconds"), "platform, p50"),
                Query(quantile(0.99, "gateway_upstream_request_duration_seconds"), "platform, p99"),
            ),
            unit=Unit.SECONDS,
            width=6,
            height=6,
            exemplars=True,
        ),
        Lines(
            title="The gateway's own part of it",
            question="What does the gateway add to a call? Conversion, fingerprint, cache, and waiting for "
            "a free place.",
            queries=(
                Query(quantile(0.5, "gateway_overhead_seconds"), "p50"),
                Query(quantile(0.99, "gateway_overhead_seconds"), "p99"),
            ),
            unit=Unit.SECONDS,
            width=6,
            height=6,
        ),
        Lines(
            title="Calls in the gateway",
            question="Does it fill up? Calls that wait are waiting for a free place (limits.max_in_flight, "
            "upstream.max_connections).",
            queries=(
                Query(total(series("gateway_requests_in_progress")), "in progress"),
                Query(total(series("gateway_requests_queued")), "of them waiting"),
            ),
            unit=Unit.COUNT,
            width=6,
            height=6,
            colors={"in progress": BLUE, "of them waiting": RED},
        ),
    ),
)

_SAVED = Row(
    "Savings, platform and tokens",
    (
        Lines(
            title="Calls that cost the platform nothing",
            question="How much do cache and deduplication save?",
            queries=(
                Query(
                    share(
                        total(rate("gateway_cache_lookups_total", FROM_MEMORY)),
                        total(rate("gateway_cache_lookups_total")),
                    ),
                    "reads",
                ),
                Query(
                    share(
                        total(rate("gateway_flights_total", REPEATED)),
                        total(rate("gateway_flights_total")),
                    ),
                    "writes",
                ),
            ),
            unit=Unit.SHARE,
            width=6,
            height=6,
            highest=1,
            colors={"reads": GREEN, "writes": BLUE},
        ),
        replace(FAILURES_BY_KIND, width=6, height=6),
        replace(BREAKER_BY_ACCOUNT, width=6, height=6),
        Table(
            title="Tokens",
            question="Is every token in place, how old is its value, and was it rejected? Never a value of "
            "one.",
            queries=(
                Query(most(series("gateway_token_age_seconds", ACCOUNT), "account", "token"), "age"),
                Query(
                    total(increase("gateway_token_rejected_total", ACCOUNT), "account", "token"), "rejected"
                ),
                Query(
                    total(increase("gateway_token_rotations_total", ACCOUNT), "account", "token"), "rotated"
                ),
            ),
            unit=Unit.COUNT,
            decimals=0,
            width=6,
            height=6,
            columns=(
                Column("account"),
                Column("token"),
                Column("age", Unit.DURATION),
                Column("rejected", steps=(Step(0.5, RED),)),
                Column("rotated"),
            ),
            sorted_by="account",
            empty="no token",
        ),
    ),
)

_WHO = Row(
    "Who and what",
    (
        Table(
            title="Methods",
            question="Which methods are called most, fail most, take longest? Only those that were called "
            "lately; a click leads to the method's own dashboard.",
            queries=(
                Query(happening(total(rate("gateway_requests_total"), "api_method")), "calls/s"),
                Query(
                    share(
                        total(rate("gateway_requests_total", 'code!="0"'), "api_method"),
                        total(rate("gateway_requests_total"), "api_method"),
                    ),
                    "error codes",
                ),
                Query(quantile(0.5, "gateway_request_duration_seconds", by=("api_method",)) + " >= 0", "p50"),
                Query(
                    quantile(0.99, "gateway_request_duration_seconds", by=("api_method",)) + " >= 0", "p99"
                ),
            ),
            unit=Unit.PER_SECOND,
            width=16,
            height=10,
            columns=(
                Column("api_method", link=TO_METHOD),
                Column("calls/s", Unit.PER_SECOND),
                Column("error codes", Unit.SHARE, steps=(Step(0.01, YELLOW), Step(0.1, RED))),
                Column("p50", Unit.SECONDS),
                Column("p99", Unit.SECONDS, steps=(Step(5, YELLOW), Step(30, RED))),
            ),
            sorted_by="calls/s",
            empty="no calls",
        ),
        Lines(
            title="Calls by caller",
            question="Which application makes the load? By the name in the header that callers.header "
            "names; other is a name that callers.known does not list, none is no name.",
            queries=(Query(total(rate("gateway_callers_requests_total", CALLER), "caller"), "{{caller}}"),),
            unit=Unit.PER_SECOND,
            width=8,
            height=10,
            stacked=True,
            colors={"none": GREY},
        ),
    ),
)

OVERVIEW = Dashboard(
    uid="gateway-overview",
    title="Gateway / Overview",
    question="Is it well, and if not, whose fault is it?",
    variables=("account", "caller"),
    rows=(_WELL, _BLAME, _LOAD, _SAVED, _WHO),
)
