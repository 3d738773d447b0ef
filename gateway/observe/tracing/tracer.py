"""The way of traces through the process: where each call stands, and which records become spans.

A call pays for ids, for two headers and for one append per span; all else is done beside the loop. A trace
that is not sampled is passed on and not recorded. Refuses to know of OpenTelemetry: that is `otlp`'s.
"""

from collections.abc import Callable, Sequence

from gateway.codec import tracecontext
from gateway.observe.tracing.delivery import Delivery, Figures
from gateway.observe.tracing.spans import Span, Spans
from gateway.policy.sampling import Sampling
from gateway.records import AttemptRecord, CallRecord, TraceContext

_TRACE_BYTES, _SPAN_BYTES = 16, 8

Finished = tuple[Spans, CallRecord | AttemptRecord, float]
"""A record with what makes a span of it, and when it was handed in, in seconds since the epoch."""


class Tracer:
    """For the event loop's thread. Without a `delivery` traces are passed on, and nothing is sent. `mask`
    gives back what it is given, without tokens."""

    def __init__(
        self,
        sampling: Sampling,
        delivery: Delivery[Finished] | None,
        spans: Spans,
        *,
        mask: Callable[[bytes], bytes],
        wall_clock: Callable[[], float],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self.spans = spans  # of the configuration in use; a reload replaces it
        self._sampling = sampling
        self._delivery = delivery
        self._mask = mask
        self._wall_clock = wall_clock
        self._random_bytes = random_bytes

    def begin(self, traceparent: bytes | None, tracestate: bytes | None) -> TraceContext:
        """The span of a call that has just arrived with these headers, below its caller's if they name
        one."""
        caller = tracecontext.parse(traceparent, tracestate)
        if caller is None:
            ids = self._random_bytes(_TRACE_BYTES + _SPAN_BYTES).hex()
            trace_id, span_id = ids[: 2 * _TRACE_BYTES], ids[2 * _TRACE_BYTES :]
            return TraceContext(trace_id, span_id, self._sampling.samples(trace_id, None))
        # The state goes to the platform; one that holds a token has to stay here.
        state = caller.state if not caller.state or self._mask(caller.state) == caller.state else b""
        return TraceContext(
            caller.trace_id,
            self._random_bytes(_SPAN_BYTES).hex(),
            self._sampling.samples(caller.trace_id, caller.sampled),
            state,
            caller.span_id,
        )

    def call(self, record: CallRecord) -> None:
        """A call that has ended, whether it is traced or not."""
        sampled = record.trace is not None and record.trace.context.sampled
        if sampled and self._delivery is not None:
            self._delivery.add((self.spans, record, 0.0))

    def attempt(self, record: AttemptRecord) -> None:
        """An attempt that has just ended, likewise."""
        sampled = record.trace is not None and record.trace.sampled
        if sampled and self._delivery is not None:
            self._delivery.add((self.spans, record, self._wall_clock()))

    def figures(self) -> Figures:
        """How many spans went which way."""
        return Figures() if self._delivery is None else self._delivery.figures()

    @property
    def state(self) -> tuple[bool, str]:
        """Whether spans arrive, and what there is to say."""
        if self._delivery is None:
            return True, "passed on, nothing is sent"
        if self._delivery.is_failing:
            return False, "spans cannot be delivered to the collector; calls go on without"
        return True, "spans go to the collector"

    def start(self) -> None:
        if self._delivery is not None:
            self._delivery.start()

    def close(self, patience: float) -> None:
        """Send what is left, for `patience` seconds at most. Blocks: to be run beside the loop."""
        if self._delivery is not None:
            self._delivery.close(patience)


def spans_of(finished: Sequence[Finished]) -> list[Span]:
    """What was handed in, as spans. For the thread that delivers."""
    return [_span(*one) for one in finished]


def _span(spans: Spans, record: CallRecord | AttemptRecord, ended: float) -> Span:
    if isinstance(record, CallRecord):
        assert record.trace is not None
        return spans.of_call(record, record.trace)
    assert record.trace is not None
    return spans.of_attempt(record, record.trace, ended)
