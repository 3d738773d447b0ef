"""The stand-in itself: one call from what was received to what is sent. It knows nothing of sockets."""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from gateway.sandbox.calls import Calls, Fate, Incoming
from gateway.sandbox.codes import ApiError, Code
from gateway.sandbox.context import Context
from gateway.sandbox.families.tasks import DOWNLOADS
from gateway.sandbox.faults import Faults, Kind, Strike, When, instead_of
from gateway.sandbox.repeats import DAY, Generation, Repeats, Turn, checksum
from gateway.sandbox.replies import CSV, JSON, Answer, Outcome, Reply, Reset, failure, success
from gateway.sandbox.requests import Request, admit, bearer_token, decoded, reply_format
from gateway.sandbox.seed import sample_state
from gateway.sandbox.state import State
from gateway.sandbox.tokens import Token, TokenBook, sample_tokens
from gateway.sandbox.values import Fields, Params


@dataclass(frozen=True, slots=True)
class Options:
    """How the stand-in behaves. Times in seconds.

    `latency` is added to every call; `task_seconds` is how long a background task takes; `has_http_statuses`
    makes an error code also the HTTP status, where the default answers 200 to everything that reached the
    API: the documentation breaks off before it says which the platform does. Without `takes_xml` it is the
    platform of the newer documentation, which names JSON only for requests; replies may still be XML.
    """

    seed: int = 0
    latency: float = 0.0
    task_seconds: float = 1.0
    repeats: Generation = Generation.NEWER
    window: float = DAY
    has_http_statuses: bool = False
    takes_xml: bool = True


class Sandbox:
    """State, tokens, faults and calls are public: tests look at them and change them."""

    def __init__(
        self,
        tokens: Iterable[Token] | None = None,
        options: Options | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.options = options or Options()
        self.tokens = TokenBook(sample_tokens() if tokens is None else tokens)
        self.faults = Faults()
        self.calls = Calls()
        self._clock = clock
        self.state = sample_state(self.options.seed)
        self._repeats = Repeats(clock, self.options.window)

    def reset(self) -> None:
        """Back to the sample data, with no faults and no memory of calls. Tokens stay."""
        self.state = sample_state(self.options.seed)
        self._repeats = Repeats(self._clock, self.options.window)
        self.faults.clear()
        self.calls.clear()

    async def call(self, incoming: Incoming) -> Outcome:
        """Answers one call of a method."""
        digest = checksum(incoming.target, incoming.headers, incoming.body)
        request_id = incoming.header(self.options.repeats.request_id_header)
        sequence = self.calls.receive(incoming, digest, request_id)
        request = self._admitted(incoming, sequence)
        if isinstance(request, Reply):
            self.calls.announce()
            self.calls.finish(sequence, Fate.REFUSED, request.code)
            return request.answer()
        strike = self.faults.take(request.method.name)
        # Only now: whoever waits for the arrival to release a stalled call must find it stalled.
        self.calls.announce()
        key = self._key(request, digest, request_id)
        exchange = _Exchange(request, sequence, incoming.origin, self.state)
        async with self._repeats.turn(key) as turn:
            return await self._struck(exchange, strike, turn)

    def _admitted(self, incoming: Incoming, sequence: int) -> Request | Reply:
        """The request if it may run, else the reply that says why not."""
        fields: Fields = {}
        try:
            fields = decoded(incoming, takes_xml=self.options.takes_xml)
            request = admit(incoming, fields, self.tokens)
        except ApiError as error:
            return self._reply(failure(error), _safe_format(incoming, fields))
        self.calls.admit(sequence, request.params, request.token.name, request.token_places)
        return request

    def _key(self, request: Request, digest: str, request_id: str | None) -> str | None:
        """Under which a repeat would be recognised; None when it would not be."""
        if not request.method.modifies or self.options.repeats is Generation.OFF:
            return None
        if request_id:
            return f"{request_id}:{request.token.name}"
        return digest if request.method.has_checksum else None  # the token is part of what it was made of

    async def _struck(self, exchange: "_Exchange", strike: Strike | None, turn: Turn) -> Outcome:
        """The call with its fault, on the side of the method that the fault says."""
        if strike and strike.fault.moment is When.BEFORE:
            instead = await _suffer(strike, None, exchange.request) or self._error(strike, exchange.request)
            if instead is not None:
                code = strike.fault.code if strike.fault.kind is Kind.ERROR else None
                self.calls.finish(exchange.sequence, Fate.DROPPED, code)
                return instead
        reply = await self._run(exchange, turn)
        if strike and strike.fault.moment is When.AFTER:
            return await _suffer(strike, reply, exchange.request) or reply.answer()
        return reply.answer()

    def _error(self, strike: Strike, request: Request) -> Outcome | None:
        if strike.fault.kind is not Kind.ERROR:
            return None
        error = ApiError(Code(strike.fault.code), "as a fault was asked for")
        return self._reply(failure(error), request).answer()

    async def _run(self, exchange: "_Exchange", turn: Turn) -> Reply:
        """The first one's reply for a repeat, else the method's own."""
        if turn.kept is not None and turn.key is not None:
            self.calls.finish(exchange.sequence, Fate.REPLAYED, turn.kept.code)
            return replace(turn.kept, headers=self.options.repeats.duplicate_headers(turn.key))
        await asyncio.sleep(self.options.latency)
        turn.kept = self._execute(exchange)
        self.calls.finish(exchange.sequence, Fate.EXECUTED, turn.kept.code)
        return turn.kept

    def _execute(self, exchange: "_Exchange") -> Reply:
        request, now = exchange.request, self._clock()
        context = Context(
            token=request.token,
            modifies=request.method.modifies,
            now=now,
            origin=exchange.origin,
            task_seconds=self.options.task_seconds,
        )
        try:
            exchange.state.settle(now)
            fields = success(request.method.handle(exchange.state, Params(request.params), context))
        except ApiError as error:
            fields = failure(error)
        return self._reply(fields, request)

    def _reply(self, fields: Fields, shape: Request | str) -> Reply:
        """`shape` is a request, or only the format where there is none. Errors have the usual shape."""
        code = Reply(fields).code
        status = code if code and self.options.has_http_statuses else 200
        if isinstance(shape, str):
            return Reply(fields, shape, status)
        if code:
            return Reply(fields, JSON if shape.format == CSV else shape.format, status)
        return Reply(fields, shape.format, status, shape.method.xml_root, shape.method.nested)

    def download(self, path: str, incoming: Incoming) -> Answer:
        """A finished export. This is plain HTTP: 401 and 404 are statuses, too."""
        if bearer_token(incoming, self.tokens) is None:
            return _plain(401, b"API token required\n")
        self.state.settle(self._clock())
        name = path.removeprefix(DOWNLOADS)
        content = self.state.files.get(name)
        if content is None:
            return _plain(404, b"no such file\n")
        kind = "text/csv; charset=utf-8" if name.endswith(".csv") else "application/json; charset=utf-8"
        return Answer(200, (("content-type", kind),), content)


@dataclass(frozen=True, slots=True)
class _Exchange:
    """A call on its way. It keeps its state: one that outlives a reset must not change the new state."""

    request: Request
    sequence: int
    origin: str
    state: State


async def _suffer(strike: Strike, reply: Reply | None, request: Request) -> Outcome | None:
    """Spends the time that the fault costs; what the caller gets instead of the answer, if anything."""
    if strike.fault.kind is Kind.STALL and not await asyncio.shield(asyncio.wrap_future(strike.released)):
        return Reset()
    if strike.fault.kind is Kind.SLOW:
        await asyncio.sleep(strike.fault.ms / 1000)
    return instead_of(reply, strike.fault, request.token.value)


def _safe_format(incoming: Incoming, fields: Fields) -> str:
    """The format of a refusal; an unknown one, which may be the reason, is answered in JSON."""
    try:
        return reply_format(incoming, fields, has_csv=False)
    except ApiError:
        return JSON


def _plain(status: int, body: bytes) -> Answer:
    return Answer(status, (("content-type", "text/plain"),), body)
