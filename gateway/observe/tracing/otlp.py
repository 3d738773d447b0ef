"""Spans to a collector, by OTLP over HTTP: the one file that loads OpenTelemetry.

Its exporter reads the usual OTEL_EXPORTER_OTLP_ variables itself (endpoint, headers, certificates, timeout,
compression), and its resource OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES. Refuses its tracers and its
batching: a tracer's span costs a call more than the call's own work, and its queue tells nobody what it lost.
"""

import logging
from collections.abc import Callable, Sequence

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from gateway.observe.tracing.spans import REQUEST_ID, SCHEMA, Span
from gateway.records import TraceContext

NAME = "platform-gateway"
"""The service, where no variable says another name."""

_LONGEST_REASON = 300
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_KINDS = {"server": SpanKind.SERVER, "client": SpanKind.CLIENT}
_UNSET, _ERROR = Status(StatusCode.UNSET), Status(StatusCode.ERROR)


class OtlpExporter:
    """`mask` hides tokens in what a caller chose; called from the thread that exports."""

    def __init__(self, mask: Callable[[str], str], version: str) -> None:
        self._said = _Said()
        self._mask = mask
        self._exporter = OTLPSpanExporter()
        self._resource = _resource(version)
        self._scope = InstrumentationScope("gateway", version, SCHEMA)

    def export(self, spans: Sequence[Span]) -> str:
        """Why the collector did not take them; "" when it did. Blocks for OTEL_EXPORTER_OTLP_TIMEOUT at
        most."""
        self._said.first = ""
        result = self._exporter.export([self._readable(span) for span in spans])
        return "" if result is SpanExportResult.SUCCESS else self._said.first or "no reason given"

    def interrupt(self) -> None:
        """End an export that waits for its next try, and refuse what comes after."""
        self._exporter.shutdown()  # type: ignore[no-untyped-call]

    def _readable(self, span: Span) -> ReadableSpan:
        attributes = dict(span.attributes)
        if REQUEST_ID in attributes:
            attributes[REQUEST_ID] = self._mask(str(attributes[REQUEST_ID]))
        context, server = span.context, span.kind == "server"
        parent = None
        if context.parent_id:
            parent = _context(context.trace_id, context.parent_id, remote=server)
        return ReadableSpan(
            name=span.name,
            context=_context(context.trace_id, context.span_id),
            parent=parent,
            resource=self._resource,
            attributes=attributes,
            links=() if span.linked is None else (_link(span.linked),),
            kind=_KINDS[span.kind],
            status=_ERROR if span.failed else _UNSET,
            start_time=span.start,
            end_time=span.end,
            instrumentation_scope=self._scope,
        )


class _Resource(Resource):
    """Known by being the same object. The encoder groups spans by it, and the inherited hash writes all of it
    as JSON for each span: a fifth of what a span costs."""

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


class _Said(logging.Handler):
    """Keeps what the exporter says first of a batch, which is why it fails. It would say it in the log, for
    every try of every batch; `delivery` says it once."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.first = ""
        logger = logging.getLogger("opentelemetry")
        logger.handlers, logger.propagate = [self], False

    def emit(self, record: logging.LogRecord) -> None:
        self.first = self.first or record.getMessage()[:_LONGEST_REASON]


def _context(trace_id: str, span_id: str, *, remote: bool = False) -> SpanContext:
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=remote, trace_flags=_SAMPLED)


def _link(to: TraceContext) -> Link:
    return Link(_context(to.trace_id, to.span_id))


def _resource(version: str) -> Resource:
    given = Resource.create()
    name = str(given.attributes.get(SERVICE_NAME, ""))
    usual = Resource({SERVICE_VERSION: version, **({} if _is_named(name) else {SERVICE_NAME: NAME})})
    merged = usual.merge(given) if _is_named(name) else given.merge(usual)
    return _Resource(merged.attributes, merged.schema_url)


def _is_named(name: str) -> bool:
    return bool(name) and not name.startswith("unknown_service")
