"""Methods: what happens to one method, or to a few."""

from dataclasses import replace

from gateway.dashboards.blame import MEANINGS
from gateway.dashboards.boards.shared import (
    FROM_MEMORY,
    OUTCOMES,
    PERCENTILES,
    PLATFORM_TIME,
    READS_BY_RESULT,
    REPEATED,
    REQUESTS_BY_CODE,
    RETRIES,
    WRITES_BY_ROLE,
)
from gateway.dashboards.panels import (
    GREEN,
    ORANGE,
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
from gateway.dashboards.queries import METHOD, RATE, happening, increase, quantile, rate, share, total

CALLS = total(rate("gateway_requests_total", METHOD))

_NOW = Row(
    "Now",
    (
        Stat(
            title="Calls",
            question="How many calls of the method end per second?",
            queries=(Query(CALLS),),
            unit=Unit.PER_SECOND,
            width=4,
        ),
        Stat(
            title="Answered with 0",
            question="Which share of the calls had the code 0?",
            queries=(Query(share(total(rate("gateway_requests_total", METHOD, 'code="0"')), CALLS)),),
            unit=Unit.SHARE,
            width=4,
            empty="no calls",
        ),
        Stat(
            title="Answered by the gateway itself",
            question="Which share of the calls got an error of the gateway's own? 502 to 504 are about the "
            "platform, the rest about the calls.",
            queries=(Query(share(total(rate("gateway_requests_total", METHOD, 'origin="gateway"')), CALLS)),),
            unit=Unit.SHARE,
            width=4,
            steps=(Step(0.001, YELLOW), Step(0.01, RED)),
            empty="no calls",
        ),
        Stat(
            title="Time to answer, p50",
            question="How long does a usual call take?",
            queries=(Query(quantile(0.5, "gateway_request_duration_seconds", METHOD)),),
            unit=Unit.SECONDS,
            width=4,
            empty="no calls",
        ),
        Stat(
            title="Time to answer, p99",
            question="How long do all but the slowest hundredth of the calls take?",
            queries=(Query(quantile(0.99, "gateway_request_duration_seconds", METHOD)),),
            unit=Unit.SECONDS,
            width=4,
            steps=(Step(5, YELLOW), Step(30, RED)),
            empty="no calls",
        ),
        Stat(
            title="From the cache",
            question="Which share of the reads was answered without a question of its own? Only for methods "
            "that read.",
            queries=(
                Query(
                    share(
                        total(rate("gateway_cache_lookups_total", METHOD, FROM_MEMORY)),
                        total(rate("gateway_cache_lookups_total", METHOD)),
                    )
                ),
            ),
            unit=Unit.SHARE,
            width=4,
            empty="no reads",
        ),
    ),
)

_CODES = Row(
    "Codes",
    (
        Lines(
            title="Calls, by method",
            question="How is the load spread over the chosen methods?",
            queries=(
                Query(
                    happening(total(rate("gateway_requests_total", METHOD), "api_method")), "{{api_method}}"
                ),
            ),
            unit=Unit.PER_SECOND,
            stacked=True,
            empty="no calls",
        ),
        Lines(
            title="Error codes over time",
            question="Which codes came when, apart from 0? A burst of one code is one bar.",
            queries=(
                Query(
                    happening(total(rate("gateway_requests_total", METHOD, 'code!="0"'), "code")), "{{code}}"
                ),
            ),
            unit=Unit.PER_SECOND,
            stacked=True,
            bars=True,
            names=MEANINGS,
            empty="none",
        ),
        Table(
            title="Error codes by method",
            question="Which method answered which error code, and how often in the time shown? Origin says "
            "whose code it is: upstream is the platform's, gateway the gateway's own.",
            queries=(
                Query(
                    total(
                        increase("gateway_requests_total", METHOD, 'code!="0"'),
                        "api_method",
                        "code",
                        "origin",
                    )
                    + " > 0.5",
                    "calls",
                ),
            ),
            unit=Unit.COUNT,
            decimals=0,
            columns=(Column("api_method"), Column("code"), Column("origin"), Column("calls")),
            sorted_by="calls",
            empty="no error codes",
        ),
    ),
)

_TIME = Row(
    "Time",
    (
        Lines(
            title="Time to answer",
            question="How long do calls take?",
            queries=tuple(
                Query(quantile(level, "gateway_request_duration_seconds", METHOD), name)
                for level, name in PERCENTILES
            ),
            unit=Unit.SECONDS,
            exemplars=True,
        ),
        PLATFORM_TIME,
        Heat(
            title="How times are spread",
            question="Are all calls a little slow, or few of them very? What lies under 5 ms was answered "
            "from memory.",
            queries=(
                Query(
                    total(increase("gateway_request_duration_seconds_bucket", METHOD, over=RATE), "le"),
                    "{{le}}",
                ),
            ),
            unit=Unit.SECONDS,
        ),
    ),
)

_READS_AND_WRITES = Row(
    "Reads and writes",
    (
        replace(READS_BY_RESULT, width=6),
        replace(WRITES_BY_ROLE, width=6),
        Lines(
            title="Duplicates, by who noticed",
            question="Do repeats get past the gateway? The platform marks an answer that it gave before.",
            queries=(
                Query(total(rate("gateway_platform_duplicates_total", METHOD)), "the platform"),
                Query(total(rate("gateway_flights_total", METHOD, REPEATED)), "the gateway"),
            ),
            unit=Unit.PER_SECOND,
            width=6,
            bars=True,
            colors={"the platform": ORANGE, "the gateway": GREEN},
        ),
        Lines(
            title="Items of batches, by code",
            question="Do items fail inside batches that were answered with 0? Only for methods that take "
            "batches.",
            queries=(
                Query(happening(total(rate("gateway_item_results_total", METHOD), "code")), "{{code}}"),
            ),
            unit=Unit.EVENTS_PER_SECOND,
            width=6,
            stacked=True,
            names=MEANINGS,
            empty="no batches",
        ),
    ),
)

_TROUBLE = Row(
    "On the platform's side",
    (
        REQUESTS_BY_CODE,
        RETRIES,
        OUTCOMES,
    ),
)

METHODS = Dashboard(
    uid="gateway-methods",
    title="Gateway / Methods",
    question="What happens to the calls of a method?",
    variables=("family", "method"),
    rows=(_NOW, _CODES, _TIME, _READS_AND_WRITES, _TROUBLE),
)
