"""The connections to one origin: who may use which, who waits, and what is closed.

Decides without awaiting. `take` answers at once: a connection, leave to open one, or that the caller has to
wait. A *slot* is the right to have a connection in use; `active` counts slots that are out, and `active +
idle` never exceeds `max_connections`. Every `take` or `wait` that gave a slot is followed by exactly one
`give_back`, which hands the slot to whoever waits longest. Nothing here walks over all connections: idle
ones lie in the order of their last use, so the youngest and the oldest are at the ends.
"""

import asyncio
from collections import OrderedDict
from enum import Enum

from gateway.upstream.builtin.connection import Connection
from gateway.upstream.options import TransportOptions
from gateway.upstream.stats import PoolStats


class Leave(Enum):
    """What `take` answers where it has no connection to give."""

    OPEN = "open a connection: the slot is the caller's"
    WAIT = "every slot is out"


class Pool:
    """Times are the loop's; `opened` and `replaced` are counted by whoever opens."""

    def __init__(self, options: TransportOptions, loop: asyncio.AbstractEventLoop) -> None:
        self._options = options
        self._loop = loop
        self._idle: OrderedDict[Connection, None] = OrderedDict()
        self._waiters: OrderedDict[asyncio.Future[Connection | Leave], None] = OrderedDict()
        self._active = 0
        self._sweeper: asyncio.TimerHandle | None = None
        self.is_closed = False
        self.opened = 0
        self.replaced = 0

    def __repr__(self) -> str:
        return f"<Pool {self._active} active, {len(self._idle)} idle, {len(self._waiters)} waiting>"

    def stats(self) -> PoolStats:
        return PoolStats(self._active, len(self._idle), len(self._waiters), self.opened, self.replaced)

    def take(self, now: float, *, modifies: bool) -> Connection | Leave:
        """The most recently used connection that may carry this call, if there is one.

        A platform may close an idle connection at the moment a call is written to it, and then nobody knows
        whether the call was run. A modifying call avoids that moment: it takes only what was in use a
        moment ago.
        """
        limit = self._options.write_idle if modifies else self._options.keepalive
        while self._idle:
            connection, _ = self._idle.popitem()
            if not connection.is_open:
                self.discard(connection)
                continue
            if now - connection.idle_since < limit:
                self._active += 1
                return connection
            self._idle[connection] = None  # too old, and so are all the others
            break
        if self.is_closed or self._active >= self._options.max_connections:
            return Leave.WAIT
        if self._active + len(self._idle) >= self._options.max_connections:
            oldest, _ = self._idle.popitem(last=False)
            oldest.abort()
        self._active += 1
        return Leave.OPEN

    async def wait(self, until: float) -> Connection | Leave:
        """Waits in line for a slot: a connection, or leave to open one.

        Leave.WAIT when `until` has come, or the pool is closed: no slot then.
        """
        if self.is_closed:
            return Leave.WAIT
        waiter: asyncio.Future[Connection | Leave] = self._loop.create_future()
        self._waiters[waiter] = None
        timer = None
        if until < float("inf"):
            timer = self._loop.call_at(until, self._stop_waiting, waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            # The slot may have been handed over in the same turn of the loop as the cancellation came.
            if waiter.done() and not waiter.cancelled():
                self._return(waiter.result())
            raise
        finally:
            self._waiters.pop(waiter, None)
            if timer is not None:
                timer.cancel()

    def give_back(self, connection: Connection | None) -> None:
        """Ends the use of a slot; None where the connection is gone or must not be used again."""
        if connection is not None and self.is_closed:
            connection.abort()
            connection = None
        while self._waiters:
            waiter, _ = self._waiters.popitem(last=False)
            if not waiter.done():
                waiter.set_result(connection or Leave.OPEN)
                return
        self._active -= 1
        if connection is not None:
            connection.idle_since = self._loop.time()
            self._idle[connection] = None
            self._sweep_later(connection)

    def discard(self, connection: Connection) -> None:
        """Closes and counts a connection that was found dead at its next use: another replaces it."""
        self.replaced += 1
        connection.abort()

    def forget(self, connection: Connection) -> None:
        """The connection is lost; if it was idle, nobody takes it any more."""
        self._idle.pop(connection, None)

    def close(self) -> None:
        """Closes idle connections and turns waiters away; calls in progress end when they end."""
        self.is_closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
        while self._idle:
            self._idle.popitem()[0].abort()
        while self._waiters:
            self._stop_waiting(self._waiters.popitem()[0])

    def _return(self, handed: Connection | Leave) -> None:
        if handed is not Leave.WAIT:
            self.give_back(handed if isinstance(handed, Connection) else None)

    def _stop_waiting(self, waiter: "asyncio.Future[Connection | Leave]") -> None:
        if not waiter.done():
            waiter.set_result(Leave.WAIT)

    def _sweep_later(self, oldest: Connection) -> None:
        if self._sweeper is None:
            expiry = oldest.idle_since + self._options.keepalive
            self._sweeper = self._loop.call_at(expiry, self._sweep)

    def _sweep(self) -> None:
        """Closes what has idled too long, oldest first, and comes back when the next one is due."""
        self._sweeper = None
        expired = self._loop.time() - self._options.keepalive
        while self._idle:
            oldest = next(iter(self._idle))
            if oldest.idle_since > expired:
                self._sweep_later(oldest)
                return
            del self._idle[oldest]
            oldest.abort()
