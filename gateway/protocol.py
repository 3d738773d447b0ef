"""One connection of a caller: its requests are answered one at a time, in their order.

What is not proper HTTP, too large or too late is refused in its turn, and is the last of its connection:
after it, nobody knows where the next request begins. Refuses to let a slow caller keep what it does not use.

Of what is awaited of the caller, and how long, there is one thing at a time: its `Phase`.
An answer goes out in the next turn of the loop, right behind those on other connections: callers that are
answered ten at a time are woken once, and waking them is the dearest part of a write.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Coroutine
from functools import partial
from typing import Any, cast

from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.utils import get_local_addr, get_remote_addr
from uvicorn.server import ServerState

from gateway import errors
from gateway.alarm import Alarm
from gateway.asgi import AsgiExchange, Door
from gateway.exchange import Exchange, Refused, head_of
from gateway.head import Head, lines
from gateway.known_heads import Known
from gateway.listener import Listener, ListenerLimits
from gateway.phase import BODY, END, HEAD, NEXT, NOTHING, Phase
from gateway.reader import RequestReader

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
        self._phase = HEAD
        self._alarm = Alarm(self._loop, self._late)
        self._unsent = 0
        self._answer: tuple[bytes, ...] = ()  # what is still to be written
        self._turn: Turn | None = None  # the request that is being answered; those after it
        self._later: deque[Turn] = deque()
        self._reader = RequestReader(self, self._listener)

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
            self._await(HEAD)

    def data_received(self, data: bytes) -> None:
        if self._phase is END:
            return
        reader = self._reader
        try:
            reader.feed(data)
        except errors.CallError as error:
            self._break_off(error)
            return
        if reader.in_head:
            if self._phase is not HEAD:
                self._await(HEAD)
        elif reader.incoming is not None and self._phase is not BODY:
            self._await(BODY)

    def connection_lost(self, exc: Exception | None) -> None:
        self._state.connections.discard(cast(Any, self))
        self._phase = END
        self._alarm.stop()
        self._flow.resume_writing()
        self._later.clear()
        if isinstance(self._turn, Exchange | AsgiExchange):
            self._turn.leave()
        self._reader.close()
        del self._reader  # it holds this connection

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

    # What the reader asks and tells.

    def begins(self, limits: ListenerLimits) -> None:
        self._limits = limits

    def is_free(self) -> bool:
        return self._turn is None and not self._later and not self._flow.write_paused

    def opened(self, head: Head, fields: list[tuple[bytes, bytes]]) -> tuple[Exchange | AsgiExchange, bool]:
        is_call = self._listener.is_call(head.path)
        turn = Exchange(self, head) if is_call else AsgiExchange(self._door, head, fields, self.answered)
        if self.is_free():
            self._begin(turn)
        else:
            self._later.append(turn)
            self._flow.pause_reading()
        return turn, is_call

    def known(self, known: Known) -> Exchange:
        self._limits = self._listener.limits
        self._turn = turn = Exchange(self, known.head)
        self._run(turn, self._listener.serve(turn, known.admitted))
        return turn

    def known_whole(self, known: Known, content: bytes) -> None:
        self._limits = self._listener.limits
        self._turn = turn = Exchange(self, known.head)
        turn.take_whole(content)
        self._await(NOTHING)
        if not self._listener.serve_at_once(turn, known.admitted):
            self._run(turn, self._listener.serve(turn, known.admitted))

    def whole(self) -> None:
        self._await(NEXT if self._turn is None else NOTHING)

    # What an exchange asks.

    def common_fields(self) -> bytes:
        return self._listener.common_fields.lines(self._state.default_headers)

    def hand_out(self, *parts: bytes) -> None:
        self._answer = parts
        self._loop.call_soon(self._send)

    def _send(self) -> None:
        if self._phase is not END or self._answer:  # else the connection was ended since
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

    def _begin(self, turn: Turn) -> None:
        self._turn = turn
        if isinstance(turn, Refused):
            self._tell(turn.error)
            return
        self._run(turn, self._listener.serve(turn) if isinstance(turn, Exchange) else turn.run())

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
        if self._phase is NOTHING and self._turn is None:
            self._await(NEXT)

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

    def _break_off(self, error: errors.CallError) -> None:
        """Nothing that comes from here on can be read."""
        self._await(END)
        incoming, self._reader.incoming = cast(Exchange | AsgiExchange | None, self._reader.incoming), None
        if incoming is None:
            self._refuse(error)
        elif incoming.is_answered:
            self._hang_up(at_once=False)
        else:
            incoming.keep_alive = False
            incoming.fail(error)

    def _refuse(self, error: errors.CallError) -> None:
        """Told when its turn comes; nothing is read any more."""
        self._await(END)
        log.warning("the connection of %s was ended: %s", self._door.peer, error.text)
        if self._turn is None and not self._later:
            self._tell(error)
        else:
            self._later.append(Refused(error))

    def _tell(self, error: errors.CallError) -> None:
        answer = self._listener.refusal(error)
        fields = (*answer.headers, (b"content-type", answer.content_type))
        start = head_of(
            answer.status, self.common_fields() + lines(fields), len(answer.body), keep_alive=False
        )
        self._transport.write(start + answer.body)
        self._hang_up(at_once=False)

    def _hang_up(self, *, at_once: bool) -> None:
        """End the connection; not `at_once` where the caller may still be sending."""
        self._write_answer()
        self._phase, self._turn = END, None
        self._later.clear()
        if at_once:
            self._transport.close()
            self._alarm.set(self._limits.body_timeout)
            return
        self._flow.resume_reading()
        self._transport.write_eof()
        self._alarm.set(LINGER)

    # Time.

    def _await(self, phase: Phase) -> None:
        self._phase = phase
        if self._flow.write_paused:
            return  # that it takes its answer comes first
        if phase is NEXT:
            self._alarm.set(self._limits.idle_timeout)
        elif phase is BODY:
            self._alarm.set(self._limits.body_timeout)
        elif phase is HEAD:
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
            case Phase.HEAD if self._reader.in_head:
                self._refuse(errors.CallError(errors.HEAD_TIMEOUT, "the head did not arrive in time"))
            case Phase.BODY:
                self._break_off(errors.CallError(errors.BODY_TIMEOUT, "the body did not arrive in time"))
            case Phase.END:
                self._transport.abort()
            case _:
                self._transport.close()
