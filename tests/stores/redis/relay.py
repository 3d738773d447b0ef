"""A line to a server that takes its time, or that is cut."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from tests.valkey import Server


@dataclass
class Relay:
    """Each piece of a reply is held back for `delay` seconds."""

    server: Server
    delay: float = 0.0
    port: int = 0
    connections: int = 0
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        self._writers += [writer, there_writer]
        for source, sink, delays in ((reader, there_writer, False), (there_reader, writer, True)):
            task = asyncio.ensure_future(self._carry(source, sink, delays=delays))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def cut(self) -> None:
        """Both ends see the connection break."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def aclose(self) -> None:
        self.cut()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, delays: bool) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                if delays and self.delay:
                    await asyncio.sleep(self.delay)
                sink.write(data)
        sink.close()


@asynccontextmanager
async def relayed(server: Server) -> AsyncIterator[Relay]:
    relay = Relay(server)
    listening = await asyncio.start_server(relay.serve, "127.0.0.1", 0)
    relay.port = listening.sockets[0].getsockname()[1]
    try:
        yield relay
    finally:
        listening.close()
        await relay.aclose()
