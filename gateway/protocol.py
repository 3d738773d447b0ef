"""One connection of a caller: HTTP/1.1 by httptools, with the limits that httptools does not have.

Requests on one connection are answered one at a time, in their order. What is not proper HTTP, too large or
too late is refused in its turn, and is the last of its connection: after it, nobody knows where the next
request begins. Refuses to take trailers for fields, and to let a slow caller keep what it does not use.

Of what is awaited of the caller, and how long, there is one thing at a time: its `Phase`.
An answer goes out in the next turn of the loop, right behind those on other connections: callers that are
answered ten at a time are woken once, and waking them is the dearest part of a write.

An `Upgrade` is not taken. Java's HttpClient and others offer HTTP/2 on their first call (`Upgrade: h2c`,
RFC 7540 section 3.2), body and all. A server may ignore the offer (RFC 9110 section 7.8); httptools instead
ends the message at its head, so it is given the request once more, without that field.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Coroutine
from functools import partial
from typing import Any, cast

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.utils import get_local_addr, get_remote_addr
from uvicorn.server import ServerState

from gateway import errors, head, headers
from gateway.alarm import Alarm
from gateway.asgi import AsgiExchange, Door
from gateway.exchange import Exchange, Refused, head_of
from gateway.head import Draft
from gateway.known_heads import Known
from gateway.listener import Listener
from gateway.phase import Phase

log = logging.getLogger(__name__)

LINGER = 2.0
"""Seconds that a refused caller may go on sending: closed earlier, it might lose the answer (RFC 9112 section
9.6)."""

SURPLUS = 50
"""Connections beyond the limit that are told so; what comes beyond these is closed without a word."""

Turn = Exchange | AsgiExchange | Refused


class ListenerProtocol(asyncio.Protocol):
    """Made by uvicorn's server, which also asks it to `shutdown`."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._listener = cast(Listener, config.loaded_app)
        self._state = server_state
        self._loop = _loop or asyncio.get_running_loop()
        self._limits = self._listener.limits
        self._parser = httptools.HttpRequestParser(self)
        self._phase = Phase.HEAD
        self._alarm = Alarm(self._loop, self._late)
        self._unsent = 0
        self._answer: tuple[bytes, ...] = ()  # what is still to be written
        # the request that is coming
        self._in_head = False
        self._draft = Draft(self._limits.header_bytes, self._limits.headers)
        self._upgrades = False
        self._moved = False
        self._error: errors.CallError | None = None
        # requests: the one that is coming, the one whose turn it is, those after it
        self._incoming: Exchange | AsgiExchange | None = None
        self._turn: Turn | None = None
        self._later: deque[Turn] = deque()

    def __repr__(self) -> str:
        return f"<ListenerProtocol, awaits {self._phase.value}>"

    # What the loop and uvicorn's server call.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._flow = FlowControl(self._transport)
        self.write = self._transport.write
        self.is_closing = self._transport.is_closing
        self.pause_reading, self.resume_reading = self._flow.pause_reading, self._flow.resume_reading
        server, client = get_local_addr(self._transport), get_remote_addr(self._transport)
        self.local_address = server[0] if server else None
        self._door = Door(self._listener, self._transport, self._flow, self._state, (server, client))
        connections = self._state.connections
        connections.add(cast(Any, self))
        surplus = len(connections) - self._limits.connections
        if surplus > SURPLUS:
            self._transport.abort()
        elif surplus > 0:
            self._refuse(errors.CallError(errors.OVERLOADED, "too many connections", {"Retry-After": "1"}))
        else:
            self._await(Phase.HEAD)

    def data_received(self, data: bytes) -> None:
        if self._phase is Phase.END:
            return
        is_first = self._turn is None and self._incoming is None and not self._in_head
        if (
            is_first
            and (known := self._listener.heads.find(data)) is not None
            and not self._flow.write_paused
        ):
            self._begin_known(known, data)
            return
        self._moved = False
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._pass_over_upgrade(data[upgrade.args[0] :])
            return
        except httptools.HttpParserError:
            self._break_off(self._error or errors.CallError(errors.BAD_REQUEST, "this is no proper HTTP/1.1"))
            return
        if not self._moved and self._draft.is_stuck(len(data)):
            self._break_off(self._draft.too_large())
        elif self._in_head:
            if self._phase is not Phase.HEAD:
                self._await(Phase.HEAD)
        elif self._incoming is not None:
            if self._phase is not Phase.BODY:
                self._await(Phase.BODY)
        elif is_first and isinstance(self._turn, Exchange):
            self._listener.heads.learn(data, self._turn.head)

    def connection_lost(self, exc: Exception | None) -> None:
        self._state.connections.discard(cast(Any, self))
        self._phase = Phase.END
        self._alarm.stop()
        self._flow.resume_writing()
        self._later.clear()
        if isinstance(self._turn, Exchange | AsgiExchange):
            self._turn.leave()
        self._incoming = None
        del self._parser  # it holds this connection

    def pause_writing(self) -> None:
        """More than enough of an answer waits to be taken."""
        self._flow.pause_writing()
        self._unsent = self._transport.get_write_buffer_size()
        self._alarm.set(self._limits.body_timeout)

    def resume_writing(self) -> None:
        self._flow.resume_writing()
        if self._turn is None:
            self._go_on()
        else:
            self._await(self._phase)

    def shutdown(self) -> None:
        """The gateway ends: what was asked is answered, nothing else."""
        if self._turn is None:
            self._transport.close()
        else:
            (self._later[-1] if self._later else self._turn).keep_alive = False

    # What httptools calls.

    def on_message_begin(self) -> None:
        self._limits = self._listener.limits  # a reload may have changed them
        self._moved = self._in_head = True
        self._draft = Draft(self._limits.header_bytes, self._limits.headers)

    def on_url(self, url: bytes) -> None:
        self._draft.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._draft.add(name, value, is_trailer=not self._in_head):
            raise self._reject(self._draft.too_large())

    def on_headers_complete(self) -> None:
        self._moved, self._in_head = True, False
        if not self._draft.fits_with_target():
            raise self._reject(self._draft.too_large())
        self._upgrades = self._parser.should_upgrade()
        if self._upgrades:
            return
        self._incoming = turn = self._request()
        if self._turn is None and not self._later and not self._flow.write_paused:
            self._begin(turn)
        else:
            self._later.append(turn)
            self._flow.pause_reading()

    def on_chunk_header(self) -> None:
        self._moved = True

    def on_body(self, piece: bytes) -> None:
        self._moved = True
        if self._incoming is not None:
            self._incoming.feed(piece)

    def on_message_complete(self) -> None:
        if self._incoming is None:  # an offer to upgrade; see there
            return
        self._moved = True
        self._incoming.end()
        self._incoming = None
        self._await(Phase.NEXT if self._turn is None else Phase.NOTHING)

    # What an exchange asks.

    def common_fields(self) -> bytes:
        return self._listener.common_fields.lines(self._state.default_headers)

    def hand_out(self, *parts: bytes) -> None:
        self._answer = parts
        self._loop.call_soon(self._send)

    def _send(self) -> None:
        if self._phase is not Phase.END or self._answer:  # else the connection was ended since
            self._write_answer()
            self.answered()

    def _write_answer(self) -> None:
        parts, self._answer = self._answer, ()
        if not self._transport.is_closing():
            for part in parts:
                self._transport.write(part)
        elif isinstance(self._turn, Exchange):
            self._turn.leave()

    def answered(self) -> None:
        """The request whose turn it was has its answer; the next one's turn comes."""
        turn, self._turn = self._turn, None
        if turn is None or self._transport.is_closing():
            return
        if turn.keep_alive:
            self._go_on()
        else:
            self._hang_up(at_once=turn.is_whole and not self._later)

    # Requests.

    def _request(self) -> Exchange | AsgiExchange:
        """The request whose head is whole."""
        parser = self._parser
        try:
            read = head.read(
                parser.get_method(),
                self._draft.target,
                parser.get_http_version(),
                headers.pick(self._draft.fields, self._limits.caller_header),
                keep_alive=parser.should_keep_alive(),
            )
        except errors.CallError as error:
            raise self._reject(error) from None
        if self._listener.is_call(read.path):
            return Exchange(self, read)
        return AsgiExchange(self._door, read, self._draft.fields, self.answered)

    def _begin(self, turn: Turn) -> None:
        self._turn = turn
        if isinstance(turn, Refused):
            self._tell(turn.error)
            return
        self._run(turn, self._listener.serve(turn) if isinstance(turn, Exchange) else turn.run())

    def _begin_known(self, known: Known, data: bytes) -> None:
        """What httptools would say of `data` is known: it is not asked, and knows nothing of this call."""
        self._limits = self._listener.limits
        self._turn = turn = Exchange(self, known.head)
        turn.take_whole(data[known.size :])
        self._await(Phase.NOTHING)
        if not self._listener.serve_at_once(turn, known.admitted):
            self._run(turn, self._listener.serve(turn, known.admitted))

    def _run(self, turn: Exchange | AsgiExchange, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._state.tasks.add(task)
        task.add_done_callback(partial(self._ended, turn))

    def _go_on(self) -> None:
        """Nothing is being answered. Who does not take its answer gets no further one."""
        if self._flow.write_paused:
            return
        if self._later:
            self._begin(self._later.popleft())
        if not self._later:
            self._flow.resume_reading()
        if self._phase is Phase.NOTHING and self._turn is None:
            self._await(Phase.NEXT)

    def _ended(self, turn: Exchange | AsgiExchange, task: "asyncio.Task[None]") -> None:
        """A request's task is over. One that has not answered ends its connection."""
        self._state.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a request failed inside the gateway", exc_info=error)
        if turn.is_answered or self._transport.is_closing():
            return
        if isinstance(turn, AsgiExchange) and turn.trouble is not None:
            self._tell(turn.trouble)
        else:
            self._transport.close()

    # Refusals.

    def _reject(self, error: errors.CallError) -> Exception:
        """httptools hides what a callback raises behind an error of its own, so it is kept aside."""
        self._error = error
        return error

    def _break_off(self, error: errors.CallError) -> None:
        """Nothing that comes from here on can be read."""
        self._await(Phase.END)
        incoming, self._incoming = self._incoming, None
        if incoming is None:
            self._refuse(error)
        elif incoming.is_answered:
            self._hang_up(at_once=False)
        else:
            incoming.keep_alive = False
            incoming.fail(error)

    def _refuse(self, error: errors.CallError) -> None:
        """Told when its turn comes; nothing is read any more."""
        self._await(Phase.END)
        log.warning("the connection of %s was ended: %s", self._door.peer, error.text)
        if self._turn is None and not self._later:
            self._tell(error)
        else:
            self._later.append(Refused(error))

    def _tell(self, error: errors.CallError) -> None:
        answer = self._listener.refusal(error)
        fields = (*answer.headers, (b"content-type", answer.content_type))
        lines = head.lines(fields)
        start = head_of(answer.status, self.common_fields() + lines, len(answer.body), keep_alive=False)
        self._transport.write(start + answer.body)
        self._hang_up(at_once=False)

    def _hang_up(self, *, at_once: bool) -> None:
        """End the connection; not `at_once` where the caller may still be sending."""
        self._write_answer()
        self._phase, self._turn = Phase.END, None
        self._later.clear()
        if at_once:
            self._transport.close()
            self._alarm.set(self._limits.body_timeout)
            return
        self._flow.resume_reading()
        self._transport.write_eof()
        self._alarm.set(LINGER)

    def _pass_over_upgrade(self, rest: bytes) -> None:
        """Read the request whose head has just ended once more, as one that offers nothing."""
        method = self._parser.get_method()
        if method == b"CONNECT":
            self._break_off(errors.CallError(errors.BAD_REQUEST, "this is no proxy of that kind"))
            return
        again = head.written(method, self._draft.target, self._parser.get_http_version(), self._draft.fields)
        self._parser = httptools.HttpRequestParser(self)
        self.data_received(again + rest)

    # Time.

    def _await(self, phase: Phase) -> None:
        self._phase = phase
        if self._flow.write_paused:
            return  # that it takes its answer comes first
        if phase is Phase.NEXT:
            self._alarm.set(self._limits.idle_timeout)
        elif phase is Phase.BODY:
            self._alarm.set(self._limits.body_timeout)
        elif phase is Phase.HEAD:
            self._alarm.set(self._limits.head_timeout)
        else:
            self._alarm.put_off()

    def _late(self) -> None:
        if self._flow.write_paused:
            unsent = self._transport.get_write_buffer_size()
            if unsent < self._unsent:
                self._unsent = unsent
                self._alarm.set(self._limits.body_timeout)
                return
            log.warning("the connection of %s was ended: it did not take its answer", self._door.peer)
            self._transport.abort()
            return
        match self._phase:
            case Phase.HEAD if self._in_head:
                self._refuse(errors.CallError(errors.HEAD_TIMEOUT, "the head did not arrive in time"))
            case Phase.BODY:
                self._break_off(errors.CallError(errors.BODY_TIMEOUT, "the body did not arrive in time"))
            case Phase.END:
                self._transport.abort()
            case _:
                self._transport.close()
