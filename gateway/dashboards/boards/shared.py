"""Panels that stand on more than one dashboard, and the numbers they share."""

from gateway.dashboards.blame import MEANINGS
from gateway.dashboards.panels import (
    BLUE,
    GREEN,
    GREY,
    RED,
    YELLOW,
    Lines,
    Query,
    Stat,
    States,
    Unit,
    Word,
)
from gateway.dashboards.queries import ACCOUNT, METHOD, happening, least, most, quantile, rate, series, total

FROM_MEMORY = 'result=~"hit|stale|collapsed"'
"""A matcher for reads that were no question of their own."""

REPEATED = 'role=~"joined|replayed"'
"""A matcher for writes that did not go out."""

TO_METHOD = "/d/gateway-methods?${__url_time_range}&var-method=${__value.text}"
"""Where a click on a method's name leads."""

PERCENTILES = ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))

_OPEN, _HALF_OPEN = (
    most(series("gateway_breaker_state", ACCOUNT, f'state="{state}"'), "account")
    for state in ("open", "half_open")
)
BREAKER = f"2 * {_OPEN}\n+\n{_HALF_OPEN}"
"""The worst of all gateways, as a number of `BREAKER_WORDS`."""

BREAKER_WORDS = {
    0: Word("closed", GREEN),
    1: Word("half open", YELLOW),
    2: Word("open", RED),
    3: Word("open", RED),  # in one gateway, and half open in another
}

GATEWAYS = Stat(
    title="Gateways",
    question="Does Prometheus reach every gateway that it knows?",
    queries=(Query(least(series("up"))),),
    unit=Unit.COUNT,
    words={0: Word("down", RED), 1: Word("up", GREEN)},
    empty="none",
)

BREAKER_BY_ACCOUNT = States(
    title="Breaker, by account",
    question="When was the platform left alone because it mostly failed? Open: calls are refused at once "
    "with 503, reads may be answered stale.",
    queries=(Query(BREAKER, "{{account}}"),),
    unit=Unit.COUNT,
    words=BREAKER_WORDS,
)

FAILURES_BY_KIND = Lines(
    title="Requests that got no usable answer, by kind",
    question="What goes wrong on the way? connect: no connection; tls: not trusted; timeout: no answer in "
    "time; reset: closed in between; protocol: no HTTP, an HTML page, or garbage.",
    queries=(
        Query(
            happening(total(rate("gateway_upstream_errors_total", ACCOUNT), "account", "kind")),
            "{{account}}: {{kind}}",
        ),
    ),
    unit=Unit.PER_SECOND,
    stacked=True,
    bars=True,
    empty="none",
)

REQUESTS_BY_CODE = Lines(
    title="Requests to the platform, by code",
    question="What does the platform answer, each attempt counted?",
    queries=(Query(happening(total(rate("gateway_upstream_requests_total", METHOD), "code")), "{{code}}"),),
    unit=Unit.PER_SECOND,
    stacked=True,
    names={**MEANINGS, "0": "0 success", "none": "no answer"},
    empty="no requests",
)

PLATFORM_TIME = Lines(
    title="Time of a request to the platform",
    question="How long does the platform take? A call that is tried again makes several requests; "
    "connecting is included where it was needed.",
    queries=tuple(
        Query(quantile(level, "gateway_upstream_request_duration_seconds", METHOD), name)
        for level, name in PERCENTILES
    ),
    unit=Unit.SECONDS,
    exemplars=True,
)

RETRIES = Lines(
    title="Attempts that were followed by another one",
    question="Why are requests sent again? not_sent: not a byte had left; broken: reset or garbage; "
    "timeout: no answer in time; unavailable: HTTP 502 to 504; token_rejected: there was a newer token.",
    queries=(Query(happening(total(rate("gateway_retries_total", METHOD), "reason")), "{{reason}}"),),
    unit=Unit.EVENTS_PER_SECOND,
    stacked=True,
    bars=True,
    empty="none",
)

OUTCOMES = Lines(
    title="Writes, by what is known of their effect",
    question="Are there writes of which nobody knows whether they ran? Those are what to look into.",
    queries=(Query(total(rate("gateway_flight_outcomes_total", METHOD), "outcome"), "{{outcome}}"),),
    unit=Unit.EVENTS_PER_SECOND,
    stacked=True,
    bars=True,
    colors={"answered": GREEN, "not_sent": YELLOW, "unknown": RED},
)

READS_BY_RESULT = Lines(
    title="Reads, by what the cache had",
    question="Does the cache help? miss: asked the platform; bypass: nothing is kept for it, or the caller "
    "did not want it; stale: an old answer, while a new one is fetched or because the platform failed; "
    "collapsed: joined an equal question.",
    queries=(Query(total(rate("gateway_cache_lookups_total", METHOD), "result"), "{{result}}"),),
    unit=Unit.PER_SECOND,
    stacked=True,
    colors={"hit": GREEN, "collapsed": "dark-green", "stale": YELLOW, "miss": BLUE, "bypass": GREY},
)

WRITES_BY_ROLE = Lines(
    title="Writes, by their part in a flight",
    question="Are there repeats? led: sent; joined: waited for an equal call; replayed: got an earlier "
    "answer.",
    queries=(Query(total(rate("gateway_flights_total", METHOD), "role"), "{{role}}"),),
    unit=Unit.PER_SECOND,
    stacked=True,
    colors={"led": BLUE, "joined": GREEN, "replayed": "dark-green"},
)

STORE_ERRORS = Lines(
    title="Failed operations of the stores",
    question="Does what calls and replies are remembered in work? What fails here is not protected against "
    "a crash, or not shared.",
    queries=(
        Query(total(rate("gateway_store_errors_total"), "store", "operation"), "{{store}}: {{operation}}"),
    ),
    unit=Unit.EVENTS_PER_SECOND,
    stacked=True,
    bars=True,
)
