"""Runtime: has the process what it needs?"""

from dataclasses import replace

from gateway.dashboards.boards.shared import GATEWAYS, PERCENTILES, STORE_ERRORS
from gateway.dashboards.panels import (
    BLUE,
    GREEN,
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
    Word,
)
from gateway.dashboards.queries import happening, least, most, quantile, rate, series, total

CONFIGURED = most(series("gateway_config_last_reload_success_timestamp_seconds"), "instance")

_NOW = Row(
    "Now",
    (
        replace(GATEWAYS, width=4),
        Stat(
            title="Configuration",
            question="Was the configuration that was loaded last taken, by every gateway?",
            queries=(Query(least(series("gateway_config_last_reload_successful"))),),
            unit=Unit.COUNT,
            words={0: Word("refused", RED), 1: Word("in use", GREEN)},
            width=4,
        ),
        Stat(
            title="Event loop, at worst",
            question="How late was the event loop at worst within the last minute? What blocks it delays "
            "every call.",
            queries=(Query(most(series("gateway_event_loop_lag_seconds"))),),
            unit=Unit.SECONDS,
            steps=(Step(0.05, YELLOW), Step(0.25, RED)),
            width=4,
        ),
        Stat(
            title="Processor, busiest",
            question="How much of one core does the busiest gateway use? It has no use for more than one.",
            queries=(Query(most(rate("process_cpu_seconds_total"))),),
            unit=Unit.SHARE,
            steps=(Step(0.7, YELLOW), Step(0.9, RED)),
            width=4,
        ),
        Stat(
            title="Memory, largest",
            question="How much memory does the largest gateway hold?",
            queries=(Query(most(series("process_resident_memory_bytes"))),),
            unit=Unit.BYTES,
            width=4,
        ),
        Stat(
            title="Started",
            question="How long does the youngest gateway run?",
            queries=(Query(f"time() - {most(series('process_start_time_seconds'))}"),),
            unit=Unit.DURATION,
            width=4,
        ),
    ),
)

_PROCESS = Row(
    "Process",
    (
        Lines(
            title="Event loop, late by",
            question="Is something blocking the loop? The longest delay within a minute, in each gateway.",
            queries=(Query(most(series("gateway_event_loop_lag_seconds"), "instance"), "{{instance}}"),),
            unit=Unit.SECONDS,
            width=6,
        ),
        Lines(
            title="Processor",
            question="How much of a core does each gateway use? Near 1 it is time for another gateway.",
            queries=(Query(total(rate("process_cpu_seconds_total"), "instance"), "{{instance}}"),),
            unit=Unit.SHARE,
            width=6,
        ),
        Lines(
            title="Memory",
            question="Does memory grow without end? The cache and the remembered flights have their own "
            "bounds.",
            queries=(Query(total(series("process_resident_memory_bytes"), "instance"), "{{instance}}"),),
            unit=Unit.BYTES,
            width=6,
        ),
        Lines(
            title="Open files",
            question="Are there descriptors left? Each caller and each connection to the platform takes one.",
            queries=(
                Query(total(series("process_open_fds"), "instance"), "{{instance}}, open"),
                Query(total(series("process_max_fds"), "instance"), "{{instance}}, at most"),
            ),
            unit=Unit.COUNT,
            width=6,
        ),
    ),
)

_WORK = Row(
    "Work",
    (
        Lines(
            title="Calls in the gateway",
            question="Does one gateway fill up more than the others?",
            queries=(
                Query(total(series("gateway_requests_in_progress"), "instance"), "{{instance}}, in progress"),
                Query(total(series("gateway_requests_queued"), "instance"), "{{instance}}, waiting"),
            ),
            unit=Unit.COUNT,
            width=6,
        ),
        Lines(
            title="The gateway's own part of a call",
            question="What does the gateway add to a call, by its own measure?",
            queries=tuple(
                Query(quantile(level, "gateway_overhead_seconds"), name) for level, name in PERCENTILES
            ),
            unit=Unit.SECONDS,
            width=6,
        ),
        Lines(
            title="Bodies converted",
            question="How much is XML still in use?",
            queries=(Query(total(rate("gateway_conversions_total"), "direction"), "{{direction}}"),),
            unit=Unit.EVENTS_PER_SECOND,
            width=6,
            stacked=True,
            colors={"xml_to_json": BLUE, "json_to_xml": GREEN},
        ),
        Lines(
            title="Tokens that were masked, by where",
            question="Where would a token have been shown? reply: the platform echoed it; log and error: a "
            "text had it.",
            queries=(Query(happening(total(rate("gateway_redactions_total"), "sink")), "{{sink}}"),),
            unit=Unit.EVENTS_PER_SECOND,
            width=6,
            stacked=True,
            bars=True,
            empty="none",
        ),
    ),
)

_AROUND = Row(
    "Configuration, stores, scrape, traces",
    (
        Table(
            title="What runs",
            question="Which versions run, since when, and with which configuration?",
            queries=(
                Query(most(series("gateway_build_info"), "instance", "version", "python"), "build"),
                Query(f"{most(series('process_start_time_seconds'), 'instance')} * 1000", "started"),
                Query(f"{CONFIGURED} * 1000", "configured"),
                Query(least(series("gateway_config_last_reload_successful"), "instance"), "last reload"),
            ),
            unit=Unit.COUNT,
            width=8,
            columns=(
                Column("instance"),
                Column("version"),
                Column("python"),
                Column("started", Unit.DATE),
                Column("configured", Unit.DATE),
                Column("last reload"),
            ),
            words={0: Word("refused", RED), 1: Word("in use", GREEN)},
            hidden=("build",),
            sorted_by="instance",
            empty="no gateway",
        ),
        replace(STORE_ERRORS, width=4),
        Lines(
            title="Time of a scrape",
            question="Does Prometheus get its figures quickly? A scrape gives way to calls, so it takes "
            "longer under load.",
            queries=(Query(most(series("scrape_duration_seconds"), "instance"), "{{instance}}"),),
            unit=Unit.SECONDS,
            width=4,
        ),
        Lines(
            title="Series of a scrape",
            question="Does the number of series stay as it is? Methods and accounts of the configuration "
            "add to it, callers cannot.",
            queries=(Query(most(series("scrape_samples_scraped"), "instance"), "{{instance}}"),),
            unit=Unit.COUNT,
            width=4,
        ),
        Lines(
            title="Spans of traces, by whether they arrived",
            question="Does the collector of traces get what the gateways record? failed: it was away or "
            "refused. dropped: no room to wait in.",
            queries=(Query(total(rate("gateway_spans_total"), "delivery"), "{{delivery}}"),),
            unit=Unit.EVENTS_PER_SECOND,
            width=4,
            stacked=True,
            colors={"sent": GREEN, "failed": RED, "dropped": YELLOW},
        ),
    ),
)

RUNTIME = Dashboard(
    uid="gateway-runtime",
    title="Gateway / Runtime",
    question="Has the process what it needs?",
    variables=(),
    rows=(_NOW, _PROCESS, _WORK, _AROUND),
)
