"""From the environment to a tracer: what OpenTelemetry's variables say, and what of it cannot be done.

Refuses to load OpenTelemetry before tracing is wanted.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec

from gateway import __version__
from gateway.observe.tracing.delivery import Bounds, Delivery
from gateway.observe.tracing.spans import Spans
from gateway.observe.tracing.tracer import Finished, Tracer, spans_of
from gateway.policy.sampling import Sampling, sampling

_PACKAGE = "opentelemetry.exporter.otlp.proto.http"
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")


@dataclass(frozen=True, slots=True)
class TracingMeans:
    """What a tracer needs of the rest of the gateway. `mask` hides tokens, from any thread."""

    mask: Callable[[bytes], bytes]
    wall_clock: Callable[[], float]
    random_bytes: Callable[[int], bytes]


def unusable(environ: Mapping[str, str]) -> tuple[str, ...]:
    """What keeps traces from being sent, before anything is loaded."""
    problems = []
    if not _is_installed():
        problems.append("needs packages that are not installed: pip install 'platform-gateway[otel]'")
    protocol = next((environ[name] for name in _PROTOCOLS if environ.get(name)), "http/protobuf")
    if protocol != "http/protobuf":
        problems.append(f"OTLP goes by http/protobuf only, and the environment says {protocol}")
    if environ.get("OTEL_TRACES_EXPORTER", "otlp") not in ("", "otlp", "none"):
        problems.append("OTEL_TRACES_EXPORTER: spans go by otlp, or nowhere (none)")
    for read in (_sampling, _bounds):
        try:
            read(environ)
        except ValueError as error:
            problems.append(str(error))
    return tuple(problems)


def open_tracer(environ: Mapping[str, str], means: TracingMeans, spans: Spans) -> Tracer | None:
    """A tracer, still to be started; None where OTEL_SDK_DISABLED says so. The environment was found usable.

    Loads OpenTelemetry, which takes some tenths of a second.
    """
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    return Tracer(
        _sampling(environ),
        None if environ.get("OTEL_TRACES_EXPORTER") == "none" else _delivery(environ, means),
        spans,
        mask=means.mask,
        wall_clock=means.wall_clock,
        random_bytes=means.random_bytes,
    )


def _delivery(environ: Mapping[str, str], means: TracingMeans) -> Delivery[Finished]:
    from gateway.observe.tracing.otlp import OtlpExporter

    def mask(text: str) -> str:
        return means.mask(text.encode("utf-8", "replace")).decode("utf-8", "replace")

    exporter = OtlpExporter(mask, __version__)
    return Delivery(
        lambda finished: exporter.export(spans_of(finished)), exporter.interrupt, _bounds(environ)
    )


def _sampling(environ: Mapping[str, str]) -> Sampling:
    return sampling(environ.get("OTEL_TRACES_SAMPLER", ""), environ.get("OTEL_TRACES_SAMPLER_ARG", ""))


def _bounds(environ: Mapping[str, str]) -> Bounds:
    usual = Bounds()
    queue = _count(environ, "OTEL_BSP_MAX_QUEUE_SIZE", usual.queue)
    batch = _count(environ, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", min(usual.batch, queue))
    delay = _count(environ, "OTEL_BSP_SCHEDULE_DELAY", round(usual.delay * 1000))
    if batch > queue:
        raise ValueError("OTEL_BSP_MAX_EXPORT_BATCH_SIZE is larger than OTEL_BSP_MAX_QUEUE_SIZE")
    return Bounds(queue, batch, delay / 1000)


def _count(environ: Mapping[str, str], name: str, usual: int) -> int:
    text = environ.get(name, "").strip()
    if not text:
        return usual
    if not text.isdecimal() or int(text) == 0:
        raise ValueError(f"{name}: {text!r} is no number above 0")
    return int(text)


def _is_installed() -> bool:
    try:
        return find_spec(_PACKAGE) is not None and find_spec("opentelemetry.sdk") is not None
    except ModuleNotFoundError:  # the parent of a dotted name
        return False
