"""Cache and flights: what is saved, and at what price?"""

from dataclasses import replace

from gateway.dashboards.boards.shared import (
    FROM_MEMORY,
    READS_BY_RESULT,
    REPEATED,
    STORE_ERRORS,
    TO_METHOD,
    WRITES_BY_ROLE,
)
from gateway.dashboards.panels import (
    RED,
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
from gateway.dashboards.queries import METHOD, happening, increase, rate, series, share, total

READS = total(rate("gateway_cache_lookups_total", METHOD))
WRITES = total(rate("gateway_flights_total", METHOD))

_NOW = Row(
    "Now",
    (
        Stat(
            title="Reads from memory",
            question="Which share of the reads was answered without a question of its own?",
            queries=(Query(share(total(rate("gateway_cache_lookups_total", METHOD, FROM_MEMORY)), READS)),),
            unit=Unit.SHARE,
            width=4,
            empty="no reads",
        ),
        Stat(
            title="Reads that may not be kept",
            question="Which share of the reads passes the cache by? Their methods have no ttl, or the "
            "callers ask for it.",
            queries=(
                Query(share(total(rate("gateway_cache_lookups_total", METHOD, 'result="bypass"')), READS)),
            ),
            unit=Unit.SHARE,
            width=4,
            empty="no reads",
        ),
        Stat(
            title="Writes that were repeats",
            question="Which share of the writes joined an equal one, or got an earlier one's answer?",
            queries=(Query(share(total(rate("gateway_flights_total", METHOD, REPEATED)), WRITES)),),
            unit=Unit.SHARE,
            width=4,
            empty="no writes",
        ),
        Stat(
            title="Calls saved",
            question="How many requests did the platform not get in the time shown?",
            queries=(
                Query(
                    total(increase("gateway_requests_total", METHOD, 'origin=~"cache|stale|joined|replayed"'))
                ),
            ),
            unit=Unit.COUNT,
            decimals=0,
            width=4,
        ),
        Stat(
            title="Cache",
            question="How much memory do the kept replies take? cache.max_bytes is the most, for each "
            "gateway.",
            queries=(Query(total(series("gateway_cache_bytes"))),),
            unit=Unit.BYTES,
            width=4,
        ),
        Stat(
            title="Store errors",
            question="How often did the memory of calls and replies fail in the time shown?",
            queries=(Query(total(increase("gateway_store_errors_total"))),),
            unit=Unit.COUNT,
            decimals=0,
            width=4,
            steps=(Step(0.5, RED),),
        ),
    ),
)

_READS = Row(
    "Reads",
    (
        READS_BY_RESULT,
        Lines(
            title="Share of reads from memory, by method",
            question="Which methods does it help?",
            queries=(
                Query(
                    share(
                        total(rate("gateway_cache_lookups_total", METHOD, FROM_MEMORY), "api_method"),
                        total(rate("gateway_cache_lookups_total", METHOD), "api_method"),
                    ),
                    "{{api_method}}",
                ),
            ),
            unit=Unit.SHARE,
            highest=1,
            empty="no reads",
        ),
        Table(
            title="Where a lifetime would help",
            question="Which reads go to the platform most? Misses may need a longer ttl, bypasses have none.",
            queries=tuple(
                Query(
                    total(increase("gateway_cache_lookups_total", METHOD, f'result="{result}"'), "api_method")
                    + " > 0.5",
                    heading,
                )
                for result, heading in (("miss", "misses"), ("bypass", "bypasses"), ("hit", "hits"))
            ),
            unit=Unit.COUNT,
            decimals=0,
            columns=(
                Column("api_method", link=TO_METHOD),
                Column("misses"),
                Column("bypasses"),
                Column("hits"),
            ),
            sorted_by="misses",
            empty="no reads",
        ),
    ),
)

_KEPT = Row(
    "What is kept",
    (
        Lines(
            title="Kept replies",
            question="How many replies are kept, in each gateway?",
            queries=(Query(total(series("gateway_cache_entries"), "instance"), "{{instance}}"),),
            unit=Unit.COUNT,
            width=6,
        ),
        Lines(
            title="Their size",
            question="Is the cache full? cache.max_bytes is the most.",
            queries=(Query(total(series("gateway_cache_bytes"), "instance"), "{{instance}}"),),
            unit=Unit.BYTES,
            width=6,
        ),
        Lines(
            title="Replies that went to make room",
            question="Is the cache too small? Nothing is evicted while cache.max_bytes suffices.",
            queries=(Query(total(rate("gateway_cache_evictions_total"), "instance"), "{{instance}}"),),
            unit=Unit.EVENTS_PER_SECOND,
            width=6,
            bars=True,
        ),
        Lines(
            title="Writes and purges that took replies out of use",
            question="Is the cache emptied so often that it cannot help?",
            queries=(Query(total(rate("gateway_cache_invalidations_total"), "instance"), "{{instance}}"),),
            unit=Unit.EVENTS_PER_SECOND,
            width=6,
            bars=True,
        ),
    ),
)

_WRITES = Row(
    "Writes",
    (
        replace(WRITES_BY_ROLE, width=6),
        Lines(
            title="Repeats, by method",
            question="Which writes are sent twice?",
            queries=(
                Query(
                    happening(total(rate("gateway_flights_total", METHOD, REPEATED), "api_method")),
                    "{{api_method}}",
                ),
            ),
            unit=Unit.EVENTS_PER_SECOND,
            width=6,
            stacked=True,
            bars=True,
            empty="none",
        ),
        Lines(
            title="Writes on their way",
            question="How many different writes are at the platform at the moment?",
            queries=(Query(total(series("gateway_flights_in_progress"), "instance"), "{{instance}}"),),
            unit=Unit.COUNT,
            width=6,
            stacked=True,
        ),
        replace(STORE_ERRORS, width=6),
    ),
)

CACHE_AND_FLIGHTS = Dashboard(
    uid="gateway-cache",
    title="Gateway / Cache and flights",
    question="What is saved, and at what price?",
    variables=("family", "method"),
    rows=(_NOW, _READS, _KEPT, _WRITES),
)
