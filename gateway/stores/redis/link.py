"""The way to Redis: one connection, replaced once when it is found dead, and otherwise out of the way.

    up          questions are asked
    replacing   the connection was lost: another one is opened at once, and questions wait for it
    down        nothing is asked, no call waits; another connection is tried every now and then

A question without a reply in time takes the link down, and so does a refusal that is Redis' own state (read
only, loading, cannot save): the next calls do not wait for it again. A link that falls soon after it came
back is left alone for longer each time. Before it is up again, whoever keeps something in Redis makes up for
the time in between.

Times of what is kept are by Redis' clock, as it was told with each beat: all gateways share it. One that
stops beating for LEASE is taken for dead.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import hiredis

from gateway.errors import StoreAwayError
from gateway.occurrence import event
from gateway.stores.patience import patience_of_call, start_anew
from gateway.stores.redis.address import Address
from gateway.stores.redis.connection import Command, Connection, Waiting, trouble
from gateway.stores.redis.keys import Keys
from gateway.stores.redis.scripts import ALL, BEAT, Script

BEAT_EVERY = 1.0
LEASE = 5.0
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
STEADY = 30.0
"""Seconds after which a link that came back counts as well again."""
FIRST_LOOK = 0.9
"""The share of its time after which a question is looked at: what is late because this loop was late has its
reply in the socket by the second look."""

OUT_OF_MEMORY = "OOM command not allowed"

Ask = Callable[..., Awaitable[Any]]

log = logging.getLogger(__name__)


class Refused(Exception):  # noqa: N818 - a reply of Redis', for those who can live with it
    """Redis answered with an error that says nothing about the link: it is out of memory."""


class Link:
    """`failed` is told of each operation that could not be done; `gateway_id` names this process."""

    def __init__(
        self,
        address: Address,
        keys: Keys,
        timeout: float,
        gateway_id: str,
        failed: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        self.address = address
        self.keys = keys
        self.timeout = timeout
        self.instance = gateway_id
        self.run = ""  # names this life of the server
        self.recovered_at = 0.0
        self.on_recovery: list[Callable[[Ask], Awaitable[None]]] = []
        self.on_fall: list[Callable[[], None]] = []
        self.on_return: list[Callable[[], None]] = []
        self.on_word: Callable[[bytes], None] = lambda word: None
        self._failed = failed
        self._clock = clock
        self._offset = 0.0
        self._term = 0
        self._connection: Connection | None = None  # None: down
        self._is_replacing = False
        self._queued: list[Waiting] = []
        self._pause = FIRST_PAUSE
        self._relapses = 0
        self._is_well = True  # so far as the log has said
        self._tasks: set[asyncio.Task[None]] = set()
        self._wanted = asyncio.Event()
        self.problem = "not connected yet"

    def __repr__(self) -> str:
        return f"<Link to {self.address}, {'up' if self.is_up else 'down'}>"

    @property
    def is_up(self) -> bool:
        return self._connection is not None or self._is_replacing

    @property
    def may_be_asked(self) -> bool:
        """Whether it is up, and the running call has patience left."""
        return self.is_up and patience_of_call(self.timeout).left > 0

    @property
    def term(self) -> str:
        """The name of this gateway since the last outage: what it left in Redis before is nobody's."""
        return f"{self.instance}.{self._term}"

    def is_mine(self, term: str) -> bool:
        return term.partition(".")[0] == self.instance

    def now(self) -> float:
        """Seconds by Redis' clock."""
        return self._clock() + self._offset

    async def start(self) -> None:
        """Connect, and keep connected. Never fails: without Redis, calls are answered all the same."""
        self._loop = asyncio.get_running_loop()
        with suppress(StoreAwayError):
            await self._come_up()
        self._begin(self._keep_up(), "keep the link to Redis")
        self._begin(self._keep_beating(), "beat")

    async def aclose(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._connection is not None:
            with suppress(StoreAwayError, asyncio.TimeoutError):
                gone = self._connection.ask((b"DEL", self.keys.alive(self.term)))
                await asyncio.wait_for(gone, self.timeout)
        self._down("closed")

    def run_command(self, script: Script, keys: list[bytes], *arguments: bytes | int) -> Command:
        return (b"EVALSHA", script.sha, len(keys), *keys, *arguments)

    async def script(self, operation: str, script: Script, keys: list[bytes], *arguments: bytes | int) -> Any:
        """What a script answers. Raises StoreAwayError, and Refused."""
        return await self.ask(operation, *self.run_command(script, keys, *arguments))

    async def ask(self, operation: str, *command: bytes | int) -> Any:
        """A reply, waited for as long as the running call may. Raises StoreAwayError, and Refused."""
        patience = patience_of_call(self.timeout)
        if not self.may_be_asked:
            self.missed(operation)
            raise StoreAwayError(operation)
        began = self._loop.time()
        try:
            reply = await self._answer(command, patience.left)
        except (StoreAwayError, Refused):
            self.missed(operation)
            raise
        finally:
            patience.left -= self._loop.time() - began
        return reply

    def missed(self, operation: str) -> None:
        """Something could not be done."""
        self._failed(operation)

    def fall(self, why: str) -> None:
        """Something that was to be told to Redis could not be: from here on it knows less than is so."""
        self._down(why)

    async def _answer(self, command: Command, left: float) -> Any:
        waiting = Waiting(command, self._loop.create_future())
        timer = self._loop.call_later(left * FIRST_LOOK, self._look, waiting, left * (1 - FIRST_LOOK))
        self._send(waiting)
        try:
            reply = await waiting.reply
        finally:
            timer.cancel()
        return self._checked(reply)

    def _send(self, waiting: Waiting) -> None:
        if self._connection is not None:
            self._connection.send(waiting)
        elif self._is_replacing:
            self._queued.append(waiting)
        else:
            _give_up(waiting)

    def _look(self, waiting: Waiting, left: float) -> None:
        if not waiting.reply.done():
            self._loop.call_later(left, self._expire, waiting)

    def _expire(self, waiting: Waiting) -> None:
        if not waiting.reply.done():
            self._down(f"no reply within {self.timeout * 1000:.0f} ms")
            _give_up(waiting)

    def _checked(self, reply: Any) -> Any:
        if isinstance(reply, hiredis.ReplyError):
            kind = str(reply).partition(" ")[0]
            if OUT_OF_MEMORY in str(reply):  # before Redis 7, a script's error has it further on
                raise Refused("OOM")
            self._down(f"it refuses: {kind}")
            raise StoreAwayError(kind)
        return reply

    # The connection.

    async def _connect(self) -> tuple[Connection, bool]:
        """Another connection, and whether the server has been started anew since the last one. Raises
        StoreAwayError."""
        connection = Connection(self._pushed, self._lost)
        try:
            async with asyncio.timeout(self.timeout):
                await self._open(connection)
                return connection, await self._greet(connection)
        except (OSError, TimeoutError, StoreAwayError, asyncio.CancelledError) as error:
            connection.close()
            for waiting in connection.waiting:
                _give_up(waiting)
            if isinstance(error, asyncio.CancelledError):
                raise
            self._failed("connect")
            self.problem = trouble(error)
            raise StoreAwayError(self.problem) from error

    async def _open(self, connection: Connection) -> None:
        address = self.address
        if address.path:
            await self._loop.create_unix_connection(lambda: connection, address.path)
        else:
            await self._loop.create_connection(
                lambda: connection, address.host, address.port, ssl=address.tls
            )

    async def _greet(self, connection: Connection) -> bool:
        """All that a connection needs before it is asked, in one go."""
        address = self.address
        login: tuple[bytes, ...] = ()
        if address.password:
            login = (b"AUTH", (address.user or "default").encode(), address.password.encode())
        replies = [connection.ask((b"HELLO", b"3", *login)), connection.ask((b"SELECT", address.database))]
        replies += [connection.ask((b"SCRIPT", b"LOAD", script.text)) for script in ALL]
        # Answered by a push; by an error where it is not allowed, and then the next question gets that.
        connection.tell((b"SUBSCRIBE", self.keys.channel(self.term)))
        info = connection.ask((b"INFO", b"server"))
        sent = self._clock()
        beat = connection.ask(self._beat_command())
        for reply in await asyncio.gather(*replies, info, beat):
            if isinstance(reply, hiredis.ReplyError):
                raise StoreAwayError(f"it refuses: {str(reply).partition(' ')[0]}")
        self._learn_time(beat.result(), sent)
        run = _run_of(info.result())
        was, self.run = self.run, run
        return was != run

    def _pushed(self, push: list[Any]) -> None:
        if push[0] == b"message":
            self.on_word(push[2])

    def _lost(self, connection: Connection) -> None:
        """A connection that is found dead is replaced once, and what it owed is asked again."""
        if connection is not self._connection:
            for waiting in connection.waiting:
                _give_up(waiting)
            return
        self._connection = None
        self._is_replacing = True
        self._queued = [waiting for waiting in connection.waiting if not waiting.reply.done()]
        self._begin(self._replace(), "replace the connection to Redis")

    async def _replace(self) -> None:
        try:
            connection, is_another_life = await self._connect()
        except StoreAwayError as error:
            self._down(f"the connection was lost ({error})")
            return
        if not self._is_replacing:  # it took too long, and the link fell
            connection.close()
            return
        if is_another_life:
            connection.close()
            self._down("it was started anew")
            return
        self._is_replacing = False
        self._connection = connection
        queued, self._queued = self._queued, []
        for waiting in queued:
            connection.send(waiting)

    def _down(self, why: str) -> None:
        connection, self._connection = self._connection, None
        was_up = connection is not None or self._is_replacing
        self._is_replacing = False
        lost, self._queued = self._queued, []
        if connection is not None:
            connection.close()
            lost = [*connection.waiting, *lost]
        for waiting in lost:
            _give_up(waiting)
        if not was_up:
            return
        self.problem = why
        self._term += 1
        is_relapse = self._loop.time() - self.recovered_at < STEADY
        self._relapses = min(self._relapses + 1, 10) if is_relapse else 0
        self._pause = min(FIRST_PAUSE * 2**self._relapses, LONGEST_PAUSE)
        for told in self.on_fall:
            told()
        if why != "closed":
            self._say_ill(why)
        self._wanted.set()

    async def _keep_up(self) -> None:
        while True:
            self._wanted.clear()
            if self.is_up:
                await self._wanted.wait()
            await asyncio.sleep(self._pause)
            with suppress(StoreAwayError):
                await self._come_up()

    async def _come_up(self) -> None:
        """Connect, and make up for what was missed. Raises StoreAwayError."""
        start_anew()
        try:
            connection, _ = await self._connect()
        except StoreAwayError as error:
            self._pause = min(max(2 * self._pause, FIRST_PAUSE), 1.0)
            self._say_ill(str(error))
            raise

        async def ask(*command: bytes | int) -> Any:
            reply = await connection.ask(command)
            if isinstance(reply, hiredis.ReplyError):
                raise StoreAwayError(str(reply).partition(" ")[0])
            return reply

        try:
            async with asyncio.timeout(self.timeout):
                for recover in self.on_recovery:
                    await recover(ask)
        except (TimeoutError, StoreAwayError) as error:
            connection.close()
            self.problem = f"it could not be caught up with ({type(error).__name__})"
            self._say_ill(self.problem)
            raise StoreAwayError(self.problem) from error
        except asyncio.CancelledError:
            connection.close()
            raise
        self._connection = connection
        self.recovered_at = self._loop.time()
        if not self._is_well:
            self._is_well = True
            log.warning(
                "redis: %s is shared again", self.address, extra=event("store_recovered", store="redis")
            )
        for told in self.on_return:
            told()

    def _say_ill(self, why: str) -> None:
        if self._is_well:
            self._is_well = False
            text = "redis: %s is not used: %s; calls go on without it"
            log.error(text, self.address, why, extra=event("store_failed", store="redis"))

    # The beat.

    def _beat_command(self) -> Command:
        return self.run_command(BEAT, [self.keys.alive(self.term)], int(LEASE * 1000))

    def _learn_time(self, beat: list[Any], sent: float) -> None:
        theirs = int(beat[1]) + int(beat[2]) / 1e6
        self._offset = theirs - (sent + self._clock()) / 2

    async def _keep_beating(self) -> None:
        while True:
            await asyncio.sleep(BEAT_EVERY)
            start_anew()
            if self._connection is None:
                continue
            sent = self._clock()
            with suppress(StoreAwayError, Refused):
                beat = await self.ask("beat", *self._beat_command())
                self._learn_time(beat, sent)
                if not beat[0]:
                    self._down("it has forgotten everything")

    def _begin(self, work: Any, name: str) -> None:
        task = self._loop.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _give_up(waiting: Waiting) -> None:
    if not waiting.reply.done():
        waiting.reply.set_exception(StoreAwayError("Redis is away"))
        waiting.reply.exception()  # whoever waited may have left


def _run_of(info: Any) -> str:
    text = info.decode() if isinstance(info, bytes) else str(info)
    return next((line[7:].strip() for line in text.splitlines() if line.startswith("run_id:")), "")
